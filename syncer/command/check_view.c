#include "command/check_view.h"

#include <string.h>

const char *check_source(const struct check_view *view, const char *name)
{
	if (view->by_argument && strcmp(name, "AKVSYNC_CONFIG") == 0)
		return "argument";
	return configuration_source(view->configuration, name);
}

const char *check_verdict(const struct check_entry *e, bool online)
{
	if (!online)
		return "-";
	return !e->failed ? "ok" : e->excused ? "absent" : "FAILED";
}

const struct target *check_target(const struct targets *all, size_t i)
{
	if (i < all->count)
		return &all->items[i];
	i -= all->count;
	return i < all->precheck_count ? &all->prechecks[i] : NULL;
}
