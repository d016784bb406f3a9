/*
 * manpage.h: a page of text with sections and terms, written for a terminal or as roff,
 * the language of manual pages: man(7).
 */
#ifndef COMMAND_MANPAGE_H
#define COMMAND_MANPAGE_H

#include <stdbool.h>

#include "base/buf.h"

enum manpage_format { MANPAGE_TEXT, MANPAGE_ROFF };

struct manpage {
	enum manpage_format format;
	struct buf *out;
	/* Whether the section, and the term, has a text already. */
	bool in_text, in_body;
};

/* The first line: of which program and release the page is. */
void manpage_begin(struct manpage *page, const char *name, const char *release);

void manpage_section(struct manpage *page, const char *name);

/* A paragraph; its lines are broken here. */
void manpage_text(struct manpage *page, const char *text);

/* What is explained by the manpage_body() calls that follow, each of which begins a line.
 */
void manpage_term(struct manpage *page, const char *term);
void manpage_body(struct manpage *page, const char *text);

/* More of a term's body, as --help prints it: lines that begin with a blank stay as they
 * are, others between them are paragraphs. */
void manpage_lines(struct manpage *page, const char *lines);

#endif
