/*
 * objects.h: the list of what to sync, from any of its three spellings, with the files
 * that are made of its files.  Pure.
 */
#ifndef CONFIG_OBJECTS_H
#define CONFIG_OBJECTS_H

#include "base/buf.h"
#include "config/object.h"
#include "config/templates.h"
#include "config/yaml.h"

#define OBJECTS_MAX 1000
/* Of a list as text: as much as objects_parse() takes. */
#define OBJECTS_TEXT_MAX YAML_TEXT_MAX

struct objects {
	struct object *items;
	size_t count;
	struct templates templates; /* and env files; objects_parse() makes none */
	struct buf ignored;  /* "note of object 2 ('b')": what has no meaning here */
	struct buf repeated; /* "object 3 ('a')": an entry that an earlier one equals, and
				that is not in items */
};

/*
 * Parses the short form, the YAML or JSON list of maps, and the provider's `array:` of
 * strings.  The text is YAML when its first document is a list, or a map whose first key
 * cannot belong to the short form; what cannot be read as YAML is judged by its first
 * words.  ERR_CONFIG names the entry, the rule and the fix.  objects_done() the result.
 */
int objects_parse(struct objects *out, const char *text, mode_t default_mode,
		  struct err *err) MUST_CHECK;
void objects_done(struct objects *o);

/* A number for what the list asks for, below 2^63 and never 0.  The same entries in
 * another order have the same number. */
uint64_t objects_number(const struct objects *o);

/*
 * Appends the list as JSON text: an array of maps, with the attributes' names that users
 * know.  objects_parse() reads it back, whatever default_mode it is given then, as the
 * same list with the same objects_number().  A process remembers the list that its files
 * were made for in this form.  A text that passes the limit of *out is cut, and
 * objects_parse() refuses it.
 *
 * Templates and env files make it a map of lists, which only objects_read_back() reads.
 */
void objects_write(const struct objects *o, struct buf *out);

/* Reads what objects_write() wrote, as a list with the same objects_number().
 * ERR_CONFIG: it is something else.  objects_done() the result. */
int objects_read_back(struct objects *out, const char *text, mode_t default_mode,
		      struct err *err) MUST_CHECK;

#endif
