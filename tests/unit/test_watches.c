/* Files with the text of templates keep their watch over a reload, and a change before
 * they are watched is noticed. */
#include "volume.h"

#include "run/watches.h"

static char dir[64];
static struct watch *slots[TEMPLATES_FILES_MAX];
static struct configuration configuration;

static void configure(const char *first, const char *second)
{
	auto_buf struct buf list = BUF_INIT(1000);
	const char *const names[] = { first, second };
	struct templates *all = &configuration.objects.templates;
	struct err err = { 0 };

	templates_done(all);
	for (size_t i = 0; i < 2; i++)
		buf_printf(&list, "- {path: out%zu, file: %s/%s}\n", i, dir, names[i]);
	check_ok(buf_str(&list), templates_read(all, buf_str(&list), 0440, &err), &err);
	for (size_t i = 0; i < 2; i++)
		check_ok(names[i], templates_take_text(&all->items[i], names[i], &err),
			 &err);
}

static void test_follow(void **state)
{
	struct templates *all = &configuration.objects.templates;
	struct watch *kept;

	(void)state;
	volume_make(dir);
	volume_write(dir, "a", "a");
	volume_write(dir, "b", "b");
	volume_write(dir, "c", "c");
	configure("a", "b");
	assert_false(watches_follow(slots, &configuration.objects.templates, 0));
	assert_non_null(slots[0]);
	assert_non_null(slots[1]);
	assert_null(slots[2]);
	kept = slots[1];
	configure("b", "c");
	assert_false(watches_follow(slots, &configuration.objects.templates, 0));
	assert_ptr_equal(slots[0], kept);
	assert_string_not_equal(watch_name(slots[1]), watch_name(kept));
	volume_write(dir, "c", "other");
	assert_true(watches_follow(slots, &configuration.objects.templates, 0));
	/* One that could not be read is here now, and one was not even tried. */
	configure("d", "a");
	all->items[0].unread = true;
	free(all->items[1].text);
	all->items[1].text = NULL;
	assert_false(watches_follow(slots, all, 0));
	volume_write(dir, "d", "d");
	assert_true(watches_follow(slots, all, 0));
	templates_done(&configuration.objects.templates);
	assert_false(watches_follow(slots, &configuration.objects.templates, 0));
	assert_null(slots[0]);
	volume_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_follow) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
