#include "run/visitors.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void visitors_init(struct visitors *v, size_t count, size_t keep)
{
	*v = (struct visitors){ .places = xcalloc(count, sizeof(*v->places)),
				.count = count,
				.keep = keep };
}

void visitors_done(struct visitors *v)
{
	free(v->places);
	*v = (struct visitors){ 0 };
}

/* ---- coming and going ---- */

static void visitor_set_address(struct visitor *visitor, const struct sockaddr *from)
{
	if (from == NULL)
		return;
	if (from->sa_family == AF_INET)
		memcpy(visitor->address, &((const struct sockaddr_in *)from)->sin_addr,
		       sizeof(struct in_addr));
	else if (from->sa_family == AF_INET6)
		memcpy(visitor->address, &((const struct sockaddr_in6 *)from)->sin6_addr,
		       sizeof(visitor->address));
}

struct visitor *visitors_enter(struct visitors *v, struct MHD_Connection *connection,
			       int fd, const struct sockaddr *from, int64_t now)
{
	for (size_t i = 0; i < v->count; i++) {
		struct visitor *visitor = &v->places[i];

		if (visitor->connection != NULL)
			continue;
		*visitor = (struct visitor){ .connection = connection,
					     .fd = fd,
					     .since = now,
					     .until = now + VISITOR_LIFE_MS };
		visitor_set_address(visitor, from);
		return visitor;
	}
	return NULL;
}

void visitors_leave(struct visitor *visitor)
{
	if (visitor != NULL)
		*visitor = (struct visitor){ 0 };
}

size_t visitors_waiting(const struct visitors *v)
{
	size_t count = 0;

	for (size_t i = 0; i < v->count; i++)
		count += v->places[i].waits;
	return count;
}

/* ---- whose time is over ---- */

static bool visitor_is_open(const struct visitor *visitor)
{
	return visitor->connection != NULL && !visitor->ended;
}

static void visitor_end(struct visitor *visitor)
{
	visitor->ended = true;
	(void)shutdown(visitor->fd, SHUT_RDWR);
}

static size_t visitors_of_address(const struct visitors *v, const struct visitor *like)
{
	size_t count = 0;

	for (size_t i = 0; i < v->count; i++)
		count += visitor_is_open(&v->places[i]) &&
			 memcmp(v->places[i].address, like->address,
				sizeof(like->address)) == 0;
	return count;
}

static size_t visitors_open(const struct visitors *v)
{
	size_t count = 0;

	for (size_t i = 0; i < v->count; i++)
		count += visitor_is_open(&v->places[i]);
	return count;
}

/* True when it may be ended for others, as soon as it had the time to ask. */
static bool visitor_yields(const struct visitor *visitor)
{
	return visitor_is_open(visitor) && !visitor->waits;
}

/* The one that is ended for others; NULL: there is none. */
static struct visitor *visitors_superfluous(const struct visitors *v, int64_t now)
{
	struct visitor *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < v->count; i++) {
		struct visitor *visitor = &v->places[i];
		size_t count;

		if (!visitor_yields(visitor) || now - visitor->since < VISITOR_GRACE_MS)
			continue;
		count = visitors_of_address(v, visitor);
		if (count < most || (count == most && visitor->since >= found->since))
			continue;
		most = count;
		found = visitor;
	}
	return found;
}

void visitors_run(struct visitors *v, int64_t now)
{
	struct visitor *superfluous;

	for (size_t i = 0; i < v->count; i++)
		if (visitor_yields(&v->places[i]) && now >= v->places[i].until)
			visitor_end(&v->places[i]);
	for (size_t open = visitors_open(v); open > v->keep; open--) {
		superfluous = visitors_superfluous(v, now);
		if (superfluous == NULL)
			return;
		visitor_end(superfluous);
	}
}

int64_t visitors_deadline(const struct visitors *v)
{
	bool crowded = visitors_open(v) > v->keep;
	int64_t soonest = CLOCK_NEVER;

	for (size_t i = 0; i < v->count; i++) {
		const struct visitor *visitor = &v->places[i];

		if (visitor_is_open(visitor))
			soonest = clock_sooner(soonest, visitor->until);
		if (crowded && visitor_yields(visitor))
			soonest =
				clock_sooner(soonest, visitor->since + VISITOR_GRACE_MS);
	}
	return soonest;
}
