/* ask.c: `probe` and `refresh`: a question to the running sidecar. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
#include "command/options.h"
#include "command/plain.h"
#include "command/sidecar.h"
#include "run/health.h"

#define HTTP_YES 200

/* The longest text that is shown of an answer. */
#define SHOWN_MAX 32768

/* The reason of a no is one line. */
static int ask_tell(const struct sidecar_answer *answer)
{
	const char *text = buf_str(&answer->text);
	bool yes = answer->status < 300;
	auto_buf struct buf shown = BUF_INIT(SHOWN_MAX);

	plain_add(&shown, text,
		  answer->status == HTTP_YES ? strlen(text) : strcspn(text, "\n"), true);
	if (!yes)
		return command_error(EXIT_UNAVAILABLE, "%s", buf_str(&shown));
	if (text_starts(buf_str(&shown), "ok; but:"))
		fputs(buf_str(&shown), stdout);
	return command_printed(EXIT_DONE);
}

static int ask_sidecar(const struct sidecar_question *question)
{
	auto_free char *dir = sidecar_dir();
	auto_buf struct buf none = BUF_INIT(SHOWN_MAX);
	struct sidecar_answer answer;
	struct err err;
	int code;

	if (sidecar_ask(dir, question, &answer, &err) < 0) {
		code = command_error(EXIT_LOCAL, "%s", err.msg);
	} else if (answer.status == 0) {
		sidecar_tell_none(dir, &answer, &none);
		code = command_error(EXIT_LOCAL, "%s", buf_str(&none));
	} else {
		code = ask_tell(&answer);
	}
	sidecar_answer_done(&answer);
	return code;
}

const struct command_option probe_options[] = {
	{ "--wait", "DURATION", "startup: wait so long for a yes, up to 1m" },
	{ NULL, NULL, NULL },
};

int command_probe(int argc, char **argv)
{
	struct options options;
	auto_free char *path = NULL;
	struct sidecar_question question = { 0 };
	const char *wait;

	(void)argc;
	if (options_take("probe", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	wait = options.values[0];
	if (wait != NULL && strcmp(options.operand, "startup") != 0)
		return command_usage_error_of("probe", "only startup takes --wait");
	if (wait != NULL && (text_duration(wait, &question.wait_ms) < 0 ||
			     question.wait_ms > HEALTH_WAIT_MAX_MS))
		return command_usage_error_of(
			"probe",
			"--wait takes a duration up to 1m such as 5s, not '%.60s'", wait);
	path = xasprintf("/%s", options.operand);
	question.path = path;
	return ask_sidecar(&question);
}

int command_refresh(int argc, char **argv)
{
	static const struct sidecar_question question = { .path = "/refresh",
							  .post = true };
	struct options options;

	(void)argc;
	if (options_take("refresh", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	return ask_sidecar(&question);
}
