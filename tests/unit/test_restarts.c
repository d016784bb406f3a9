/* When an end by exit= is allowed again. */
#include "volume.h"

#include "deliver/restarts.h"

#define NOW INT64_C(1800000000000)
#define MIN_MS 300000

static void test_wait(void **state)
{
	static const struct {
		const char *text; /* of ..restarts; NULL: there is none */
		int64_t wait_ms;
	} rows[] = {
		{ NULL, 0 },
		{ "", 0 },
		{ "garbage", 0 },
		{ "{\"format\":2,\"last\":1799999999999}", 0 },
		{ "{\"format\":1}", 0 },
		{ "{\"format\":1,\"last\":1799999999999}", MIN_MS - 1 },
		{ "{\"format\":1,\"last\":1800000000000}", MIN_MS },
		{ "{\"format\":1,\"last\":1799999700001}", 1 },
		{ "{\"format\":1,\"last\":1799999700000}", 0 },
		{ "{\"format\":1,\"last\":0}", 0 },
		/* The clock was set back since: nobody waits for years. */
		{ "{\"format\":1,\"last\":1800000000001}", 0 },
	};
	char dir[64];
	int fd;

	(void)state;
	volume_make(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };

		if (rows[i].text != NULL)
			volume_write(dir, "..restarts", rows[i].text);
		check_int(rows[i].text ? rows[i].text : "none",
			  restarts_wait_ms(fd, MIN_MS, NOW, &err), rows[i].wait_ms);
	}
	close(fd);
	volume_remove(dir);
}

static void test_note(void **state)
{
	struct err err = { 0 };
	char dir[64];
	int fd;

	(void)state;
	volume_make(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		check_ok("note", restarts_note(fd, 88, NOW + i, &err), &err);
		check_int("then", restarts_wait_ms(fd, MIN_MS, NOW + 10, &err),
			  MIN_MS - 10 + i);
	}
	check_int("no limit", restarts_wait_ms(fd, 0, NOW + 10, &err), 0);
	/* What cannot be remembered must not happen. */
	check_err("no directory", restarts_note(-1, 88, NOW, &err), &err, ERR_IO, "");
	check_int("nor read", restarts_wait_ms(-1, MIN_MS, NOW, &err), -1);
	close(fd);
	volume_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
