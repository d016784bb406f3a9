/*
 * landlock.h: what of the file system and of the network this process may use, which the
 * kernel (Landlock, from 5.13 on) enforces until the process ends, and for each process
 * that it starts.  Files and connections that are open already stay usable.
 *
 * A kernel enforces what its ABI knows: 1 files; 2 links and renames across directories;
 * 3 truncation; 4 TCP ports; 5 devices' ioctl.  What it does not know is left out.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum landlock_use {
	LANDLOCK_READ,  /* a file, or what is below a directory */
	LANDLOCK_WRITE, /* an existing file */
	LANDLOCK_MAKE,  /* a directory, in which files, links and directories are made,
			   replaced and removed */
};

struct landlock_path {
	char *path;
	enum landlock_use use;
};

struct landlock_rules {
	struct landlock_path *paths;
	size_t path_count;
	uint16_t *ports; /* to which TCP may connect; binding and listening may not */
	size_t port_count;
};

/* From this ABI on ports are bounded, too. */
#define LANDLOCK_ABI_PORTS 4

/* A path that is not there later counts as none.  The path is copied. */
void landlock_add_path(struct landlock_rules *r, enum landlock_use use, const char *path);
void landlock_add_port(struct landlock_rules *r, uint16_t port);
void landlock_rules_done(struct landlock_rules *r);

/* Whether one of the rules allows this use of this path.  By their texts: no link is
 * followed. */
bool landlock_allows_path(const struct landlock_rules *r,
			  const struct landlock_path *path);
bool landlock_allows_port(const struct landlock_rules *r, uint16_t port);

/* The newest ABI that the kernel knows; 0: none, and *why says why. */
int landlock_abi(const char **why);

/* Enforces the rules.  ERR_IO: nothing is enforced. */
int landlock_enforce(const struct landlock_rules *r, int abi, struct err *err) MUST_CHECK;

#endif
