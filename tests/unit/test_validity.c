/* Whether an object is meant to be used now: by its attributes, and by its certificate.
 */
#include "unit.h"

#include "sync/validity.h"

#define NOW INT64_C(1700000000)
#define HUGE INT64_C(9007199254740991)
#define NONE -1

struct row {
	const char *name;
	enum object_kind kind;
	int64_t nbf, exp; /* the attributes */
	int64_t from, to; /* of the certificate, when files were made of it */
	bool of_certificate, made, disabled, not_asked, pinned;
	const char *path; /* in a history; NULL: none is asked for */
	enum validity want;
	const char *says;
};

static const struct row rows[] = {
	{ "no dates", OBJECT_SECRET, NONE, NONE, NONE, NONE, .want = VALIDITY_FINE },
	{ "valid", OBJECT_SECRET, NOW - 1, NOW + 1, NONE, NONE, .want = VALIDITY_FINE },
	{ "from now", OBJECT_SECRET, NOW, NONE, NONE, NONE, .want = VALIDITY_FINE },
	{ "a second later", OBJECT_SECRET, NOW + 1, NONE, NONE, NONE,
	  .want = VALIDITY_WARNS,
	  .says = "secret 'a' of vault 'shop-kv' is not valid before "
		  "2023-11-14T22:13:21Z; wait, ask for an earlier version" },
	{ "until now", OBJECT_SECRET, NONE, NOW, NONE, NONE, .want = VALIDITY_WARNS,
	  .says = "secret 'a' of vault 'shop-kv' expired on 2023-11-14T22:13:20Z; set a "
		  "new version" },
	{ "1970", OBJECT_KEY, NONE, 0, NONE, NONE, .want = VALIDITY_WARNS,
	  .says = "key 'a' of vault 'shop-kv' expired on 1970-01-01T00:00:00Z; rotate" },
	{ "both", OBJECT_KEY, NOW + 9, NOW - 9, NONE, NONE, .want = VALIDITY_WARNS,
	  .says = "expired on" },
	{ "for ever", OBJECT_SECRET, NONE, HUGE, NONE, NONE, .want = VALIDITY_FINE },
	{ "never", OBJECT_SECRET, HUGE, NONE, NONE, NONE, .want = VALIDITY_WARNS,
	  .says = "before 9999-12-31T23:59:59Z" },
	{ "disabled", OBJECT_KEY, NONE, NONE, NONE, NONE, .disabled = true,
	  .want = VALIDITY_WARNS, .says = "key 'a' of vault 'shop-kv' is disabled" },
	{ "disabled and expired", OBJECT_KEY, NONE, NOW - 1, NONE, NONE, .disabled = true,
	  .want = VALIDITY_WARNS, .says = "expired on" },
	{ "certificate", OBJECT_SECRET, NONE, NONE, NOW - 9, NOW + 9,
	  .of_certificate = true, .made = true, .want = VALIDITY_FINE },
	{ "certificate expired", OBJECT_SECRET, NONE, NOW + 99, NOW - 9, NOW - 1,
	  .of_certificate = true, .made = true, .want = VALIDITY_WARNS,
	  .says = "expired on 2023-11-14T22:13:19Z; renew the certificate" },
	{ "certificate early", OBJECT_CERTIFICATE, NOW - 99, NONE, NOW + 5, NOW + 9,
	  .made = true, .want = VALIDITY_WARNS, .says = "before 2023-11-14T22:13:25Z" },
	{ "certificate not looked at", OBJECT_SECRET, NOW - 9, NOW + 9, NONE, NONE,
	  .of_certificate = true, .want = VALIDITY_UNKNOWN },
	{ "but its attributes", OBJECT_SECRET, NOW - 9, NOW - 1, NONE, NONE,
	  .of_certificate = true, .want = VALIDITY_WARNS, .says = "renew the" },
	{ "pinned and expired", OBJECT_SECRET, NONE, NOW - 1, NONE, NONE, .pinned = true,
	  .want = VALIDITY_WARNS, .says = "Z; ask for a newer version (objectVersion)" },
	{ "pinned and early", OBJECT_KEY, NOW + 1, NONE, NONE, NONE, .pinned = true,
	  .want = VALIDITY_WARNS, .says = "Z; wait, or ask for an earlier version" },
	{ "newest of a history", OBJECT_SECRET, NONE, NOW - 1, NONE, NONE, .path = "a/0",
	  .want = VALIDITY_WARNS, .says = "Z; set a new version" },
	{ "older one of a history", OBJECT_SECRET, NONE, NOW - 1, NONE, NONE,
	  .path = "a/10", .want = VALIDITY_FINE },
	{ "not asked", OBJECT_SECRET, NONE, NONE, NONE, NONE, .not_asked = true,
	  .want = VALIDITY_UNKNOWN },
};

static void test_validity(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char vault[] = "shop-kv";
		struct source source = { .vault = { .name = vault } };
		char version[] = "0123456789abcdef0123456789abcdef", path[] = "a";
		struct object object = { .history = r->path ? 11 : 0,
					 .version = r->pinned ? version : NULL };
		struct task t = { .source = &source,
				  .object = &object,
				  .path = r->path ? (char *)(uintptr_t)r->path : path,
				  .how = { .kind = r->kind } };
		auto_free char *words = xasprintf("%s 'a'", kind_word(r->kind));
		struct err err = { 0 };

		t.words = words;
		t.value.item.state = r->not_asked ? FETCH_NONE : FETCH_GOT;
		t.value.got.not_before = r->nbf;
		t.value.got.expires = r->exp;
		t.value.got.of_certificate = r->of_certificate;
		t.value.got.disabled = r->disabled;
		t.has_new_files = r->made;
		t.new_files.validity = (struct pki_validity){ r->from, r->to };
		check_int(r->name, validity_of(&t, NOW * 1000, &err), r->want);
		if (r->says != NULL)
			check_holds(r->name, err.msg, r->says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_validity) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
