/* A list of objects as the text that a process remembers: what is read back from it is
 * the same list, and its number does not depend on the order. */
#include "unit.h"

#include "config/objects.h"

#define VERSION "0123456789abcdefABCDEF0123456789"

static void parse(const char *text, mode_t default_mode, struct objects *out)
{
	struct err err = { 0 };

	check_ok(text, objects_parse(out, text, default_mode, &err), &err);
}

static void check_object(const char *row, const struct object *a, const struct object *b)
{
	check_text(row, a->name, b->name);
	check_text(row, a->pattern, b->pattern);
	check_text(row, a->vault, b->vault);
	check_text(row, a->version, b->version);
	check_text(row, a->path, b->path);
	check_text(row, a->password_object, b->password_object);
	check_int(row, a->kind, b->kind);
	check_int(row, a->history, b->history);
	check_int(row, a->mode, b->mode);
	check_int(row, a->encoding, b->encoding);
	check_int(row, a->format, b->format);
	check_int(row, a->layout, b->layout);
	check_int(row, a->optional, b->optional);
	check_int(row, a->metadata, b->metadata);
	check_text(row, a->folder, b->folder);
	check_int(row, a->choice, b->choice);
	check_int(row, a->extract, b->extract);
	check_int(row, a->without_whole, b->without_whole);
	check_int(row, a->part_count, b->part_count);
	for (size_t i = 0; i < a->part_count; i++) {
		check_text(row, a->parts[i].expression, b->parts[i].expression);
		check_text(row, a->parts[i].path, b->parts[i].path);
		check_int(row, a->parts[i].mode, b->parts[i].mode);
	}
	check_int(row, a->tag_count, b->tag_count);
	for (size_t i = 0; i < a->tag_count; i++) {
		check_text(row, a->tags[i].name, b->tags[i].name);
		check_text(row, a->tags[i].value, b->tags[i].value);
	}
}

/* Writes a list, reads it back under another default mode, and compares the two. */
static void check_round_trip(const char *row, const struct objects *all)
{
	auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
	auto_buf struct buf again = BUF_INIT(OBJECTS_TEXT_MAX);
	struct objects back = { 0 };

	objects_write(all, &text);
	parse(buf_str(&text), 0111, &back);
	objects_write(&back, &again);
	check_text(row, buf_str(&again), buf_str(&text));
	check_int(row, back.count, all->count);
	for (size_t i = 0; i < all->count; i++)
		check_object(row, &back.items[i], &all->items[i]);
	check(row, objects_number(&back) == objects_number(all));
	objects_done(&back);
}

#define MAP(members) "- objectName: a\n  " members "\n"

static void test_round_trip(void **state)
{
	static const char *const rows[] = {
		/* The short form. */
		"db",
		"a,b\nc",
		"key/a, CERT/b, secret/c",
		"a=deep/er/file.txt",
		"a=b=c",
		"a=a, b=c",
		"a=.hidden,b=b/..c",
		"a=one,a=two",
		"cert/web=tls/web.pem, key/web, web=web.pfx",
		"a=sp ace/\xc3\xa9",
		"a=\"quoted\" \\ 'too'",
		"a={x: [y]} # no comment",
		"a=null,b=~,c=- x,d=array:",
		/* Legal in the short form; YAML refuses them, or takes them for line
		   ends. */
		"a=\xc2\x80\xc2\x85\xc2\x9f",
		"a=x\xe2\x80\xa8y\xe2\x80\xa9z",
		"a=\xef\xbb\xbfx\xef\xbf\xbe\xef\xbf\xbf",
		"a=\xf0\x9f\x94\x91/\xf4\x8f\xbf\xbf",
		/* A list of maps: each attribute alone. */
		"- objectName: a\n",
		MAP("objectType: key"),
		MAP("objectType: CERT"),
		MAP("objectAlias: x/y"),
		MAP("objectAlias: a"),
		MAP("objectVersion: " VERSION),
		MAP("objectVersion: latest"),
		MAP("objectVersionHistory: 2"),
		MAP("objectVersionHistory: 1000"),
		MAP("objectVersionHistory: 1"),
		MAP("objectVersionHistory: \"-3\""),
		MAP("objectFormat: pfx"),
		MAP("objectEncoding: base64"),
		MAP("objectEncoding: hex"),
		MAP("filePermission: \"0000\""),
		MAP("filePermission: 777"),
		MAP("filePermission: \"0111\""),
		MAP("optional: yes"),
		MAP("metadata: on"),
		MAP("layout: split"),
		MAP("layout: kubernetes.io/tls"),
		MAP("vault: mail-kv"),
		MAP("vault: 'https://mail-kv.vault.azure.net/'"),
		MAP("vault: \"odd \\x7f\\u0085\\u2028 'name'\""),
		MAP("extract: all"),
		MAP("version: newest-enabled"),
		MAP("objectFormat: pkcs12"),
		MAP("objectFormat: truststore\n  passwordObject: b"),
		MAP("objectVersion: newest-valid"),
		MAP("jmesPath: [{path: 'u.\"\xc3\xa9 \\n\"[3]', objectAlias: 'x: y'}]"),
		/* Several together. */
		MAP("extract: all\n  excludeObjectName: true"),
		MAP("extract: all\n  excludeObjectName: true\n  objectAlias: a"),
		MAP("extract: all\n  objectAlias: x/y"),
		MAP("excludeObjectName: true\n  filePermission: 0400\n  jmesPath: "
		    "[{path: "
		    "u, objectAlias: v}, {path: w, objectAlias: x, filePermission: "
		    "0444}]"),
		MAP("objectFormat: pfx\n  pfxPasswordObject: b\n  objectEncoding: "
		    "base64"),
		MAP("objectAlias: h\n  objectVersionHistory: 5\n  metadata: true"),
		MAP("objectVersion: " VERSION "\n  objectVersionHistory: 7"),
		MAP("objectAlias: t\n  objectType: cert\n  optional: true\n  metadata: "
		    "true\n"
		    "  vault: v\n  filePermission: 0400\n  objectVersion: " VERSION),
		/* Entries that select. */
		"- objectNamePattern: '*'",
		"- objectNamePattern: 'app-*[!a-c]?'\n  objectAlias: app",
		"- objectNamePattern: x\n  objectType: key\n  optional: true\n  vault: "
		"v\n",
		"- objectNamePattern: x\n  layout: split\n  filePermission: 0400\n",
		"- tags: {env: prod}",
		"- tags: {b: '1', a: '2'}\n  objectAlias: folder/deep\n",
		"- tags: {env: prod}\n  objectNamePattern: 'x*'\n  metadata: true\n",
		"- tags: {'': '', null: null, '~': '~', ' a ': ' b '}",
		"- tags: {\"\\\"\\\\\": \"\\n\\t\\r\\x01\\x7f\"}",
		"- tags: {\"\\u0085\\u2028\": \"\\ufeff\\uffff\\U0001f511\"}",
		"- tags:\n    'a: b, c': |\n      two\n      lines\n    \"#\": '[x, "
		"{y}]'\n",
		"- tags: {a: '1', b: '2', c: '3', d: '4', e: '5', f: '6', g: '7', h: "
		"'8',\n"
		"    i: '9', j: '10', k: '11', l: '12', m: '13', n: '14', o: '15'}",
		/* JSON. */
		"[{\"objectName\":\"a\"},{\"objectName\":\"b\",\"objectAlias\":\"c\"}]",
		"[{\"tags\":{\"a\\/b\":\"c\\u00e9\"},\"objectType\":\"cert\"}]",
		/* The provider's array of strings. */
		"array:\n  - |\n    objectName: a\n    objectType: secret\n    "
		"objectVersion: \"\"\n  - |\n    objectName: b\n    objectAlias: B\n",
		"array:\n  - |\n    objectNamePattern: x\n    tags:\n      env: prod\n",
		"array:\n- objectName: a\n  objectType: cert\n  objectVersionHistory: "
		"3\n",
		"array:\n  - |\n    objectName: a\n    objectFormat: pfx\n    "
		"objectEncoding: "
		"hex\n    filePermission: \"0644\"\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct objects all = { 0 };

		parse(rows[i], 0440, &all);
		check_round_trip(rows[i], &all);
		objects_done(&all);
	}
}

/* What is written, to the letter: a later release has to read it. */
static void test_written(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "a", "[{\"filePermission\":\"0440\",\"objectName\":\"a\"}]" },
		{ "key/a=k,b",
		  "[{\"filePermission\":\"0440\",\"objectName\":\"a\",\"objectType\":"
		  "\"key\",\"objectAlias\":\"k\"},"
		  "{\"filePermission\":\"0440\",\"objectName\":\"b\"}]" },
		{ "- tags: {env: prod, n: 1}\n  optional: true\n",
		  "[{\"filePermission\":\"0440\",\"optional\":\"true\",\"tags\":{\"env\":"
		  "\"prod\",\"n\":\"1\"}}]" },
		{ MAP("objectFormat: pfx\n  objectEncoding: hex\n  pfxPasswordObject: p"),
		  "[{\"filePermission\":\"0440\",\"objectName\":\"a\",\"objectFormat\":"
		  "\"pfx\",\"objectEncoding\":\"hex\",\"pfxPasswordObject\":\"p\"}]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
		struct objects all = { 0 };

		parse(rows[i].text, 0440, &all);
		objects_write(&all, &text);
		objects_done(&all);
		check_text(rows[i].text, buf_str(&text), rows[i].want);
	}
}

/* As many as are possible, with the longest paths. */
static void test_large(void **state)
{
	auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
	struct objects all = { 0 };

	(void)state;
	for (int i = 0; i < OBJECTS_MAX; i++)
		buf_printf(&text, "n%d=%0200d/%0200d/%0200d/%d\n", i, 1, 2, 3, i);
	parse(buf_str(&text), 0440, &all);
	check_round_trip("large", &all);
	objects_done(&all);
}

/* A text that does not fit is cut, at any place, and then never taken for a list. */
static void test_cut(void **state)
{
	auto_buf struct buf text = BUF_INIT(OBJECTS_TEXT_MAX);
	struct objects all = { 0 };

	(void)state;
	parse("- objectName: a\n- tags: {a: '}]', b: \"\\x01\"}\n", 0440, &all);
	objects_write(&all, &text);
	for (size_t max = 0; max < text.len; max++) {
		auto_buf struct buf cut = BUF_INIT(max);
		struct objects back = { 0 };
		struct err err = { 0 };

		objects_write(&all, &cut);
		check_int("cut", cut.len, max);
		check_int(buf_str(&cut), objects_parse(&back, buf_str(&cut), 0440, &err),
			  -1);
	}
	objects_done(&all);
}

static uint64_t number_of(const char *text, mode_t default_mode)
{
	struct objects all = { 0 };
	uint64_t number;

	parse(text, default_mode, &all);
	number = objects_number(&all);
	objects_done(&all);
	check(text, number > 0 && number < UINT64_C(1) << 63);
	return number;
}

static void test_number(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "a,b,c", "c,a,b", true },
		{ "a,b", "- objectName: b\n- objectName: a\n  objectAlias: a\n", true },
		{ "a=x,key/b",
		  "array:\n- 'objectName: b\n\n  objectType: key'\n- "
		  "objectName: a\n  objectAlias: x\n",
		  true },
		{ "- objectNamePattern: x*\n- tags: {a: b}\n",
		  "- tags: {a: b}\n- objectNamePattern: x*\n", true },
		{ "a", "b", false },
		{ "a", "a,b", false },
		{ "a", "key/a", false },
		{ "a", "a=b", false },
		{ "a=x,b=y", "a=y,b=x", false },
		{ "a", MAP("filePermission: 0400"), false },
		{ "a", MAP("filePermission: 0440"), true },
		{ "a", MAP("objectVersion: " VERSION), false },
		{ "a", MAP("objectVersionHistory: 2"), false },
		{ "a", MAP("objectFormat: pfx"), false },
		{ "a", MAP("objectEncoding: hex"), false },
		{ "a", MAP("layout: split"), false },
		{ "a", MAP("vault: v"), false },
		{ "a", MAP("optional: true"), false },
		{ "a", MAP("metadata: true"), false },
		{ "a", MAP("version: newest-enabled"), false },
		{ "a", MAP("version: current"), true },
		{ MAP("version: newest-valid"), MAP("version: newest-enabled"), false },
		{ "a", MAP("extract: all"), false },
		{ MAP("extract: all"), MAP("extract: all\n  excludeObjectName: true"),
		  false },
		{ MAP("extract: all\n  excludeObjectName: true"),
		  MAP("extract: all\n  excludeObjectName: true\n  objectAlias: a"),
		  false },
		{ "a", MAP("jmesPath: [{path: x, objectAlias: y}]"), false },
		{ MAP("jmesPath: [{path: x, objectAlias: y}]"),
		  MAP("jmesPath: [{path: z, objectAlias: y}]"), false },
		{ MAP("jmesPath: [{path: x, objectAlias: y}]"),
		  MAP("jmesPath: [{path: x, objectAlias: z}]"), false },
		{ MAP("jmesPath: [{path: x, objectAlias: y}]"),
		  MAP("jmesPath: [{path: x, objectAlias: y, filePermission: 0400}]"),
		  false },
		{ MAP("objectFormat: pfx"),
		  MAP("objectFormat: pfx\n  pfxPasswordObject: b"), false },
		{ "- objectNamePattern: x*", "- objectNamePattern: y*", false },
		{ "- tags: {a: b}", "- tags: {a: c}", false },
		{ "- tags: {a: b}", "- tags: {a: b, c: d}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].b,
			  number_of(rows[i].a, 0440) == number_of(rows[i].b, 0440),
			  rows[i].same);
	check("mode", number_of("a", 0440) != number_of("a", 0400));
}

/* The same change of two entries: their parts of the sum must not cancel each other. */
static void test_two_changes(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		auto_free char *before =
			xasprintf("[{objectName: a%d, filePermission: '0440'}, "
				  "{objectName: b%d, filePermission: '0440'}]",
				  i, i);
		auto_free char *after =
			xasprintf("[{objectName: a%d, filePermission: '0400'}, "
				  "{objectName: b%d, filePermission: '0400'}]",
				  i, i);

		check(before, number_of(before, 0440) != number_of(after, 0440));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_written),
		cmocka_unit_test(test_large),      cmocka_unit_test(test_cut),
		cmocka_unit_test(test_number),     cmocka_unit_test(test_two_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
