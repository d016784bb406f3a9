#include "run/health.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "run/documents.h"
#include "run/endpoint.h"
#include "run/rebinding.h"
#include "run/visitors.h"

/* Requests are short: what stays is slow, or silent.  How many may stay when others come,
 * and how many places there are, with those that the others take meanwhile. */
#define PATH_KEEP 8
#define PATH_PLACES 32
#define PORT_KEEP 32
#define PORT_PLACES 64
#define CONNECTION_MEMORY_BYTES 4096
#define CONNECTION_TIMEOUT_S 2
/* Probes that wait for a yes leave places for others. */
#define WAITING_MAX 4
#define TEXT_MAX 16384
/* So many runs of a daemon, at most, take a request that has come to its answer. */
#define ANSWER_STEPS 4

enum server_kind { SERVER_PATH, SERVER_PORT, SERVERS };

struct server {
	struct health *health;
	enum server_kind kind;
	struct MHD_Daemon *daemon; /* NULL: not open */
	struct visitors visitors;
	unsigned connections; /* open at the end of the latest run */
	bool again;           /* run it at once */
};

struct health {
	struct server servers[SERVERS];
	struct documents documents;
	struct health_facts *facts;
	int dir_fd;
	int epoll_fd; /* of the daemons' own; -1: none is open */
};

enum question {
	ASK_STARTUP,
	ASK_READY,
	ASK_LIVE,
	ASK_STATUS,
	ASK_METRICS,
	ASK_PAGE,
	QUESTIONS,
};

static const char *const urls[SERVERS][QUESTIONS] = {
	[SERVER_PATH] = { "/startup", "/ready", "/live", "/status", "/metrics", NULL },
	[SERVER_PORT] = { "/startupz", "/readyz", "/healthz", "/status", "/metrics",
			  "/" },
};
static const char *const nothing[SERVERS] = {
	[SERVER_PATH] = "not found\n",
	[SERVER_PORT] = "not found; there are /startupz, /readyz, /healthz, /metrics, "
			"/status and /\n",
};

/* ---- answers ---- */

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status,
			     const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result = MHD_NO;

	if (response == NULL)
		return MHD_NO;
	if (MHD_add_response_header(response, "Content-Type", "text/plain") == MHD_YES &&
	    MHD_add_response_header(response, "Connection", "close") == MHD_YES &&
	    (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
	     MHD_add_response_header(response, "Allow", "GET, HEAD") == MHD_YES))
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_started(const struct health *h,
				     struct MHD_Connection *connection, bool briefly)
{
	bool started = briefly ? h->facts->started : h->facts->ready;
	auto_buf struct buf text = BUF_INIT(TEXT_MAX);

	if (started && briefly)
		return reply(connection, MHD_HTTP_OK, "ok\n");
	h->facts->tell(h->facts->arg, &text);
	buf_text(&text, "\n");
	return reply(connection, started ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		     buf_str(&text));
}

/* ---- documents ---- */

static enum MHD_Result reply_document(struct health *h, struct MHD_Connection *connection,
				      enum document which)
{
	struct MHD_Response *response = documents_get(
		&h->documents, h->facts->write, h->facts->arg, which, clock_now_ms());

	if (response == NULL)
		return reply(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			     "others have not yet read what they asked for: ask later\n");
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static enum document wanted_metrics(struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);

	return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL
		       ? DOCUMENT_OPENMETRICS
		       : DOCUMENT_METRICS;
}

/* ---- probes that wait ---- */

static struct visitor *health_visitor(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* True when the answer is not due yet. */
static bool health_puts_off(const struct server *server,
			    struct MHD_Connection *connection)
{
	const char *wait =
		MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "wait");
	struct visitor *visitor = health_visitor(connection);
	int64_t wait_ms;

	if (server->health->facts->started || wait == NULL || visitor == NULL ||
	    visitor->waited || visitors_waiting(&server->visitors) >= WAITING_MAX ||
	    text_number(wait, HEALTH_WAIT_MAX_MS, &wait_ms) < 0)
		return false;
	visitor->waits = visitor->waited = true;
	visitor->until = clock_now_ms() + wait_ms;
	MHD_suspend_connection(connection);
	return true;
}

static void health_end_wait(struct visitor *visitor, int64_t now)
{
	visitor->waits = false;
	visitor->until = now + VISITOR_LIFE_MS;
	MHD_resume_connection(visitor->connection);
}

/* ---- requests ---- */

static enum question question_of(enum server_kind kind, const char *url)
{
	int asked = 0;

	while (asked < QUESTIONS &&
	       (urls[kind][asked] == NULL || strcmp(url, urls[kind][asked]) != 0))
		asked++;
	return (enum question)asked;
}

static enum MHD_Result reply_question(const struct server *server,
				      struct MHD_Connection *connection, const char *url)
{
	struct health *h = server->health;

	switch (question_of(server->kind, url)) {
	case ASK_STARTUP:
		/* Over the network nobody takes a place for long. */
		if (server->kind == SERVER_PATH && health_puts_off(server, connection))
			return MHD_YES;
		return reply_started(h, connection, true);
	case ASK_READY:
		return reply_started(h, connection, false);
	case ASK_LIVE:
		return reply(connection, MHD_HTTP_OK, "ok\n");
	case ASK_STATUS:
		return reply_document(h, connection, DOCUMENT_STATUS);
	case ASK_METRICS:
		return reply_document(h, connection, wanted_metrics(connection));
	case ASK_PAGE:
		return reply_document(h, connection, DOCUMENT_PAGE);
	case QUESTIONS:
		break;
	}
	return reply(connection, MHD_HTTP_NOT_FOUND, nothing[server->kind]);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *data, size_t *size,
				  void **state)
{
	const struct server *server = arg;
	struct health *h = server->health;

	(void)version, (void)data;
	/* First the head, then the body piece by piece: it is dropped. */
	if (*state == NULL) {
		*state = arg;
		return MHD_YES;
	}
	if (*size > 0) {
		*size = 0;
		return MHD_YES;
	}
	if (server->kind == SERVER_PATH && strcmp(url, "/refresh") == 0 &&
	    strcmp(method, MHD_HTTP_METHOD_POST) == 0) {
		h->facts->refresh = true;
		return reply(connection, MHD_HTTP_ACCEPTED, "polling now\n");
	}
	if (server->kind == SERVER_PORT && rebinding_is_likely(connection))
		return reply(connection, MHD_HTTP_MISDIRECTED_REQUEST,
			     "not under this name: use localhost or an address\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			     "method not allowed\n");
	return reply_question(server, connection, url);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *info;
	int fd;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		visitors_leave(*context);
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	fd = info->connect_fd; /* the next answer may come in the same place */
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	*context =
		visitors_enter(&server->visitors, connection, fd,
			       info != NULL ? info->client_addr : NULL, clock_now_ms());
}

/* ---- opening ---- */

struct health *health_new(struct health_facts *facts)
{
	struct health *h = xcalloc(1, sizeof(*h));

	h->facts = facts;
	h->dir_fd = h->epoll_fd = -1;
	for (int i = 0; i < SERVERS; i++)
		h->servers[i] =
			(struct server){ .health = h, .kind = (enum server_kind)i };
	return h;
}

/* Adds the descriptor by which a daemon says that it has something to do. */
static int health_watch(struct health *h, const struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		(struct MHD_Daemon *)(uintptr_t)daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event event = { .events = EPOLLIN };

	if (h->epoll_fd < 0)
		h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return info == NULL || h->epoll_fd < 0
		       ? -1
		       : epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event);
}

/* Takes over the descriptor. */
static int health_serve(struct health *h, enum server_kind kind, int fd, struct err *err)
{
	struct server *server = &h->servers[kind];
	bool is_port = kind == SERVER_PORT;
	unsigned keep = is_port ? PORT_KEEP : PATH_KEEP,
		 places = is_port ? PORT_PLACES : PATH_PLACES;

	visitors_init(&server->visitors, places, keep);
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
		server, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
		MHD_OPTION_CONNECTION_LIMIT, places, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, server, MHD_OPTION_END);
	if (server->daemon != NULL && health_watch(h, server->daemon) == 0)
		return 0;
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon);
	else
		close(fd);
	server->daemon = NULL;
	return err_set(err, ERR_IO, "cannot start the server of '%s'",
		       is_port ? "AKVSYNC_LISTEN" : ENDPOINT_SOCKET);
}

int health_open_path(struct health *h, int dir_fd, struct err *err)
{
	int fd = endpoint_open_path(dir_fd, err);

	if (fd < 0)
		return -1;
	h->dir_fd = dir_fd;
	return health_serve(h, SERVER_PATH, fd, err);
}

int health_open_port(struct health *h, const char *text, struct err *err)
{
	int fd = endpoint_open_port(text, err);

	return fd < 0 ? -1 : health_serve(h, SERVER_PORT, fd, err);
}

/* ---- running ---- */

int health_fd(const struct health *h)
{
	return h == NULL ? -1 : h->epoll_fd;
}

int64_t health_deadline(const struct health *h, int64_t now)
{
	int64_t soonest;

	if (h == NULL)
		return CLOCK_NEVER;
	soonest = documents_deadline(&h->documents);
	for (int i = 0; i < SERVERS; i++) {
		const struct server *server = &h->servers[i];
		MHD_UNSIGNED_LONG_LONG timeout_ms;

		if (server->daemon == NULL)
			continue;
		if (server->again)
			return now;
		if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
			soonest = clock_sooner(soonest, now + (int64_t)timeout_ms);
		soonest = clock_sooner(soonest, visitors_deadline(&server->visitors));
	}
	return soonest;
}

static unsigned count_connections(const struct server *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL ? 0 : info->num_connections;
}

static void health_run_waits(const struct server *server, int64_t now)
{
	for (size_t i = 0; i < server->visitors.count; i++) {
		struct visitor *visitor = &server->visitors.places[i];

		if (visitor->waits &&
		    (server->health->facts->started || now >= visitor->until))
			health_end_wait(visitor, now);
	}
}

static void health_run_server(struct server *server, int64_t now)
{
	unsigned before = server->connections;

	if (server->daemon == NULL)
		return;
	health_run_waits(server, now);
	(void)MHD_run(server->daemon);
	visitors_run(&server->visitors, now);
	server->connections = count_connections(server);
	/* While all places are taken the listening socket is out of the epoll set; the
	 * run after one ended puts it back, and nothing else would wake us for it. */
	server->again = server->connections < before;
}

void health_run(struct health *h)
{
	int64_t now = clock_now_ms();

	if (h == NULL)
		return;
	documents_run(&h->documents, now);
	for (int i = 0; i < SERVERS; i++)
		health_run_server(&h->servers[i], now);
}

static void health_stop(struct server *server)
{
	int64_t now = clock_now_ms();

	/* A daemon must not be stopped while a connection of it is suspended. */
	for (size_t i = 0; i < server->visitors.count; i++)
		if (server->visitors.places[i].waits)
			health_end_wait(&server->visitors.places[i], now);
	for (int step = 0; step < ANSWER_STEPS; step++)
		health_run_server(server, now);
	if (server->daemon != NULL)
		MHD_stop_daemon(server->daemon); /* closes its socket */
	visitors_done(&server->visitors);
}

void health_free(struct health *h)
{
	if (h == NULL)
		return;
	if (h->dir_fd >= 0)
		endpoint_remove(h->dir_fd);
	documents_drop(&h->documents);
	for (int i = 0; i < SERVERS; i++)
		health_stop(&h->servers[i]);
	if (h->epoll_fd >= 0)
		close(h->epoll_fd);
	free(h);
}
