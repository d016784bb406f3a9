#include "run/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t signals_ours(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void signals_block(void)
{
	sigset_t set = signals_ours();

	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int signals_open(struct err *err)
{
	sigset_t set = signals_ours();
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? err_set_errno(err, ERR_IO, "cannot read signals") : fd;
}

struct signals_taken signals_take(int fd)
{
	struct signals_taken taken = { 0 };
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			taken.poll = true;
		} else if (!taken.stop) {
			taken.stop = true;
			taken.stop_number = (int)info.ssi_signo;
			taken.stop_pid = (int64_t)info.ssi_pid;
		}
	}
	return taken;
}
