/* What a process reads back from the volume: ..manifest, or behind an 'n' ..notified. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "config/objects.h"
#include "deliver/manifest.h"
#include "deliver/notified.h"
#include "fuzz.h"

static char folder_path[256];

static void folder_remove(void)
{
	auto_free char *command = xasprintf("rm -rf '%s'", folder_path);

	(void)!system(command);
}

/* A folder of this process, made once. */
static int folder_open(void)
{
	static int fd = -1;
	const char *parent = getenv("TMPDIR");

	if (fd >= 0)
		return fd;
	snprintf(folder_path, sizeof(folder_path), "%s/akvsync-fuzz-XXXXXX",
		 parent ? parent : "/tmp");
	must(mkdtemp(folder_path) != NULL);
	atexit(folder_remove);
	fd = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

/* What was written means the same when it is read. */
static void read_back(const struct manifest *m)
{
	auto_buf struct buf text = BUF_INIT(2 * MANIFEST_MAX_BYTES);
	struct manifest again = { 0 };
	struct err err = { 0 };

	manifest_write(m, &text);
	must(manifest_parse(buf_str(&text), text.len, &again, &err) == 0);
	must(manifest_equal(m, &again));
	manifest_done(&again);
}

static void fuzz_manifest(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct manifest m = { 0 };
	struct err err = { 0 };
	int result = manifest_parse(text, strlen(text), &m, &err);

	must_explain(result, &err);
	if (result < 0)
		return;
	for (size_t i = 0; i < m.count; i++) {
		must(strcmp(manifest_find(&m, m.items[i].path)->path, m.items[i].path) ==
		     0);
		must(manifest_of_object(&m, m.items[i].object, 0) != NULL);
		must(manifest_of_object(&m, m.items[i].object, m.count) == NULL);
	}
	must(manifest_find(&m, "none such") == NULL);
	if (m.list != NULL) {
		struct objects list = { 0 };

		must_explain(objects_read_back(&list, m.list, 0400, &err), &err);
		objects_done(&list);
	}
	read_back(&m);
	manifest_done(&m);
}

static void fuzz_notified(const uint8_t *data, size_t size)
{
	int dir_fd = folder_open();
	struct buf members = notified_begin();
	struct notified n, again;
	struct err err = { 0 };

	must(file_replace(dir_fd, "..notified", 0600, data, size, &err) == 0);
	must(notified_read(dir_fd, &n, &err) == 0);
	must(n.memory != NOTIFIED_NONE);
	must((n.memory == NOTIFIED_READ) == (n.delivered != NULL));
	for (const struct json *m = json_first(n.delivered); m; m = json_next(m)) {
		must(notified_last(&n, json_name(m)) != NULL);
		json_add_pair(&members, json_name(m), json_text(m));
	}
	must(notified_write(dir_fd, &members, &err) == 0);
	must(notified_read(dir_fd, &again, &err) == 0);
	must(again.memory == NOTIFIED_READ);
	for (const struct json *m = json_first(n.delivered); m; m = json_next(m))
		must(strcmp(notified_last(&n, json_name(m)),
			    notified_last(&again, json_name(m))) == 0);
	notified_done(&again);
	notified_done(&n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_global_init();
	if (size > 0 && data[0] == 'n')
		fuzz_notified(data + 1, size - 1);
	else
		fuzz_manifest(data, size);
	return 0;
}
