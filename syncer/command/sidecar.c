#include "command/sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/plain.h"
#include "config/configuration.h"
#include "config/environment.h"
#include "run/endpoint.h"

extern char **environ;

/* Less than the timeoutSeconds of the manifests' probes, so that this program says why
 * and not the kubelet. */
#define ANSWER_TIMEOUT_MS 4000

/* How often a question that may wait tries to reach a sidecar that does not listen yet.
 */
#define LISTEN_RETRY_MS 100
/* And one that is besieged. */
#define CROWD_RETRY_MS 10

#define ANSWER_BYTES (256 * 1024)
#define HEAD_MAX 4096
#define RECEIVE_BYTES 4096

/* Stands in messages of what went wrong; the socket says where it is. */
#define HOST "sidecar"

/* An HTTP/1.1 request over a unix socket, and the answer up to the end of the connection,
 * as health.h gives it.  Not over libcurl: a kubelet asks every few seconds, and to start
 * libcurl starts TLS, which costs far more than the question. */
struct sidecar_call {
	const struct sidecar_question *question;
	struct sidecar_answer *answer;
	int fd;
	int64_t timeout_ms, until; /* then it is late */
	size_t max_bytes;
	struct buf reply;
};

/* ---- waiting ---- */

/* Sleeps until the socket is ready for events (0: it is not looked at), or until then at
 * most.  -1: it is late. */
static int sidecar_wait(const struct sidecar_call *call, short events, int64_t until,
			struct err *err)
{
	struct pollfd fd = { .fd = call->fd, .events = events };
	int64_t now = clock_now_ms();

	(void)poll(&fd, events != 0 ? 1 : 0,
		   clock_ms_until(clock_sooner(until, call->until), now));
	if (fd.revents != 0 || clock_now_ms() < call->until)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, "no answer from '" HOST "' within %lld ms",
		       (long long)call->timeout_ms);
}

/* ---- the request ---- */

static int sidecar_connect(struct sidecar_call *call, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	_Static_assert(sizeof(address.sun_path) >= ENDPOINT_PATH_LEN, "path fits");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	while (connect(call->fd, (const struct sockaddr *)&address, sizeof(address)) <
	       0) {
		if (errno != EAGAIN) {
			call->answer->absent = true;
			return err_set(err, ERR_IO, "%s", strerror(errno));
		}
		/* More wait to be let in than the kernel keeps. */
		if (sidecar_wait(call, 0, clock_now_ms() + CROWD_RETRY_MS, err) < 0)
			return -1;
	}
	return 0;
}

static int sidecar_send(const struct sidecar_call *call, int64_t wait_ms, struct err *err)
{
	const struct sidecar_question *question = call->question;
	auto_buf struct buf text = BUF_INIT(HEAD_MAX);

	buf_printf(&text, "%s %s", question->post ? "POST" : "GET", question->path);
	if (wait_ms > 0)
		buf_printf(&text, "?wait=%lld", (long long)wait_ms);
	buf_text(&text, " HTTP/1.1\r\nHost: " HOST "\r\nConnection: close\r\n");
	buf_text(&text, question->post ? "Content-Length: 0\r\n\r\n" : "\r\n");
	/* The buffer of a new socket has place for it. */
	if (send(call->fd, text.data, text.len, MSG_NOSIGNAL) == (ssize_t)text.len)
		return 0;
	return err_set_errno(err, ERR_IO, "cannot ask '" HOST "'");
}

/* ---- the answer ---- */

static int sidecar_refuse(const struct sidecar_call *call, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE,
		       "the reply of '" HOST "' is larger than %zu bytes",
		       call->max_bytes);
}

/* All that comes; whether that is all there is to come, the next one sees. */
static int sidecar_receive(struct sidecar_call *call, struct err *err)
{
	char piece[RECEIVE_BYTES];
	ssize_t n;

	while ((n = recv(call->fd, piece, sizeof(piece), 0)) != 0) {
		if (n > 0 && buf_add(&call->reply, piece, (size_t)n, err) < 0)
			return sidecar_refuse(call, err);
		if (n > 0)
			continue;
		if (errno != EAGAIN)
			break;
		if (sidecar_wait(call, POLLIN, CLOCK_NEVER, err) < 0)
			return -1;
	}
	return 0;
}

/* The head ends with a NUL.  True when it says how long the body is, and it is not. */
static bool sidecar_is_cut(const char *head, size_t body_len)
{
	static const char name[] = "\r\nContent-Length:";
	const char *found = strcasestr(head, name);
	char digits[20];
	int64_t length;

	if (found == NULL)
		return false;
	found += strlen(name);
	found += strspn(found, " ");
	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(found, "0123456789"), found);
	return text_number(digits, INT64_MAX, &length) < 0 || (size_t)length != body_len;
}

/* "HTTP/1.1 200 OK"; 0: it is no such line. */
static int sidecar_status(const char *head)
{
	char digits[4];
	int64_t status;

	if (!text_starts(head, "HTTP/1.") || strlen(head) < strlen("HTTP/1.1 200"))
		return 0;
	snprintf(digits, sizeof(digits), "%s", head + strlen("HTTP/1.1 "));
	return text_number(digits, 599, &status) < 0 || status < 100 ? 0 : (int)status;
}

/* The reply becomes the answer. */
static int sidecar_read(struct sidecar_call *call, struct err *err)
{
	static const char gap[] = "\r\n\r\n";
	struct buf *reply = &call->reply;
	char *end =
		reply->len > 0 ? memmem(reply->data, reply->len, gap, strlen(gap)) : NULL;
	size_t body_len;
	int status;

	if (end == NULL)
		return err_set(err, ERR_UNAVAILABLE, "the reply of '" HOST "' %s",
			       reply->len > 0 ? "is cut off" : "is empty");
	*end = '\0';
	end += strlen(gap);
	body_len = reply->len - (size_t)(end - reply->data);
	status = sidecar_status(reply->data);
	if (status == 0)
		return err_set(err, ERR_UNAVAILABLE, "garbled reply from '" HOST "'");
	if (body_len > call->max_bytes)
		return sidecar_refuse(call, err);
	if (sidecar_is_cut(reply->data, body_len))
		return err_set(err, ERR_UNAVAILABLE,
			       "the reply of '" HOST "' is cut off");
	memmove(reply->data, end, body_len);
	buf_truncate(reply, body_len);
	call->answer->status = status;
	call->answer->text = *reply;
	*reply = BUF_INIT(1);
	return 0;
}

/* ---- all of it ---- */

static int sidecar_exchange(struct sidecar_call *call, const char *socket_path,
			    int64_t wait_ms, struct err *err)
{
	if (call->fd < 0)
		return err_set_errno(err, ERR_IO, "cannot open a socket");
	if (sidecar_connect(call, socket_path, err) < 0 ||
	    sidecar_send(call, wait_ms, err) < 0 || sidecar_receive(call, err) < 0)
		return -1;
	return sidecar_read(call, err);
}

static void sidecar_ask_once(const struct sidecar_question *question,
			     const char *socket_path, int64_t wait_ms,
			     struct sidecar_answer *answer)
{
	auto_close int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t max_bytes = question->max_bytes > 0 ? question->max_bytes : ANSWER_BYTES;
	int64_t timeout_ms = ANSWER_TIMEOUT_MS + wait_ms, now = clock_now_ms();
	struct sidecar_call call = { .question = question,
				     .answer = answer,
				     .fd = fd,
				     .timeout_ms = timeout_ms,
				     .until = now + timeout_ms,
				     .max_bytes = max_bytes,
				     .reply = BUF_INIT(max_bytes + HEAD_MAX) };
	struct err err;

	if (sidecar_exchange(&call, socket_path, wait_ms, &err) < 0) {
		answer->text = BUF_INIT(sizeof(err.msg));
		buf_text(&answer->text, err.msg);
	}
	buf_done(&call.reply);
	/* Nobody listens yet. */
	call.until = CLOCK_NEVER;
	if (answer->absent && wait_ms > 0)
		(void)sidecar_wait(&call, 0, now + clock_sooner(LISTEN_RETRY_MS, wait_ms),
				   &err);
}

char *sidecar_dir(void)
{
	char **env = environment_take(environ);
	char *dir = configuration_dir(env);

	environment_untake(env);
	return dir;
}

int sidecar_ask(const char *dir, const struct sidecar_question *question,
		struct sidecar_answer *answer, struct err *err)
{
	auto_close int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int64_t until = clock_now_ms() + question->wait_ms, left_ms;
	char path[ENDPOINT_PATH_LEN];

	*answer = (struct sidecar_answer){ .text = BUF_INIT(1) };
	if (dir_fd < 0) {
		err_set_errno(err, ERR_IO, "cannot open the directory '%s'", dir);
		return err_hint(err, "set AKVSYNC_DIR to the volume of the sidecar");
	}
	endpoint_path(path, dir_fd);
	do {
		left_ms = clock_later(until - clock_now_ms(), 0);
		sidecar_answer_done(answer);
		sidecar_ask_once(question, path, left_ms, answer);
	} while (answer->absent && left_ms > 0);
	return 0;
}

void sidecar_tell_none(const char *dir, const struct sidecar_answer *answer,
		       struct buf *out)
{
	buf_printf(out, "no sidecar answers on '%s/" ENDPOINT_SOCKET "': ", dir);
	plain_add(out, buf_str(&answer->text), answer->text.len, false);
	if (answer->absent)
		buf_text(out, "; does 'akvsync sidecar' run with this AKVSYNC_DIR?");
}

void sidecar_answer_done(struct sidecar_answer *answer)
{
	buf_done(&answer->text);
	*answer = (struct sidecar_answer){ .text = BUF_INIT(1) };
}
