/* The YAML that people write: what the tree looks like, and what is refused. */
#include "unit.h"

#include "base/buf.h"
#include "base/json.h"
#include "config/yaml.h"

/* The tree as one line: [a,{k:v}]. */
static void draw(const struct yaml *node, struct buf *out)
{
	if (node->key)
		buf_printf(out, "%s:", node->key);
	if (node->type == YAML_SCALAR) {
		buf_text(out, node->text);
		return;
	}
	buf_text(out, node->type == YAML_LIST ? "[" : "{");
	for (const struct yaml *n = node->first; n; n = n->next) {
		draw(n, out);
		buf_text(out, n->next ? "," : "");
	}
	buf_text(out, node->type == YAML_LIST ? "]" : "}");
}

static void test_trees(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "a", "a" },
		{ "- a\n- b\n", "[a,b]" },
		{ "k: v\nl: w", "{k:v,l:w}" },
		{ "[\"a\", {\"k\": [1, 2]}]", "[a,{k:[1,2]}]" },
		{ "---\n- a\n...\n", "[a]" },
		{ "# comment\nk: v # more", "{k:v}" },
		{ "[]", "[]" },
		{ "{}", "{}" },
		/* Scalars keep their text. */
		{ "[0755, 1e5, yes, Null, 0x1F, 1_000]",
		  "[0755,1e5,yes,Null,0x1F,1_000]" },
		{ "[null, ~, 'null', \"~\"]", "[,,null,~]" },
		{ "k:", "{k:}" },
		{ "array:\n  - |\n    objectName: a\n    filePermission: 0400\n",
		  "{array:[objectName: a\nfilePermission: 0400\n]}" },
		{ "k: >-\n  folded\n  text", "{k:folded text}" },
		{ "{a: 1, A: 2}", "{a:1,A:2}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf drawn = BUF_INIT(1000);
		struct yaml *tree = NULL;
		struct err err = { 0 };

		check_ok(rows[i].text,
			 yaml_tree_load(rows[i].text, strlen(rows[i].text), &tree, &err),
			 &err);
		draw(tree, &drawn);
		yaml_tree_free(tree);
		check_text(rows[i].text, buf_str(&drawn), rows[i].want);
	}
	yaml_tree_free(NULL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *cause;
	} rows[] = {
		{ "", "empty" },
		{ "  \n# only a comment\n", "empty" },
		{ "[a", "YAML line" },
		{ "a: b: c", "YAML line 1" },
		{ "\tk: v", "YAML line 1" },
		{ "ok: 1\n'open", "YAML line 2" },
		{ "k: \"\\q\"", "YAML line 1" },
		{ "k: \xff", "YAML line" }, /* not UTF-8 */
		{ "k: \x01", "YAML line" },
		{ "k: \"a\\0b\"", "NUL" },
		{ "\"k\\0l\": v", "NUL" },
		/* Anchors, aliases and tags, on every kind of node. */
		{ "- &a b\n- *a", "line 1: anchors and tags" },
		{ "- &a [b]", "anchors and tags" },
		{ "- &a {b: c}", "anchors and tags" },
		{ "&a k: v", "anchors and tags" },
		{ "k: !!str v", "anchors and tags" },
		{ "k: !!binary aGk=", "anchors and tags" },
		{ "k: !local [v]", "anchors and tags" },
		{ "k: !!map {a: b}", "anchors and tags" },
		{ "!!str k: v", "anchors and tags" },
		{ "- a\n- *nowhere", "line 2: aliases" },
		{ "*k : v", "a key must be plain text" },
		{ "k: v\nl: w\nk: x", "line 3: key 'k' stands twice" },
		{ "[{\"k\":1,\"k\":1}]", "stands twice" },
		{ "? [a]\n: b", "a key must be plain text" },
		{ "? {a: b}\n: c", "a key must be plain text" },
		{ "a\n---\nb", "only one document" },
		{ "a\n...\nb", "YAML line" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml *tree = NULL;
		struct err err = { 0 };

		check_err(rows[i].text,
			  yaml_tree_load(rows[i].text, strlen(rows[i].text), &tree, &err),
			  &err, ERR_CONFIG, rows[i].cause);
		check(rows[i].text, tree == NULL);
	}
}

/* n times open, then n times close. */
static int load_nested(char open, char close, size_t n, struct err *err)
{
	struct yaml *tree = NULL;
	auto_free char *text = xcalloc(1, 2 * n + 1);
	int result;

	memset(text, open, n);
	memset(text + n, close, n);
	result = yaml_tree_load(text, 2 * n, &tree, err);
	yaml_tree_free(tree);
	return result;
}

static void test_depth(void **state)
{
	struct err err = { 0 };

	(void)state;
	check_ok("17 levels", load_nested('[', ']', 17, &err), &err);
	check_err("18 levels", load_nested('[', ']', 18, &err), &err, ERR_CONFIG,
		  "nested too deeply");
	check_err("many", load_nested('[', ']', 100000, &err), &err, ERR_CONFIG,
		  "nested too deeply");
	check_err("maps", load_nested('{', '}', 1000, &err), &err, ERR_CONFIG,
		  "YAML line 1");
}

static int load_list(size_t items, struct err *err)
{
	struct buf text = BUF_INIT(2 * 1024 * 1024);
	struct yaml *tree = NULL;
	int result;

	for (size_t i = 0; i < items; i++)
		buf_text(&text, "- a\n");
	result = yaml_tree_load(buf_str(&text), text.len, &tree, err);
	yaml_tree_free(tree);
	buf_done(&text);
	return result;
}

static void test_size(void **state)
{
	struct err err = { 0 };

	(void)state;
	check_ok("50,000 items", load_list(50000, &err), &err);
	check_err("too many items", load_list(50001, &err), &err, ERR_CONFIG, "too long");
	check_err("too large", load_list(300000, &err), &err, ERR_CONFIG, "larger than");
}

static void test_lines(void **state)
{
	static const char text[] = "# one\na: 1\nb:\n  - x\n  - y\n";
	struct yaml *tree = NULL;
	struct err err = { 0 };

	(void)state;
	check_ok(text, yaml_tree_load(text, strlen(text), &tree, &err), &err);
	assert_int_equal(tree->first->line, 2);
	assert_int_equal(tree->first->next->first->next->line, 5);
	yaml_tree_free(tree);
}

/* What is written is read back, and is JSON where a key is not too long. */
static void test_written(void **state)
{
	static const char *const rows[] = {
		"",
		"plain text / 'quoted' # no comment: - ? & * !",
		"null",
		"~",
		" leading and trailing ",
		"\"\\",
		"a\nb\r\n\tc\v\f\b\a\x1b",
		"\x7f",
		"\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0",
		"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
		"\xed\x9f\xbf\xee\x80\x80",
		"\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf",
		"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
		"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x91",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf out = BUF_INIT(1000);
		auto_json struct json *json = NULL;
		struct yaml *tree = NULL;
		struct err err = { 0 };

		buf_text(&out, "{");
		yaml_write_key(&out, rows[i]);
		yaml_write_text(&out, rows[i]);
		buf_text(&out, "}");
		check_ok(rows[i], yaml_tree_load(out.data, out.len, &tree, &err), &err);
		check_text(rows[i], tree->first->key, rows[i]);
		check_text(rows[i], tree->first->text, rows[i]);
		yaml_tree_free(tree);
		check_ok(rows[i], json_parse(out.data, out.len, &json, &err), &err);
		check_text(rows[i], json_string(json, rows[i]), rows[i]);
	}
}

/* One map whose key has so many characters, each of which is written as c. */
static void check_long_key(size_t length, const char *c)
{
	auto_buf struct buf out = BUF_INIT(64 * 1024), key = BUF_INIT(64 * 1024);
	struct yaml *tree = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < length; i++)
		buf_text(&key, c);
	buf_text(&out, "[{");
	yaml_write_key(&out, buf_str(&key));
	yaml_write_text(&out, buf_str(&key));
	buf_text(&out, ",");
	yaml_write_key(&out, "next");
	yaml_write_text(&out, "x");
	buf_text(&out, "}]");
	check_ok(c, yaml_tree_load(out.data, out.len, &tree, &err), &err);
	check_text(c, tree->first->first->key, buf_str(&key));
	check_text(c, tree->first->first->text, buf_str(&key));
	check_text(c, tree->first->first->next->key, "next");
	yaml_tree_free(tree);
}

static void test_long_keys(void **state)
{
	static const char *const rows[] = { "x", "\"", "\x01", "\xc3\xa9",
					    "\xe2\x80\xa8" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_long_key(512, rows[i]);
		for (size_t length = 990; length < 1030; length++)
			check_long_key(length, rows[i]);
		check_long_key(4096, rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),     cmocka_unit_test(test_size),
		cmocka_unit_test(test_lines),     cmocka_unit_test(test_written),
		cmocka_unit_test(test_long_keys),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
