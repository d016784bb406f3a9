/*
 * shiftclock FILE COMMAND...: runs a command whose wall clock is off by as many
 * milliseconds as the first eight bytes of FILE say at the moment.  It works for static
 * programs too, which libfaketime cannot be loaded into: a tracer hides the vDSO, so that
 * each look at a clock is a system call, and changes what CLOCK_REALTIME gives.  No other
 * clock is touched, and nothing of the command's children.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* glibc's <sys/ptrace.h> and Linux's do not go together. */
long ptrace(int request, ...);

static const volatile int64_t *shift_ms;

static void die(const char *what)
{
	perror(what);
	exit(127);
}

static int get(pid_t pid, uint64_t at, void *out, size_t n)
{
	struct iovec here = { out, n }, there = { (void *)(uintptr_t)at, n };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)n ? 0 : -1;
}

/* The stack of a new program: argc, argv, 0, envp, 0, and pairs of which one names the
 * vDSO. */
static void hide_vdso(pid_t pid)
{
	struct ptrace_syscall_info info;
	uint64_t at, pair[2];

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		die("shiftclock: PTRACE_GET_SYSCALL_INFO");
	at = info.stack_pointer + 8;
	for (int lists = 0; lists < 2; at += 8) {
		if (get(pid, at, pair, 8) < 0)
			die("shiftclock: the stack");
		lists += pair[0] == 0;
	}
	for (; get(pid, at, pair, 16) == 0 && pair[0] != AT_NULL; at += 16)
		if (pair[0] == AT_SYSINFO_EHDR &&
		    ptrace(PTRACE_POKEDATA, pid, at, (long)AT_IGNORE) < 0)
			die("shiftclock: PTRACE_POKEDATA");
}

/* The result of clock_gettime() or gettimeofday(): seconds, then parts of a second. */
static void shift(pid_t pid, uint64_t at, int64_t parts_a_ms)
{
	int64_t t[2], parts;

	if (at == 0 || get(pid, at, t, sizeof(t)) < 0)
		return;
	parts = t[1] + *shift_ms % 1000 * parts_a_ms;
	t[0] += *shift_ms / 1000 + (parts >= 1000 * parts_a_ms) - (parts < 0);
	t[1] = (parts + 1000 * parts_a_ms) % (1000 * parts_a_ms);
	ptrace(PTRACE_POKEDATA, pid, at, (long)t[0]);
	ptrace(PTRACE_POKEDATA, pid, at + 8, (long)t[1]);
}

#ifdef SYS_time /* on x86, where the result stands in a register */
static void shift_time(pid_t pid, int64_t seconds, uint64_t at)
{
	ptrace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), (long)seconds);
	if (at != 0)
		ptrace(PTRACE_POKEDATA, pid, at, (long)seconds);
}
#endif

static void see_call(pid_t pid)
{
	static struct ptrace_syscall_info entry;
	struct ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		entry = info;
	if (info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.is_error)
		return;
	if (entry.entry.nr == SYS_clock_gettime &&
	    (entry.entry.args[0] == CLOCK_REALTIME ||
	     entry.entry.args[0] == CLOCK_REALTIME_COARSE))
		shift(pid, entry.entry.args[1], 1000000);
	else if (entry.entry.nr == SYS_gettimeofday)
		shift(pid, entry.entry.args[0], 1000);
#ifdef SYS_time
	else if (entry.entry.nr == SYS_time)
		shift_time(pid, info.exit.rval + *shift_ms / 1000, entry.entry.args[0]);
#endif
}

/* Until the end of the process.  A signal goes on to it. */
static void trace(pid_t pid)
{
	int status, sig, event;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		sig = WSTOPSIG(status);
		event = status >> 16;
		if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
			ptrace(PTRACE_LISTEN, pid, 0L, 0L);
			continue;
		}
		if (event == PTRACE_EVENT_EXEC)
			hide_vdso(pid);
		else if (sig == (SIGTRAP | 0x80))
			see_call(pid);
		if (event != 0 || sig == (SIGTRAP | 0x80))
			sig = 0;
		ptrace(PTRACE_SYSCALL, pid, 0L, (long)sig);
	}
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, ready[2];
	pid_t pid = getpid(), child;

	if (fd < 0)
		die("shiftclock FILE COMMAND...");
	shift_ms = mmap(NULL, sizeof(*shift_ms), PROT_READ, MAP_SHARED, fd, 0);
	if (shift_ms == MAP_FAILED || pipe2(ready, O_CLOEXEC) < 0)
		die("shiftclock");
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	child = fork();
	if (child == 0) {
		if (fork() != 0)
			_exit(0);
		/* Nobody waits for the end of what the tracer holds open. */
		for (int i = 0; i < 2; i++)
			(void)dup2(fd, i);
		if (ptrace(PTRACE_SEIZE, pid, 0L,
			   (long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)) < 0)
			die("shiftclock: PTRACE_SEIZE");
		(void)!write(ready[1], "r", 1);
		(void)dup2(fd, 2);
		close(ready[1]);
		/* The process runs: the first stop that it makes is the one after exec.
		 */
		trace(pid);
		_exit(0);
	}
	close(ready[1]);
	waitpid(child, NULL, 0);
	if (read(ready[0], argv[1], 1) != 1)
		return 127; /* the tracer said why */
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
