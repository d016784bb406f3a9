#include "deliver/target.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The signals on which programs reload or stop.  An app cannot handle KILL and STOP. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },     { "INT", SIGINT },   { "QUIT", SIGQUIT },
	{ "USR1", SIGUSR1 },   { "USR2", SIGUSR2 }, { "TERM", SIGTERM },
	{ "WINCH", SIGWINCH },
};

const char *target_signal_name(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "?";
}

static int parse_signal(const char *s, int *out, struct err *err)
{
	const char *name = text_starts(s, "SIG") ? s + 3 : s;
	int64_t number;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (text_same(signals[i].name, name) ||
		    (text_number(s, 64, &number) == 0 && number == signals[i].number)) {
			*out = signals[i].number;
			return 0;
		}
	}
	return err_set(err, ERR_CONFIG,
		       "'%.40s' is not a signal to notify with; use one of HUP, INT, "
		       "QUIT, USR1, USR2, TERM, WINCH",
		       s);
}

/* A comma where ';' was meant: no name of a process holds one, and hardly any path does.
 */
static bool looks_like_more(const char *what, const char *value)
{
	static const char *const words[] = { ",signal=", ",on=", ",process=",
					     ",pidfile=" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(value, words[i]) != NULL)
			return true;
	return strcmp(what, "process") == 0 && strchr(value, ',') != NULL;
}

/* signal=NAME,process=NAME or signal=NAME,pidfile=PATH */
static int parse_signal_action(struct target *t, char *rest, struct err *err)
{
	char *what = strchr(rest, ',');
	char *value;

	if (what == NULL)
		return err_set(err, ERR_CONFIG,
			       "it does not say whom to signal; write "
			       "signal=HUP,process=NAME or signal=HUP,pidfile=PATH");
	*what++ = '\0';
	if (parse_signal(text_trim(rest), &t->signal, err) < 0)
		return -1;
	what = text_trim(what);
	value = strchr(what, '=');
	if (value == NULL || value[1] == '\0')
		return err_set(err, ERR_CONFIG,
			       "expected process=NAME or pidfile=PATH, not '%.80s'",
			       what);
	*value++ = '\0';
	if (looks_like_more(what, value))
		return err_set(err, ERR_CONFIG,
			       "%s='%.80s': entries are separated by ';', and on=first, "
			       "stands in front",
			       what, value);
	if (strcmp(what, "process") == 0 && strchr(value, '/') == NULL) {
		t->process = xstrdup(value);
		return 0;
	}
	if (strcmp(what, "process") == 0)
		return err_set(err, ERR_CONFIG,
			       "process= takes a name such as nginx, without '/'");
	if (strcmp(what, "pidfile") != 0)
		return err_set(err, ERR_CONFIG,
			       "expected process= or pidfile=, not '%.40s='", what);
	if (value[0] != '/')
		return err_set(err, ERR_CONFIG,
			       "pidfile= takes an absolute path such as /run/app.pid");
	t->pidfile = xstrdup(value);
	return 0;
}

static int parse_action(struct target *t, const char *key, char *rest, struct err *err)
{
	static const char *const later[] = { "http", "touch", "exec", "exit" };

	if (strcmp(key, "signal") == 0)
		return parse_signal_action(t, rest, err);
	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		if (strcmp(key, later[i]) == 0)
			return err_set(err, ERR_CONFIG,
				       "'%s=' is not supported yet; use signal=", key);
	return err_set(err, ERR_CONFIG,
		       "unknown word '%.40s='; an entry is signal=NAME,process=NAME or "
		       "signal=NAME,pidfile=PATH, with on=first, before it if wanted",
		       key);
}

static int target_parse_entry(struct target *t, const char *entry, struct err *err)
{
	auto_free char *copy = xstrdup(entry);
	char *rest = copy;

	t->text = xstrdup(entry);
	for (;;) {
		char *key = text_trim(rest);
		char *value = strchr(key, '=');

		if (value == NULL)
			return err_set(
				err, ERR_CONFIG,
				"expected an action such as signal=HUP,process=NAME");
		*value++ = '\0';
		if (strcmp(key, "on") != 0)
			return parse_action(t, key, value, err);
		rest = strchr(value, ',');
		if (rest == NULL)
			return err_set(err, ERR_CONFIG,
				       "an action is missing behind on=");
		*rest++ = '\0';
		if (strcmp(value, "first") != 0)
			return err_set(err, ERR_CONFIG,
				       "on=%.40s is not known, only on=first", value);
		t->on_first = true;
	}
}

static bool is_known(const struct targets *all, const char *text)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].text, text) == 0)
			return true;
	return false;
}

int targets_parse(struct targets *out, const char *text, struct err *err)
{
	auto_free char *copy = xstrdup(text ? text : "");
	/* The record separator is what the entries of a YAML list start with. */
	const char *separators = copy[0] == '\x1e' ? "\x1e" : ";\n";
	char *rest = copy, *entry;
	struct targets all = { 0 };

	while ((entry = strsep(&rest, separators)) != NULL) {
		struct target *t;

		entry = text_trim(entry);
		if (*entry == '\0' || is_known(&all, entry))
			continue;
		all.items = xgrow(all.items, all.count, sizeof(*all.items));
		t = &all.items[all.count++];
		*t = (struct target){ 0 };
		if (target_parse_entry(t, entry, err) < 0) {
			targets_done(&all);
			return err_wrap(err, "AKVSYNC_NOTIFY: entry '%.100s'", entry);
		}
	}
	*out = all;
	return 0;
}

void targets_done(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->items[i].text);
		free(t->items[i].process);
		free(t->items[i].pidfile);
	}
	free(t->items);
	*t = (struct targets){ 0 };
}
