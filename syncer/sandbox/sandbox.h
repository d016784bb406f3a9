/*
 * sandbox.h: takes from this process what it does not need, for whoever may take the
 * process over: files, ports, other programs, and much of the kernel.
 *
 * Landlock bounds files and TCP ports, seccomp the calls of the kernel.  Where a machine
 * has one of them only, or none, that much is enforced, unless the sandbox is required.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "base/buf.h"
#include "sandbox/landlock.h"

enum sandbox_wish {
	SANDBOX_OFF,
	SANDBOX_ON,      /* as much as the machine can */
	SANDBOX_REQUIRE, /* all of it, but for what an older Landlock does not know */
};

/* What the process needs. */
struct sandbox_needs {
	struct landlock_rules rules;
	/* Programs run in the sandbox of the process that starts them.  What they need is
	 * not known, so files and ports are not bounded then. */
	bool runs_programs;
};

void sandbox_needs_done(struct sandbox_needs *needs);

#define SANDBOX_TEXT_LEN 256

struct sandbox {
	int landlock_abi; /* that is enforced; 0: none */
	bool seccomp;
	char text[SANDBOX_TEXT_LEN]; /* both, in words, and what is missing and why */
};

/* ERR_IO: it is required, and not to be had; the message names the fix. */
int sandbox_enter(struct sandbox *out, enum sandbox_wish wish,
		  const struct sandbox_needs *needs, struct err *err) MUST_CHECK;

/* Whether a process in such a sandbox, made for has, can do what wants needs.  ERR_CONFIG
 * names what it cannot. */
int sandbox_covers(const struct sandbox *s, const struct sandbox_needs *has,
		   const struct sandbox_needs *wants, struct err *err) MUST_CHECK;

#endif
