#include "report/termlog.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

/* The kubelet keeps 4096 bytes; an error is shorter. */
static void termlog_replace(const char *path, const char *text, size_t len)
{
	auto_close int fd = path == NULL ? -1
					 : open(path, O_WRONLY | O_TRUNC | O_CLOEXEC |
							      O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && len > 0)
		(void)!write(fd, text, len);
}

void termlog_write(const char *path, const struct err *err)
{
	char line[sizeof(err->msg) + sizeof(err->request) + 32];
	int n;

	if (err->request[0] != '\0')
		n = snprintf(line, sizeof(line), "%s (request %s)\n", err->msg,
			     err->request);
	else
		n = snprintf(line, sizeof(line), "%s\n", err->msg);
	termlog_replace(path, line, (size_t)n);
}

void termlog_clear(const char *path)
{
	termlog_replace(path, NULL, 0);
}
