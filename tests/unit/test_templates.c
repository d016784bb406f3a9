/* Lists of templates and env files: what is refused, and that the text which a process
 * remembers stands for the same list. */
#include "unit.h"

#include "config/objects.h"
#include "config/references.h"

#define LIST "- objectName: db\n- objectName: api\n  objectAlias: keys/api\n"

static int parse(struct objects *out, const char *list, const char *templates,
		 const char *env_files, struct err *err)
{
	if (objects_parse(out, list, 0440, err) < 0)
		return -1;
	if (templates_read(&out->templates, templates, 0440, err) == 0 &&
	    templates_read_env_files(&out->templates, env_files, 0440, err) == 0 &&
	    references_check(out, err) == 0)
		return 0;
	objects_done(out);
	return -1;
}

static void test_read_back(void **state)
{
	static const struct {
		const char *templates, *env_files;
	} rows[] = {
		{ NULL, NULL },
		{ "- {path: a, text: 'x {{db|trim|url}} {{\"{{\"}}'}", NULL },
		{ "- {path: a/b, text: \"\", filePermission: '0400'}", NULL },
		{ "- {path: a, text: \"t\\u00fc\\n\\t\\\"x\\\"\\\\ \xc2\x85\"}", NULL },
		{ NULL, "- {path: /env/a, variables: {A: db, B: keys/api}}" },
		{ NULL, "- {path: /e/a, format: DOTENV, objects: [db, keys/api]}" },
		{ "- {path: a, text: x}\n- {path: b, text: y}",
		  "- {path: /env/a, objects: [a, b]}\n- {path: /env/b, objects: [b]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *row = xasprintf("row %zu", i);
		auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
		auto_buf struct buf again = BUF_INIT(OBJECTS_TEXT_MAX);
		struct objects all = { 0 }, back = { 0 };
		struct err err = { 0 };

		check_ok(row,
			 parse(&all, LIST, rows[i].templates, rows[i].env_files, &err),
			 &err);
		objects_write(&all, &text);
		check_ok(row, objects_read_back(&back, buf_str(&text), 0111, &err), &err);
		objects_write(&back, &again);
		check_text(row, buf_str(&again), buf_str(&text));
		check_int(row, back.templates.count, all.templates.count);
		check(row, objects_number(&back) == objects_number(&all));
		objects_done(&back);
		objects_done(&all);
	}
}

/* What is another list has another number. */
static void test_number(void **state)
{
	static const char *const rows[][2] = {
		{ NULL, NULL },
		{ "- {path: a, text: x}", NULL },
		{ "- {path: a, text: y}", NULL },
		{ "- {path: b, text: x}", NULL },
		{ "- {path: a, text: x, filePermission: '0400'}", NULL },
		{ NULL, "- {path: /e/a, variables: {A: db}}" },
		{ NULL, "- {path: /e/b, variables: {A: db}}" },
		{ NULL, "- {path: /e/a, variables: {B: db}}" },
		{ NULL, "- {path: /e/a, variables: {A: keys/api}}" },
		{ NULL, "- {path: /e/a, format: dotenv, variables: {A: db}}" },
		{ NULL, "- {path: /e/a, filePermission: '0400', variables: {A: db}}" },
	};
	uint64_t numbers[ARRAY_LEN(rows)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects all = { 0 };
		struct err err = { 0 };

		check_ok("number", parse(&all, LIST, rows[i][0], rows[i][1], &err), &err);
		numbers[i] = objects_number(&all);
		for (size_t j = 0; j < i; j++)
			check_int("number", numbers[i] == numbers[j], false);
		objects_done(&all);
	}
}

/* Which files of the list a template may name. */
static void test_names(void **state)
{
	static const struct {
		const char *list, *path;
		bool known;
	} rows[] = {
		{ "- {objectName: a}", "a", true },
		{ "- {objectName: a}", "b", false },
		{ "- {objectName: a}", "a.json", false },
		{ "- {objectName: a, metadata: true}", "a.json", true },
		{ "- {objectName: a, objectAlias: b/c}", "b/c", true },
		{ "- {objectName: a, objectAlias: b/c}", "a", false },
		{ "- {objectName: a, layout: split}", "a.crt", true },
		{ "- {objectName: a, layout: split}", "a.key", true },
		{ "- {objectName: a, layout: split}", "a", true },
		{ "- {objectName: a, layout: kubernetes.io/tls}", "a/tls.key", true },
		{ "- {objectName: a, layout: kubernetes.io/tls}", "a/tls.crt", true },
		{ "- {objectName: a, layout: kubernetes.io/tls}", "a/ca.crt", true },
		{ "- {objectName: a, layout: kubernetes.io/tls}", "a", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/1", true },
		{ "- {objectName: a, objectVersionHistory: 2}", "a", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "ab", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/2", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/00", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/x", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/1/x", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/1.key", false },
		{ "- {objectName: a, objectVersionHistory: 2}", "a/18446744073709551616",
		  false },
		{ "- {objectName: a, objectVersionHistory: 11, layout: split}",
		  "a/10.key", true },
		{ "- {objectName: a, objectVersionHistory: 2, metadata: true}",
		  "a/0.json", true },
		{ "- {objectNamePattern: 'app-*'}", "app-x", true },
		{ "- {objectNamePattern: 'app-*'}", "APP-x", true },
		{ "- {objectNamePattern: 'app-*'}", "app-x/y", false },
		{ "- {objectNamePattern: 'app-*'}", "app-x.key", false },
		{ "- {objectNamePattern: 'app-*'}", "app-x y", false },
		{ "- {objectNamePattern: '*'}", "x_y", false },
		{ "- {objectNamePattern: 'app-*', metadata: true}", "app-x.json", true },
		{ "- {objectNamePattern: 'app-*', objectAlias: d}", "d/", false },
		{ "- {objectNamePattern: 'app-*'}", "apx", false },
		{ "- {objectNamePattern: 'a', layout: split}", "a.key", true },
		{ "- {objectNamePattern: 'app-*', objectAlias: d}", "d/app-x", true },
		{ "- {objectNamePattern: 'app-*', objectAlias: d}", "app-x", false },
		{ "- {objectNamePattern: 'app-*', objectAlias: d}", "d", false },
		{ "- {tags: {env: prod}}", "x", true },
		{ "- {objectName: a, jmesPath: [{path: x, objectAlias: b/c}]}", "b/c",
		  true },
		{ "- {objectName: a, jmesPath: [{path: x, objectAlias: b}]}", "a", true },
		{ "- {objectName: a, jmesPath: [{path: x, objectAlias: b}]}", "c",
		  false },
		{ "- {objectName: a, excludeObjectName: true, jmesPath: [{path: x, "
		  "objectAlias: b}]}",
		  "a", false },
		{ "- {objectName: a, extract: all}", "any", true },
		{ "- {objectName: a, extract: all}", "an/y", true },
		{ "- {objectName: a, extract: all}", "an//y", false },
		{ "- {objectName: a, extract: all}", "../any", false },
		{ "- {objectName: a, extract: all}", "/any", false },
		{ "- {objectName: a, objectAlias: d/a, extract: all}", "d/", false },
		{ "- {objectName: a, objectAlias: d/a, extract: all}", "d/x", true },
		{ "- {objectName: a, objectAlias: d/a, extract: all}", "x", false },
		{ "- {objectName: a, objectAlias: d/a, extract: all}", "d/a", true },
		{ "- {tags: {env: prod}, objectAlias: d}", "x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *templates =
			xasprintf("[{path: out, text: '{{%s}}'}]", rows[i].path);
		auto_free char *row = xasprintf("%s: %s", rows[i].list, rows[i].path);
		struct objects all = { 0 };
		struct err err = { 0 };
		int result = parse(&all, rows[i].list, templates, NULL, &err);

		if (rows[i].known)
			check_ok(row, result, &err);
		else
			check_err(row, result, &err, ERR_CONFIG, "no object of the list");
		objects_done(&all);
	}
}

/* Also where an entry may make files of any name. */
static void test_of_itself(void **state)
{
	static const char *const lists[] = {
		"- {objectName: a}",
		"- {objectName: a, extract: all}",
		"- {objectNamePattern: '*'}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct objects all = { 0 };
		struct err err = { 0 };

		check_err(lists[i],
			  parse(&all, lists[i], "[{path: out, text: '{{out}}'}]", NULL,
				&err),
			  &err, ERR_CONFIG, "'out' is a template itself");
		check_ok(lists[i],
			 parse(&all, lists[i], "[{path: out, text: x}]",
			       "[{path: /env/app, objects: [out]}]", &err),
			 &err);
		objects_done(&all);
	}
}

static void test_in_the_way(void **state)
{
	static const struct {
		const char *path;
		bool taken;
	} rows[] = {
		{ "conf/app", true }, { "conf", true },    { "conf/app/x", true },
		{ "conf/ap", false }, { "conf/b", false }, { "confx", false },
		{ "env/app", false },
	};
	struct objects all = { 0 };
	struct err err = { 0 };

	(void)state;
	check_ok("list",
		 parse(&all, LIST, "- {path: conf/app, text: x}",
		       "- {path: /env/app, objects: [db]}", &err),
		 &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].path,
			  templates_in_the_way(&all.templates, rows[i].path) != NULL,
			  rows[i].taken);
	objects_done(&all);
}

static void test_bounds(void **state)
{
	auto_free char *large = xcalloc(1, TEMPLATES_TEXT_MAX + 2);
	auto_buf struct buf many = BUF_INIT(TEMPLATES_MAX * 40 + 40);
	struct template_file t = { 0 };
	struct templates all = { 0 };
	struct err err = { 0 };

	(void)state;
	memset(large, 'x', TEMPLATES_TEXT_MAX + 1);
	check_err("larger", templates_take_text(&t, large, &err), &err, ERR_CONFIG,
		  "larger than");
	large[TEMPLATES_TEXT_MAX] = '\0';
	check_ok("largest", templates_take_text(&t, large, &err), &err);
	check_err("latin-1", templates_take_text(&t, "\xe9", &err), &err, ERR_CONFIG,
		  "not UTF-8");
	check_text("stays", t.text, large);
	template_done(&t.body);
	free(t.text);
	for (int i = 0; i <= TEMPLATES_MAX; i++)
		buf_printf(&many, "- {path: a%d, text: x}\n", i);
	check_err("many", templates_read(&all, buf_str(&many), 0440, &err), &err,
		  ERR_CONFIG, "there are more than");
	templates_done(&all);
}

/* What is remembered has the texts of files.  Another program may have written this. */
static void test_a_remembered_file_is_refused(void **state)
{
	struct objects back = { 0 };
	struct err err = { 0 };

	(void)state;
	check_err("file",
		  objects_read_back(&back,
				    "{objects: [{objectName: a}], templates: [{path: t, "
				    "file: /x}]}",
				    0440, &err),
		  &err, ERR_CONFIG, "has no text");
	objects_done(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_remembered_file_is_refused),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
