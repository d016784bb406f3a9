/*
 * fuzz.h: what the targets share.  A target is one file with LLVMFuzzerTestOneInput();
 * `make fuzz` runs it under libFuzzer, and `make test` replays its corpus with replay.c.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so, whatever the input. */
#define must(condition)                                                                  \
	do {                                                                             \
		if (!(condition))                                                        \
			abort();                                                         \
	} while (0)

/* A failure says why, in one line. */
static inline void must_explain(int result, const struct err *err)
{
	must(result == 0 || result == -1);
	must(result == 0 || (err->kind != ERR_NONE && err->msg[0] != '\0'));
	must(result == 0 || strpbrk(err->msg, "\r\n") == NULL);
}

#endif
