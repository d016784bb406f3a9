/*
 * model.h: what a volume must hold after each step of a random sequence, in a few plain
 * rules that know nothing of how the program works.  Include it once.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "unit.h"

#include <sys/types.h>

/* Five objects in two vaults: a, b and c, then d and e. */
#define NAMES 5
#define VAULTS 2

static const int model_vault[NAMES] = { 0, 0, 0, 1, 1 };

enum answer_kind { GIVES, DENIES, LACKS, GARBLES, IS_DOWN };

/* What the vault says of an object. */
struct model_object {
	enum answer_kind answer;
	int version; /* the vault's */
	int value;   /* its bytes: versions may have the same */
};

/* What the configuration asks for. */
struct model_entry {
	bool listed, optional;
	mode_t mode;
};

struct model_list {
	struct model_entry entries[NAMES];
};

enum model_state { IS_INTACT, IS_ALTERED, IS_MISSING };

/* A file of the set. */
struct model_file {
	bool there;
	int value; /* 0: what another program wrote */
	mode_t mode;
	enum model_state state;
};

struct model {
	struct model_object objects[NAMES];
	struct model_list wanted; /* configured */
	struct model_list active; /* that the set was published for */
	bool has_set;
	struct model_file files[NAMES];
	bool started; /* what the startup probe says */
	bool app_runs, name_is_mistyped;
	bool owed;            /* the app has not been notified of the newest set */
	bool may_be_repeated; /* a kill: it may be notified once more */
	bool is_unrecorded;   /* a call failed: likewise, until a notification is noted */
	bool may_go[NAMES];   /* absent for hours: its file may go, or stay */
};

static bool model_is_transient(const struct model_object *o)
{
	return o->answer == IS_DOWN;
}

static bool model_same_list(const struct model_list *a, const struct model_list *b)
{
	for (int i = 0; i < NAMES; i++) {
		const struct model_entry *x = &a->entries[i], *y = &b->entries[i];

		if (x->listed != y->listed ||
		    (x->listed && (x->optional != y->optional || x->mode != y->mode)))
			return false;
	}
	return true;
}

/* What a sync for a list makes of the files.  False: nothing, the set is held back. */
static bool model_sync(const struct model *m, const struct model_list *list,
		       struct model_file out[NAMES])
{
	bool same = m->has_set && model_same_list(list, &m->active);
	bool held[VAULTS] = { false, false };

	for (int i = 0; i < NAMES; i++)
		if (list->entries[i].listed && model_is_transient(&m->objects[i]) &&
		    (m->files[i].there || !list->entries[i].optional))
			held[model_vault[i]] = true;
	for (int i = 0; i < NAMES; i++) {
		const struct model_entry *e = &list->entries[i];
		const struct model_object *o = &m->objects[i];
		const struct model_file *f = &m->files[i];
		bool as_wanted = f->mode == e->mode && f->state == IS_INTACT;

		out[i] = (struct model_file){ 0 };
		if (!e->listed)
			continue;
		if (o->answer == GIVES && !held[model_vault[i]])
			out[i] =
				(struct model_file){ true, o->value, e->mode, IS_INTACT };
		else if (f->there && (as_wanted || same || e->optional))
			out[i] = *f;
		else if (f->there || !e->optional)
			return false;
	}
	return true;
}

/* Another name, other bytes or another mode for a reader.  A name counts also when its
 * file was removed by another program. */
static bool model_differs(const struct model_file a[NAMES],
			  const struct model_file b[NAMES])
{
	for (int i = 0; i < NAMES; i++) {
		bool x = a[i].state != IS_MISSING, y = b[i].state != IS_MISSING;

		if (a[i].there != b[i].there)
			return true;
		if (a[i].there && (x != y || (x && (a[i].value != b[i].value ||
						    a[i].mode != b[i].mode))))
			return true;
	}
	return false;
}

static bool model_is_whole(const struct model *m)
{
	for (int i = 0; i < NAMES; i++)
		if (m->files[i].there && m->files[i].state == IS_MISSING)
			return false;
	return m->has_set;
}

static void model_publish(struct model *m, const struct model_list *list,
			  const struct model_file files[NAMES])
{
	if (m->has_set && model_differs(m->files, files))
		m->owed = true;
	memcpy(m->files, files, sizeof(m->files));
	m->active = *list;
	m->has_set = true;
}

/* One poll: the wanted list first, and the active one when that is held back. */
static void model_poll(struct model *m)
{
	struct model_list active = m->active, wanted = m->wanted;
	struct model_file files[NAMES];

	if (model_sync(m, &wanted, files))
		model_publish(m, &wanted, files);
	else if (m->has_set && !model_same_list(&active, &wanted) &&
		 model_sync(m, &active, files))
		model_publish(m, &active, files);
	m->started |= model_is_whole(m);
}

/* True when the file may go after hours: its object is optional and the vault lacks it.
 */
static bool model_may_go(const struct model *m, int i)
{
	return m->active.entries[i].listed && m->active.entries[i].optional &&
	       m->objects[i].answer == LACKS && m->files[i].there;
}

/* Hours have passed.  Files of optional objects that the vault has lacked since then are
 * gone, but for one when no other is left: whichever the volume still has. */
static void model_forget(struct model *m, bool (*is_on_volume)(int i))
{
	bool others = false, kept = false;

	for (int i = 0; i < NAMES; i++) {
		if (m->active.entries[i].listed && model_is_transient(&m->objects[i]))
			return; /* nothing is counted */
		others |= m->files[i].there && !model_may_go(m, i);
	}
	for (int i = 0; i < NAMES; i++) {
		if (!model_may_go(m, i))
			continue;
		if (!others && !kept &&
		    (is_on_volume(i) || m->files[i].state == IS_MISSING)) {
			kept = true;
			continue;
		}
		m->owed = true;
		m->files[i] = (struct model_file){ 0 };
	}
}

#endif
