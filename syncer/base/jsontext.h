/*
 * jsontext.h: a JSON text whose values are found and copied as they were written: no
 * number becomes a double, and no tree holds a second copy of a secret.  Pure.
 *
 * As strict as RFC 8259, and stricter in one thing: an object may not have a key twice,
 * since programs differ in which of the two they take.
 */
#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Objects and arrays inside each other. */
#define JSONTEXT_DEPTH_MAX 64

/* One value, without the white space around it: a part of a text that stays the caller's.
 * Its first character tells its type: { [ " or that of a number, true, false or null. */
struct jsontext {
	const char *at;
	size_t len;
};

/* A member of an object, or an item of an array, which has no key. */
struct jsontext_member {
	struct jsontext key, value;
};

/* Checks that the text is one JSON value.  ERR_CONFIG with the place and the rule, but no
 * part of the text: it may be secret.  All other functions take only what was checked. */
int jsontext_parse(const char *text, size_t len, struct jsontext *out,
		   struct err *err) MUST_CHECK;

/* Moves to the next member of an object, or item of an array; to the first when *m is
 * {0}.  False behind the last, and for any other value. */
bool jsontext_next(const struct jsontext *container, struct jsontext_member *m);

/* Appends what a value is as the content of a file: a string decoded, all else as it was
 * written, without white space.  ERR_UNAVAILABLE: past the buffer's limit. */
int jsontext_write(const struct jsontext *value, struct buf *out,
		   struct err *err) MUST_CHECK;

/* ---- of texts that were not checked ---- */

/* Behind the white space at p. */
const char *jsontext_skip_space(const char *p, const char *end);

/* The closing quote of the string that opens at p; NULL when there is none. */
const char *jsontext_string_end(const char *p, const char *end);

/* Appends what the text between two quotes stands for, as UTF-8; out NULL: only checks
 * it.  ERR_UNAVAILABLE: an escape that is no character, or past the buffer's limit. */
int jsontext_decode(const char *p, const char *end, struct buf *out,
		    struct err *err) MUST_CHECK;

#endif
