#include "command/check_memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "sync/footprint.h"

/* More than that is no limit: "max", or what cgroup v1 says for it. */
#define MEMORY_LIMIT_MAX (INT64_C(1) << 50)

/* What of this container is less than the configuration needs, in bytes; 0: nothing. */
struct memory_lack {
	uint64_t limit; /* its memory limit */
	uint64_t size;  /* its volume in AKVSYNC_DIR */
};

/* The memory limit of the container that this runs in; 0: none is known. */
static uint64_t memory_limit(void)
{
	/* cgroup v2, and v1; a container sees its own there. */
	static const char *const files[] = {
		"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes",
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		auto_buf struct buf text = BUF_INIT(64);
		struct err ignored;
		int64_t limit;

		if (file_read(AT_FDCWD, files[i], &text, &ignored) < 0)
			continue;
		buf_truncate(&text, strcspn(buf_str(&text), "\n"));
		return text_number(buf_str(&text), MEMORY_LIMIT_MAX, &limit) == 0
			       ? (uint64_t)limit
			       : 0;
	}
	return 0;
}

/* The size of the tmpfs in AKVSYNC_DIR; 0: there is none, or it is not bounded. */
static uint64_t memory_volume(const char *dir)
{
	struct statfs fs;

	if (statfs(dir, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
		return 0;
	return (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
}

static struct memory_lack memory_lack(const struct check_view *view,
				      const struct footprint *f)
{
	struct memory_lack lack = {
		.limit = memory_limit(),
		.size = memory_volume(view->configuration->settings.dir),
	};

	if (lack.limit >= f->container_bytes)
		lack.limit = 0;
	if (lack.size >= f->volume_bytes)
		lack.size = 0;
	return lack;
}

static void memory_amount(struct buf *out, uint64_t bytes)
{
	if (bytes % FOOTPRINT_MIB == 0)
		buf_printf(out, "%" PRIu64 "Mi", bytes / FOOTPRINT_MIB);
	else
		buf_printf(out, "%" PRIu64 "Ki", (bytes + 1023) / 1024);
}

static void memory_text_row(struct buf *out, const char *name, uint64_t bytes,
			    const char *why)
{
	buf_printf(out, "  %-36s ", name);
	memory_amount(out, bytes);
	buf_printf(out, "  %s\n", why);
}

static void memory_text_lack(struct buf *out, const char *what, uint64_t bytes)
{
	if (bytes == 0)
		return;
	buf_printf(out, "  warning: %s has only ", what);
	memory_amount(out, bytes);
	buf_text(out, "\n");
}

void check_memory_write_text(const struct check_view *view, struct buf *out)
{
	struct footprint f;
	struct memory_lack lack;

	footprint_of(&f, view->check, &view->configuration->objects.templates);
	lack = memory_lack(view, &f);
	buf_text(out, "\nMemory that it needs at most\n");
	memory_text_row(out, "sizeLimit of the emptyDir", f.volume_bytes,
			"the new set beside the old one");
	memory_text_row(out, "memory limit of akvsync's container", f.container_bytes,
			"the volume counts as its memory");
	buf_printf(out,
		   "  of %" PRIu64 " file%s with values of 25 KiB, the most that a "
		   "vault takes%s",
		   f.files, f.files == 1 ? "" : "s",
		   f.is_open ? "; more for the files that only the vault knows" : "");
	if (f.now_bytes > 0) {
		buf_text(out, "; as the values are now, one set takes ");
		memory_amount(out, f.now_bytes);
	}
	buf_text(out, "\n");
	memory_text_lack(out, "this container", lack.limit);
	memory_text_lack(out, "the volume in AKVSYNC_DIR", lack.size);
}

static void memory_json_amount(struct buf *out, const char *name, uint64_t bytes)
{
	auto_buf struct buf amount = BUF_INIT(64);

	memory_amount(&amount, bytes);
	buf_text(out, ",");
	json_member(out, name, bytes > 0 ? buf_str(&amount) : NULL);
}

void check_memory_write_json(const struct check_view *view, struct buf *out)
{
	struct footprint f;
	struct memory_lack lack;

	footprint_of(&f, view->check, &view->configuration->objects.templates);
	lack = memory_lack(view, &f);
	buf_printf(out, "{\"files\":%" PRIu64 ",\"more\":%s", f.files,
		   f.is_open ? "true" : "false");
	memory_json_amount(out, "sizeLimit", f.volume_bytes);
	memory_json_amount(out, "limit", f.container_bytes);
	memory_json_amount(out, "setNow", f.now_bytes);
	memory_json_amount(out, "tooSmallLimit", lack.limit);
	memory_json_amount(out, "tooSmallVolume", lack.size);
	buf_text(out, "}");
}
