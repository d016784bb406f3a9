/*
 * plan.h: what one sync asks for: a task for each object of the list and for each that an
 * entry selects, and the requests for them, one fetch for each vault.
 *
 * A path belongs to the first task that takes it: named objects come first, then
 * histories, then selections in the order of the list, whichever vault answers first.
 * Versions of one certificate, its key and its secret agree: when one was renewed between
 * two requests, the older ones are asked for again.
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/objects.h"
#include "deliver/publish.h"
#include "sync/choice.h"
#include "sync/extract.h"
#include "sync/holders.h"
#include "sync/listing.h"
#include "sync/source.h"
#include "sync/task.h"

struct plan {
	struct sources *sources;           /* with those of all objects */
	struct publish *publish;           /* NULL: no volume */
	const struct templates *templates; /* whose paths no selected object takes */
	struct fetch **fetches;            /* one a source, by its index */
	struct task *tasks, **tail;
	size_t task_count;
	struct choice *choices;   /* of tasks whose current version cannot be used */
	struct listing *listings; /* in the order in which they take their paths */
	struct holders paths;     /* of all tasks */
	int repeats;       /* how often versions that disagree were asked for again */
	bool has_more;     /* to render of what has come */
	bool is_rendering; /* all have answered */
	struct extract rendering;
};

/* Starts all requests; never fails at once.  All arguments outlive the plan. */
void plan_start(struct plan *p, struct sources *sources, const struct objects *objects,
		struct publish *publish, int64_t now);

/* When plan_run() is due though nothing came from the network. */
int64_t plan_deadline(const struct plan *p);

/* True when all objects have answered or failed for good, and what came is rendered, some
 * of it in each call: a key store takes many milliseconds, and between the calls others
 * have their turn. */
bool plan_run(struct plan *p, int64_t now);

/* Ends what is under way, which counts as failed, and renders the rest of what came, as
 * far as there is time: what is left over fails. */
void plan_end(struct plan *p);
void plan_free(struct plan *p);

#endif
