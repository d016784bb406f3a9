/* AKVSYNC_LISTEN. */
#include "unit.h"

#include <arpa/inet.h>

#include "config/listen.h"

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *address;
		int port;
	} rows[] = {
		{ ":8087", "", 8087 },
		{ ":1", "", 1 },
		{ ":65535", "", 65535 },
		{ "127.0.0.1:8087", "127.0.0.1", 8087 },
		{ "localhost:8087", "127.0.0.1", 8087 },
		{ "0.0.0.0:80", "0.0.0.0", 80 },
		{ "[::1]:8087", "::1", 8087 },
		{ "[::]:8087", "::", 8087 },
		{ "[fd00::12:1]:8087", "fd00::12:1", 8087 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char address[INET6_ADDRSTRLEN] = "";
		struct listen at;
		struct err err;

		check_ok(rows[i].text, listen_parse(&at, rows[i].text, &err), &err);
		if (!at.all)
			inet_ntop(at.v4 ? AF_INET : AF_INET6, at.address, address,
				  sizeof(address));
		check_text(rows[i].text, address, rows[i].address);
		check_int(rows[i].text, at.port, rows[i].port);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"8087",
		":0",
		":65536",
		":-1",
		":+1",
		": 8087",
		":80 ",
		":0x50",
		":http",
		"*:8087",
		"pod.example:8087",
		"http://127.0.0.1:8087",
		"1.2.3:8087",
		"1.2.3.4.5:8087",
		"1.2.3.256:8087",
		"::1:8087",
		"[::1]",
		"[::1]8087",
		"[]:8087",
		"[:8087",
		"]:8087",
		"[::1:8087",
		"[127.0.0.1]:8087",
		"[fe80::1%eth0]:8087",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listen at = { .port = 7 };
		struct err err;

		check_err(rows[i], listen_parse(&at, rows[i], &err), &err, ERR_CONFIG,
			  "is not an address with a port; write :8087");
		check_int(rows[i], at.port, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
