/* A document is made once a second at most, and does not stay for longer. */
#include "unit.h"

#include "base/clock.h"
#include "run/documents.h"

static unsigned made;

static void write_text(void *arg, enum document which, struct buf *out)
{
	(void)arg, (void)which;
	made++;
	buf_text(out, "text");
}

static struct MHD_Response *get(struct documents *d, enum document which, int64_t now)
{
	return documents_get(d, write_text, NULL, which, now);
}

static void test_a_second(void **state)
{
	struct documents d = { 0 };
	struct MHD_Response *first;

	(void)state;
	assert_int_equal(documents_deadline(&d), CLOCK_NEVER);
	first = get(&d, DOCUMENT_STATUS, 5000);
	assert_non_null(first);
	assert_ptr_equal(get(&d, DOCUMENT_STATUS, 5999), first);
	assert_int_equal(made, 1);
	assert_int_equal(documents_deadline(&d), 6000);
	get(&d, DOCUMENT_PAGE, 5500);
	assert_int_equal(made, 2);
	assert_int_equal(documents_deadline(&d), 6000);
	documents_run(&d, 5999);
	assert_int_equal(documents_deadline(&d), 6000);
	documents_run(&d, 6000);
	assert_int_equal(documents_deadline(&d), 6500);
	get(&d, DOCUMENT_STATUS, 6000);
	assert_int_equal(made, 3);
	documents_run(&d, 7000);
	assert_int_equal(documents_deadline(&d), CLOCK_NEVER);
	assert_int_equal(d.bytes, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
