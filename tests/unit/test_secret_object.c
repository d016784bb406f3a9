/* The entries for Kubernetes Secrets: their rules, their number, and the Role for them.
 */
#include "unit.h"

#include "config/secret_objects.h"

static int read_list(const char *list, struct secret_objects *out, struct err *err)
{
	struct objects objects = { 0 };
	int result;

	check_ok("objects", objects_parse(&objects, "s, t", 0440, err), err);
	result = secret_objects_read(out, list, &objects, err);
	objects_done(&objects);
	return result;
}

#define DATA "data: [{objectName: s, key: k}]"
#define ENTRY(more) "[{secretName: db, " DATA ", " more "}]"
#define LONG_63 "a23456789012345678901234567890123456789012345678901234567890123"
#define LONG_252 LONG_63 LONG_63 LONG_63 LONG_63

static void test_accepted(void **state)
{
	static const char *const rows[] = {
		"[]",
		"[{secretName: db, all: true}]",
		"[{secretName: " LONG_252 "a, all: true}]",
		"[{secretName: 1.a-b, all: true}]",
		"[{secretName: db, data: [{objectName: s, key: " LONG_252 "a}]}]",
		"[{secretName: db, data: [{objectName: s, key: .a}, {objectName: s, key: "
		"a..b_-}]}]",
		ENTRY("type: "),
		ENTRY("type: Opaque, owner: none, adopt: yes, immutable: false"),
		ENTRY("labels: , annotations: ~"),
		ENTRY("labels: {" LONG_63 ": " LONG_63 ", a.b/c: '', n: 1, on: true}"),
		ENTRY("annotations: {a: 'any text: \"\\ü'}"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret_objects all;
		struct err err;

		check_ok(rows[i], read_list(rows[i], &all, &err), &err);
		secret_objects_done(&all);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *list, *says;
	} rows[] = {
		{ "db", "must be one list of maps" },
		{ "true", "AKVSYNC_KUBERNETES_SECRETS" },
		{ "[db]", "entry 1: it is not a map" },
		{ "[{all: true}]", "entry 1: secretName is missing" },
		{ "[{secretName: db}]", "Secret 'db': it has no data" },
		{ "[{secretName: " LONG_252 "ab, all: true}]", "is no name of a Secret" },
		{ "[{secretName: a..b, all: true}]", "is no name of a Secret" },
		{ "[{secretName: a-, all: true}]", "is no name of a Secret" },
		{ "[{secretName: a/../b, all: true}]", "is no name of a Secret" },
		{ "[{secretName: [a], all: true}]", "secretName must be plain text" },
		{ "[{secretName: a, all: true}, {secretName: a, all: true}]",
		  "another entry makes this Secret" },
		{ ENTRY("typo: x"), "did you mean 'type'" },
		{ ENTRY("all: perhaps"), "neither true nor false" },
		{ ENTRY("adopt: perhaps"), "neither true nor false" },
		{ ENTRY("immutable: true"), "could not follow the vault" },
		{ ENTRY("owner: Pod"), "none of pod, none, existing" },
		{ ENTRY("type: kubernetes.io/service-account-token"), "is refused" },
		{ ENTRY("type: " LONG_252 "ab"), "is too long" },
		{ ENTRY("type: kubernetes.io/tls"), "the keys tls.crt and tls.key" },
		{ ENTRY("type: kubernetes.io/basic-auth"),
		  "the keys username or password" },
		{ ENTRY("type: kubernetes.io/ssh-auth"), "the key ssh-privatekey" },
		{ ENTRY("type: kubernetes.io/dockerconfigjson"),
		  "the key .dockerconfigjson" },
		{ ENTRY("type: kubernetes.io/dockercfg"), "the key .dockercfg" },
		{ ENTRY("labels: [a]"), "labels must be a map" },
		{ ENTRY("labels: {a: [b]}"), "must be plain text" },
		{ ENTRY("labels: {a: -b}"), "the value of 'a'" },
		{ ENTRY("labels: {a: " LONG_63 "4}"), "the value of 'a'" },
		{ ENTRY("labels: {" LONG_63 "4: b}"), "is no name of one" },
		{ ENTRY("labels: {A.b/c: b}"), "is no name of one" },
		{ ENTRY("labels: {a/b/c: b}"), "is no name of one" },
		{ ENTRY("labels: {akvsync.dev/managed: 'false'}"), "akvsync's own" },
		{ ENTRY("annotations: {akvsync.dev/since: 9}"), "akvsync's own" },
		{ ENTRY("annotations: {'a b': 9}"), "is no name of one" },
		{ "[{secretName: db, data: {objectName: s, key: k}}]",
		  "data must be a list" },
		{ "[{secretName: db, data: [s]}]", "must have objectName" },
		{ "[{secretName: db, data: [{objectName: s}]}]", "and key" },
		{ "[{secretName: db, data: [{objectName: s, key: k, k: 1}]}]",
		  "unknown attribute 'k'" },
		{ "[{secretName: db, data: [{objectName: x, key: k}]}]",
		  "makes a file 'x'" },
		{ "[{secretName: db, data: [{objectName: s, key: k}, {objectName: t, "
		  "key: k}]}]",
		  "key 'k' is there twice" },
		{ "[{secretName: db, data: [{objectName: s, key: a/b}]}]",
		  "key 'a/b' may hold" },
		{ "[{secretName: db, data: [{objectName: s, key: .}]}]",
		  "key '.' may hold" },
		{ "[{secretName: db, data: [{objectName: s, key: ..a}]}]",
		  "key '..a' may hold" },
		{ "[{secretName: db, data: [{objectName: s, key: " LONG_252 "ab}]}]",
		  "at most 253" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret_objects all;
		struct err err;

		check_err(rows[i].list, read_list(rows[i].list, &all, &err), &err,
			  ERR_CONFIG, rows[i].says);
	}
}

/* As many as there may be, and one more. */
static void test_how_many(void **state)
{
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		auto_buf struct buf list = BUF_INIT(100000);
		struct secret_objects all;
		struct err err;

		for (int i = 0; i < SECRET_OBJECTS_MAX + extra; i++)
			buf_printf(&list, "- {secretName: s%d, all: true}\n", i);
		if (extra) {
			check_err("too many", read_list(buf_str(&list), &all, &err), &err,
				  ERR_CONFIG, "more than 100");
			continue;
		}
		check_ok("enough", read_list(buf_str(&list), &all, &err), &err);
		check_int("enough", all.count, SECRET_OBJECTS_MAX);
		secret_objects_done(&all);
	}
}

static void test_number(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ ENTRY("owner: none"), ENTRY("owner: pod, adopt: true"), true },
		{ ENTRY("labels: {a: b, c: d}"), ENTRY("labels: {c: d, a: b}"), true },
		{ ENTRY("labels: {a: b}"), ENTRY("annotations: {a: b}"), false },
		{ ENTRY("labels: {a: b}"), ENTRY("labels: {a: c}"), false },
		{ ENTRY("type: x"), ENTRY("type: y"), false },
		{ ENTRY("all: true"), ENTRY("all: false"), false },
		{ ENTRY("all: false"), "[{secretName: x, " DATA "}]", false },
		{ ENTRY("all: false"),
		  "[{secretName: db, data: [{objectName: t, key: k}]}]", false },
		{ ENTRY("all: false"),
		  "[{secretName: db, data: [{objectName: s, key: x}]}]", false },
		{ "[{secretName: db, data: [{objectName: s, key: a}, {objectName: t, "
		  "key: b}]}]",
		  "[{secretName: db, data: [{objectName: t, key: b}, {objectName: s, "
		  "key: a}]}]",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret_objects a, b;
		struct err err;

		check_ok(rows[i].a, read_list(rows[i].a, &a, &err), &err);
		check_ok(rows[i].b, read_list(rows[i].b, &b, &err), &err);
		check_int(rows[i].a,
			  secret_object_number(a.items) == secret_object_number(b.items),
			  rows[i].same);
		secret_objects_done(&a);
		secret_objects_done(&b);
	}
}

/* A name that YAML reads as a number stays a text. */
static void test_role(void **state)
{
	auto_buf struct buf role = BUF_INIT(10000);
	struct secret_objects all;
	struct err err;

	(void)state;
	check_ok("role",
		 read_list("[{secretName: '1', all: true}, {secretName: on, all: true, "
			   "owner: existing}, {secretName: 1e3, all: true, owner: none}]",
			   &all, &err),
		 &err);
	secret_objects_write_role(&all, &role);
	check_text("role", buf_str(&role),
		   "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n"
		   "  name: akvsync-secrets\nrules:\n"
		   "  - apiGroups: [\"\"]\n    resources: [secrets]\n"
		   "    resourceNames: [\"1\", \"1e3\"]\n    verbs: [create, patch]\n"
		   "  - apiGroups: [\"\"]\n    resources: [secrets]\n"
		   "    resourceNames: [\"on\"]\n    verbs: [patch]\n");
	secret_objects_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_how_many), cmocka_unit_test(test_number),
		cmocka_unit_test(test_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
