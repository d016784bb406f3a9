#include "exec/reference.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/path.h"

#define PREFIX "akvsync:"
#define SUFFIX "@azurekeyvault"

char *reference_pointer(const char *key)
{
	struct buf pointer = BUF_INIT(2 * strlen(key) + 1);

	buf_text(&pointer, "/");
	for (; *key; key++) {
		if (*key == '~')
			buf_text(&pointer, "~0");
		else if (*key == '/')
			buf_text(&pointer, "~1");
		else
			buf_printf(&pointer, "%c", *key);
	}
	return pointer.data; /* the caller's */
}

/* RFC 6901: '~' stands before 0 or 1 only. */
static bool pointer_is_valid(const char *pointer)
{
	for (; (pointer = strchr(pointer, '~')) != NULL; pointer++)
		if (pointer[1] != '0' && pointer[1] != '1')
			return false;
	return true;
}

static int parse_pointer(struct reference *out, const char *fragment, struct err *err)
{
	if (*fragment == '\0')
		return err_set(err, ERR_CONFIG, "no key stands behind '#'");
	if (*fragment == '/' && !pointer_is_valid(fragment))
		return err_set(err, ERR_CONFIG,
			       "'#%.80s' is not a JSON pointer: '~' is written ~0, and "
			       "'/' in a key ~1",
			       fragment);
	out->part = REFERENCE_POINTER;
	out->key = *fragment == '/' ? xstrdup(fragment) : reference_pointer(fragment);
	return 0;
}

static int reference_check_path(const struct reference *r, struct err *err)
{
	if (r->path[0] == '\0')
		return err_set(err, ERR_CONFIG, "the reference names no file");
	if (path_check(r->path, err) < 0)
		return err_wrap(err, "the path '%.80s'", r->path);
	return 0;
}

static int parse_own(struct reference *out, const char *rest, struct err *err)
{
	size_t len = strcspn(rest, "#");

	out->path = xstrndup(rest, len);
	if (reference_check_path(out, err) < 0)
		return -1;
	return rest[len] == '\0' ? 0 : parse_pointer(out, rest + len + 1, err);
}

static int parse_migrated(struct reference *out, const char *value, const char *suffix,
			  struct err *err)
{
	const char *query = suffix + strlen(SUFFIX);

	out->path = xstrndup(value, (size_t)(suffix - value));
	if (reference_check_path(out, err) < 0)
		return -1;
	if (query[0] == '\0' || query[1] == '\0')
		return 0;
	out->part = REFERENCE_QUERY;
	out->key = xstrdup(query + 1);
	return 0;
}

/* True for what somebody wrote who meant a reference: " AKVSYNC: x". */
static bool looks_like_one(const char *value)
{
	while (strchr(" \t\r\n\"'", *value) != NULL && *value != '\0')
		value++;
	return strncasecmp(value, PREFIX, strlen(PREFIX)) == 0;
}

static int parse_any(struct reference *out, const char *value, bool *found,
		     struct err *err)
{
	const char *suffix = strstr(value, SUFFIX);

	*found = true;
	if (text_starts(value, PREFIX))
		return parse_own(out, value + strlen(PREFIX), err);
	if (looks_like_one(value))
		return err_set(err, ERR_CONFIG,
			       "a reference starts with '" PREFIX "' in lower case, "
			       "without white space or quotes before it");
	/* Not an address with a password in it: me:pass@azurekeyvault?x. */
	if (suffix != NULL && memchr(value, ':', (size_t)(suffix - value)) == NULL &&
	    (suffix[strlen(SUFFIX)] == '\0' || suffix[strlen(SUFFIX)] == '?'))
		return parse_migrated(out, value, suffix, err);
	*found = false;
	return 0;
}

int reference_parse(struct reference *out, const char *value, bool *found,
		    struct err *err)
{
	struct reference r = { 0 };
	bool is_one;

	if (parse_any(&r, value, &is_one, err) < 0) {
		reference_done(&r);
		return -1;
	}
	*found = is_one;
	*out = r;
	return 0;
}

bool reference_is_inside(const char *value)
{
	const char *at = strstr(value, PREFIX);

	return at != NULL && !(at - value >= 2 && at[-1] == '/' && at[-2] == '/');
}

void reference_done(struct reference *r)
{
	free(r->path);
	free(r->key);
	*r = (struct reference){ 0 };
}
