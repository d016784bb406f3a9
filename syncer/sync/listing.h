/*
 * listing.h: an entry that stands for more than one version of one object: a history, or
 * all objects that match a pattern or tags.  Lists the vault, page by page, and makes the
 * tasks.
 *
 * A list of versions is sorted by their ids, and several may share one time of creation,
 * so the current version is asked for by itself.
 */
#ifndef SYNC_LISTING_H
#define SYNC_LISTING_H

#include <stdbool.h>

#include "sync/question.h"
#include "sync/task.h"

struct listing {
	struct listing *next;
	const struct object *object;
	struct source *source;
	char *words;
	char *url; /* of the page that is asked for */
	char *id;  /* with which the ids of its items begin */
	int pages;
	size_t bytes; /* of all pages so far */
	struct refusal_context asked;
	struct fetch_item item;
	struct vault_list found;
	struct question current; /* of a history: its current version */
	struct err err;          /* why the list is not complete */
	bool expanded;           /* its tasks have been made */
	size_t selected;         /* of a selection: how many objects of the vault match */
	size_t left_out;         /* how many of them have no part in the set */
	struct err left_out_why; /* of the first of them */
};

/* True for an entry that needs one. */
bool listing_is_needed(const struct object *object);

/* Starts asking: for the list of what the entry selects, or of the versions of its
 * object.  listing_free() the result. */
struct listing *listing_new(const struct object *object, struct source *source,
			    struct fetch *fetch);
void listing_free(struct listing *l);

/* Puts the versions of an object in order, the newest first; within one second the order
 * is arbitrary, but always the same. */
void listing_sort_versions(struct listing *l);

/* Asks for the next page; true when there is no more to wait for.  The fetch of its
 * source is then to be run once more. */
bool listing_is_done(struct listing *l);

/* Takes a task; one with an err only represents files on the volume.  False: there is no
 * place for further tasks of this list; they are only counted. */
typedef bool listing_add(void *arg, struct listing *l, struct task *task);

/* Makes the tasks, in the order of the objects' names: for what the list names, and for
 * what is on the volume but not in the list.  When the list is not complete, l->err says
 * why, and only the objects on the volume get tasks. */
void listing_expand(struct listing *l, struct publish *publish, listing_add *add,
		    void *arg);

/* The sync ends before the list is complete: l->err says so. */
void listing_cut(struct listing *l);

#endif
