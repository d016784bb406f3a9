/* The YAML that people write: what the tree looks like, and what is refused. */
#include "unit.h"

#include "base/buf.h"
#include "base/json.h"
#include "config/yaml.h"
#include "config/yaml_write.h"

/* The tree as one line: [a,{k:v}]; a null is ~. */
static void draw(const struct yaml *node, struct buf *out)
{
	if (node->key)
		buf_printf(out, "%s:", node->key);
	if (node->type == YAML_SCALAR) {
		check(node->text, !node->null || *node->text == '\0');
		buf_text(out, node->null ? "~" : node->text);
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
		{ "[0755, 1e5, yes, nULL, 0x1F, 1_000]",
		  "[0755,1e5,yes,nULL,0x1F,1_000]" },
		{ "[null, Null, NULL, ~, 'null', '']", "[~,~,~,~,null,]" },
		{ "- a\n-\n- b", "[a,~,b]" },
		{ "k:", "{k:~}" },
		{ "k: |-\n  ~", "{k:~}" },
		{ "~: a\nnull: b\n? \n: c", "{~:a,null:b,:c}" },
		{ "array:\n  - |\n    objectName: a\n    filePermission: 0400\n",
		  "{array:[objectName: a\nfilePermission: 0400\n]}" },
		{ "k: >-\n  folded\n  text", "{k:folded text}" },
		{ "{a: 1, A: 2}", "{a:1,A:2}" },
		/* Anchors and aliases, on every kind of node. */
		{ "- &a b\n- *a", "[b,b]" },
		{ "- &a [b, {c: d}]\n- *a", "[[b,{c:d}],[b,{c:d}]]" },
		{ "k: &a {b: c}\nl: *a", "{k:{b:c},l:{b:c}}" },
		{ "- &a ~\n- *a", "[~,~]" },
		{ "&a k: v\nl: *a", "{k:v,l:k}" },
		{ "- &a k\n- *a : v", "[k,{k:v}]" },
		{ "- &a 1\n- &a 2\n- *a", "[1,2,2]" },
		{ "- &a [&b c]\n- *b\n- *a", "[[c],c,[c]]" },
		/* Merge keys: the map's own members win, then the earlier ones. */
		{ "- &a {k: 1, l: 2}\n- {<<: *a, l: 3}\n- {l: 3, <<: *a}",
		  "[{k:1,l:2},{l:3,k:1},{l:3,k:1}]" },
		{ "- &a {k: 1}\n- &b {k: 2, l: 3}\n- {<<: [*a, *b]}\n- <<: [*b, {m: 4}]",
		  "[{k:1},{k:2,l:3},{k:1,l:3},{k:2,l:3,m:4}]" },
		{ "<<: &a {k: 1}\nl: *a", "{l:{k:1},k:1}" },
		{ "- &a {<<: {k: 1}}\n- <<: *a", "[{k:1},{k:1}]" },
		{ "'<<': v", "{<<:v}" },
		/* Tags. */
		{ "k: !!str null", "{k:null}" },
		{ "k: ! null", "{k:~}" },
		{ "k: !!null null", "{k:~}" },
		{ "- !!null\n- !!null ''\n- !!null 'x'", "[~,~,x]" },
		{ "- &a {k: 1}\n- {!!merge <<: *a, l: 2}\n- {!!str <<: v}",
		  "[{k:1},{l:2,k:1},{<<:v}]" },
		{ "k: !!int 5", "{k:5}" },
		{ "k: !!binary aGk=", "{k:hi}" },
		{ "k: !local v", "{k:v}" },
		{ "!!str k: !!map {a: !!seq [b]}", "{k:{a:[b]}}" },
		/* Several documents; those that hold nothing do not count. */
		{ "a\n---\nb", "a b" },
		{ "---\n---\n# none\n--- ~\n--- a\n...\n---\n- b\n---\n", "a [b]" },
		{ "%YAML 1.1\n---\na\n...\n%YAML 1.2\n---\nb", "a b" },
		{ "--- &a x\n--- &a y\n--- [&b z, *b]", "x y [z,z]" },
		{ "\xef\xbb\xbf"
		  "a: b\r\nc: d\r\n",
		  "{a:b,c:d}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf drawn = BUF_INIT(1000);
		struct yaml *tree = NULL;
		struct err err = { 0 };

		check_ok(rows[i].text,
			 yaml_tree_load(rows[i].text, strlen(rows[i].text), &tree, &err),
			 &err);
		for (const struct yaml *d = tree; d; d = d->next) {
			buf_text(&drawn, d == tree ? "" : " ");
			draw(d, &drawn);
		}
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
		{ "- a\n- *nowhere",
		  "line 2: an alias names an anchor that is not there" },
		{ "*k : v", "an anchor that is not there" },
		{ "--- &a x\n--- *a", "line 2: an alias names an anchor" },
		{ "&a [*a]", "inside of its own anchor" },
		{ "&a {k: *a}", "inside of its own anchor" },
		{ "- &a b\n- &a [*a]", "inside of its own anchor" },
		{ "<<: v", "'<<' wants a map, or a list of maps" },
		{ "<<: [{a: b}, c]", "'<<' wants a map" },
		{ "<<:", "'<<' wants a map" },
		{ "k: !!binary a-b", "a !!binary is not base64" },
		{ "k: !!binary AAA=", "NUL" },
		{ "- &a [b]\n- *a : c", "a key must be plain text" },
		{ "- &k k\n- {*k : v, k: w}", "key 'k' stands twice" },
		{ "k: v\nl: w\nk: x", "line 3: key 'k' stands twice" },
		{ "[{\"k\":1,\"k\":1}]", "stands twice" },
		{ "? [a]\n: b", "a key must be plain text" },
		{ "? {a: b}\n: c", "a key must be plain text" },
		{ "---\n--- ~\n", "empty" },
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
	check_ok("101 levels", load_nested('[', ']', 101, &err), &err);
	check_err("102 levels", load_nested('[', ']', 102, &err), &err, ERR_CONFIG,
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

/* What so many lines make, each of which may use the anchor of the one before. */
static int load_lines(const char *first, const char *line, size_t count, struct err *err)
{
	struct buf text = BUF_INIT(2 * 1024 * 1024);
	struct yaml *tree = NULL;
	int result;

	buf_text(&text, first);
	for (size_t i = 1; i <= count; i++)
		for (const char *c = line; *c; c++)
			if (*c == '@' || *c == '%')
				buf_printf(&text, "%zu", *c == '@' ? i : i - 1);
			else
				buf_printf(&text, "%c", *c);
	result = yaml_tree_load(buf_str(&text), text.len, &tree, err);
	yaml_tree_free(tree);
	buf_done(&text);
	return result;
}

/* Texts that would grow by their aliases, and others that cost more than they look. */
static void test_bombs(void **state)
{
	static const struct {
		const char *first, *line;
		size_t most, too_many; /* lines */
		const char *cause;
	} rows[] = {
		{ "- &a0 [x, x, x, x, x, x, x, x, x]\n",
		  "- &a@ [*a%, *a%, *a%, *a%, *a%, *a%, *a%, *a%, *a%]\n", 3, 5,
		  "too long" },
		{ "- &a0 {k: v}\n", "- &a@ {k: *a%}\n", 98, 99, "nested too deeply" },
		{ "- &a0 {k0: v}\n", "- &a@ {k@: v, <<: [*a%, *a%]}\n", 100, 200,
		  "too long" },
		{ "- &a0 x\n", "- &a@ x\n", 999, 1000, "too many anchors" },
		{ "", "k@: v\n", 1000, 1001, "a map has too many keys" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		check_ok(rows[i].line,
			 load_lines(rows[i].first, rows[i].line, rows[i].most, &err),
			 &err);
		check_err(rows[i].line,
			  load_lines(rows[i].first, rows[i].line, rows[i].too_many, &err),
			  &err, ERR_CONFIG, rows[i].cause);
	}
}

/* A long text with many aliases is as bad as many nodes. */
static void test_long_aliases(void **state)
{
	auto_free char *first = xcalloc(1, 100011);
	struct err err = { 0 };

	(void)state;
	memset(first, 'x', 100010);
	memcpy(first, "- &a ", 5);
	first[100009] = '\n';
	check_ok("20 times", load_lines(first, "- *a\n", 19, &err), &err);
	check_err("1000 times", load_lines(first, "- *a\n", 1000, &err), &err, ERR_CONFIG,
		  "too long");
}

static void test_members(void **state)
{
	static const char text[] = "a: b\nc: [d]\ne:\n";
	struct yaml *tree = NULL;
	struct err err = { 0 };

	(void)state;
	check_ok(text, yaml_tree_load(text, strlen(text), &tree, &err), &err);
	check_text("a", yaml_member_text(tree, "a"), "b");
	check_text("c", yaml_member_text(tree, "c"), "");
	check_text("e", yaml_member_text(tree, "e"), "");
	check_text("f", yaml_member_text(tree, "f"), "");
	assert_ptr_equal(yaml_member(tree, "c"), tree->first->next);
	assert_null(yaml_member(tree, "f"));
	assert_null(yaml_member(NULL, "a"));
	assert_null(yaml_member(tree->first, "a"));
	yaml_tree_free(tree);
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
		cmocka_unit_test(test_trees),        cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),        cmocka_unit_test(test_size),
		cmocka_unit_test(test_lines),        cmocka_unit_test(test_written),
		cmocka_unit_test(test_long_keys),    cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_long_aliases), cmocka_unit_test(test_members),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
