/*
 * What the sandbox refuses and what it leaves: a child of the test enters it, tries each
 * act, and says with which error the kernel answered.
 *
 * Where this machine has no Landlock, or a newer one than the test needs, the rows that
 * need it are left out and said so.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/seccomp.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define PROTOCOL_MPTCP 262

/* The directory that the sandbox allows; beside it stands one that it does not. */
static char base[32];
static char inside[64], outside[64];
static uint16_t open_port, closed_port;

static const char *at(const char *dir, const char *name)
{
	static char paths[8][160];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

/* ---- acts: 0, or -1 and errno ---- */

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int try_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	result = connect(fd, (struct sockaddr *)&to, sizeof(to));
	close(fd);
	return result;
}

static int try_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : close(fd);
}

static void *in_thread(void *arg)
{
	return arg;
}

static int try_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, in_thread, NULL);
	return errno != 0 ? -1 : pthread_join(thread, NULL);
}

static int try_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

static int try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t) "/bin/true", NULL };

	return execve(argv[0], argv, argv + 1);
}

static int try_read_parent(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)getppid(), name);
	return try_open(path, O_RDONLY);
}

static int act_read(void)
{
	return try_open(at(inside, "file"), O_RDONLY);
}
static int act_write(void)
{
	return try_open(at(inside, "new"), O_WRONLY | O_CREAT);
}
static int act_mkdir(void)
{
	return mkdir(at(inside, "dir/below"), 0700);
}
static int act_symlink(void)
{
	return symlink("x", at(inside, "link"));
}
static int act_move(void)
{
	return rename(at(inside, "file"), at(inside, "dir/file"));
}
static int act_unlink(void)
{
	return unlink(at(inside, "dir/old"));
}
static int act_truncate(void)
{
	return truncate(at(inside, "file"), 0);
}
static int act_thread(void)
{
	return try_thread();
}
static int act_port(void)
{
	return try_connect(open_port);
}
static int act_udp(void)
{
	return try_socket(AF_INET6, SOCK_DGRAM);
}
static int act_unix(void)
{
	return try_socket(AF_UNIX, SOCK_STREAM);
}
static int act_comm(void)
{
	return try_read_parent("comm");
}

static int act_read_outside(void)
{
	return try_open(at(outside, "file"), O_RDONLY);
}
static int act_list_outside(void)
{
	return try_open(outside, O_RDONLY | O_DIRECTORY);
}
static int act_write_outside(void)
{
	return try_open(at(outside, "n"), O_WRONLY | O_CREAT);
}
static int act_passwd(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}
static int act_by_link(void)
{
	return try_open(at(inside, "out"), O_RDONLY);
}
static int act_move_out(void)
{
	return rename(at(inside, "file"), at(outside, "f"));
}
static int act_unlink_outside(void)
{
	return unlink(at(outside, "file"));
}
static int act_truncate_outside(void)
{
	return truncate(at(outside, "file"), 0);
}
static int act_fifo(void)
{
	return (int)syscall(SYS_mknodat, AT_FDCWD, at(inside, "fifo"), S_IFIFO | 0600, 0);
}
static int act_other_port(void)
{
	return try_connect(closed_port);
}
static int act_environ(void)
{
	return try_read_parent("environ");
}
static int act_mem(void)
{
	return try_read_parent("mem");
}
static int act_exec(void)
{
	return try_exec();
}
static int act_fork(void)
{
	return try_fork();
}
static int act_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static int act_mount(void)
{
	return mount("none", inside, "tmpfs", 0, NULL);
}
static int act_chroot(void)
{
	return chroot(inside);
}
static int act_unshare(void)
{
	return (int)syscall(SYS_unshare, 0x10000000);
}
static int act_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}
static int act_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}
static int act_perf(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
}
static int act_keyctl(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}
static int act_userfault(void)
{
	return (int)syscall(SYS_userfaultfd, 0);
}
static int act_memfd(void)
{
	return (int)syscall(SYS_memfd_create, "x", 0);
}
static int act_setuid(void)
{
	return setuid(getuid());
}
static int act_readv(void)
{
	return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}
static int act_execveat(void)
{
	return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0);
}
static int act_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return listen(fd, 1);
}
static int act_packet(void)
{
	return try_socket(AF_PACKET, SOCK_RAW);
}
static int act_vsock(void)
{
	return try_socket(AF_VSOCK, SOCK_STREAM);
}
static int act_alg(void)
{
	return try_socket(AF_ALG, SOCK_SEQPACKET);
}
/* To a server that knows only TCP it is TCP. */
static int act_mptcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(closed_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, PROTOCOL_MPTCP);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}
/* It connects without connect(). */
static int try_fast_open(int how)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(closed_port) };
	char byte = 0;
	struct iovec part = { &byte, 1 };
	struct mmsghdr all = { .msg_hdr = { .msg_name = &to,
					    .msg_namelen = sizeof(to),
					    .msg_iov = &part,
					    .msg_iovlen = 1 } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (how == 0)
		return (int)sendto(fd, &byte, 1, MSG_FASTOPEN, (struct sockaddr *)&to,
				   sizeof(to));
	return how == 1 ? (int)sendmsg(fd, &all.msg_hdr, MSG_FASTOPEN)
			: sendmmsg(fd, &all, 1, MSG_FASTOPEN);
}
static int act_fast_open(void)
{
	return try_fast_open(0);
}
static int act_fast_open_message(void)
{
	return try_fast_open(1);
}
static int act_fast_open_messages(void)
{
	return try_fast_open(2);
}
/* Another process of the same uid sends it: nothing was refused. */
static int act_signalled(void)
{
	return kill(getpid(), SIGSYS);
}
static int act_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return code == MAP_FAILED ? -1 : 0;
}
static int act_clone3(void)
{
	return (int)syscall(SYS_clone3, NULL, 0);
}

/* ---- the table ---- */

struct act {
	const char *name;
	int (*run)(void);
	int error;             /* that is expected; 0: it works */
	int abi;               /* of Landlock, from which on this is so; 0: of any */
	bool with_programs;    /* the same when the configuration runs programs */
	const char *refused;   /* the call that is told as refused; NULL: none */
	bool not_when_checked; /* a sanitizer needs it itself */
};

static const struct act acts[] = {
	{ .name = "read a file of the volume", .run = act_read },
	{ .name = "make a file there", .run = act_write },
	{ .name = "make a directory below", .run = act_mkdir },
	{ .name = "make a link", .run = act_symlink },
	{ .name = "move a file to another directory there", .run = act_move, .abi = 2 },
	{ .name = "remove a file", .run = act_unlink },
	{ .name = "cut a file", .run = act_truncate },
	{ .name = "start a thread", .run = act_thread, .not_when_checked = true },
	{ .name = "connect to a port of the configuration", .run = act_port },
	{ .name = "ask a name server", .run = act_udp },
	{ .name = "use a unix socket", .run = act_unix },
	{ .name = "read another process's name", .run = act_comm },
	{ .name = "get SIGSYS from another process", .run = act_signalled },

	{ .name = "read outside", .run = act_read_outside, .error = EACCES, .abi = 1 },
	{ .name = "list outside", .run = act_list_outside, .error = EACCES, .abi = 1 },
	{ .name = "write outside", .run = act_write_outside, .error = EACCES, .abi = 1 },
	{ .name = "read a file of the system",
	  .run = act_passwd,
	  .error = EACCES,
	  .abi = 1 },
	{ .name = "read outside by a link",
	  .run = act_by_link,
	  .error = EACCES,
	  .abi = 1 },
	{ .name = "move a file outside", .run = act_move_out, .error = EACCES, .abi = 2 },
	{ .name = "remove outside",
	  .run = act_unlink_outside,
	  .error = EACCES,
	  .abi = 1 },
	{ .name = "cut a file outside",
	  .run = act_truncate_outside,
	  .error = EACCES,
	  .abi = 3 },
	{ .name = "connect elsewhere", .run = act_other_port, .error = EACCES, .abi = 4 },
	{ .name = "read another process's environment",
	  .run = act_environ,
	  .error = EACCES,
	  .abi = 1 },
	{ .name = "read another process's memory",
	  .run = act_mem,
	  .error = EACCES,
	  .abi = 1 },
	{ .name = "make a pipe", .run = act_fifo, .error = EPERM, .refused = "mknodat" },
	{ .name = "run a program", .run = act_exec, .error = EPERM, .refused = "execve" },
	{ .name = "run a program by a descriptor",
	  .run = act_execveat,
	  .error = EPERM,
	  .refused = "execveat" },
	{ .name = "start a process",
	  .run = act_fork,
	  .error = EPERM,
	  .refused = "clone",
	  .not_when_checked = true },
	{ .name = "start a process the new way",
	  .run = act_clone3,
	  .error = ENOSYS,
	  .not_when_checked = true },
	{ .name = "take over a process",
	  .run = act_ptrace,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "ptrace",
	  .not_when_checked = true },
	{ .name = "mount",
	  .run = act_mount,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "mount" },
	{ .name = "change the root",
	  .run = act_chroot,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "chroot" },
	{ .name = "make a namespace",
	  .run = act_unshare,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "unshare" },
	{ .name = "load a BPF program",
	  .run = act_bpf,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "bpf" },
	{ .name = "use io_uring",
	  .run = act_uring,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "io_uring_setup" },
	{ .name = "measure the machine",
	  .run = act_perf,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "perf_event_open" },
	{ .name = "use the kernel's keys",
	  .run = act_keyctl,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "keyctl" },
	{ .name = "handle page faults",
	  .run = act_userfault,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "userfaultfd" },
	{ .name = "read a process's memory",
	  .run = act_readv,
	  .error = EPERM,
	  .with_programs = true,
	  .refused = "process_vm_readv" },
	{ .name = "make a file in memory",
	  .run = act_memfd,
	  .error = EPERM,
	  .refused = "memfd_create" },
	{ .name = "become another user",
	  .run = act_setuid,
	  .error = EPERM,
	  .refused = "setuid" },
	/* A libc of shared libraries may, for those that it loads later. */
	{
		.name = "map code",
		.run = act_code,
#ifndef __GLIBC__
		.error = EPERM,
		.refused = "mmap",
#endif
	},
	{ .name = "listen", .run = act_listen, .error = EPERM, .refused = "listen" },
	{ .name = "connect elsewhere by MPTCP",
	  .run = act_mptcp,
	  .error = EPROTONOSUPPORT },
	{ .name = "connect elsewhere by sending",
	  .run = act_fast_open,
	  .error = EOPNOTSUPP },
	{ .name = "connect elsewhere by sending a message",
	  .run = act_fast_open_message,
	  .error = EOPNOTSUPP },
	{ .name = "connect elsewhere by sending messages",
	  .run = act_fast_open_messages,
	  .error = EOPNOTSUPP },
	{ .name = "see raw packets", .run = act_packet, .error = EAFNOSUPPORT },
	{ .name = "reach the hypervisor", .run = act_vsock, .error = EAFNOSUPPORT },
	{ .name = "use the kernel's ciphers", .run = act_alg, .error = EAFNOSUPPORT },
};

/* ---- running them ---- */

struct outcome {
	int entered, error, abi;
	char refused[64];
};

static void make_files(void)
{
	const char *const files[] = { at(inside, "file"), at(inside, "dir/old"),
				      at(outside, "file") };

	mkdir(inside, 0700);
	mkdir(outside, 0700);
	mkdir(at(inside, "dir"), 0700);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(try_open(files[i], O_WRONLY | O_CREAT | O_TRUNC), 0);
	(void)!symlink(at(outside, "file"), at(inside, "out"));
}

static void remove_files(void)
{
	const char *const command = xasprintf("rm -rf %s/inside %s/outside", base, base);

	if (system(command) != 0)
		fail_msg("%s", command);
	free((char *)(uintptr_t)command);
}

static struct outcome run_act(const struct act *act, bool runs_programs)
{
	struct outcome *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome result;
	int status;
	pid_t pid;

	make_files();
	*shared = (struct outcome){ .error = -1 };
	pid = fork();
	if (pid == 0) {
		struct sandbox_needs needs = { .runs_programs = runs_programs };
		struct sandbox box;
		struct err err;

		landlock_add_path(&needs.rules, LANDLOCK_MAKE, inside);
		landlock_add_path(&needs.rules, LANDLOCK_READ, "/proc");
		landlock_add_port(&needs.rules, open_port);
		shared->entered = sandbox_enter(&box, SANDBOX_ON, &needs, &err);
		shared->abi = box.landlock_abi;
		errno = 0;
		shared->error = act->run() < 0 ? errno : 0;
		seccomp_refused(shared->refused, sizeof(shared->refused));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	check_int(act->name, WIFEXITED(status) ? 0 : WTERMSIG(status), 0);
	result = *shared;
	munmap(shared, sizeof(*shared));
	remove_files();
	return result;
}

static uint16_t listen_somewhere(void)
{
	struct sockaddr_in at_any = { .sin_family = AF_INET };
	socklen_t len = sizeof(at_any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at_any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at_any, len), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at_any, &len), 0);
	return ntohs(at_any.sin_port);
}

/* As in a pod: a process without capabilities, which may look into others of its uid. */
static void become_nobody(void)
{
	if (getuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
		fail_msg("cannot become another user");
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int prepare(void **state)
{
	(void)state;
	become_nobody();
	snprintf(base, sizeof(base), "/tmp/akvsync-sandbox-XXXXXX");
	if (mkdtemp(base) == NULL)
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", base);
	snprintf(outside, sizeof(outside), "%s/outside", base);
	open_port = listen_somewhere();
	closed_port = listen_somewhere();
	return 0;
}

static int clean(void **state)
{
	(void)state;
	return rmdir(base);
}

/* Before a process is in the sandbox, each act works, or fails for another reason. */
static void test_acts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		const struct act *act = &acts[i];
		struct outcome got;

		if (SANITIZED && act->not_when_checked)
			continue;
		got = run_act(act, false);
		check_int(act->name, got.entered, 0);
		if (got.abi < act->abi) {
			print_message("Landlock ABI %d: not tried: %s\n", got.abi,
				      act->name);
			continue;
		}
		check_int(act->name, got.error, act->error);
		check_text(act->name, got.refused, act->refused ? act->refused : "");
	}
}

static void test_acts_beside_programs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		const struct act *act = &acts[i];
		struct outcome got;

		if (!act->with_programs || (SANITIZED && act->not_when_checked))
			continue;
		got = run_act(act, true);
		check_int(act->name, got.error, act->error);
		check_text(act->name, got.refused, "");
		check_int(act->name, got.abi, 0);
	}
	check_int("a program runs",
		  run_act(&(struct act){ .name = "fork", .run = act_fork }, true).error,
		  0);
}

/* Rules that are not complete would lock the process out of its own files. */
static void test_no_descriptor_is_left(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct sandbox_needs needs = { 0 };
		struct sandbox box;
		struct rlimit few;
		struct err err;
		const char *why;
		int next = dup(STDIN_FILENO);

		/* One for the rules, and none for the path of a rule. */
		close(next);
		few = (struct rlimit){ (rlim_t)next + 1, (rlim_t)next + 1 };
		landlock_add_path(&needs.rules, LANDLOCK_READ, "/proc");
		if (landlock_abi(&why) == 0)
			_exit(0);
		setrlimit(RLIMIT_NOFILE, &few);
		if (sandbox_enter(&box, SANDBOX_ON, &needs, &err) < 0 ||
		    box.landlock_abi != 0 || strstr(box.text, "'/proc'") == NULL)
			_exit(1);
		_exit(sandbox_enter(&box, SANDBOX_REQUIRE, &needs, &err) < 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A termination log may be /dev/stderr.  No rule is needed for a pipe, and none is
 * possible. */
static void test_a_pipe_among_the_paths(void **state)
{
	const char *why;
	int ends[2], status;
	pid_t pid;

	(void)state;
	if (landlock_abi(&why) == 0)
		skip();
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		auto_free char *path = xasprintf("/proc/self/fd/%d", ends[1]);
		struct sandbox_needs needs = { 0 };
		struct sandbox box;
		struct err err;

		landlock_add_path(&needs.rules, LANDLOCK_WRITE, path);
		if (sandbox_enter(&box, SANDBOX_REQUIRE, &needs, &err) < 0)
			_exit(1);
		_exit(try_open(path, O_WRONLY) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ends[0]);
	close(ends[1]);
}

static void test_covers(void **state)
{
	static const struct {
		const char *path;
		enum landlock_use use;
		uint16_t port;
		bool runs_programs;
		int abi;
		bool seccomp;
		const char *err; /* NULL: it is covered */
	} rows[] = {
		{ "/a", LANDLOCK_MAKE, 0, false, 4, true, NULL },
		{ "/a/b", LANDLOCK_READ, 443, false, 4, true, NULL },
		{ "/ab", LANDLOCK_READ, 443, false, 4, true, "it uses '/ab'" },
		{ "/", LANDLOCK_READ, 443, false, 4, true, "it uses '/'" },
		{ "/r/x", LANDLOCK_READ, 443, false, 4, true, NULL },
		{ "/r/x", LANDLOCK_MAKE, 443, false, 4, true, "it uses '/r/x'" },
		{ "/r", LANDLOCK_READ, 444, false, 4, true, "it connects to port 444" },
		{ "/r", LANDLOCK_READ, 444, false, 3, true, NULL },
		{ "/x", LANDLOCK_MAKE, 444, false, 0, true, NULL },
		{ "/r", LANDLOCK_READ, 443, true, 4, true, "it runs a program" },
		{ "/r", LANDLOCK_READ, 443, true, 0, true, "it runs a program" },
		{ "/r", LANDLOCK_READ, 443, true, 4, false, "it runs a program" },
		{ "/r", LANDLOCK_READ, 443, true, 0, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("%zu", i);
		struct sandbox box = { .landlock_abi = rows[i].abi,
				       .seccomp = rows[i].seccomp };
		struct sandbox_needs has = { 0 }, wants = { 0 };
		struct err err;
		int got;

		landlock_add_path(&has.rules, LANDLOCK_MAKE, "/a");
		landlock_add_path(&has.rules, LANDLOCK_READ, "/r");
		landlock_add_port(&has.rules, 443);
		landlock_add_path(&wants.rules, rows[i].use, rows[i].path);
		if (rows[i].port)
			landlock_add_port(&wants.rules, rows[i].port);
		wants.runs_programs = rows[i].runs_programs;
		got = sandbox_covers(&box, &has, &wants, &err);
		if (rows[i].err != NULL)
			check_err(row, got, &err, ERR_CONFIG, rows[i].err);
		else
			check_ok(row, got, &err);
		sandbox_needs_done(&has);
		sandbox_needs_done(&wants);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_acts, prepare, clean),
		cmocka_unit_test_setup_teardown(test_acts_beside_programs, prepare,
						clean),
		cmocka_unit_test(test_no_descriptor_is_left),
		cmocka_unit_test(test_a_pipe_among_the_paths),
		cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
