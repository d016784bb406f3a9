// LDFLAGS: -Wl,--wrap=clock_now_ms
/* What is asked for: versions of one name that disagree, histories, selections, and lists
 * that do not end or do not come. */
#include "fake_log.h"
#include "source.h"

#include "config/objects.h"
#include "sync/plan.h"

#define AT(kind, name, version) VAULT "/" kind "/" name "/" version

static struct objects objects;
static struct plan plan;

static int set_up(void **state)
{
	memset(&plan, 0, sizeof(plan));
	return source_set_up(state);
}

static int tear_down(void **state)
{
	if (plan.sources != NULL)
		plan_free(&plan);
	objects_done(&objects);
	buf_done(&said);
	return source_tear_down(state);
}

/* For the next row. */
static void set_up_again(void **state)
{
	assert_int_equal(tear_down(state), 0);
	assert_int_equal(set_up(state), 0);
}

/* Starts, signs in, and comes to the requests that count. */
static void start(const char *list)
{
	struct err err = { 0 };

	check_ok(list, objects_parse(&objects, list, 0440, &err), &err);
	check_ok(list, sources_add(&sources, &objects, &err), &err);
	plan_start(&plan, &sources, &objects, NULL, now);
	assert_false(plan_run(&plan, now));
	for (size_t i = net.count; i > 0; i--)
		if (strstr(net.open[i - 1]->url, "/token") != NULL)
			grant("t1");
		else if (net.open[i - 1]->bearer == NULL)
			net_answer(net.open[i - 1],
				   (struct answer){ .status = 401,
						    .challenge = OWN_CHALLENGE });
	assert_false(plan_run(&plan, now));
}

static void answer(const char *part, const char *body)
{
	net_answer(net_find(part), (struct answer){ .status = 200, .body = body });
}

/* ---- versions that disagree ---- */

#define SECRET_OF(version, created)                                                      \
	"{\"value\":\"v\",\"kid\":\"k\",\"id\":\"" AT(                                   \
		"secrets", "web", version) "\",\"attributes\":{\"created\":" created     \
					   "}}"
#define CERTIFICATE_OF(version, created)                                                 \
	"{\"cer\":\"AA\",\"id\":\"" AT(                                                  \
		"certificates", "web",                                                   \
		version) "\",\"attributes\":{\"created\":" created "}}"

/* A certificate was renewed between the two requests: the older one is asked for again.
 */
static void test_older_is_asked_again(void **state)
{
	(void)state;
	start("cert/web=web.crt, web=web.pem");
	answer("/secrets/web", SECRET_OF(VERSION, "1"));
	answer("/certificates/web", CERTIFICATE_OF(NEWER, "2"));
	assert_false(plan_run(&plan, now));
	assert_int_equal(net.count, 1);
	answer("/secrets/web", SECRET_OF(NEWER, "2"));
	assert_true(plan_run(&plan, now));
	assert_string_equal(plan.tasks->value.got.version, NEWER);
	assert_string_equal(plan.tasks->next->value.got.version, NEWER);
}

/* Two that never agree are published as they are, after a few more requests. */
static void test_disagreement_without_end(void **state)
{
	int repeats = 0;

	(void)state;
	start("cert/web=web.crt, web=web.pem");
	answer("/certificates/web", CERTIFICATE_OF(NEWER, "2"));
	for (;;) {
		answer("/secrets/web", SECRET_OF(VERSION, "1"));
		if (plan_run(&plan, now))
			break;
		assert_true(++repeats < 10);
	}
	assert_int_equal(repeats, 2);
	assert_int_equal(net.count, 0);
}

/* ---- histories ---- */

#define LISTED(version, created)                                                         \
	"{\"id\":\"" AT("secrets", "h",                                                  \
			version) "\",\"attributes\":{\"created\":" created "}}"
#define CURRENT(version, created)                                                        \
	"{\"value\":\"v\",\"id\":\"" AT(                                                 \
		"secrets", "h", version) "\",\"attributes\":{\"created\":" created "}}"

/* The list knows a version that was made after the current one was read. */
static void test_history_with_a_newer_version(void **state)
{
	static const struct {
		const char *created; /* of the other version */
		const char *first;
	} rows[] = { { "1", VERSION }, { "3", NEWER } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *page =
			xasprintf("{\"value\":[" LISTED(VERSION, "2") "," LISTED(
					  NEWER, "%s") "],\"nextLink\":null}",
				  rows[i].created);

		start("- objectName: h\n  objectVersionHistory: 2\n");
		answer("/versions", page);
		answer("/secrets/h", CURRENT(VERSION, "2"));
		(void)plan_run(&plan, now);
		assert_int_equal(plan.task_count, 2);
		check_text(rows[i].created, plan.tasks->version, rows[i].first);
		check_text(rows[i].created, plan.tasks->path, "h/0");
		set_up_again(state);
	}
}

/* ---- selections ---- */

#define NAMED(name, enabled)                                                             \
	"{\"id\":\"" VAULT "/secrets/" name "\",\"attributes\":{\"enabled\":" enabled "}}"

/* What is disabled fails without a request, which would be refused. */
static void test_disabled_objects(void **state)
{
	(void)state;
	start("- objectNamePattern: '*'\n");
	answer("/secrets?", "{\"value\":[" NAMED("on", "true") "," NAMED(
				    "off", "false") "],\"nextLink\":null}");
	assert_false(plan_run(&plan, now));
	assert_int_equal(net.count, 1);
	give(net_secret("on", false), "v", VERSION);
	assert_true(plan_run(&plan, now));
	assert_string_equal(plan.tasks->name, "off");
	assert_int_equal(plan.tasks->err.kind, ERR_DENIED);
	check_holds("off", plan.tasks->err.msg, "disabled");
}

/* '-' and '.' stand before '/': one that is in the way is found behind them all the same.
 */
static void test_in_the_way_behind_names_that_begin_alike(void **state)
{
	static const char *const inner[] = { "a/c", "a/b/c" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inner); i++) {
		auto_free char *list = xasprintf(
			"- objectName: a-b\n- objectName: a-c\n- objectName: a-d\n"
			"- objectName: x\n  objectAlias: %s\n- objectNamePattern: a\n",
			inner[i]);
		const struct task *last;

		start(list);
		answer("/secrets?",
		       "{\"value\":[" NAMED("a", "true") "],\"nextLink\":null}");
		give(net_secret("a-b", false), "v", VERSION);
		give(net_secret("a-c", false), "v", VERSION);
		give(net_secret("a-d", false), "v", VERSION);
		give(net_secret("x", false), "v", VERSION);
		assert_true(plan_run(&plan, now)); /* "a" is not asked for */
		assert_int_equal(plan.task_count, 5);
		for (last = plan.tasks; last->next; last = last->next)
			;
		check_int(inner[i], last->err.kind, ERR_CONFIG);
		check_holds(inner[i], last->err.msg, "is in the way");
		set_up_again(state);
	}
}

/* ---- lists ---- */

static void test_pages_without_end(void **state)
{
	int pages = 0;

	(void)state;
	start("- objectNamePattern: '*'\n");
	while (net.count > 0) {
		auto_free char *body = xasprintf("{\"value\":[],\"nextLink\":\"" VAULT
						 "/secrets?page=%d\"}",
						 ++pages);

		assert_true(pages <= 10000);
		answer("/secrets?", body);
		(void)plan_run(&plan, now);
	}
	assert_true(pages > 1000); /* as many as a large vault has */
	assert_int_equal(plan.listings->err.kind, ERR_GARBLED);
	check_holds("pages", plan.listings->err.msg, "its pages have no end");
}

/* Before its last page has come a list is no list: nothing goes.  The time may be over
 * before the first page is looked at, too. */
static void test_list_that_does_not_come(void **state)
{
	enum { NO_PAGE, PAGE, PAGE_NOT_LOOKED_AT, CASES };

	(void)state;
	for (int come = NO_PAGE; come < CASES; come++) {
		start("- objectNamePattern: '*'\n");
		if (come != NO_PAGE)
			answer("/secrets?",
			       "{\"value\":[" NAMED("on", "true") "],"
								  "\"nextLink\":\"" VAULT
								  "/secrets?page=2\"}");
		if (come != PAGE_NOT_LOOKED_AT)
			(void)plan_run(&plan, now);
		plan_end(&plan);
		assert_int_equal(plan.listings->err.kind, ERR_UNAVAILABLE);
		check_holds("list", plan.listings->err.msg, "no answer in time");
		assert_null(plan.tasks);
		set_up_again(state);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static size_t rendered(void)
{
	size_t count = 0;

	for (const struct task *t = plan.tasks; t; t = t->next)
		count += t->has_new_files;
	return count;
}

/* Rendering takes its time, in which others have their turn; when the sync is cut, the
 * rest is rendered at once, as far as there is time: what is left over has failed. */
static void test_rendering_in_turns(void **state)
{
	static const struct {
		const char *row;
		int64_t takes_ms;
		size_t after[3];       /* how many are rendered after each call */
		size_t calls;          /* until the sync is cut; 0: it comes to its end */
		int64_t last_takes_ms; /* when it is cut */
		size_t in_the_end;
	} rows[] = {
		{ "quick", 0, { 3 }, 0, 0, 3 },
		{ "slow", 1000, { 1, 2, 3 }, 0, 0, 3 },
		{ "medium", 12, { 2, 3 }, 0, 0, 3 },
		{ "cut", 1000, { 1 }, 1, 0, 3 },
		{ "cut, a little slow", 1000, { 1 }, 1, 30, 3 },
		{ "cut, slow", 1000, { 1 }, 1, 300, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t calls = 0;
		bool done = false;

		set_up_again(state);
		start("a, b, c");
		give(net_secret("a", false), "1", VERSION);
		give(net_secret("b", false), "2", VERSION);
		give(net_secret("c", false), "3", VERSION);
		while (!done && (calls == 0 || calls != rows[i].calls)) {
			clock_step = rows[i].takes_ms;
			done = plan_run(&plan, now);
			clock_step = 0;
			check_int(rows[i].row, rendered(), rows[i].after[calls++]);
			check_int(rows[i].row, plan_deadline(&plan), now);
		}
		check_int(rows[i].row, done, rows[i].calls == 0);
		clock_step = rows[i].last_takes_ms;
		plan_end(&plan);
		clock_step = 0;
		check_int(rows[i].row, rendered(), rows[i].in_the_end);
		for (const struct task *t = plan.tasks; t; t = t->next)
			check(rows[i].row,
			      t->has_new_files || (t->err.kind == ERR_UNAVAILABLE &&
						   strstr(t->err.msg, "no time")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_older_is_asked_again),
		TEST(test_disagreement_without_end),
		TEST(test_history_with_a_newer_version),
		TEST(test_disabled_objects),
		TEST(test_in_the_way_behind_names_that_begin_alike),
		TEST(test_pages_without_end),
		TEST(test_list_that_does_not_come),
		TEST(test_rendering_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
