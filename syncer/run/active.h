/*
 * active.h: the active list of objects, whose files are kept up to date, and the next
 * list, which is to take its place.
 *
 * The active list is the one that the set on the volume was published for.  The volume
 * remembers it, so a restarted process begins with it and takes the configured list as a
 * change.  A changed file is checked as a whole; one with a mistake, or with a change
 * that a running process cannot make, is refused and nothing changes.  A list that passes
 * becomes active when its whole set is on the volume.  Until then each poll tries the
 * next list first and then syncs the active one.  So the files of the active list go on
 * changing while a new object cannot be read or has no room.
 *
 *              another list is read              the next list's set is on the volume
 *   ACTIVE_STEADY ----------------> ACTIVE_TRYING_NEXT ----------------> ACTIVE_STEADY
 *                                    |          ^
 *        the next list is held back  v          |  the active list has had its round
 *                                   ACTIVE_SERVING
 *
 * From each state, another list that is read leads to ACTIVE_TRYING_NEXT, and the active
 * list that is read again leads to ACTIVE_STEADY.  While the set of
 * the active list is not on the volume, it keeps no file up to date: a list that is read
 * becomes active at once.
 */
#ifndef RUN_ACTIVE_H
#define RUN_ACTIVE_H

#include <stdbool.h>

#include "config/configuration.h"
#include "deliver/notify.h"
#include "run/confine.h"
#include "sync/round.h"

enum active_state {
	ACTIVE_STEADY,      /* there is no next list */
	ACTIVE_TRYING_NEXT, /* the next round is for the next list */
	ACTIVE_SERVING, /* the next list waits: the next round is for the active one */
};

/* A list of objects, and which of them were absent in its rounds. */
struct active_list {
	struct configuration *configuration; /* that it was read with, when that was after
						the start; owned */
	struct objects remembered;     /* its objects, when they come from the volume */
	const struct objects *objects; /* of one of these or the start */
	uint64_t number;               /* objects_number() */
	char *text;                    /* objects_write() */
	struct absences absences;
};

struct active {
	enum active_state state;
	const struct confine *confine;       /* the caller's: what the process may use */
	const struct configuration *started; /* the caller's: paths and identity stay */
	struct active_list list, next;
	struct incidents incidents;  /* of both */
	struct failures next_failed; /* what failed in the next list's latest round */
	struct backoff pause; /* before it is tried again sooner than the next poll */
	bool file_changed;    /* the file is to be read again */
	struct templates
		refused; /* of the file that was read last, when it was refused */
	bool env_behind; /* an env file is not as the active list's set makes it */
};

/* The configured list is the active one.  configuration must outlive it. active_done()
 * later. */
void active_init(struct active *a, const struct configuration *configuration);
void active_done(struct active *a);

/* At the start of a sidecar: takes the list that the set on the volume was published for,
 * when the volume remembers it.  True: it is another than the configured one, which is
 * the next list now. */
bool active_remember(struct active *a, struct sources *sources,
		     const struct publish *publish);

/* The configuration that was read last and accepted, and its settings, which apply now.
 */
const struct configuration *active_configuration(const struct active *a);
const struct settings *active_settings(const struct active *a);

/* The configuration whose Secrets are written: that of the active list, since they are
 * made of its set; of a list that the volume remembers, the one that was read last. */
const struct configuration *active_mirrored(const struct active *a);

/* True when the set on the volume is one of the active list, none of its files is
 * missing and its env files are there: what "complete" means everywhere. */
bool active_is_complete(const struct active *a, const struct publish *publish);

/* Logs what of the configuration has no meaning here, and which entries were listed
 * before. */
void active_log_notes(const struct active *a);

/* The templates whose files are to be watched: those of the file that was read last, also
 * when it was refused, perhaps since one of them is not there yet. */
const struct templates *active_watched(const struct active *a);

/* Between two rounds: reads the file again when it has changed.  True: its settings apply
 * from now on, and *notify holds its targets, which the caller owns. */
bool active_reload(struct active *a, struct sources *sources,
		   const struct publish *publish, struct notify **notify);

/* What fails of a target that is not configured any more is no longer asked for. */
void active_withdraw_targets(struct active *a, const struct notify *notify, int64_t now);

/* The work of the next round. */
struct round_work active_work(struct active *a, struct sources *sources,
			      struct publish *publish, const struct notify *notify);

/* What notifying works with. */
struct act_host active_host(const struct settings *settings,
			    const struct sources *sources, const struct publish *publish);

/* Changes the state after a round.  True: the round was for the next list, whose set is
 * held back, so a round for the active list is due at once.  The result of that round
 * then also says whether the next list may work before the next poll. */
bool active_judge(struct active *a, struct round_result *result, struct jitter *jitter,
		  int64_t now);

#endif
