/*
 * render.h: one object of the vault becomes the bytes of its file.  Pure.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include "base/buf.h"
#include "base/text.h"

/* A name for the options that shaped a file, kept beside it on the volume: when it
 * changes, the file is made again.  Never holds a value. */
const char *render_options(enum text_encoding encoding);

/* Appends the file's bytes.  ERR_CONFIG: the value is not in that encoding; the message
 * holds a position, never a part of the value. */
int render_secret(const struct buf *value, enum text_encoding encoding, struct buf *out,
		  struct err *err) MUST_CHECK;

#endif
