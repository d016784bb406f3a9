/* replay.c: runs a fuzz target over files: its corpus, or one that a fuzzer found. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "fuzz.h"

static int replay(int dir_fd, const char *name)
{
	struct buf bytes = BUF_INIT(16 * 1024 * 1024);
	struct err err;

	if (file_read(dir_fd, name, &bytes, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	/* A block of exactly this size: a sanitizer sees each step beyond it. */
	uint8_t *exact = wipe_malloc(bytes.len);

	memcpy(exact, buf_str(&bytes), bytes.len);
	LLVMFuzzerTestOneInput(exact, bytes.len);
	wipe_free(exact);
	buf_done(&bytes);
	return 0;
}

static int replay_folder(const char *path, int *count)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	int result = 0;

	if (folder == NULL) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(folder)) != NULL && result == 0)
		if (entry->d_name[0] != '.') {
			result = replay(dirfd(folder), entry->d_name);
			++*count;
		}
	closedir(folder);
	return result;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		if (replay_folder(argv[i], &count) < 0)
			return 1;
	if (count == 0) {
		fprintf(stderr, "usage: %s FOLDER...: none has a file\n", argv[0]);
		return 1;
	}
	printf("%-32s %d inputs\n", argv[1], count);
	return 0;
}
