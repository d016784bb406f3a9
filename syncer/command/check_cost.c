#include "command/check_cost.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define COST_ROW "      %-24s"

/* What AKVSYNC_MAX_STALENESS should allow at least, in poll intervals: what the alert
 * AkvsyncStale waits for. */
#define COST_STALE_POLLS 3

/* What is less is only the error of a computation. */
#define COST_ROUNDING_S 1e-6

/* A time that is longer is of no interest, and fits no duration. */
#define COST_TIME_MAX_S (366.0 * 24 * 3600)

/* A price as it was written: no exponent, no zeros at its end; the caller frees. */
static char *cost_dollars(int64_t micros)
{
	char *text = xasprintf("%" PRId64 ".%06" PRId64, micros / COST_MICROS,
			       micros % COST_MICROS);
	size_t len = strlen(text);

	while (text[len - 1] == '0')
		len--;
	text[text[len - 1] == '.' ? len - 1 : len] = '\0';
	return text;
}

/* Three digits that say something, or whole numbers; the caller frees. */
static char *cost_number(double value)
{
	if (value > 0 && value < 0.001)
		return xstrdup("less than 0.001");
	return value < 1     ? xasprintf("%.3g", value)
	       : value < 100 ? xasprintf("%.2f", value)
			     : xasprintf("%.0f", value);
}

static int64_t cost_interval_ms(const struct check_view *view)
{
	return view->configuration->settings.poll_interval_ms;
}

static void cost_of_vault(const struct check_view *view, const struct demand_vault *v,
			  struct cost *out)
{
	cost_count(&v->load, &view->terms, cost_interval_ms(view), SETTINGS_POLL_MAX_MS,
		   out);
}

static double cost_of_month(const struct check_view *view)
{
	double sum = 0;

	for (size_t i = 0; i < view->check->demand.count; i++) {
		struct cost cost;

		cost_of_vault(view, &view->check->demand.vaults[i], &cost);
		sum += cost.month;
	}
	return sum;
}

static int64_t cost_window_ms(const struct check_view *view)
{
	return (view->terms.limit > 0 ? view->terms.window_s : COST_WINDOW_S) * 1000;
}

static bool cost_is_of_entra(const struct check_view *view)
{
	const struct settings *s = &view->configuration->settings;

	/* On a machine without any identity only a managed one is left, but the pods have
	 * another one. */
	return s->credential != AUTH_MANAGED_IDENTITY ||
	       (s->auth == AUTH_AUTO && !view->online);
}

/* ---- what both reports say in words ---- */

/* What to change when polls take too much of the limit. */
static void cost_tell_polls(const struct check_view *view, const struct cost *cost,
			    struct buf *out)
{
	auto_free char *interval = text_from_duration(cost->interval_ms);
	auto_free char *staleness =
		text_from_duration(COST_STALE_POLLS * cost->interval_ms);
	int64_t staleness_ms = view->configuration->settings.max_staleness_ms;

	if (cost->share > 1)
		buf_text(out, "this is more than the vault answers, it refuses the rest "
			      "with 429: ");
	if (cost->interval_ms > 0)
		buf_printf(out, "set AKVSYNC_POLL_INTERVAL to %s or longer", interval);
	if (staleness_ms > 0 && staleness_ms < COST_STALE_POLLS * cost->interval_ms)
		buf_printf(out, " and AKVSYNC_MAX_STALENESS to %s", staleness);
	buf_printf(
		out, "%sdivide %s %" PRId64 " vaults%s, for at most %.0f %% of the limit",
		cost->interval_ms > 0 ? ", or " : "",
		cost->is_pod_high ? "pods and their objects among at least"
				  : "the pods among",
		cost->vaults,
		cost->vaults > COST_SUBSCRIPTION ? " in several subscriptions or regions"
						 : "",
		COST_SHARE_HIGH * 100);
}

/* What to change when not all pods can start at once. */
static void cost_tell_start(const struct check_view *view, const struct cost *cost,
			    struct buf *out)
{
	auto_free char *window = text_from_duration(cost_window_ms(view));

	if (cost->pods_at_once > 0)
		buf_printf(out,
			   "start at most %" PRId64
			   " pods within %s, or divide them among several vaults",
			   cost->pods_at_once, window);
	else
		buf_printf(out,
			   "divide the objects of a pod among several vaults: the start "
			   "of one pod and the polls are more than the vault answers in "
			   "%s",
			   window);
}

/* Nothing when the vault's limit is far enough. */
static void cost_fix(const struct check_view *view, const struct cost *cost,
		     struct buf *out)
{
	if (cost->vaults > 0)
		cost_tell_polls(view, cost, out);
	if (cost->vaults > 0 && cost->burst_s > 0)
		buf_text(out, "; ");
	if (cost->burst_s > 0)
		cost_tell_start(view, cost, out);
}

/* What is only estimated; nothing when all of it is known. */
static void cost_estimated(const struct check_view *view, const struct demand_vault *v,
			   struct buf *out)
{
	const struct {
		size_t count;
		const char *what, *how;
	} parts[] = {
		{ v->patterns, "patterns and tags",
		  "one page of the list is counted, and no object that they select" },
		{ v->histories, "histories",
		  "counted with all the versions that are asked for, on one page" },
		{ v->keys, "keys", "counted as RSA 2048" },
	};
	const char *semicolon = "";

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].count == 0)
			continue;
		buf_printf(out, "%s%s (%zu): %s", semicolon, parts[i].what,
			   parts[i].count, parts[i].how);
		semicolon = "; ";
	}
	if (*semicolon && !view->online)
		buf_text(out, "; --online counts what is there");
	if (v->load.is_hsm && view->terms.limit == 0)
		buf_printf(out,
			   "%sa Managed HSM is paid by the hour, and its limit is not "
			   "known: --limit gives one",
			   semicolon);
}

/* ---- for people ---- */

static void cost_text_share(double share, const char *of, struct buf *out)
{
	auto_free char *percent = cost_number(share * 100);

	if (share >= 0)
		buf_printf(out, ", %s %% of %s", percent, of);
}

static void cost_text_burst(const struct check_view *view, const struct cost *cost,
			    struct buf *out)
{
	auto_free char *window = text_from_duration(cost_window_ms(view));
	auto_free char *of = xasprintf("what the vault answers in %s", window);
	auto_free char *time = text_from_duration(
		(int64_t)ceil(fmin(cost->burst_s, COST_TIME_MAX_S) - COST_ROUNDING_S) *
		1000);

	buf_printf(out, COST_ROW "%.0f requests", "when all start at once", cost->burst);
	cost_text_share(cost->burst_share, of, out);
	if (cost->burst_s > 0)
		buf_printf(out, ": at least %s", time);
	buf_text(out, "\n");
}

static void cost_text_vault(const struct check_view *view, const struct demand_vault *v,
			    struct buf *out)
{
	auto_buf struct buf fix = BUF_INIT(CHECK_TEXT_MAX);
	auto_buf struct buf estimated = BUF_INIT(CHECK_TEXT_MAX);
	auto_free char *rate = NULL, *month = NULL, *start = NULL;
	struct cost cost;

	cost_of_vault(view, v, &cost);
	month = cost_number(cost.month);
	start = cost_number(cost.burst_price);
	rate = cost_number(cost.per_second);
	buf_printf(out, "  %s\n", v->url);
	buf_printf(out, COST_ROW "%" PRIu64 " each poll, %" PRIu64 " at its start\n",
		   "requests of one pod", cost.poll, cost.start);
	buf_printf(out, COST_ROW "%s requests a second", "while nothing changes", rate);
	cost_text_share(cost.share, "the vault's limit", out);
	buf_text(out, "\n");
	cost_text_burst(view, &cost, out);
	buf_printf(out, COST_ROW "%s USD; of such a start %s USD\n", "bill of a month",
		   month, start);
	cost_estimated(view, v, &estimated);
	if (estimated.len > 0)
		buf_printf(out, COST_ROW "%s\n", "estimated", buf_str(&estimated));
	cost_fix(view, &cost, &fix);
	if (fix.len > 0)
		buf_printf(out, COST_ROW "%s\n", "fix", buf_str(&fix));
}

static void cost_text_tokens(const struct check_view *view, struct buf *out)
{
	const struct demand *d = &view->check->demand;
	auto_free char *rate = cost_number(
		cost_tokens(d->renewed, &view->terms, cost_interval_ms(view)));

	buf_printf(out, "  %s, for tokens\n",
		   cost_is_of_entra(view) ? "Entra" : "the managed identity's endpoint");
	buf_printf(out, COST_ROW "%u at its start\n", "requests of one pod", d->tokens);
	buf_printf(out, COST_ROW "%s requests a second at most\n",
		   "while nothing changes", rate);
	buf_printf(out, COST_ROW "%.0f requests\n", "when all start at once",
		   d->tokens * (double)view->terms.pods);
}

static void cost_text_terms(const struct check_view *view, struct buf *out)
{
	const struct cost_terms *terms = &view->terms;
	auto_free char *window = text_from_duration(cost_window_ms(view));
	auto_free char *price = cost_dollars(
		terms->has_price ? terms->price : cost_rates[COST_OTHER].price);
	auto_free char *of_keys = cost_dollars(cost_rates[COST_EC].price);

	if (terms->limit > 0)
		buf_printf(out, "  Limit of each vault: %" PRId64 " requests in %s\n",
			   terms->limit, window);
	else
		buf_printf(out,
			   "  Limits as of " COST_AS_OF ": %" PRId64
			   " requests in %s for %s of one vault, less for large keys; "
			   "--limit gives another\n",
			   cost_rates[COST_OTHER].limit, window,
			   cost_rates[COST_OTHER].words);
	if (terms->has_price)
		buf_printf(out, "  Price of %d requests: %s USD\n", COST_PRICED, price);
	else
		buf_printf(out,
			   "  List prices as of " COST_AS_OF ": %s USD for %d requests, "
			   "%s for keys other than RSA 2048; --price gives another\n",
			   price, COST_PRICED, of_keys);
}

void check_cost_write_text(const struct check_view *view, struct buf *out)
{
	const struct demand *d = &view->check->demand;
	auto_free char *interval = NULL, *month = NULL;

	if (view->terms.pods == 0)
		return;
	month = cost_number(cost_of_month(view));
	interval = text_from_duration(cost_interval_ms(view));
	buf_printf(out, "\nCost of %" PRId64 " pods that poll every %s\n",
		   view->terms.pods, interval);
	for (size_t i = 0; i < d->count; i++)
		cost_text_vault(view, &d->vaults[i], out);
	cost_text_tokens(view, out);
	if (d->count > 1)
		buf_printf(out, "  all vaults\n" COST_ROW "%s USD\n", "bill of a month",
			   month);
	cost_text_terms(view, out);
}

/* ---- for machines ---- */

static void cost_json_number(struct buf *out, const char *name, double value)
{
	if (value < 0)
		buf_printf(out, ",\"%s\":null", name);
	else
		buf_printf(out, ",\"%s\":%.15g", name, value);
}

static void cost_json_text(struct buf *out, const char *name, const struct buf *text)
{
	buf_text(out, ",");
	json_member(out, name, text->len > 0 ? buf_str(text) : NULL);
}

static void cost_json_vault(const struct check_view *view, const struct demand_vault *v,
			    struct buf *out)
{
	auto_buf struct buf fix = BUF_INIT(CHECK_TEXT_MAX);
	auto_buf struct buf estimated = BUF_INIT(CHECK_TEXT_MAX);
	struct cost cost;

	cost_of_vault(view, v, &cost);
	buf_text(out, "{");
	json_member(out, "vault", v->url);
	buf_printf(out, ",\"requestsPerPoll\":%" PRIu64 ",\"requestsPerStart\":%" PRIu64,
		   cost.poll, cost.start);
	cost_json_number(out, "requestsPerSecond", cost.per_second);
	cost_json_number(out, "share", cost.share);
	cost_json_number(out, "burst", cost.burst);
	cost_json_number(out, "burstShare", cost.burst_share);
	cost_json_number(out, "burstSeconds", cost.burst_s);
	cost_json_number(out, "monthUSD", cost.month);
	cost_json_number(out, "burstUSD", cost.burst_price);
	cost_estimated(view, v, &estimated);
	cost_json_text(out, "estimated", &estimated);
	cost_fix(view, &cost, &fix);
	cost_json_text(out, "fix", &fix);
	buf_text(out, "}");
}

void check_cost_write_json(const struct check_view *view, struct buf *out)
{
	const struct demand *d = &view->check->demand;
	const struct cost_terms *terms = &view->terms;

	if (terms->pods == 0 || d->vaults == NULL) {
		buf_text(out, "null");
		return;
	}
	buf_printf(out, "{\"pods\":%" PRId64, terms->pods);
	cost_json_number(out, "pollIntervalSeconds",
			 (double)cost_interval_ms(view) / 1000);
	buf_text(out, ",\"asOf\":\"" COST_AS_OF "\",\"vaults\":[");
	for (size_t i = 0; i < d->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		cost_json_vault(view, &d->vaults[i], out);
	}
	buf_text(out, "],\"tokens\":{");
	json_member(out, "from", cost_is_of_entra(view) ? "entra" : "managed-identity");
	buf_printf(out, ",\"requestsPerStart\":%u", d->tokens);
	cost_json_number(out, "requestsPerSecond",
			 cost_tokens(d->renewed, terms, cost_interval_ms(view)));
	cost_json_number(out, "burst", d->tokens * (double)terms->pods);
	buf_text(out, "}");
	cost_json_number(out, "monthUSD", cost_of_month(view));
	buf_text(out, "}");
}
