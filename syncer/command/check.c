/* check.c: `check`: what the configuration comes to, before a pod runs with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "command/check_json.h"
#include "command/check_text.h"
#include "command/command.h"
#include "config/environment.h"
#include "net/http.h"
#include "report/log.h"
#include "sync/check.h"

extern char **environ;

struct options {
	bool online, json;
	const char *file;
	struct cost_terms terms;
};

static int parse_options(int argc, char **argv, struct options *out)
{
	struct err err;

	for (int i = 1; i < argc; i++) {
		if (cost_read_option(&out->terms, argv[i], argv[i + 1], &err)) {
			if (err.kind != ERR_NONE)
				return command_usage_error_of("check", "%s", err.msg);
			i++;
		} else if (strcmp(argv[i], "--online") == 0) {
			out->online = true;
		} else if (strcmp(argv[i], "--output") == 0 && i + 1 < argc) {
			const char *kind = argv[++i];

			out->json = strcmp(kind, "json") == 0;
			if (!out->json && strcmp(kind, "text") != 0)
				return command_usage_error(
					"--output is text or json, not '%s'", kind);
		} else if (argv[i][0] != '-' && out->file == NULL) {
			out->file = argv[i];
		} else {
			return command_usage_error(
				"check takes --online, --output json, --pods N, --limit "
				"REQUESTS/SECONDS, --price DOLLARS and one FILE, not "
				"'%s'",
				argv[i]);
		}
	}
	if (cost_check_terms(&out->terms, &err) < 0)
		return command_usage_error_of("check", "%s", err.msg);
	return EXIT_DONE;
}

static int inspect(const struct options *options, struct configuration *c,
		   char *const *env, struct check *check, struct err *err)
{
	if (http_global_init(err) < 0)
		return -1;
	json_global_init();
	if (configuration_load(c, env, options->online, err) < 0)
		return -1;
	log_setup(LOG_ERROR, LOG_TEXT);
	return options->online ? check_online(check, c, err) : check_plan(check, c, err);
}

static int check_report(const struct options *options, const struct configuration *c,
			const struct check *check, const struct err *err)
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
	fputs(buf_str(&out), stdout);
	buf_done(&out);
	return command_printed(code);
}

int command_check(int argc, char **argv)
{
	struct configuration c = { 0 };
	struct options options = { 0 };
	struct check check = { 0 };
	struct err err = { 0 };
	char **env;
	int code = parse_options(argc, argv, &options);

	if (code != EXIT_DONE)
		return code;
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
