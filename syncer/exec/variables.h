/*
 * variables.h: the environment that CMD gets: which variables, from where, and what may
 * not be.  Pure: files are read by a function of the caller.
 *
 * It starts from the environment of this process.  A variable whose whole value is a
 * reference gets the content of a file; `--env` adds or replaces one; `--all` adds one
 * for each file that no variable of that name stands before.  Variables of akvsync and
 * those of an Azure identity are left out.
 */
#ifndef EXEC_VARIABLES_H
#define EXEC_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "crypto/digest.h"
#include "exec/faults.h"
#include "exec/volume.h"

/* What the command line asks for.  The strings stay the caller's. */
struct variables_rules {
	struct variables_wish {
		char *name;
		const char *reference;
	} * wishes; /* --env NAME=REF */
	size_t wish_count;
	bool all;           /* --all */
	const char *prefix; /* of the names that --all makes; "" for none */
	bool trim_newline;  /* --trim=newline */
	bool keep_identity; /* --keep-identity */
};

/* Whether a variable may have this name: letters, digits and '_', no digit first. */
bool variables_is_name(const char *name);

/* Appends the bytes of a file of the set.  ERR_NOTFOUND: it has none of this path. */
typedef int variables_read(void *arg, const char *path, struct buf *out, struct err *err);

/* The environment of CMD, and which values it was given. */
struct variables_made {
	char **env; /* as environ(7)'s; each value is wiped when it is freed */
	size_t count;
	struct variables_given {
		char *name;
		struct digest digest; /* of the value */
	} * given;                    /* in the order of the names */
	size_t given_count;
	struct buf skipped; /* "PATH (file 'path'), …": what --all never sets */
	struct buf partial; /* "A, B": a reference is a part of the value, which stays */
	struct faults faults; /* after a failure: all of them */
};

/*
 * Makes the environment.  files: all of the set, for --all and for hints; env is as
 * environ(7)'s.  ERR_CONFIG, ERR_NOTFOUND, ERR_IO: out->faults says all that is wrong,
 * err the same, cut to its size.  No message holds a value.  variables_done() either way.
 */
int variables_make(struct variables_made *out, char *const *env,
		   const struct variables_rules *rules, const struct volume_files *files,
		   variables_read *read, void *arg, const struct digest_key *key,
		   struct err *err) MUST_CHECK;

/* Wipes the values and forgets all but what was given. */
void variables_forget_values(struct variables_made *v);
void variables_done(struct variables_made *v);

/* Appends the names whose values differ, or that only one of both has: "A, B"; gives
 * their number. */
size_t variables_changed(const struct variables_made *before,
			 const struct variables_made *now, struct buf *names);

#endif
