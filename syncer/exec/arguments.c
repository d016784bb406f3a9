#include "exec/arguments.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal_name.h"
#include "base/text.h"

#define HOUR_MS INT64_C(3600000)

/* Takes the value of an option, "" for one that has none.  -1: not such a value. */
typedef int take(struct arguments *o, char *value);

static int take_env(struct arguments *o, char *value)
{
	struct variables_rules *r = &o->rules;
	char *equals = strchr(value, '=');

	if (equals == NULL || equals == value)
		return -1;
	r->wishes = xgrow(r->wishes, r->wish_count, sizeof(*r->wishes));
	r->wishes[r->wish_count++] = (struct variables_wish){
		.name = xstrndup(value, (size_t)(equals - value)),
		.reference = equals + 1,
	};
	return 0;
}

static int take_all(struct arguments *o, char *value)
{
	o->rules.all = true;
	o->rules.prefix = value;
	return *value == '\0' || variables_is_name(value) ? 0 : -1;
}

static int take_trim(struct arguments *o, char *value)
{
	o->rules.trim_newline = true;
	return strcmp(value, "newline") == 0 ? 0 : -1;
}

static int take_identity(struct arguments *o, char *value)
{
	(void)value;
	o->rules.keep_identity = true;
	return 0;
}

static int take_group(struct arguments *o, char *value)
{
	(void)value;
	o->kill_group = true;
	return 0;
}

static int take_change(struct arguments *o, char *value)
{
	char *detail = strchr(value, ':');
	int64_t code = ARGUMENTS_CHANGE_EXIT;

	if (detail != NULL)
		*detail++ = '\0';
	if (strcmp(value, "restart") == 0 || strcmp(value, "ignore") == 0) {
		o->restart.policy =
			value[0] == 'r' ? RESTART_POLICY_RESTART : RESTART_POLICY_IGNORE;
		return detail == NULL ? 0 : -1;
	}
	if (strcmp(value, "signal") == 0) {
		o->restart.policy = RESTART_POLICY_SIGNAL;
		return detail != NULL ? signal_name_parse(detail, &o->change_signal) : -1;
	}
	if (strcmp(value, "exit") != 0 ||
	    (detail != NULL && text_number(detail, 255, &code) < 0))
		return -1;
	o->restart.policy = RESTART_POLICY_EXIT;
	o->change_exit = (int)code;
	return 0;
}

static int take_stop_signal(struct arguments *o, char *value)
{
	return signal_name_parse(value, &o->stop_signal);
}

static int take_time(int64_t *out, const char *value, int64_t least_ms)
{
	return text_duration(value, out) == 0 && *out >= least_ms && *out <= HOUR_MS ? 0
										     : -1;
}

static int take_grace(struct arguments *o, char *value)
{
	return take_time(&o->restart.grace_ms, value, 0);
}

static int take_debounce(struct arguments *o, char *value)
{
	return take_time(&o->restart.debounce_ms, value, 0);
}

static int take_uptime(struct arguments *o, char *value)
{
	return take_time(&o->restart.min_uptime_ms, value, 1);
}

enum option_value { VALUE_NONE, VALUE_OPTIONAL, VALUE_NEEDED };

static const struct option_row {
	const char *name;
	enum option_value value;
	take *take;
	const char *form; /* what it takes, for messages */
} option_rows[] = {
	{ "--env", VALUE_NEEDED, take_env,
	  "NAME=akvsync:PATH, or NAME=akvsync:PATH#KEY" },
	{ "--all", VALUE_OPTIONAL, take_all,
	  "nothing, or what the names begin with, such as APP_" },
	{ "--trim", VALUE_NEEDED, take_trim, "newline" },
	{ "--on-change", VALUE_NEEDED, take_change,
	  "restart, signal:SIG such as signal:HUP, exit, exit:CODE, or ignore" },
	{ "--stop-signal", VALUE_NEEDED, take_stop_signal,
	  "a signal such as TERM or QUIT" },
	{ "--kill-group", VALUE_NONE, take_group, "no value" },
	{ "--grace", VALUE_NEEDED, take_grace, "a duration up to 1h such as 10s" },
	{ "--debounce", VALUE_NEEDED, take_debounce, "a duration up to 1h such as 2s" },
	{ "--min-uptime", VALUE_NEEDED, take_uptime,
	  "a duration from 1ms to 1h such as 1s" },
	{ "--keep-identity", VALUE_NONE, take_identity, "no value" },
};

static int unknown_option(const char *argument, struct err *err)
{
	const char *names[ARRAY_LEN(option_rows)], *nearest;
	auto_free char *name = xstrndup(argument, strcspn(argument, "="));

	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
		names[i] = option_rows[i].name;
	nearest = text_nearest(name, names, ARRAY_LEN(names));
	if (argument[0] != '-')
		return err_set(err, ERR_USAGE,
			       "'--' has to stand before the command: "
			       "akvsync exec [options] -- CMD [ARG...]");
	err_set(err, ERR_USAGE, "unknown option '%.40s'", name);
	return nearest ? err_hint(err, "did you mean %s?", nearest) : -1;
}

static const struct option_row *find_option(const char *argument, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
		if (strlen(option_rows[i].name) == len &&
		    strncmp(option_rows[i].name, argument, len) == 0)
			return &option_rows[i];
	return NULL;
}

/* Takes the option at argv[*i]; *i stays at its last argument. */
static int take_option(struct arguments *o, int *i, int argc, char **argv,
		       struct err *err)
{
	static char none[] = "";
	char *argument = argv[*i];
	size_t len = strcspn(argument, "=");
	const struct option_row *row = find_option(argument, len);
	char *value = argument[len] == '=' ? argument + len + 1 : NULL;

	if (row == NULL)
		return unknown_option(argument, err);
	if (value == NULL && row->value == VALUE_NEEDED && *i + 1 < argc &&
	    strcmp(argv[*i + 1], "--") != 0)
		value = argv[++*i];
	if ((value == NULL && row->value == VALUE_NEEDED) ||
	    (value != NULL && row->value == VALUE_NONE) ||
	    row->take(o, value ? value : none) < 0)
		return err_set(err, ERR_USAGE, "%s takes %s", row->name, row->form);
	return 0;
}

int arguments_parse(struct arguments *out, int argc, char **argv, struct err *err)
{
	*out = (struct arguments){
		.rules.prefix = "",
		.restart = { .policy = RESTART_POLICY_RESTART,
			     .debounce_ms = 2000,
			     .grace_ms = 10000,
			     .min_uptime_ms = 1000 },
		.stop_signal = SIGTERM,
		.change_exit = ARGUMENTS_CHANGE_EXIT,
	};
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			out->command = argv + i + 1;
			break;
		}
		if (take_option(out, &i, argc, argv, err) < 0)
			return -1;
	}
	if (out->command == NULL || out->command[0] == NULL)
		return err_set(err, ERR_USAGE,
			       "the command to run is missing: akvsync "
			       "exec [options] -- CMD [ARG...]");
	return 0;
}

void arguments_done(struct arguments *o)
{
	for (size_t i = 0; i < o->rules.wish_count; i++)
		free(o->rules.wishes[i].name);
	free(o->rules.wishes);
	o->rules.wishes = NULL;
	o->rules.wish_count = 0;
}
