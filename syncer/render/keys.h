/*
 * keys.h: values inside a JSON text become files of their own.  Pure.
 */
#ifndef RENDER_KEYS_H
#define RENDER_KEYS_H

#include "render/outline.h"

/*
 * Writes the values that the entry's parts name into their files, which are the last ones
 * of the outline, and adds a file for each key when the entry extracts all.  A string is
 * decoded; a number, true, false, null, an object and an array are their JSON text as it
 * was written, without white space.
 *
 * ERR_CONFIG: the text is not JSON, or lacks what was asked for.  The message names the
 * key, and never holds a value.
 */
int keys_write(const struct render_how *how, const struct buf *text,
	       struct render_files *files, struct err *err) MUST_CHECK;

#endif
