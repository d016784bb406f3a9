/* What CMD would be given by the newest set: also while sets are replaced and removed. */
#include "fake_log.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "exec/values.h"

static char dir[64];
static int sets;

/* Publishes a set with one file, "a"; the set before goes at once. */
static void publish(const char *content)
{
	char name[96], path[256], link[80], old[96];
	ssize_t n;

	snprintf(link, sizeof(link), "%s/..data", dir);
	n = readlink(link, old, sizeof(old) - 1);
	snprintf(name, sizeof(name), "%s/..%d", dir, sets);
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(path, sizeof(path), "%s/a", name);
	if (content != NULL) {
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

		assert_int_equal(write(fd, content, strlen(content)), strlen(content));
		close(fd);
	}
	snprintf(name, sizeof(name), "%s/..new", dir);
	snprintf(path, sizeof(path), "..%d", sets++);
	assert_int_equal(symlink(path, name), 0);
	assert_int_equal(rename(name, link), 0);
	if (n > 0) {
		old[n] = '\0';
		snprintf(path, sizeof(path), "%s/%s/a", dir, old);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s", dir, old);
		rmdir(path);
	}
}

/* Stands between the opening of a set and the reading of its file. */
static const char *meanwhile;

int __real_volume_read(int set, const char *path, struct buf *out, struct err *err);
int __wrap_volume_read(int set, const char *path, struct buf *out, struct err *err);
int __wrap_volume_read(int set, const char *path, struct buf *out, struct err *err)
{
	const char *content = meanwhile;

	meanwhile = NULL;
	if (content != NULL)
		publish(content);
	return __real_volume_read(set, path, out, err);
}

/* Stands between the opening of a set and the list of its files. */
static const char *before_the_list;

int __real_volume_list(int set, struct volume_files *out, struct err *err);
int __wrap_volume_list(int set, struct volume_files *out, struct err *err);
int __wrap_volume_list(int set, struct volume_files *out, struct err *err)
{
	const char *content = before_the_list;

	before_the_list = NULL;
	if (content != NULL)
		publish(content);
	return __real_volume_list(set, out, err);
}

static const char *const env[] = { "A=akvsync:a", "PATH=/bin", NULL };
static const struct variables_rules rules = { .prefix = "" };

static int set_up(void **state)
{
	static struct values values;

	snprintf(dir, sizeof(dir), "/tmp/akvsync-values-XXXXXX");
	assert_non_null(mkdtemp(dir));
	values =
		(struct values){ .dir = dir, .env = (char *const *)env, .rules = &rules };
	values_init(&values);
	*state = &values;
	buf_done(&said);
	return 0;
}

static int tear_down(void **state)
{
	auto_free char *command = xasprintf("rm -rf %s", dir);

	values_done(*state);
	return system(command);
}

/* Gives CMD what the newest set has. */
static void give(struct values *v, const char *wanted)
{
	struct variables_made made;
	struct err err;

	check_ok(wanted, values_make(v, &made, &err), &err);
	check_text(wanted, made.env[0], wanted);
	variables_forget_values(&made);
	values_gave(v, &made);
}

static void test_changes(void **state)
{
	struct values *v = *state;

	publish("1");
	give(v, "A=1");
	assert_int_equal(values_look(v), VALUES_AS_GIVEN);
	publish("2");
	assert_int_equal(values_look(v), VALUES_CHANGED);
	assert_int_equal(values_look(v), VALUES_AS_SEEN);
	publish("3");
	assert_int_equal(values_look(v), VALUES_CHANGED);
	publish("1");
	assert_int_equal(values_look(v), VALUES_AS_GIVEN);
	publish("3");
	assert_int_equal(values_look(v), VALUES_CHANGED);
	values_told(v);
	assert_int_equal(values_look(v), VALUES_AS_GIVEN);
	publish("1");
	assert_int_equal(values_look(v), VALUES_CHANGED);
	assert_int_equal(said.len, 0);
}

static void test_a_set_that_does_not_fit(void **state)
{
	struct values *v = *state;

	publish("1");
	give(v, "A=1");
	publish("2");
	assert_int_equal(values_look(v), VALUES_CHANGED);
	publish(NULL);
	assert_int_equal(values_look(v), VALUES_AS_GIVEN);
	assert_int_equal(values_look(v), VALUES_AS_GIVEN);
	assert_string_equal(buf_str(&said),
			    "2 unusable: the newest set does not fit the command, which "
			    "goes on with the values that it has: A: there is no file "
			    "'a'\n");
	publish("2");
	assert_int_equal(values_look(v), VALUES_CHANGED);
}

static void test_a_set_that_is_replaced_while_it_is_read(void **state)
{
	struct values *v = *state;

	publish("1");
	meanwhile = "2";
	give(v, "A=2");
	meanwhile = "3";
	assert_int_equal(values_look(v), VALUES_CHANGED);
	assert_int_equal(said.len, 0);
}

static void test_a_set_that_is_removed_while_it_is_listed(void **state)
{
	const struct variables_rules all = { .prefix = "", .all = true };
	const char *const none[] = { NULL };
	struct values *v = *state;
	struct variables_made made;
	struct err err;

	v->rules = &all;
	v->env = (char *const *)none;
	publish("1");
	before_the_list = "2";
	check_ok("--all", values_make(v, &made, &err), &err);
	assert_int_equal(made.count, 1);
	check_text("--all", made.env[0], "A=2");
	variables_done(&made);
}

static void test_no_set(void **state)
{
	struct variables_made made;
	struct err err = { 0 };

	check_err("none", values_make(*state, &made, &err), &err, ERR_UNAVAILABLE,
		  "has no set any more");
	variables_done(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_set_that_does_not_fit, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_set_that_is_replaced_while_it_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_set_that_is_removed_while_it_is_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_set, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// LDFLAGS: -Wl,--wrap=volume_read -Wl,--wrap=volume_list
