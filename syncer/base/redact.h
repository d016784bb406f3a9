/*
 * redact.h: the text of AKVSYNC_NOTIFY, or of one entry, without what may be secret in
 * it. Pure.
 *
 * Left out are the values of header=, and of a URL the user with the password, the query
 * and the fragment.  Names and the rest stay, so that an entry can be recognised.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/buf.h"

/* Separates the entries that come from a YAML list: U+001E.  It stands before each. */
#define REDACT_ENTRY '\x1e'

void redact_entries(const char *text, struct buf *out);

/* Where the value of a header= option ends: at the comma before the next word of the
 * entry, so that it may hold commas itself; or at the end of the text. */
const char *redact_header_end(const char *value);

#endif
