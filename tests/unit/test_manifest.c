/* What a set was made from: written, read back, and not trusted when it is not ours. */
#include "unit.h"

#include "deliver/manifest.h"

static void test_round_trip(void **state)
{
#define T(text)                                                                          \
	(char[])                                                                         \
	{                                                                                \
		text                                                                     \
	}
	const struct manifest_entry entries[] = {
		{ T("a"), T("https://x/secrets/a"), T("v1"), T("encoding=utf-8"), 0440, 0,
		  0 },
		/* Past 2^32, and past 2^53. */
		{ T("tls/\"k\\e\ny\""), T("\xc3\xa9"), T(""), T(""), 0777,
		  INT64_C(4294967296), INT64_C(1781649302123456789) },
		{ T("b"), T("o"), T("v"), T("x"), 0, 9, INT64_MAX },
	};
#undef T
	struct manifest m = { 0 }, back = { 0 };
	auto_buf struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		manifest_add(&m, &entries[i]);
	manifest_write(&m, &text);
	manifest_done(&m);
	check_ok("own", manifest_parse(buf_str(&text), text.len, &back, &err), &err);
	assert_int_equal(back.count, ARRAY_LEN(entries));
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const struct manifest_entry *want = &entries[i];
		const struct manifest_entry *got = manifest_find(&back, want->path);

		assert_non_null(got);
		check_text(want->path, got->object, want->object);
		check_text(want->path, got->version, want->version);
		check_text(want->path, got->options, want->options);
		check_int(want->path, got->mode, want->mode);
		check_int(want->path, got->size, want->size);
		check_int(want->path, got->mtime_ns, want->mtime_ns);
	}
	assert_null(manifest_find(&back, "tls"));
	assert_null(manifest_find(&back, ""));
	manifest_done(&back);
	assert_null(manifest_find(&back, "a"));
}

/* Each file is found by its path, and with the others of its object, whatever the order
 * in which they were added. */
static void test_order(void **state)
{
	static const char *const rows[][2] = {
		{ "d/k2", "B" }, { "a", "A" },    { "d/k10", "B" }, { "d/k1", "B" },
		{ "z", "Bb" },   { "d-k1", "C" }, { "0", "" },
	};
	static const struct {
		const char *object, *paths;
	} wanted[] = {
		{ "A", "a " },  { "B", "d/k1 d/k10 d/k2 " },
		{ "Bb", "z " }, { "C", "d-k1 " },
		{ "", "0 " },   { "b", "" },
		{ "D", "" },
	};
	struct manifest m = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		manifest_add(&m, &(struct manifest_entry){ .path = (char *)rows[i][0],
							   .object = (char *)rows[i][1],
							   .version = (char *)"v",
							   .options = (char *)"o" });
	manifest_sort(&m);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_text(rows[i][0], manifest_find(&m, rows[i][0])->path, rows[i][0]);
	assert_null(manifest_find(&m, "d"));
	assert_null(manifest_find(&m, "zz"));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		auto_buf struct buf got = BUF_INIT(100);
		const struct manifest_entry *e;

		for (size_t n = 0;
		     (e = manifest_of_object(&m, wanted[i].object, n)) != NULL; n++)
			buf_printf(&got, "%s ", e->path);
		check_text(wanted[i].object, buf_str(&got), wanted[i].paths);
	}
	manifest_done(&m);
	assert_null(manifest_of_object(&m, "A", 0));
}

static void test_empty(void **state)
{
	struct manifest none = { 0 }, back = { 0 };
	auto_buf struct buf text = BUF_INIT(100);
	struct err err = { 0 };

	(void)state;
	manifest_write(&none, &text);
	check_ok("empty", manifest_parse(buf_str(&text), text.len, &back, &err), &err);
	assert_int_equal(back.count, 0);
	manifest_done(&back);
}

/* What differs between two manifests decides whether one has to be written. */
static void test_equal(void **state)
{
	const struct manifest_entry is = { .path = (char *)"p",
					   .object = (char *)"o",
					   .version = (char *)"v",
					   .options = (char *)"x",
					   .mode = 0440,
					   .size = 1,
					   .mtime_ns = 5 };
	static const struct {
		const char *row;
		struct manifest_entry with; /* these of its members are others */
		uint64_t configuration;
		const char *list;
		bool twice, want;
	} rows[] = {
		{ .row = "nothing", .want = true },
		{ .row = "path", .with.path = (char *)"p2" },
		{ .row = "object", .with.object = (char *)"o2" },
		{ .row = "version", .with.version = (char *)"v2" },
		{ .row = "options", .with.options = (char *)"x2" },
		{ .row = "mode", .with.mode = 0400 },
		{ .row = "size", .with.size = 2 },
		{ .row = "time", .with.mtime_ns = 6 },
		{ .row = "configuration", .configuration = 8 },
		{ .row = "list", .list = "[]" },
		{ .row = "count", .twice = true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct manifest_entry *with = &rows[i].with;
		struct manifest a = { .configuration = 7 }, b = a;
		struct manifest_entry other = {
			.path = with->path ? with->path : is.path,
			.object = with->object ? with->object : is.object,
			.version = with->version ? with->version : is.version,
			.options = with->options ? with->options : is.options,
			.mode = with->mode ? with->mode : is.mode,
			.size = with->size ? with->size : is.size,
			.mtime_ns = with->mtime_ns ? with->mtime_ns : is.mtime_ns,
		};

		manifest_add(&a, &is);
		manifest_add(&b, &other);
		if (rows[i].twice)
			manifest_add(&b, &other);
		if (rows[i].configuration)
			b.configuration = rows[i].configuration;
		manifest_set_list(&b, rows[i].list);
		check_int(rows[i].row, manifest_equal(&a, &b), rows[i].want);
		check_int(rows[i].row, manifest_equal(&b, &a), rows[i].want);
		manifest_done(&a);
		manifest_done(&b);
	}
}

/* One that is too long is not remembered; the files are. */
static void test_long_list(void **state)
{
	auto_free char *list = xcalloc(MANIFEST_LIST_MAX_BYTES + 2, 1);
	struct manifest m = { 0 };

	(void)state;
	memset(list, 'x', MANIFEST_LIST_MAX_BYTES);
	manifest_set_list(&m, list);
	assert_string_equal(m.list, list);
	list[MANIFEST_LIST_MAX_BYTES] = 'x';
	manifest_set_list(&m, list);
	assert_null(m.list);
	manifest_done(&m);
}

#define HEAD "{\"format\":1,\"files\":["
#define FINE                                                                             \
	"{\"path\":\"p\",\"object\":\"o\",\"version\":\"v\",\"options\":\"x\","          \
	"\"mode\":288,\"size\":1,\"mtime_ns\":\"5\"}"

static void test_read(void **state)
{
	static const struct {
		const char *text;
		const char *cause; /* NULL: accepted */
	} rows[] = {
		{ HEAD FINE "]}", NULL },
		{ HEAD FINE "],\"later\":{}}", NULL },
		{ "{\"format\":2,\"files\":[" FINE "]}", "another format" },
		{ "{\"format\":\"1\",\"files\":[" FINE "]}", "another format" },
		{ "{\"files\":[" FINE "]}", "another format" },
		{ "[]", "another format" },
		{ "1", "another format" },
		{ "", "is not JSON" },
		{ HEAD FINE, "is not JSON" },
		{ "garbage", "is not JSON" },
		{ HEAD FINE "]}\n" HEAD "]}", "is not JSON" },
		{ HEAD FINE ",{}]}", "entry 2 is incomplete" },
		{ HEAD FINE ",5]}", "entry 2 is incomplete" },
		{ HEAD "{\"path\":1,\"object\":\"o\",\"version\":\"v\",\"options\":\"x\","
		       "\"mode\":288,\"size\":1,\"mtime_ns\":\"5\"}]}",
		  "entry 1 is incomplete" },
		{ HEAD "{\"path\":\"p\",\"object\":\"o\",\"version\":\"v\",\"options\":"
		       "\"x\",\"mode\":288,\"size\":-1,\"mtime_ns\":\"5\"}]}",
		  "entry 1 is incomplete" },
		{ HEAD "{\"path\":\"p\",\"object\":\"o\",\"version\":\"v\",\"options\":"
		       "\"x\",\"mode\":288,\"size\":1,\"mtime_ns\":\"-5\"}]}",
		  "entry 1 is incomplete" },
		{ HEAD "{\"path\":\"p\\u0000\"}]}", "is not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct manifest m = { 0 };
		struct err err = { 0 };
		int result = manifest_parse(rows[i].text, strlen(rows[i].text), &m, &err);

		if (rows[i].cause != NULL) {
			check_err(rows[i].text, result, &err, ERR_IO, rows[i].cause);
			check(rows[i].text, m.items == NULL);
			continue;
		}
		check_ok(rows[i].text, result, &err);
		check_int(rows[i].text, m.count, 1);
		check_int(rows[i].text, m.items[0].mode, 0440);
		manifest_done(&m);
	}
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		bool is_one;
	} rows[] = {
		{ "a", true },           { "a/b/c", true }, { ".a/..b", true },
		{ "a/b...", true },      { "", false },     { "/etc/x", false },
		{ "a//b", false },       { "a/", false },   { "./a", false },
		{ "a/./b", false },      { "..", false },   { "../../etc/x", false },
		{ "a/../b", false },     { "a/..", false }, { "..data", false },
		{ "..notified", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf(
			HEAD "{\"path\":\"%s\",\"object\":\"o\",\"version\":\"v\","
			     "\"options\":\"x\",\"mode\":288,\"size\":1,"
			     "\"mtime_ns\":\"5\"}]}",
			rows[i].path);
		struct manifest m = { 0 };
		struct err err = { 0 };
		int result = manifest_parse(text, strlen(text), &m, &err);

		if (rows[i].is_one)
			check_ok(rows[i].path, result, &err);
		else
			check_err(rows[i].path, result, &err, ERR_IO, "of no file");
		manifest_done(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_order),
		cmocka_unit_test(test_empty),      cmocka_unit_test(test_equal),
		cmocka_unit_test(test_long_list),  cmocka_unit_test(test_read),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
