/*
 * desire.h: what the configuration asks for, and how a new wish takes the place of the
 * old.
 *
 * A changed file is checked as a whole; one with a mistake, or with a change that a
 * running process cannot make, is refused and the running configuration stays.  A list of
 * objects that passes takes over once its whole set is published; until then the old
 * list keeps its files fresh, so a new object that cannot be read, or has no room,
 * harms nothing.
 */
#ifndef RUN_DESIRE_H
#define RUN_DESIRE_H

#include <stdbool.h>

#include "config/configuration.h"
#include "deliver/notify.h"
#include "sync/round.h"

/* A list of objects, and which of them were not there in its rounds. */
struct wish {
	struct configuration *configuration; /* NULL: none */
	struct absences absences;
};

struct desire {
	const struct configuration *started; /* the caller's: paths and identity stay */
	struct wish running;                 /* configuration NULL: the started one */
	struct wish wanted;                  /* not adopted yet */
	struct incidents incidents;          /* of both */
	struct round_result held;            /* why not: its last round */
	int64_t pause_ms;                    /* before it is tried again */
	bool tries_wanted;                   /* the round under way is for it */
	bool keeps_old;                      /* the next round is for the running one */
	bool changed;                        /* the file is to be read again */
	struct watch *watch;
};

/* configuration must outlive it.  desire_done() later. */
void desire_init(struct desire *d, const struct configuration *configuration);
void desire_done(struct desire *d);

/* Starts to watch the file, if there is one. */
void desire_watch(struct desire *d, int64_t now);
int desire_fd(const struct desire *d);
int64_t desire_deadline(const struct desire *d);
void desire_take(struct desire *d, int64_t now);
/* Looks at the file whether or not an event came. */
void desire_look(struct desire *d, int64_t now);

/* True when a changed file waits for desire_reload(), between two rounds. */
bool desire_is_due(const struct desire *d);

/* The configuration whose settings hold, and the objects that are in force. */
const struct configuration *desire_configuration(const struct desire *d);
const struct objects *desire_objects(const struct desire *d);

/* Logs what of a SecretProviderClass has no meaning here. */
void desire_say(const struct desire *d);

/* Reads a changed file.  True: its settings hold from now on, and *notify has its
 * targets, the caller's. */
bool desire_reload(struct desire *d, struct sources *sources, struct jitter *jitter,
		   int dir_fd, struct notify **notify);

/* The work of the next round. */
struct round_work desire_work(struct desire *d, struct sources *sources,
			      struct publish *publish);

/* Takes note of a round's end.  True: the wanted objects cannot be published as a whole,
 * so a round for the running ones is due at once; the result of that one then also says
 * whether the wanted ones are worth a try before the next poll. */
bool desire_judge(struct desire *d, struct round_result *result, int64_t now);

#endif
