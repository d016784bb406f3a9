#include "deliver/publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "deliver/change.h"
#include "deliver/directory.h"
#include "deliver/links.h"
#include "deliver/lock.h"
#include "deliver/retired.h"
#include "deliver/staging.h"

/* Of sets that could not be removed; with so many, no new one is made. */
#define LEFTOVERS_MAX 4

/* A set that is being published; what was made for it is removed when that fails. */
struct attempt {
	enum publish_result result;
	struct changes changes;
	struct generation generation;
	char link[FILE_TEMP_LEN]; /* "" until it exists */
	char **names;             /* top-level links made for it */
	size_t name_count;
};

struct publish {
	char *dir;
	int dir_fd; /* also holds the lock */
	int64_t retain_ms;
	struct generation current;
	struct retired retired;
	struct attempt attempt;
	struct staging staging; /* of bytes for the next set */
	struct paths changed;   /* by the set of the last attempt */
	struct paths healed;    /* links that were made again */
	bool is_out_of_reach;   /* for readers */
};

const char *publish_generation(const struct publish *p)
{
	return p != NULL && p->current.name[0] ? p->current.name : NULL;
}

int64_t publish_made_ms(const struct publish *p)
{
	const char *name = publish_generation(p);

	return name != NULL ? generation_made_ms(name) : 0;
}

int publish_dir_fd(const struct publish *p)
{
	return p->dir_fd;
}

size_t publish_count(const struct publish *p)
{
	return p ? p->current.manifest.count : 0;
}

/* Which set is there.  "None" is believed only when the system says so: otherwise the
 * sweep would remove the set that readers use as an old one. */
static int read_current(struct publish *p, struct err *err)
{
	char target[2 * GENERATION_LEN] = "";
	ssize_t n = readlinkat(p->dir_fd, LINKS_DATA, target, sizeof(target) - 1);

	/* EINVAL: it is no link; publish_commit() reports that. */
	if (n < 0 && (errno == ENOENT || errno == EINVAL))
		return 0;
	if (n < 0)
		err_set_errno(err, ERR_IO, "cannot read link '" LINKS_DATA "'");
	else if (!generation_is_name(target) ||
		 generation_open(p->dir_fd, target, &p->current, err) == 0)
		return 0;
	err_wrap(err, "cannot read the current set of '%s'", p->dir);
	err_hint(err, "nothing was changed on the volume");
	err->kind = ERR_UNAVAILABLE;
	return -1;
}

/* ---- how readers reach it ---- */

static int reach(struct publish *p, struct err *err)
{
	int result = directory_check(p->dir_fd, p->dir, err);

	if (result == 0)
		result = links_mend(p->dir_fd, p->dir, &p->current, &p->healed, err);
	p->is_out_of_reach = result < 0;
	return result;
}

const struct paths *publish_healed(const struct publish *p)
{
	return &p->healed;
}

void publish_forget_healed(struct publish *p)
{
	paths_done(&p->healed);
}

/* ---- opening and closing ---- */

int publish_open(struct publish **out, const char *dir, int64_t retain_ms, int64_t now,
		 struct err *err)
{
	struct publish *p = xcalloc(1, sizeof(*p));
	struct err told_later;

	p->dir = xstrdup(dir);
	p->dir_fd = -1;
	p->current = GENERATION_NONE;
	p->attempt.generation = GENERATION_NONE;
	p->staging = STAGING_NONE;
	p->retain_ms = retain_ms;
	if (lock_directory(dir, &p->dir_fd, err) < 0 || read_current(p, err) < 0) {
		publish_close(p);
		return -1;
	}
	retired_sweep(&p->retired, p->dir_fd, &p->current, now + retain_ms);
	(void)!reach(p, &told_later); /* by publish_look() */
	*out = p;
	return 0;
}

void publish_close(struct publish *p)
{
	if (p == NULL)
		return;
	publish_abandon(p);
	paths_done(&p->changed);
	paths_done(&p->healed);
	generation_close(&p->current);
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	retired_done(&p->retired);
	free(p->dir);
	free(p);
}

/* ---- what is there ---- */

int publish_look(struct publish *p, struct err *err)
{
	if (generation_look(&p->current, p->dir_fd, err) == 0)
		return reach(p, err);
	err_wrap(err, "cannot look at the current set of '%s'", p->dir);
	err->kind = ERR_UNAVAILABLE; /* a lack of memory or descriptors passes */
	return -1;
}

const struct manifest_entry *publish_entry(const struct publish *p, size_t i,
					   enum publish_state *state)
{
	if (p == NULL || i >= p->current.manifest.count)
		return NULL;
	if (state != NULL)
		*state = p->current.states[i];
	return &p->current.manifest.items[i];
}

const struct manifest_entry *publish_at(const struct publish *p, const char *path,
					enum publish_state *state)
{
	const struct manifest_entry *e =
		p ? manifest_find(&p->current.manifest, path) : NULL;

	if (e != NULL && state != NULL)
		*state = p->current.states[e - p->current.manifest.items];
	return e;
}

const struct manifest_entry *publish_of_object(const struct publish *p,
					       const char *object, size_t i)
{
	return p ? manifest_of_object(&p->current.manifest, object, i) : NULL;
}

int publish_read(const struct publish *p, const char *path, struct buf *out,
		 struct err *err)
{
	enum publish_state state = PUBLISH_MISSING;

	if (publish_at(p, path, &state) == NULL)
		return err_set(err, ERR_IO, "is not in the set");
	if (state != PUBLISH_INTACT)
		return err_set(err, ERR_IO, "was changed or removed by another program");
	if (file_read(p->current.fd, path, out, err) < 0) {
		auto_free char *reason = xstrdup(err->msg);

		return err_set(err, ERR_IO, "could not be read: %s", reason);
	}
	return 0;
}

void publish_stage(struct publish *p, const char *path, mode_t mode, struct buf *bytes,
		   struct staged *out)
{
	*out = (struct staged){ 0 };
	if (p != NULL)
		staging_put(&p->staging, p->dir_fd, &p->current, path, mode, bytes, out);
}

void publish_unstage(struct publish *p, struct staged *staged)
{
	if (p != NULL)
		staging_drop(&p->staging, staged);
}

int publish_read_new(const struct publish *p, const struct publish_file *f,
		     struct buf *out, struct err *err)
{
	if (f->data != NULL)
		return buf_add(out, f->data, f->len, err);
	if (f->staged.state == STAGED_NOT)
		return publish_read(p, f->path, out, err);
	return staging_read(&p->staging, &p->current, f->path, &f->staged, out, err);
}

bool publish_is_whole(const struct publish *p)
{
	for (size_t i = 0; i < publish_count(p); i++)
		if (p->current.states[i] == PUBLISH_MISSING)
			return false;
	return p == NULL || !p->is_out_of_reach;
}

bool publish_is_first(const struct publish *p)
{
	return p != NULL && p->current.manifest.first;
}

bool publish_fits(const struct publish *p, uint64_t configuration)
{
	return p != NULL && p->current.known &&
	       p->current.manifest.configuration == configuration;
}

const char *publish_list(const struct publish *p)
{
	return p ? p->current.manifest.list : NULL;
}

/* ---- publishing ---- */

/* The links to the files that are there. */
static int make_names(const struct publish *p, const struct manifest *m,
		      const enum publish_state *states, struct attempt *a,
		      struct err *err)
{
	for (size_t i = 0; i < m->count; i++) {
		const char *path = m->items[i].path;
		auto_free char *name = xstrndup(path, strcspn(path, "/"));
		bool made = false;

		if (states[i] == PUBLISH_MISSING)
			continue;
		if (links_make(p->dir_fd, p->dir, name, &made, err) < 0)
			return -1;
		if (!made)
			continue;
		a->names = xgrow(a->names, a->name_count, sizeof(*a->names));
		a->names[a->name_count++] = name;
		name = NULL;
	}
	return 0;
}

static void attempt_done(struct attempt *a)
{
	for (size_t i = 0; i < a->name_count; i++)
		free(a->names[i]);
	free(a->names);
	changes_done(&a->changes);
	*a = (struct attempt){ .generation = GENERATION_NONE };
}

/* What was staged stays, for another attempt. */
static void attempt_abandon(struct publish *p)
{
	struct attempt *a = &p->attempt;
	char name[GENERATION_LEN];

	for (size_t i = 0; i < a->name_count; i++)
		(void)unlinkat(p->dir_fd, a->names[i], 0);
	if (a->link[0])
		(void)unlinkat(p->dir_fd, a->link, 0);
	if (!generation_remove(p->dir_fd, &a->generation, name))
		retired_add_failed(&p->retired, name);
	attempt_done(a);
}

static void drop_staged(struct publish *p)
{
	char name[FILE_TEMP_LEN];

	if (!staging_remove(&p->staging, p->dir_fd, name))
		retired_add_failed(&p->retired, name);
}

void publish_abandon(struct publish *p)
{
	attempt_abandon(p);
	drop_staged(p);
}

/* It failed, with this errno. */
static int give_up(struct publish *p, int cause, struct err *err)
{
	err_wrap(err, "cannot publish to '%s'", p->dir);
	directory_explain(err, cause);
	attempt_abandon(p);
	errno = cause;
	return -1;
}

/* Readers see the new set from here on. */
static void adopt(struct publish *p, struct attempt *a, int64_t now)
{
	/* The set is valid even if this fails. */
	(void)fsync(p->dir_fd);
	p->is_out_of_reach = false;
	if (p->current.name[0])
		retired_add(&p->retired, p->current.name, now + p->retain_ms);
	generation_close(&p->current);
	p->current = a->generation;
	a->generation = GENERATION_NONE;
	/* Also removes links of which only a manifest that is not known had the names. */
	links_sweep(p->dir_fd);
}

static int make_set(struct publish *p, const struct publish_set *set, struct attempt *a,
		    struct err *err)
{
	bool stays = false;

	if (retired_retry(&p->retired, p->dir_fd) >= LEFTOVERS_MAX) {
		errno = 0;
		return err_set(err, ERR_IO, "%d earlier sets cannot be removed",
			       LEFTOVERS_MAX);
	}
	if (directory_check(p->dir_fd, p->dir, err) < 0 ||
	    changes_find(&a->changes, &p->current, set, err) < 0 ||
	    changes_allow_stay(&a->changes, &p->current, &stays, err) < 0)
		return -1;
	a->result = stays                ? PUBLISH_UNCHANGED
		    : p->current.name[0] ? PUBLISH_REPLACED
					 : PUBLISH_FIRST;
	return stays ? 0
		     : changes_make(&a->changes, p->dir_fd, &p->current, &p->staging, set,
				    &a->generation, err);
}

int publish_prepare(struct publish *p, const struct publish_set *set,
		    enum publish_result *result, struct err *err)
{
	struct attempt *a = &p->attempt;

	attempt_abandon(p);
	if (make_set(p, set, a, err) < 0)
		return give_up(p, errno, err);
	*result = a->result;
	paths_done(&p->changed);
	p->changed = a->changes.changed;
	a->changes.changed = (struct paths){ 0 };
	return 0;
}

static int show_set(struct publish *p, struct attempt *a, int64_t now, struct err *err)
{
	const struct generation *g = &a->generation;

	if (make_names(p, &g->manifest, g->states, a, err) < 0 ||
	    links_swap(p->dir_fd, p->dir, g->name, a->link, err) < 0)
		return -1;
	adopt(p, a, now);
	return 0;
}

/* The current generation stays. */
static int revise_set(struct publish *p, struct attempt *a, struct err *err)
{
	struct changes *c = &a->changes;

	/* Another program may have removed a link that readers need to find the file. */
	if (make_names(p, &c->manifest, c->states, a, err) < 0)
		return -1;
	return generation_revise(&p->current, &c->manifest, &c->states, err);
}

int publish_finish(struct publish *p, int64_t now, struct err *err)
{
	struct attempt *a = &p->attempt;
	int done = a->result == PUBLISH_UNCHANGED ? revise_set(p, a, err)
						  : show_set(p, a, now, err);

	if (done < 0)
		return give_up(p, errno, err);
	attempt_done(a);
	drop_staged(p);
	return 0;
}

int publish_commit(struct publish *p, const struct publish_set *set, int64_t now,
		   enum publish_result *result, size_t *changed, struct err *err)
{
	enum publish_result became;

	if (publish_prepare(p, set, &became, err) < 0 || publish_finish(p, now, err) < 0)
		return -1;
	*result = became;
	*changed = p->changed.count;
	return 0;
}

const struct paths *publish_changed(const struct publish *p)
{
	return &p->changed;
}

const char *publish_prepared(const struct publish *p)
{
	return p->attempt.generation.name[0] ? p->attempt.generation.name : NULL;
}

/* ---- later ---- */

int64_t publish_deadline(const struct publish *p)
{
	return retired_deadline(&p->retired);
}

void publish_run(struct publish *p, int64_t now)
{
	retired_run(&p->retired, p->dir_fd, now);
}

const char *publish_advice(const struct publish *p, size_t i)
{
	return directory_advice(p->dir_fd, p->retain_ms, i);
}
