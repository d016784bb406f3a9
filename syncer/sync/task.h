/*
 * task.h: one version of one object on its way through a round: what is on the volume of
 * it, what is asked for, what came, and the files it becomes.
 */
#ifndef SYNC_TASK_H
#define SYNC_TASK_H

#include <stdbool.h>

#include "azure/vault.h"
#include "config/objects.h"
#include "deliver/publish.h"
#include "render/render.h"
#include "sync/fetch.h"

/* What a round asks a vault for, beside the fetch that does it: strings of a fetch_item.
 */
struct question {
	char *url, *words;
	struct refusal_context asked;
	struct fetch_item item; /* FETCH_NONE: not asked */
	struct vault_object got;
};

struct task {
	struct task *next;
	const struct object *object; /* the entry it comes from */
	struct source *source;
	char *name;    /* of the object */
	char *path;    /* of its files, before their suffixes */
	char *version; /* the one to get; NULL: the current one */
	char *id, *options, *words;
	struct render_how how;

	const char *on_disk; /* the version of all its files on the volume; NULL: none */
	const char *metadata_on_disk;
	bool kept; /* files of its paths were made from it, perhaps in another way */

	struct question value, password;
	char *fresh, *metadata_fresh; /* the versions of what came */
	bool rendered, told;          /* files, metadata hold new bytes */
	struct render_files files;
	struct buf metadata;
	struct err err; /* why it has no new bytes, though it should */
	bool may_go;    /* a list that should name it, does not */
};

/*
 * A task for an object of the entry.  version: NULL for the current one.  Looks at the
 * volume.  task_free() the result.
 */
struct task *task_new(const struct object *object, struct source *source,
		      const struct publish *publish, const char *name, const char *path,
		      const char *version);
void task_free(struct task *t);

/* How an entry's objects are rendered, and the name of these options on the volume; the
 * caller frees. */
struct render_how task_how(const struct object *object);
char *task_options(const struct object *object);

/* True when its version is pinned and all its files are on the volume: nothing to ask. */
bool task_is_settled(const struct task *t);

/* True when it may go, or not come at all: its object is optional or was selected. */
bool task_is_optional(const struct task *t);

/* Asks for what it needs. */
void task_ask(struct task *t, struct fetch *fetch);

/* Takes over an answer to the same question. */
void task_take(struct task *t, struct vault_object *got);

/* Renders what came, or keeps the reason why nothing did. */
void task_settle(struct task *t);

/* Adds its files to a set: new bytes where use_new and there are some, else those on the
 * volume.  False: it has neither, nothing was added. */
#define TASK_FILES_MAX (RENDER_FILES_MAX + 1)
bool task_files(const struct task *t, bool use_new,
		struct publish_file files[TASK_FILES_MAX], size_t *count);

/* What its file i on the volume was made from, if from this object, in whatever way. */
const struct manifest_entry *task_kept(const struct task *t,
				       const struct publish *publish, size_t i);

/* Its file i without the volume: the path, caller frees; NULL behind the last. */
char *task_path(const struct task *t, size_t i);

/* Shared with listings: builds and frees a question, and asks it. */
void question_ask(struct question *q, struct fetch *fetch, const struct source *source,
		  enum object_kind kind, const char *name, const char *version);
void question_done(struct question *q);

#endif
