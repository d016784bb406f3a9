// LDFLAGS: -Wl,--wrap=clock_now_ms,--wrap=clock_wall_ms,--wrap=publish_look
/* What a round tells the loop and the operator besides its files: when the next one is
 * due, which failure is the worst, and what another program did. */
#include "fake_log.h"
#include "source.h"
#include "volume.h"

#include "sync/absence.h"
#include "sync/round.h"

#define WALL_S INT64_C(1800000000)

static char dir[64];
static struct publish *volume;
static struct objects objects;
static struct incidents incidents;
static struct absences absences;
static struct round_result result;
static bool look_fails;

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return WALL_S * 1000;
}

int __real_publish_look(struct publish *p, struct err *err);
int __wrap_publish_look(struct publish *p, struct err *err);
int __wrap_publish_look(struct publish *p, struct err *err)
{
	if (look_fails)
		return err_set(err, ERR_UNAVAILABLE,
			       "cannot look at 'x': Too many open files");
	return __real_publish_look(p, err);
}

static int set_up(void **state)
{
	if (source_set_up(state) != 0)
		return -1;
	look_fails = false;
	volume_make(dir);
	volume = volume_open(dir);
	return 0;
}

static int tear_down(void **state)
{
	publish_close(volume);
	volume_remove(dir);
	objects_done(&objects);
	incidents_done(&incidents);
	absences_done(&absences);
	buf_done(&said);
	return source_tear_down(state);
}

static void configure(const char *text)
{
	struct err err = { 0 };

	objects_done(&objects);
	check_ok(text, objects_parse(&objects, text, 0440, &err), &err);
}

/* How the vault answers for an object: with this value, or with this status. */
struct reply_for {
	const char *name, *value;
	int64_t expires; /* 0: never */
	int status, retry_after_ms;
};

static void answer_for(struct http_call *call, const struct reply_for *r)
{
	auto_free char *expires =
		r->expires ? xasprintf("\"exp\":%lld", (long long)r->expires)
			   : xstrdup("");
	auto_free char *id = net_id(call, VERSION);
	auto_free char *body =
		xasprintf("{\"value\":\"%s\",\"id\":\"%s\",\"attributes\":{%s}}",
			  r->value ? r->value : "", id, expires);

	net_answer(call, (struct answer){ .status = r->status ? r->status : 200,
					  .body = r->status ? "" : body,
					  .retry_after_ms = r->retry_after_ms });
}

static void reply_to(struct http_call *call, const struct reply_for *replies)
{
	if (strstr(call->url, "/token")) {
		grant("t1");
		return;
	}
	if (call->bearer == NULL) {
		net_answer(call,
			   (struct answer){ .status = 401, .challenge = OWN_CHALLENGE });
		return;
	}
	for (const struct reply_for *r = replies; r->name != NULL; r++) {
		auto_free char *part = xasprintf("/secrets/%s?", r->name);

		if (strstr(call->url, part)) {
			answer_for(call, r);
			return;
		}
	}
	fail_msg("nobody should ask for %s", call->url);
}

#define REPLIES(...) ((const struct reply_for[]){ __VA_ARGS__, { .name = NULL } })

static void sync_with(const struct reply_for *replies)
{
	struct round_work w = { .sources = &sources,
				.objects = &objects,
				.number = objects_number(&objects),
				.publish = volume,
				.incidents = &incidents,
				.absences = &absences,
				.poll_interval_ms = 60000 };
	struct round *r;

	buf_done(&said);
	incidents_begin(&incidents);
	r = round_start(&w, now);
	while (!round_run(r, now)) {
		if (net.count == 0)
			now = round_deadline(r);
		while (net.count > 0)
			reply_to(net.open[0], replies);
	}
	round_end(r, now, &result);
	incidents_end(&incidents, now);
	now += 60000;
}

/* Of the objects that are still valid, the one that expires first. */
static void test_expiry(void **state)
{
	static const struct {
		const char *row;
		int64_t a, b; /* seconds from now; 0: never */
		int64_t want_ms;
	} rows[] = {
		{ "none", 0, 0, 0 },
		{ "one", 100, 0, 100000 },
		{ "the other", 0, 100, 100000 },
		{ "the first", 100, 200, 100000 },
		{ "the second", 300, 200, 200000 },
		{ "expired long ago", -100, 200, 200000 },
		{ "all expired", -100, -200, 0 },
	};

	(void)state;
	configure("a,b");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sync_with(REPLIES({ "a", .value = "A",
				    .expires = rows[i].a ? WALL_S + rows[i].a : 0 },
				  { "b", .value = "B",
				    .expires = rows[i].b ? WALL_S + rows[i].b : 0 }));
		check_int(rows[i].row, result.expires_in_ms, rows[i].want_ms);
	}
}

/* The longest delay that a vault asked for, of what is not excused. */
static void test_delay(void **state)
{
	static const struct {
		const char *row;
		bool optional; /* b is */
		int a_ms, b_ms, want_ms;
	} rows[] = {
		{ "the first", false, 40000, 30000, 40000 },
		{ "the second", false, 30000, 40000, 40000 },
		{ "an optional one", true, 30000, 40000, 30000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *list = xasprintf(
			"- objectName: a\n- objectName: b\n  vault: other-kv\n%s",
			rows[i].optional ? "  optional: true\n" : "");
		struct source *other;
		struct err err;

		configure(list);
		check_ok(rows[i].row, sources_get(&sources, "other-kv", &other, &err),
			 &err);
		sync_with(
			REPLIES({ "a", .status = 503, .retry_after_ms = rows[i].a_ms },
				{ "b", .status = 503, .retry_after_ms = rows[i].b_ms }));
		check_int(rows[i].row, result.failures.vault_retry_after_ms,
			  rows[i].want_ms);
		check_int(rows[i].row, result.failures.retry_after_ms, 0);
	}
}

/* init exits for the worst; what is excused is no reason. */
static void test_worst(void **state)
{
	static const struct {
		const char *row, *objects;
		int a, b; /* statuses */
		enum err_kind want;
	} rows[] = {
		{ "the first", "a,b", 403, 404, ERR_DENIED },
		{ "the second", "a,b", 404, 403, ERR_DENIED },
		{ "an optional one", "- objectName: a\n- objectName: b\n  optional: true",
		  404, 403, ERR_NOTFOUND },
		{ "optional ones",
		  "- objectName: a\n  optional: true\n- objectName: b\n  optional: true",
		  404, 403, ERR_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		configure(rows[i].objects);
		sync_with(REPLIES({ "a", .status = rows[i].a },
				  { "b", .status = rows[i].b }));
		check_int(rows[i].row, result.failures.worst.kind, rows[i].want);
	}
}

/* The set on the volume could not be looked at: it is not known what to keep of it. */
static void test_look_that_fails(void **state)
{
	auto_free char *before = NULL;

	(void)state;
	configure("a");
	sync_with(REPLIES({ "a", .value = "A1" }));
	before = xstrdup(publish_generation(volume));
	look_fails = true;
	configure("a,b");
	sync_with(REPLIES({ "a", .value = "A2" }, { "b", .value = "B" }));
	assert_int_equal(result.outcome, ROUND_REFUSED);
	assert_int_equal(result.failures.worst.kind, ERR_UNAVAILABLE);
	assert_true(result.failures.try_soon);
	assert_string_equal(publish_generation(volume), before);
	check_holds("said", buf_str(&said), "Too many open files");
	look_fails = false;
	sync_with(REPLIES({ "a", .value = "A2" }, { "b", .value = "B" }));
	assert_int_equal(result.outcome, ROUND_REPLACED);
}

/* An edit by hand is undone, and told of. */
static void test_altered(void **state)
{
	(void)state;
	configure("a");
	sync_with(REPLIES({ "a", .value = "A" }));
	assert_null(strstr(buf_str(&said), "altered"));
	volume_write(dir, "..data/a", "edited");
	sync_with(REPLIES({ "a", .value = "A" }));
	check_holds("said", buf_str(&said), "2 altered: another program had changed");
	check_holds("said", buf_str(&said), "what=a");
	sync_with(REPLIES({ "a", .value = "A" }));
	assert_null(strstr(buf_str(&said), "altered"));
}

/* A token that no vault has accepted yet proves nothing. */
static void test_identity_that_is_refused(void **state)
{
	(void)state;
	configure("a");
	sync_with(REPLIES({ "a", .status = 401 }));
	check_holds("said", buf_str(&said), "what=identity");
	sync_with(REPLIES({ "a", .status = 503 }));
	assert_null(strstr(buf_str(&said), "identity no longer fails"));
	sync_with(REPLIES({ "a", .value = "A" }));
	check_holds("said", buf_str(&said), "identity no longer fails");
}

#define WITH_VOLUME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VOLUME(test_expiry),  WITH_VOLUME(test_delay),
		WITH_VOLUME(test_worst),   WITH_VOLUME(test_look_that_fails),
		WITH_VOLUME(test_altered), WITH_VOLUME(test_identity_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
