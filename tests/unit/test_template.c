/* The text of a template becomes its parts; mistakes are named with their place. */
#include "unit.h"

#include "base/buf.h"
#include "base/template.h"

/* "text" as it is, {path|filter}: a place. */
static void show(const struct template *t, struct buf *out)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct template_part *part = &t->parts[i];

		buf_text(out, i ? "," : "");
		if (part->text != NULL) {
			buf_printf(out, "'%s'", part->text);
			continue;
		}
		buf_printf(out, "{%s", part->path);
		for (size_t f = 0; f < part->filter_count; f++)
			buf_printf(out, "|%s", template_filter_name(part->filters[f]));
		buf_printf(out, "}@%s", part->where);
	}
}

static void test_parts(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "a}} } { b", "'a}} } { b'" },
		{ "{{a}}", "{a}@line 1, column 1" },
		{ "x {{ a/b.c }}y", "'x ',{a/b.c}@line 1, column 3,'y'" },
		{ "{{a|url}}", "{a|url}@line 1, column 1" },
		{ "{{ a | trim\t|base64 |json| shell }}",
		  "{a|trim|base64|json|shell}@line 1, column 1" },
		{ "\n\n  {{a}}{{b}}",
		  "'\n\n  ',{a}@line 3, column 3,{b}@line 3, column 8" },
		{ "\xc3\xbc{{a}}\r\n{{b}}{{c}}\n\n {{d}}",
		  "'\xc3\xbc',{a}@line 1, column 2,'\r\n',{b}@line 2, column "
		  "1,{c}@line 2, column 6,'\n\n ',{d}@line 4, column 2" },
		{ "\xc3\xbc\xf0\x9f\x94\x91{{a}}",
		  "'\xc3\xbc\xf0\x9f\x94\x91',{a}@line 1, column 3" },
		{ "{{\"{{\"}}a{{ \"}}\" }}", "'{{','a','}}'" },
		{ "{{\"\"}}", "" },
		{ "{{with space}}", "{with space}@line 1, column 1" },
		{ "{{a}}}", "{a}@line 1, column 1,'}'" },
		{ "{{a|url|url|url|url|url|url|url|url}}",
		  "{a|url|url|url|url|url|url|url|url}@line 1, column 1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = BUF_INIT(1000);
		struct template t = { 0 };
		struct err err = { 0 };

		check_ok(rows[i].text, template_parse(rows[i].text, &t, &err), &err);
		show(&t, &got);
		check_text(rows[i].text, buf_str(&got), rows[i].want);
		template_done(&t);
	}
}

static void test_mistakes(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "{{a", "line 1, column 1: '{{' has no '}}' on its line" },
		{ "x\n {{a\n}}", "line 2, column 2: '{{' has no '}}' on its line" },
		{ "{{a}}{{", "line 1, column 6: " },
		{ "{{a}}\n{{\n{{b}}", "line 2, column 1: '{{' has no '}}' on its line" },
		{ "{{}}", "it names no file" },
		{ "{{ | url }}", "it names no file" },
		{ "{{a|}}", "unknown filter ''" },
		{ "{{a|URL}}", "unknown filter 'URL'; did you mean 'url'?" },
		{ "{{a|bse64}}", "did you mean 'base64'?" },
		{ "{{a|frobnicate}}", "filters are base64, json, shell, trim, url" },
		{ "{{a|fileKeyRef}}", "unknown filter 'fileKeyRef'" },
		{ "{{a|dotenv}}", "unknown filter 'dotenv'" },
		{ "{{a|url|url|url|url|url|url|url|url|url}}", "more than 8 filters" },
		{ "{{a{{b}}", "inside of another one" },
		{ "{{\"x}}", "a text in quotes must end" },
		{ "{{\"x\n\"}}", "a text in quotes must end" },
		{ "{{\"x\" y}}", "a text in quotes must end" },
		{ "{{\"x\"|url}}", "takes no filters" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template t = { 0 };
		struct err err = { 0 };

		check_err(rows[i].text, template_parse(rows[i].text, &t, &err), &err,
			  ERR_CONFIG, rows[i].want);
		check_int(rows[i].text, t.count, 0);
	}
}

static void test_bound(void **state)
{
	auto_buf struct buf text = BUF_INIT(100 * TEMPLATE_PARTS_MAX);
	struct template t = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i <= TEMPLATE_PARTS_MAX; i++)
		buf_text(&text, "{{a}}");
	check_err("many", template_parse(buf_str(&text), &t, &err), &err, ERR_CONFIG,
		  "too many places");
	text.data[5 * TEMPLATE_PARTS_MAX] = '\0';
	check_ok("most", template_parse(text.data, &t, &err), &err);
	check_int("most", t.count, TEMPLATE_PARTS_MAX);
	template_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
