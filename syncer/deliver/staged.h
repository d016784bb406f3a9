/*
 * staged.h: where the new bytes of one file are until their set is made.  Types only;
 * staging.h puts them there.
 */
#ifndef DELIVER_STAGED_H
#define DELIVER_STAGED_H

#include <stdint.h>

enum staged_state {
	STAGED_NOT,  /* they are in memory */
	STAGED_SAME, /* the file of the current set has them */
	STAGED_FILE, /* a staged file has them */
};

/* {0}: in memory. */
struct staged {
	enum staged_state state;
	unsigned number; /* STAGED_FILE: which one */
	int64_t size;    /* of the file that has them, when that was seen */
	int64_t mtime_ns;
};

#endif
