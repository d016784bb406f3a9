/*
 * unit.h: cmocka with what it needs, and checks for tests over tables: they say which row
 * failed, which the line of a loop does not.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* cmocka.h needs what stands before it, so it is in a group of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define check(row, condition)                                                            \
	do {                                                                             \
		if (!(condition))                                                        \
			fail_msg("'%.200s': not so: %s", row, #condition);               \
	} while (0)

#define check_int(row, got, want)                                                        \
	do {                                                                             \
		long long got_ = (long long)(got), want_ = (long long)(want);            \
                                                                                         \
		if (got_ != want_)                                                       \
			fail_msg("'%.200s': %s is %lld, not %lld", row, #got, got_,      \
				 want_);                                                 \
	} while (0)

/* NULL equals NULL only. */
#define check_text(row, got, want)                                                       \
	do {                                                                             \
		const char *got_ = (got), *want_ = (want);                               \
                                                                                         \
		if (got_ != want_ && (!got_ || !want_ || strcmp(got_, want_) != 0))      \
			fail_msg("'%.200s': %s is '%s', not '%s'", row, #got,            \
				 got_ ? got_ : "NULL", want_ ? want_ : "NULL");          \
	} while (0)

#define check_holds(row, text, part)                                                     \
	do {                                                                             \
		if (strstr(text, part) == NULL)                                          \
			fail_msg("'%.200s': '%s' does not hold '%s'", row, text, part);  \
	} while (0)

/* A failure of this kind whose message holds part, in one line. */
static inline void check_err(const char *row, int result, const struct err *err,
			     enum err_kind kind, const char *part)
{
	check_int(row, result, -1);
	check_holds(row, err->msg, part);
	check_int(row, err->kind, kind);
	check(row, strpbrk(err->msg, "\r\n") == NULL);
}

/* A success; else says why not. */
static inline void check_ok(const char *row, int result, const struct err *err)
{
	if (result != 0)
		fail_msg("'%.200s': failed: %s", row, err->msg);
}

#endif
