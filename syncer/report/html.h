/*
 * html.h: texts, numbers and times in the form of HTML.  Pure.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdint.h>

#include "base/buf.h"

/* Appends text of others, such as a server's words: no character of it is taken for
 * markup, also not in an attribute between quotes. */
void html_text(struct buf *out, const char *text);

/* "<TAG>text</TAG>". */
void html_element(struct buf *out, const char *tag, const char *text);

/* "1 file", "2 files". */
void html_count(struct buf *out, int64_t count, const char *noun);

/* "5 minutes", rounded down to the largest unit of which there are at least two: an hour
 * is 60 minutes. */
void html_duration(struct buf *out, int64_t ms);

/* "2026-11-29 05:00:00 UTC". */
void html_clock(struct buf *out, int64_t unix_ms);

#endif
