/* References: what is one, what of a file it wants, and what only looks like one. */
#include "unit.h"

#include "exec/reference.h"

static void test_parse(void **state)
{
	static const struct {
		const char *value, *path;
		enum reference_part part;
		const char *key;
	} rows[] = {
		{ "akvsync:db", "db", REFERENCE_WHOLE, NULL },
		{ "akvsync:db/pass word", "db/pass word", REFERENCE_WHOLE, NULL },
		{ "akvsync:db#key", "db", REFERENCE_POINTER, "/key" },
		{ "akvsync:db#a/b~c", "db", REFERENCE_POINTER, "/a~1b~0c" },
		{ "akvsync:db#/a/0/b~1c", "db", REFERENCE_POINTER, "/a/0/b~1c" },
		{ "akvsync:db#/", "db", REFERENCE_POINTER, "/" },
		{ "akvsync:db#a#b", "db", REFERENCE_POINTER, "/a#b" },
		{ "akvsync:x@azurekeyvault", "x@azurekeyvault", REFERENCE_WHOLE, NULL },
		{ "db@azurekeyvault", "db", REFERENCE_WHOLE, NULL },
		{ "db@azurekeyvault?", "db", REFERENCE_WHOLE, NULL },
		{ "db@azurekeyvault?tls.crt", "db", REFERENCE_QUERY, "tls.crt" },
		{ "db@azurekeyvault?a/b", "db", REFERENCE_QUERY, "a/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reference r;
		struct err err;
		bool found = false;

		check_ok(rows[i].value, reference_parse(&r, rows[i].value, &found, &err),
			 &err);
		check(rows[i].value, found);
		check_text(rows[i].value, r.path, rows[i].path);
		check_int(rows[i].value, r.part, rows[i].part);
		check_text(rows[i].value, r.key, rows[i].key);
		reference_done(&r);
	}
}

static void test_plain(void **state)
{
	static const char *const values[] = {
		"",         "db",         "akvsync",
		"akvsyn:x", "x akvsync:", "db@azurekeyvaults",
		"@",        "a@b?c",      "https://akvsync:80/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct reference r;
		struct err err;
		bool found = true;

		check_ok(values[i], reference_parse(&r, values[i], &found, &err), &err);
		check(values[i], !found && r.path == NULL && r.key == NULL);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *value, *says;
	} rows[] = {
		{ "akvsync:", "names no file" },
		{ "akvsync:#key", "names no file" },
		{ "@azurekeyvault", "names no file" },
		{ "akvsync:/secrets/db", "must be relative" },
		{ "akvsync://shop-kv/db", "must be relative" },
		{ "akvsync:a//b", "has an empty part" },
		{ "akvsync:../db", "may not leave" },
		{ "akvsync:..manifest", "may not start with '..'" },
		{ "akvsync:db\n", "has a control character" },
		{ "../db@azurekeyvault", "may not leave" },
		{ "akvsync:db#", "no key stands behind '#'" },
		{ "akvsync:db#/a~", "is not a JSON pointer" },
		{ "akvsync:db#/a~2", "is not a JSON pointer" },
		{ "Akvsync:db", "in lower case" },
		{ "\takvsync:db", "without white space" },
		{ "'akvsync:db'", "or quotes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reference r = { .key = (char *)"kept" };
		struct err err = { 0 };
		bool found;

		check_err(rows[i].value, reference_parse(&r, rows[i].value, &found, &err),
			  &err, ERR_CONFIG, rows[i].says);
		check_text(rows[i].value, r.key, "kept");
	}
}

static void test_inside(void **state)
{
	static const struct {
		const char *value;
		bool inside;
	} rows[] = {
		{ "mysql://u:akvsync:db@h/shop", true },
		{ "x akvsync:db", true },
		{ "password=akvsync:db", true },
		{ "/akvsync:db", true },
		{ "", false },
		{ "plain", false },
		{ "akvsync", false },
		{ "http://akvsync:8087/readyz", false },
		{ "//akvsync:8087", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_int(rows[i].value, reference_is_inside(rows[i].value),
			  rows[i].inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
