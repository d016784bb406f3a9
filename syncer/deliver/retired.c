#include "deliver/retired.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/links.h"
#include "deliver/tree.h"

_Static_assert(FILE_TEMP_LEN <= GENERATION_LEN, "a temporary name can be kept");

/* Before a removal that failed is tried again. */
#define RETRY_MS 10000

void retired_add(struct retired *r, const char *name, int64_t remove_at)
{
	struct retired_one *one;

	r->items = xgrow(r->items, r->count, sizeof(*r->items));
	one = &r->items[r->count++];
	snprintf(one->name, sizeof(one->name), "%s", name);
	one->remove_at = remove_at;
	one->failed = false;
}

void retired_add_failed(struct retired *r, const char *name)
{
	retired_add(r, name, 0);
	r->items[r->count - 1].failed = true;
}

/* Removes those that are due; failed: only of those that failed before. */
static size_t retired_remove(struct retired *r, int dir_fd, int64_t now, bool failed)
{
	size_t kept = 0, left = 0;

	for (size_t i = 0; i < r->count; i++) {
		struct retired_one one = r->items[i];
		bool tries = failed ? one.failed : now >= one.remove_at;

		if (tries && tree_remove(dir_fd, one.name))
			continue;
		if (tries && !failed) {
			one.failed = true;
			one.remove_at = now + RETRY_MS;
		}
		left += one.failed;
		r->items[kept++] = one;
	}
	r->count = kept;
	return left;
}

size_t retired_retry(struct retired *r, int dir_fd)
{
	return retired_remove(r, dir_fd, 0, true);
}

int64_t retired_deadline(const struct retired *r)
{
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < r->count; i++)
		soonest = clock_sooner(soonest, r->items[i].remove_at);
	return soonest;
}

void retired_run(struct retired *r, int dir_fd, int64_t now)
{
	(void)retired_remove(r, dir_fd, now, false);
}

void retired_done(struct retired *r)
{
	free(r->items);
	*r = (struct retired){ 0 };
}

/* ---- what an earlier process left ---- */

struct sweep {
	struct retired *retired;
	const char *current;
	int64_t remove_at;
};

/* A name that is too long to be kept is not ours. */
static void sweep_half(const struct sweep *s, int dir_fd, const char *name)
{
	if (!tree_remove(dir_fd, name) && strlen(name) < GENERATION_LEN)
		retired_add_failed(s->retired, name);
}

static void sweep_generation(const struct sweep *s, int dir_fd, const char *name)
{
	auto_free char *manifest = xasprintf("%s/" MANIFEST_NAME, name);

	if (strcmp(name, s->current) == 0)
		return;
	/* The manifest is written last: a generation without one was never published. */
	if (faccessat(dir_fd, manifest, F_OK, 0) < 0 && errno == ENOENT)
		sweep_half(s, dir_fd, name);
	else
		retired_add(s->retired, name, s->remove_at);
}

static void sweep_entry(void *arg, int dir_fd, const char *name)
{
	if (text_starts(name, FILE_TEMP_PREFIX))
		sweep_half(arg, dir_fd, name);
	else if (generation_is_name(name))
		sweep_generation(arg, dir_fd, name);
	else
		links_sweep_one(dir_fd, name);
}

/* The temporary file of a manifest that was being replaced. */
static void sweep_temporary(void *arg, int dir_fd, const char *name)
{
	(void)arg;
	if (text_starts(name, FILE_TEMP_PREFIX))
		(void)unlinkat(dir_fd, name, 0);
}

void retired_sweep(struct retired *r, int dir_fd, const struct generation *current,
		   int64_t remove_at)
{
	struct sweep s = { r, current->name, remove_at };

	tree_each(dir_fd, sweep_entry, &s);
	if (current->fd >= 0)
		tree_each(current->fd, sweep_temporary, NULL);
}
