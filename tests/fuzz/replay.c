/* replay.c: runs a fuzz target over its corpus: one file, an input a line, as pack says.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "fuzz.h"

#define CORPUS_MAX ((size_t)64 * 1024 * 1024)

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Writes what a line stands for over it; its length, which is no more than the line's. */
static size_t unescape(char *line, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		if (c == '\\' && line[++i] == 'n')
			c = '\n';
		else if (c == '\\' && line[i] == 'x' && len - i > 2) {
			c = (char)(digit(line[i + 1]) << 4 | digit(line[i + 2]));
			i += 2;
		}
		line[out++] = c;
	}
	return out;
}

static void replay(char *line, size_t len)
{
	size_t size = unescape(line, len);
	/* A block of exactly this size: a sanitizer sees each step beyond it. */
	uint8_t *exact = malloc(size);

	if (size > 0)
		memcpy(exact, line, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

int main(int argc, char **argv)
{
	auto_buf struct buf corpus = BUF_INIT(CORPUS_MAX);
	struct err err;
	int count = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	if (file_read(AT_FDCWD, argv[1], &corpus, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	for (char *line = corpus.data, *end; line && (end = strchr(line, '\n')) != NULL;
	     line = end + 1, count++)
		replay(line, (size_t)(end - line));
	if (count == 0) {
		fprintf(stderr, "%s has no input\n", argv[1]);
		return 1;
	}
	printf("%-32s %d inputs\n", argv[1], count);
	return 0;
}
