/*
 * fuzz.h: what the targets share.  A target is one file with LLVMFuzzerTestOneInput();
 * `make fuzz` runs it under libFuzzer, and `make test` replays its corpus with replay.c.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
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

/* A failure says why, in one line.  With FUZZ_SAY in the environment it is shown. */
static inline void must_explain(int result, const struct err *err)
{
	if (result != 0 && getenv("FUZZ_SAY") != NULL)
		fprintf(stderr, "%s\n", err->msg);
	must(result == 0 || result == -1);
	must(result == 0 || (err->kind != ERR_NONE && err->msg[0] != '\0'));
	must(result == 0 || strpbrk(err->msg, "\r\n") == NULL);
}

/* The parts of an input that holds several texts. */
struct fuzz_texts {
	char **items; /* the last NULL */
	size_t count;
};

static inline struct fuzz_texts fuzz_split(const uint8_t *data, size_t size,
					   char separator, size_t max)
{
	struct fuzz_texts out = { .items = xcalloc(max + 1, sizeof(char *)) };
	const uint8_t *end = data + size;

	while (data < end && out.count < max) {
		const uint8_t *next = memchr(data, separator, (size_t)(end - data));
		size_t len = (size_t)((next ? next : end) - data);

		out.items[out.count++] = xstrndup((const char *)data, len);
		data += len + 1;
	}
	return out;
}

/* NULL: it is not there, or empty. */
static inline const char *fuzz_text(const struct fuzz_texts *texts, size_t i)
{
	return i < texts->count && texts->items[i][0] ? texts->items[i] : NULL;
}

static inline void fuzz_texts_done(struct fuzz_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
}

#endif
