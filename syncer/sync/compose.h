/*
 * compose.h: what templates and env files become in a sync.
 *
 * A template is a file of the set whose bytes come from other files of the same set:
 * those that are new and those that are carried forward.  It is made anew when its text,
 * or a version of what it takes, is another than the one that it was made from.  What
 * fails is judged by the table of fate.h, as for an object that the set needs.  Env files
 * are checked in the same way before the set is published, and written after that.
 */
#ifndef SYNC_COMPOSE_H
#define SYNC_COMPOSE_H

#include "config/templates.h"
#include "deliver/publish.h"
#include "report/incident.h"
#include "sync/failures.h"
#include "sync/fate.h"

/* What "object" of a manifest says of a template's file. */
#define COMPOSE_OBJECT "template"

/* A template in a sync. */
struct composed {
	const struct template_file *file;
	char *options;    /* they name the text of the template */
	char *version;    /* of all that it takes; NULL: something is missing */
	bool is_new;      /* bytes were made */
	struct buf bytes; /* unless the volume has them */
	struct staged staged;
	struct err err; /* why not, though they should */
	const struct fate_verdict *verdict;
};

struct composition {
	struct composed *items;
	size_t count;
	struct err held_by; /* why there may be no set; ERR_NONE: there may */
};

/*
 * Makes what has to be made, for a set that has the files of all objects already, and
 * adds its files; their bytes and strings stay the composition's.  facts: those of the
 * list. composition_done() the result.
 */
void compose_templates(struct composition *out, const struct templates *all,
		       struct publish *publish, const struct fate_facts *facts,
		       struct publish_file **files, size_t *count);
void composition_done(struct composition *c);

/* Reports what failed, and what works. */
void compose_report(const struct composition *c, bool has_files,
		    struct incidents *incidents, struct failures *failures, int64_t now);

/* Marks that nothing was asked of the templates: there is no set to make. */
void compose_hold(const struct templates *all, struct incidents *incidents);

/*
 * Writes the env files that differ from what the set on the volume makes of them, and
 * reports what failed; when it is a set of the list of the number.  They follow the
 * volume, whatever a sync came to, so that a restart mends them.  False: not all of them
 * are there as they should be.
 */
bool compose_write_env_files(const struct templates *all, const struct publish *publish,
			     uint64_t number, struct incidents *incidents,
			     struct failures *failures, int64_t now);

/* The templates of the list that the set on the volume remembers, when that is another
 * list than that of the number; else none.  templates_done() the result. */
struct templates compose_earlier(const struct publish *publish, uint64_t number);

/*
 * Removes the env files that the list of the set on the volume has and all, of the list
 * of the number, has not.  It comes right before that list's set is shown: after a crash
 * in between, the volume still remembers the earlier list, whose sync makes them anew.
 */
void compose_remove_env_files(const struct templates *all, const struct publish *publish,
			      uint64_t number);

#endif
