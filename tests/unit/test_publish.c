/* What a set to publish changes: the bytes decide.  What is remembered of a set, and what
 * is seen of files that another program touched. */
#include "volume.h"

#include <errno.h>
#include <sys/wait.h>

static char dir[64];
static struct publish *p;
static enum publish_result result;
static size_t changed;
static struct publish_set wanted;

static int set_up(void **state)
{
	(void)state;
	volume_make(dir);
	p = volume_open(dir);
	wanted = (struct publish_set){ .configuration = 7 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	publish_close(p);
	volume_remove(dir);
	return 0;
}

static int try_commit(const struct publish_file *files, size_t count, struct err *err)
{
	wanted.files = files;
	wanted.count = count;
	return publish_commit(p, &wanted, 0, &result, &changed, err);
}

#define FILES(...)                                                                       \
	((const struct publish_file[]){ __VA_ARGS__ }),                                  \
		sizeof((const struct publish_file[]){ __VA_ARGS__ }) /                   \
			sizeof(struct publish_file)

static void commit(const char *row, enum publish_result want, size_t changes,
		   const struct publish_file *files, size_t count)
{
	struct err err = { 0 };

	check_ok(row, try_commit(files, count, &err), &err);
	check_int(row, result, want);
	check_int(row, changed, changes);
}

static void reopen(void)
{
	publish_close(p);
	p = volume_open(dir);
}

static void check_file(const char *name, const char *want)
{
	char text[128];

	volume_read(dir, name, text);
	check_text(name, text, want);
}

static void check_state(const char *path, enum publish_state want)
{
	enum publish_state state = PUBLISH_INTACT;

	check(path, publish_at(p, path, &state) != NULL);
	check_int(path, state, want);
}

static ino_t inode(const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void look(void)
{
	struct err err = { 0 };

	check_ok("look", publish_look(p, &err), &err);
}

static void test_bytes_decide(void **state)
{
	auto_free char *first = NULL;
	ino_t manifest;

	(void)state;
	commit("first", PUBLISH_FIRST, 2,
	       FILES(volume_file("a", "1", "A"), volume_file("d/b", "1", "B")));
	first = xstrdup(publish_generation(p));
	manifest = inode("..data/..manifest");
	commit("the same", PUBLISH_UNCHANGED, 0,
	       FILES(volume_file("a", "1", "A"), volume_file("d/b", "1", NULL)));
	assert_int_equal(inode("..data/..manifest"), manifest);
	commit("another version", PUBLISH_UNCHANGED, 0,
	       FILES(volume_file("a", "2", "A"), volume_file("d/b", "1", NULL)));
	assert_string_equal(publish_generation(p), first);
	assert_int_not_equal(inode("..data/..manifest"), manifest);
	assert_string_equal(publish_at(p, "a", NULL)->version, "2");
	assert_int_equal(volume_count(dir, "..2"), 1);
	reopen();
	assert_string_equal(publish_at(p, "a", NULL)->version, "2");
	check_state("a", PUBLISH_INTACT);
	commit("other bytes", PUBLISH_REPLACED, 1,
	       FILES(volume_file("a", "3", "Z"), volume_file("d/b", "2", "B")));
	check_file("a", "Z");
	assert_string_equal(publish_at(p, "d/b", NULL)->version, "2");
	reopen();
	assert_true(volume_has(p, "d/b", "d/b", "encoding=utf-8", 0440, NULL));
}

static void test_names_and_modes(void **state)
{
	struct publish_file a = volume_file("a", "1", "A");

	(void)state;
	commit("first", PUBLISH_FIRST, 1, &a, 1);
	a.mode = 0400;
	commit("mode", PUBLISH_REPLACED, 1, &a, 1);
	commit("a new one", PUBLISH_REPLACED, 1, FILES(a, volume_file("b", "1", "B")));
	commit("renamed", PUBLISH_REPLACED, 2, FILES(a, volume_file("c", "1", "B")));
	commit("one went", PUBLISH_REPLACED, 1, &a, 1);
	check_file("c", "-");
	assert_int_equal(volume_count(dir, ""), 2 + 5);
	publish_run(p, RETAIN_MS);
	assert_int_equal(volume_count(dir, ""), 3);
}

/* Sizes around those of the chunks in which the current file is read. */
static void test_compare(void **state)
{
	static char big[3 * 4096 + 1]; /* a NUL at the end */
	static const size_t sizes[] = {
		0, 1, 4095, 4096, 4097, 2 * 4096, sizeof(big) - 1
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct publish_file a = volume_file("a", "1", big);

		memset(big, 'x', sizeof(big) - 1);
		a.len = sizes[i];
		commit("start", i ? PUBLISH_REPLACED : PUBLISH_FIRST, 1, &a, 1);
		commit("same", PUBLISH_UNCHANGED, 0, &a, 1);
		for (size_t at = 0; at < sizes[i]; at += 4095) {
			big[at]++;
			commit("one byte", PUBLISH_REPLACED, 1, &a, 1);
		}
	}
}

static void test_configuration(void **state)
{
	static char list[] = "[{\"objectName\":\"a\\n\xc3\xa9\"}]";
	auto_free char *first = NULL;

	(void)state;
	assert_false(publish_fits(NULL, 7));
	assert_false(publish_fits(p, 7));
	assert_null(publish_list(p));
	assert_null(publish_list(NULL));
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	first = xstrdup(publish_generation(p));
	assert_true(publish_fits(p, 7));
	assert_false(publish_fits(p, 8));
	wanted.configuration = UINT64_MAX >> 1;
	wanted.list = list;
	commit("another one", PUBLISH_UNCHANGED, 0, FILES(volume_file("a", "1", NULL)));
	assert_string_equal(publish_generation(p), first);
	for (int i = 0; i < 2; i++) {
		assert_true(publish_fits(p, UINT64_MAX >> 1));
		assert_false(publish_fits(p, 7));
		assert_string_equal(publish_list(p), list);
		reopen();
	}
	/* The list of before may be given again. */
	wanted.list = publish_list(p);
	commit("again", PUBLISH_REPLACED, 1, FILES(volume_file("a", "2", "Z")));
	assert_string_equal(publish_list(p), list);
	wanted.list = NULL;
	commit("none", PUBLISH_UNCHANGED, 0, FILES(volume_file("a", "2", NULL)));
	assert_null(publish_list(p));
	reopen();
	assert_null(publish_list(p));
}

/* The longest list is kept, whatever quoting makes of it; a longer one is left out. */
static void test_long_list(void **state)
{
	auto_free char *list = xcalloc(1, MANIFEST_LIST_MAX_BYTES + 2);

	(void)state;
	wanted.list = list;
	for (size_t more = 0; more < 2; more++) {
		memset(list, '\x01', MANIFEST_LIST_MAX_BYTES + more);
		commit("long", more ? PUBLISH_UNCHANGED : PUBLISH_FIRST, more ? 0 : 1,
		       FILES(volume_file("a", "1", "A")));
		for (int i = 0; i < 2; i++) {
			if (more)
				assert_null(publish_list(p));
			else
				assert_string_equal(publish_list(p), list);
			assert_true(publish_fits(p, 7));
			check_state("a", PUBLISH_INTACT);
			reopen();
		}
	}
}

static void test_empty_set(void **state)
{
	(void)state;
	assert_true(publish_is_whole(p) && publish_is_whole(NULL));
	commit("first", PUBLISH_FIRST, 0, NULL, 0);
	assert_non_null(publish_generation(p));
	assert_true(publish_fits(p, 7));
	assert_int_equal(publish_count(p), 0);
	reopen();
	assert_true(publish_fits(p, 7) && publish_is_whole(p));
	commit("again", PUBLISH_UNCHANGED, 0, NULL, 0);
	commit("one", PUBLISH_REPLACED, 1, FILES(volume_file("a", "1", "A")));
	commit("none", PUBLISH_REPLACED, 1, NULL, 0);
	check_file("a", "-");
}

static void test_look(void **state)
{
	const char *version = NULL;
	char path[128];

	(void)state;
	commit("first", PUBLISH_FIRST, 4,
	       FILES(volume_file("a", "1", "A"), volume_file("b", "1", "B"),
		     volume_file("d/c", "1", "C"), volume_file("e", "1", "E")));
	volume_write(dir, "..data/a", "A");
	snprintf(path, sizeof(path), "%s/..data/b", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/..data/d", dir);
	tree_remove(AT_FDCWD, path);
	volume_write(dir, "..data/d", "no directory");
	/* It answers from the last look. */
	assert_true(publish_is_whole(p));
	check_state("a", PUBLISH_INTACT);
	for (int i = 0; i < 2; i++) {
		if (i)
			reopen();
		else
			look();
		check_state("a", PUBLISH_ALTERED);
		check_state("b", PUBLISH_MISSING);
		check_state("d/c", PUBLISH_MISSING);
		check_state("e", PUBLISH_INTACT);
		assert_false(publish_is_whole(p));
		assert_true(publish_fits(p, 7));
		assert_false(volume_has(p, "a", "a", "encoding=utf-8", 0440, &version));
		assert_true(volume_has(p, "e", "e", "encoding=utf-8", 0440, &version));
		assert_string_equal(version, "1");
	}
	assert_null(publish_at(p, "x", NULL));
	assert_null(publish_entry(p, 4, NULL));
	assert_string_equal(publish_entry(p, 3, NULL)->path, "e");
	/* Made anew: those that have no file, or one of another mode.  Of the directory
	 * that became a file, too. */
	commit("anew", PUBLISH_REPLACED, 3,
	       FILES(volume_file("a", "1", "A"), volume_file("b", "1", "B"),
		     volume_file("d/c", "1", "C"), volume_file("e", "1", NULL)));
	assert_true(publish_is_whole(p));
	check_state("a", PUBLISH_INTACT);
	check_file("d/c", "C");
}

/* The bytes and the mode are there: only the manifest follows. */
static void test_touched(void **state)
{
	char path[128];
	struct err err = { 0 };

	(void)state;
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	snprintf(path, sizeof(path), "%s/..data/a", dir);
	assert_int_equal(
		utimensat(AT_FDCWD, path, (struct timespec[2]){ { 1, 1 }, { 1, 1 } }, 0),
		0);
	look();
	check_state("a", PUBLISH_ALTERED);
	check_err("carried", try_commit(FILES(volume_file("a", "1", NULL)), &err), &err,
		  ERR_IO, "changed or removed by another program");
	commit("data", PUBLISH_UNCHANGED, 0, FILES(volume_file("a", "1", "A")));
	check_state("a", PUBLISH_INTACT);
	reopen();
	check_state("a", PUBLISH_INTACT);
}

static void test_as_is(void **state)
{
	struct publish_file a = volume_file("a", "1", NULL);
	struct publish_file b = volume_file("b", "1", NULL);
	struct publish_file strange = volume_file("z", "1", NULL);
	char path[128];
	struct err err = { 0 };

	(void)state;
	a.as_is = b.as_is = strange.as_is = true;
	commit("first", PUBLISH_FIRST, 2,
	       FILES(volume_file("a", "1", "A"), volume_file("b", "1", "B")));
	commit("intact", PUBLISH_UNCHANGED, 0, FILES(a, b));
	volume_write(dir, "..data/a", "edited");
	snprintf(path, sizeof(path), "%s/..data/b", dir);
	assert_int_equal(unlink(path), 0);
	commit("alone", PUBLISH_UNCHANGED, 0, FILES(a, b));
	check_state("a", PUBLISH_ALTERED);
	check_state("b", PUBLISH_MISSING);
	commit("with another", PUBLISH_REPLACED, 1,
	       FILES(a, b, volume_file("c", "1", "C")));
	check_file("a", "edited");
	/* No link that leads nowhere. */
	assert_int_equal(volume_count(dir, "b"), 0);
	for (int i = 0; i < 2; i++) {
		check_state("a", PUBLISH_ALTERED);
		check_state("b", PUBLISH_MISSING);
		check_state("c", PUBLISH_INTACT);
		reopen();
	}
	check_err("unknown", try_commit(&strange, 1, &err), &err, ERR_IO,
		  "'z' is not part of the current set");
	commit("made anew", PUBLISH_REPLACED, 2,
	       FILES(volume_file("a", "1", "A"), volume_file("b", "1", "B"),
		     volume_file("c", "1", NULL)));
	check_file("b", "B");
	assert_true(publish_is_whole(p));
}

/* A removed link comes back, though nothing else changes. */
static void test_link_removed(void **state)
{
	(void)state;
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	assert_int_equal(unlinkat(publish_dir_fd(p), "a", 0), 0);
	commit("again", PUBLISH_UNCHANGED, 0, FILES(volume_file("a", "1", NULL)));
	check_file("a", "A");
}

/* A set whose manifest is not understood: all is made anew, and names that it alone knew
 * are swept at once. */
static void test_unknown_manifest(void **state)
{
	static const char *const rows[] = { NULL, "", "garbage", "{\"format\":2}",
					    "{\"format\":1,\"files\":[{}]}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *row = rows[i] ? rows[i] : "none";

		commit(row, i ? PUBLISH_REPLACED : PUBLISH_FIRST, i ? 1 : 2,
		       FILES(volume_file("a", "1", "A"), volume_file("gone", "1", "G")));
		if (rows[i])
			volume_write(dir, "..data/..manifest", rows[i]);
		else
			assert_int_equal(
				unlinkat(publish_dir_fd(p), "..data/..manifest", 0), 0);
		reopen();
		check(row, publish_generation(p) != NULL && !publish_fits(p, 7));
		check_int(row, publish_count(p), 0);
		commit(row, PUBLISH_REPLACED, 1, FILES(volume_file("a", "1", "A")));
		check_int(row, volume_count(dir, "gone"), 0);
		check(row, publish_fits(p, 7));
	}
}

/* An init container of another uid made the set, so its state cannot be read: its files
 * are made anew.  A directory without the sticky bit allows that. */
static void test_set_of_another_user(void **state)
{
	int status;

	(void)state;
	if (geteuid() != 0)
		skip();
	commit("of root", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	publish_close(p);
	p = NULL;
	assert_int_equal(chmod(dir, 0777), 0);
	if (fork() == 0) {
		struct publish *own = NULL;
		struct publish_file file = volume_file("a", "2", "A2");
		struct publish_set set = { .files = &file,
					   .count = 1,
					   .configuration = 1 };
		struct err err = { 0 };

		_exit(setresuid(65534, 65534, 65534) < 0 ||
		      publish_open(&own, dir, RETAIN_MS, 0, &err) < 0 ||
		      publish_commit(own, &set, 0, &result, &changed, &err) < 0);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	p = volume_open(dir);
	assert_int_equal(publish_count(p), 1);
}

/* As an earlier release wrote it. */
static void test_older_manifest(void **state)
{
	char text[128], manifest[512];
	struct stat st;

	(void)state;
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	snprintf(text, sizeof(text), "%s/..data/a", dir);
	assert_int_equal(stat(text, &st), 0);
	snprintf(
		manifest, sizeof(manifest),
		"{\"format\":1,\"configuration\":\"7\",\"files\":[\n"
		"{\"path\":\"a\",\"object\":\"a\",\"version\":\"1\",\"options\":"
		"\"encoding=utf-8\",\"mode\":288,\"size\":1,\"mtime_ns\":\"%lld\"}\n]}\n",
		(long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
	volume_write(dir, "..data/..manifest", manifest);
	reopen();
	assert_true(publish_fits(p, 7));
	assert_null(publish_list(p));
	check_state("a", PUBLISH_INTACT);
}

/* What the paths of the set that was prepared last add up to: "a,b". */
static const char *changed_paths(void)
{
	static char text[256];
	const struct paths *paths = publish_changed(p);

	text[0] = '\0';
	for (size_t i = 0; i < paths->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 i ? "," : "", paths->items[i]);
	return text;
}

static void prepare(const char *row, enum publish_result want,
		    const struct publish_file *files, size_t count)
{
	struct err err = { 0 };

	wanted.files = files;
	wanted.count = count;
	check_ok(row, publish_prepare(p, &wanted, &result, &err), &err);
	check_int(row, result, want);
}

static void test_changed_paths(void **state)
{
	(void)state;
	commit("first", PUBLISH_FIRST, 2,
	       FILES(volume_file("b/x", "1", "B"), volume_file("a", "1", "A")));
	assert_string_equal(changed_paths(), "a,b/x");
	commit("same", PUBLISH_UNCHANGED, 0,
	       FILES(volume_file("b/x", "2", "B"), volume_file("a", "1", NULL)));
	assert_string_equal(changed_paths(), "");
	commit("one", PUBLISH_REPLACED, 1,
	       FILES(volume_file("b/x", "3", "BB"), volume_file("a", "1", NULL)));
	assert_string_equal(changed_paths(), "b/x");
	commit("one comes, one goes", PUBLISH_REPLACED, 2,
	       FILES(volume_file("c", "1", "C"), volume_file("a", "1", NULL)));
	assert_string_equal(changed_paths(), "b/x,c");
}

/* A set is whole before anybody sees it, and may be dropped. */
static void test_prepared(void **state)
{
	char name[128], text[128];
	struct err err = { 0 };

	(void)state;
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	assert_null(publish_prepared(p));
	for (int finish = 0; finish < 2; finish++) {
		prepare("second", PUBLISH_REPLACED,
			FILES(volume_file("a", "2", "AA"), volume_file("b", "1", "B")));
		assert_non_null(publish_prepared(p));
		snprintf(name, sizeof(name), "%s/b", publish_prepared(p));
		volume_read(dir, name, text);
		assert_string_equal(text, "B");
		check_file("a", "A");
		check_file("b", "-");
		assert_string_equal(changed_paths(), "a,b");
		if (finish)
			check_ok("finish", publish_finish(p, 0, &err), &err);
		else
			publish_abandon(p);
		assert_null(publish_prepared(p));
	}
	check_file("a", "AA");
	check_file("b", "B");
	assert_int_equal(volume_count(dir, "..20"), 2);
	publish_abandon(p); /* nothing is prepared */
	check_file("b", "B");
	/* One that was forgotten goes when the next is prepared, or at the end. */
	prepare("third", PUBLISH_REPLACED, FILES(volume_file("a", "3", "AAA")));
	prepare("fourth", PUBLISH_REPLACED, FILES(volume_file("a", "4", "AAAA")));
	assert_int_equal(volume_count(dir, "..20"), 3);
	reopen();
	assert_int_equal(volume_count(dir, "..20"), 2);
	check_file("a", "AA");
}

/* A crash before the set is shown: the next process removes it in time. */
static void test_crash_while_prepared(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	commit("first", PUBLISH_FIRST, 1, FILES(volume_file("a", "1", "A")));
	publish_close(p);
	pid = fork();
	if (pid == 0) {
		p = volume_open(dir);
		prepare("second", PUBLISH_REPLACED, FILES(volume_file("a", "2", "AA")));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(volume_count(dir, "..20"), 2);
	p = volume_open(dir);
	check_file("a", "A");
	publish_run(p, publish_deadline(p));
	assert_int_equal(volume_count(dir, "..20"), 1);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(test_bytes_decide),
		IN_DIR(test_names_and_modes),
		IN_DIR(test_compare),
		IN_DIR(test_configuration),
		IN_DIR(test_long_list),
		IN_DIR(test_empty_set),
		IN_DIR(test_look),
		IN_DIR(test_touched),
		IN_DIR(test_as_is),
		IN_DIR(test_link_removed),
		IN_DIR(test_unknown_manifest),
		IN_DIR(test_older_manifest),
		IN_DIR(test_set_of_another_user),
		IN_DIR(test_changed_paths),
		IN_DIR(test_prepared),
		IN_DIR(test_crash_while_prepared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
