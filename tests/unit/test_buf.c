// LDFLAGS: -Wl,--wrap=free
/* The bounded buffer: its edges, and that no freed block still holds its bytes. */
#include "unit.h"

#include <malloc.h>

#include "base/buf.h"

static const char marker[] = "MARKER-0123456789";
static volatile int leaks; /* the compiler thinks that free() writes none */

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	size_t size = p ? malloc_usable_size(p) : 0;

	if (size && memmem(p, size, marker, strlen(marker)))
		leaks++;
	__real_free(p);
}

static void test_bound(void **state)
{
	static const struct {
		size_t max, first, second;
		bool fits;
	} rows[] = {
		{ 0, 0, 0, true },          { 0, 0, 1, false },    { 10, 4, 6, true },
		{ 10, 4, 7, false },        { 10, 10, 0, true },   { 10, 10, 1, false },
		{ 10, 4, 200, false },      { 1000, 63, 1, true }, { 1000, 64, 1, true },
		{ 10, 4, SIZE_MAX, false },
	};
	static const char bytes[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = BUF_INIT(rows[i].max);
		struct err err = { 0 };
		int result;

		assert_int_equal(buf_add(&b, bytes, rows[i].first, &err), 0);
		result = buf_add(&b, bytes, rows[i].second, &err);
		assert_int_equal(result, rows[i].fits ? 0 : -1);
		assert_int_equal(b.len,
				 rows[i].first + (rows[i].fits ? rows[i].second : 0));
		if (b.data)
			assert_int_equal(b.data[b.len], '\0');
		if (!rows[i].fits)
			assert_int_equal(err.kind, ERR_UNAVAILABLE);
	}
}

static void test_bytes(void **state)
{
	auto_buf struct buf b = BUF_INIT(100);
	struct err err;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_add(&b, "a\0b", 3, &err), 0);
	assert_int_equal(buf_add(&b, "\0", 1, &err), 0);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "a\0b\0", 5);
}

static void test_text_is_cut(void **state)
{
	auto_buf struct buf b = BUF_INIT(10);

	(void)state;
	buf_text(&b, "1234");
	buf_printf(&b, "%s-%d", "abc", 56789);
	assert_string_equal(buf_str(&b), "1234abc-56");
	buf_text(&b, "more");
	buf_printf(&b, "%d", 1);
	assert_string_equal(buf_str(&b), "1234abc-56");
	assert_int_equal(b.len, 10);
}

static void test_truncate(void **state)
{
	auto_buf struct buf b = BUF_INIT(100);

	(void)state;
	buf_truncate(&b, 0);
	buf_text(&b, "keepMARKER");
	buf_truncate(&b, 20);
	assert_int_equal(b.len, 10);
	buf_truncate(&b, 4);
	assert_string_equal(buf_str(&b), "keep");
	for (size_t i = 4; i < 10; i++)
		assert_int_equal(b.data[i], '\0');
	buf_text(&b, "!");
	assert_string_equal(buf_str(&b), "keep!");
}

static void test_wiped(void **state)
{
	struct buf b = BUF_INIT(1 << 20);

	(void)state;
	leaks = 0;
	for (int i = 0; i < 2000; i++) /* grows many times */
		buf_printf(&b, "%s", marker);
	buf_done(&b);
	assert_int_equal(leaks, 0);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_text(&b, marker); /* usable again, with its bound */
	assert_int_equal(b.max, 1 << 20);
	assert_string_equal(buf_str(&b), marker);
	{
		char *stray = strdup(marker); /* what an unwiped block looks like */

		free(stray);
		assert_int_equal(leaks, 1);
	}
	buf_done(&b);
	buf_done(&b);
	assert_int_equal(leaks, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),       cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_text_is_cut), cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
