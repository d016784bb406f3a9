/*
 * json.h: reads replies and our own state with typed getters, and writes JSON text.
 *
 * Absent and null are the same.  Unknown members are ignored.  Numbers are read as
 * doubles, since times in Key Vault pass 2^31.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json;

/* Once, before any other call in the process: the library allocates with the wiping
 * allocator. */
void json_global_init(void);

/* Parses exactly one JSON value, in UTF-8; a NUL follows the text.  ERR_UNAVAILABLE, with
 * no text of the input: it may be secret.  ERR_CONFIG: a string holds an escaped NUL,
 * where C text would cut it; somebody stored that, so asking again is no help.
 * json_free() the result; NULL is fine there.
 */
int json_parse(const char *text, size_t len, struct json **out,
	       struct err *err) MUST_CHECK;
void json_free(struct json *root);

/*
 * Takes the string of a top-level member out of an object's text before it is parsed, so
 * that no copy of it gets into the tree and its bytes are exact, NUL included: appends
 * its UTF-8 to out and blanks it in the text, which stays JSON.  *found is false when
 * there is no such member, or it is no string.  ERR_UNAVAILABLE: the text is not UTF-8,
 * or not JSON up to there, or the string passes out's limit.
 */
int json_take_string(char *text, size_t len, const char *name, struct buf *out,
		     bool *found, struct err *err) MUST_CHECK;

static inline void json_freep(struct json **root)
{
	json_free(*root);
}
#define auto_json __attribute__((cleanup(json_freep)))

/* Members of an object; NULL, or the fallback, when absent or of another type.
 * Strings belong to the tree. */
const struct json *json_get(const struct json *object, const char *name);
const char *json_string(const struct json *object, const char *name);
int64_t json_int(const struct json *object, const char *name, int64_t fallback);
bool json_bool(const struct json *object, const char *name, bool fallback);
/* With its fraction; one that passes what a double holds is none. */
double json_real(const struct json *object, const char *name, double fallback);
/* As json_int(), and also takes a string of digits, as Entra sometimes sends. */
int64_t json_loose_int(const struct json *object, const char *name, int64_t fallback);

bool json_is_array(const struct json *item);
bool json_is_object(const struct json *item);
/* Items of an array: first, then next until NULL.  Also the members of an object. */
const struct json *json_first(const struct json *array);
const struct json *json_next(const struct json *item);
/* A member's name; the item itself as text, NULL when it is none; as an integer. */
const char *json_name(const struct json *member);
const char *json_text(const struct json *item);
int64_t json_number(const struct json *item, int64_t fallback);

/* Appends text as a JSON string with its quotes; bytes that are not UTF-8 become
 * U+FFFD, so that a line stays valid whatever a server sent. */
void json_quote(struct buf *out, const char *text);

/* Appends a member of any name to those before it, with the comma between them:
 * "name":"text". */
void json_add_pair(struct buf *members, const char *name, const char *text);

/* Appends "name":text, or "name":null for NULL; the name is one that needs no escapes. */
void json_member(struct buf *out, const char *name, const char *text);

#endif
