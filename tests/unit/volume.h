/*
 * volume.h: a directory to publish into, and what a reader sees there.  Each test file
 * includes it once.
 */
#ifndef TESTS_VOLUME_H
#define TESTS_VOLUME_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "deliver/publish.h"
#include "deliver/tree.h"

#define RETAIN_MS 1000

/* On a tmpfs where there is one, as in a pod. */
static inline void volume_make(char path[static 64])
{
	snprintf(path, 64, "%s/akvsync-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(path));
}

static inline void volume_remove(const char *path)
{
	tree_remove(AT_FDCWD, path);
}

/* What a reader gets from DIR/name: the text, or "-" when there is no such file. */
static inline void volume_read(const char *dir, const char *name, char out[static 128])
{
	struct buf text = BUF_INIT(100);
	char path[512];
	struct err err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (file_read(AT_FDCWD, path, &text, &err) < 0)
		snprintf(out, 128, "-");
	else
		snprintf(out, 128, "%s", buf_str(&text));
	buf_done(&text);
}

/* Puts a new file there, in place of an old one. */
static inline void volume_write(const char *dir, const char *name, const char *text)
{
	char path[512];
	struct err err = { 0 };

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	check_ok(path, file_create(AT_FDCWD, path, 0600, text, strlen(text), &err), &err);
}

/* How many entries the directory has whose names start with prefix. */
static inline int volume_count(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0 &&
		     strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static inline struct publish_file volume_file(const char *path, const char *version,
					      const char *data)
{
	return (struct publish_file){ .path = path,
				      .mode = 0440,
				      .object = path,
				      .version = version,
				      .options = "encoding=utf-8",
				      .data = data,
				      .len = data ? strlen(data) : 0 };
}

/* True when a current file was made from exactly this object, with these options and this
 * mode, and is intact. */
static inline bool volume_has(const struct publish *p, const char *path,
			      const char *object, const char *options, mode_t mode,
			      const char **version)
{
	enum publish_state state;
	const struct manifest_entry *e = publish_at(p, path, &state);

	if (e == NULL || state != PUBLISH_INTACT || strcmp(e->object, object) != 0 ||
	    strcmp(e->options, options) != 0 || e->mode != mode)
		return false;
	if (version != NULL)
		*version = e->version;
	return true;
}

static inline struct publish *volume_open(const char *dir)
{
	struct publish *p = NULL;
	struct err err = { 0 };

	if (publish_open(&p, dir, RETAIN_MS, 0, &err) < 0)
		fail_msg("publish_open: %s", err.msg);
	return p;
}

/* Puts the bytes on the volume, as a round does; the data stay where it refuses them. */
static inline void volume_stage(struct publish *p, struct publish_file *f)
{
	struct buf bytes = BUF_INIT(f->len);
	struct err err;

	assert_int_equal(buf_add(&bytes, f->data, f->len, &err), 0);
	publish_stage(p, f->path, f->mode, &bytes, &f->staged);
	if (f->staged.state != STAGED_NOT) {
		assert_null(bytes.data);
		f->data = NULL;
	}
	buf_done(&bytes);
}

/* Publishes the files for configuration 1, without a list. */
static inline int volume_commit(struct publish *p, const struct publish_file *files,
				size_t count, int64_t at, struct err *err)
{
	struct publish_set set = { .files = files, .count = count, .configuration = 1 };
	enum publish_result result;
	size_t changed;

	return publish_commit(p, &set, at, &result, &changed, err);
}

#endif
