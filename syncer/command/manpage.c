#include "command/manpage.h"

#include <string.h>

#include "base/mem.h"

/* What a terminal shows, and what checkers of manual pages accept. */
#define WIDTH 80

#define PARAGRAPH_INDENT 4
#define BODY_INDENT 8

/* Of manpage_lines(); more is no help of a command. */
#define MANPAGE_LINES_MAX (16 * 1024)

/* Characters that roff takes for others, or for commands. */
static void manpage_escape(struct buf *out, const char *text, size_t len)
{
	static const struct {
		char plain;
		const char *roff;
	} escapes[] = {
		{ '\\', "\\e" },  { '-', "\\-" },   { '\'', "\\(aq" },
		{ '`', "\\(ga" }, { '^', "\\(ha" }, { '~', "\\(ti" },
	};

	for (size_t i = 0; i < len; i++) {
		const char *roff = NULL;

		for (size_t k = 0; k < ARRAY_LEN(escapes); k++)
			if (escapes[k].plain == text[i])
				roff = escapes[k].roff;
		if (roff != NULL)
			buf_text(out, roff);
		else
			buf_printf(out, "%c", text[i]);
	}
}

static void manpage_write(struct manpage *page, const char *text, size_t len)
{
	if (page->format == MANPAGE_ROFF)
		manpage_escape(page->out, text, len);
	else
		buf_printf(page->out, "%.*s", (int)len, text);
}

/* A line of roff that begins with a dot would be a command. */
static void manpage_line_start(struct manpage *page, const char *text, size_t indent)
{
	if (page->format == MANPAGE_TEXT)
		buf_printf(page->out, "%*s", (int)indent, "");
	else if (*text == '.')
		buf_text(page->out, "\\&");
}

/* Words with one blank between them; in roff each sentence begins a line. */
static void manpage_words(struct manpage *page, const char *text, size_t indent)
{
	size_t column = 0;
	bool after_sentence = false;

	while (*text) {
		size_t len = strcspn(text, " ");
		bool breaks = column + 1 + len > WIDTH ||
			      (after_sentence && page->format == MANPAGE_ROFF);

		if (column > 0)
			buf_text(page->out, breaks ? "\n" : " ");
		if (column == 0 || breaks) {
			manpage_line_start(page, text, indent);
			column = indent;
		} else {
			column++;
		}
		manpage_write(page, text, len);
		column += len;
		after_sentence = len > 0 && text[len - 1] == '.';
		text += len + (text[len] == ' ');
	}
	buf_text(page->out, "\n");
}

void manpage_begin(struct manpage *page, const char *name, const char *release)
{
	if (page->format == MANPAGE_ROFF)
		buf_printf(page->out,
			   ".TH %s 1 \"\" \"akvsync %s\" \"User Commands\"\n.ad l\n",
			   name, release);
	else
		buf_printf(page->out, "%s(1), akvsync %s\n", name, release);
}

void manpage_section(struct manpage *page, const char *name)
{
	buf_printf(page->out, page->format == MANPAGE_ROFF ? ".SH %s\n" : "\n%s\n", name);
	page->in_text = false;
}

void manpage_text(struct manpage *page, const char *text)
{
	if (page->in_text)
		buf_text(page->out, page->format == MANPAGE_ROFF ? ".PP\n" : "\n");
	page->in_text = true;
	manpage_words(page, text, PARAGRAPH_INDENT);
}

void manpage_term(struct manpage *page, const char *term)
{
	buf_text(page->out, page->format == MANPAGE_ROFF ? ".TP\n\\fB" : "\n    ");
	manpage_write(page, term, strlen(term));
	buf_text(page->out, page->format == MANPAGE_ROFF ? "\\fR\n" : "\n");
	page->in_body = false;
}

void manpage_body(struct manpage *page, const char *text)
{
	/* After the first line, the term, each text begins a line of its own. */
	if (page->format == MANPAGE_ROFF && page->in_body)
		buf_text(page->out, ".br\n");
	page->in_body = true;
	manpage_words(page, text, BODY_INDENT);
}

/* A line that stays as it is. */
static void manpage_kept(struct manpage *page, const char *line, size_t len)
{
	buf_text(page->out, page->format == MANPAGE_ROFF ? ".nf\n" : "");
	manpage_line_start(page, line, BODY_INDENT);
	manpage_write(page, line, len);
	buf_text(page->out, page->format == MANPAGE_ROFF ? "\n.fi\n" : "\n");
	page->in_body = false; /* the next text begins a line without more ado */
}

static void manpage_gap(struct manpage *page)
{
	buf_text(page->out, page->format == MANPAGE_ROFF ? ".sp\n" : "\n");
	page->in_body = false;
}

/* What was gathered of a paragraph. */
static void manpage_paragraph(struct manpage *page, struct buf *text)
{
	if (text->len > 0)
		manpage_body(page, buf_str(text));
	buf_truncate(text, 0);
}

void manpage_lines(struct manpage *page, const char *lines)
{
	auto_buf struct buf text = BUF_INIT(MANPAGE_LINES_MAX);
	size_t len;

	for (; *lines; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		if (len > 0 && *lines != ' ') {
			buf_printf(&text, "%s%.*s", text.len > 0 ? " " : "", (int)len,
				   lines);
			continue;
		}
		manpage_paragraph(page, &text);
		if (len > 0)
			manpage_kept(page, lines, len);
		else
			manpage_gap(page);
	}
	manpage_paragraph(page, &text);
}
