#include "report/incident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sorted.h"
#include "base/text.h"

/* A failure that lasts is logged again once an hour, with its count, for people who read
 * only the last hour of the log. */
#define REMIND_MS (60 * 60 * 1000)

/* How a kind is logged.  "what" is the noun, the name, or both: noun 'name'. */
static const struct telling {
	bool shared; /* any of several objects may be the one that it is reported for */
	const char *word;    /* the field "kind" */
	const char *noun;    /* NULL: the name says enough */
	const char *begins;  /* event */
	const char *ends;    /* event */
	const char *ended;   /* "WHAT …, after 3 " */
	const char *counted; /* what is counted, one of them */
	const char *had;     /* "WHAT is no longer asked for; it had … 3 times" */
	bool lasting;        /* it may last for months, and is not logged again */
	bool apart;          /* it is not reported in rounds */
	bool once;           /* nothing reports it again: incidents_end() logs it */
} tellings[] = {
	[INCIDENT_OBJECT] = { false, "object", NULL, "failure", "recovered",
			      "no longer fails", "failure", "failed" },
	[INCIDENT_VALIDITY] = { false, "validity", NULL, "not-valid", "valid", "is valid",
				"round", "not been valid", .lasting = true },
	[INCIDENT_LIST] = { false, "list", NULL, "failure", "recovered",
			    "no longer fails", "failure", "failed" },
	[INCIDENT_LEFT_OUT] = { false, "left-out", NULL, "failure", "recovered",
				"has room for all its objects", "round",
				"left objects out" },
	[INCIDENT_GONE] = { false, "gone", NULL, "failure", "recovered",
			    "has all objects that there are files of", "round",
			    "lacked objects" },
	[INCIDENT_TEMPLATE] = { false, "template", "template", "failure", "recovered",
				"no longer fails", "failure", "failed" },
	[INCIDENT_ENV_FILE] = { false, "env-file", "env file", "failure", "recovered",
				"no longer fails", "failure", "failed" },
	[INCIDENT_VAULT] = { true, "vault", "vault", "failure", "recovered",
			     "no longer fails", "failure", "failed" },
	[INCIDENT_TOKEN_ENDPOINT] = { true, "token-endpoint", "token endpoint", "failure",
				      "recovered", "no longer fails", "failure",
				      "failed" },
	[INCIDENT_IDENTITY] = { true, "identity", "identity", "failure", "recovered",
				"no longer fails", "failure", "failed" },
	[INCIDENT_VOLUME] = { false, "volume", "publish", "failure", "recovered",
			      "no longer fails", "failure", "failed" },
	[INCIDENT_SET] = { false, "set", "set", "set-held", "set-released",
			   "is no longer held back", "round", "been held back" },
	[INCIDENT_PRECHECK] = { false, "precheck", "precheck", "set-vetoed", "recovered",
				"lets the set be published", "round", "vetoed the set" },
	[INCIDENT_CONFIGURATION] = { false, "configuration", "configuration file",
				     "configuration-refused", "recovered", "is accepted",
				     "refusal", "been refused", .apart = true,
				     .once = true },
	[INCIDENT_NOTIFY] = { false, "notify", "notify", "notify-failed", "recovered",
			      "no longer fails", "failure", "failed", .apart = true },
	[INCIDENT_SECRET] = { false, "kubernetes-secret", "Secret", "failure",
			      "recovered", "no longer fails", "failure", "failed",
			      .apart = true },
};

/* ---- finding ---- */

struct incident_key {
	enum incident_kind kind;
	const char *name;
};

static int incident_compare(const void *key, const void *item)
{
	const struct incident_key *k = key;
	const struct incident *it = *(struct incident *const *)item;

	return k->kind != it->kind ? (int)k->kind - (int)it->kind
				   : strcmp(k->name, it->name);
}

/* Where the incident is, or belongs. */
static size_t incident_place(const struct incidents *all, enum incident_kind kind,
			     const char *name, bool *found)
{
	const struct incident_key key = { kind, name ? name : "" };

	return sorted_place(all->items, all->count, sizeof(struct incident *), &key,
			    incident_compare, found);
}

/* NULL: there is none. */
static struct incident *incident_find(const struct incidents *all,
				      enum incident_kind kind, const char *name)
{
	bool found;
	size_t at = incident_place(all, kind, name, &found);

	return found ? all->items[at] : NULL;
}

static struct incident *incident_add(struct incidents *all, enum incident_kind kind,
				     const char *name, int64_t now)
{
	struct incident *it = xcalloc(1, sizeof(*it));
	bool found;
	size_t at = incident_place(all, kind, name, &found);

	it->kind = kind;
	it->name = xstrdup(name ? name : "");
	it->since = now;
	all->items = sorted_open(all->items, all->count++, sizeof(struct incident *), at);
	all->items[at] = it;
	return it;
}

/* ---- marking ---- */

void incidents_begin(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->items[i]->mark = tellings[all->items[i]->kind].apart
					      ? INCIDENT_UNANSWERED
					      : INCIDENT_UNASKED;
}

static void incident_mark(const struct incidents *all, enum incident_kind kind,
			  const char *name, enum incident_mark mark)
{
	struct incident *it = incident_find(all, kind, name);

	if (it != NULL && it->mark < mark)
		it->mark = mark;
}

void incidents_hold(struct incidents *all, enum incident_kind kind, const char *name)
{
	incident_mark(all, kind, name, INCIDENT_UNANSWERED);
}

void incidents_confirm(struct incidents *all, enum incident_kind kind, const char *name)
{
	incident_mark(all, kind, name, INCIDENT_WORKS);
}

static void incident_mark_all(const struct incidents *all, enum incident_kind kind,
			      enum incident_mark mark)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i]->kind == kind && all->items[i]->mark < mark)
			all->items[i]->mark = mark;
}

void incidents_hold_all(struct incidents *all, enum incident_kind kind)
{
	incident_mark_all(all, kind, INCIDENT_UNANSWERED);
}

void incidents_confirm_all(struct incidents *all, enum incident_kind kind)
{
	incident_mark_all(all, kind, INCIDENT_WORKS);
}

/* ---- logging ---- */

static char *incident_what(const struct incident *it)
{
	const char *noun = tellings[it->kind].noun;

	if (noun == NULL)
		return xstrdup(it->name);
	return it->name[0] ? xasprintf("%s '%s'", noun, it->name) : xstrdup(noun);
}

/* A vault or an identity that fails is reported for whichever object came first: the
 * words behind "secret 'x': " tell whether it is the same failure. */
static const char *incident_cause(const struct incident *it, const char *msg)
{
	const char *colon = tellings[it->kind].shared ? strstr(msg, "': ") : NULL;

	return colon ? colon + 3 : msg;
}

/* How many processes there are, or which one it was, makes no other cause. */
static bool incident_same_but_numbers(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	do {
		a += strspn(a, digits);
		b += strspn(b, digits);
		if (*a != *b)
			return false;
	} while (*a++ != '\0' && *b++ != '\0');
	return true;
}

static bool incident_same_cause(const struct incident *it, const struct err *err)
{
	if (tellings[it->kind].apart)
		return incident_same_but_numbers(it->err.msg, err->msg);
	return strcmp(incident_cause(it, it->err.msg), incident_cause(it, err->msg)) == 0;
}

/* Worth a line: it is new, or has another cause or consequence, or was logged long ago.
 */
static bool incident_is_news(const struct incident *it, const struct err *err,
			     const char *consequence, int64_t now)
{
	return it->count == 0 ||
	       (now - it->said >= REMIND_MS && !tellings[it->kind].lasting) ||
	       (!tellings[it->kind].shared &&
		strcmp(it->consequence, consequence) != 0) ||
	       !incident_same_cause(it, err);
}

static void incident_log(const struct incident *it)
{
	auto_free char *what = incident_what(it);

	log_event(it->level, tellings[it->kind].begins,
		  LOG_FIELDS(log_str("what", what),
			     log_str("kind", tellings[it->kind].word),
			     log_str("consequence", it->consequence),
			     log_str("request", it->err.request),
			     log_int("failures", it->count)),
		  "%s", it->err.msg);
}

bool incidents_note(struct incidents *all, enum log_level level, enum incident_kind kind,
		    const char *name, const struct err *err, const char *consequence,
		    int64_t now)
{
	struct incident *it = incident_find(all, kind, name);
	bool is_news;

	if (it == NULL)
		it = incident_add(all, kind, name, now);
	if (it->mark == INCIDENT_FAILS && !tellings[kind].apart)
		return false;
	it->mark = INCIDENT_FAILS;
	is_news = incident_is_news(it, err, consequence ? consequence : "", now);
	it->count++;
	it->err = *err;
	it->level = level;
	it->consequence = consequence ? consequence : "";
	if (is_news)
		it->said = now;
	return is_news;
}

bool incidents_report(struct incidents *all, enum log_level level,
		      enum incident_kind kind, const char *name, const struct err *err,
		      const char *consequence, int64_t now)
{
	bool is_news = incidents_note(all, level, kind, name, err, consequence, now);

	if (is_news)
		incident_log(incident_find(all, kind, name));
	return is_news;
}

/* It works again, or nobody asks for it any more: the two are not the same news. */
static void incident_log_end(const struct incident *it, int64_t now)
{
	const struct telling *tell = &tellings[it->kind];
	auto_free char *lasted = text_from_duration(now - it->since);
	auto_free char *what = incident_what(it);
	auto_free char *times =
		it->count == 1 ? xstrdup("once") : xasprintf("%d times", it->count);
	const struct log_field *fields =
		LOG_FIELDS(log_str("what", what), log_str("kind", tell->word),
			   log_int("failures", it->count), log_str("lasted", lasted));

	if (it->mark == INCIDENT_WORKS)
		log_event(LOG_INFO, tell->ends, fields, "%s %s, after %d %s%s", what,
			  tell->ended, it->count, tell->counted,
			  it->count == 1 ? "" : "s");
	else
		log_event(LOG_INFO, "withdrawn", fields,
			  "%s is no longer asked for; it had %s %s", what, tell->had,
			  times);
}

static void incident_free(struct incident *it)
{
	free(it->name);
	free(it);
}

void incidents_end(struct incidents *all, int64_t now)
{
	size_t open = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct incident *it = all->items[i];

		if (it->mark == INCIDENT_FAILS || it->mark == INCIDENT_UNANSWERED) {
			if (tellings[it->kind].once && now - it->said >= REMIND_MS) {
				it->said = now;
				incident_log(it);
			}
			all->items[open++] = it;
			continue;
		}
		incident_log_end(it, now);
		incident_free(it);
	}
	all->count = open;
}

void incidents_close(struct incidents *all, enum incident_kind kind, const char *name,
		     bool works, int64_t now)
{
	bool found;
	size_t at = incident_place(all, kind, name, &found);
	struct incident *it;

	if (!found)
		return;
	it = all->items[at];
	it->mark = works ? INCIDENT_WORKS : INCIDENT_UNASKED;
	incident_log_end(it, now);
	incident_free(it);
	all->count--;
	memmove(all->items + at, all->items + at + 1,
		(all->count - at) * sizeof(all->items[0]));
}

/* ---- telling ---- */

const struct incident *incidents_get(const struct incidents *all, enum incident_kind kind,
				     const char *name)
{
	return incident_find(all, kind, name);
}

const char *incident_word(enum incident_kind kind)
{
	return tellings[kind].word;
}

const struct err *incidents_cause(const struct incidents *all, enum incident_kind kind,
				  const char *name)
{
	const struct incident *it = incident_find(all, kind, name);

	return it != NULL ? &it->err : NULL;
}

/* "3m", not "3m12s": a kubelet takes each other text for another event. */
static char *incident_age(int64_t ms)
{
	static const int64_t second_ms = 1000, minute_ms = 60000, hour_ms = 3600000;
	int64_t unit = ms >= hour_ms ? hour_ms : ms >= minute_ms ? minute_ms : second_ms;

	return text_from_duration(ms - ms % unit);
}

static void incident_tell(const struct incident *it, int64_t now, struct buf *out)
{
	auto_free char *what = incident_what(it);
	auto_free char *age = incident_age(now - it->since);
	const char *cause = it->err.msg;
	size_t len = strlen(what);

	if (strncmp(cause, what, len) == 0 && text_starts(cause + len, ": "))
		cause += len + 2;
	buf_printf(out, "\n%.300s has %s for %s: %s", what, tellings[it->kind].had, age,
		   cause);
}

void incidents_tell(const struct incidents *all, int64_t now, struct buf *out)
{
	size_t left = all->count;

	for (size_t told = 0; left > 0 && told < INCIDENTS_TOLD; told++)
		incident_tell(all->items[--left], now, out);
	if (left > 0)
		buf_printf(out, "\nand %zu more: see the log", left);
}

void incidents_done(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		incident_free(all->items[i]);
	free(all->items);
	*all = (struct incidents){ 0 };
}
