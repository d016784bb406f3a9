#include "deliver/effect.h"

#include <signal.h>

#include "base/mem.h"
#include "base/signal_name.h"
#include "deliver/program.h"

#define BIT(signal) (UINT64_C(1) << ((signal)-1))
/* Of the kernel's real-time signals, those that no C library keeps for itself. */
#define FREE_REALTIME (~UINT64_C(0) << 34)

/* The handlers that a language's runtime installs for every program. */
static const struct runtime {
	const char *program; /* NULL: told by its signals */
	const char *language;
	uint64_t signals;
	const char *does; /* without a handler of the program's own */
	const char *call; /* that sets one */
} runtimes[] = {
	{ NULL, "Go", BIT(SIGHUP), "ends the program", "signal.Notify" },
	{ NULL, "Go", BIT(SIGUSR1) | BIT(SIGUSR2), "does nothing", "signal.Notify" },
	{ "java", "Java", BIT(SIGHUP), "ends the program", "sun.misc.Signal.handle" },
	{ "java", "Java", BIT(SIGUSR2), "aborts the program", "sun.misc.Signal.handle" },
	{ "node", "Node", BIT(SIGUSR1), "opens a debugger", "process.on" },
	{ "nodejs", "Node", BIT(SIGUSR1), "opens a debugger", "process.on" },
	{ "ruby", "Ruby", BIT(SIGHUP) | BIT(SIGUSR1) | BIT(SIGUSR2), "ends the program",
	  "Signal.trap" },
	{ "php", "PHP", BIT(SIGHUP) | BIT(SIGUSR1) | BIT(SIGUSR2), "ends the program",
	  "pcntl_signal" },
	{ "beam.smp", "Erlang", BIT(SIGUSR1), "ends the program", "os:set_signal" },
};

/* A Go program catches every signal that can be caught, and hardly any other one does. */
static bool is_go(const struct proc *p)
{
	return (p->caught & FREE_REALTIME) == FREE_REALTIME;
}

static const struct runtime *find_runtime(const struct proc *p, int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++) {
		const struct runtime *r = &runtimes[i];

		if ((r->signals & BIT(signal)) != 0 &&
		    (r->program ? program_is(p, r->program) : is_go(p)))
			return r;
	}
	return NULL;
}

bool effect_is_reload(int signal)
{
	return signal == SIGHUP || signal == SIGUSR1 || signal == SIGUSR2;
}

enum effect effect_of(const struct proc *p, int signal)
{
	/* A signal that is blocked waits for signalfd(2) or sigwait(3), also when it is
	 * ignored. */
	if (!p->shows_signals || (p->blocked & BIT(signal)) != 0)
		return EFFECT_HANDLED;
	if ((p->ignored & BIT(signal)) != 0)
		return EFFECT_NOTHING;
	if ((p->caught & BIT(signal)) != 0)
		return find_runtime(p, signal) ? EFFECT_UNSURE : EFFECT_HANDLED;
	if (effect_is_reload(signal))
		return EFFECT_ENDS;
	return signal == SIGWINCH ? EFFECT_NOTHING : EFFECT_HANDLED;
}

void effect_warn(const struct proc *p, int signal, struct err *warning)
{
	const struct runtime *r = find_runtime(p, signal);
	enum effect effect = effect_of(p, signal);
	struct signal_name name = signal_name_of(signal);

	if (warning->kind != ERR_NONE)
		return;
	if (effect == EFFECT_NOTHING)
		(void)err_set(warning, ERR_IO,
			      "process %d ignores SIG%s, so it does not notice the new "
			      "set: does it reload on another signal, or was it started "
			      "with the signal ignored, as nohup does?",
			      (int)p->pid, name.text);
	else if (effect == EFFECT_UNSURE)
		(void)err_set(warning, ERR_IO,
			      "process %d is a %s program, and the runtime of that "
			      "language catches SIG%s itself: it %s unless the program "
			      "has a handler of its own; check that it calls %s",
			      (int)p->pid, r->language, name.text, r->does, r->call);
}
