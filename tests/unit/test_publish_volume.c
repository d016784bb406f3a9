// LDFLAGS: -Wl,--wrap=linkat,--wrap=getrandom,--wrap=clock_wall_ms
/*
 * The volume that a set is published to: who may write to it, what is found there that is
 * not ours, how long an earlier set stays, and what a volume cannot do.
 */
#include "volume.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/vfs.h>

#include "base/clock.h"

static char dir[64];

/* ---- what the system does ---- */

static int link_error; /* of each linkat; 0: it works */
static int links_tried;

int __real_linkat(int fd, const char *path, int fd2, const char *path2, int flags);
int __wrap_linkat(int fd, const char *path, int fd2, const char *path2, int flags);
int __wrap_linkat(int fd, const char *path, int fd2, const char *path2, int flags)
{
	links_tried++;
	if (link_error == 0)
		return __real_linkat(fd, path, fd2, path2, flags);
	errno = link_error;
	return -1;
}

static int equal_numbers; /* that are still to be drawn, one after the other */

ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
	if (equal_numbers == 0)
		return __real_getrandom(p, n, flags);
	equal_numbers--;
	memset(p, 7, n);
	return (ssize_t)n;
}

/* All is done within one second. */
int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return INT64_C(1800000000000);
}

/* ---- help ---- */

static int set_up(void **state)
{
	(void)state;
	link_error = links_tried = equal_numbers = 0;
	volume_make(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_remove(dir);
	return 0;
}

static const char *at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Publishes "keep" as it is, and "change" with this text; at 0 unless said otherwise. */
static int try_publish_at(struct publish *p, const char *text, int64_t now,
			  struct err *err)
{
	struct publish_file files[] = { volume_file("keep", "1", "keep"),
					volume_file("change", text, text) };

	return volume_commit(p, files, ARRAY_LEN(files), now, err);
}

static void publish(struct publish *p, const char *text)
{
	struct err err = { 0 };

	check_ok(text, try_publish_at(p, text, 0, &err), &err);
}

static void check_file(const char *row, const char *name, const char *want)
{
	char text[128];

	volume_read(dir, name, text);
	check_text(row, text, want);
}

static ino_t inode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return st.st_ino;
}

/* ---- who may write to it ---- */

static void test_one_writer(void **state)
{
	struct publish *p = volume_open(dir), *second = NULL;
	struct err err = { 0 };

	(void)state;
	alarm(10); /* it does not wait; the caller decides for how long it tries */
	check_err("second", publish_open(&second, dir, RETAIN_MS, 0, &err), &err,
		  ERR_UNAVAILABLE, "another process holds");
	alarm(0);
	assert_null(second);
	/* A program that we start does not hold on to the lock. */
	assert_true(fcntl(publish_dir_fd(p), F_GETFD) & FD_CLOEXEC);
	publish_close(p);
	publish_close(volume_open(dir));
}

/* As the kubelet makes a volume: sticky, for all.  Its files are another container's. */
static void test_files_of_another_uid(void **state)
{
	static const struct {
		const char *row;
		mode_t mode;
		uid_t owner; /* of the files */
		bool refused;
	} rows[] = {
		{ "another's", 01777, 12346, true },
		{ "root's", 01777, 0, true },
		{ "our own", 01777, 12345, false },
		{ "all may replace them", 0777, 12346, false },
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct publish *p = volume_open(dir);
		struct err err = { 0 };
		int result;

		publish(p, rows[i].row);
		publish_close(p);
		p = NULL;
		assert_int_equal(chmod(dir, rows[i].mode), 0);
		assert_int_equal(lchown(at("..data"), rows[i].owner, 0), 0);
		assert_int_equal(seteuid(12345), 0);
		result = publish_open(&p, dir, RETAIN_MS, 0, &err);
		assert_int_equal(seteuid(0), 0);
		check_int(rows[i].row, result, rows[i].refused ? -1 : 0);
		if (rows[i].refused)
			check_err(rows[i].row, result, &err, ERR_IO, "runAsUser");
		publish_close(p);
	}
}

static bool is_advised(struct publish *p, const char *part)
{
	const char *advice;

	for (size_t i = 0; (advice = publish_advice(p, i)) != NULL; i++)
		if (strstr(advice, part) != NULL)
			return true;
	return false;
}

static void test_advice(void **state)
{
	/* With fsGroup the directory has the set-group-ID bit. */
	static const struct {
		mode_t mode;
		bool advised;
	} rows[] = { { 0700, true }, { 0770, true }, { 02770, false }, { 0777, false } };
	struct publish *p = volume_open(dir);
	char disk[] = "akvsync-test-XXXXXX";
	struct statfs fs;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(chmod(dir, rows[i].mode), 0);
		check_int("fsGroup", is_advised(p, "fsGroup"), rows[i].advised);
	}
	assert_int_equal(statfs(dir, &fs), 0);
	check_int("volume", is_advised(p, "tmpfs"), fs.f_type != TMPFS_MAGIC);
	publish_close(p);
	assert_non_null(mkdtemp(disk));
	assert_int_equal(statfs(disk, &fs), 0);
	p = volume_open(disk);
	check_int("disk", is_advised(p, "tmpfs"), fs.f_type != TMPFS_MAGIC);
	publish_close(p);
	volume_remove(disk);
}

/* So short that the promise to readers is none. */
static void test_advice_on_the_retain_time(void **state)
{
	static const struct {
		int64_t retain_ms;
		bool advised;
	} rows[] = { { 0, true }, { 999, true }, { 1000, false }, { 10000, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct publish *p;
		struct err err = { 0 };

		check_ok("open", publish_open(&p, dir, rows[i].retain_ms, 0, &err), &err);
		check_int("retain", is_advised(p, "AKVSYNC_RETAIN"), rows[i].advised);
		publish_close(p);
	}
}

/* ---- what is found there ---- */

/* Names that only look like ours are left alone. */
static void test_names_of_others(void **state)
{
	static const char *const names[] = {
		"..2026_01_01_00_00_00.0000000012",
		"..2026_01_01_00_00_00.00000000",
		"..2026_01_01_00_00_00.00000000x",
		"..2026",
		".hidden",
	};
	struct publish *p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		check_int(names[i], mkdir(at(names[i]), 0755), 0);
	p = volume_open(dir);
	publish(p, "1");
	publish_run(p, RETAIN_MS);
	publish_close(p);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		check_int(names[i], access(at(names[i]), F_OK), 0);
}

/* A link that another program made in the place of one of ours. */
static void test_links_of_others(void **state)
{
	static const char *const targets[] = { "elsewhere", "..data/changes",
					       "..data/kee", "/..data/keep", "..data" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct publish *p = volume_open(dir);
		struct err err = { 0 };
		int entries;

		assert_int_equal(symlink(targets[i], at("change")), 0);
		entries = volume_count(dir, "");
		check_err(targets[i], try_publish_at(p, "1", 0, &err), &err, ERR_IO,
			  "is in the way");
		/* Nothing of the set that failed is left. */
		check_int(targets[i], volume_count(dir, ""), entries);
		assert_int_equal(unlink(at("change")), 0);
		publish_close(p);
	}
}

enum trick {
	TRICK_REMOVE,
	TRICK_FILE,
	TRICK_PIPE,
	TRICK_DIRECTORY, /* an empty one */
	TRICK_LINK,
	TRICK_FULL_DIRECTORY,
};

/* What another program puts in the place of a link. */
static void play(enum trick trick, const char *name)
{
	assert_int_equal(unlink(at(name)), 0);
	switch (trick) {
	case TRICK_REMOVE:
		break;
	case TRICK_FILE:
		volume_write(dir, name, "mine");
		break;
	case TRICK_PIPE:
		assert_int_equal(mkfifo(at(name), 0600), 0);
		break;
	case TRICK_LINK:
		assert_int_equal(symlink("keep", at(name)), 0);
		break;
	case TRICK_DIRECTORY:
	case TRICK_FULL_DIRECTORY:
		assert_int_equal(mkdir(at(name), 0700), 0);
		break;
	}
	if (trick == TRICK_FULL_DIRECTORY)
		volume_write(at(name), "file", "mine");
}

static const char *const links[] = { "..data", "keep", "change" };

/* By the next look, without a new set, and each is named once. */
static void test_links_are_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		for (enum trick trick = TRICK_REMOVE; trick <= TRICK_LINK; trick++) {
			struct publish *p = volume_open(dir);
			struct err err = { 0 };
			auto_free char *before = NULL;
			int entries;

			publish(p, "1");
			before = xstrdup(publish_generation(p));
			entries = volume_count(dir, "");
			play(trick, links[i]);
			check_ok(links[i], publish_look(p, &err), &err);
			check_int(links[i], (int)publish_healed(p)->count, 1);
			check_text(links[i], publish_healed(p)->items[0], links[i]);
			publish_forget_healed(p);
			check_ok(links[i], publish_look(p, &err), &err);
			check_int(links[i], (int)publish_healed(p)->count, 0);
			assert_true(publish_is_whole(p));
			check_text(links[i], publish_generation(p), before);
			check_file(links[i], "keep", "keep");
			check_file(links[i], "change", "1");
			check_int(links[i], volume_count(dir, ""), entries);
			publish_close(p);
		}
	}
}

/* Nor is a directory with something in it removed. */
static void test_links_that_cannot_be_mended(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct publish *p = volume_open(dir);
		struct err err = { 0 };
		int entries;

		publish(p, "1");
		entries = volume_count(dir, "");
		play(TRICK_FULL_DIRECTORY, links[i]);
		check_err(links[i], publish_look(p, &err), &err, ERR_IO, "is in the way");
		check_holds(links[i], err.msg, links[i]);
		assert_false(publish_is_whole(p));
		check_int(links[i], volume_count(dir, ""), entries);
		check_int(links[i], volume_count(at(links[i]), ""), 1);
		tree_remove(AT_FDCWD, at(links[i]));
		check_ok(links[i], publish_look(p, &err), &err);
		assert_true(publish_is_whole(p));
		publish_close(p);
	}
}

/* Nothing is published to a directory that has another name by now. */
static void test_another_directory(void **state)
{
	struct publish *p = volume_open(dir);
	char moved[80];
	struct err err = { 0 };

	(void)state;
	publish(p, "1");
	snprintf(moved, sizeof(moved), "%s-moved", dir);
	for (int is_replaced = 0; is_replaced < 2; is_replaced++) {
		assert_int_equal(rename(dir, moved), 0);
		if (is_replaced)
			assert_int_equal(mkdir(dir, 0755), 0);
		check_err("look", publish_look(p, &err), &err, ERR_IO, "mounted over");
		assert_false(publish_is_whole(p));
		check_err("publish", try_publish_at(p, "2", 0, &err), &err, ERR_IO,
			  "mounted over");
		if (is_replaced)
			assert_int_equal(rmdir(dir), 0);
		assert_int_equal(rename(moved, dir), 0);
		check_ok("back", publish_look(p, &err), &err);
		assert_true(publish_is_whole(p));
		check_file("back", "change", "1");
	}
	publish_close(p);
}

/* The set's own directory: what is at its name is not what was published. */
static void test_set_that_went_astray(void **state)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };

	(void)state;
	publish(p, "1");
	assert_int_equal(renameat(publish_dir_fd(p), publish_generation(p),
				  publish_dir_fd(p), "..moved"),
			 0);
	check_ok("look", publish_look(p, &err), &err);
	assert_false(publish_is_whole(p));
	assert_int_equal(publish_healed(p)->count, 0);
	publish(p, "1");
	check_file("again", "keep", "keep");
	check_file("again", "change", "1");
	assert_true(publish_is_whole(p));
	publish_close(p);
}

/* A set is a directory: through a link, anyone's files might be taken for ours. */
static void test_set_behind_a_link(void **state)
{
	struct publish *p = volume_open(dir);
	char set[80], elsewhere[256];

	(void)state;
	publish(p, "1");
	snprintf(set, sizeof(set), "%s", publish_generation(p));
	publish_close(p);
	snprintf(elsewhere, sizeof(elsewhere), "%s", at("elsewhere"));
	assert_int_equal(rename(at(set), elsewhere), 0);
	assert_int_equal(symlink("elsewhere", at(set)), 0);
	p = volume_open(dir);
	assert_null(publish_generation(p));
	assert_false(publish_fits(p, 1));
	publish_close(p);
}

/* ---- its files ---- */

/* Each of mode, size and time tells that a file is not as it was published. */
static void test_altered(void **state)
{
	static const struct {
		const char *row;
		mode_t mode;
		const char *text;
		int seconds; /* later */
		enum publish_state want;
	} rows[] = {
		{ "as it was", 0440, "1", 0, PUBLISH_INTACT },
		{ "mode", 0444, "1", 0, PUBLISH_ALTERED },
		{ "set-user-ID", 04440, "1", 0, PUBLISH_ALTERED },
		{ "size", 0440, "12", 0, PUBLISH_ALTERED },
		{ "time", 0440, "2", 1, PUBLISH_ALTERED },
	};
	struct publish *p = volume_open(dir);
	enum publish_state is = PUBLISH_MISSING;
	struct err err = { 0 };
	struct stat st;

	(void)state;
	publish(p, "1");
	assert_int_equal(stat(at("change"), &st), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timespec times[2] = { st.st_atim, st.st_mtim };

		times[1].tv_sec += rows[i].seconds;
		volume_write(dir, "..data/change", rows[i].text);
		assert_int_equal(chmod(at("change"), rows[i].mode), 0);
		assert_int_equal(utimensat(AT_FDCWD, at("change"), times, 0), 0);
		check_ok(rows[i].row, publish_look(p, &err), &err);
		assert_non_null(publish_at(p, "change", &is));
		check_int(rows[i].row, is, rows[i].want);
	}
	publish_close(p);
}

/* The manifest says what there is, and is for nobody else. */
static void test_manifest_mode(void **state)
{
	struct publish *p = volume_open(dir);
	struct stat st;

	(void)state;
	publish(p, "1");
	assert_int_equal(stat(at("..data/..manifest"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	publish_close(p);
}

static void test_hard_links(void **state)
{
	struct publish *p = volume_open(dir);
	ino_t kept, changed;

	(void)state;
	publish(p, "1");
	kept = inode_of("keep");
	changed = inode_of("change");
	publish(p, "2");
	assert_int_equal(inode_of("keep"), kept); /* not one byte was copied */
	assert_int_not_equal(inode_of("change"), changed);
	publish_close(p);
}

/* A volume, or a kernel, that makes no hard links. */
static void test_no_hard_links(void **state)
{
	static const int errors[] = { EPERM, EMLINK, EXDEV, EOPNOTSUPP };
	struct publish *p = volume_open(dir);
	enum publish_state is;
	struct err err = { 0 };

	(void)state;
	publish(p, "0");
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		const char *row = strerror(errors[i]);

		link_error = errors[i];
		links_tried = 0;
		check_ok(row, try_publish_at(p, row, 0, &err), &err);
		check_int(row, links_tried, 1);
		check_file(row, "keep", "keep");
		check_ok(row, publish_look(p, &err), &err);
		assert_non_null(publish_at(p, "keep", &is));
		check_int(row, is, PUBLISH_INTACT);
	}
	link_error = EIO;
	check_err("EIO", try_publish_at(p, "EIO", 0, &err), &err, ERR_IO, "cannot link");
	publish_close(p);
}

/* ---- its sets ---- */

static void test_names_that_are_taken(void **state)
{
	struct publish *p = volume_open(dir);

	(void)state;
	equal_numbers = 3; /* the name of the set, and that of its temporary link */
	publish(p, "1");
	equal_numbers = 1;
	publish(p, "2");
	check_file("taken", "change", "2");
	publish_close(p);
}

/* Readers in flight have the set of before for this time, and no less. */
static void test_earlier_sets(void **state)
{
	struct publish *p = volume_open(dir);
	struct err err = { 0 };

	(void)state;
	check_ok("1", try_publish_at(p, "1", 0, &err), &err);
	assert_int_equal(publish_deadline(p), CLOCK_NEVER);
	check_ok("2", try_publish_at(p, "2", 100, &err), &err);
	check_ok("3", try_publish_at(p, "3", 300, &err), &err);
	assert_int_equal(publish_deadline(p), 100 + RETAIN_MS);
	publish_run(p, 100 + RETAIN_MS - 1);
	assert_int_equal(volume_count(dir, "..2"), 3);
	publish_run(p, 100 + RETAIN_MS);
	assert_int_equal(volume_count(dir, "..2"), 2);
	assert_int_equal(publish_deadline(p), 300 + RETAIN_MS);
	publish_run(p, 300 + RETAIN_MS - 1);
	assert_int_equal(volume_count(dir, "..2"), 2);
	publish_run(p, 300 + RETAIN_MS);
	assert_int_equal(volume_count(dir, "..2"), 1);
	assert_int_equal(publish_deadline(p), CLOCK_NEVER);
	check_file("last", "change", "3");
	publish_close(p);
}

/* What a restart finds: the set that is shown stays, one of before goes in time. */
static void test_sets_of_a_restart(void **state)
{
	struct publish *p = volume_open(dir);

	(void)state;
	publish(p, "1");
	publish(p, "2");
	publish_close(p);
	p = volume_open(dir);
	assert_int_equal(publish_deadline(p), RETAIN_MS);
	publish_run(p, RETAIN_MS - 1);
	assert_int_equal(volume_count(dir, "..2"), 2);
	publish_run(p, RETAIN_MS);
	assert_int_equal(volume_count(dir, "..2"), 1);
	check_file("shown", "change", "2");
	publish_close(p);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_one_writer),
		IN_DIR(test_files_of_another_uid),
		IN_DIR(test_advice),
		IN_DIR(test_advice_on_the_retain_time),
		IN_DIR(test_names_of_others),
		IN_DIR(test_links_of_others),
		IN_DIR(test_links_are_mended),
		IN_DIR(test_links_that_cannot_be_mended),
		IN_DIR(test_another_directory),
		IN_DIR(test_set_that_went_astray),
		IN_DIR(test_set_behind_a_link),
		IN_DIR(test_altered),
		IN_DIR(test_manifest_mode),
		IN_DIR(test_hard_links),
		IN_DIR(test_no_hard_links),
		IN_DIR(test_names_that_are_taken),
		IN_DIR(test_earlier_sets),
		IN_DIR(test_sets_of_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
