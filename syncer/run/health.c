#include "run/health.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* Requests come from a kubelet's probe or an operator: one at a time, and short.  A probe
 * that waits while silent connections fill all places gets its turn before it gives up.
 */
#define CONNECTIONS_MAX 8
#define CONNECTION_MEMORY_BYTES 4096
#define CONNECTION_TIMEOUT_S 2
#define TEXT_MAX 4096

struct health {
	struct MHD_Daemon *daemon;
	struct health_facts *facts;
	int dir_fd;
	int epoll_fd;         /* the daemon's */
	unsigned connections; /* open at the end of the latest run */
};

void health_path(char out[static HEALTH_PATH_LEN], int dir_fd)
{
	snprintf(out, HEALTH_PATH_LEN, "/proc/self/fd/%d/" HEALTH_SOCKET, dir_fd);
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status,
			     const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", "text/plain") == MHD_YES &&
	    MHD_add_response_header(response, "Connection", "close") == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_started(const struct health *h,
				     struct MHD_Connection *connection)
{
	auto_buf struct buf text = BUF_INIT(TEXT_MAX);

	if (h->facts->started)
		return reply(connection, MHD_HTTP_OK, "ok\n");
	h->facts->tell(h->facts->arg, &text);
	buf_text(&text, "\n");
	return reply(connection, MHD_HTTP_SERVICE_UNAVAILABLE, buf_str(&text));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *data, size_t *size,
				  void **state)
{
	struct health *h = arg;

	(void)version, (void)data;
	/* First the head, then the body piece by piece: it is dropped. */
	if (*state == NULL) {
		*state = h;
		return MHD_YES;
	}
	if (*size > 0) {
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/refresh") == 0 && strcmp(method, "POST") == 0) {
		h->facts->refresh = true;
		return reply(connection, MHD_HTTP_ACCEPTED, "polling now\n");
	}
	if (strcmp(method, "GET") != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			     "method not allowed\n");
	/* A set that has been complete stays usable whatever the vault says later. */
	if (strcmp(url, "/startup") == 0 || strcmp(url, "/ready") == 0)
		return reply_started(h, connection);
	if (strcmp(url, "/live") == 0)
		return reply(connection, MHD_HTTP_OK, "ok\n");
	return reply(connection, MHD_HTTP_NOT_FOUND, "not found\n");
}

static int listen_at(int dir_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	_Static_assert(sizeof(address.sun_path) >= HEALTH_PATH_LEN, "path fits");
	health_path(address.sun_path, dir_fd);
	(void)unlinkat(dir_fd, HEALTH_SOCKET, 0);
	/* The mode of an unbound socket becomes that of its file, so the file never has a
	 * wider one. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, CONNECTIONS_MAX) == 0)
		return fd;
	err_set_errno(err, ERR_IO, "cannot listen on '" HEALTH_SOCKET "'");
	if (fd >= 0)
		close(fd);
	return -1;
}

int health_new(struct health **out, int dir_fd, struct health_facts *facts,
	       struct err *err)
{
	struct health *h;
	const union MHD_DaemonInfo *info;
	int fd = listen_at(dir_fd, err);

	if (fd < 0)
		return -1;
	h = xcalloc(1, sizeof(*h));
	h->facts = facts;
	h->dir_fd = dir_fd;
	h->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET,
		(MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
		MHD_OPTION_END);
	info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			 : NULL;
	if (info == NULL) {
		if (h->daemon == NULL)
			close(fd);
		health_free(h);
		return err_set(err, ERR_IO,
			       "cannot start the server of '" HEALTH_SOCKET "'");
	}
	h->epoll_fd = info->epoll_fd;
	*out = h;
	return 0;
}

void health_free(struct health *h)
{
	if (h == NULL)
		return;
	(void)unlinkat(h->dir_fd, HEALTH_SOCKET, 0);
	if (h->daemon != NULL)
		MHD_stop_daemon(h->daemon); /* closes the socket as well */
	free(h);
}

int health_fd(const struct health *h)
{
	return h == NULL ? -1 : h->epoll_fd;
}

int64_t health_deadline(const struct health *h, int64_t now)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	if (h == NULL || MHD_get_timeout(h->daemon, &timeout_ms) != MHD_YES)
		return CLOCK_NEVER;
	return now + (int64_t)timeout_ms;
}

static unsigned count_connections(const struct health *h)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL ? 0 : info->num_connections;
}

void health_run(struct health *h)
{
	unsigned before;

	if (h == NULL)
		return;
	/* While all connections are in use the listening socket is out of the epoll set;
	 * the run after one ended puts it back, and nothing else would wake us for it. */
	do {
		before = h->connections;
		(void)MHD_run(h->daemon);
		h->connections = count_connections(h);
	} while (h->connections < before);
}
