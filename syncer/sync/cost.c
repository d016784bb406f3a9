#include "sync/cost.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* In all, 4,000 to 250 requests in COST_WINDOW_S, and the list prices of the tier
 * "Standard"; keys in HSMs are of "Premium", whose price of a request is the same. */
const struct cost_rate cost_rates[COST_CLASSES] = {
	[COST_OTHER] = { "secrets, certificates, lists", 4000, 30000 },
	[COST_RSA_2048] = { "RSA 2048 keys", 4000, 30000 },
	[COST_RSA_3072] = { "RSA 3072 keys", 1000, 150000 },
	[COST_RSA_4096] = { "RSA 4096 keys", 500, 150000 },
	[COST_EC] = { "EC keys", 4000, 150000 },
	[COST_RSA_2048_HSM] = { "RSA 2048 keys in an HSM", 2000, 30000 },
	[COST_RSA_3072_HSM] = { "RSA 3072 keys in an HSM", 500, 150000 },
	[COST_RSA_4096_HSM] = { "RSA 4096 keys in an HSM", 250, 150000 },
	[COST_EC_HSM] = { "EC keys in an HSM", 2000, 150000 },
};

/* base64url has six bits in a character. */
#define BITS(bits) ((bits) / 6)

enum cost_class cost_of_key(const char *kty, size_t n_length)
{
	bool hsm = kty != NULL && text_ends_same(kty, "-HSM");

	if (kty != NULL && text_starts(kty, "EC"))
		return hsm ? COST_EC_HSM : COST_EC;
	if (n_length >= BITS(4096))
		return hsm ? COST_RSA_4096_HSM : COST_RSA_4096;
	if (n_length >= BITS(3072))
		return hsm ? COST_RSA_3072_HSM : COST_RSA_3072;
	return hsm ? COST_RSA_2048_HSM : COST_RSA_2048;
}

/* ---- options ---- */

#define LIMIT_MAX 1000000000
#define WINDOW_MAX_S 86400
#define DOLLARS_MAX 1000000
#define MICROS_DIGITS 6

static int cost_read_pods(struct cost_terms *terms, const char *value)
{
	return text_number(value, COST_PODS_MAX, &terms->pods) < 0 || terms->pods == 0
		       ? -1
		       : 0;
}

static int cost_read_limit(struct cost_terms *terms, const char *value)
{
	const char *slash = strchr(value, '/');
	auto_free char *requests = NULL;

	if (slash == NULL)
		return -1;
	requests = xasprintf("%.*s", (int)(slash - value), value);
	if (text_number(requests, LIMIT_MAX, &terms->limit) < 0 ||
	    text_number(slash + 1, WINDOW_MAX_S, &terms->window_s) < 0)
		return -1;
	return terms->limit == 0 || terms->window_s == 0 ? -1 : 0;
}

/* A decimal number without sign and exponent: no double would hold 0.03 exactly. */
static int cost_read_price(struct cost_terms *terms, const char *value)
{
	const char *point = strchr(value, '.');
	auto_free char *dollars = NULL, *padded = NULL;
	int64_t whole, micros = 0;

	dollars = xasprintf("%.*s", point ? (int)(point - value) : (int)strlen(value),
			    value);
	if (text_number(dollars, DOLLARS_MAX, &whole) < 0)
		return -1;
	if (point != NULL && (point[1] == '\0' || strlen(point + 1) > MICROS_DIGITS))
		return -1;
	if (point != NULL) {
		padded = xasprintf("%s%.*s", point + 1,
				   (int)(MICROS_DIGITS - strlen(point + 1)), "000000");
		if (text_number(padded, COST_MICROS, &micros) < 0)
			return -1;
	}
	terms->price = whole * COST_MICROS + micros;
	terms->has_price = true;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct cost_terms *terms, const char *value);
	const char *rule;
} cost_options[] = {
	{ "--pods", cost_read_pods,
	  "a number of pods, 1 to 1000000, such as --pods 300" },
	{ "--limit", cost_read_limit,
	  "REQUESTS/SECONDS, the requests that one vault answers in a time, such as "
	  "--limit 4000/10" },
	{ "--price", cost_read_price,
	  "the price of 10000 requests, with at most six decimals, such as --price "
	  "0.03" },
};

int cost_read_option(struct cost_terms *terms, const char *name, const char *value,
		     struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(cost_options); i++)
		if (strcmp(name, cost_options[i].name) == 0 &&
		    cost_options[i].read(terms, value) < 0)
			return err_set(err, ERR_USAGE, "%s takes %s, not '%.60s'", name,
				       cost_options[i].rule, value);
	return 0;
}

int cost_check_terms(const struct cost_terms *terms, struct err *err)
{
	if (terms->pods == 0 && (terms->limit > 0 || terms->has_price))
		return err_set(err, ERR_USAGE,
			       "%s says nothing without a number of pods; add --pods N",
			       terms->limit > 0 ? "--limit" : "--price");
	return 0;
}

/* ---- shares and prices ---- */

/*
 * The share of one second's limit that these requests are.  Keys of all kinds have one
 * limit together, in which each kind has its weight; other requests have a limit of their
 * own.  A limit of the command line is one for all.  Negative: it is not known.
 */
static double cost_share(const uint64_t counts[COST_CLASSES], uint64_t anonymous,
			 const struct cost_load *load, const struct cost_terms *terms)
{
	double other = (double)(counts[COST_OTHER] + anonymous), keys = 0, all = other;

	for (size_t i = COST_OTHER + 1; i < COST_CLASSES; i++) {
		all += (double)counts[i];
		keys += (double)counts[i] / (double)cost_rates[i].limit;
	}
	if (terms->limit > 0)
		return all * (double)terms->window_s / (double)terms->limit;
	if (load->is_hsm)
		return -1;
	return fmax(other / (double)cost_rates[COST_OTHER].limit, keys) * COST_WINDOW_S;
}

/* In US dollars.  Requests without a token are free. */
static double cost_price(const uint64_t counts[COST_CLASSES],
			 const struct cost_load *load, const struct cost_terms *terms)
{
	double micros = 0;

	for (size_t i = 0; i < COST_CLASSES; i++) {
		int64_t price = terms->has_price ? terms->price
				: load->is_hsm   ? 0
						 : cost_rates[i].price;

		micros += (double)counts[i] * (double)price;
	}
	return micros / COST_PRICED / COST_MICROS;
}

static uint64_t cost_sum(const uint64_t counts[COST_CLASSES])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COST_CLASSES; i++)
		sum += counts[i];
	return sum;
}

/* What is less is only the error of a computation. */
#define EPSILON 1e-9

/* How many times part fits into all. */
static int64_t cost_fits(double all, double part)
{
	return (int64_t)(all / part + EPSILON);
}

/* What to change when polls take too much of the limit. */
static void cost_fix_polls(const struct cost_terms *terms, double interval_s,
			   double interval_max_s, struct cost *out)
{
	int64_t fitting = cost_fits(COST_SHARE_HIGH, out->share / (double)terms->pods);
	double longer_s = ceil(interval_s * out->share / COST_SHARE_HIGH - EPSILON);

	out->is_pod_high = fitting == 0;
	out->vaults = fitting > 0 ? (terms->pods + fitting - 1) / fitting
				  : (int64_t)ceil(out->share / COST_SHARE_HIGH - EPSILON);
	if (longer_s <= interval_max_s)
		out->interval_ms = (int64_t)longer_s * 1000;
}

void cost_count(const struct cost_load *load, const struct cost_terms *terms,
		int64_t interval_ms, int64_t interval_max_ms, struct cost *out)
{
	double pods = (double)terms->pods, interval_s = (double)interval_ms / 1000;
	double window_s = (double)(terms->limit > 0 ? terms->window_s : COST_WINDOW_S);
	double each = cost_share(load->start, load->anonymous, load, terms) / window_s;

	*out = (struct cost){
		.poll = cost_sum(load->poll),
		.start = cost_sum(load->start) + load->anonymous,
		.share = cost_share(load->poll, 0, load, terms) * pods / interval_s,
		.burst_share = each * pods,
		.month = cost_price(load->poll, load, terms) * pods * COST_MONTH_S /
			 interval_s,
		.burst_price = cost_price(load->start, load, terms) * pods,
	};
	out->per_second = (double)out->poll * pods / interval_s;
	out->burst = (double)out->start * pods;
	if (out->burst_share > 1 + EPSILON) {
		out->burst_s = out->burst_share * window_s;
		out->pods_at_once =
			cost_fits(1 - fmin(out->share, COST_SHARE_HIGH), each);
	}
	if (out->share > COST_SHARE_HIGH + EPSILON)
		cost_fix_polls(terms, interval_s, (double)interval_max_ms / 1000, out);
}

double cost_tokens(unsigned tokens, const struct cost_terms *terms, int64_t interval_ms)
{
	return tokens * (double)terms->pods /
	       fmax(COST_TOKEN_S, (double)interval_ms / 1000);
}
