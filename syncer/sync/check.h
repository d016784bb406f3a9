/*
 * check.h: what a configuration would make: the files and, online, whether each object
 * can be read and each template be made.  Touches no volume.
 */
#ifndef SYNC_CHECK_H
#define SYNC_CHECK_H

#include "config/configuration.h"
#include "deliver/targets.h"
#include "sync/demand.h"

struct check_file {
	char *path; /* relative */
	mode_t mode;
};

/* One object, or one choice of several. */
struct check_entry {
	char *object;  /* "secret 'db-pass'" */
	char *vault;   /* its URL */
	char *version; /* asked for, or found; NULL: the current one, not asked yet */
	mode_t mode;
	bool optional;
	struct check_file *files;
	size_t file_count;
	uint64_t bytes; /* that the volume would take for what was read; 0: nothing was */
	const char *more; /* files that only the vault knows of; NULL: none */
	bool failed;
	struct err err; /* why it cannot be read; excused when the object is optional */
	bool excused;
	char *warning; /* it can be read, but is not meant to be used now; NULL: none */
};

struct check {
	struct check_entry *items;
	size_t count;
	struct targets targets; /* of AKVSYNC_NOTIFY */
	struct demand demand;   /* what it asks the vaults for */
	struct err unmade;      /* why a template or an env file cannot be made of what
				   was read; ERR_NONE: it can, or not all was read */
	struct err worst;       /* of what is not excused; ERR_NONE: all is well */
};

/* Without the network.  ERR_CONFIG: a vault's name.  check_done() the result. */
int check_plan(struct check *out, const struct configuration *c,
	       struct err *err) MUST_CHECK;

/* Signs in and reads every object, within AKVSYNC_INIT_TIMEOUT.  -1 only when it cannot
 * even start; what the vaults answer is in *out. */
int check_online(struct check *out, const struct configuration *c,
		 struct err *err) MUST_CHECK;
void check_done(struct check *c);

#endif
