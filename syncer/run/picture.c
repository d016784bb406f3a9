#include "run/picture.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "report/metrics.h"
#include "report/page.h"
#include "report/status.h"
#include "run/answers.h"

#define REASON_MAX 1024

/* ---- the process ---- */

static int64_t picture_cpu_ms(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return -1;
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* The second number of /proc/self/statm, in pages. */
static int64_t picture_resident_bytes(void)
{
	auto_buf struct buf text = BUF_INIT(256);
	const char *second;
	struct err ignored;
	char number[24];
	int64_t pages;

	if (file_read(AT_FDCWD, "/proc/self/statm", &text, &ignored) < 0)
		return -1;
	second = strchr(buf_str(&text), ' ');
	if (second == NULL)
		return -1;
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(second + 1, " "),
		 second + 1);
	return text_number(number, INT64_MAX / sysconf(_SC_PAGESIZE), &pages) < 0
		       ? -1
		       : pages * sysconf(_SC_PAGESIZE);
}

static int64_t picture_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t count = 0;

	if (dir == NULL)
		return -1;
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and that of the directory itself */
}

static int64_t picture_max_fds(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY
		       ? -1
		       : (int64_t)limit.rlim_cur;
}

static struct view_process picture_process(void)
{
	return (struct view_process){ .cpu_ms = picture_cpu_ms(),
				      .resident_bytes = picture_resident_bytes(),
				      .open_fds = picture_open_fds(),
				      .max_fds = picture_max_fds() };
}

/* ---- all of it ---- */

static struct state_vault *picture_vault(struct loop *l, const struct source *source)
{
	return state_vault(&l->state, source->vault.host, source->vault.name,
			   source->vault.url);
}

static bool picture_asks_for(struct loop *l, const char *resource)
{
	for (const struct source *one = l->sources.first; one; one = one->next)
		if (strcmp(one->resource, resource) == 0 && picture_vault(l, one)->used)
			return true;
	return false;
}

/* What others own goes into the state, and what left the configuration leaves it. */
static void picture_gather(struct loop *l)
{
	struct state *s = &l->state;

	for (const struct source *one = l->sources.first; one; one = one->next) {
		struct state_vault *v = picture_vault(l, one);

		v->width = v->used ? one->pace.width : 0;
		v->open_at = v->used ? one->pace.open_at : 0;
		state_token(s, one->resource,
			    token_ends_at(l->sources.token, one->resource));
	}
	for (size_t i = s->token_count; i > 0; i--)
		if (!picture_asks_for(l, s->tokens[i - 1].resource))
			state_forget_token(s, i - 1);
	for (size_t i = s->target_count; i > 0; i--)
		if (!notify_has(l->notify, s->targets[i - 1].text))
			state_forget_target(s, i - 1);
}

void picture_write(void *arg, enum document document, struct buf *out)
{
	struct loop *l = arg;
	auto_buf struct buf reason = BUF_INIT(REASON_MAX);
	int64_t now = clock_now_ms();
	char host[HOST_NAME_MAX + 1] = "";
	struct view view = {
		.state = &l->state,
		.incidents = &l->active.incidents,
		.now = now,
		.wall_ms = clock_wall_ms(),
		.ready = loop_is_ready(l, now),
		.host = host,
		.dir = l->settings->dir,
		.sandbox = l->confine.sandbox.text,
		.generation = publish_generation(l->publish),
		.published_unix_ms = publish_made_ms(l->publish),
		.files = publish_count(l->publish),
		.poll_interval_ms = l->settings->poll_interval_ms,
		.max_staleness_ms = l->settings->max_staleness_ms,
		.next_poll_at = l->round != NULL ? CLOCK_NEVER : l->next_round_at,
	};

	(void)gethostname(host, sizeof(host));
	picture_gather(l);
	answers_tell_briefly(l, &reason);
	view.reason = buf_str(&reason);
	switch (document) {
	case DOCUMENT_STATUS:
		status_write(&view, out);
		break;
	case DOCUMENT_METRICS:
	case DOCUMENT_OPENMETRICS:
		view.process = picture_process();
		metrics_write(&view,
			      document == DOCUMENT_METRICS ? METRICS_PROMETHEUS
							   : METRICS_OPENMETRICS,
			      out);
		break;
	case DOCUMENT_PAGE:
		page_write(&view, out);
		break;
	case DOCUMENTS:
		break;
	}
}
