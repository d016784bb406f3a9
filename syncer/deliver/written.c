#include "deliver/written.h"

#include <inttypes.h>

#include "base/file.h"

#define WRITTEN_NAME "..secrets"
#define WRITTEN_FORMAT 1
#define WRITTEN_MAX (64 * 1024)

struct written written_read(int dir_fd)
{
	auto_buf struct buf text = BUF_INIT(WRITTEN_MAX);
	struct written w = { .list = "" };
	const char *list;
	struct err ignored;

	if (file_read(dir_fd, WRITTEN_NAME, &text, &ignored) < 0 ||
	    json_parse(buf_str(&text), text.len, &w.root, &ignored) < 0 ||
	    json_int(w.root, "format", 0) != WRITTEN_FORMAT)
		return w;
	list = json_string(w.root, "list");
	w.list = list ? list : "";
	w.since_ms = json_int(w.root, "since", 0);
	w.sources = json_get(w.root, "sources");
	return w;
}

void written_done(struct written *w)
{
	json_free(w->root);
	*w = (struct written){ .list = "" };
}

const char *written_source(const struct written *w, const char *name)
{
	const char *source = w->sources ? json_string(w->sources, name) : NULL;

	return source ? source : "";
}

struct buf written_begin(void)
{
	return BUF_INIT(WRITTEN_MAX);
}

int written_save(int dir_fd, const char *list, int64_t since_ms, struct buf *members,
		 struct err *err)
{
	auto_buf struct buf text = BUF_INIT(WRITTEN_MAX + 128);

	buf_printf(&text,
		   "{\"format\":%d,\"list\":\"%s\",\"since\":%" PRId64
		   ",\"sources\":{%s}}\n",
		   WRITTEN_FORMAT, list, since_ms, buf_str(members));
	buf_done(members);
	return file_replace(dir_fd, WRITTEN_NAME, 0600, buf_str(&text), text.len, err);
}
