#include "exec/values.h"

#include <string.h>

#include "base/mem.h"
#include "report/log.h"

/* Sets that are published while one is read; the sidecar makes at most one a second. */
#define READ_TRIES 20

void values_init(struct values *v)
{
	digest_key_make(&v->key);
}

void values_done(struct values *v)
{
	variables_done(&v->given);
	variables_done(&v->seen);
}

static int read_file_of_set(void *arg, const char *path, struct buf *out, struct err *err)
{
	return volume_read(*(const int *)arg, path, out, err);
}

static int make_from(const struct values *v, int set, struct variables_made *out,
		     struct err *err)
{
	struct volume_files files;
	int result;

	if (volume_list(set, &files, err) < 0)
		return -1;
	result = variables_make(out, v->env, v->rules, &files, read_file_of_set, &set,
				&v->key, err);
	volume_files_done(&files);
	return result;
}

/* A set may be replaced and removed while it is read: files that are gone already are a
 * mistake, or, for --all, not in the list. */
int values_make(const struct values *v, struct variables_made *out, struct err *err)
{
	for (int tries = 1;; tries++) {
		auto_close int set = -1;
		int result;

		*out = (struct variables_made){ 0 };
		if (volume_open(v->dir, &set, err) < 0)
			return -1;
		if (set < 0)
			return err_set(err, ERR_UNAVAILABLE, "'%s' has no set any more",
				       v->dir);
		result = make_from(v, set, out, err);
		if (tries == READ_TRIES || !volume_has_newer(v->dir, set))
			return result;
		variables_done(out);
	}
}

void values_gave(struct values *v, struct variables_made *made)
{
	values_done(v);
	v->given = *made;
}

void values_told(struct values *v)
{
	variables_done(&v->given);
	v->given = v->seen;
	v->seen = (struct variables_made){ 0 };
}

static void tell_unusable(struct values *v, const struct variables_made *made,
			  const struct err *err)
{
	if (strcmp(v->unusable, err->msg) == 0)
		return;
	memcpy(v->unusable, err->msg, sizeof(v->unusable));
	log_event(
		LOG_WARN, "unusable",
		LOG_FIELDS(log_raw("faults", faults_list(&made->faults))),
		"the newest set does not fit the command, which goes on with the values "
		"that it has: %s",
		err->msg);
}

enum values_news values_look(struct values *v)
{
	auto_buf struct buf names = BUF_INIT(VALUES_NAMES_MAX_BYTES);
	struct variables_made made;
	enum values_news news = VALUES_CHANGED;
	bool was_seen = v->seen.given_count > 0;
	struct err err;

	if (values_make(v, &made, &err) < 0) {
		tell_unusable(v, &made, &err);
		news = VALUES_AS_GIVEN;
	} else {
		v->unusable[0] = '\0';
		if (variables_changed(&v->given, &made, &names) == 0)
			news = VALUES_AS_GIVEN;
		else if (was_seen && variables_changed(&v->seen, &made, &names) == 0)
			news = VALUES_AS_SEEN;
	}
	variables_forget_values(&made);
	if (news == VALUES_AS_SEEN) {
		variables_done(&made);
		return news;
	}
	variables_done(&v->seen);
	if (news == VALUES_CHANGED)
		v->seen = made;
	else
		variables_done(&made);
	return news;
}

void values_names(const struct values *v, struct buf *names)
{
	(void)variables_changed(&v->given, &v->seen, names);
}
