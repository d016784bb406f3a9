#include "base/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define LINKS_MAX 40
/* The kubelet itself takes up to a minute to bring a change; each comparison costs one
 * stat(2). */
#define BLIND_LOOK_MS 10000
#define EVENTS                                                                           \
	(IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_DELETE_SELF |         \
	 IN_MOVE_SELF | IN_ONLYDIR)

/* What distinguishes one state of a file from another; all 0 when there is no file. */
struct look {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/* One for the process: the kernel allows 128 to all processes of a uid on a node, and all
 * pods of one image have one uid. */
static struct {
	int fd; /* -1: none */
	int users;
} shared = { .fd = -1 };

struct watch {
	char *path;
	const char *name; /* for messages, in place of the path; NULL: none */
	char *trouble;    /* why it is blind; NULL: it is not */
	bool told_blind;  /* what watch_news() returned last */
	int64_t due;      /* when a blind one compares the file */
	struct look seen;
};

/* What an operator can change when the kernel refuses. */
static const struct {
	int error;
	const char *hint;
} hints[] = {
	{ EMFILE, "; raise fs.inotify.max_user_instances on the node" },
	{ ENOSPC, "; raise fs.inotify.max_user_watches on the node" },
};

/* The part of the path still to walk; links are replaced in it by their targets. */
struct walk {
	char done[PATH_MAX]; /* walked so far: a directory without links, "" for the root
			      */
	char rest[PATH_MAX]; /* "a/b/c" */
	int links;
	int refused;                /* the first errno of the kernel, 0: none */
	char refused_dir[PATH_MAX]; /* for this directory */
};

static void watch_directory(struct walk *walk)
{
	const char *dir = walk->done[0] ? walk->done : "/";

	if (inotify_add_watch(shared.fd, dir, EVENTS) >= 0)
		return;
	/* One that is not there any more is found by the next event of another. */
	if (errno == ENOENT || errno == ENOTDIR || walk->refused != 0)
		return;
	walk->refused = errno;
	snprintf(walk->refused_dir, sizeof(walk->refused_dir), "%s", dir);
}

/* Puts a link's target before the rest of the path. */
static bool follow(struct walk *walk, const char *target, const char *behind)
{
	char joined[PATH_MAX];

	if (++walk->links > LINKS_MAX || snprintf(joined, sizeof(joined), "%s/%s", target,
						  behind) >= (int)sizeof(joined))
		return false;
	if (target[0] == '/')
		walk->done[0] = '\0';
	memcpy(walk->rest, joined, sizeof(joined));
	return true;
}

static void leave_directory(struct walk *walk)
{
	char *slash = strrchr(walk->done, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* Walks one component; false at the end of the path or where it cannot go on. */
static bool step(struct walk *walk)
{
	size_t skip = strspn(walk->rest, "/");
	size_t len = strcspn(walk->rest + skip, "/");
	const char *behind = walk->rest + skip + len;
	char name[NAME_MAX + 1], here[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, walk->rest + skip, len);
	name[len] = '\0';
	memmove(walk->rest, behind, strlen(behind) + 1);
	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		leave_directory(walk);
		return true;
	}
	if (snprintf(here, sizeof(here), "%s/%s", walk->done, name) >= (int)sizeof(here))
		return false;
	if (lstat(here, &st) < 0 || S_ISREG(st.st_mode)) {
		watch_directory(walk);
		return false;
	}
	if (!S_ISLNK(st.st_mode)) {
		memcpy(walk->done, here, sizeof(here));
		return true;
	}
	watch_directory(walk);
	n = readlink(here, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return follow(walk, target, walk->rest);
}

/* The watch is blind: what could not be watched is its path or one of the directories. */
static void go_blind(struct watch *w, const char *unwatched, int error)
{
	const char *hint = "";

	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		if (hints[i].error == error)
			hint = hints[i].hint;
	w->trouble = xasprintf("hot reload of '%s' now takes up to %d s: cannot watch "
			       "'%s': %s%s",
			       watch_name(w), BLIND_LOOK_MS / 1000, unwatched,
			       strerror(error), hint);
}

static void arm(struct watch *w)
{
	struct walk walk = { 0 };

	free(w->trouble);
	w->trouble = NULL;
	if (shared.fd < 0)
		shared.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (shared.fd < 0) {
		go_blind(w, watch_name(w), errno);
		return;
	}
	snprintf(walk.rest, sizeof(walk.rest), "%s", w->path);
	while (step(&walk))
		;
	if (walk.refused != 0)
		go_blind(w, walk.refused_dir, walk.refused);
}

static struct look look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct look){ 0 };
	return (struct look){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static bool is_same(const struct look *a, const struct look *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static void watch_see(struct watch *w, int64_t now)
{
	/* The file is watched before it is read: a change in between is another event. */
	arm(w);
	w->seen = look_at(w->path);
	w->due = now + BLIND_LOOK_MS;
}

/* The directories above a relative path are watched too. */
static char *absolute(const char *path)
{
	auto_free char *here = path[0] == '/' ? NULL : get_current_dir_name();

	return here ? xasprintf("%s/%s", here, path) : xstrdup(path);
}

struct watch *watch_new(const char *path, const char *name, int64_t now)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	shared.users++;
	w->path = absolute(path);
	w->name = name;
	watch_see(w, now);
	return w;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (--shared.users == 0 && shared.fd >= 0) {
		close(shared.fd);
		shared.fd = -1;
	}
	free(w->trouble);
	free(w->path);
	free(w);
}

const char *watch_name(const struct watch *w)
{
	return w->name ? w->name : w->path;
}

const char *watch_trouble(const struct watch *w)
{
	return w->trouble;
}

enum watch_news watch_news(struct watch *w)
{
	bool is_blind = w != NULL && w->trouble != NULL;

	if (w == NULL || w->told_blind == is_blind)
		return WATCH_NO_NEWS;
	w->told_blind = is_blind;
	return is_blind ? WATCH_WENT_BLIND : WATCH_SEES_AGAIN;
}

int watch_fd(const struct watch *w)
{
	return w != NULL ? shared.fd : -1;
}

int64_t watch_deadline(const struct watch *w)
{
	return w != NULL && w->trouble != NULL ? w->due : CLOCK_NEVER;
}

void watch_take_events(void)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (shared.fd >= 0 && read(shared.fd, events, sizeof(events)) > 0)
		;
}

bool watch_look(struct watch *w, int64_t now)
{
	struct look before;

	if (w == NULL)
		return false;
	before = w->seen;
	watch_see(w, now);
	return !is_same(&before, &w->seen);
}
