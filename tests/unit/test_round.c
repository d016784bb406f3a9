// LDFLAGS: -Wl,--wrap=clock_now_ms
/* One sync, over a scripted network onto a real volume: what is published when objects
 * fail, what is asked again, and what stays. */
#include "fake_log.h"
#include "source.h"
#include "volume.h"

#include "sync/absence.h"
#include "sync/round.h"

/* Rounds are a minute apart. */
#define POLL_INTERVAL_MS 60000

static char dir[64];
static struct publish *volume;
static struct objects objects;
static struct incidents incidents;
static struct absences absences;
static struct round_result result;

static void configure(const char *text)
{
	struct err err = { 0 };

	objects_done(&objects);
	check_ok(text, objects_parse(&objects, text, 0440, &err), &err);
}

static int set_up(void **state)
{
	if (source_set_up(state) != 0)
		return -1;
	volume_make(dir);
	volume = volume_open(dir);
	configure("a,b");
	return 0;
}

static int tear_down(void **state)
{
	bool leaked = strstr(buf_str(&said), "MARKER") != NULL;

	publish_close(volume);
	volume_remove(dir);
	objects_done(&objects);
	incidents_done(&incidents);
	absences_done(&absences);
	buf_done(&said);
	return source_tear_down(state) != 0 || leaked;
}

static struct round_work work(void)
{
	return (struct round_work){ .sources = &sources,
				    .objects = &objects,
				    .number = objects_number(&objects),
				    .publish = volume,
				    .incidents = &incidents,
				    .absences = &absences,
				    .poll_interval_ms = POLL_INTERVAL_MS };
}

static bool published(void)
{
	return result.outcome == ROUND_FIRST || result.outcome == ROUND_REPLACED;
}

static bool first(void)
{
	return result.outcome == ROUND_FIRST;
}

static bool all_well(void)
{
	return round_succeeded(result.outcome) && result.failures.worst.kind == ERR_NONE;
}

static bool fits(void)
{
	return publish_fits(volume, objects_number(&objects)) && publish_is_whole(volume);
}

/* How the vault answers for an object: a value, or a status. */
struct reply_for {
	const char *name, *value, *version;
	int status, retry_after_ms;
};

#define GIVES(n, v, at)                                                                  \
	{                                                                                \
		.name = (n), .value = (v), .version = (at)                               \
	}
#define FAILS(n, s)                                                                      \
	{                                                                                \
		.name = (n), .status = (s)                                               \
	}
#define REPLIES(...) ((const struct reply_for[]){ __VA_ARGS__, { .name = NULL } })

static void reply_to(struct http_call *call, const struct reply_for *replies)
{
	const struct reply_for *r = replies;
	auto_free char *part = NULL;

	if (strstr(call->url, "/token")) {
		grant("t1");
		return;
	}
	if (call->bearer == NULL) {
		net_answer(call,
			   (struct answer){ .status = 401, .challenge = OWN_CHALLENGE });
		return;
	}
	for (;; r++) {
		free(part);
		assert_non_null(r->name); /* nobody should ask for it */
		part = xasprintf("/secrets/%s", r->name);
		if (strstr(call->url, part) &&
		    strchr("/?", strstr(call->url, part)[strlen(part)]))
			break;
	}
	if (r->value)
		give(call, r->value, r->version);
	else
		net_answer(call, (struct answer){ .status = r->status,
						  .retry_after_ms = r->retry_after_ms });
}

/* A whole round; returns how many requests it made. */
static int sync_with(const struct reply_for *replies)
{
	struct round_work w = work();
	struct round *r;
	int before = net.started;

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
	now += POLL_INTERVAL_MS;
	return net.started - before;
}

static void check_file(const char *name, const char *want)
{
	char text[128];

	volume_read(dir, name, text);
	check_text(name, text, want);
}

static const struct reply_for both[] = { GIVES("a", "A1", VERSION),
					 GIVES("b", "B1", VERSION),
					 { .name = NULL } };

#define TOKEN "{\"access_token\":\"t1\",\"expires_in\":3600}"

static const struct reply_for nobody[] = { { .name = NULL } };

static void test_first_set(void **state)
{
	(void)state;
	assert_false(fits());
	sync_with(both);
	assert_true(published() && first() && all_well());
	assert_int_equal(result.failures.worst.kind, ERR_NONE);
	check_file("a", "A1");
	check_file("b", "B1");
	assert_true(fits());
	/* The same again: asked, but not written. */
	assert_int_equal(sync_with(both), 2);
	assert_true(all_well() && !published());
}

/* The first set needs every object. */
static void test_first_set_incomplete(void **state)
{
	static const struct reply_for replies[] = { GIVES("a", "MARKER", VERSION),
						    FAILS("b", 404),
						    { .name = NULL } };

	(void)state;
	sync_with(replies);
	assert_false(published() || all_well() || result.failures.try_soon);
	assert_int_equal(result.failures.worst.kind, ERR_NOTFOUND);
	check_file("a", "-");
	check_holds("said", buf_str(&said), "3 failure: secret 'b': 404");
	check_holds("said", buf_str(&said), "no files have been published yet");
}

/* A permanent failure freezes its object only, a transient one all. */
static void test_frozen(void **state)
{
	static const struct {
		int status;
		bool transient;
		enum err_kind kind;
	} rows[] = {
		{ 403, false, ERR_DENIED },  { 404, false, ERR_NOTFOUND },
		{ 400, false, ERR_CONFIG },  { 503, true, ERR_UNAVAILABLE },
		{ 401, true, ERR_IDENTITY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("status %d", rows[i].status);
		struct reply_for replies[] = { GIVES("a", "A2", NEWER),
					       FAILS("b", rows[i].status),
					       { .name = NULL } };

		sync_with(both);
		sync_with(replies);
		check_int(row, published(), !rows[i].transient);
		check_int(row, result.failures.try_soon, rows[i].transient);
		check_int(row, all_well(), false);
		check_int(row, result.failures.worst.kind, rows[i].kind);
		check_file("a", rows[i].transient ? "A1" : "A2");
		check_file("b", "B1");
	}
}

/* A vault that cannot be reached holds back its own objects, not another vault's. */
static void test_two_vaults(void **state)
{
	static const struct reply_for replies[] = { GIVES("a", "A2", NEWER),
						    FAILS("b", 503),
						    GIVES("c", "C2", NEWER),
						    { .name = NULL } };
	struct source *other;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sources_get(&sources, "other-kv", &other, &err), 0);
	configure(
		"- objectName: a\n- objectName: b\n- objectName: c\n  vault: other-kv\n");
	sync_with(REPLIES(GIVES("a", "A1", VERSION), GIVES("b", "B1", VERSION),
			  GIVES("c", "C1", VERSION)));
	assert_true(all_well());
	sync_with(replies);
	assert_true(published() && result.failures.try_soon && !all_well());
	check_file("a", "A1");
	check_file("b", "B1");
	check_file("c", "C2");
	check_holds("said", buf_str(&said), "what=vault 'shop-kv'");
	assert_null(strstr(buf_str(&said), "what=vault 'other-kv'"));
}

/* While a vault does not answer nothing vanishes, however long that lasts: what seems to
 * be missing may be a part of the same trouble. */
static void test_nothing_goes_in_an_outage(void **state)
{
	static const struct reply_for replies[] = { GIVES("a", "A1", VERSION),
						    FAILS("b", 404),
						    FAILS("c", 503),
						    { .name = NULL } };
	struct source *other;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sources_get(&sources, "other-kv", &other, &err), 0);
	configure("- objectName: a\n- objectName: b\n  optional: true\n"
		  "- objectName: c\n  vault: other-kv\n");
	sync_with(REPLIES(GIVES("a", "A1", VERSION), GIVES("b", "B1", VERSION),
			  GIVES("c", "C1", VERSION)));
	for (int i = 0; i < 8; i++) {
		sync_with(replies);
		now += POLL_INTERVAL_MS;
	}
	check_file("b", "B1");
}

static void configure_with_hsm(void)
{
	struct err err = { 0 };

	configure("- objectName: a\n- objectName: k\n  objectType: key\n"
		  "  vault: https://safe.managedhsm.azure.net\n");
	assert_int_equal(sources_add(&sources, &objects, &err), 0);
}

/* A round for a, and for a key of an HSM, whose token and whose replies come with these
 * statuses; 0: no token in time, or no connection. */
static void sync_with_hsm(int token, int hsm)
{
	struct round_work w = work();
	struct round *r;

	incidents_begin(&incidents);
	r = round_start(&w, now);
	while (!round_run(r, now)) {
		size_t silent = 0;

		if (net.count == (token == 0 ? 1 : 0))
			now = round_deadline(r);
		while (net.count > silent) {
			struct http_call *call = net.open[silent];
			bool of_hsm =
				strstr(call->form ? call->form : call->url, "managedhsm");
			int status = call->form ? token : call->bearer ? hsm : 401;

			if (!of_hsm && call->form == NULL)
				reply_to(call, both);
			else if (!of_hsm || (call->form && token == 200))
				net_answer(call, (struct answer){ .status = 200,
								  .body = TOKEN });
			else if (call->form && token == 0)
				silent++;
			else if (hsm == 0)
				net_break(call);
			else
				net_answer(call,
					   (struct answer){ .status = status,
							    .retry_after_ms = 60000 });
		}
	}
	round_end(r, now, &result);
	incidents_end(&incidents, now);
	now += POLL_INTERVAL_MS;
}

/* The token for one kind of vault tells nothing of the other's. */
static void test_two_tokens(void **state)
{
	(void)state;
	configure_with_hsm();
	sync_with_hsm(503, 404);
	check_holds("said", buf_str(&said), "what=token endpoint");
	sync_with_hsm(0, 0);
	check_holds("said", buf_str(&said), "what=vault 'safe'");
	assert_null(strstr(buf_str(&said), "recovered"));
	sync_with_hsm(200, 404);
	check_holds("said", buf_str(&said), "token endpoint no longer fails");
	check_holds("said", buf_str(&said), "vault 'safe' no longer fails");
}

static void test_one_token_refused(void **state)
{
	(void)state;
	configure_with_hsm();
	sync_with_hsm(400, 404);
	check_holds("said", buf_str(&said), "what=identity");
	sync_with_hsm(503, 404);
	assert_null(strstr(buf_str(&said), "recovered"));
}

static void test_worst(void **state)
{
	static const struct reply_for replies[] = {
		FAILS("a", 404),
		FAILS("b", 403),
		{ "c", .status = 503, .retry_after_ms = 30000 },
		{ .name = NULL },
	};

	(void)state;
	configure("a,b,c");
	sync_with(replies);
	assert_int_equal(result.failures.worst.kind, ERR_DENIED);
	assert_true(result.failures.try_soon);
	assert_int_equal(result.failures.vault_retry_after_ms, 30000);
}

/* What cannot be rendered is its object's failure. */
static void test_bad_encoding(void **state)
{
	static const struct reply_for replies[] = { GIVES("a", "A2", NEWER),
						    GIVES("b", "MARKER!", NEWER),
						    { .name = NULL } };

	(void)state;
	configure("- objectName: a\n- objectName: b\n  objectEncoding: base64\n");
	sync_with(REPLIES(GIVES("a", "A1", VERSION), GIVES("b", "QjE=", VERSION)));
	check_file("b", "B1");
	sync_with(replies);
	assert_true(published() && !all_well() && !result.failures.try_soon);
	assert_int_equal(result.failures.worst.kind, ERR_CONFIG);
	check_file("a", "A2");
	check_file("b", "B1");
	check_holds("said", buf_str(&said), "secret 'b': not standard base64");
}

/* Other options make a file anew, although the vault's version is the same. */
static void test_new_options(void **state)
{
	(void)state;
	sync_with(REPLIES(GIVES("a", "QQ==", VERSION), GIVES("b", "B1", VERSION)));
	configure("- objectName: a\n  objectEncoding: base64\n- objectName: b\n  "
		  "filePermission: 0400\n");
	assert_false(fits());
	sync_with(REPLIES(GIVES("a", "QQ==", VERSION), GIVES("b", "B1", VERSION)));
	assert_true(published());
	check_file("a", "A");
	assert_true(fits());
}

/* A pinned version that is on the volume is not asked for. */
static void test_pinned(void **state)
{
	(void)state;
	configure("- objectName: a\n  objectVersion: 0123456789ABCDEF0123456789ABCDEF\n");
	assert_int_equal(sync_with(both), 3);
	check_file("a", "A1");
	assert_int_equal(sync_with(nobody), 0);
	assert_true(all_well() && !published());
	/* Another pin is. */
	configure("- objectName: a\n  objectVersion: " NEWER "\n");
	sync_with(REPLIES(GIVES("a", "A2", NEWER)));
	check_file("a", "A2");
}

static void test_object_leaves(void **state)
{
	(void)state;
	sync_with(both);
	configure("a");
	assert_false(fits());
	sync_with(both);
	assert_true(published() && !first());
	check_file("a", "A1");
	check_file("b", "-");
	assert_true(fits());
}

/* An optional object that is gone keeps its file for three polls and three intervals;
 * rounds that follow each other at once do not make that shorter. */
static void test_optional_goes(void **state)
{
	const struct reply_for *gone =
		REPLIES(GIVES("a", "A1", VERSION), FAILS("b", 404));

	(void)state;
	configure("- objectName: a\n- objectName: b\n  optional: true\n");
	sync_with(both);
	for (int n = 0; n < 5; n++) {
		sync_with(gone);
		now -= POLL_INTERVAL_MS - 1000;
	}
	check_file("b", "B1");
	now += 3 * POLL_INTERVAL_MS - 5000 - 1000;
	sync_with(gone);
	check_file("b", "B1");
	now -= POLL_INTERVAL_MS - 1000;
	sync_with(gone);
	check_file("b", "-");
	check_file("a", "A1");
}

/* A failure is told once, its end too. */
static void test_told_once(void **state)
{
	static const struct reply_for replies[] = { FAILS("a", 503),
						    FAILS("b", 503),
						    { .name = NULL } };

	(void)state;
	sync_with(both);
	sync_with(replies);
	check_holds("said", buf_str(&said), "2 failure: ");
	check_holds("said", buf_str(&said), "the last good files stay");
	buf_done(&said);
	sync_with(replies);
	assert_null(strstr(buf_str(&said), "failure: "));
	sync_with(both);
	check_holds("said", buf_str(&said),
		    "1 recovered: vault 'shop-kv' no longer fails");
}

/* An object that leaves the list while it fails does not work again. */
static void test_told_of_leaving(void **state)
{
	(void)state;
	sync_with(both);
	sync_with(REPLIES(GIVES("a", "A1", VERSION), FAILS("b", 404)));
	buf_done(&said);
	configure("a");
	sync_with(both);
	check_holds("said", buf_str(&said), "1 withdrawn: b is no longer asked for");
	assert_null(strstr(buf_str(&said), "recovered"));
}

/* A secret that is called like the volume's incident, while both fail. */
static void test_told_of_namesakes(void **state)
{
	(void)state;
	configure("- objectName: a\n- objectName: publish\n  optional: true\n");
	volume_write(dir, "a", "in the way");
	sync_with(REPLIES(GIVES("a", "A1", VERSION), FAILS("publish", 404)));
	check_holds("said", buf_str(&said), "what=publish kind=object");
	check_holds("said", buf_str(&said), "what=publish kind=volume");
	assert_int_equal(unlinkat(publish_dir_fd(volume), "a", 0), 0);
	buf_done(&said);
	sync_with(REPLIES(GIVES("a", "A1", VERSION), FAILS("publish", 404)));
	check_holds("said", buf_str(&said),
		    "1 recovered: publish no longer fails, after 1 failure what=publish "
		    "kind=volume");
	assert_null(strstr(buf_str(&said), "kind=object"));
}

/* The volume refuses: told, and tried again. */
static void test_volume_fails(void **state)
{
	(void)state;
	volume_write(dir, "a", "in the way");
	sync_with(both);
	assert_false(published() || all_well());
	assert_true(result.failures.try_soon);
	assert_int_equal(result.failures.worst.kind, ERR_IO);
	check_holds("said", buf_str(&said), "what=publish");
	assert_int_equal(unlinkat(publish_dir_fd(volume), "a", 0), 0);
	sync_with(both);
	assert_true(published() && first());
}

/* A stop leaves nothing open; an end in mid-flight counts what is open as failed. */
static void test_stop(void **state)
{
	struct round_work w = work();
	struct round *r;

	(void)state;
	sync_with(both);
	r = round_start(&w, now);
	round_run(r, now);
	assert_int_equal(net.count, 2);
	round_free(r);
	assert_int_equal(net.count, 0);
	buf_done(&said);
	r = round_start(&w, now);
	round_run(r, now);
	round_end(r, now, &result);
	assert_int_equal(net.count, 0);
	assert_true(result.failures.try_soon && !published() && !all_well());
	check_holds("said", buf_str(&said), "no answer in time");
	check_file("a", "A1");
	round_free(NULL);
}

#define WITH_VOLUME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VOLUME(test_first_set),
		WITH_VOLUME(test_first_set_incomplete),
		WITH_VOLUME(test_frozen),
		WITH_VOLUME(test_two_vaults),
		WITH_VOLUME(test_nothing_goes_in_an_outage),
		WITH_VOLUME(test_two_tokens),
		WITH_VOLUME(test_one_token_refused),
		WITH_VOLUME(test_worst),
		WITH_VOLUME(test_bad_encoding),
		WITH_VOLUME(test_new_options),
		WITH_VOLUME(test_pinned),
		WITH_VOLUME(test_object_leaves),
		WITH_VOLUME(test_told_once),
		WITH_VOLUME(test_told_of_leaving),
		WITH_VOLUME(test_told_of_namesakes),
		WITH_VOLUME(test_optional_goes),
		WITH_VOLUME(test_volume_fails),
		WITH_VOLUME(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
