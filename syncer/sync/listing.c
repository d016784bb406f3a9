#include "sync/listing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "report/state.h"

/*
 * Of one list.  A page of the service has 25 items of less than 1 KiB, or more with many
 * tags; it may be empty, but not page after page.  Far more than OBJECTS_MAX need not be
 * looked through for those that may be selected.
 */
#define PAGES_MAX (2 * OBJECTS_MAX)
#define ITEMS_MAX ((size_t)25 * OBJECTS_MAX)
#define BYTES_MAX ((size_t)16 * 1024 * OBJECTS_MAX)

bool listing_is_needed(const struct object *object)
{
	return object_selects(object) || object->history > 0;
}

static int listing_parse(void *arg, struct http_reply *reply, struct err *err)
{
	struct listing *l = arg;

	l->bytes += reply->body.len;
	return vault_list_parse(reply, &l->asked, l->source->vault.host, &l->found, err);
}

struct listing *listing_new(const struct object *object, struct source *source,
			    struct fetch *fetch)
{
	struct listing *l = xcalloc(1, sizeof(*l));
	auto_free char *words = object_words(object);

	l->object = object;
	l->source = source;
	l->words = object_selects(object) ? xasprintf("list of %s", words)
					  : xasprintf("versions of %s", words);
	l->url = object_selects(object) ? vault_list_url(source->vault.url, object->kind)
					: vault_versions_url(source->vault.url,
							     object->kind, object->name);
	l->id = object_selects(object)
			? vault_object_id(source->vault.url, object->kind, NULL)
			: vault_object_id(source->vault.url, object->kind, object->name);
	l->asked = (struct refusal_context){
		.kind = object->kind,
		.list = true,
		.client_id = identity_id(&source->shared->identity),
		.vault = source->vault.name,
		.id = source_id(source, l->id),
	};
	l->item = (struct fetch_item){ .url = l->url,
				       .purpose = state_request_words[REQUEST_LIST],
				       .words = l->words,
				       .parse = listing_parse,
				       .arg = l,
				       .max_bytes = VAULT_LIST_MAX_BYTES };
	fetch_add(fetch, &l->item);
	if (object->history > 0 && object->version == NULL)
		question_ask(&l->current, fetch, source, object->kind, object->name,
			     NULL);
	return l;
}

void listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	vault_list_done(&l->found);
	question_done(&l->current);
	free(l->words);
	free(l->url);
	free(l->id);
	free(l);
}

static bool listing_is_over(const struct fetch_item *item)
{
	return item->state == FETCH_NONE || item->state == FETCH_GOT ||
	       item->state == FETCH_FAILED;
}

/* Sets l->err when it has no end, or one that is too far away. */
static int listing_check_end(struct listing *l)
{
	if (l->found.count <= ITEMS_MAX && l->bytes <= BYTES_MAX &&
	    (l->found.next == NULL ||
	     (++l->pages < PAGES_MAX && strcmp(l->found.next, l->url) != 0)))
		return 0;
	err_set(&l->err, ERR_GARBLED, "%s: garbled reply: its pages have no end",
		l->words);
	return err_hint(&l->err,
			"it leads to itself, or has more than %d pages, %zu items or "
			"%zu MiB; of such a vault name the objects",
			PAGES_MAX, ITEMS_MAX, BYTES_MAX >> 20);
}

bool listing_is_done(struct listing *l)
{
	if (!listing_is_over(&l->item))
		return false;
	if (l->item.state == FETCH_FAILED)
		l->err = l->item.err;
	else if (l->err.kind == ERR_NONE && listing_check_end(l) == 0 &&
		 l->found.next != NULL) {
		free(l->url);
		l->item.url = l->url = l->found.next;
		l->found.next = NULL;
		fetch_again(&l->item);
		return false;
	}
	return listing_is_over(&l->current.item);
}

/* ---- a history ---- */

static int listing_by_age(const void *a, const void *b)
{
	const struct vault_listed *x = a, *y = b;

	if (x->created != y->created)
		return x->created > y->created ? -1 : 1;
	return strcmp(y->version, x->version);
}

void listing_sort_versions(struct listing *l)
{
	if (l->found.count > 0)
		qsort(l->found.items, l->found.count, sizeof(*l->found.items),
		      listing_by_age);
}

/* The versions of a history, newest first. */
struct history {
	const char **versions;
	size_t count;
};

static void history_add(struct history *h, const char *version)
{
	h->versions = xgrow(h->versions, h->count, sizeof(*h->versions));
	h->versions[h->count++] = version;
}

/* False when the list has a newer version than the current one: the two were read one
 * after the other, and a new version may have been made between them. */
static bool listing_leads(const struct vault_object *current,
			  const struct vault_list *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].enabled && found->items[i].created > current->created)
			return false;
	return true;
}

static int listing_find_versions(struct listing *l, struct history *h)
{
	const struct question *current = &l->current;
	const char *from = l->object->version;
	const char *first = current->item.state == FETCH_GOT &&
					    listing_leads(&current->got, &l->found)
				    ? current->got.version
				    : NULL;
	bool started = from == NULL;

	listing_sort_versions(l);
	if (first != NULL)
		history_add(h, first);
	for (size_t i = 0; i < l->found.count; i++) {
		const struct vault_listed *item = &l->found.items[i];

		started |= from != NULL && text_same(item->version, from);
		if (started && item->enabled &&
		    (first == NULL || !text_same(item->version, first)))
			history_add(h, item->version);
	}
	if (from != NULL && (h->count == 0 || !text_same(h->versions[0], from)))
		return err_set(&l->err, ERR_NOTFOUND,
			       "%s: version %.32s does not exist or is disabled",
			       l->words, from);
	return 0;
}

/* A current version that is disabled leaves the older ones. */
static int listing_check_current(struct listing *l)
{
	const struct fetch_item *item = &l->current.item;
	bool any = false;

	if (l->err.kind != ERR_NONE)
		return -1;
	for (size_t i = 0; i < l->found.count; i++)
		any |= l->found.items[i].enabled;
	if (item->state != FETCH_FAILED)
		return 0;
	if (any && (item->err.kind == ERR_DENIED || item->err.kind == ERR_NOTFOUND))
		return 0;
	l->err = item->err;
	return -1;
}

static struct task *listing_version_task(const struct listing *l, struct publish *publish,
					 size_t i, const char *version)
{
	auto_free char *path = xasprintf("%s/%zu", l->object->path, i);
	struct task *t =
		task_new(l->object, l->source, publish, l->object->name, path, version);

	/* A history may be shorter, but not empty. */
	if (i > 0 && t->need == FATE_REQUIRED)
		t->need = FATE_SELECTED;
	return t;
}

/* Adds the versions that are on the volume, from index first on.  The version with index
 * 0 is added even if it is not there, when no other task represents the failure. */
static void listing_expand_rest(struct listing *l, struct publish *publish, size_t first,
				bool may_go, const struct err *why, listing_add *add,
				void *arg)
{
	for (size_t i = first; i < (size_t)l->object->history; i++) {
		struct task *t = listing_version_task(l, publish, i, NULL);

		if (task_files_on_volume(t) == FATE_NO_FILES && (i > 0 || may_go)) {
			task_free(t);
			continue;
		}
		t->err = *why;
		if (may_go && t->need == FATE_REQUIRED)
			t->need = FATE_SELECTED;
		add(arg, l, t);
	}
}

static void listing_expand_history(struct listing *l, struct publish *publish,
				   listing_add *add, void *arg)
{
	struct history h = { 0 };
	struct err gone;

	if (listing_check_current(l) < 0 || listing_find_versions(l, &h) < 0) {
		free(h.versions);
		listing_expand_rest(l, publish, 0, false, &l->err, add, arg);
		return;
	}
	if (h.count > (size_t)l->object->history)
		h.count = (size_t)l->object->history;
	for (size_t i = 0; i < h.count; i++) {
		struct task *t = listing_version_task(l, publish, i, h.versions[i]);

		if (l->current.item.state == FETCH_GOT &&
		    text_same(l->current.got.version, h.versions[i]) &&
		    t->object->password_object == NULL)
			task_take(t, &l->current.got);
		add(arg, l, t);
	}
	vault_object_forget(&l->current.got);
	err_set(&gone, ERR_NOTFOUND, "%s: there are %zu now", l->words, h.count);
	listing_expand_rest(l, publish, h.count, h.count > 0, &gone, add, arg);
	free(h.versions);
}

/* ---- a selection ---- */

static struct task *listing_selected_task(const struct listing *l,
					  struct publish *publish, const char *name)
{
	const char *folder = l->object->path;
	auto_free char *path =
		xasprintf("%s%s%s", folder ? folder : "", folder ? "/" : "", name);

	return task_new(l->object, l->source, publish, name, path, NULL);
}

static int listing_by_name(const void *a, const void *b)
{
	const struct vault_listed *x = a, *y = b;
	int order = strcasecmp(x->name, y->name);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static int listing_compare_name(const void *name, const void *item)
{
	const struct vault_listed *listed = item;

	return strcasecmp(name, listed->name);
}

/* The items are in the order of their names. */
static bool listing_is_listed(const struct listing *l, const char *name)
{
	const struct vault_listed *item =
		l->found.count == 0
			? NULL
			: bsearch(name, l->found.items, l->found.count,
				  sizeof(*l->found.items), listing_compare_name);

	return item != NULL &&
	       object_matches(l->object, item->name, item->tags, item->tag_count);
}

/* Files on the volume that this entry selected earlier, whatever their options, and that
 * the list, if there is one, does not name. */
static void listing_expand_selected_before(struct listing *l, struct publish *publish,
					   const struct err *why, listing_add *add,
					   void *arg)
{
	auto_free char *prefix =
		vault_object_id(l->source->vault.url, l->object->kind, "");
	const struct manifest_entry *e;
	enum publish_state state;

	for (size_t i = 0; (e = publish_entry(publish, i, &state)) != NULL; i++) {
		const char *name = e->object + strlen(prefix);
		struct task *t;

		if (!text_starts(e->object, prefix) ||
		    !task_was_selected(l->object, e->options) ||
		    (l->err.kind == ERR_NONE && listing_is_listed(l, name)))
			continue;
		t = listing_selected_task(l, publish, name);
		if (t->files[0].entry == NULL || strcmp(t->files[0].path, e->path) != 0) {
			task_free(t);
			continue;
		}
		t->err = *why;
		t->is_gone = l->err.kind == ERR_NONE;
		add(arg, l, t);
	}
}

static void listing_expand_listed(struct listing *l, struct publish *publish,
				  listing_add *add, void *arg)
{
	bool has_room = true;

	for (size_t i = 0; i < l->found.count; i++) {
		const struct vault_listed *item = &l->found.items[i];
		struct task *t;

		if (!object_matches(l->object, item->name, item->tags, item->tag_count))
			continue;
		l->selected++;
		if (!has_room) {
			l->left_out++;
			continue;
		}
		t = listing_selected_task(l, publish, item->name);
		if (!item->enabled)
			err_set(&t->err, ERR_DENIED, "%s: it is disabled", t->words);
		has_room = add(arg, l, t);
	}
}

static void listing_expand_selection(struct listing *l, struct publish *publish,
				     listing_add *add, void *arg)
{
	struct err gone;

	if (l->err.kind != ERR_NONE) {
		listing_expand_selected_before(l, publish, &l->err, add, arg);
		return;
	}
	if (l->found.count > 0)
		qsort(l->found.items, l->found.count, sizeof(*l->found.items),
		      listing_by_name);
	listing_expand_listed(l, publish, add, arg);
	err_set(&gone, ERR_NOTFOUND, "%s: it no longer names the object", l->words);
	listing_expand_selected_before(l, publish, &gone, add, arg);
}

void listing_expand(struct listing *l, struct publish *publish, listing_add *add,
		    void *arg)
{
	l->expanded = true;
	if (object_selects(l->object))
		listing_expand_selection(l, publish, add, arg);
	else
		listing_expand_history(l, publish, add, arg);
}

void listing_cut(struct listing *l)
{
	if (l->item.state == FETCH_FAILED)
		l->err = l->item.err;
	else if (l->err.kind == ERR_NONE)
		err_set(&l->err, ERR_UNAVAILABLE, "%s: no answer in time", l->words);
}
