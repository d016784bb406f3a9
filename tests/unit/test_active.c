/* The active list of objects and the next one: when a list that was read takes over, what
 * the rounds of both share, and how often the next one is tried. */
#include "fake_log.h"
#include "volume.h"

#include "run/active.h"

#define GUID "33333333-3333-3333-3333-333333333333"
#define POLL_MS 60000
#define LIST(names) "vault: shop-kv\npollInterval: 1m\nobjects: " names "\n"

static char dir[64];
static char *env[8];
static struct publish *volume;
static struct configuration started;
static struct sources sources;
static struct active active;
static struct confine confine;
static struct jitter jitter = { 1 };

static void set_env(size_t i, const char *name, const char *value)
{
	free(env[i]);
	env[i] = xasprintf("%s=%s", name, value);
}

static int set_up(void **state)
{
	struct err err = { 0 };
	struct source *source;
	char path[128];

	(void)state;
	volume_make(dir);
	snprintf(path, sizeof(path), "%s/config.yaml", dir);
	set_env(0, "AKVSYNC_CONFIG", path);
	set_env(1, "AKVSYNC_DIR", dir);
	set_env(2, "AZURE_CLIENT_ID", GUID);
	set_env(3, "AZURE_TENANT_ID", GUID);
	set_env(4, "AZURE_FEDERATED_TOKEN_FILE", "/token");
	volume_write(dir, "config.yaml", LIST("a"));
	check_ok("start", configuration_load(&started, env, true, &err), &err);
	sources = (struct sources){ .cloud = cloud_at(0), .jitter = &jitter };
	check_ok("vault", sources_get(&sources, "shop-kv", &source, &err), &err);
	active_init(&active, &started);
	active.confine = &confine;
	volume = volume_open(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	active_done(&active);
	sources_done(&sources);
	configuration_done(&started);
	publish_close(volume);
	volume_remove(dir);
	buf_done(&said);
	for (size_t i = 0; i < ARRAY_LEN(env); i++) {
		free(env[i]);
		env[i] = NULL;
	}
	return 0;
}

/* A set with this number and list, as an earlier round left it. */
static void publish(uint64_t number, const char *list)
{
	struct publish_file file = volume_file("a", "1", "A");
	struct publish_set set = {
		.files = &file, .count = 1, .configuration = number, .list = list
	};
	enum publish_result result;
	struct err err = { 0 };
	size_t changed;

	check_ok("publish", publish_commit(volume, &set, 0, &result, &changed, &err),
		 &err);
}

/* The file now says this. */
static bool reload(const char *text)
{
	struct notify *notify = NULL;
	bool taken;

	volume_write(dir, "config.yaml", text);
	active.file_changed = true;
	taken = active_reload(&active, &sources, volume, &notify);
	notify_free(notify);
	return taken;
}

static struct round_result outcome(enum round_outcome is, bool try_soon, int delay_ms)
{
	struct round_result r = { .outcome = is };

	r.failures.try_soon = try_soon;
	r.failures.vault_retry_after_ms = delay_ms;
	return r;
}

/* What has files on the volume stays active until the next list has, too. */
static void test_next_list_waits(void **state)
{
	struct round_result held = outcome(ROUND_HELD, true, 0);
	struct round_result well = outcome(ROUND_UNCHANGED, false, 0);
	struct round_result replaced = outcome(ROUND_REPLACED, false, 0);
	uint64_t first;

	(void)state;
	first = active.list.number;
	publish(first, active.list.text);
	assert_true(reload(LIST("b")));
	assert_int_equal(active.state, ACTIVE_TRYING_NEXT);
	assert_int_equal(active.list.number, first);
	assert_int_not_equal(active.next.number, first);
	assert_true(active_judge(&active, &held, &jitter, 0)); /* now the active one */
	assert_int_equal(active.state, ACTIVE_SERVING);
	assert_false(active_judge(&active, &well, &jitter, 0));
	assert_int_equal(active.list.number, first);
	assert_false(active_judge(&active, &replaced, &jitter, 0));
	assert_int_equal(active.state, ACTIVE_STEADY);
	assert_int_not_equal(active.list.number, first);
}

/* There is nothing that an earlier list could keep up to date. */
static void test_list_without_a_set(void **state)
{
	uint64_t first;

	(void)state;
	first = active.list.number;
	assert_true(reload(LIST("b")));
	assert_int_equal(active.state, ACTIVE_STEADY);
	assert_int_not_equal(active.list.number, first);
	/* A set of yet another list is none of its own. */
	publish(first, NULL);
	assert_true(reload(LIST("c")));
	assert_int_equal(active.state, ACTIVE_STEADY);
}

/* How long until the next try, when the active list needs nothing. */
static int pause_after(int named_ms)
{
	struct round_result held = outcome(ROUND_HELD, true, named_ms);
	struct round_result well = outcome(ROUND_UNCHANGED, false, 0);

	assert_true(active_judge(&active, &held, &jitter, 0));
	assert_false(active_judge(&active, &well, &jitter, 0));
	assert_true(well.failures.try_soon);
	return well.failures.vault_retry_after_ms;
}

/* A vault that does not exist looks like one that is down: each try asks for both lists,
 * so the pauses grow, as far as to the poll interval. */
static void test_pauses(void **state)
{
	int most = 0;

	(void)state;
	publish(active.list.number, active.list.text);
	assert_true(reload(LIST("b")));
	assert_true(pause_after(50000) >= 50000);
	for (int i = 0; i < 50; i++) {
		int pause_ms = pause_after(0);

		assert_in_range(pause_ms, 1000, POLL_MS);
		most = pause_ms > most ? pause_ms : most;
	}
	assert_true(most > 10000);
	/* Another list is tried at once again. */
	assert_true(reload(LIST("c")));
	assert_in_range(pause_after(0), 1000, 3000);
}

/* A list is remembered only with the set that was made for it. */
static void test_remembered(void **state)
{
	static const char other[] = "[{\"objectName\":\"x\",\"objectType\":\"secret\"}]";
	struct objects objects;
	struct err err = { 0 };
	uint64_t first;

	(void)state;
	first = active.list.number;
	assert_false(active_remember(&active, &sources, volume)); /* no set */
	publish(first, active.list.text);
	assert_false(active_remember(&active, &sources, volume)); /* the same list */
	publish(first + 1, other);
	assert_false(active_remember(&active, &sources, volume)); /* not its number */
	publish(first + 1, "garbage: [");
	assert_false(active_remember(&active, &sources, volume));
	assert_int_equal(active.list.number, first);
	assert_int_equal(active.state, ACTIVE_STEADY);
	check_ok("other", objects_parse(&objects, other, 0440, &err), &err);
	publish(objects_number(&objects), other);
	assert_true(active_remember(&active, &sources, volume));
	assert_int_equal(active.list.number, objects_number(&objects));
	assert_int_equal(active.next.number, first);
	assert_int_equal(active.state, ACTIVE_TRYING_NEXT);
	objects_done(&objects);
}

/* Whoever edits an interval does not give a vanished object three more polls. */
static void test_absences(void **state)
{
	(void)state;
	publish(active.list.number, active.list.text);
	absences_begin(&active.list.absences, 0, POLL_MS);
	absences_count(&active.list.absences, "a");
	absences_end(&active.list.absences);
	assert_true(reload("pollInterval: 2m\nvault: shop-kv\nobjects: a\n"));
	assert_int_equal(active_settings(&active)->poll_interval_ms, 2 * POLL_MS);
	assert_int_equal(active.list.absences.count, 1);
}

/* The rounds of both lists are one poll: what failed in the first is not yet over. */
static void test_incidents(void **state)
{
	struct round_result held = outcome(ROUND_HELD, true, 0);
	struct err err = { 0 };

	(void)state;
	publish(active.list.number, active.list.text);
	assert_true(reload(LIST("b")));
	active_work(&active, &sources, volume, NULL);
	err_set(&err, ERR_DENIED, "403");
	incidents_report(&active.incidents, LOG_WARN, INCIDENT_OBJECT, "b", &err, "", 0);
	assert_true(active_judge(&active, &held, &jitter, 0));
	active_work(&active, &sources, volume, NULL);
	assert_int_equal(active.incidents.items[0]->mark, INCIDENT_FAILS);
}

/* What a running process cannot take over, and what is no configuration. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "retain: 1h\n" LIST("b"), "AKVSYNC_RETAIN has changed" },
		{ "objects: [\n", "a restart with this file would fail" },
		{ LIST("b") "notify: sing=HUP\n", "AKVSYNC_NOTIFY" },
	};
	uint64_t first;

	(void)state;
	first = active.list.number;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_done(&said);
		check_int(rows[i].text, reload(rows[i].text), false);
		check_holds(rows[i].text, buf_str(&said), rows[i].says);
		check_holds(rows[i].text, buf_str(&said), "configuration-refused");
		check_int(rows[i].text, active.list.number == first, true);
	}
}

#define WITH_VOLUME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VOLUME(test_next_list_waits), WITH_VOLUME(test_list_without_a_set),
		WITH_VOLUME(test_pauses),          WITH_VOLUME(test_remembered),
		WITH_VOLUME(test_absences),        WITH_VOLUME(test_incidents),
		WITH_VOLUME(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
