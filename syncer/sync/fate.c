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
#define REFUSED OF(ERR_IDENTITY)
#define SPARE (OF(FATE_SELECTED) | OF(FATE_OPTIONAL))
#define NONE OF(FATE_NO_FILES)
#define SOME (ANY & ~NONE)
#define OTHER OF(FATE_OTHER_FILES)
#define ALTERED OF(FATE_ALTERED_FILES)
#define GOOD OF(FATE_GOOD_FILES)
#define NO OF(false)
#define YES OF(true)

struct fate_row {
	unsigned errors, needs, files, elsewhere, same_configuration, first_set;
	unsigned vault_held, gone;
	struct fate_verdict verdict;
};

/* The reasons. */
static const char published[] = "it is published";
static const char gone[] = "it has been gone for three poll intervals, so its files go";
static const char good[] = "the last good files stay";
static const char altered[] =
	"its files, which another program changed or removed, stay as they are";
static const char other[] = "its files stay as the earlier configuration made them";
static const char absent[] = "it is left out until it is there";
static const char unread[] = "it is left out until it can be read";
static const char waiting[] = "no set of this list is published without it";
static const char nothing[] = "no files have been published yet";

/* The first row that applies decides; the last one applies always. */
/* clang-format off */
static const struct fate_row table[] = {
	/*                                            else-  same  first vault
	   error            need               files  where  list  set   held  gone */
	{ OF(ERR_NONE),     ANY,               ANY,     ANY, ANY,  ANY,  NO,   ANY, { FATE_NEW, published } },
	{ OF(ERR_NOTFOUND), SPARE,             SOME,    ANY, ANY,  ANY,  ANY,  YES, { FATE_GO, gone } },
	{ ANY,              ANY,               GOOD,    ANY, ANY,  ANY,  ANY,  ANY, { FATE_KEEP, good } },
	{ ANY,              ANY,               ALTERED, ANY, YES,  ANY,  ANY,  ANY, { FATE_KEEP_AS_IS, altered } },
	{ ANY,              SPARE,             ALTERED, ANY, ANY,  ANY,  ANY,  ANY, { FATE_KEEP_AS_IS, altered } },
	{ ANY,              ANY,               OTHER,   ANY, YES,  ANY,  ANY,  ANY, { FATE_KEEP_AS_IS, good } },
	{ ANY,              SPARE,             OTHER,   ANY, ANY,  ANY,  ANY,  ANY, { FATE_KEEP_AS_IS, other } },
	{ UNREADABLE,       SPARE,             NONE,    ANY, ANY,  ANY,  ANY,  ANY, { FATE_ABSENT, absent } },
	{ ANY,              SPARE,             NONE,    ANY, YES,  ANY,  ANY,  ANY, { FATE_ABSENT, unread } },
	{ REFUSED,          ANY,               NONE,    ANY, ANY,  YES,  ANY,  ANY, { FATE_HOLD_SET, nothing } },
	{ REFUSED,          ANY,               NONE,    ANY, ANY,  ANY,  ANY,  ANY, { FATE_HOLD_SET, waiting } },
	{ PERMANENT,        OF(FATE_OPTIONAL), NONE,    ANY, ANY,  ANY,  ANY,  ANY, { FATE_ABSENT, unread } },
	{ ANY,              OF(FATE_OPTIONAL), NONE,    NO,  ANY,  ANY,  ANY,  ANY, { FATE_ABSENT, unread } },
	{ ANY,              ANY,               ANY,     ANY, ANY,  YES,  ANY,  ANY, { FATE_HOLD_SET, nothing } },
	{ ANY,              ANY,               ANY,     ANY, ANY,  ANY,  ANY,  ANY, { FATE_HOLD_SET, waiting } },
};
/* clang-format on */

static bool fate_applies(const struct fate_row *row, const struct fate_facts *f)
{
	return (row->errors & OF(f->error)) && (row->needs & OF(f->need)) &&
	       (row->files & OF(f->files)) && (row->elsewhere & OF(f->elsewhere)) &&
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

enum err_kind fate_error(const struct err *err)
{
	return err->kind == ERR_IDENTITY && !err->tokenless ? ERR_UNAVAILABLE : err->kind;
}

bool fate_is_transient(enum err_kind error)
{
	return (TRANSIENT & OF(error)) != 0;
}

bool fate_holds_vault(const struct fate_facts *facts)
{
	return fate_is_transient(facts->error) &&
	       (facts->need != FATE_OPTIONAL || facts->files != FATE_NO_FILES ||
		facts->elsewhere || facts->error == ERR_IDENTITY);
}

bool fate_is_excused(enum err_kind error, enum fate_need need)
{
	static const unsigned excused[] = {
		[FATE_REQUIRED] = 0,
		[FATE_SELECTED] = UNREADABLE,
		[FATE_OPTIONAL] = UNREADABLE | OF(ERR_UNAVAILABLE) | OF(ERR_GARBLED),
	};

	return (excused[need] & OF(error)) != 0;
}
