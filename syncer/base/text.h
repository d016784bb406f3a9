/*
 * text.h: strict little parsers and formatters.  Pure.  Each parser takes the whole
 * string or fails; the callers' messages name the thing and the accepted form.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* "30s", "5m", "1h30m", "250ms": one or more numbers, each with its unit, largest unit
 * first.  A bare number is refused, except "0".  Milliseconds; 0, or -1. */
int text_duration(const char *s, int64_t *out_ms) MUST_CHECK;

/* The shortest such text for a duration: 90000 gives "1m30s".  The caller frees. */
char *text_from_duration(int64_t ms);

/* Octal text of a file mode, "0440" or "440", at most 0777. */
int text_mode(const char *s, mode_t *out) MUST_CHECK;

/* A decimal number in 0..max, digits only. */
int text_number(const char *s, int64_t max, int64_t *out) MUST_CHECK;

/* true/false, 1/0, yes/no, on/off in any case. */
int text_bool(const char *s, bool *out) MUST_CHECK;

/* Mixes a text into a number by which texts can be distinguished (FNV-1a, 64 bits); start
 * with TEXT_HASH.  Its end counts, and NULL is no text: "ab", "c" is not "a", "bc". */
#define TEXT_HASH UINT64_C(0xcbf29ce484222325)
uint64_t text_hash(uint64_t hash, const char *s);

/* How text stands for bytes. */
enum text_encoding { TEXT_UTF8, TEXT_BASE64, TEXT_HEX };

bool text_starts(const char *s, const char *prefix);
/* Compares host names and the like: ASCII letters without case. */
bool text_same(const char *a, const char *b);
bool text_ends_same(const char *s, const char *suffix);

/* Cuts white space at both ends, in place; returns the new start.  As in Go's TrimSpace,
 * the white space of Unicode counts, such as the no-break space of a text that was copied
 * from a web page. */
char *text_trim(char *s);

/* Length of the UTF-8 sequence at text, 1 for ASCII and for the final NUL; 0 when it is
 * none (overlong, a surrogate, cut). */
size_t text_utf8_length(const char *text);

/* How many single-letter edits (insert, delete, change, swap of two neighbours) lead
 * from a to b; case counts as no edit.  For "did you mean". */
size_t text_distance(const char *a, const char *b);

/* A longer name gets no suggestion: to compare it would take too long. */
#define TEXT_NEAREST_MAX 255

/* The candidate nearest to s, or NULL when none is near enough to be meant by a typo. */
const char *text_nearest(const char *s, const char *const *candidates, size_t count);

/* Standard base64: padded, CR and LF inside allowed, nothing else. */
int text_from_base64(const char *s, size_t len, struct buf *out,
		     struct err *err) MUST_CHECK;

/* base64url without padding, as in RFC 7515; nothing else. */
int text_from_base64url(const char *s, size_t len, struct buf *out,
			struct err *err) MUST_CHECK;

/* Append bytes in those forms. */
void text_to_base64(const void *bytes, size_t len, struct buf *out);
void text_to_base64url(const void *bytes, size_t len, struct buf *out);

/* Hexadecimal of any case, an even number of digits, CR and LF inside allowed, nothing
 * else. */
int text_from_hex(const char *s, size_t len, struct buf *out, struct err *err) MUST_CHECK;

#endif
