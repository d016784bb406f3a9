/*
 * faults.h: all that is wrong with the variables of CMD, collected so that one error says
 * it all.  Pure.
 */
#ifndef EXEC_FAULTS_H
#define EXEC_FAULTS_H

#include "base/buf.h"

/* {0} is none. */
struct faults {
	struct buf list; /* a JSON array of texts; those that it has no room for count
			    only */
	struct buf text; /* the same for people: "A: …; B: …" */
	struct err worst;
	size_t count;
};

/* Adds what is wrong with a variable; cause goes on after its name. */
void faults_add(struct faults *f, const char *variable, const struct err *cause);

/* One error for all of them, of the most actionable kind.  It is cut where an error ends,
 * which the list is not. */
int faults_error(const struct faults *f, struct err *err);

/* All of them as a JSON array, for a field of the log; "" for fewer than two, which an
 * error says as a whole. */
const char *faults_list(const struct faults *f);

/* Forgets them. */
void faults_done(struct faults *f);

#endif
