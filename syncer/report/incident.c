#include "report/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* A failure that lasts is said again now and then, with its count, for whoever looks at
 * the last hour of the log only. */
#define REMIND_MS (60 * 60 * 1000)

void incidents_begin(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		all->items[i].reported = all->items[i].held = false;
}

static struct incident *find(struct incidents *all, const char *key)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].key, key) == 0)
			return &all->items[i];
	return NULL;
}

static struct incident *add(struct incidents *all, const char *key, int64_t now)
{
	all->items = xgrow(all->items, all->count, sizeof(*all->items));
	all->items[all->count] = (struct incident){ .key = xstrdup(key), .since = now };
	return &all->items[all->count++];
}

/* A vault that fails says so for whichever object came first: the words behind
 * "secret 'x': " tell whether it is the same failure. */
static const char *cause_of(const char *msg)
{
	const char *colon = strstr(msg, "': ");

	return colon ? colon + 3 : msg;
}

static bool is_same(const struct err *a, const struct err *b)
{
	return strcmp(cause_of(a->msg), cause_of(b->msg)) == 0;
}

void incidents_report(struct incidents *all, enum log_level level, const char *key,
		      const struct err *err, const char *consequence, int64_t now)
{
	struct incident *it = find(all, key);
	bool is_new = it == NULL;

	if (is_new)
		it = add(all, key, now);
	if (it->reported)
		return;
	it->reported = true;
	it->count++;
	if (!is_new && is_same(&it->err, err) && now - it->said < REMIND_MS) {
		it->err = *err;
		return;
	}
	it->err = *err;
	it->said = now;
	log_event(level, "failure",
		  LOG_FIELDS(log_str("what", key), log_str("consequence", consequence),
			     log_str("request", err->request),
			     log_int("failures", it->count)),
		  "%s", err->msg);
}

void incidents_hold(struct incidents *all, const char *key)
{
	struct incident *it = find(all, key);

	if (it != NULL)
		it->held = true;
}

void incidents_end(struct incidents *all, int64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct incident *it = &all->items[i];
		auto_free char *lasted = text_from_duration(now - it->since);

		if (it->reported || it->held) {
			all->items[kept++] = *it;
			continue;
		}
		log_event(LOG_INFO, "recovered",
			  LOG_FIELDS(log_str("what", it->key),
				     log_int("failures", it->count),
				     log_str("lasted", lasted)),
			  "%s no longer fails, after %d failure%s", it->key, it->count,
			  it->count == 1 ? "" : "s");
		free(it->key);
	}
	all->count = kept;
}

void incidents_done(struct incidents *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i].key);
	free(all->items);
	*all = (struct incidents){ 0 };
}
