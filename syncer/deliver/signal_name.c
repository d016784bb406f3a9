#include "deliver/signal_name.h"

#include <signal.h>

#include "base/mem.h"
#include "base/text.h"

/* An app cannot handle KILL and STOP. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },     { "INT", SIGINT },   { "QUIT", SIGQUIT },
	{ "USR1", SIGUSR1 },   { "USR2", SIGUSR2 }, { "TERM", SIGTERM },
	{ "WINCH", SIGWINCH },
};

const char *signal_name(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "?";
}

int signal_number(const char *s, int *out, struct err *err)
{
	const char *name = text_starts(s, "SIG") ? s + 3 : s;
	int64_t number;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (text_same(signals[i].name, name) ||
		    (text_number(s, 64, &number) == 0 && number == signals[i].number)) {
			*out = signals[i].number;
			return 0;
		}
	}
	return err_set(err, ERR_CONFIG,
		       "'%.40s' is not a signal to notify with; use one of HUP, INT, "
		       "QUIT, USR1, USR2, TERM, WINCH",
		       s);
}
