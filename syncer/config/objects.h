/*
 * objects.h: the list of what to sync, from any of its three spellings.  Pure.
 */
#ifndef CONFIG_OBJECTS_H
#define CONFIG_OBJECTS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/text.h"

/* One object of the vault and the file it becomes. */
struct object {
	char *name;    /* in the vault, [0-9A-Za-z-]{1,127} */
	char *vault;   /* name or URL as given; NULL: the default one */
	char *version; /* 32 hexadecimal digits; NULL: always the current one */
	char *path;    /* of the file, relative to the directory, already normal */
	mode_t mode;
	enum text_encoding encoding;
};

struct objects {
	struct object *items;
	size_t count;
};

/*
 * Parses the short form, the YAML or JSON list of maps, and the provider's `array:` of
 * strings.  ERR_CONFIG names the entry, the rule and the fix.  objects_done() the result.
 */
int objects_parse(struct objects *out, const char *text, mode_t default_mode,
		  struct err *err) MUST_CHECK;
void objects_done(struct objects *o);

#endif
