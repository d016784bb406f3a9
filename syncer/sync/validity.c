#include "sync/validity.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */

/* What to do. */
struct validity_advice {
	const char *expired, *early;
};

static const struct validity_advice advices[] = {
	[OBJECT_SECRET] = { "set a new version, or correct its expiration date",
			    "wait, ask for an earlier version (objectVersion), or "
			    "correct "
			    "its activation date" },
	[OBJECT_KEY] = { "rotate the key, or correct its expiration date",
			 "wait, ask for an earlier version (objectVersion), or correct "
			 "its "
			 "activation date" },
	[OBJECT_CERTIFICATE] = { "renew the certificate",
				 "wait, or ask for an earlier version (objectVersion)" },
};

/* A new version changes nothing for an entry that asks for another one. */
static const struct validity_advice pinned_advice = {
	"ask for a newer version (objectVersion)",
	"wait, or ask for an earlier version (objectVersion)",
};

/* Of a history all but the newest were replaced: it is no news that they expired. */
static bool validity_is_replaced(const struct task *t)
{
	return t->object->history > 0 && !text_ends_same(t->path, "/0");
}

static const struct validity_advice *validity_advice_of(const struct task *t,
							bool of_certificate)
{
	if (t->object->version != NULL)
		return &pinned_advice;
	return &advices[of_certificate ? OBJECT_CERTIFICATE : t->how.kind];
}

static bool validity_is_of_certificate(const struct task *t)
{
	return t->how.kind == OBJECT_CERTIFICATE || t->value.got.of_certificate ||
	       t->how.layout != OBJECT_SINGLE || t->how.password_object != NULL ||
	       t->how.format > OBJECT_PFX;
}

static int64_t validity_end(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return clock_sooner(a, b);
}

static char *validity_words(const struct task *t)
{
	return xasprintf("%s%s%s of vault '%s'", t->words, t->version ? " version " : "",
			 t->version ? t->version : "", t->source->vault.name);
}

static enum validity validity_warn(struct err *why, const char *words, const char *state,
				   int64_t seconds, const char *advice)
{
	char date[CLOCK_TEXT_LEN];

	clock_text(date, seconds * 1000);
	/* To the second. */
	err_set(why, ERR_CONFIG, "%s %s %.19sZ; %s", words, state, date, advice);
	return VALIDITY_WARNS;
}

enum validity validity_of(const struct task *t, int64_t wall_ms, struct err *why)
{
	const struct vault_object *got = &t->value.got;
	bool of_certificate = validity_is_of_certificate(t);
	const struct validity_advice *advice = validity_advice_of(t, of_certificate);
	struct pki_validity own = { -1, -1 };
	auto_free char *words = NULL;
	int64_t start, end;

	if (t->value.item.state != FETCH_GOT)
		return VALIDITY_UNKNOWN;
	if (validity_is_replaced(t))
		return VALIDITY_FINE;
	if (t->has_new_files)
		own = t->new_files.validity;
	start = clock_sooner(clock_later(got->not_before, own.not_before), LAST_SECOND);
	end = clock_sooner(validity_end(got->expires, own.not_after), LAST_SECOND);
	words = validity_words(t);
	if (end >= 0 && end * 1000 <= wall_ms)
		return validity_warn(why, words, "expired on", end, advice->expired);
	if (start * 1000 > wall_ms)
		return validity_warn(why, words, "is not valid before", start,
				     advice->early);
	if (t->passed_over != NULL) {
		err_set(why, ERR_DENIED,
			"%s stands in for the current version, which is %s", words,
			t->passed_over);
		return VALIDITY_WARNS;
	}
	if (got->disabled) {
		err_set(why, ERR_DENIED,
			"%s is disabled; enable it, or take it off the "
			"list",
			words);
		return VALIDITY_WARNS;
	}
	return of_certificate && !t->has_new_files ? VALIDITY_UNKNOWN : VALIDITY_FINE;
}
