/* Digests: equal for equal values under one key only. */
#include "unit.h"

#include "crypto/digest.h"

static void test_digest(void **state)
{
	static const char *const values[] = { "", "a", "b", "ab", "planted-value" };
	struct digest_key one, two;

	(void)state;
	digest_key_make(&one);
	digest_key_make(&two);
	assert_memory_not_equal(&one, &two, sizeof(one));
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		size_t len = strlen(values[i]);
		struct digest a = digest_of(&one, values[i], len);
		struct digest again = digest_of(&one, values[i], len);
		struct digest other = digest_of(&two, values[i], len);

		check(values[i], memcmp(&a, &again, sizeof(a)) == 0);
		check(values[i], memcmp(&a, &other, sizeof(a)) != 0);
		for (size_t j = 0; j < i; j++) {
			struct digest b = digest_of(&one, values[j], strlen(values[j]));

			check(values[i], memcmp(&a, &b, sizeof(a)) != 0);
		}
	}
}

/* SHA-256 of 32 zero bytes and "abc", by another implementation. */
static void test_is_sha256(void **state)
{
	static const unsigned char start[] = { 0x36, 0x5a, 0xa7, 0xd8, 0xf7, 0xf9 };
	const struct digest_key zero = { { 0 } };
	struct digest d = digest_of(&zero, "abc", 3);

	(void)state;
	assert_memory_equal(d.bytes, start, sizeof(start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_is_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
