/* ask.c: `probe` and `refresh`: a question to the running sidecar. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
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

/* --wait 5s, or --wait=5s. */
static int take_wait(int argc, char **argv, int64_t *out_ms)
{
	const char *value = NULL;

	if (argc == 1 && text_starts(argv[0], "--wait="))
		value = argv[0] + strlen("--wait=");
	else if (argc == 2 && strcmp(argv[0], "--wait") == 0)
		value = argv[1];
	return value == NULL || text_duration(value, out_ms) < 0 ||
			       *out_ms > HEALTH_WAIT_MAX_MS
		       ? -1
		       : 0;
}

int command_probe(int argc, char **argv)
{
	static const struct {
		const char *name, *path;
	} questions[] = {
		{ "startup", "/startup" },
		{ "ready", "/ready" },
		{ "live", "/live" },
	};
	struct sidecar_question question = { .stop_fd = -1 };

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(questions); i++)
		if (strcmp(argv[1], questions[i].name) == 0)
			question.path = questions[i].path;
	if (question.path != NULL &&
	    (argc == 2 || (question.path == questions[0].path &&
			   take_wait(argc - 2, argv + 2, &question.wait_ms) == 0)))
		return ask_sidecar(&question);
	return command_usage_error(
		"usage: akvsync probe startup|ready|live; startup takes --wait, and how "
		"long it waits for a yes, up to 1m: akvsync probe startup --wait 5s");
}

int command_refresh(int argc, char **argv)
{
	static const struct sidecar_question question = { .path = "/refresh",
							  .post = true,
							  .stop_fd = -1 };

	if (argc > 1)
		return command_usage_error("'%s' takes no arguments", argv[0]);
	return ask_sidecar(&question);
}
