#include "sync/fate.h"

#include <stddef.h>

#include "base/mem.h"

/* Bits of a row: it applies when the object's fact is among them. */
#define OF(value) (1U << (value))
#define ANY (~0U)
#define FAILED (ANY & ~OF(ERR_NONE))
#define TRANSIENT (OF(ERR_UNAVAILABLE) | OF(ERR_IDENTITY))
#define PERMANENT (FAILED & ~TRANSIENT)
#define UNREADABLE (OF(ERR_DENIED) | OF(ERR_NOTFOUND))
#define SPARE (OF(FATE_SELECTED) | OF(FATE_OPTIONAL))
#define SOME_FILES (ANY & ~OF(FATE_NO_FILES))
#define NO OF(false)
#define YES OF(true)

#define ALTERED_STAY                                                                     \
	"its files, which another program changed or removed, stay as they are"

struct fate_row {
	unsigned errors, needs, files, same_configuration, first_set, vault_held, gone;
	struct fate_verdict verdict;
};

/* The first row that applies decides; the last one applies always. */
static const struct fate_row table[] = {
	/* errors, needs, files, same configuration, first set, vault held, gone */
	{ OF(ERR_NONE), ANY, ANY, ANY, ANY, NO, ANY, { FATE_NEW, "it is published" } },
	{ OF(ERR_NOTFOUND),
	  SPARE,
	  SOME_FILES,
	  ANY,
	  ANY,
	  ANY,
	  YES,
	  { FATE_GO, "it has been gone for three polls, so its files go" } },
	{ ANY,
	  ANY,
	  OF(FATE_GOOD_FILES),
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_KEEP, "the last good files stay" } },
	{ ANY,
	  ANY,
	  OF(FATE_ALTERED_FILES),
	  YES,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_KEEP_AS_IS, ALTERED_STAY } },
	{ ANY,
	  SPARE,
	  OF(FATE_ALTERED_FILES),
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_KEEP_AS_IS, ALTERED_STAY } },
	{ ANY,
	  ANY,
	  OF(FATE_OTHER_FILES),
	  YES,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_KEEP_AS_IS, "the last good files stay" } },
	{ ANY,
	  SPARE,
	  OF(FATE_OTHER_FILES),
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_KEEP_AS_IS, "its files stay as the earlier configuration made them" } },
	{ UNREADABLE,
	  SPARE,
	  OF(FATE_NO_FILES),
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_ABSENT, "it is left out until it is there" } },
	{ ANY,
	  SPARE,
	  OF(FATE_NO_FILES),
	  YES,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_ABSENT, "it is left out until it can be read" } },
	{ PERMANENT,
	  OF(FATE_OPTIONAL),
	  OF(FATE_NO_FILES),
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_ABSENT, "it is left out until it can be read" } },
	{ ANY,
	  OF(FATE_OPTIONAL),
	  OF(FATE_NO_FILES),
	  ANY,
	  YES,
	  ANY,
	  ANY,
	  { FATE_ABSENT, "it is left out until it can be read" } },
	{ ANY,
	  ANY,
	  ANY,
	  ANY,
	  YES,
	  ANY,
	  ANY,
	  { FATE_HOLD_SET, "no files have been published yet" } },
	{ ANY,
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  ANY,
	  { FATE_HOLD_SET, "the last good files stay" } },
};

static bool fate_applies(const struct fate_row *row, const struct fate_facts *f)
{
	return (row->errors & OF(f->error)) && (row->needs & OF(f->need)) &&
	       (row->files & OF(f->files)) &&
	       (row->same_configuration & OF(f->same_configuration)) &&
	       (row->first_set & OF(f->first_set)) &&
	       (row->vault_held & OF(f->vault_held)) && (row->gone & OF(f->gone));
}

const struct fate_verdict *fate_of(const struct fate_facts *facts)
{
	size_t i = 0;

	while (i < ARRAY_LEN(table) - 1 && !fate_applies(&table[i], facts))
		i++;
	return &table[i].verdict;
}

bool fate_is_transient(enum err_kind error)
{
	return (TRANSIENT & OF(error)) != 0;
}

bool fate_holds_vault(const struct fate_facts *facts)
{
	return fate_is_transient(facts->error) &&
	       !(facts->need == FATE_OPTIONAL && facts->first_set);
}

bool fate_is_excused(enum err_kind error, enum fate_need need)
{
	return need == FATE_OPTIONAL ||
	       (need == FATE_SELECTED && (UNREADABLE & OF(error)));
}
