/*
 * part.h: what a reference wants of a file: all of it, a value of its JSON text, or what
 * akv2k8s means by KEY.  Pure.
 */
#ifndef EXEC_PART_H
#define EXEC_PART_H

#include "base/buf.h"
#include "exec/reference.h"

/*
 * Appends it.  Of JSON, a text is given as what it stands for, everything else as it is
 * written, so that a number keeps its digits.  KEY is tls.crt or tls.key of a PEM text,
 * username or password of "user:password", raw for the whole file; otherwise a key of
 * JSON.
 *
 * ERR_NOTFOUND: there is no such value; ERR_CONFIG: the file is not of that form.  No
 * message holds a part of the file.
 */
int part_take(const struct reference *r, const struct buf *file, struct buf *out,
	      struct err *err) MUST_CHECK;

#endif
