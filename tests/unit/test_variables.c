/* The environment of CMD: from where each variable comes, and what may not be. */
#include "unit.h"

#include "exec/variables.h"

/* A set of files: path, content. */
struct file {
	const char *path, *content;
	size_t len; /* 0: that of the text */
};

#define FILES_MAX 8

static int read_file(void *arg, const char *path, struct buf *out, struct err *err)
{
	for (const struct file *f = arg; f->path; f++)
		if (strcmp(f->path, path) == 0)
			return buf_add(out, f->content,
				       f->len ? f->len : strlen(f->content), err);
	return err_set(err, ERR_NOTFOUND, "there is no file '%s'", path);
}

static const struct digest_key key = { "k" };

static int make(struct variables_made *out, const char *const *env,
		const struct variables_rules *rules, const struct file *files,
		struct err *err)
{
	char *paths[FILES_MAX];
	struct volume_files list = { paths, 0 };

	for (const struct file *f = files; f->path; f++)
		paths[list.count++] = (char *)f->path;
	return variables_make(out, (char *const *)env, rules, &list, read_file,
			      (void *)files, &key, err);
}

static const struct file files[] = {
	{ "a", "1", 0 },
	{ "db/pw", "2\n", 0 },
	{ "path", "3", 0 },
	{ NULL, NULL, 0 },
};

static void test_sources(void **state)
{
	struct variables_wish wish = { (char *)"W", "akvsync:a" };
	struct variables_wish replace = { (char *)"P", "akvsync:a" };
	struct variables_wish identity = { (char *)"AZURE_CLIENT_ID", "akvsync:a" };
	const struct {
		const char *name;
		const char *env[7];
		struct variables_rules rules;
		const char *made[6], *given[6];
		const char *skipped;
	} rows[] = {
		{ "as it is",
		  { "A=x", "B=", "C", "A=y" },
		  { .prefix = "" },
		  { "A=x", "B=", "C", "A=y" },
		  { NULL },
		  "" },
		{ "references",
		  { "Z=akvsync:a", "P=p", "A=akvsync:db/pw" },
		  { .prefix = "" },
		  { "Z=1", "P=p", "A=2\n" },
		  { "A", "Z" },
		  "" },
		{ "trimmed",
		  { "A=akvsync:db/pw", "B=x\n" },
		  { .prefix = "", .trim_newline = true },
		  { "A=2", "B=x\n" },
		  { "A" },
		  "" },
		{ "an identity that others know",
		  { "MSI_SECRET=s", "MSI_ENDPOINT=e", "IDENTITY_SERVER_THUMBPRINT=t",
		    "AZURE_PASSWORD=p", "AZURE_USERNAME=u", "MSI_X=1" },
		  { .prefix = "" },
		  { "MSI_X=1" },
		  { NULL },
		  "" },
		{ "ours and an identity's",
		  { "AKVSYNC_X=1", "AZURE_CLIENT_SECRET=s", "IDENTITY_HEADER=h",
		    "AZURE_X=1", "AKVSYNC_Y=akvsync:a" },
		  { .prefix = "" },
		  { "AZURE_X=1" },
		  { NULL },
		  "" },
		{ "an identity that is kept",
		  { "AZURE_CLIENT_SECRET=s", "AKVSYNC_X=1" },
		  { .prefix = "", .keep_identity = true },
		  { "AZURE_CLIENT_SECRET=s" },
		  { NULL },
		  "" },
		{ "a reference for an identity",
		  { "AZURE_CLIENT_SECRET=akvsync:a" },
		  { .prefix = "" },
		  { "AZURE_CLIENT_SECRET=1" },
		  { "AZURE_CLIENT_SECRET" },
		  "" },
		{ "--env",
		  { "A=x" },
		  { .prefix = "", .wishes = &wish, .wish_count = 1 },
		  { "A=x", "W=1" },
		  { "W" },
		  "" },
		{ "--env in place of one",
		  { "P=x", "A=y" },
		  { .prefix = "", .wishes = &replace, .wish_count = 1 },
		  { "A=y", "P=1" },
		  { "P" },
		  "" },
		{ "--env in place of mistakes, and of one that is there twice",
		  { "P=akvsync:", "A=y", "P=akvsync:absent", "P=x", "P" },
		  { .prefix = "", .wishes = &replace, .wish_count = 1 },
		  { "A=y", "P=1" },
		  { "P" },
		  "" },
		{ "--env for an identity",
		  { "AZURE_CLIENT_ID=x" },
		  { .prefix = "", .wishes = &identity, .wish_count = 1 },
		  { "AZURE_CLIENT_ID=1" },
		  { "AZURE_CLIENT_ID" },
		  "" },
		{ "--all",
		  { "A=x" },
		  { .prefix = "", .all = true },
		  { "A=x", "DB_PW=2\n" },
		  { "DB_PW" },
		  "PATH (file 'path')" },
		{ "--all with a prefix",
		  { "A=x" },
		  { .prefix = "Q_", .all = true },
		  { "A=x", "Q_A=1", "Q_DB_PW=2\n", "Q_PATH=3" },
		  { "Q_A", "Q_DB_PW", "Q_PATH" },
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct variables_made made;
		struct err err;
		size_t n = 0;

		check_ok(rows[i].name,
			 make(&made, rows[i].env, &rows[i].rules, files, &err), &err);
		for (; rows[i].made[n]; n++)
			check_text(rows[i].name, made.env[n], rows[i].made[n]);
		check(rows[i].name, made.env[n] == NULL);
		for (n = 0; rows[i].given[n]; n++)
			check_text(rows[i].name, made.given[n].name, rows[i].given[n]);
		check_int(rows[i].name, made.given_count, n);
		check_text(rows[i].name, buf_str(&made.skipped), rows[i].skipped);
		variables_done(&made);
	}
}

static void test_names_that_all_never_sets(void **state)
{
	static const struct {
		const char *path;
		bool set;
	} rows[] = {
		{ "path", false },
		{ "home", false },
		{ "shell", false },
		{ "term", false },
		{ "user", false },
		{ "ifs", false },
		{ "ld-preload", false },
		{ "ld/library.path", false },
		{ "lc-all", false },
		{ "glibc.tunables", false },
		{ "xdg/data", false },
		{ "akvsync-dir", false },
		{ "azure/client", false },
		{ "paths", true },
		{ "ld", true },
		{ "home2", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct file one[] = { { rows[i].path, "v", 0 }, { NULL, NULL, 0 } };
		const struct variables_rules rules = { .prefix = "", .all = true };
		const char *const env[] = { NULL };
		struct variables_made made;
		struct err err;

		check_ok(rows[i].path, make(&made, env, &rules, one, &err), &err);
		check_int(rows[i].path, made.given_count, rows[i].set);
		check_int(rows[i].path, made.skipped.len > 0, !rows[i].set);
		variables_done(&made);
	}
}

static void test_mistakes(void **state)
{
	static char longest[128 * 1024];
	struct variables_wish twice[] = { { (char *)"A", "akvsync:a" },
					  { (char *)"A", "akvsync:b" } };
	struct variables_wish plain = { (char *)"A", "a" };
	struct variables_wish own = { (char *)"AKVSYNC_A", "akvsync:a" };
	struct variables_wish odd = { (char *)"A-B", "akvsync:a" };
	struct variables_wish digit = { (char *)"1", "akvsync:a" };
	const struct {
		const char *env;
		struct variables_rules rules;
		struct file files[3];
		enum err_kind kind;
		const char *says;
	} rows[] = {
		{ "A=akvsync:b",
		  { .prefix = "" },
		  { { "a", "x", 0 } },
		  ERR_NOTFOUND,
		  "A: there is no file 'b'" },
		{ "A=akvsync:pasword",
		  { .prefix = "" },
		  { { "password", "x", 0 } },
		  ERR_NOTFOUND,
		  "did you mean 'password'?" },
		{ "A=akvsync:a",
		  { .prefix = "" },
		  { { "a", "x\0y", 3 } },
		  ERR_CONFIG,
		  "A: 'a' holds a NUL byte" },
		{ "A=akvsync:a",
		  { .prefix = "" },
		  { { "a", longest, sizeof(longest) - 2 } },
		  ERR_CONFIG,
		  "is too long" },
		{ "A=akvsync:a#k",
		  { .prefix = "" },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "it is not JSON" },
		{ "A=akvsync:",
		  { .prefix = "" },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "A: the reference names no file" },
		{ "X=",
		  { .prefix = "", .wishes = twice, .wish_count = 2 },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "A: --env names it 2 times" },
		{ "X=",
		  { .prefix = "", .wishes = &plain, .wish_count = 1 },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "A: --env takes a reference" },
		{ "X=",
		  { .prefix = "", .wishes = &own, .wish_count = 1 },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "are never given to CMD" },
		{ "X=",
		  { .prefix = "", .wishes = &odd, .wish_count = 1 },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "A-B: a variable's name" },
		{ "X=",
		  { .prefix = "", .wishes = &digit, .wish_count = 1 },
		  { { "a", "x", 0 } },
		  ERR_CONFIG,
		  "1: a variable's name" },
		{ "X=",
		  { .prefix = "", .all = true },
		  { { "a-b", "x", 0 }, { "a.b", "x", 0 } },
		  ERR_CONFIG,
		  "A_B: --all finds two files with this name, 'a-b' and 'a.b'" },
		{ "X=",
		  { .prefix = "", .all = true },
		  { { "1a", "x", 0 } },
		  ERR_CONFIG,
		  "1A: --all makes this name" },
		/* The most actionable kind, and all of them. */
		{ "A=akvsync:b",
		  { .prefix = "", .wishes = &plain, .wish_count = 1, .all = true },
		  { { "1a", "x", 0 } },
		  ERR_CONFIG,
		  "2 variables cannot be set: A: " },
	};

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const env[] = { rows[i].env, NULL };
		struct variables_made made;
		struct err err = { 0 };

		check_err(rows[i].env,
			  make(&made, env, &rows[i].rules, rows[i].files, &err), &err,
			  rows[i].kind, rows[i].says);
		variables_done(&made);
	}
}

/* "A=", the value and the NUL. */
static void test_the_longest_value(void **state)
{
	static char longest[128 * 1024];
	const struct file one[] = { { "a", longest, sizeof(longest) - 3 },
				    { NULL, NULL, 0 } };
	const struct variables_rules rules = { .prefix = "" };
	const char *const env[] = { "A=akvsync:a", NULL };
	struct variables_made made;
	struct err err;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(make(&made, env, &rules, one, &err), 0);
	assert_int_equal(strlen(made.env[0]) + 1, 128 * 1024);
	variables_done(&made);
}

static void test_all_is_said(void **state)
{
	const struct variables_rules rules = { .prefix = "" };
	const char *env[61] = { NULL };
	char text[60][32];
	struct variables_made made;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		snprintf(text[i], sizeof(text[i]), "V%zu=akvsync:none-%zu", i, i);
		env[i] = text[i];
	}
	assert_int_equal(make(&made, env, &rules, files, &err), -1);
	assert_int_equal(made.faults.count, 60);
	assert_non_null(strstr(faults_list(&made.faults), "none-59'"));
	assert_int_equal(faults_list(&made.faults)[made.faults.list.len - 1], ']');
	variables_done(&made);
}

static void test_changed(void **state)
{
	static const struct {
		const char *before[4], *now[4], *names;
	} rows[] = {
		{ { "A=akvsync:a" }, { "A=akvsync:a" }, "" },
		{ { "A=akvsync:a" }, { "A=akvsync:path" }, "A" },
		{ { "A=akvsync:a", "B=akvsync:a" }, { "B=akvsync:a" }, "A" },
		{ { "B=akvsync:a" }, { "C=akvsync:a", "A=akvsync:a" }, "A, B, C" },
		{ { NULL }, { "A=akvsync:a" }, "A" },
		{ { "A=akvsync:a", "B=akvsync:a" },
		  { "B=akvsync:a", "A=akvsync:a" },
		  "" },
		{ { "A=x" }, { "A=y" }, "" },
	};
	const struct variables_rules rules = { .prefix = "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf names = BUF_INIT(64);
		struct variables_made before, now;
		struct err err;

		assert_int_equal(make(&before, rows[i].before, &rules, files, &err), 0);
		assert_int_equal(make(&now, rows[i].now, &rules, files, &err), 0);
		check_int(rows[i].names, variables_changed(&before, &now, &names) > 0,
			  *rows[i].names != '\0');
		check_text(rows[i].names, buf_str(&names), rows[i].names);
		variables_done(&before);
		variables_done(&now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_names_that_all_never_sets),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_the_longest_value),
		cmocka_unit_test(test_all_is_said),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
