#include "deliver/notified.h"

#include <errno.h>

#include "base/file.h"

#define NOTIFIED_NAME "..notified"
#define NOTIFIED_FORMAT 1
/* As much as targets.c lets through, in JSON. */
#define NOTIFIED_MAX (256 * 1024)

/* Whether each member names a set. */
static bool notified_is_sound(const struct json *delivered)
{
	const struct json *m = json_first(delivered);

	while (m != NULL && json_text(m) != NULL)
		m = json_next(m);
	return json_is_object(delivered) && m == NULL;
}

int notified_read(int dir_fd, struct notified *out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(NOTIFIED_MAX);
	struct err ignored;

	*out = (struct notified){ .memory = NOTIFIED_FOREIGN };
	if (file_read(dir_fd, NOTIFIED_NAME, &text, err) < 0) {
		if (errno == ENOENT)
			out->memory = NOTIFIED_NONE;
		else if (!file_is_foreign(dir_fd, NOTIFIED_NAME, errno)) {
			err_wrap(err, "cannot read which targets were notified");
			err->kind = ERR_UNAVAILABLE;
			return -1;
		}
		return 0;
	}
	if (json_parse(buf_str(&text), text.len, &out->root, &ignored) < 0 ||
	    json_int(out->root, "format", 0) != NOTIFIED_FORMAT ||
	    !notified_is_sound(json_get(out->root, "delivered")))
		return 0;
	out->memory = NOTIFIED_READ;
	out->delivered = json_get(out->root, "delivered");
	return 0;
}

void notified_done(struct notified *n)
{
	json_free(n->root);
	*n = (struct notified){ 0 };
}

const char *notified_last(const struct notified *n, const char *target)
{
	return n->delivered ? json_string(n->delivered, target) : NULL;
}

struct buf notified_begin(void)
{
	return BUF_INIT(NOTIFIED_MAX);
}

int notified_write(int dir_fd, struct buf *members, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(NOTIFIED_MAX + 64);

	buf_printf(&text, "{\"format\":%d,\"delivered\":{%s}}\n", NOTIFIED_FORMAT,
		   buf_str(members));
	buf_done(members);
	return file_replace(dir_fd, NOTIFIED_NAME, 0600, buf_str(&text), text.len, err);
}
