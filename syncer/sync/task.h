/*
 * task.h: one version of one object on its way through a sync: its files on the volume,
 * the request for it, the answer, its new files, and its fate.
 */
#ifndef SYNC_TASK_H
#define SYNC_TASK_H

#include <stdbool.h>

#include "config/objects.h"
#include "deliver/publish.h"
#include "render/render.h"
#include "sync/fate.h"
#include "sync/question.h"

/* The options of path.json. */
#define TASK_METADATA_OPTIONS "metadata"

/* One file that a task makes, or that the volume has of its object. */
struct task_file {
	char *path;
	mode_t mode; /* that is asked for */
	const struct manifest_entry
		*entry; /* what the current set has at the path, when
			   it was made from this object; NULL: nothing */
	bool as_wanted; /* it was made with these options and this mode */
	bool intact;    /* and is as it was published */
	bool extracted; /* it is of a key that the value had: nobody else names the path
			 */
};

struct task {
	struct task *next;
	const struct object *object; /* the entry it comes from */
	struct source *source;
	char *name;    /* of the object */
	char *path;    /* what it is called by: the path of its files, before their
			  suffixes; of one without a file for the whole value that of
			  another file */
	char *base;    /* the path of its files, before their suffixes */
	char *version; /* the one to get; NULL: the current one */
	char *id, *words;
	char *selection; /* marks the options of files of an entry that selects; "": it
			    does not */
	struct render_how how;
	enum fate_need need;

	struct task_file *files;           /* path.json is the last, if asked for */
	size_t file_count, rendered_count; /* all, and those without path.json */
	const char *current;  /* the version that all its files but path.json have on the
				 volume, as they are wanted; NULL: none */
	const char *metadata; /* the same of path.json */

	const char *passed_over; /* why its current version is not the one to get:
				    "disabled"; NULL: it is, or one is pinned */
	struct question value, password;
	struct err err;   /* why it has no new bytes, though it should */
	bool is_late;     /* no time is left to render it */
	bool is_choosing; /* another version than the one that came may be asked for */
	bool is_rendered; /* what came, so that its values are gone */
	bool is_gone;     /* a complete list does not select it any more */
	char *new_version, *new_metadata_version; /* of what came */
	bool has_new_files, has_new_metadata;
	bool rotates; /* its files get another version than they have */
	struct render_files new_files;
	struct buf new_metadata;
	uint64_t made_bytes;     /* of all new files, in whole pages */
	struct publish *publish; /* takes their bytes; NULL: no volume, they stay here */
	struct staged *staged;   /* where those of the new files are, one a file */
	struct staged staged_metadata;

	const struct fate_verdict *verdict; /* set at the end of the sync */
};

/* A task for an object of the entry.  version: NULL for the current one.  Finds its files
 * on the volume; publish NULL: no volume.  task_free() the result. */
struct task *task_new(const struct object *object, struct source *source,
		      struct publish *publish, const char *name, const char *path,
		      const char *version);
void task_free(struct task *t);

/* True when a file of the current set, with these options, is of an object that the entry
 * selected, however it was rendered. */
bool task_was_selected(const struct object *object, const char *options);

/* True when the answer for a version, NULL: the current one, can never change: it is
 * pinned, and neither metadata nor a password of another object is asked for. */
bool task_is_final(const struct object *object, const char *version);

/* True when everything that is asked for is on the volume and cannot change. */
bool task_needs_no_answer(const struct task *t);

/* Asks for what it needs. */
void task_ask(struct task *t, struct fetch *fetch);

/* The path and the mode of file i of those that it makes by what is known: when it was
 * rendered, with its extracted keys.  NULL behind the last. */
const char *task_path(const struct task *t, size_t i, mode_t *mode);

/* Takes over an answer to the same question. */
void task_take(struct task *t, struct vault_object *got);

/* Renders what came as soon as all that it is made of has come, so that few values are in
 * memory at a time: the new bytes go to the volume, the values are dropped.  False: there
 * is nothing to render yet, or it was done before. */
bool task_render_early(struct task *t);

/* Renders what came, unless that was done before, or keeps the reason why nothing did. */
void task_render(struct task *t);

/* Drops what came, and asks for it again. */
void task_repeat(struct task *t);

/* Takes back what was rendered, for the reason in t->err. */
void task_unrender(struct task *t);

/* Forgets a file of an extracted key on the volume: its path belongs to another task. */
void task_forget_file(struct task *t, size_t i);

/* What the current set has of its files. */
enum fate_files task_files_on_volume(const struct task *t);

#endif
