/* What a refusal of the API server becomes: only names, verbs and fields of it are told.
 */
#include "unit.h"

#include "base/json.h"
#include "cluster/status.h"

#define FORBIDDEN(verb)                                                                  \
	"{\"reason\":\"Forbidden\",\"message\":\"secrets \\\"db\\\" is forbidden: User " \
	"\\\"x\\\" cannot " verb " resource \\\"secrets\\\" planted\"}"
#define CAUSES(list)                                                                     \
	"{\"reason\":\"Invalid\",\"message\":\"planted\",\"details\":{\"causes\":[" list \
	"]}}"

static void test_refusals(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
		const char *says;
		bool says_absent;
	} rows[] = {
		{ 401, "", ERR_IDENTITY, "answers 401; the API server", false },
		{ 403, FORBIDDEN("create"), ERR_DENIED, "needs the verb \"create\"",
		  true },
		{ 403, FORBIDDEN("patch"), ERR_DENIED, "403 Forbidden; ", false },
		{ 403, FORBIDDEN("planted"), ERR_DENIED,
		  "something in the cluster refuses it, besides its Roles", false },
		{ 403,
		  "{\"message\":\"cannot set an ownerRef on a resource you can't "
		  "delete\"}",
		  ERR_DENIED, "the verb \"delete\"", false },
		{ 403, "{\"planted\":1}", ERR_DENIED, "answers 403", false },
		{ 404, "{}", ERR_NOTFOUND, "is namespace 'shop' being deleted", false },
		{ 409, FORBIDDEN("create"), ERR_UNAVAILABLE, "409", false },
		{ 422,
		  CAUSES("{\"field\":\"data[.dockerconfigjson]\",\"message\":\"planted\"}"
			 ",{\"field\":\"type\"}"),
		  ERR_CONFIG, "does not accept the field data[.dockerconfigjson], type",
		  false },
		{ 422, CAUSES("{\"field\":\"planted value!\"},{\"field\":7},8"),
		  ERR_CONFIG, "422 Invalid", false },
		{ 422, "{\"reason\":\"planted 1\",\"details\":[]}", ERR_CONFIG,
		  "answers 422", false },
		{ 400, "null", ERR_CONFIG, "400", false },
		{ 302, "", ERR_UNAVAILABLE, "302", false },
		{ 429, "", ERR_UNAVAILABLE, "429", false },
		{ 500, "<html>planted", ERR_UNAVAILABLE, "500", false },
		{ 503, "", ERR_UNAVAILABLE, "503", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_reply reply = { .status = rows[i].status,
					    .body = BUF_INIT(1000),
					    .retry_after_ms = 7 };
		struct err err;

		buf_text(&reply.body, rows[i].body);
		check_err(rows[i].body, cluster_status_error(&reply, "shop", &err), &err,
			  rows[i].kind, rows[i].says);
		check_int(rows[i].body, err.retry_after_ms, 7);
		check(rows[i].body, strstr(err.msg, "planted") == NULL);
		check_int(rows[i].body, cluster_status_is_absent(&reply),
			  rows[i].says_absent);
		buf_done(&reply.body);
	}
}

/* However many there are, and however long. */
static void test_many_fields(void **state)
{
	struct http_reply reply = { .status = 422, .body = BUF_INIT(100000) };
	struct err err;

	(void)state;
	buf_text(&reply.body, "{\"details\":{\"causes\":[");
	for (int i = 0; i < 100; i++)
		buf_printf(&reply.body, "%s{\"field\":\"%0200d\"}", i ? "," : "", i);
	buf_text(&reply.body, "]}}");
	check_err("many", cluster_status_error(&reply, "shop", &err), &err, ERR_CONFIG,
		  "does not accept");
	buf_done(&reply.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_fields),
	};

	json_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
