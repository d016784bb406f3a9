#include "sync/choice.h"

#include <stdlib.h>

#include "base/mem.h"

/* NULL: it can be used. */
static const char *choice_objection(enum object_choice choice, bool enabled,
				    int64_t not_before, int64_t expires, int64_t now_s)
{
	if (!enabled)
		return "disabled";
	if (choice != OBJECT_NEWEST_VALID)
		return NULL;
	if (not_before > now_s)
		return "not valid yet";
	return expires >= 0 && expires <= now_s ? "expired" : NULL;
}

bool choice_is_needed(struct task *t, int64_t now_s)
{
	const struct question *q = &t->value;

	if (t->object->choice == OBJECT_CURRENT || t->passed_over != NULL ||
	    t->err.kind != ERR_NONE)
		return false;
	if (q->item.state == FETCH_FAILED && q->item.err.disabled)
		t->passed_over = "disabled";
	else if (q->item.state == FETCH_GOT)
		t->passed_over =
			choice_objection(t->object->choice, !q->got.disabled,
					 q->got.not_before, q->got.expires, now_s);
	return t->passed_over != NULL;
}

struct choice *choice_new(struct task *t, struct fetch *fetch)
{
	struct choice *c = xcalloc(1, sizeof(*c));

	c->task = t;
	t->is_choosing = true;
	c->versions = listing_new(t->object, t->source, fetch);
	return c;
}

void choice_free(struct choice *c)
{
	listing_free(c->versions);
	free(c);
}

static void choice_fail(struct choice *c)
{
	struct task *t = c->task;

	c->made = true;
	t->err = c->versions->err;
	err_wrap(&t->err, "%s: its current version is %s, and no other one can be chosen",
		 t->words, t->passed_over);
}

static void choice_make(struct choice *c, int64_t now_s)
{
	const struct vault_list *found = &c->versions->found;
	struct task *t = c->task;
	size_t i = 0;

	c->made = true;
	listing_sort_versions(c->versions);
	while (i < found->count &&
	       choice_objection(t->object->choice, found->items[i].enabled,
				found->items[i].not_before, found->items[i].expires,
				now_s) != NULL)
		i++;
	if (i == found->count) {
		err_set(&t->err, ERR_DENIED,
			"%s of vault '%s': its current version is %s, and none of its "
			"%zu versions is enabled%s; enable one, or make a new one",
			t->words, t->source->vault.name, t->passed_over, found->count,
			t->object->choice == OBJECT_NEWEST_VALID ? " and valid now" : "");
		return;
	}
	t->version = xstrdup(found->items[i].version);
	t->is_choosing = false;
	question_change(&t->value, t->source, t->object->kind, t->name, t->version);
}

bool choice_run(struct choice *c, int64_t now_s)
{
	if (c->made)
		return true;
	if (!listing_is_done(c->versions))
		return false;
	if (c->versions->err.kind != ERR_NONE)
		choice_fail(c);
	else
		choice_make(c, now_s);
	return true;
}

void choice_cut(struct choice *c)
{
	if (c->made)
		return;
	listing_cut(c->versions);
	choice_fail(c);
}
