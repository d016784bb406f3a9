/*
 * fill.h: the content of a file as it goes into a place of a template.  Pure.
 */
#ifndef RENDER_FILL_H
#define RENDER_FILL_H

#include "base/buf.h"
#include "base/template.h"

/* What the kubelet accepts of an env file: KEP-3721. */
#define FILL_FILE_KEY_REF_NAME_MAX 128
#define FILL_FILE_KEY_REF_VALUE_MAX (32 * 1024)
#define FILL_FILE_KEY_REF_FILE_MAX (64 * 1024)

/*
 * Appends the content to out, through the filters of the part.  Without a filter any
 * bytes stay as they are.
 *
 * ERR_CONFIG: a filter has no form for these bytes, or out has no room; the message, such
 * as "has a ' in it, ...", goes on after the name of the file and never holds a part of
 * the content.  What out holds is then of no use.
 */
int fill_place(const struct template_part *part, const void *content, size_t len,
	       struct buf *out, struct err *err) MUST_CHECK;

#endif
