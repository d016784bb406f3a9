/*
 * form.h: application/x-www-form-urlencoded text, for bodies and queries.  Pure.
 */
#ifndef AZURE_FORM_H
#define AZURE_FORM_H

#include "base/buf.h"

#define FORM_MAX (256 * 1024)

/* Percent-encodes all but RFC 3986's unreserved characters. */
void form_escape(struct buf *out, const char *s);

/* Appends name=value, with '&' before it unless it is the first. */
void form_add(struct buf *form, const char *name, const char *value);

#endif
