/* status.c: `status`: what the running sidecar says of itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/json.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/options.h"
#include "command/plain.h"
#include "command/sidecar.h"
#include "command/status_text.h"
#include "config/variable.h"
#include "run/signals.h"

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
	int signals_fd;    /* -1: signals end the process as usual */
	struct buf failed; /* what was last said on stderr while watching */
};

enum { STATUS_WATCH, STATUS_OUTPUT };

const struct command_option status_options[] = {
	[STATUS_WATCH] = { "--watch", NULL, "show it again every 2 s, until SIGINT" },
	[STATUS_OUTPUT] = { "--output", "text|json",
			    "tables for people, or what the sidecar sent" },
	{ NULL, NULL, NULL },
};

/* ---- writing ---- */

/* Set by a signal that comes while stdout takes nothing. */
static volatile sig_atomic_t status_interrupted;

static void status_on_signal(int number)
{
	(void)number;
	status_interrupted = 1;
}

/* Writes all; -1: stdout takes no more, or a signal asked for the end. */
static int status_write_all(const char *p, size_t n)
{
	while (n > 0 && !status_interrupted) {
		ssize_t written = write(STDOUT_FILENO, p, n);

		if (written < 0 && errno != EINTR)
			return -1;
		if (written > 0) {
			p += written;
			n -= (size_t)written;
		}
	}
	return n > 0 ? -1 : 0;
}

/* While watching, signals wait to be read from a descriptor.  A reader of stdout that has
 * stopped would keep them waiting, so they interrupt the writing. */
static int status_write(const struct status_run *run, const struct buf *text)
{
	sigset_t ours, before;
	int result;

	if (run->signals_fd < 0)
		return status_write_all(buf_str(text), text->len);
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &ours, &before);
	result = status_write_all(buf_str(text), text->len);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
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

/* Asks once.  *stopped: a signal came first, and there is nothing to show. */
static int status_ask(const struct status_run *run, struct buf *out, struct buf *problem,
		      bool *stopped)
{
	const struct sidecar_question question = { .path = "/status",
						   .max_bytes = STATUS_BYTES_MAX,
						   .stop_fd = run->signals_fd };
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
	*stopped = answer.stopped;
	sidecar_answer_done(&answer);
	return code;
}

static int status_once(const struct status_run *run)
{
	auto_buf struct buf out = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf problem = BUF_INIT(STATUS_TEXT_MAX);
	bool stopped;
	int code = status_ask(run, &out, &problem, &stopped);

	if (status_write(run, &out) < 0)
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
static int status_draw(struct status_run *run, bool *stopped)
{
	auto_buf struct buf out = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf problem = BUF_INIT(STATUS_TEXT_MAX);
	auto_buf struct buf drawn = BUF_INIT(STATUS_TEXT_MAX);

	(void)status_ask(run, &out, &problem, stopped);
	if (*stopped)
		return 0;
	if (run->clears)
		buf_text(&drawn, status_clear);
	else if (run->drew && out.len > 0)
		buf_text(&drawn, "\n");
	run->drew |= out.len > 0;
	if (status_write(run, &drawn) < 0 || status_write(run, &out) < 0)
		return -1;
	status_tell_failed(run, &problem);
	return 0;
}

static int status_watch(struct status_run *run)
{
	const struct sigaction action = { .sa_handler = status_on_signal };
	struct pollfd signals = { .events = POLLIN };
	bool stopped = false;
	struct err err;
	int result = 0;

	signals_block();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	run->signals_fd = signals.fd = signals_open(&err);
	if (signals.fd < 0)
		return command_error(EXIT_LOCAL, "%s", err.msg);
	while (!stopped && result == 0) {
		result = status_draw(run, &stopped);
		if (!stopped && result == 0)
			stopped = poll(&signals, 1, STATUS_EVERY_MS) != 0;
	}
	close(signals.fd);
	return result < 0 && !status_interrupted ? EXIT_LOCAL : EXIT_DONE;
}

int command_status(int argc, char **argv)
{
	struct status_run run = { .signals_fd = -1, .failed = BUF_INIT(STATUS_TEXT_MAX) };
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
