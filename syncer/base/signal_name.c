#include "base/signal_name.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "HUP", SIGHUP },
	{ "INT", SIGINT },
	{ "QUIT", SIGQUIT },
	{ "ABRT", SIGABRT },
	{ "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 },
	{ "ALRM", SIGALRM },
	{ "TERM", SIGTERM },
	{ "CONT", SIGCONT },
	{ "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU },
	{ "PIPE", SIGPIPE },
	{ "URG", SIGURG },
	{ "XCPU", SIGXCPU },
	{ "XFSZ", SIGXFSZ },
	{ "PROF", SIGPROF },
	{ "VTALRM", SIGVTALRM },
	{ "WINCH", SIGWINCH },
	{ "IO", SIGIO },
	{ "PWR", SIGPWR },
	{ "STKFLT", SIGSTKFLT },
	/* For the log only: nothing is asked for by these. */
	{ "KILL", SIGKILL },
	{ "SEGV", SIGSEGV },
	{ "BUS", SIGBUS },
	{ "FPE", SIGFPE },
	{ "ILL", SIGILL },
	{ "TRAP", SIGTRAP },
	{ "SYS", SIGSYS },
	{ "CHLD", SIGCHLD },
	{ "STOP", SIGSTOP },
};

/* The first and the last real-time signal as glibc and systemd count them; musl keeps one
 * more for itself, and calls them by other names. */
#define RTMIN 34
#define RTMAX 64

/* How many of them can be asked for. */
#define ASKED 22

int signal_name_parse(const char *s, int *out)
{
	const char *name = strncasecmp(s, "SIG", 3) == 0 ? s + 3 : s;
	int64_t number = 0;

	if (strncasecmp(name, "RTMIN+", 6) == 0 &&
	    text_number(name + 6, RTMAX - RTMIN, &number) == 0) {
		*out = RTMIN + (int)number;
		return 0;
	}
	(void)!text_number(s, RTMAX, &number);
	for (size_t i = 0; i < ASKED; i++) {
		if (text_same(names[i].name, name) || names[i].number == number) {
			*out = names[i].number;
			return 0;
		}
	}
	if (number < RTMIN || number > RTMAX)
		return -1;
	*out = (int)number;
	return 0;
}

struct signal_name signal_name_of(int number)
{
	struct signal_name out;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i].number == number) {
			snprintf(out.text, sizeof(out.text), "%s", names[i].name);
			return out;
		}
	}
	snprintf(out.text, sizeof(out.text), "%s%d",
		 number >= RTMIN && number <= RTMAX ? "RTMIN+" : "",
		 number >= RTMIN && number <= RTMAX ? number - RTMIN : number);
	return out;
}
