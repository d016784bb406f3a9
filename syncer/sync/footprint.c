#include "sync/footprint.h"

#include <string.h>

/* Of the manifest for each file: where it came from, its version and options. */
#define MANIFEST_FILE 1024

_Static_assert(FOOTPRINT_FILE >= FOOTPRINT_VALUE &&
		       FOOTPRINT_FILE - FOOTPRINT_VALUE < FOOTPRINT_PAGE,
	       "the pages of a full value");

static uint64_t footprint_up(uint64_t bytes, uint64_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

/* The file of a template: its text, and each value that it takes. */
static uint64_t footprint_template(const struct template_file *file)
{
	uint64_t bytes = strlen(file->text);

	for (size_t i = 0; i < file->body.count; i++)
		bytes += file->body.parts[i].path != NULL ? FOOTPRINT_VALUE : 0;
	if (bytes > TEMPLATES_MADE_MAX)
		bytes = TEMPLATES_MADE_MAX;
	return footprint_up(bytes, FOOTPRINT_PAGE);
}

void footprint_of(struct footprint *out, const struct check *check,
		  const struct templates *templates)
{
	*out = (struct footprint){ 0 };
	for (size_t i = 0; i < check->count; i++) {
		const struct check_entry *e = &check->items[i];

		out->files += e->file_count;
		out->is_open |= e->more != NULL;
		out->set_bytes += e->file_count * FOOTPRINT_FILE;
		out->now_bytes += e->bytes;
	}
	for (size_t i = 0; i < templates->count; i++) {
		if (templates_is_env(&templates->items[i]))
			continue;
		out->files++;
		out->set_bytes += footprint_template(&templates->items[i]);
	}
	out->set_bytes += footprint_up((out->files + 1) * MANIFEST_FILE, FOOTPRINT_PAGE);
	out->volume_bytes = footprint_up(2 * out->set_bytes, FOOTPRINT_MIB);
	out->container_bytes = FOOTPRINT_PROCESS + out->volume_bytes;
}
