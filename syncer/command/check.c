/* check.c: `check`: what the configuration comes to, before a pod runs with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "command/check_json.h"
#include "command/check_text.h"
#include "command/command.h"
#include "command/options.h"
#include "config/environment.h"
#include "net/http.h"
#include "report/log.h"
#include "sandbox/harden.h"
#include "sync/check.h"

extern char **environ;

enum { CHECK_ONLINE, CHECK_OUTPUT, CHECK_TERMS };

const struct command_option check_options[] = {
	[CHECK_ONLINE] = { "--online", NULL, "sign in and read every object, too" },
	[CHECK_OUTPUT] = { "--output", "text|json",
			   "the report for people, or for machines" },
	[CHECK_TERMS] = { "--pods", "N",
			  "what so many pods cost the vault: requests a second, the "
			  "share of its limit, the bill of a month" },
	{ "--limit", "REQUESTS/SECONDS",
	  "in place of the vault's own limit, such as 4000/10" },
	{ "--price", "DOLLARS", "of 10000 requests, in place of the list price" },
	{ NULL, NULL, NULL },
};

struct check_options {
	bool online, json;
	const char *file;
	struct cost_terms terms;
};

static int check_options_take(char **argv, struct check_options *out)
{
	struct options options;
	struct err err;

	if (options_take("check", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	out->online = options.values[CHECK_ONLINE] != NULL;
	out->json = options_is(&options, CHECK_OUTPUT, "json");
	out->file = options.operand;
	for (size_t i = CHECK_TERMS; check_options[i].name != NULL; i++)
		if (options.values[i] != NULL &&
		    cost_read_option(&out->terms, check_options[i].name,
				     options.values[i], &err) < 0)
			return command_usage_error_of("check", "%s", err.msg);
	if (cost_check_terms(&out->terms, &err) < 0)
		return command_usage_error_of("check", "%s", err.msg);
	return EXIT_DONE;
}

static int inspect(const struct check_options *options, struct configuration *c,
		   char *const *env, struct check *check, struct err *err)
{
	if (harden(err) < 0 || http_global_init(err) < 0)
		return -1;
	json_global_init();
	if (configuration_load(c, env, options->online, err) < 0)
		return -1;
	log_setup(LOG_ERROR, LOG_TEXT);
	return options->online ? check_online(check, c, err) : check_plan(check, c, err);
}

static int check_report(const struct check_options *options,
			const struct configuration *c, const struct check *check,
			const struct err *err)
{
	const struct check_view view = { .configuration = c,
					 .check = check,
					 .online = options->online,
					 .by_argument = options->file != NULL,
					 .terms = options->terms };
	struct buf out = BUF_INIT(CHECK_TEXT_MAX);
	int code = command_exit_code(err ? err : &check->worst);

	if (options->json)
		check_write_json(&view, err, &out);
	else if (err == NULL)
		check_write_text(&view, &out);
	else
		fprintf(stderr, "akvsync: %s\n", err->msg);
	/* A part of a report would say that there is no more, and be no JSON. */
	if (out.len == CHECK_TEXT_MAX)
		code = command_error(EXIT_LOCAL,
				     "the report is longer than %d bytes; check fewer "
				     "objects at once",
				     CHECK_TEXT_MAX);
	else
		fputs(buf_str(&out), stdout);
	buf_done(&out);
	return command_printed(code);
}

int command_check(int argc, char **argv)
{
	struct configuration c = { 0 };
	struct check_options options = { 0 };
	struct check check = { 0 };
	struct err err = { 0 };
	char **env;
	int code;

	(void)argc;
	if (check_options_take(argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	if (options.file != NULL && setenv("AKVSYNC_CONFIG", options.file, 1) < 0)
		return EXIT_LOCAL;
	env = environment_take(environ);
	if (inspect(&options, &c, env, &check, &err) < 0)
		code = check_report(&options, &c, &check, &err);
	else
		code = check_report(&options, &c, &check, NULL);
	check_done(&check);
	configuration_done(&c);
	environment_untake(env);
	return code;
}
