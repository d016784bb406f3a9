#include "report/incident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* A failure that lasts is logged again once an hour, with its count, for people who read
 * only the last hour of the log. */
#define REMIND_MS (60 * 60 * 1000)
#define SLOTS_MIN 16

/* How a kind is logged.  "what" is the noun, the name, or both: noun 'name'. */
static const struct telling {
	const char *word;    /* the field "kind" */
	const char *noun;    /* NULL: the name says enough */
	const char *begins;  /* event */
	const char *ends;    /* event */
	const char *ended;   /* "WHAT …, after 3 " */
	const char *counted; /* what is counted, one of them */
	const char *had;     /* "WHAT is no longer asked for; it had … 3 times" */
} tellings[] = {
	[INCIDENT_OBJECT] = { "object", NULL, "failure", "recovered", "no longer fails",
			      "failure", "failed" },
	[INCIDENT_LIST] = { "list", NULL, "failure", "recovered", "no longer fails",
			    "failure", "failed" },
	[INCIDENT_LEFT_OUT] = { "left-out", NULL, "failure", "recovered",
				"has room for all its objects", "round",
				"left objects out" },
	[INCIDENT_VAULT] = { "vault", "vault", "failure", "recovered", "no longer fails",
			     "failure", "failed" },
	[INCIDENT_TOKEN_ENDPOINT] = { "token-endpoint", "token endpoint", "failure",
				      "recovered", "no longer fails", "failure",
				      "failed" },
	[INCIDENT_IDENTITY] = { "identity", "identity", "failure", "recovered",
				"no longer fails", "failure", "failed" },
	[INCIDENT_VOLUME] = { "volume", "publish", "failure", "recovered",
			      "no longer fails", "failure", "failed" },
	[INCIDENT_SET] = { "set", "set", "set-held", "set-released",
			   "is no longer held back", "round", "been held back" },
};

/* ---- finding ---- */

/* The slot that holds the incident's index, or an empty one for it: the table is never
 * full. */
static size_t *incident_slot(const struct incidents *all, enum incident_kind kind,
			     const char *name)
{
	size_t mask = all->slot_count - 1;
	size_t at = (text_hash(TEXT_HASH, name) + (size_t)kind) & mask;

	while (all->slots[at] != 0) {
		const struct incident *it = &all->items[all->slots[at] - 1];

		if (it->kind == kind && strcmp(it->name, name) == 0)
			break;
		at = (at + 1) & mask;
	}
	return &all->slots[at];
}

/* Enters all items anew, in a table that is at most half full with one more. */
static void incidents_index(struct incidents *all)
{
	size_t wanted = SLOTS_MIN;

	while (wanted < 2 * (all->count + 1))
		wanted *= 2;
	free(all->slots);
	all->slots = xcalloc(wanted, sizeof(*all->slots));
	all->slot_count = wanted;
	for (size_t i = 0; i < all->count; i++)
		*incident_slot(all, all->items[i].kind, all->items[i].name) = i + 1;
}

/* 1 + its index; 0: there is none. */
static size_t incident_find(const struct incidents *all, enum incident_kind kind,
			    const char *name)
{
	return all->count > 0 ? *incident_slot(all, kind, name ? name : "") : 0;
}

/* Takes the item over; returns 1 + its index. */
static size_t incident_add(struct incidents *all, struct incident item)
{
	if (all->slot_count < 2 * (all->count + 1))
		incidents_index(all);
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = item;
	*incident_slot(all, item.kind, item.name) = all->count;
	return all->count;
}

/* ---- marking ---- */

void incidents_begin(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->items[i].mark = INCIDENT_ABSENT;
}

static void incident_mark(struct incidents *all, enum incident_kind kind,
			  const char *name, enum incident_mark mark)
{
	size_t found = incident_find(all, kind, name);

	if (found > 0 && all->items[found - 1].mark < mark)
		all->items[found - 1].mark = mark;
}

void incidents_hold(struct incidents *all, enum incident_kind kind, const char *name)
{
	incident_mark(all, kind, name, INCIDENT_HELD);
}

void incidents_confirm(struct incidents *all, enum incident_kind kind, const char *name)
{
	incident_mark(all, kind, name, INCIDENT_CONFIRMED);
}

/* ---- logging ---- */

static char *incident_what(const struct incident *it)
{
	const char *noun = tellings[it->kind].noun;

	if (noun == NULL)
		return xstrdup(it->name);
	return it->name[0] ? xasprintf("%s '%s'", noun, it->name) : xstrdup(noun);
}

/* The failure of a vault names the object that was asked for first, which may be another
 * one each time: only the words behind "secret 'x': " say whether it is the same failure.
 */
static const char *cause_of(const char *msg)
{
	const char *colon = strstr(msg, "': ");

	return colon ? colon + 3 : msg;
}

static bool is_same_cause(const struct err *a, const struct err *b)
{
	return strcmp(cause_of(a->msg), cause_of(b->msg)) == 0;
}

void incidents_report(struct incidents *all, enum log_level level,
		      enum incident_kind kind, const char *name, const struct err *err,
		      const char *consequence, int64_t now)
{
	size_t found = incident_find(all, kind, name);
	const struct telling *tell = &tellings[kind];
	auto_free char *what = NULL;
	struct incident *it;
	bool is_news;

	if (found == 0)
		found = incident_add(all,
				     (struct incident){ .kind = kind,
							.name = xstrdup(name ? name : ""),
							.since = now });
	it = &all->items[found - 1];
	if (it->mark == INCIDENT_REPORTED)
		return;
	it->mark = INCIDENT_REPORTED;
	is_news = it->count == 0 || !is_same_cause(&it->err, err) ||
		  now - it->said >= REMIND_MS;
	it->count++;
	it->err = *err;
	if (!is_news)
		return;
	it->said = now;
	what = incident_what(it);
	log_event(level, tell->begins,
		  LOG_FIELDS(log_str("what", what), log_str("kind", tell->word),
			     log_str("consequence", consequence),
			     log_str("request", err->request),
			     log_int("failures", it->count)),
		  "%s", err->msg);
}

/* It works again, or nothing asks for it any more: two events, since they mean different
 * things. */
static void say_end(const struct incident *it, int64_t now)
{
	const struct telling *tell = &tellings[it->kind];
	auto_free char *lasted = text_from_duration(now - it->since);
	auto_free char *what = incident_what(it);
	auto_free char *times =
		it->count == 1 ? xstrdup("once") : xasprintf("%d times", it->count);
	const struct log_field *fields =
		LOG_FIELDS(log_str("what", what), log_str("kind", tell->word),
			   log_int("failures", it->count), log_str("lasted", lasted));

	if (it->mark == INCIDENT_CONFIRMED)
		log_event(LOG_INFO, tell->ends, fields, "%s %s, after %d %s%s", what,
			  tell->ended, it->count, tell->counted,
			  it->count == 1 ? "" : "s");
	else
		log_event(LOG_INFO, "withdrawn", fields,
			  "%s is no longer asked for; it had %s %s", what, tell->had,
			  times);
}

void incidents_end(struct incidents *all, int64_t now)
{
	struct incidents open = { 0 };

	for (size_t i = 0; i < all->count; i++) {
		struct incident *it = &all->items[i];

		if (it->mark == INCIDENT_REPORTED || it->mark == INCIDENT_HELD) {
			incident_add(&open, *it);
			continue;
		}
		say_end(it, now);
		free(it->name);
	}
	free(all->items);
	free(all->slots);
	*all = open;
}

void incidents_done(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].name);
	free(all->items);
	free(all->slots);
	*all = (struct incidents){ 0 };
}
