/*
 * proposal.h: the set that a round proposes: made beside the current one, shown to the
 * prechecks, published or dropped.
 *
 *   collected → prepare → run (while the prechecks look at it) → publish
 */
#ifndef SYNC_PROPOSAL_H
#define SYNC_PROPOSAL_H

#include "sync/compose.h"
#include "sync/plan.h"
#include "sync/round_types.h"

struct proposal {
	/* What the round has collected. */
	struct publish_file *files; /* their strings and bytes are those of tasks
					and templates */
	size_t count;
	bool has_news;       /* some of them have new bytes */
	struct err held_by;  /* why there may be no set; ERR_NONE: there may */
	struct buf versions; /* "path@version,…" of what is new, for the log */
	struct buf gone;     /* "path,…" of what goes */
	struct composition composition; /* the files of templates */

	/* What became of it. */
	struct err failed; /* why the volume refuses it; ERR_NONE: it does not */
	bool is_prepared;  /* else nothing has to be written */
	enum publish_result result;
	struct precheck *precheck; /* NULL: none is concerned */
};

struct proposal proposal_empty(void);
void proposal_done(struct proposal *p);

/* Adds "path@version", or "path" where the version is NULL, as far as a line can hold. */
void proposal_name(struct buf *names, const char *path, const char *version);

/* Makes the set beside the current one, unless it is held or nothing would change, and
 * begins to ask the prechecks. */
void proposal_prepare(struct proposal *p, const struct round_work *work, int64_t now);

/* True: the prechecks have answered. */
bool proposal_run(struct proposal *p, int64_t now);
int64_t proposal_deadline(const struct proposal *p);

/* Publishes it, or says why not: in the log, as an incident, and in *failures, which
 * holds what failed at the vaults. */
enum round_outcome proposal_publish(struct proposal *p, const struct round_work *work,
				    const struct plan *plan, int64_t started, int64_t now,
				    struct failures *failures);

#endif
