#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * The kernel's interface, as Documentation/userspace-api/landlock.rst has it.  It stands
 * here since the headers of a build may be older than the kernel that runs it.
 */
#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE 445
#define SYS_RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define BIT(n) (UINT64_C(1) << (n))

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
};

/* How many rights of files an ABI knows, counted from the lowest bit. */
static const int fs_bits[] = { 0, 13, 14, 15, 15, 16 };

#define ABI_MAX 5

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access, port;
};

/* What of a use concerns a file, and what a directory alone. */
static const struct {
	uint64_t file, directory;
} uses[] = {
	[LANDLOCK_READ] = { FS_READ_FILE, FS_READ_DIR },
	[LANDLOCK_WRITE] = { FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE, 0 },
	[LANDLOCK_MAKE] = { FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE,
			    FS_READ_DIR | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
				    FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_SYM | FS_REFER },
};

void landlock_add_path(struct landlock_rules *r, enum landlock_use use, const char *path)
{
	r->paths = xgrow(r->paths, r->path_count, sizeof(*r->paths));
	r->paths[r->path_count++] =
		(struct landlock_path){ .path = xstrdup(path), .use = use };
}

void landlock_add_port(struct landlock_rules *r, uint16_t port)
{
	if (landlock_allows_port(r, port))
		return;
	r->ports = xgrow(r->ports, r->port_count, sizeof(*r->ports));
	r->ports[r->port_count++] = port;
}

void landlock_rules_done(struct landlock_rules *r)
{
	for (size_t i = 0; i < r->path_count; i++)
		free(r->paths[i].path);
	free(r->paths);
	free(r->ports);
	*r = (struct landlock_rules){ 0 };
}

bool landlock_allows_path(const struct landlock_rules *r,
			  const struct landlock_path *path)
{
	for (size_t i = 0; i < r->path_count; i++) {
		const struct landlock_path *rule = &r->paths[i];
		size_t len = strlen(rule->path);

		if (rule->use >= path->use && strncmp(rule->path, path->path, len) == 0 &&
		    (path->path[len] == '\0' || path->path[len] == '/'))
			return true;
	}
	return false;
}

bool landlock_allows_port(const struct landlock_rules *r, uint16_t port)
{
	for (size_t i = 0; i < r->port_count; i++)
		if (r->ports[i] == port)
			return true;
	return false;
}

int landlock_abi(const char **why)
{
	long abi = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	if (abi >= 1)
		return (int)abi;
	*why = errno == ENOSYS       ? "the kernel has none"
	       : errno == EOPNOTSUPP ? "it is switched off in the kernel"
				     : "it is not allowed in this container";
	return 0;
}

static int landlock_allow_path(int ruleset, const struct landlock_path *path,
			       uint64_t handled, struct err *err)
{
	auto_close int fd = open(path->path, O_PATH | O_CLOEXEC);
	struct path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	/* One that is not there needs no rule; without the rule of another one the
	 * process would lock itself out. */
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return err_set_errno(err, ERR_IO, "Landlock needs '%s'", path->path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	rule.allowed_access = uses[path->use].file;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= uses[path->use].directory;
	rule.allowed_access &= handled;
	/* EBADFD: it belongs to no file system, such as a pipe behind /dev/stderr, and
	 * is not bounded. */
	if (syscall(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 &&
	    errno != EBADFD)
		return err_set_errno(err, ERR_IO, "Landlock refuses a rule for '%s'",
				     path->path);
	return 0;
}

static int landlock_allow_port(int ruleset, uint16_t port, struct err *err)
{
	const struct net_port_attr rule = { NET_CONNECT_TCP, port };

	if (syscall(SYS_ADD_RULE, ruleset, RULE_NET_PORT, &rule, 0) < 0)
		return err_set_errno(err, ERR_IO, "Landlock refuses a rule for port %u",
				     port);
	return 0;
}

int landlock_enforce(const struct landlock_rules *r, int abi, struct err *err)
{
	int known = abi < ABI_MAX ? abi : ABI_MAX;
	const struct ruleset_attr attr = {
		.handled_access_fs = BIT(fs_bits[known]) - 1,
		.handled_access_net =
			known >= LANDLOCK_ABI_PORTS ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
	};
	/* A kernel refuses a longer structure than it knows. */
	size_t size = known >= LANDLOCK_ABI_PORTS ? sizeof(attr)
						  : sizeof(attr.handled_access_fs);
	auto_close int ruleset = (int)syscall(SYS_CREATE_RULESET, &attr, size, 0);

	if (ruleset < 0)
		return err_set_errno(err, ERR_IO, "Landlock makes no rules");
	for (size_t i = 0; i < r->path_count; i++)
		if (landlock_allow_path(ruleset, &r->paths[i], attr.handled_access_fs,
					err) < 0)
			return -1;
	for (size_t i = 0; i < r->port_count && attr.handled_access_net; i++)
		if (landlock_allow_port(ruleset, r->ports[i], err) < 0)
			return -1;
	if (syscall(SYS_RESTRICT_SELF, ruleset, 0) < 0)
		return err_set_errno(err, ERR_IO, "Landlock enforces no rules");
	return 0;
}
