#include "deliver/restarts.h"

#include <errno.h>

#include "base/file.h"
#include "base/json.h"

#define RESTARTS_NAME "..restarts"
#define RESTARTS_FORMAT 1
#define RESTARTS_MAX 4096

int64_t restarts_wait_ms(int dir_fd, int64_t min_ms, int64_t wall_ms, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(RESTARTS_MAX);
	auto_json struct json *root = NULL;
	struct err ignored;
	int64_t last;

	if (file_read(dir_fd, RESTARTS_NAME, &text, err) < 0) {
		if (errno == ENOENT || file_is_foreign(dir_fd, RESTARTS_NAME, errno))
			return 0;
		return err_wrap(err, "cannot read when it last ended");
	}
	if (json_parse(buf_str(&text), text.len, &root, &ignored) < 0 ||
	    json_int(root, "format", 0) != RESTARTS_FORMAT)
		return 0;
	last = json_int(root, "last", 0);
	return last <= wall_ms && wall_ms - last < min_ms ? last + min_ms - wall_ms : 0;
}

int restarts_note(int dir_fd, int code, int64_t wall_ms, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(RESTARTS_MAX);

	buf_printf(&text, "{\"format\":%d,\"last\":%lld,\"code\":%d}\n", RESTARTS_FORMAT,
		   (long long)wall_ms, code);
	return file_replace(dir_fd, RESTARTS_NAME, 0600, buf_str(&text), text.len, err);
}
