#include "deliver/targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "deliver/act_exec.h"
#include "deliver/act_exit.h"
#include "deliver/act_http.h"
#include "deliver/act_signal.h"
#include "deliver/act_touch.h"

#define TIMEOUT_MIN_MS 100
#define TIMEOUT_MAX_MS 600000
/* Of the texts of all entries, and of one; ..notified has room for them. */
#define SHOWN_MAX (32 * 1024)
#define ENTRIES_MAX 200

static const struct target_kind *const kinds[] = {
	&act_signal, &act_http, &act_touch, &act_exec, &act_exit, &act_precheck
};

/* ---- options ---- */

/* A part of a path that no file of a set has. */
static bool has_odd_part(const char *pattern)
{
	for (const char *part = pattern;; part++) {
		size_t len = strcspn(part, "/");

		if (len == 0 ||
		    (part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.'))))
			return true;
		part += len;
		if (*part == '\0')
			return false;
	}
}

static int parse_filter(struct target *t, const char *value, struct err *err)
{
	size_t len = strlen(value);
	auto_free char *pattern = NULL;

	while (len > 0 && value[len - 1] == '/') /* of a directory */
		len--;
	if (len == 0 || value[0] == '/')
		return err_set(err, ERR_CONFIG,
			       "on= takes 'first', or a pattern for paths in the volume, "
			       "such as tls/*, not '%.40s'",
			       value);
	pattern = xstrndup(value, len);
	if (has_odd_part(pattern))
		return err_set(err, ERR_CONFIG,
			       "on=%.40s: no path in the volume has such a part", value);
	paths_add(&t->filters, pattern);
	return 0;
}

static int parse_on(struct target *t, const char *value, struct err *err)
{
	static const char first[] = "first";
	static const char *const near[] = { first };

	if (strcmp(value, first) == 0) {
		t->on_first = true;
		return 0;
	}
	if (strpbrk(value, "*?[/") == NULL &&
	    text_nearest(value, near, ARRAY_LEN(near)) != NULL)
		return err_set(err, ERR_CONFIG,
			       "on=%.40s: did you mean on=first? (A path of that name is "
			       "on=[%c]%.40s)",
			       value, value[0], value + 1);
	return parse_filter(t, value, err);
}

static int parse_timeout(struct target *t, const char *value, struct err *err)
{
	if (text_duration(value, &t->timeout_ms) == 0 &&
	    t->timeout_ms >= TIMEOUT_MIN_MS && t->timeout_ms <= TIMEOUT_MAX_MS)
		return 0;
	return err_set(err, ERR_CONFIG,
		       "timeout= takes a duration from 100ms to 10m, such as 5s, not "
		       "'%.20s'",
		       value);
}

static int parse_header_file(struct target *t, const char *value, struct err *err)
{
	if (value[0] != '/' || t->header_file != NULL)
		return err_set(
			err, ERR_CONFIG,
			"header-file= takes one absolute path of a file with lines "
			"'Name: value'");
	t->header_file = xstrdup(value);
	return 0;
}

static const struct option {
	const char *word;
	enum target_option option;
	int (*parse)(struct target *t, const char *value, struct err *err);
} options[] = {
	{ "on", TARGET_ON, parse_on },
	{ "timeout", TARGET_TIMEOUT, parse_timeout },
	{ "header", TARGET_REQUEST, act_http_add_header },
	{ "header-file", TARGET_REQUEST, parse_header_file },
	{ "status", TARGET_REQUEST, act_http_set_status },
};

static const struct option *targets_find_option(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].word, word) == 0)
			return &options[i];
	return NULL;
}

/* ---- an entry ---- */

static int refuse_word(const char *word, struct err *err)
{
	auto_buf struct buf forms = BUF_INIT(300);
	/* What stands behind a mistyped word may be a secret. */
	int len = (int)strcspn(word, ":, \t");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		buf_printf(&forms, "%s%s=", i ? ", " : "", kinds[i]->word);
	return err_set(err, ERR_CONFIG,
		       "unknown word '%.*s='; an entry is one of %s with options such as "
		       "on=first, in front",
		       len < 40 ? len : 40, word, buf_str(&forms));
}

static const struct target_kind *find_kind(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i]->word, word) == 0)
			return kinds[i];
	return NULL;
}

/* An entry, or what is left of it behind its options, that has no '='. */
static int refuse_entry(const char *word, struct err *err)
{
	const struct target_kind *kind = find_kind(word);

	return err_set(err, ERR_CONFIG, "expected an action such as %s",
		       kind ? kind->form : "signal=HUP,process=NAME");
}

/* given: which of the options stand in front, a bit for each. */
static int parse_action(struct target *t, const char *word, char *rest, unsigned given,
			struct err *err)
{
	const struct target_kind *kind = find_kind(word);

	if (kind == NULL)
		return refuse_word(word, err);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if ((given & 1U << i) && !(options[i].option & kind->options))
			return err_set(err, ERR_CONFIG,
				       "%s= has no meaning for %s=", options[i].word,
				       word);
	t->kind = kind;
	if (t->timeout_ms == 0)
		t->timeout_ms = kind->timeout_ms;
	rest = text_trim(rest);
	if (*rest == '\0' && kind != &act_signal)
		return err_set(err, ERR_CONFIG, "%s= is empty; write %s", word,
			       kind->form);
	return kind->parse(t, rest, err);
}

/* Writes into the entry. */
static int parse_entry(struct target *t, char *entry, struct err *err)
{
	unsigned given = 0;

	for (;;) {
		char *word = text_trim(entry);
		char *value = strchr(word, '='), *end;
		const struct option *o;

		if (value == NULL)
			return refuse_entry(word, err);
		*value++ = '\0';
		o = targets_find_option(word);
		if (o == NULL)
			return parse_action(t, word, value, given, err);
		end = o->parse == act_http_add_header
			      ? value + (redact_header_end(value) - value)
			      : value + strcspn(value, ",");
		if (*end == '\0')
			return err_set(err, ERR_CONFIG,
				       "an action is missing behind %s=", word);
		*end = '\0';
		entry = end + 1;
		given |= 1U << (o - options);
		if (o->parse(t, text_trim(value), err) < 0)
			return -1;
	}
}

/* ---- all of them ---- */

static bool is_taken(const struct target *items, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i].text, text) == 0)
			return true;
	return false;
}

/* What is no UTF-8 could not be remembered as it is. */
static void make_utf8(char *text)
{
	while (*text != '\0') {
		size_t len = text_utf8_length(text);

		if (len == 0)
			*text = '?';
		text += len ? len : 1;
	}
}

/* Two that differ only in what is left out are told apart by a number. */
static void give_text(struct target *t, const struct targets *all, char *shown)
{
	make_utf8(shown);
	t->text = xstrdup(shown);
	for (int i = 2; is_taken(all->items, all->count, t->text) ||
			is_taken(all->prechecks, all->precheck_count, t->text);
	     i++) {
		free(t->text);
		t->text = xasprintf("%s #%d", shown, i);
	}
}

static int add_entry(struct targets *all, char *entry, struct err *err)
{
	auto_buf struct buf shown = BUF_INIT(SHOWN_MAX);
	struct target t = { 0 };

	redact_entries(entry, &shown);
	if (parse_entry(&t, entry, err) < 0) {
		target_done(&t);
		return err_wrap(err, "AKVSYNC_NOTIFY: entry '%.100s'", buf_str(&shown));
	}
	give_text(&t, all, shown.data);
	if (t.kind != NULL && t.kind->before) {
		all->prechecks = xgrow(all->prechecks, all->precheck_count, sizeof(t));
		all->prechecks[all->precheck_count++] = t;
	} else {
		all->items = xgrow(all->items, all->count, sizeof(t));
		all->items[all->count++] = t;
	}
	return 0;
}

/* Whether the same entry, letter for letter, is in the list already. */
static bool is_known(char *const *entries, const char *entry)
{
	for (; entries && *entries; entries++)
		if (strcmp(*entries, entry) == 0)
			return true;
	return false;
}

static int check_amount(char *const *entries, struct err *err)
{
	size_t count = target_list_count(entries), len = 0;

	for (char *const *e = entries; e && *e; e++)
		len += strlen(*e);
	if (count <= ENTRIES_MAX && len <= SHOWN_MAX)
		return 0;
	return err_set(
		err, ERR_CONFIG,
		"AKVSYNC_NOTIFY: there are more than %d entries, or they are larger "
		"than %d bytes",
		ENTRIES_MAX, SHOWN_MAX);
}

int targets_parse(struct targets *out, const char *text, struct err *err)
{
	const char *separators = text && text[0] == REDACT_ENTRY ? "\x1e" : ";\n";
	char *copy = wipe_strdup(text ? text : ""), *rest = copy, *entry;
	char **entries = NULL;
	struct targets all = { 0 };
	int result = 0;

	/* Each is compared with those before it, so not beyond what may be. */
	while (target_list_count(entries) <= ENTRIES_MAX &&
	       (entry = strsep(&rest, separators)) != NULL) {
		entry = text_trim(entry);
		if (*entry != '\0' && !is_known(entries, entry))
			entries = target_list_add(entries, entry);
	}
	wipe_free(copy);
	result = check_amount(entries, err);
	for (char **e = entries; e && *e && result == 0; e++)
		result = add_entry(&all, *e, err);
	target_list_free(entries);
	if (result < 0)
		targets_done(&all);
	else
		*out = all;
	return result;
}

void targets_done(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++)
		target_done(&t->items[i]);
	for (size_t i = 0; i < t->precheck_count; i++)
		target_done(&t->prechecks[i]);
	free(t->items);
	free(t->prechecks);
	*t = (struct targets){ 0 };
}
