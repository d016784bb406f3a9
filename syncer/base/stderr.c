#include "base/stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

/* Where to write, and how much at once does not block after poll() has said so.  A pipe
 * then takes PIPE_BUF bytes, a terminal perhaps one; but a terminal can be opened again,
 * which makes a file description that no other process shares. */
static struct pollfd destination(size_t *most)
{
	static int terminal = -1;
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	*most = PIPE_BUF;
	if (!isatty(STDERR_FILENO))
		return out;
	if (terminal < 0)
		terminal = open("/proc/self/fd/2",
				O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (terminal < 0)
		*most = 1;
	else
		out.fd = terminal;
	return out;
}

size_t stderr_write(const char *p, size_t n, int64_t until)
{
	size_t most, done = 0;
	struct pollfd out = destination(&most);

	while (done < n && poll(&out, 1, clock_ms_until(until, clock_now_ms())) > 0) {
		size_t part = n - done < most ? n - done : most;
		ssize_t written =
			send(out.fd, p + done, part, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (written < 0 && errno == ENOTSOCK)
			written = write(out.fd, p + done, part);
		if (written <= 0)
			break;
		done += (size_t)written;
	}
	return done;
}
