/*
 * configuration.h: all that the user asks of this process: the environment and the file
 * that AKVSYNC_CONFIG names, together.
 */
#ifndef CONFIG_CONFIGURATION_H
#define CONFIG_CONFIGURATION_H

#include "config/objects.h"
#include "config/overlay.h"
#include "config/secret_objects.h"
#include "config/settings.h"

struct configuration {
	char *const *env; /* the process's own */
	struct settings settings;
	struct objects objects;        /* each with its vault */
	struct secret_objects secrets; /* those that are written */
	bool secrets_off;              /* some are listed, and none is written */
	char *path;                    /* of the file; NULL: none */
	struct overlay file;
	struct buf ignored;    /* "usePodIdentity, note of object 2 ('b')": what the file
				  and the list of objects hold without meaning here */
	struct buf repeated;   /* "object 3 ('a')": entries that were listed before */
	struct buf overridden; /* "AKVSYNC_VAULT": what the file sets, but the
				  environment sets something else */
};

/*
 * Reads and checks everything.  ERR_CONFIG, whose message names the file when what is
 * wrong stands there.  The settings' log_level, log_format and termination_log are usable
 * even then.  env must outlive it.  configuration_done() either way.
 */
int configuration_load(struct configuration *out, char *const *env, bool signs_in,
		       struct err *err) MUST_CHECK;
void configuration_done(struct configuration *c);

/* True when the text of a template has changed in its file since it was read. */
bool configuration_files_changed(const struct templates *all);

/*
 * The path of the file that AKVSYNC_CONFIG names, for a caller that watches the file
 * before it reads it; NULL: none.  The caller frees it.  What stands behind the last '#'
 * is no part of it, but chooses one SecretProviderClass of the file, unless there is a
 * file with the whole name.
 */
char *configuration_path(char *const *env);

/* The directory alone, for a command that only asks the sidecar there: validates nothing,
 * and a file that cannot be read counts as none.  The caller frees it. */
char *configuration_dir(char *const *env);

/* What to call the place of what is ignored or repeated: the file, or AKVSYNC_OBJECTS. */
const char *configuration_place(const struct configuration *c);

/* Where a variable's value comes from: "environment", "file", "default". */
const char *configuration_source(const struct configuration *c, const char *variable);

#endif
