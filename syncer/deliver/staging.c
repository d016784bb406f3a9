#include "deliver/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/beneath.h"
#include "deliver/tree.h"

void staging_file(const struct staged *staged, char out[static STAGING_FILE_LEN])
{
	snprintf(out, STAGING_FILE_LEN, "%u", staged->number);
}

bool staged_is(const struct staged *staged, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_size == staged->size &&
	       generation_mtime(st) == staged->mtime_ns;
}

static void staged_note(struct staged *staged, enum staged_state state,
			const struct stat *st)
{
	staged->state = state;
	staged->size = st->st_size;
	staged->mtime_ns = generation_mtime(st);
}

/* ---- putting ---- */

static int staging_make(struct staging *s, int dir_fd, struct err *err)
{
	char name[FILE_TEMP_LEN];

	if (s->fd >= 0)
		return 0;
	file_temp_name(name);
	if (tree_mkdir_mode(dir_fd, name, 0700, err) < 0)
		return -1;
	s->fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->fd < 0) {
		(void)unlinkat(dir_fd, name, AT_REMOVEDIR);
		return -1;
	}
	memcpy(s->name, name, sizeof(s->name));
	return 0;
}

static int staging_write(struct staging *s, int dir_fd, mode_t mode,
			 const struct buf *bytes, struct staged *out, struct err *err)
{
	struct staged made = { .number = s->count++ };
	char name[STAGING_FILE_LEN];
	struct stat st;

	staging_file(&made, name);
	if (staging_make(s, dir_fd, err) < 0 ||
	    file_create(s->fd, name, mode, buf_str(bytes), bytes->len, err) < 0 ||
	    beneath_stat(s->fd, name, &st) < 0) {
		if (s->fd >= 0)
			(void)unlinkat(s->fd, name, 0);
		return -1;
	}
	staged_note(&made, STAGED_FILE, &st);
	*out = made;
	return 0;
}

void staging_put(struct staging *s, int dir_fd, const struct generation *current,
		 const char *path, mode_t mode, struct buf *bytes, struct staged *out)
{
	struct err told_later; /* when the set is made */
	struct stat st;
	bool same = false;

	*out = (struct staged){ 0 };
	if (generation_has(current, path, mode, buf_str(bytes), bytes->len, &st, &same,
			   &told_later) < 0)
		return;
	if (same)
		staged_note(out, STAGED_SAME, &st);
	else if (staging_write(s, dir_fd, mode, bytes, out, &told_later) < 0)
		return;
	buf_done(bytes);
}

/* ---- taking back ---- */

int staging_read(const struct staging *s, const struct generation *current,
		 const char *path, const struct staged *staged, struct buf *out,
		 struct err *err)
{
	bool is_own = staged->state == STAGED_FILE;
	char name[STAGING_FILE_LEN];
	struct stat st;
	int fd = is_own ? s->fd : current->fd;

	staging_file(staged, name);
	path = is_own ? name : path;
	if (beneath_stat(fd, path, &st) < 0 || !staged_is(staged, &st))
		return err_set(err, ERR_IO, "was changed or removed by another program");
	if (file_read(fd, path, out, err) < 0)
		return err_set_errno(err, ERR_IO, "could not be read");
	return 0;
}

void staging_drop(const struct staging *s, struct staged *staged)
{
	char name[STAGING_FILE_LEN];

	staging_file(staged, name);
	if (staged->state == STAGED_FILE && s->fd >= 0)
		(void)unlinkat(s->fd, name, 0);
	*staged = (struct staged){ 0 };
}

bool staging_remove(struct staging *s, int dir_fd, char name[static FILE_TEMP_LEN])
{
	memcpy(name, s->name, FILE_TEMP_LEN);
	if (s->fd >= 0)
		close(s->fd);
	*s = STAGING_NONE;
	return name[0] == '\0' || tree_remove(dir_fd, name);
}
