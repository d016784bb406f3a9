#include "config/variable.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/shape.h"
#include "base/text.h"

static void *field_of(const struct settings *s, const struct variable *v)
{
	return (char *)(uintptr_t)s + v->field;
}

const char *variable_find(char *const *env, const char *name)
{
	size_t len = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
			return (*env)[len + 1] ? *env + len + 1 : NULL;
	return NULL;
}

char **variable_text(const struct settings *s, const struct variable *v)
{
	return field_of(s, v);
}

bool variable_is_named(const struct variable *v, const char *text, size_t len)
{
	return (strlen(v->name) == len && strncmp(v->name, text, len) == 0) ||
	       (v->alias && strlen(v->alias) == len && strncmp(v->alias, text, len) == 0);
}

bool variable_is_secret(const struct variable *v)
{
	return v->redact == TELL_NOTHING || v->redact == TELL_NO_USER;
}

void variable_trim(const char *name, size_t len, char *value)
{
	static const char *const lists[] = { "AKVSYNC_OBJECTS", "AKVSYNC_TEMPLATES",
					     "AKVSYNC_ENV_FILES" };
	const char *trimmed = text_trim(value);
	bool is_list = false;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		is_list |= len == strlen(lists[i]) && strncmp(name, lists[i], len) == 0;
	if (!is_list || *trimmed == '\0')
		memmove(value, trimmed, strlen(trimmed) + 1);
}

static bool is_word(const char *const *words, const char *value, int *index)
{
	for (int i = 0; words && words[i]; i++) {
		if (text_same(words[i], value)) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* A value for a message.  The caller frees. */
static char *quote(const struct variable *v, const char *value)
{
	return v->redact <= TELL_ENTRIES ? xasprintf("'%.40s'", value)
					 : xstrdup("the value");
}

static int set_choice(struct settings *s, const struct variable *v, const char *value,
		      struct err *err)
{
	auto_buf struct buf accepted = BUF_INIT(256);
	auto_free char *quoted = quote(v, value);
	int index;

	if (is_word(v->words, value, &index)) {
		*(int *)field_of(s, v) = index;
		return 0;
	}
	for (int i = 0; v->words[i]; i++)
		buf_printf(&accepted, "%s%s", i ? ", " : "", v->words[i]);
	return err_set(err, ERR_CONFIG, "%s: %s is not one of %s", v->name, quoted,
		       buf_str(&accepted));
}

static int set_duration(struct settings *s, const struct variable *v, const char *value,
			struct err *err)
{
	auto_free char *min = text_from_duration(v->min_ms);
	auto_free char *max = text_from_duration(v->max_ms);
	int64_t ms;

	if (text_duration(value, &ms) < 0)
		return err_set(err, ERR_CONFIG,
			       "%s: '%.40s' is not a duration; write a number with its "
			       "unit, such as 30s, 5m or 1h30m",
			       v->name, value);
	if (ms < v->min_ms || ms > v->max_ms)
		return err_set(err, ERR_CONFIG, "%s: '%.40s' is outside %s to %s",
			       v->name, value, min, max);
	*(int64_t *)field_of(s, v) = ms;
	return 0;
}

int variable_set(struct settings *s, const struct variable *v, const char *value,
		 struct err *err)
{
	auto_free char *quoted = NULL;

	switch (v->type) {
	case VARIABLE_TEXT:
		*(char **)field_of(s, v) = xstrdup(value);
		return 0;
	case VARIABLE_DURATION:
		return set_duration(s, v, value, err);
	case VARIABLE_CHOICE:
		return set_choice(s, v, value, err);
	case VARIABLE_BOOL:
		if (text_bool(value, field_of(s, v)) == 0)
			return 0;
		quoted = quote(v, value);
		return err_set(err, ERR_CONFIG, "%s: %s is neither true nor false",
			       v->name, quoted);
	case VARIABLE_MODE:
		break;
	}
	if (text_mode(value, field_of(s, v)) < 0)
		return err_set(err, ERR_CONFIG,
			       "%s: '%.40s' is not a file mode; write octal digits from "
			       "0000 to 0777, such as 0440",
			       v->name, value);
	return 0;
}

/* A list of hundreds of objects would hide the other settings: its beginning is enough to
 * recognise it. */
#define SHOWN_MAX 1024

static void describe_plain(const char *text, struct buf *out)
{
	auto_free char *begin = NULL;
	size_t len = SHOWN_MAX;

	if (strlen(text) <= SHOWN_MAX) {
		json_quote(out, text);
		return;
	}
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	begin = xasprintf("%.*s…", (int)len, text);
	json_quote(out, begin);
}

/* Entries that came as a YAML list are shown with the separator that the environment
 * uses. */
static void describe_list(const char *text, struct buf *out)
{
	auto_buf struct buf joined = BUF_INIT(SIZE_MAX);
	auto_free char *copy = xstrdup(text + strlen(VARIABLE_ENTRY));
	char *rest = copy, *entry;

	while ((entry = strsep(&rest, VARIABLE_ENTRY)) != NULL)
		buf_printf(&joined, "%s%s", joined.len > 0 ? "; " : "", entry);
	describe_plain(buf_str(&joined), out);
}

/* What an identity variable's value looks like when it may be shown. */
static const struct {
	bool (*fits)(const char *value);
	const char *words;
} shapes[] = {
	[TELL_NO_USER] = { shape_is_proxy, "not a proxy's URL" },
	[TELL_HOSTS] = { shape_is_hosts, "not a list of hosts" },
	[TELL_GUID] = { shape_is_guid, "not a GUID" },
	[TELL_TENANT] = { shape_is_tenant, "neither a GUID nor a domain" },
	[TELL_DOMAIN] = { shape_is_domain, "not a host's full name" },
	[TELL_URL] = { shape_is_url, "not a plain URL" },
	[TELL_PATH] = { shape_is_path, "not an absolute path" },
	[TELL_RESOURCE_ID] = { shape_is_resource_id, "not a resource id" },
	[TELL_WORD] = { NULL, NULL },
};

static void describe_identity(const char *text, enum variable_redact redact,
			      struct buf *out)
{
	const char *at = redact == TELL_NO_USER ? strrchr(text, '@') : NULL;
	const char *scheme = strstr(text, "://");
	auto_free char *shown = NULL;

	if (shapes[redact].fits == NULL)
		shown = xstrdup("(set)");
	else if (!shapes[redact].fits(text))
		shown = xasprintf("(set, but %s)", shapes[redact].words);
	else if (at != NULL)
		shown = xasprintf("%.*s(user)%s", scheme ? (int)(scheme + 3 - text) : 0,
				  text, at);
	json_quote(out, shown ? shown : text);
}

static void describe_text(const char *text, enum variable_redact redact, struct buf *out)
{
	auto_buf struct buf redacted = BUF_INIT(SIZE_MAX);

	if (text != NULL && redact == TELL_ENTRIES) {
		redact_entries(text, &redacted);
		text = buf_str(&redacted);
	}
	if (text == NULL) {
		buf_text(out, "null");
	} else if (redact > TELL_ENTRIES) {
		describe_identity(text, redact, out);
	} else if (text_starts(text, VARIABLE_ENTRY)) {
		describe_list(text, out);
	} else {
		describe_plain(text, out);
	}
}

void variable_describe(const struct settings *s, const struct variable *v,
		       struct buf *out)
{
	const void *field = field_of(s, v);
	auto_free char *duration = NULL;

	switch (v->type) {
	case VARIABLE_TEXT:
		describe_text(*(char *const *)field, v->redact, out);
		return;
	case VARIABLE_BOOL:
		buf_text(out, *(const bool *)field ? "true" : "false");
		return;
	case VARIABLE_DURATION:
		duration = text_from_duration(*(const int64_t *)field);
		json_quote(out, duration);
		return;
	case VARIABLE_MODE:
		buf_printf(out, "\"%04o\"", (unsigned)*(const mode_t *)field);
		return;
	case VARIABLE_CHOICE:
		json_quote(out, v->words[*(const int *)field]);
		return;
	}
}

bool variable_same(const struct settings *a, const struct settings *b,
		   const struct variable *v)
{
	const void *x = field_of(a, v), *y = field_of(b, v);
	const char *s, *t;

	switch (v->type) {
	case VARIABLE_TEXT:
		s = *(char *const *)x;
		t = *(char *const *)y;
		return s == t || (s != NULL && t != NULL && strcmp(s, t) == 0);
	case VARIABLE_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case VARIABLE_DURATION:
		return *(const int64_t *)x == *(const int64_t *)y;
	case VARIABLE_MODE:
		return *(const mode_t *)x == *(const mode_t *)y;
	case VARIABLE_CHOICE:
		break;
	}
	return *(const int *)x == *(const int *)y;
}
