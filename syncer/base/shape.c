#include "base/shape.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HOST_MAX 253

bool shape_is_guid(const char *s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* ---- tokens ---- */

#define TOKEN_MIN 32
#define TOKEN_SIGNS LETTERS DIGITS "_+=-"

/* Whether the first signs of a text, so many, may be a token. */
static bool is_token(const char *s, size_t len)
{
	auto_free char *run = xstrndup(s, len);
	bool dashed = strchr(run, '-') != NULL;
	bool has_digit = run[strcspn(run, DIGITS)] != '\0';
	bool has_upper = run[strcspn(run, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0';
	bool has_letter = run[strcspn(run, LETTERS)] != '\0';

	if (len < TOKEN_MIN || shape_is_guid(run) || !has_digit || !has_letter)
		return false;
	/* Names of Kubernetes are long, too. */
	return has_upper || !dashed;
}

char *shape_without_tokens(const char *text)
{
	struct buf out = BUF_INIT(SIZE_MAX);
	char *clean;

	while (*text) {
		size_t len = strspn(text, TOKEN_SIGNS);

		if (is_token(text, len))
			buf_text(&out, "(a token)");
		else
			buf_printf(&out, "%.*s", (int)len, text);
		text += len;
		len = strcspn(text, TOKEN_SIGNS);
		buf_printf(&out, "%.*s", (int)len, text);
		text += len;
	}
	clean = xstrdup(buf_str(&out));
	buf_done(&out);
	return clean;
}

/* ---- names and addresses ---- */

static bool has_only(const char *s, const char *accepted)
{
	return s[0] != '\0' && s[strspn(s, accepted)] == '\0';
}

/* Labels of letters, digits and hyphens, none of them empty. */
static bool shape_is_name(const char *s)
{
	return has_only(s, LETTERS DIGITS ".-") && strlen(s) <= HOST_MAX && s[0] != '.' &&
	       s[0] != '-' && strstr(s, "..") == NULL && strstr(s, ".-") == NULL &&
	       s[strlen(s) - 1] != '.';
}

bool shape_is_domain(const char *s)
{
	const char *last = strrchr(s, '.');

	return last != NULL && shape_is_name(s) && has_only(last + 1, LETTERS) &&
	       strlen(last + 1) >= 2;
}

bool shape_is_tenant(const char *s)
{
	return shape_is_guid(s) || shape_is_domain(s);
}

bool shape_is_host(const char *s)
{
	size_t len = strlen(s);

	if (s[0] != '[')
		return shape_is_name(s);
	return len > 4 && s[len - 1] == ']' &&
	       strspn(s + 1, DIGITS "abcdefABCDEF:.") == len - 2;
}

/* HOST[:PORT][/PATH] */
static bool is_authority(const char *s)
{
	size_t host_len = s[0] == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/");
	auto_free char *host = xstrndup(s, host_len);
	size_t port_len = 0;

	if (!shape_is_host(host))
		return false;
	s += host_len;
	if (*s == ':') {
		port_len = strspn(++s, DIGITS);
		if (port_len == 0 || port_len > 5)
			return false;
		s += port_len;
	}
	return *s == '\0' || (*s == '/' && has_only(s, LETTERS DIGITS "/._~-"));
}

/* What stands behind http:// or https://, or the text itself. */
static const char *behind_scheme(const char *s)
{
	if (text_starts(s, "https://"))
		return s + strlen("https://");
	return text_starts(s, "http://") ? s + strlen("http://") : s;
}

bool shape_is_url(const char *s)
{
	const char *rest = behind_scheme(s);

	return rest != s && is_authority(rest);
}

bool shape_is_proxy(const char *s)
{
	const char *rest = behind_scheme(s);
	const char *at = strrchr(rest, '@');

	return is_authority(at ? at + 1 : rest);
}

bool shape_is_hosts(const char *s)
{
	return has_only(s, LETTERS DIGITS "-_.:[]%/*,; \t");
}

bool shape_is_path(const char *s)
{
	return s[0] == '/' && has_only(s, LETTERS DIGITS "/._-");
}

bool shape_is_resource_id(const char *s)
{
	return text_starts(s, "/subscriptions/") && has_only(s, LETTERS DIGITS "/._()-");
}
