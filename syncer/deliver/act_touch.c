#include "deliver/act_touch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/act.h"

static int act_touch_parse(struct target *t, char *rest, struct err *err)
{
	size_t len = strlen(rest);

	if (target_check_rest(rest, err) < 0)
		return -1;
	if (rest[0] != '/' || rest[len - 1] == '/')
		return err_set(err, ERR_CONFIG,
			       "touch= takes the absolute path of a file, such as "
			       "/run/shop/reload");
	t->path = xstrdup(rest);
	return 0;
}

static void act_touch_describe(const struct target *t, struct buf *out)
{
	buf_printf(out, "sets the time of '%s', or creates it", t->path);
}

/* A file that is there already. */
static int renew(int fd, const char *path, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set_errno(err, ERR_IO, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "'%s' is no regular file", path);
	if (utimensat(fd, name, NULL, AT_SYMLINK_NOFOLLOW) < 0) {
		err_set_errno(err, ERR_IO, "cannot touch '%s'", path);
		return err_hint(err, "it belongs to uid %u, and this is uid %u",
				(unsigned)st.st_uid, (unsigned)geteuid());
	}
	return 0;
}

static int touch(const char *path, int dir_fd, struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	auto_free char *parent = xstrndup(path, (size_t)(name - path));
	auto_close int fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int made = -1;

	if (fd < 0) {
		err_set_errno(err, ERR_IO, "cannot open directory '%s'", parent);
		return err_hint(err, "touch= names a file on a volume that both "
				     "containers mount");
	}
	if (file_is_below(fd, dir_fd))
		return err_set(err, ERR_IO,
			       "'%s' is on the volume of the secrets, which apps mount "
			       "read-only; use a directory of another volume",
			       path);
	made = openat(fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		      0644);
	/* Others may have to open it to watch it, whatever the umask. */
	if (made >= 0)
		return fchmod(made, 0644) == 0
			       ? 0
			       : err_set_errno(err, ERR_IO, "cannot set the mode of '%s'",
					       path);
	if (errno == EEXIST)
		return renew(fd, path, name, err);
	return err_set_errno(err, ERR_IO, "cannot create '%s' as uid %u", path,
			     (unsigned)geteuid());
}

static void act_touch_start(struct act *a, const struct act_work *w)
{
	struct err err;

	act_end(a, touch(w->target->path, w->host->dir_fd, &err), &err);
}

const struct target_kind act_touch = {
	.word = "touch",
	.form = "touch=PATH",
	.options = TARGET_ON,
	.parse = act_touch_parse,
	.describe = act_touch_describe,
	.start = act_touch_start,
};
