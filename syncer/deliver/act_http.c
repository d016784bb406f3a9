#include "deliver/act_http.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/text.h"
#include "deliver/act.h"

/* Of an answer's body, so that a short one ends the connection in good order. */
#define BODY_MAX 4096
#define HEADER_FILE_MAX (16 * 1024)
#define HEADERS_MAX 32
/* Tells the app which set it is, so that it can tell a repeated request. */
#define GENERATION_HEADER "Akvsync-Generation"
#define SOCKET_SCHEME "http+unix://"
#define SOCKET_PATH_MAX 107 /* sun_path of unix(7), without the final NUL */

/* ---- headers ---- */

/* A name of RFC 9110's token characters, then a colon and a value. */
static bool act_http_is_header(const char *line)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t name = strspn(line, token);

	if (name == 0 || line[name] != ':')
		return false;
	for (const char *c = line + name; *c; c++)
		if (iscntrl((unsigned char)*c) && *c != '\t')
			return false;
	line += name + 1;
	return line[strspn(line, " \t")] != '\0';
}

int act_http_add_header(struct target *t, const char *line, struct err *err)
{
	if (!act_http_is_header(line))
		return err_set(err, ERR_CONFIG,
			       "header= takes 'Name: value', in front of http=");
	if (target_list_count(t->headers) == HEADERS_MAX)
		return err_set(err, ERR_CONFIG,
			       "more than %d times header=", HEADERS_MAX);
	t->headers = target_list_add(t->headers, line);
	return 0;
}

/* Those of the target and of its file, which changes when a token is renewed. */
static int headers_read(const struct target *t, char ***out, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(HEADER_FILE_MAX);
	size_t number = 0;
	char *rest, *line;

	for (char **own = t->headers; own && *own; own++)
		*out = target_list_add(*out, *own);
	if (t->header_file == NULL)
		return 0;
	if (file_read(AT_FDCWD, t->header_file, &text, err) < 0)
		return err_wrap(err, "header-file");
	if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
		return err_set(err, ERR_IO, "header-file '%s' has a NUL byte",
			       t->header_file);
	rest = text.len > 0 ? text.data : NULL;
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		line = text_trim(line);
		if (*line == '\0')
			continue;
		if (!act_http_is_header(line) ||
		    target_list_count(*out) == 2 * HEADERS_MAX)
			return err_set(err, ERR_IO,
				       "header-file '%s': line %zu is no header; write "
				       "'Name: value', one a line",
				       t->header_file, number);
		*out = target_list_add(*out, line);
	}
	return 0;
}

/* ---- parsing ---- */

int act_http_set_status(struct target *t, const char *text, struct err *err)
{
	auto_free char *low = xstrdup(text);
	char *high = strchr(low, '-');
	int64_t min, max;

	if (high != NULL)
		*high++ = '\0';
	if (text_number(low, 599, &min) < 0 ||
	    text_number(high ? high : low, 599, &max) < 0 || min < 100 || max < min)
		return err_set(
			err, ERR_CONFIG,
			"status= takes a status of HTTP or a range, such as 204 or "
			"200-299, not '%.20s'",
			text);
	t->status_min = (int)min;
	t->status_max = (int)max;
	return 0;
}

/* The path of a socket, in which %2F stands for '/'. */
static int decode_socket(const char *text, size_t len, char **out, struct err *err)
{
	auto_buf struct buf path = BUF_INIT(SOCKET_PATH_MAX + 1);

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			const char pair[] = { text[i + 1], text[i + 2], '\0' };
			auto_buf struct buf byte = BUF_INIT(1);

			if (text_from_hex(pair, 2, &byte, err) < 0)
				return -1;
			c = byte.data[0];
			i += 2;
		}
		if (buf_add(&path, &c, 1, err) < 0)
			break;
	}
	if (path.len == 0 || path.len > SOCKET_PATH_MAX || path.data[0] != '/' ||
	    strlen(path.data) != path.len)
		return err_set(
			err, ERR_CONFIG,
			"http+unix:// takes the absolute path of a socket, at most "
			"%d bytes, with %%2F for each '/', such as "
			"http+unix://%%2Frun%%2Fapp.sock/-/reload",
			SOCKET_PATH_MAX);
	*out = xstrdup(buf_str(&path));
	return 0;
}

/* "host", "host:8080", "[::1]:8080". */
static bool act_http_is_authority(const char *text, size_t len)
{
	static const char name[] = "-._0123456789abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char address[] = "%.:_-0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	auto_free char *copy = xstrndup(text, len);
	bool bracket = copy[0] == '[';
	size_t host = strspn(copy + bracket, bracket ? address : name);
	char *rest = copy + bracket + host;
	int64_t port;

	if (host == 0 || (bracket && *rest++ != ']'))
		return false;
	return *rest == '\0' ||
	       (*rest == ':' && text_number(rest + 1, 65535, &port) == 0 && port > 0);
}

static int parse_url(struct target *t, const char *url, struct err *err)
{
	bool over_socket = text_starts(url, SOCKET_SCHEME);
	const char *host = strstr(url, "://");
	size_t len;

	if (!over_socket && !text_starts(url, "http://") && !text_starts(url, "https://"))
		return err_set(err, ERR_CONFIG,
			       "its URL does not begin with http://, https:// "
			       "or " SOCKET_SCHEME);
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(err, ERR_CONFIG,
				       "its URL holds white space; write %%20");
	host += 3;
	if (strchr(host, '#') != NULL)
		return err_set(
			err, ERR_CONFIG,
			"its URL holds a '#', and what stands behind that is never "
			"sent; write %%23");
	len = strcspn(host, "/?");
	if (memchr(host, '@', len) != NULL)
		return err_set(err, ERR_CONFIG,
			       "its URL holds a user; give it as a header in a file, by "
			       "header-file=");
	if (len == 0)
		return err_set(err, ERR_CONFIG, "its URL names no %s",
			       over_socket ? "host: the path of the socket stands there, "
					     "with %2F for each '/', as in "
					     "http+unix://%2Frun%2Fapp.sock/-/reload"
					   : "host");
	if (!over_socket && !act_http_is_authority(host, len))
		return err_set(err, ERR_CONFIG,
			       "its URL names no host with a port, such as "
			       "127.0.0.1:8080, [::1]:8080 or localhost");
	if (!over_socket) {
		t->url = wipe_strdup(url);
		return 0;
	}
	if (decode_socket(host, len, &t->socket, err) < 0)
		return -1;
	t->url = xasprintf("http://localhost%s", host + len);
	return 0;
}

static int act_http_parse(struct target *t, char *rest, struct err *err)
{
	static const char *const methods[] = { "POST", "GET", "PUT", "PATCH", "DELETE" };
	char *url = rest + strcspn(rest, " \t");

	if (*url != '\0')
		*url++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i], rest) == 0)
			t->method = methods[i];
	if (t->method == NULL)
		return err_set(
			err, ERR_CONFIG,
			"it begins with a method, POST, GET, PUT, PATCH or DELETE, "
			"as in http=POST http://127.0.0.1:8080/-/reload");
	url = text_trim(url);
	if (target_check_rest(url, err) < 0)
		return -1;
	if (t->status_max == 0) {
		t->status_min = 200;
		t->status_max = 299;
	}
	return parse_url(t, url, err);
}

static void act_http_describe(const struct target *t, struct buf *out)
{
	auto_buf struct buf url = BUF_INIT(4096);
	size_t headers = target_list_count(t->headers);

	redact_entries(t->url, &url);
	buf_printf(out, "sends %s %s", t->method, buf_str(&url));
	if (t->socket != NULL)
		buf_printf(out, " over the socket '%s'", t->socket);
	if (headers > 0)
		buf_printf(out, ", with %zu header%s", headers, headers == 1 ? "" : "s");
	if (t->header_file != NULL)
		buf_printf(out, ", with the headers in '%s'", t->header_file);
	buf_printf(out, ", and expects status %d", t->status_min);
	if (t->status_max > t->status_min)
		buf_printf(out, "-%d", t->status_max);
}

/* ---- a request ---- */

static int act_http_judge(const struct act *a, struct err *err)
{
	if (a->status >= a->status_min && a->status <= a->status_max)
		return 0;
	err_set(err, ERR_UNAVAILABLE, "the answer has status %d, not %d to %d", a->status,
		a->status_min, a->status_max);
	if (a->status / 100 == 3)
		return err_hint(err, "redirects are not followed: write the URL that it "
				     "leads to");
	if (a->status == 401 || a->status == 403)
		return err_hint(err, "does it want a header, by header-file=?");
	if (a->status == 404 || a->status == 405)
		return err_hint(err, "are method and path right?");
	return -1;
}

static void act_http_done(void *arg, struct http_reply *reply, const struct err *failure)
{
	struct act *a = arg;
	struct err err;

	a->call = NULL;
	a->status = reply->status;
	if (failure != NULL)
		act_end(a, -1, failure);
	else
		act_end(a, act_http_judge(a, &err), &err);
	a->err.retry_after_ms = 0; /* it is no process that is still starting */
}

static void act_http_start(struct act *a, const struct act_work *w)
{
	const struct target *t = w->target;
	auto_free char *generation = xasprintf(GENERATION_HEADER ": %s", w->generation);
	char **headers = target_list_add(NULL, generation);
	struct http_request request = { .url = t->url,
					.method = t->method,
					.unix_socket = t->socket,
					.local = text_starts(t->url, "http:"),
					.direct = true,
					.timeout_ms = t->timeout_ms,
					.max_bytes = BODY_MAX,
					.status_only = true };
	struct err err;

	a->status_min = t->status_min;
	a->status_max = t->status_max;
	a->http = w->host->http;
	if (headers_read(t, &headers, &err) < 0) {
		act_end(a, -1, &err);
	} else {
		request.headers = (const char *const *)headers;
		a->call = http_start(a->http, &request, act_http_done, a);
	}
	target_list_free(headers);
}

const struct target_kind act_http = {
	.word = "http",
	.form = "http=METHOD URL",
	.options = TARGET_ON | TARGET_TIMEOUT | TARGET_REQUEST,
	.timeout_ms = 10000,
	.parse = act_http_parse,
	.describe = act_http_describe,
	.start = act_http_start,
};
