/*
 * values.h: what CMD would be given by the newest set on the volume, compared with what
 * it was given.  Keeps names and digests, never a value.
 */
#ifndef EXEC_VALUES_H
#define EXEC_VALUES_H

#include "exec/variables.h"

struct values {
	/* The caller's. */
	const char *dir;
	char *const *env;
	const struct variables_rules *rules;

	struct digest_key key;
	struct variables_made given; /* to CMD */
	struct variables_made seen;  /* the newest, while they differ from these */
	char unusable[512];          /* what was told of a set that CMD cannot be given */
};

enum values_news {
	VALUES_AS_GIVEN, /* CMD has the newest values, or the newest set does not fit */
	VALUES_AS_SEEN,  /* they differ, and that was said before */
	VALUES_CHANGED,  /* they differ */
};

void values_init(struct values *v);
void values_done(struct values *v);

/* Makes the environment of CMD from the newest set.  The kinds of variables_make();
 * ERR_UNAVAILABLE: there is no set.  variables_done() either way. */
int values_make(const struct values *v, struct variables_made *out,
		struct err *err) MUST_CHECK;

/* CMD was given these, whose values have been forgotten.  Takes them over. */
void values_gave(struct values *v, struct variables_made *made);

/* CMD was told of the newest values, and counts as having them. */
void values_told(struct values *v);

/* Looks at the newest set.  One that CMD cannot be given, such as one without a file that
 * CMD has, is logged once and changes nothing. */
enum values_news values_look(struct values *v);

/* Appends the names of the variables that have changed: "A, B". */
void values_names(const struct values *v, struct buf *names);

/* What values_names() appends at most. */
#define VALUES_NAMES_MAX_BYTES (64 * 1024)

#endif
