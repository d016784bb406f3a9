/* What a Kubernetes Secret is said to be, whose word counts, and what is written. */
#include "unit.h"

#include "base/json.h"
#include "cluster/secret.h"

#define ME "11111111-2222-3333-4444-555555555555"
#define OTHER "66666666-7777-8888-9999-000000000000"
#define LIST "00000000000000aa"
#define SOURCE "00000000000000bb"
#define KEYS "00000000000000cc"
#define OTHER_LIST "00000000000000a0"
#define LATER_LIST "00000000000000ff"

#define OURS "\"labels\":{\"akvsync.dev/managed\":\"true\"}"
#define NOTES(list, since, source, keys)                                                 \
	"\"annotations\":{\"akvsync.dev/list\":\"" list                                  \
	"\",\"akvsync.dev/since\":\"" since                                              \
	"\",\"akvsync.dev/owner\":\"pod\",\"akvsync.dev/source\":\"" source              \
	"\",\"akvsync.dev/keys\":\"" keys "\"}"
#define OWNED(uid) "\"ownerReferences\":[{\"uid\":\"" uid "\"}]"
#define CLAIM(uid, since, list) "{\"manager\":\"akvsync-pod-" uid "-" since "-" list "\"}"
#define CLAIMED(claims) "\"managedFields\":[{\"manager\":\"akvsync\"}," claims "]"
#define MINE OWNED(ME) "," CLAIMED(CLAIM(ME, "1000", LIST))
#define DATA "\"type\":\"Opaque\",\"data\":{\"key\":\"dmFsdWU=\"}"
#define BEGIN "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\",\"uid\":\"u\""
#define SECRET(metadata) BEGIN "," metadata "}," DATA "}"

static char name[] = "db", type[] = "Opaque";
static struct secret_object object = { .name = name, .type = type };

static struct cluster_secret make(void)
{
	struct cluster_secret s = { .object = &object,
				    .list = LIST,
				    .source = SOURCE,
				    .keys = KEYS,
				    .since_ms = 1000,
				    .shown_ms = 1000,
				    .pod_name = "web-1",
				    .pod_uid = ME };

	s.values = xcalloc(1, sizeof(*s.values));
	s.values[0] =
		(struct cluster_value){ .key = xstrdup("key"), .bytes = BUF_INIT(100) };
	buf_text(&s.values[0].bytes, "value");
	s.count = 1;
	object.owner = SECRET_OWNER_POD;
	object.adopt = false;
	return s;
}

/* o: ours, l: our list, d: our data, y: another pod's word counts, j: the pod joins the
 * owners, x: it leaves them. */
static void tell(const struct cluster_found *f, char out[static 8])
{
	snprintf(out, 8, "%s%s%s%s%s", f->is_ours ? "o" : "", f->same_list ? "l" : "",
		 f->same_data ? "d" : "", f->yields ? "y" : "",
		 f->manager[0] == '\0' ? ""
		 : f->joins            ? "j"
				       : "x");
}

static void test_whose_word_counts(void **state)
{
	static const struct {
		const char *reply;
		const char *written;
		const char *found;
	} rows[] = {
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS) "," MINE), "",
		  "old" },
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS)), "", "oldj" },
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS) "," OWNED(ME)), "",
		  "old" },
		/* The owner is there, but not as our claim. */
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS) "," OWNED(
			  ME) "," CLAIMED(CLAIM(ME, "900", OTHER_LIST))),
		  "", "oldj" },
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS) "," OWNED(
			  OTHER) "," CLAIMED(CLAIM(ME, "1000", LIST))),
		  "", "oldj" },
		/* A claim of before is left behind ours. */
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, KEYS) "," OWNED(
			  ME) "," CLAIMED(CLAIM(ME, "1000", LIST) "," CLAIM(ME, "900",
									    OTHER_LIST))),
		  "", "oldx" },
		/* A key is there too many or too few. */
		{ SECRET(OURS "," NOTES(LIST, "1000", SOURCE, "00") "," MINE), "", "ol" },
		/* Another source, other bytes. */
		{ BEGIN "," OURS "," NOTES(LIST, "1000", "00",
					   KEYS) "," MINE "},\"type\":\"Opaque\","
						 "\"data\":{\"key\":\"eA==\"}}",
		  "", "ol" },
		{ BEGIN "," OURS "," NOTES(LIST, "1000", "00",
					   KEYS) "," MINE "},\"type\":\"Opaque\","
						 "\"data\":{\"key\":\"eA==\"}}",
		  SOURCE, "oly" },
		{ BEGIN "," OURS "," NOTES(LIST, "1000", SOURCE,
					   KEYS) "," MINE "},\"type\":\"Opaque\","
						 "\"data\":{\"key\":\"eA==\"}}",
		  SOURCE, "ol" },
		{ BEGIN "," OURS "," NOTES(LIST, "1000", SOURCE,
					   KEYS) "," MINE "},\"type\":\"Opaque\"}",
		  SOURCE, "ol" },
		/* Another list: the newer one counts while its pod lives. */
		{ SECRET(OURS "," NOTES(OTHER_LIST, "900", SOURCE, KEYS) "," MINE), "",
		  "od" },
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS) "," MINE), "",
		  "od" },
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS)), "", "odyj" },
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS) "," OWNED(
			  OTHER) "," CLAIMED(CLAIM(OTHER, "2000", OTHER_LIST))),
		  "", "odyj" },
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS) "," OWNED(
			  OTHER) "," CLAIMED(CLAIM(OTHER, "900", OTHER_LIST))),
		  "", "odj" },
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS) "," OWNED(
			  ME) "," CLAIMED(CLAIM(OTHER, "2000", OTHER_LIST))),
		  "", "odj" },
		/* Of two that are as old, the same one for both pods. */
		{ SECRET(OURS "," NOTES(OTHER_LIST, "1000", SOURCE, KEYS)), "", "odj" },
		{ SECRET(OURS "," NOTES(LATER_LIST, "1000", SOURCE, KEYS)), "", "odyj" },
		/* What is no claim. */
		{ SECRET(OURS "," NOTES(OTHER_LIST, "2000", SOURCE, KEYS) "," OWNED(
			  OTHER) "," CLAIMED(CLAIM(OTHER, "x",
						   OTHER_LIST) "," CLAIM(OTHER, "2000",
									 "zzzzzzzzzzzzzzz"
									 "z") ",{"
									      "\"manager"
									      "\":"
									      "\"akvsync"
									      "-pod"
									      "-" OTHER
									      "\"},{"
									      "\"manager"
									      "\":"
									      "\"akvsync"
									      "-pod-\"},"
									      "{},7")),
		  "", "odj" },
		{ SECRET(OURS ",\"annotations\":{\"akvsync.dev/list\":\"" OTHER_LIST
			      "\",\"akvsync.dev/since\":\"x\"}"),
		  "", "oj" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cluster_secret s = make();
		struct cluster_found f = { 0 };
		struct err err;
		char found[8];

		snprintf(s.written, sizeof(s.written), "%s", rows[i].written);
		check_ok(rows[i].reply,
			 cluster_secret_read(&s, rows[i].reply, strlen(rows[i].reply), &f,
					     &err),
			 &err);
		tell(&f, found);
		if (strcmp(found, rows[i].found) != 0)
			fail_msg("row %zu: '%s', not '%s'", i, found, rows[i].found);
		cluster_found_done(&f);
		cluster_secret_done(&s);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *reply;
		enum err_kind kind;
		const char *says;
	} rows[] = {
		{ "", ERR_GARBLED, "no JSON" },
		{ "[]", ERR_GARBLED, "no Secret" },
		{ "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\"}}", ERR_GARBLED,
		  "no Secret" },
		{ "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"db\",\"uid\":\"u\"}}",
		  ERR_GARBLED, "no Secret" },
		{ "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\",\"uid\":\"u\"}}",
		  ERR_GARBLED, "no Secret" },
		{ BEGIN "}," DATA "}", ERR_CONFIG, "is not akvsync's" },
		{ BEGIN ",\"labels\":{\"akvsync.dev/managed\":\"false\"}}," DATA "}",
		  ERR_CONFIG, "is not akvsync's" },
		{ BEGIN "," OURS "},\"immutable\":true," DATA "}", ERR_CONFIG,
		  "immutable" },
		{ BEGIN "," OURS "},\"type\":\"x\"}", ERR_CONFIG, "its type is x" },
		{ BEGIN "," OURS "}}", ERR_CONFIG, "its type is unknown" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cluster_secret s = make();
		struct cluster_found f = { 0 };
		struct err err;

		check_err(rows[i].reply,
			  cluster_secret_read(&s, rows[i].reply, strlen(rows[i].reply),
					      &f, &err),
			  &err, rows[i].kind, rows[i].says);
		check(rows[i].reply, f.uid == NULL);
		check(rows[i].reply, strstr(err.msg, "dmFsdWU") == NULL);
		cluster_secret_done(&s);
	}
}

static void test_what_is_kept(void **state)
{
	static const char reply[] =
		SECRET(OURS "," NOTES(LIST, "500", "00000000000000dd", KEYS));
	struct cluster_secret s = make();
	struct cluster_found f;
	auto_buf struct buf body = BUF_INIT(4096);
	struct err err;

	(void)state;
	check_ok("", cluster_secret_read(&s, reply, strlen(reply), &f, &err), &err);
	check_text("the same bytes", s.source, "00000000000000dd");
	check_int("for comparing", s.since_ms, 1000);
	cluster_secret_write(&s, &body);
	check_text("the body", buf_str(&body),
		   "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
		   "\"db\"," OURS "," NOTES(LIST, "500", "00000000000000dd",
					    KEYS) "},\"type\":\"Opaque\",\"data\":{"
						  "\"key\":\"dmFsdWU=\"}}");
	buf_truncate(&body, 0);
	check_text("the claim", f.manager, "akvsync-pod-" ME "-1000-" LIST);
	cluster_secret_write_owner(&s, &f, &body);
	check_holds("joins", buf_str(&body),
		    "\"uid\":\"u\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
		    "\"Pod\",\"name\":\"web-1\",\"uid\":\"" ME "\"}]");
	f.joins = false;
	buf_truncate(&body, 0);
	cluster_secret_write_owner(&s, &f, &body);
	check("leaves", strstr(buf_str(&body), "ownerReferences") == NULL);
	cluster_found_done(&f);
	cluster_secret_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_word_counts),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_what_is_kept),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
