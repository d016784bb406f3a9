/* Which connections are ended when there are too many, and when. */
#include "loopback.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "run/visitors.h"

#define KEEP 3
#define PLACES 8
#define LATER (VISITOR_GRACE_MS + PLACES)

/* One character is a connection, from the address of this letter, opened a millisecond
 * after the one before; a capital waits for a yes.  '-' in `left` is one that was ended.
 */
static const struct row {
	const char *name, *open;
	int64_t now;
	const char *left;
} rows[] = {
	{ "few stay", "aaa", LATER, "aaa" },
	{ "the oldest goes", "aaaaa", LATER, "--aaa" },
	{ "but not before it had time to ask", "aaaaa", VISITOR_GRACE_MS - 1, "aaaaa" },
	{ "as soon as it had", "aaaaa", VISITOR_GRACE_MS, "-aaaa" },
	{ "of the address with most", "bacaa", LATER, "b-c-a" },
	{ "all addresses alike: the oldest", "abcde", LATER, "--cde" },
	{ "two of two each: the oldest first", "abab", LATER, "-bab" },
	{ "who waits stays", "AAaaa", LATER, "AA--a" },
	{ "all wait", "AAAA", LATER, "AAAA" },
	{ "a life ends", "ab", VISITOR_LIFE_MS, "-b" },
	{ "of who waits when it is told so", "A", VISITOR_LIFE_MS, "A" },
};

static void enter(struct visitors *v, char c, int fd, int64_t now)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct visitor *visitor;

	from.sin_addr.s_addr = htonl(0x7f000000U | (unsigned char)(c | 0x20));
	visitor = visitors_enter(v, (struct MHD_Connection *)v, fd,
				 (const struct sockaddr *)&from, now);
	assert_non_null(visitor);
	visitor->waits = c < 'a';
}

static void check_row(const struct row *row)
{
	size_t count = strlen(row->open);
	struct connection c[PLACES];
	struct visitors v;

	visitors_init(&v, PLACES, KEEP);
	for (size_t i = 0; i < count; i++) {
		c[i] = connection_make();
		enter(&v, row->open[i], c[i].fd, (int64_t)i);
	}
	visitors_run(&v, row->now);
	for (size_t i = 0; i < count; i++) {
		check_int(row->name, connection_is_open(&c[i]), row->left[i] != '-');
		connection_close(&c[i]);
	}
	/* Who stays although its time is over waits; all else is for later. */
	if (strpbrk(row->open, "A") == NULL)
		assert_true(visitors_deadline(&v) > row->now);
	visitors_done(&v);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void test_places(void **state)
{
	struct visitors v;
	struct visitor *first;

	(void)state;
	visitors_init(&v, 2, 1);
	assert_int_equal(visitors_deadline(&v), CLOCK_NEVER);
	first = visitors_enter(&v, (struct MHD_Connection *)&v, -1, NULL, 7);
	assert_non_null(first);
	assert_int_equal(visitors_deadline(&v), 7 + VISITOR_LIFE_MS);
	assert_non_null(visitors_enter(&v, (struct MHD_Connection *)&v, -1, NULL, 8));
	/* One is too many: the older one may go as soon as it had its time. */
	assert_int_equal(visitors_deadline(&v), 7 + VISITOR_GRACE_MS);
	assert_null(visitors_enter(&v, (struct MHD_Connection *)&v, -1, NULL, 9));
	first->waits = true;
	assert_int_equal(visitors_waiting(&v), 1);
	visitors_leave(first);
	assert_int_equal(visitors_waiting(&v), 0);
	assert_ptr_equal(visitors_enter(&v, (struct MHD_Connection *)&v, -1, NULL, 9),
			 first);
	visitors_leave(NULL);
	visitors_done(&v);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
