#include "command/status_view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

/* The parser makes a node of about a hundred bytes for each value, so that a short text
 * could take a lot of memory of the container.  A thousand objects that all fail have
 * some thirty thousand values, and commas in their messages. */
#define STATUS_VALUES_MAX (128 * 1024)

#define STATUS_FORMAT 1

/* ---- fields ---- */

/* So many digits at *s; moves *s behind them.  -1: there are others. */
static int status_view_digits(const char **s, int count)
{
	int value = 0;

	for (; count > 0; count--, (*s)++) {
		if (**s < '0' || **s > '9')
			return -1;
		value = value * 10 + (**s - '0');
	}
	return value;
}

int64_t status_view_time(const char *text)
{
	static const struct {
		int digits, least, most;
		char end;
	} parts[] = {
		{ 4, 1, 9999, '-' }, { 2, 1, 12, '-' }, { 2, 1, 31, 'T' },
		{ 2, 0, 23, ':' },   { 2, 0, 59, ':' }, { 2, 0, 60, '\0' },
	};
	int values[ARRAY_LEN(parts)];
	struct tm tm = { 0 };
	const char *s = text;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		values[i] = s != NULL ? status_view_digits(&s, parts[i].digits) : -1;
		if (values[i] < parts[i].least || values[i] > parts[i].most)
			return STATUS_UNKNOWN;
		if (parts[i].end != '\0' && *s++ != parts[i].end)
			return STATUS_UNKNOWN;
	}
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (strcmp(s, "Z") != 0)
		return STATUS_UNKNOWN;
	tm.tm_year = values[0] - 1900;
	tm.tm_mon = values[1] - 1;
	tm.tm_mday = values[2];
	tm.tm_hour = values[3];
	tm.tm_min = values[4];
	tm.tm_sec = values[5];
	return timegm(&tm);
}

static int64_t status_view_moment(const struct json *object, const char *name)
{
	return status_view_time(json_string(object, name));
}

/* No number of a status is negative. */
static int64_t status_view_number(const struct json *object, const char *name)
{
	int64_t value = json_int(object, name, -1);

	return value < 0 ? STATUS_UNKNOWN : value;
}

static struct status_cause status_view_cause(const struct json *item)
{
	return (struct status_cause){ .kind = json_string(item, "kind"),
				      .name = json_string(item, "name"),
				      .error = json_string(item, "error"),
				      .message = json_string(item, "message"),
				      .consequence = json_string(item, "consequence"),
				      .request = json_string(item, "request"),
				      .since_s = status_view_moment(item, "since"),
				      .count = status_view_number(item, "count") };
}

/* ---- entries of the lists ---- */

static void status_view_read_object(const struct json *item, void *out)
{
	const struct json *error = json_get(item, "error");

	*(struct status_object *)out = (struct status_object){
		.object = json_string(item, "object"),
		.version = json_string(item, "version"),
		.state = json_string(item, "state"),
		.changed_s = status_view_moment(item, "changedAt"),
		.confirmed_s = status_view_moment(item, "confirmedAt"),
		.expires_s = status_view_moment(item, "expiresAt"),
		.failing = json_is_object(error),
		.error = status_view_cause(error)
	};
}

static void status_view_read_vault(const struct json *item, void *out)
{
	*(struct status_vault *)out = (struct status_vault){
		.name = json_string(item, "name"),
		.requests = status_view_number(item, "requests"),
		.throttled = status_view_number(item, "throttled"),
		.limit = status_view_number(item, "concurrencyLimit"),
		.paused_until_s = status_view_moment(item, "pausedUntil")
	};
}

static void status_view_read_token(const struct json *item, void *out)
{
	*(struct status_token *)out =
		(struct status_token){ .resource = json_string(item, "resource"),
				       .expires_s =
					       status_view_moment(item, "expiresAt") };
}

static void status_view_read_target(const struct json *item, void *out)
{
	*(struct status_target *)out = (struct status_target){
		.target = json_string(item, "target"),
		.successes = status_view_number(item, "successes"),
		.failures = status_view_number(item, "failures"),
		.last_success_s = status_view_moment(item, "lastSuccessAt"),
		.failing = json_bool(item, "failing", false)
	};
}

static void status_view_read_cause(const struct json *item, void *out)
{
	*(struct status_cause *)out = status_view_cause(item);
}

/* Entries that are no objects say nothing. */
static void *status_view_list(struct status_view *view, const char *name, size_t size,
			      void (*read)(const struct json *item, void *out),
			      size_t *count)
{
	const struct json *list = json_get(view->tree, name);
	char *entries = NULL;

	*count = 0;
	if (!json_is_array(list))
		return NULL;
	for (const struct json *i = json_first(list); i != NULL; i = json_next(i)) {
		if (!json_is_object(i))
			continue;
		if (*count == STATUS_ENTRIES_MAX) {
			view->left_out++;
			continue;
		}
		entries = xgrow(entries, *count, size);
		read(i, entries + (*count)++ * size);
	}
	return entries;
}

static void status_view_read_lists(struct status_view *view)
{
	view->objects = status_view_list(view, "objects", sizeof(*view->objects),
					 status_view_read_object, &view->object_count);
	view->vaults = status_view_list(view, "vaults", sizeof(*view->vaults),
					status_view_read_vault, &view->vault_count);
	view->tokens = status_view_list(view, "tokens", sizeof(*view->tokens),
					status_view_read_token, &view->token_count);
	view->targets = status_view_list(view, "notify", sizeof(*view->targets),
					 status_view_read_target, &view->target_count);
	view->failing = status_view_list(view, "failing", sizeof(*view->failing),
					 status_view_read_cause, &view->failing_count);
}

/* ---- all of it ---- */

static void status_view_read_head(struct status_view *view)
{
	const struct json *root = view->tree, *last = json_get(root, "lastSync");

	view->version = json_string(root, "version");
	view->reason = json_string(root, "reason");
	view->directory = json_string(root, "directory");
	view->sandbox = json_string(root, "sandbox");
	view->generation = json_string(root, "generation");
	view->ready = json_bool(root, "ready", false);
	view->time_s = status_view_moment(root, "time");
	view->started_s = status_view_moment(root, "startedAt");
	view->published_s = status_view_moment(root, "publishedAt");
	view->next_poll_s = status_view_moment(root, "nextPollAt");
	view->last_success_s = status_view_moment(root, "lastSuccessAt");
	view->poll_interval_s = status_view_number(root, "pollIntervalSeconds");
	view->max_staleness_s = status_view_number(root, "maxStalenessSeconds");
	view->failures_in_row = status_view_number(root, "consecutiveFailures");
	view->last_status = json_string(last, "status");
	view->last_at_s = status_view_moment(last, "at");
	view->last_took_s = json_real(last, "durationSeconds", -1);
}

static int status_view_check_size(const char *text, size_t len, struct err *err)
{
	size_t values = 1;

	for (size_t i = 0; i < len; i++)
		values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return len > STATUS_BYTES_MAX || values > STATUS_VALUES_MAX
		       ? err_set(err, ERR_GARBLED,
				 "the answer is too large to be a status")
		       : 0;
}

static int status_view_check_format(const struct json *root, struct err *err)
{
	double format = json_real(root, "format", 0);

	if (format == STATUS_FORMAT)
		return 0;
	if (!(format > STATUS_FORMAT))
		return err_set(err, ERR_GARBLED, "the answer is no status of a sidecar");
	return err_set(
		err, ERR_GARBLED,
		"the sidecar is of a newer version: its status has format %.0f, and "
		"this akvsync " AKVSYNC_VERSION
		" knows format %d; run the akvsync of the sidecar's own image",
		format < 1e9 ? format : 1e9, STATUS_FORMAT);
}

int status_view_read(const char *text, size_t len, struct status_view *out,
		     struct err *err)
{
	struct status_view view = { 0 };

	if (status_view_check_size(text, len, err) < 0)
		return -1;
	if (json_parse(text, len, &view.tree, err) < 0) {
		err->kind = ERR_GARBLED;
		return err_wrap(err, "the answer is no status of a sidecar");
	}
	if (status_view_check_format(view.tree, err) < 0) {
		json_free(view.tree);
		return -1;
	}
	status_view_read_head(&view);
	status_view_read_lists(&view);
	*out = view;
	return 0;
}

void status_view_done(struct status_view *view)
{
	free(view->objects);
	free(view->vaults);
	free(view->tokens);
	free(view->targets);
	free(view->failing);
	json_free(view->tree);
	*view = (struct status_view){ 0 };
}
