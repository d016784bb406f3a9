/* What templates and env files become of a set, onto a real volume. */
#include "fake_log.h"
#include "volume.h"

#include "sync/compose.h"

#define NUMBER 7

static char dir[64], env_dir[64];
static struct publish *volume;
static struct templates templates;
static struct composition made;
static struct incidents incidents;
static struct failures failures;

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	volume_make(env_dir);
	volume = volume_open(dir);
	failures = (struct failures){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	bool leaked = strstr(buf_str(&said), "MARKER") != NULL;

	(void)state;
	publish_close(volume);
	volume_remove(dir);
	volume_remove(env_dir);
	templates_done(&templates);
	incidents_done(&incidents);
	buf_done(&said);
	return leaked;
}

static void configure(const char *text, const char *env_files)
{
	struct err err = { 0 };

	templates_done(&templates);
	check_ok(text, templates_read(&templates, text, 0440, &err), &err);
	check_ok(text, templates_read_env_files(&templates, env_files, 0440, &err), &err);
}

/* A set with one object; value NULL: its file is carried forward. */
static bool sync_with(const char *value, const char *version, uint64_t number, bool as_is)
{
	struct publish_file *files = xgrow(NULL, 0, sizeof(*files));
	struct fate_facts facts = { .same_configuration = publish_fits(volume, number),
				    .first_set = publish_generation(volume) == NULL };
	struct err err = { 0 };
	enum publish_result result;
	size_t count = 1, changed = 0;
	bool is_new, held;

	files[0] = (struct publish_file){ .path = "db",
					  .mode = 0440,
					  .object = "o",
					  .version = version,
					  .options = "",
					  .data = value,
					  .len = value ? strlen(value) : 0,
					  .as_is = as_is };
	check_ok("look", publish_look(volume, &err), &err);
	compose_templates(&made, &templates, volume, &facts, &files, &count);
	is_new = made.count > 0 && made.items[0].is_new;
	held = made.held_by.kind != ERR_NONE;
	if (!held) {
		const struct publish_set set = { .files = files,
						 .count = count,
						 .configuration = number };

		check_ok("commit",
			 publish_commit(volume, &set, 0, &result, &changed, &err), &err);
	}
	compose_report(&made, true, &incidents, &failures, 0);
	composition_done(&made);
	free(files);
	return is_new && !held;
}

static void check_env_file(const char *want)
{
	char got[128];

	volume_read(env_dir, "app.env", got);
	assert_string_equal(got, want);
}

static void check_file(const char *name, const char *want)
{
	char got[128];

	volume_read(dir, name, got);
	assert_string_equal(got, want);
}

static void test_when_it_is_made_anew(void **state)
{
	(void)state;
	configure("- {path: url, text: 'a {{db}}'}", NULL);
	assert_true(sync_with("MARKER1", "1", NUMBER, false));
	check_file("url", "a MARKER1");
	assert_false(sync_with(NULL, "1", NUMBER, false));
	assert_false(sync_with("MARKER1", "1", NUMBER, false));
	assert_true(sync_with("MARKER2", "2", NUMBER, false));
	check_file("url", "a MARKER2");
	/* Of a file that is carried forward. */
	configure("- {path: url, text: 'b {{db}}'}", NULL);
	assert_true(sync_with(NULL, "2", NUMBER + 1, false));
	check_file("url", "b MARKER2");
	configure("- {path: url, text: 'b {{db}}', filePermission: '0400'}", NULL);
	assert_true(sync_with(NULL, "2", NUMBER + 2, false));
	assert_false(sync_with(NULL, "2", NUMBER + 2, false));
}

/* Another program changed what a template takes, and the vault does not answer. */
static void test_altered(void **state)
{
	char path[128];

	(void)state;
	configure("- {path: url, text: 'a {{db}}'}", NULL);
	assert_true(sync_with("MARKER1", "1", NUMBER, false));
	snprintf(path, sizeof(path), "%s/..data", dir);
	volume_write(path, "db", "MARKERX");
	assert_false(sync_with(NULL, "1", NUMBER, true));
	check_file("url", "a MARKER1");
	/* What was altered goes into nothing. */
	volume_write(path, "url", "MARKERY");
	assert_false(sync_with(NULL, "1", NUMBER, true));
	assert_int_equal(failures.worst.kind, ERR_IO);
	check_holds("cause", failures.worst.msg, "was changed or removed");
	check_file("url", "MARKERY");
	assert_true(sync_with("MARKER1", "1", NUMBER, false));
	check_file("url", "a MARKER1");
}

static void test_in_the_way(void **state)
{
	(void)state;
	configure("- {path: db, text: 'x'}", NULL);
	assert_false(sync_with("MARKER1", "1", NUMBER, false));
	check_holds("cause", failures.worst.msg, "in the way of its path");
	assert_null(publish_generation(volume));
}

static void test_env_files(void **state)
{
	auto_free char *list =
		xasprintf("- {path: %s/app.env, objects: [db, url]}", env_dir);

	(void)state;
	configure("- {path: url, text: 'a {{db}}'}", list);
	assert_true(sync_with("MARKER1", "1", NUMBER, false));
	/* Not for the set of another list. */
	assert_true(compose_write_env_files(&templates, volume, NUMBER + 1, &incidents,
					    &failures, 0));
	check_env_file("-");
	assert_true(compose_write_env_files(&templates, volume, NUMBER, &incidents,
					    &failures, 0));
	check_env_file("DB='MARKER1'\nURL='a MARKER1'\n");
	/* A value without a form stays out of it, and later holds up nothing. */
	sync_with("MARKER'2", "2", NUMBER, false);
	check_file("db", "MARKER'2");
	assert_false(compose_write_env_files(&templates, volume, NUMBER, &incidents,
					     &failures, 0));
	check_env_file("DB='MARKER1'\nURL='a MARKER1'\n");
	check_holds("cause", failures.worst.msg, "variable DB: file 'db' has a '");
	/* But it is not published for a new list. */
	sync_with("MARKER'3", "3", NUMBER + 1, false);
	check_file("db", "MARKER'2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_when_it_is_made_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_altered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_the_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_env_files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
