/* What becomes of an object: each row of the table, and what holds for every combination
 * of facts. */
#include "unit.h"

#include "sync/fate.h"

/* Facts in short: error, need, files, then flags: s same configuration, f first set,
 * h its vault held, g gone for long, e has files elsewhere. */
struct row {
	const char *row;
	enum err_kind error;
	enum fate_need need;
	enum fate_files files;
	const char *flags;
	enum fate fate;
	const char *reason; /* a part of it */
};

static const struct row rows[] = {
	/* It answered. */
	{ "the first set", ERR_NONE, FATE_REQUIRED, FATE_NO_FILES, "f", FATE_NEW, "" },
	{ "nothing is wrong", ERR_NONE, FATE_REQUIRED, FATE_GOOD_FILES, "s", FATE_NEW,
	  "" },
	{ "a damaged file is made anew", ERR_NONE, FATE_REQUIRED, FATE_ALTERED_FILES, "s",
	  FATE_NEW, "" },
	{ "other options", ERR_NONE, FATE_REQUIRED, FATE_OTHER_FILES, "", FATE_NEW, "" },
	{ "an optional one appears", ERR_NONE, FATE_OPTIONAL, FATE_NO_FILES, "s",
	  FATE_NEW, "" },
	/* It answered, but its vault is held. */
	{ "held", ERR_NONE, FATE_REQUIRED, FATE_GOOD_FILES, "sh", FATE_KEEP,
	  "last good files stay" },
	{ "held, altered", ERR_NONE, FATE_REQUIRED, FATE_ALTERED_FILES, "sh",
	  FATE_KEEP_AS_IS, "changed or removed" },
	{ "held, optional, appears", ERR_NONE, FATE_OPTIONAL, FATE_NO_FILES, "sh",
	  FATE_ABSENT, "left out" },
	{ "held, new in the list", ERR_NONE, FATE_REQUIRED, FATE_NO_FILES, "h",
	  FATE_HOLD_SET, "no set of this list" },
	{ "held, other options", ERR_NONE, FATE_REQUIRED, FATE_OTHER_FILES, "h",
	  FATE_HOLD_SET, "no set of this list" },
	{ "held at the first set", ERR_NONE, FATE_REQUIRED, FATE_NO_FILES, "fh",
	  FATE_HOLD_SET, "no files have been published yet" },
	{ "held at the first set, selected", ERR_NONE, FATE_SELECTED, FATE_NO_FILES, "fh",
	  FATE_HOLD_SET, "no files have been published yet" },
	{ "held at the first set, optional", ERR_NONE, FATE_OPTIONAL, FATE_NO_FILES, "fh",
	  FATE_ABSENT, "left out" },
	/* A permanent failure freezes the object. */
	{ "denied", ERR_DENIED, FATE_REQUIRED, FATE_GOOD_FILES, "s", FATE_KEEP,
	  "last good files stay" },
	{ "not found", ERR_NOTFOUND, FATE_REQUIRED, FATE_GOOD_FILES, "s", FATE_KEEP,
	  "last good files stay" },
	{ "garbled", ERR_GARBLED, FATE_REQUIRED, FATE_GOOD_FILES, "s", FATE_KEEP,
	  "last good files stay" },
	{ "cannot be rendered", ERR_CONFIG, FATE_REQUIRED, FATE_GOOD_FILES, "s",
	  FATE_KEEP, "last good files stay" },
	{ "a required one never goes", ERR_NOTFOUND, FATE_REQUIRED, FATE_GOOD_FILES, "sg",
	  FATE_KEEP, "last good files stay" },
	{ "denied, touched by the app", ERR_DENIED, FATE_REQUIRED, FATE_ALTERED_FILES,
	  "s", FATE_KEEP_AS_IS, "changed or removed" },
	{ "denied, touched, another list", ERR_DENIED, FATE_REQUIRED, FATE_ALTERED_FILES,
	  "", FATE_HOLD_SET, "no set of this list" },
	{ "denied, touched, optional, another list", ERR_DENIED, FATE_OPTIONAL,
	  FATE_ALTERED_FILES, "", FATE_KEEP_AS_IS, "changed or removed" },
	{ "denied, touched, selected", ERR_DENIED, FATE_SELECTED, FATE_ALTERED_FILES, "s",
	  FATE_KEEP_AS_IS, "changed or removed" },
	{ "denied, other options", ERR_DENIED, FATE_REQUIRED, FATE_OTHER_FILES, "",
	  FATE_HOLD_SET, "no set of this list" },
	{ "denied, other options, optional", ERR_DENIED, FATE_OPTIONAL, FATE_OTHER_FILES,
	  "", FATE_KEEP_AS_IS, "earlier configuration" },
	{ "denied, other options, selected", ERR_DENIED, FATE_SELECTED, FATE_OTHER_FILES,
	  "", FATE_KEEP_AS_IS, "earlier configuration" },
	{ "denied, other options of before", ERR_DENIED, FATE_OPTIONAL, FATE_OTHER_FILES,
	  "s", FATE_KEEP_AS_IS, "last good files stay" },
	{ "denied, new in the list", ERR_DENIED, FATE_REQUIRED, FATE_NO_FILES, "",
	  FATE_HOLD_SET, "no set of this list" },
	{ "denied at the first set", ERR_DENIED, FATE_REQUIRED, FATE_NO_FILES, "f",
	  FATE_HOLD_SET, "no files have been published yet" },
	/* What may be missing. */
	{ "optional, denied", ERR_DENIED, FATE_OPTIONAL, FATE_NO_FILES, "f", FATE_ABSENT,
	  "until it is there" },
	{ "optional, not found", ERR_NOTFOUND, FATE_OPTIONAL, FATE_NO_FILES, "",
	  FATE_ABSENT, "until it is there" },
	{ "selected, denied", ERR_DENIED, FATE_SELECTED, FATE_NO_FILES, "f", FATE_ABSENT,
	  "until it is there" },
	{ "selected, cannot be rendered", ERR_CONFIG, FATE_SELECTED, FATE_NO_FILES, "f",
	  FATE_HOLD_SET, "no files have been published yet" },
	{ "optional, cannot be rendered", ERR_CONFIG, FATE_OPTIONAL, FATE_NO_FILES, "f",
	  FATE_ABSENT, "until it can be read" },
	{ "optional, garbled, in a new list", ERR_GARBLED, FATE_OPTIONAL, FATE_NO_FILES,
	  "", FATE_ABSENT, "until it can be read" },
	{ "not found for a while", ERR_NOTFOUND, FATE_OPTIONAL, FATE_GOOD_FILES, "s",
	  FATE_KEEP, "last good files stay" },
	{ "not found for long", ERR_NOTFOUND, FATE_OPTIONAL, FATE_GOOD_FILES, "sg",
	  FATE_GO, "its files go" },
	{ "selected, not found for long", ERR_NOTFOUND, FATE_SELECTED, FATE_GOOD_FILES,
	  "sg", FATE_GO, "its files go" },
	{ "altered, not found for long", ERR_NOTFOUND, FATE_OPTIONAL, FATE_ALTERED_FILES,
	  "sg", FATE_GO, "its files go" },
	{ "denied for long", ERR_DENIED, FATE_OPTIONAL, FATE_GOOD_FILES, "sg", FATE_KEEP,
	  "last good files stay" },
	/* A transient failure. */
	{ "unreachable", ERR_UNAVAILABLE, FATE_REQUIRED, FATE_GOOD_FILES, "sh", FATE_KEEP,
	  "last good files stay" },
	{ "no token", ERR_IDENTITY, FATE_REQUIRED, FATE_GOOD_FILES, "sh", FATE_KEEP,
	  "last good files stay" },
	{ "unreachable, touched", ERR_UNAVAILABLE, FATE_REQUIRED, FATE_ALTERED_FILES,
	  "sh", FATE_KEEP_AS_IS, "changed or removed" },
	{ "unreachable at the first set", ERR_UNAVAILABLE, FATE_REQUIRED, FATE_NO_FILES,
	  "fh", FATE_HOLD_SET, "no files have been published yet" },
	{ "unreachable at the first set, selected", ERR_UNAVAILABLE, FATE_SELECTED,
	  FATE_NO_FILES, "fh", FATE_HOLD_SET, "no files have been published yet" },
	{ "unreachable at the first set, optional", ERR_UNAVAILABLE, FATE_OPTIONAL,
	  FATE_NO_FILES, "f", FATE_ABSENT, "until it can be read" },
	{ "unreachable, optional, new in the list", ERR_UNAVAILABLE, FATE_OPTIONAL,
	  FATE_NO_FILES, "", FATE_ABSENT, "until it can be read" },
	{ "no identity, optional, first set", ERR_IDENTITY, FATE_OPTIONAL, FATE_NO_FILES,
	  "fh", FATE_HOLD_SET, "no files have been published yet" },
	{ "no identity, optional, absent before", ERR_IDENTITY, FATE_OPTIONAL,
	  FATE_NO_FILES, "sh", FATE_ABSENT, "until it can be read" },
	{ "unreachable, optional, at a new path", ERR_UNAVAILABLE, FATE_OPTIONAL,
	  FATE_NO_FILES, "eh", FATE_HOLD_SET, "no set of this list" },
	{ "unreachable, optional, absent before", ERR_UNAVAILABLE, FATE_OPTIONAL,
	  FATE_NO_FILES, "sh", FATE_ABSENT, "until it can be read" },
	{ "unreachable, selected, absent before", ERR_UNAVAILABLE, FATE_SELECTED,
	  FATE_NO_FILES, "sh", FATE_ABSENT, "until it can be read" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct fate_facts facts = {
			.error = r->error,
			.need = r->need,
			.files = r->files,
			.same_configuration = strchr(r->flags, 's') != NULL,
			.first_set = strchr(r->flags, 'f') != NULL,
			.vault_held = strchr(r->flags, 'h') != NULL,
			.gone = strchr(r->flags, 'g') != NULL,
			.elsewhere = strchr(r->flags, 'e') != NULL,
		};
		const struct fate_verdict *v = fate_of(&facts);

		check_int(r->row, v->fate, r->fate);
		check_holds(r->row, v->reason, r->reason);
	}
}

/* Calls a function for every combination of facts. */
static size_t for_all(void (*look)(const struct fate_facts *facts, enum fate fate))
{
	size_t n = 0;

	for (int error = ERR_NONE; error <= ERR_IO; error++)
		for (int need = FATE_REQUIRED; need <= FATE_OPTIONAL; need++)
			for (int files = FATE_NO_FILES; files <= FATE_GOOD_FILES; files++)
				for (int flags = 0; flags < 32; flags++, n++) {
					struct fate_facts f = {
						.error = (enum err_kind)error,
						.need = (enum fate_need)need,
						.files = (enum fate_files)files,
						.same_configuration = flags & 1,
						.first_set = flags & 2,
						.vault_held = flags & 4,
						.gone = flags & 8,
						.elsewhere = flags & 16,
					};

					look(&f, fate_of(&f)->fate);
				}
	return n;
}

static void look(const struct fate_facts *f, enum fate fate)
{
	/* New bytes only from an object that answered, in a vault that did. */
	assert_int_equal(fate == FATE_NEW, f->error == ERR_NONE && !f->vault_held);
	/* Files go only when the vault says so for long, and never a required one's. */
	if (fate == FATE_GO)
		assert_true(f->error == ERR_NOTFOUND && f->gone &&
			    f->need != FATE_REQUIRED);
	/* Nothing that is there is lost on the way: absent is only what has no files. */
	if (fate == FATE_ABSENT)
		assert_true(f->files == FATE_NO_FILES && f->need != FATE_REQUIRED);
	if (fate == FATE_KEEP)
		assert_int_equal(f->files, FATE_GOOD_FILES);
	if (fate == FATE_KEEP_AS_IS)
		assert_true(f->files == FATE_ALTERED_FILES ||
			    f->files == FATE_OTHER_FILES);
	/* What a set of the same list has, never holds up the others. */
	if (f->same_configuration && f->files != FATE_NO_FILES)
		assert_true(fate != FATE_HOLD_SET);
	/* An optional object never holds up the first set. */
	if (f->first_set && !f->elsewhere && f->need == FATE_OPTIONAL &&
	    f->files == FATE_NO_FILES && f->error != ERR_IDENTITY)
		assert_true(fate != FATE_HOLD_SET);
}

static void test_what_always_holds(void **state)
{
	(void)state;
	assert_int_equal(for_all(look), 9 * 3 * 4 * 32);
}

static void test_holding(void **state)
{
	static const struct {
		enum err_kind error;
		enum fate_need need;
		bool elsewhere, holds;
	} cases[] = {
		{ ERR_UNAVAILABLE, FATE_REQUIRED, true, true },
		{ ERR_IDENTITY, FATE_REQUIRED, false, true },
		{ ERR_UNAVAILABLE, FATE_SELECTED, true, true },
		{ ERR_UNAVAILABLE, FATE_OPTIONAL, false, false },
		{ ERR_UNAVAILABLE, FATE_OPTIONAL, true, true },
		{ ERR_IDENTITY, FATE_OPTIONAL, false, true },
		{ ERR_DENIED, FATE_REQUIRED, true, false },
		{ ERR_GARBLED, FATE_REQUIRED, false, false },
		{ ERR_NONE, FATE_REQUIRED, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(fate_holds_vault(&(struct fate_facts){
					 .error = cases[i].error,
					 .need = cases[i].need,
					 .elsewhere = cases[i].elsewhere }),
				 cases[i].holds);
}

static void test_error(void **state)
{
	struct err err = { .kind = ERR_IDENTITY };

	(void)state;
	assert_int_equal(fate_error(&err), ERR_UNAVAILABLE);
	err.tokenless = true;
	assert_int_equal(fate_error(&err), ERR_IDENTITY);
	err.kind = ERR_DENIED;
	assert_int_equal(fate_error(&err), ERR_DENIED);
}

static void test_excuses(void **state)
{
	(void)state;
	assert_true(fate_is_excused(ERR_NOTFOUND, FATE_SELECTED));
	assert_true(fate_is_excused(ERR_DENIED, FATE_SELECTED));
	assert_false(fate_is_excused(ERR_UNAVAILABLE, FATE_SELECTED));
	assert_false(fate_is_excused(ERR_CONFIG, FATE_SELECTED));
	assert_false(fate_is_excused(ERR_DENIED, FATE_REQUIRED));
	assert_true(fate_is_excused(ERR_UNAVAILABLE, FATE_OPTIONAL));
	assert_true(fate_is_excused(ERR_GARBLED, FATE_OPTIONAL));
	assert_false(fate_is_excused(ERR_CONFIG, FATE_OPTIONAL));
	assert_false(fate_is_excused(ERR_IDENTITY, FATE_OPTIONAL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),    cmocka_unit_test(test_what_always_holds),
		cmocka_unit_test(test_holding), cmocka_unit_test(test_excuses),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
