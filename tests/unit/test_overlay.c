/* The variables of a file and those of the environment: which of the two decides. */
#include "unit.h"

#include "config/overlay.h"
#include "config/variable.h"

static char vault[] = "AKVSYNC_VAULT=env",
	    objects[] = "AKVSYNC_OBJECTS=", client[] = "AZURE_CLIENT_ID=env",
	    other[] = "PATH=/bin";
static char *const env[] = { vault, objects, client, other, NULL };
static char *const none[] = { NULL };

static struct overlay make(void)
{
	struct overlay o = { .ignored = BUF_INIT(100) };

	overlay_set(&o, "AKVSYNC_VAULT", "file");
	overlay_set(&o, "AKVSYNC_OBJECTS", "file");
	overlay_set(&o, "AZURE_CLIENT_ID", "file");
	return o;
}

static void test_who_decides(void **state)
{
	static const struct {
		const char *name;
		bool over_env, over_none;
		const char *with_env, *with_none;
	} rows[] = {
		{ "AKVSYNC_VAULT", false, true, "env", "file" },
		/* An empty variable is an unset one. */
		{ "AKVSYNC_OBJECTS", true, true, "file", "file" },
		{ "AZURE_CLIENT_ID", true, true, "file", "file" },
		{ "PATH", false, false, "/bin", NULL },
		{ "AKVSYNC_DIR", false, false, NULL, NULL },
	};
	struct overlay o = make();
	char **with_env = overlay_environ(&o, env),
	     **with_none = overlay_environ(&o, none);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].name;

		check_int(name, overlay_decides(&o, name, env), rows[i].over_env);
		check_int(name, overlay_decides(&o, name, none), rows[i].over_none);
		check_text(name, variable_find(with_env, name), rows[i].with_env);
		check_text(name, variable_find(with_none, name), rows[i].with_none);
	}
	overlay_environ_free(with_env);
	overlay_environ_free(with_none);
	overlay_environ_free(NULL);
	overlay_done(&o);
	assert_int_equal(o.count, 0);
}

/* A variable that the file unsets is gone while the file decides the other one, too. */
static void test_unset(void **state)
{
	static char auth[] = "AKVSYNC_AUTH=env", id[] = "AZURE_CLIENT_ID=injected";
	static char *const injected[] = { id, NULL };
	static char *const overridden[] = { id, auth, NULL };
	static const struct {
		const char *row;
		char *const *env;
		bool sets, decides;
		const char *want;
	} rows[] = {
		{ "the file decides both", injected, true, true, NULL },
		{ "the environment decides the other", overridden, true, false,
		  "injected" },
		{ "the other is not in the file", injected, false, false, "injected" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct overlay o = { 0 };
		char **merged;

		if (rows[i].sets)
			overlay_set(&o, "AKVSYNC_AUTH", "file");
		overlay_unset(&o, "AZURE_CLIENT_ID", "AKVSYNC_AUTH");
		merged = overlay_environ(&o, rows[i].env);
		check_int(rows[i].row,
			  overlay_decides(&o, "AZURE_CLIENT_ID", rows[i].env),
			  rows[i].decides);
		check_text(rows[i].row, variable_find(merged, "AZURE_CLIENT_ID"),
			   rows[i].want);
		overlay_environ_free(merged);
		overlay_done(&o);
	}
}

static void test_ignored(void **state)
{
	struct overlay o = make();

	(void)state;
	assert_string_equal(buf_str(&o.ignored), "");
	overlay_ignore(&o, "a");
	overlay_ignore(&o, "b");
	assert_string_equal(buf_str(&o.ignored), "a, b");
	overlay_done(&o);
	assert_string_equal(buf_str(&o.ignored), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_decides),
		cmocka_unit_test(test_unset),
		cmocka_unit_test(test_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
