#include "run/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/listen.h"

/* Requests that wait to be accepted. */
#define BACKLOG 128

void endpoint_path(char out[static ENDPOINT_PATH_LEN], int dir_fd)
{
	snprintf(out, ENDPOINT_PATH_LEN, "/proc/self/fd/%d/" ENDPOINT_SOCKET, dir_fd);
}

static int endpoint_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ---- a path ---- */

int endpoint_open_path(int dir_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = endpoint_socket(AF_UNIX);

	_Static_assert(sizeof(address.sun_path) >= ENDPOINT_PATH_LEN, "path fits");
	endpoint_path(address.sun_path, dir_fd);
	endpoint_remove(dir_fd);
	/* The mode of an unbound socket becomes that of its file, so the file never has a
	 * wider one. */
	if (fd >= 0 && fchmod(fd, 0600) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	err_set_errno(err, ERR_IO, "cannot listen on '" ENDPOINT_SOCKET "'");
	if (fd >= 0)
		close(fd);
	return -1;
}

void endpoint_remove(int dir_fd)
{
	(void)unlinkat(dir_fd, ENDPOINT_SOCKET, 0);
}

/* ---- a port ---- */

static int endpoint_bind(int fd, const void *address, socklen_t len)
{
	static const int on = 1;
	int error;

	if (fd < 0)
		return -1; /* errno says why there is none */
	/* What an earlier process has closed a moment ago is no obstacle. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int endpoint_bind_v4(const struct listen *at)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(at->port) };

	memcpy(&address.sin_addr, at->address, sizeof(address.sin_addr));
	return endpoint_bind(endpoint_socket(AF_INET), &address, sizeof(address));
}

static int endpoint_bind_v6(const struct listen *at)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons(at->port) };
	static const int only = 0;
	int fd = endpoint_socket(AF_INET6);

	memcpy(&address.sin6_addr, at->address, sizeof(address.sin6_addr));
	/* All addresses: those of IPv4 as well. */
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	return endpoint_bind(fd, &address, sizeof(address));
}

static const char *endpoint_advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another process of the pod has this port: choose another one, "
		       "and name it in the probes as well";
	case EACCES:
		return "a port below 1024 needs a privilege: choose a higher one, and "
		       "name it in the probes as well";
	case EAFNOSUPPORT:
		return "there is no IPv6 here: write only :PORT for all addresses of the "
		       "pod";
	case EADDRNOTAVAIL:
		return "the pod has no such address: write only :PORT for all that it "
		       "has";
	default:
		return "is it allowed here to listen on a port?";
	}
}

int endpoint_open_port(const char *text, struct err *err)
{
	struct listen at;
	int fd;

	if (listen_parse(&at, text, err) < 0)
		return -1;
	fd = at.v4 ? endpoint_bind_v4(&at) : endpoint_bind_v6(&at);
	/* A kernel without IPv6. */
	if (fd < 0 && errno == EAFNOSUPPORT && at.all)
		fd = endpoint_bind_v4(&at);
	if (fd >= 0)
		return fd;
	err_set_errno(err, ERR_IO, "cannot listen on '%s' (AKVSYNC_LISTEN)", text);
	return err_hint(err, "%s", endpoint_advice(errno));
}
