/* Columns are as wide as what stands in them, and are cut only where there is a bound. */
#include "unit.h"

#include "command/table.h"

static const char *const headings[] = { "OBJECT", "STATE" };

static void check_table(const char *row, const struct table_look *look, const char *name,
			enum paint paint, const char *note, const char *want)
{
	auto_buf struct buf out = BUF_INIT(10000);
	struct table t;

	table_begin(&t, headings, ARRAY_LEN(headings));
	table_cell(&t, PAINT_NONE, "%s", name);
	table_cell(&t, paint, "%s", "stale");
	if (note != NULL)
		table_note(&t, PAINT_RED, note);
	table_write(&t, look, &out);
	check_text(row, buf_str(&out), want);
	check_int(row, t.count, 0);
}

static void test_write(void **state)
{
	static const struct {
		const char *row;
		struct table_look look;
		const char *name;
		enum paint paint;
		const char *note, *want;
	} rows[] = {
		{ "short",
		  { 0 },
		  "db",
		  PAINT_RED,
		  NULL,
		  "OBJECT  STATE\ndb      stale\n" },
		{ "long",
		  { 0 },
		  "db-password-of-shop",
		  PAINT_NONE,
		  NULL,
		  "OBJECT               STATE\ndb-password-of-shop  stale\n" },
		{ "cut",
		  { .width = 22 },
		  "db-password-of-shop",
		  PAINT_NONE,
		  "a note is never cut to the width",
		  "OBJECT           STATE\ndb-pas...f-shop  stale\n"
		  "a note is never cut to the width\n" },
		{ "cut no further",
		  { .width = 1 },
		  "db-password-of-shop",
		  PAINT_NONE,
		  NULL,
		  "OBJECT        STATE\ndb-pa...shop  stale\n" },
		{ "fits",
		  { .width = 13 },
		  "db",
		  PAINT_NONE,
		  NULL,
		  "OBJECT  STATE\ndb      stale\n" },
		{ "colour",
		  { .colour = true },
		  "db",
		  PAINT_YELLOW,
		  "no",
		  "OBJECT  STATE\ndb      \x1b[33mstale\x1b[0m\n\x1b[31mno\x1b[0m\n" },
		{ "wide letters",
		  { 0 },
		  "\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5",
		  PAINT_NONE,
		  NULL,
		  "OBJECT    STATE\n\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5  "
		  "stale\n" },
		{ "controls",
		  { .colour = true },
		  "a\x1b[2Jb\nc",
		  PAINT_NONE,
		  "d\x1b]0;x\a\n",
		  "OBJECT    STATE\na?[2Jb?c  stale\n\x1b[31md?]0;x??\x1b[0m\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_table(rows[i].row, &rows[i].look, rows[i].name, rows[i].paint,
			    rows[i].note, rows[i].want);
}

/* Whatever a stranger sends as a name. */
static void test_long_cell(void **state)
{
	auto_buf struct buf out = BUF_INIT(100000);
	char name[10000];
	struct table t;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	table_begin(&t, headings, ARRAY_LEN(headings));
	table_cell(&t, PAINT_NONE, "%s", name);
	table_note(&t, PAINT_NONE, name);
	table_write(&t, &(struct table_look){ 0 }, &out);
	assert_true(out.len > 12000 && out.len < 14000);
}

static void test_line(void **state)
{
	auto_buf struct buf out = BUF_INIT(100);

	(void)state;
	table_line(&(struct table_look){ 0 }, PAINT_RED, "a", &out);
	table_line(&(struct table_look){ .colour = true }, PAINT_RED, "b", &out);
	table_line(&(struct table_look){ .colour = true }, PAINT_NONE, "c", &out);
	check_text("lines", buf_str(&out), "a\n\x1b[31mb\x1b[0m\nc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_long_cell),
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
