/* status.c: `status`: what the running sidecar says of itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/options.h"
#include "command/plain.h"
#include "command/sidecar.h"
#include "command/status_text.h"
#include "config/variable.h"

extern char **environ;

#define STATUS_EVERY_MS 2000

/* Of a report: each line of the largest answer, and its columns. */
#define STATUS_TEXT_MAX (16 * 1024 * 1024)

#define HTTP_YES 200
#define HTTP_UNKNOWN 404

static const char status_clear[] = "\x1b[H\x1b[2J";

struct status_run {
	bool watch, json;
	bool is_terminal;
	bool clears; /* a terminal that knows how to */
	bool colour;
	bool drew; /* a status was shown before */
	char *dir;
	struct buf failed; /* what was last said on stderr while watching */
};

enum { STATUS_WATCH, STATUS_OUTPUT };

const struct command_option status_options[] = {
	[STATUS_WATCH] = { "--watch", NULL, "show it again every 2 s, until Ctrl-C" },
	[STATUS_OUTPUT] = { "--output", "text|json",
			    "tables for people, or what the sidecar sent" },
	{ NULL, NULL, NULL },
};

/* ---- writing ---- */

/* -1: stdout takes no more. */
static int status_write(const struct buf *text)
{
	const char *p = buf_str(text);
	size_t left = text->len;

	while (left > 0) {
		ssize_t written = write(STDOUT_FILENO, p, left);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			p += written;
			left -= (size_t)written;
		}
	}
	return 0;
}

static size_t status_width(const struct status_run *run)
{
	struct winsize size = { 0 };

	return run->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0
		       ? size.ws_col
		       : 0;
}

/* The bytes of the sidecar: for a program exactly, for a terminal without what it would
 * obey. */
static void status_json(const struct status_run *run, const struct buf *body,
			struct buf *out)
{
	struct err err;

	if (run->is_terminal)
		plain_add(out, buf_str(body), body->len, true);
	else if (buf_add(out, buf_str(body), body->len, &err) < 0)
		return; /* no answer is so long */
	if (body->len > 0 && body->data[body->len - 1] != '\n')
		buf_text(out, "\n");
}

/* ---- one status ---- */

/* Makes the output of an answer.  The exit code; with that of a failure *problem says
 * what is wrong. */
static int status_show(const struct status_run *run, const struct buf *body,
		       struct buf *out, struct buf *problem)
{
	const struct table_look look = { .width = status_width(run),
					 .colour = run->colour };
	struct status_view view;
	struct err err;
	int code;

	if (run->json)
		status_json(run, body, out);
	if (status_view_read(buf_str(body), body->len, &view, &err) < 0) {
		buf_text(problem, err.msg);
		return EXIT_LOCAL;
	}
	if (!run->json)
		status_text_write(&view, &look, out);
	code = view.ready ? EXIT_DONE : EXIT_UNAVAILABLE;
	status_view_done(&view);
	return code;
}

static void status_refused(const struct sidecar_answer *answer, struct buf *problem)
{
	const char *text = buf_str(&answer->text);

	if (answer->status == HTTP_UNKNOWN) {
		buf_text(problem, "the sidecar is of an older version that has no "
				  "status; 'akvsync probe ready' says whether it is "
				  "ready");
		return;
	}
	buf_printf(problem, "the sidecar answers %d: ", answer->status);
	plain_add(problem, text, strcspn(text, "\n"), false);
}

static int status_ask(const struct status_run *run, struct buf *out, struct buf *problem)
{
	static const struct sidecar_question question = { .path = "/status",
							  .max_bytes = STATUS_BYTES_MAX };
	struct sidecar_answer answer;
	struct err err;
	int code = EXIT_LOCAL;

	if (sidecar_ask(run->dir, &question, &answer, &err) < 0)
		buf_text(problem, err.msg);
	else if (answer.status == HTTP_YES)
		code = status_show(run, &answer.text, out, problem);
	else if (answer.status == 0)
		sidecar_tell_none(run->dir, &answer, problem);
	else
		status_refused(&answer, problem);
	sidecar_answer_done(&answer);
	return code;
}

static int status_once(const struct status_run *run)
{
	auto_buf struct buf out = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf problem = BUF_INIT(STATUS_TEXT_MAX);
	int code = status_ask(run, &out, &problem);

	if (status_write(&out) < 0)
		return EXIT_LOCAL;
	return problem.len > 0 ? command_error(code, "%s", buf_str(&problem)) : code;
}

/* ---- watching ---- */

/* Says that there is no status.  Where lines stay, the same is said once. */
static void status_tell_failed(struct status_run *run, const struct buf *problem)
{
	if (!run->clears && strcmp(buf_str(&run->failed), buf_str(problem)) == 0)
		return;
	buf_truncate(&run->failed, 0);
	buf_text(&run->failed, buf_str(problem));
	if (problem->len > 0)
		(void)command_error(EXIT_LOCAL, "%s; trying again", buf_str(problem));
}

/* -1: stdout takes no more. */
static int status_draw(struct status_run *run)
{
	auto_buf struct buf out = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf problem = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf drawn = BUF_INIT(STATUS_TEXT_MAX);

	(void)status_ask(run, &out, &problem);
	if (run->clears)
		buf_text(&drawn, status_clear);
	else if (run->drew && out.len > 0)
		buf_text(&drawn, "\n");
	run->drew |= out.len > 0;
	if (status_write(&drawn) < 0 || status_write(&out) < 0)
		return -1;
	status_tell_failed(run, &problem);
	return 0;
}

/* Nothing that this command holds needs an end. */
static void status_on_signal(int number)
{
	(void)number;
	_exit(EXIT_DONE);
}

/* Ends by a signal, whatever it waits for: an answer, or a reader that has stopped; or
 * when nobody can read stdout any more. */
static int status_watch(struct status_run *run)
{
	const struct sigaction action = { .sa_handler = status_on_signal };
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	struct pollfd reader = { .fd = STDOUT_FILENO };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &ignored, NULL);
	while (status_draw(run) == 0 && poll(&reader, 1, STATUS_EVERY_MS) == 0)
		continue;
	return EXIT_LOCAL;
}

int command_status(int argc, char **argv)
{
	struct status_run run = { .failed = BUF_INIT(STATUS_TEXT_MAX) };
	const char *term = variable_find(environ, "TERM");
	const char *no_colour = variable_find(environ, "NO_COLOR");
	struct options options;
	int code;

	(void)argc;
	if (options_take("status", argv, &options) != EXIT_DONE)
		return EXIT_USAGE;
	run.watch = options.values[STATUS_WATCH] != NULL;
	run.json = options_is(&options, STATUS_OUTPUT, "json");
	json_global_init();
	run.dir = sidecar_dir();
	run.is_terminal = isatty(STDOUT_FILENO);
	run.clears = run.is_terminal && (term == NULL || strcmp(term, "dumb") != 0);
	run.colour = run.clears && (no_colour == NULL || *no_colour == '\0');
	code = run.watch ? status_watch(&run) : status_once(&run);
	buf_done(&run.failed);
	free(run.dir);
	return code;
}
