#include "sandbox/seccomp.h"

#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/ucontext.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"

/* SYS_SECCOMP of the kernel's headers, which not every libc has. */
#define CODE_SECCOMP 1

#ifndef CLONE_THREAD
#define CLONE_THREAD 0x00010000
#endif

/* What also a program of the configuration does not need. */
static const char *const never[] = {
	"acct",
	"add_key",
	"adjtimex",
	"bpf",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"delete_module",
	"finit_module",
	"fsconfig",
	"fsmount",
	"fsopen",
	"fspick",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"modify_ldt",
	"mount",
	"mount_setattr",
	"move_mount",
	"name_to_handle_at",
	"nfsservctl",
	"open_by_handle_at",
	"open_tree",
	"perf_event_open",
	"pidfd_getfd",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"setns",
	"settimeofday",
	"swapoff",
	"swapon",
	"syslog",
	"umount",
	"umount2",
	"unshare",
	"userfaultfd",
	"vhangup",
};

/* What starts other programs, or makes this one another. */
static const char *const alone[] = {
	"chown",     "execve",      "execveat",    "fchown",        "fchownat",
	"fork",      "lchown",      "listen",      "memfd_create",  "memfd_secret",
	"mknod",     "mknodat",     "personality", "setdomainname", "setgid",
	"setgroups", "sethostname", "setregid",    "setresgid",     "setresuid",
	"setreuid",  "setuid",      "vfork",
};

/* ---- what was refused ---- */

static volatile sig_atomic_t seccomp_last = -1;

/* Makes the refused call fail with EPERM, and keeps its number.  A SIGSYS that another
 * process sends comes between any two instructions, whose registers are their own. */
static void seccomp_on_refusal(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)number;
	if (info->si_code != CODE_SECCOMP)
		return;
	seccomp_last = info->si_syscall;
#ifdef __aarch64__
	u->uc_mcontext.regs[0] = (unsigned long)-EPERM;
#else
	u->uc_mcontext.gregs[REG_RAX] = -EPERM;
#endif
}

void seccomp_refused(char *name, size_t size)
{
	static bool told[1024]; /* of each number */
	int last = seccomp_last;
	char *known;

	*name = '\0';
	seccomp_last = -1;
	if (last < 0 || ((size_t)last < ARRAY_LEN(told) && told[last]))
		return;
	if ((size_t)last < ARRAY_LEN(told))
		told[last] = true;
	known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, last);
	if (known != NULL)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "number %d", last);
	free(known);
}

/* ---- the filter ---- */

/* At its end a leak checker traces its own process, from a new one. */
#ifdef __SANITIZE_ADDRESS__
#define SECCOMP_CHECKED true
#else
#define SECCOMP_CHECKED false
#endif

/* A call that this machine or this libseccomp does not know cannot be made by name. */
static int seccomp_refuse(scmp_filter_ctx filter, uint32_t action,
			  const char *const *names, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);

		if (SECCOMP_CHECKED && strcmp(names[i], "ptrace") == 0)
			continue;
		if (call >= 0)
			result = seccomp_rule_add(filter, action, call, 0);
	}
	return result;
}

/* Landlock bounds the ports of TCP only: not those of MPTCP and SCTP. */
static int seccomp_refuse_protocols(scmp_filter_ctx filter)
{
	int result =
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
				 SCMP_SYS(socket), 1, SCMP_A2(SCMP_CMP_GT, IPPROTO_UDP));

	for (unsigned protocol = 1; protocol < IPPROTO_UDP && result == 0; protocol++)
		if (protocol != IPPROTO_TCP)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT),
						  SCMP_SYS(socket), 1,
						  SCMP_A2(SCMP_CMP_EQ, protocol));
	return result;
}

/* TCP Fast Open connects without connect(), which alone Landlock looks at.  Who finds it
 * missing, such as musl's resolver, uses connect(). */
static int seccomp_refuse_fast_open(scmp_filter_ctx filter)
{
	const struct {
		int call;
		unsigned flags; /* which argument has them */
	} calls[] = { { SCMP_SYS(sendto), 3 },
		      { SCMP_SYS(sendmsg), 2 },
		      { SCMP_SYS(sendmmsg), 3 } };
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP),
					  calls[i].call, 1,
					  SCMP_CMP(calls[i].flags, SCMP_CMP_MASKED_EQ,
						   MSG_FASTOPEN, MSG_FASTOPEN));
	return result;
}

/* Sockets to the network and within the machine, and what a resolver asks the kernel. */
static int seccomp_refuse_sockets(scmp_filter_ctx filter)
{
	int result =
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket),
				 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK));

	for (unsigned family = 0; family < AF_NETLINK && result == 0; family++)
		if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT),
						  SCMP_SYS(socket), 1,
						  SCMP_A0(SCMP_CMP_EQ, family));
	return result;
}

/* New processes, but not threads.  The flags of clone3() stand in memory, where a filter
 * cannot read them; who finds it missing uses clone(). */
static int seccomp_refuse_processes(scmp_filter_ctx filter)
{
	int result = seccomp_rule_add(filter, SCMP_ACT_TRAP, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

	return result < 0 ? result
			  : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
					     SCMP_SYS(clone3), 0);
}

/* Memory that becomes code.  With shared libraries the resolver loads some later. */
static int seccomp_refuse_code(scmp_filter_ctx filter)
{
#ifdef __GLIBC__
	(void)filter;
	return 0;
#else
	const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect),
			      SCMP_SYS(pkey_mprotect) };
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) && result == 0; i++)
		result = seccomp_rule_add(
			filter, SCMP_ACT_TRAP, calls[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	return result;
#endif
}

static int seccomp_fill(scmp_filter_ctx filter, bool runs_programs)
{
	/* A program has no handler of ours, and would be killed. */
	uint32_t action = runs_programs ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_TRAP;
	int result = seccomp_refuse(filter, action, never, ARRAY_LEN(never));

	if (result < 0 || runs_programs)
		return result;
	result = seccomp_refuse(filter, action, alone, ARRAY_LEN(alone));
	if (result == 0)
		result = seccomp_refuse_sockets(filter);
	if (result == 0)
		result = seccomp_refuse_protocols(filter);
	if (result == 0)
		result = seccomp_refuse_fast_open(filter);
	if (result == 0 && !SECCOMP_CHECKED)
		result = seccomp_refuse_processes(filter);
	return result == 0 ? seccomp_refuse_code(filter) : result;
}

int seccomp_enforce(bool runs_programs, struct err *err)
{
	const struct sigaction action = { .sa_sigaction = seccomp_on_refusal,
					  .sa_flags = SA_SIGINFO | SA_RESTART };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result = filter != NULL ? seccomp_fill(filter, runs_programs) : -ENOMEM;

	if (result == 0 && !runs_programs && sigaction(SIGSYS, &action, NULL) < 0)
		result = -errno;
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result == 0 ? 0 : err_set_errno(err, ERR_IO, "seccomp enforces no filter");
}
