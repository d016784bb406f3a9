/*
 * object.h: one entry of the list of what to sync: its attributes, the rules that they
 * keep together, and which objects of a vault it stands for.  Pure.
 */
#ifndef CONFIG_OBJECT_H
#define CONFIG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/kind.h"
#include "base/text.h"

/* The longest history that an entry may ask for: with a list of its own it would not pass
 * OBJECTS_MAX. */
#define OBJECT_HISTORY_MAX 1000

/* Which version an entry means that names none: the current one, which the vault tells;
 * or, when that is disabled, the newest one that is enabled; or, when it is disabled, not
 * valid yet or expired, the newest one that is neither. */
enum object_choice { OBJECT_CURRENT, OBJECT_NEWEST_ENABLED, OBJECT_NEWEST_VALID };

/* "current", "newest-enabled", "newest-valid". */
const char *object_choice_word(enum object_choice choice);
bool object_choice_parse(const char *word, enum object_choice *out);

/* An object of a vault, or a choice of several, and the files that it becomes. */
struct object {
	enum object_kind kind;
	char *name;    /* in the vault, [0-9A-Za-z-]{1,127}; NULL: it selects */
	char *pattern; /* a glob that names match, whatever their case; NULL: any */
	struct object_tag *tags; /* all of which a selected object has */
	size_t tag_count;
	char *vault;   /* name or URL as given; NULL: the default one */
	char *version; /* 32 hexadecimal digits; NULL: none is pinned */
	enum object_choice choice;
	int history; /* 2 or more: so many versions, as path/0 …; 0: one */
	char *path; /* of the file, relative to the directory, already normal; of an entry
		       that selects, the folder, or NULL: none */
	char *folder; /* of the files of extracted keys; NULL: they stand beside the file
		       */
	mode_t mode;
	enum text_encoding encoding;
	enum object_format format;
	enum object_layout layout;
	char *password_object;     /* the secret that encrypts the pfx; NULL: none */
	struct object_part *parts; /* values inside the JSON text of a secret */
	size_t part_count;
	enum object_extract extract;
	bool without_whole; /* only of these files are made, not of the whole value */
	bool optional;      /* it need not exist */
	bool metadata;      /* path.json describes it */
	size_t place;       /* in the list as it was written, from 1; for messages */
};

/* Frees what the object holds. */
void object_done(struct object *o);

/* Checks the rules that span attributes.  ERR_CONFIG names the attributes and the fix,
 * but not the entry: the caller does. */
int object_check(const struct object *o, struct err *err) MUST_CHECK;

/* True when values inside its JSON text become files. */
static inline bool object_is_json(const struct object *o)
{
	return o->part_count > 0 || o->extract != OBJECT_EXTRACT_NONE;
}

/* True when the entry does not name its object, but selects objects by a pattern or by
 * tags. */
static inline bool object_selects(const struct object *o)
{
	return o->pattern != NULL || o->tag_count > 0;
}

/* True when an object of this name and these tags is one that the entry selects. */
bool object_matches(const struct object *o, const char *name,
		    const struct object_tag *tags, size_t tag_count);

/* "secret 'db-pass'", "keys like 'app-*'": the entry in a message.  The caller frees. */
char *object_words(const struct object *o);

/* A number for what an entry asks for, whatever its place in the list: two entries that
 * differ in anything have different numbers, unless their hashes are equal by chance. */
uint64_t object_fingerprint(const struct object *o);

#endif
