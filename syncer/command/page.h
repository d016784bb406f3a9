/*
 * page.h: a page of text with sections and terms, written for a terminal or as roff, the
 * language of manual pages: man(7).
 */
#ifndef COMMAND_PAGE_H
#define COMMAND_PAGE_H

#include <stdbool.h>

#include "base/buf.h"

enum page_format { PAGE_TEXT, PAGE_ROFF };

struct page {
	enum page_format format;
	struct buf *out;
	/* Whether the section, and the term, has a text already. */
	bool in_text, in_body;
};

/* The first line: of which program and release the page is. */
void page_begin(struct page *page, const char *name, const char *release);

void page_section(struct page *page, const char *name);

/* A paragraph; its lines are broken here. */
void page_text(struct page *page, const char *text);

/* What is explained by the page_body() calls that follow, each of which begins a line. */
void page_term(struct page *page, const char *term);
void page_body(struct page *page, const char *text);

/* Lines of a term's body that stay as they are; each ends in '\n'. */
void page_lines(struct page *page, const char *lines);

#endif
