#include "exec/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "deliver/links.h"
#include "deliver/tree.h"

#define PLACE "/dev/shm"
#define PREFIX "akvsync-exec-"
#define LEAST_PAUSE_MS 1000
#define MOST_PAUSE_MS 60000
/* A directory this old has a sidecar, which locks it, or was left behind. */
#define LEFT_AFTER_S 60
#define LOOK_MS 10

/* Locks of this process and of its sidecar are of two kinds, which do not meet: the
 * sidecar's is flock(2), and is not there while none runs. */
static bool is_in_use(int dir_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(dir_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return true;
	return flock(dir_fd, LOCK_EX | LOCK_NB) < 0;
}

/* Removes a directory of ours whose sidecar and exec were killed: it holds secrets. */
static void sweep(void *arg, int dir_fd, const char *name)
{
	auto_close int fd = -1;
	struct stat st;

	(void)arg;
	if (!text_starts(name, PREFIX))
		return;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    st.st_mtime < clock_wall_ms() / 1000 - LEFT_AFTER_S && !is_in_use(fd))
		tree_remove(dir_fd, name);
}

/* Makes the directory, unless it is there, and says that it is in use.  Anybody may make
 * one of this name once it was removed. */
static int hold_directory(struct alone *a, struct err *err)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (a->lock_fd >= 0)
		close(a->lock_fd);
	(void)mkdir(a->dir, 0700);
	a->lock_fd = open(a->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (a->lock_fd < 0 || fstat(a->lock_fd, &st) < 0)
		return err_set_errno(err, ERR_IO, "cannot open '%s'", a->dir);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(err, ERR_IO, "somebody else has made '%s'", a->dir);
	(void)fcntl(a->lock_fd, F_OFD_SETLK, &lock);
	return 0;
}

static int make_directory(struct alone *a, struct err *err)
{
	auto_close int place = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (place >= 0)
		tree_each(place, sweep, NULL);
	a->dir = xstrdup(PLACE "/" PREFIX "XXXXXX");
	a->made_dir = mkdtemp(a->dir) != NULL;
	if (!a->made_dir)
		return err_set_errno(err, ERR_IO,
				     "cannot make a directory in " PLACE
				     "; name one by AKVSYNC_DIR, on tmpfs");
	return hold_directory(a, err);
}

enum alone_place alone_look(struct alone *a)
{
	bool was_lost = a->is_lost;
	struct stat held, found;

	if (!a->made_dir)
		return ALONE_PLACE_FINE;
	a->is_lost = fstat(a->lock_fd, &held) < 0 || lstat(a->dir, &found) < 0 ||
		     found.st_ino != held.st_ino || found.st_dev != held.st_dev ||
		     faccessat(a->lock_fd, LINKS_DATA, F_OK, 0) < 0;
	if (!a->is_lost)
		return ALONE_PLACE_FINE;
	if (!was_lost && a->pid > 0)
		(void)kill(a->pid, SIGTERM);
	return was_lost ? ALONE_PLACE_STILL_LOST : ALONE_PLACE_LOST;
}

int alone_open(struct alone *a, const char *dir, int (*run)(const char *dir),
	       const struct child_origin *origin, struct err *err)
{
	*a = (struct alone){
		.run = run,
		.origin = origin,
		.pause_ms = LEAST_PAUSE_MS,
		.lock_fd = -1,
	};
	if (dir == NULL)
		return make_directory(a, err);
	a->dir = xstrdup(dir);
	return 0;
}

int64_t alone_deadline(const struct alone *a)
{
	return a->run != NULL && a->pid == 0 ? a->start_at : CLOCK_NEVER;
}

bool alone_is_due(const struct alone *a, int64_t now)
{
	return now >= alone_deadline(a);
}

struct alone_call {
	struct alone *alone;
	void (*forget)(void *arg);
	void *arg;
};

static int alone_run(void *arg)
{
	const struct alone_call *call = arg;

	call->forget(call->arg);
	if (call->alone->lock_fd >= 0)
		close(call->alone->lock_fd);
	return call->alone->run(call->alone->dir);
}

/* The pause before the next start; each one is twice as long. */
static void alone_pause(struct alone *a, int64_t now)
{
	a->pid = 0;
	a->start_at = now + a->pause_ms;
	a->pause_ms = clock_sooner(2 * a->pause_ms, MOST_PAUSE_MS);
}

int alone_start(struct alone *a, void (*forget)(void *arg), void *arg, int64_t now,
		struct err *err)
{
	struct alone_call call = { a, forget, arg };

	a->started_at = now;
	if ((!a->made_dir || hold_directory(a, err) == 0) &&
	    child_fork(a->origin, alone_run, &call, &a->pid, err) == 0)
		return 0;
	alone_pause(a, now);
	return -1;
}

void alone_ended(struct alone *a, int64_t now)
{
	if (now - a->started_at > MOST_PAUSE_MS)
		a->pause_ms = LEAST_PAUSE_MS;
	alone_pause(a, now);
}

/* No descriptor tells of the end while all signals are blocked; it is a short time. */
static bool wait_until_gone(pid_t pid, int64_t until)
{
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_now_ms() >= until)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return true;
}

void alone_close(struct alone *a, int64_t grace_ms)
{
	if (a->pid > 0) {
		(void)kill(a->pid, SIGTERM);
		if (!wait_until_gone(a->pid, clock_now_ms() + grace_ms)) {
			(void)kill(a->pid, SIGKILL);
			(void)waitpid(a->pid, NULL, 0);
		}
	}
	if (a->made_dir) {
		tree_remove(AT_FDCWD, a->dir);
		close(a->lock_fd);
	}
	free(a->dir);
	*a = (struct alone){ 0 };
}
