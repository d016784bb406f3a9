/*
 * fate.h: what becomes of an object's files at the end of a sync: one table.  Pure.
 *
 * A permanent failure of one object freezes that object only: its last good files are
 * carried forward and the others change.  A transient failure holds its vault: nothing of
 * that vault changes until all of its objects have answered.  A set is published only
 * when every object that it needs has bytes or files.
 */
#ifndef SYNC_FATE_H
#define SYNC_FATE_H

#include <stdbool.h>

#include "base/err.h"

enum fate {
	FATE_NEW,  /* its new bytes are published, or its files stay when they are of that
		      version */
	FATE_KEEP, /* its last good files are carried forward */
	FATE_KEEP_AS_IS, /* so are files that were made with other options than are asked
			    for now, or that another program changed or removed */
	FATE_GO,         /* its files leave the set */
	FATE_ABSENT,     /* it has no files, and the set is published without it */
	FATE_HOLD_SET,   /* no set is published without it */
};

/* How much the set needs an object. */
enum fate_need {
	FATE_REQUIRED,
	FATE_SELECTED, /* by a pattern, tags or a history: the objects that exist are
			  taken */
	FATE_OPTIONAL,
};

/* What the current set has of an object. */
enum fate_files {
	FATE_NO_FILES,
	FATE_OTHER_FILES,   /* made from it, with other options or another mode */
	FATE_ALTERED_FILES, /* as asked for, but another program changed or removed them
			     */
	FATE_GOOD_FILES,    /* as asked for, and as they were published */
};

struct fate_facts {
	enum err_kind error; /* ERR_NONE: it answered, or need not be asked */
	enum fate_need need;
	enum fate_files files;
	bool elsewhere; /* the current set has files of it at paths of another list */
	bool same_configuration; /* the current set was published for this list */
	bool first_set;          /* there is no current set */
	bool vault_held;         /* by a transient failure: fate_holds_vault() */
	bool gone;               /* absent for so long that its files may go */
};

/* The decision of the table, and what it means for the files, in words for the log. */
struct fate_verdict {
	enum fate fate;
	const char *reason;
};

/* The verdict is constant. */
const struct fate_verdict *fate_of(const struct fate_facts *facts);

/* The kind of a failure, as facts take it: that a vault refuses a token which the
 * identity was given concerns this vault only, as if it did not answer. */
enum err_kind fate_error(const struct err *err);

/* True for a failure that may pass before the next poll: it concerns the vault or the
 * identity, not the object. */
bool fate_is_transient(enum err_kind error);

/* True when the object's failure holds its vault.  Nothing waits for an optional object
 * that has no files, unless the identity is refused, which concerns all objects. */
bool fate_holds_vault(const struct fate_facts *facts);

/* True when no operator has to act on the failure: an optional object may be missing or
 * out of reach, and a selected one unreadable.  A mistake in the configuration and a
 * refused identity are never excused. */
bool fate_is_excused(enum err_kind error, enum fate_need need);

#endif
