/* One version of one object: which files on the volume are its own, and what may not be
 * made of half an answer. */
#include "fake_log.h"
#include "volume.h"

#include "config/objects.h"
#include "sync/task_set.h"

#define VERSION "0123456789abcdef0123456789abcdef"
#define ID "https://shop-kv.vault.azure.net/secrets/"

static char dir[64];
static struct publish *volume;
static struct sources sources;
static struct source *source;
static struct objects objects;

static int set_up(void **state)
{
	struct err err = { 0 };

	(void)state;
	volume_make(dir);
	volume = volume_open(dir);
	sources = (struct sources){ .cloud = cloud_at(0) };
	return sources_get(&sources, "shop-kv", &source, &err);
}

static int tear_down(void **state)
{
	(void)state;
	publish_close(volume);
	volume_remove(dir);
	sources_done(&sources);
	objects_done(&objects);
	buf_done(&said);
	return 0;
}

static const struct object *configured(const char *text)
{
	struct err err = { 0 };

	objects_done(&objects);
	check_ok(text, objects_parse(&objects, text, 0440, &err), &err);
	return &objects.items[0];
}

static struct task *task_of(const char *text)
{
	const struct object *o = configured(text);

	return task_new(o, source, volume, "a", "a", o->version);
}

/* What the first of its files is made with. */
static char *options_of(const struct task *t)
{
	struct render_files files;
	char *options;

	render_outline(&t->how, &files);
	options = xasprintf("%s%s", files.items[0].options, t->selection);
	render_files_done(&files);
	return options;
}

/* What the volume has at the path "a". */
static void publish(const char *object, const char *version, const char *options,
		    mode_t mode)
{
	struct publish_file file = { .path = "a",
				     .mode = mode,
				     .object = object,
				     .version = version,
				     .options = options,
				     .data = "A",
				     .len = 1 };
	struct publish_set set = { .files = &file, .count = 1, .configuration = 1 };
	enum publish_result result;
	struct err err = { 0 };
	size_t changed;

	check_ok(object, publish_commit(volume, &set, 0, &result, &changed, &err), &err);
}

/* Its own are those of its object; made with its options, they need not be made anew. */
static void test_files(void **state)
{
	static const struct {
		const char *row, *object, *options;
		mode_t mode;
		enum fate_files want;
	} rows[] = {
		{ "its own", ID "a", NULL, 0440, FATE_GOOD_FILES },
		{ "of another object", ID "b", NULL, 0440, FATE_NO_FILES },
		{ "of another vault", "https://other-kv.vault.azure.net/secrets/a", NULL,
		  0440, FATE_NO_FILES },
		{ "a key's", "https://shop-kv.vault.azure.net/keys/a", NULL, 0440,
		  FATE_NO_FILES },
		{ "of other options", ID "a", "x", 0440, FATE_OTHER_FILES },
		{ "of another mode", ID "a", NULL, 0400, FATE_OTHER_FILES },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct task *t = task_of("a");
		auto_free char *options = options_of(t);

		task_free(t);
		publish(rows[i].object, VERSION,
			rows[i].options ? rows[i].options : options, rows[i].mode);
		t = task_of("a");
		check_int(rows[i].row, task_files_on_volume(t), rows[i].want);
		check_text(rows[i].row, t->current,
			   rows[i].want == FATE_GOOD_FILES ? VERSION : NULL);
		task_free(t);
	}
}

static void test_needs_no_answer(void **state)
{
	static const struct {
		const char *list;
		bool want;
	} rows[] = {
		{ "- objectName: a\n  objectVersion: " VERSION, true },
		{ "- objectName: a", false },
		{ "- objectName: a\n  objectVersion: fedcba9876543210fedcba9876543210",
		  false },
		{ "- objectName: a\n  metadata: true\n  objectVersion: " VERSION, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct task *t = task_of(rows[i].list);
		auto_free char *options = options_of(t);

		publish(ID "a", VERSION, options, 0440);
		task_free(t);
		t = task_of(rows[i].list);
		check_int(rows[i].list, task_needs_no_answer(t), rows[i].want);
		task_free(t);
	}
}

/* Files of an entry that selects are its own only while it selects in the same way. */
static void test_selected(void **state)
{
	static const char *const lists[] = {
		"- objectNamePattern: 'a*'\n",
		"- objectNamePattern: 'b*'\n",
		"- tags: {env: prod}\n",
		"- tags: {env: test}\n",
		"- tags: {name: prod}\n",
		"- objectNamePattern: 'a*'\n  tags: {env: prod}\n",
		"- objectName: a\n",
	};

	(void)state;
	for (size_t was = 0; was < ARRAY_LEN(lists); was++) {
		struct task *t = task_of(lists[was]);
		auto_free char *options = options_of(t);

		task_free(t);
		for (size_t is = 0; is < ARRAY_LEN(lists); is++)
			check_int(lists[is],
				  task_was_selected(configured(lists[is]), options),
				  is == was && was < ARRAY_LEN(lists) - 1);
	}
}

/* Without its password a PKCS#12 is not made; without a value neither. */
static void test_half_an_answer(void **state)
{
	(void)state;
	for (int password = 0; password < 2; password++) {
		struct task *t = task_of("- objectName: a\n  objectFormat: pfx\n  "
					 "pfxPasswordObject: pass\n");
		struct question *failed = password ? &t->password : &t->value;

		t->value.item.state = FETCH_GOT;
		t->password.item.state = FETCH_GOT;
		failed->item.state = FETCH_FAILED;
		err_set(&failed->item.err, ERR_DENIED, "secret 'x': 403");
		task_render(t);
		assert_int_equal(t->err.kind, ERR_DENIED);
		assert_string_equal(t->err.msg, "secret 'x': 403");
		assert_false(t->has_new_files);
		assert_null(t->new_version);
		task_free(t);
	}
}

/* A part that another program damaged is kept as it is, or the whole set would be
 * refused.
 */
static void test_carried(void **state)
{
	static const struct fate_verdict keep = { .fate = FATE_KEEP };
	struct task *t = task_of("- objectName: a\n  metadata: true\n");
	auto_free char *options = options_of(t);
	struct publish_file *files = NULL;
	struct publish_file set_files[] = {
		{ .path = "a",
		  .mode = 0440,
		  .object = ID "a",
		  .version = VERSION,
		  .options = options,
		  .data = "A",
		  .len = 1 },
		{ .path = "a.json",
		  .mode = 0440,
		  .object = ID "a",
		  .version = VERSION "@1",
		  .options = "metadata",
		  .data = "{}",
		  .len = 2 },
	};
	size_t count = 0;
	struct err err = { 0 };

	(void)state;
	check_ok("set", volume_commit(volume, set_files, 2, 0, &err), &err);
	task_free(t);
	volume_write(dir, "..data/a.json", "edited");
	check_ok("look", publish_look(volume, &err), &err);
	t = task_of("- objectName: a\n  metadata: true\n");
	t->verdict = &keep;
	task_add_files(t, &files, &count);
	assert_int_equal(count, 2);
	assert_false(files[0].as_is);
	assert_true(files[1].as_is);
	check_ok("carried", volume_commit(volume, files, count, 0, &err), &err);
	free(files);
	task_free(t);
}

#define WITH_VOLUME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VOLUME(test_files),    WITH_VOLUME(test_needs_no_answer),
		WITH_VOLUME(test_selected), WITH_VOLUME(test_half_an_answer),
		WITH_VOLUME(test_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
