// LDFLAGS: -Wl,--wrap=clock_now_ms,--wrap=openat,--wrap=write,--wrap=fchmod
// LDFLAGS: -Wl,--wrap=fsync,--wrap=mkdirat,--wrap=linkat,--wrap=symlinkat
// LDFLAGS: -Wl,--wrap=renameat,--wrap=unlinkat,--wrap=round_start,--wrap=round_end
// LDFLAGS: -Wl,--wrap=clock_wall_ms,--wrap=fstatat,--wrap=readlinkat,--wrap=utimensat
// LDFLAGS: -Wl,--wrap=fdopendir
/*
 * Random sequences of vault answers, reloads, restarts, kills, calls that fail, edits of
 * files, hours that pass and wall clocks that are set, for the whole program but its
 * network, held against a small model of what the volume, the probes and the
 * notifications must be.
 *
 * Network, clock, signals, watches, probes and processes are fakes of this file; what the
 * program does to the volume is real.  A kill is a moment from which no call changes the
 * volume any more; a fault is a call that fails once, with an errno of its own, while the
 * program goes on.  The seed of each sequence is its number: MODEL_FIRST and
 * MODEL_SEQUENCES in the environment choose others, and more; MODEL_SHOWS=1 shows what
 * the program said in the one that fails.
 */
#include "fake_http.h"
#include "model.h"
#include "volume.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/watch.h"
#include "config/configuration.h"
#include "deliver/process.h"
#include "net/http.h"
#include "report/log.h"
#include "report/termlog.h"
#include "run/health.h"
#include "run/signals.h"
#include "run/start.h"

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define STEPS 6
#define WORKERS_MAX 8
/* A sanitizer takes several times as long. */
#ifdef __SANITIZE_ADDRESS__
#define DEFAULT_SEQUENCES 1000
#else
#define DEFAULT_SEQUENCES 10000
#endif
#define POLL_STEP_MS 70000
/* Each fault makes the program try again, later and later. */
#define FAULTY_STEP_MS 900000
#define LONG_STEP_MS (10 * 3600 * 1000)
#define SIGNAL_FD 1000001
#define WATCH_FD 1000002

static char dir[64], config_path[80];
static struct model model;

/* What the step that is under way does to the program. */
static struct {
	int64_t now, ends;
	int left;     /* steps of this sequence */
	bool is_long; /* hours pass */
	bool poll, reload, stop;
	bool idle;   /* the program had nothing to do when it slept last */
	int kill_in; /* calls that change the volume until it is killed; 0: it is not */
	bool dead;
	int fault_in;   /* calls until one fails; 0: none will */
	int more;       /* faults after that one */
	bool is_faulty; /* one has failed in this step */
	int64_t wall;   /* how far the wall clock is from the other one */
	int signals;    /* that the app got in this step */
	bool in_round;
	struct health_facts *facts;
} run;

/* ---- the file system: until the program is killed, and with faults ---- */

static unsigned below(unsigned n);

static bool is_dead(void)
{
	if (run.kill_in > 0 && --run.kill_in == 0)
		run.dead = true;
	if (run.dead)
		errno = EIO;
	return run.dead;
}

static bool is_fault(void)
{
	static const int causes[] = { EIO, ENOSPC, EMFILE, ENOMEM, EACCES };

	if (run.fault_in == 0 || --run.fault_in > 0)
		return false;
	run.is_faulty = true;
	if (run.more-- > 0)
		run.fault_in = 1 + (int)below(8);
	errno = causes[below(ARRAY_LEN(causes))];
	return true;
}

#define WRAP(type, name, params, args, fails, failed)                                    \
	type __real_##name params;                                                       \
	type __wrap_##name params;                                                       \
	type __wrap_##name params                                                        \
	{                                                                                \
		return (fails) ? (failed) : __real_##name args;                          \
	}
#define WRITES(type, name, params, args)                                                 \
	WRAP(type, name, params, args, is_dead() || is_fault(), -1)
/* A look changes nothing, so that a kill before it is none; it fails for files of the
 * volume only: those of the configuration are another matter. */
#define LOOKS(type, name, params, args)                                                  \
	WRAP(type, name, params, args, fd != AT_FDCWD && is_fault(), -1)

WRITES(int, fchmod, (int fd, mode_t m), (fd, m))
WRITES(int, fsync, (int fd), (fd))
WRITES(int, mkdirat, (int fd, const char *p, mode_t m), (fd, p, m))
WRITES(int, linkat, (int fd, const char *p, int fd2, const char *p2, int f),
       (fd, p, fd2, p2, f))
WRITES(int, symlinkat, (const char *t, int fd, const char *p), (t, fd, p))
WRITES(int, renameat, (int fd, const char *p, int fd2, const char *p2), (fd, p, fd2, p2))
WRITES(int, unlinkat, (int fd, const char *p, int f), (fd, p, f))
WRITES(int, utimensat, (int fd, const char *p, const struct timespec t[2], int f),
       (fd, p, t, f))
WRITES(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
LOOKS(int, fstatat, (int fd, const char *p, struct stat *st, int f), (fd, p, st, f))
LOOKS(ssize_t, readlinkat, (int fd, const char *p, char *to, size_t n), (fd, p, to, n))
WRAP(DIR *, fdopendir, (int fd), (fd), is_fault(), NULL)

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	if (((flags & O_CREAT) && is_dead()) || (fd != AT_FDCWD && is_fault()))
		return -1;
	return __real_openat(fd, path, flags, 0600);
}

/* ---- rounds: no step ends in the middle of one ---- */

struct round *__real_round_start(const struct round_work *work, int64_t now);
struct round *__wrap_round_start(const struct round_work *work, int64_t now);
struct round *__wrap_round_start(const struct round_work *work, int64_t now)
{
	run.in_round = true;
	return __real_round_start(work, now);
}

void __real_round_end(struct round *r, int64_t now, struct round_result *out);
void __wrap_round_end(struct round *r, int64_t now, struct round_result *out);
void __wrap_round_end(struct round *r, int64_t now, struct round_result *out)
{
	run.in_round = false;
	__real_round_end(r, now, out);
}

/* ---- clock, signals, watches, probes, processes ---- */

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
	return run.now;
}

int64_t __wrap_clock_wall_ms(void);
int64_t __wrap_clock_wall_ms(void)
{
	return run.now + run.wall;
}

/* The descriptors are numbers that the fake of http_wait() knows. */
int signals_open(struct err *err)
{
	(void)err;
	return SIGNAL_FD;
}

struct signals_taken signals_take(int fd)
{
	struct signals_taken taken = { .poll = run.poll, .stop = run.stop };

	(void)fd;
	run.poll = false;
	return taken;
}

struct watch {
	bool is_configuration;
};

struct watch *watch_new(const char *path, const char *name, int64_t now)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	(void)name, (void)now;
	w->is_configuration = strcmp(path, config_path) == 0;
	return w;
}

void watch_free(struct watch *w)
{
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w != NULL && w->is_configuration ? WATCH_FD : -1;
}

const char *watch_name(const struct watch *w)
{
	(void)w;
	return config_path;
}

const char *watch_trouble(const struct watch *w)
{
	(void)w;
	return NULL;
}

enum watch_news watch_news(struct watch *w)
{
	(void)w;
	return WATCH_NO_NEWS;
}

bool watch_look(struct watch *w, int64_t now)
{
	bool changed = w != NULL && w->is_configuration && run.reload;

	(void)now;
	if (changed)
		run.reload = false;
	return changed;
}

int64_t watch_deadline(const struct watch *w)
{
	(void)w;
	return CLOCK_NEVER;
}

void watch_take_events(void)
{
}

struct health *health_new(struct health_facts *facts)
{
	run.facts = facts;
	return NULL;
}

int health_open_path(struct health *h, int dir_fd, struct err *err)
{
	(void)h, (void)dir_fd, (void)err;
	return 0;
}

int health_open_port(struct health *h, const char *text, struct err *err)
{
	(void)h, (void)text, (void)err;
	return 0;
}

void health_free(struct health *h)
{
	(void)h;
	run.facts = NULL;
}

int health_fd(const struct health *h)
{
	(void)h;
	return -1;
}

int64_t health_deadline(const struct health *h, int64_t now)
{
	(void)h, (void)now;
	return CLOCK_NEVER;
}

void health_run(struct health *h)
{
	(void)h;
}

bool process_is_alone(void)
{
	return false;
}

int process_signal_name(const char *name, int number, struct process_set *set,
			struct err *warning, struct err *err)
{
	(void)number, (void)set, (void)warning;
	if (strcmp(name, "app") != 0 || !model.app_runs)
		return err_set(err, ERR_IO, "no process named '%s' found", name);
	run.signals += !run.dead;
	return 0;
}

int process_signal_pidfile(const char *path, int number, struct err *warning,
			   struct err *err)
{
	(void)path, (void)number, (void)warning;
	return err_set(err, ERR_IO, "not used here");
}

void process_set_clear(struct process_set *set)
{
	*set = (struct process_set){ 0 };
}

/* What is said costs time, and is only for who looks at one sequence. */
static struct buf said = { .max = 1024 * 1024 };
static bool shows;

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	(void)fields;
	if (!shows)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	buf_printf(&said, "%lld.%03lld %d %s: %.300s\n", (long long)run.now / 1000,
		   (long long)run.now % 1000, level, event, msg);
}

void log_catch_up(void)
{
}

int64_t log_deadline(int64_t now)
{
	(void)now;
	return CLOCK_NEVER;
}

void termlog_write(const char *path, const struct err *err)
{
	(void)path, (void)err;
}

void termlog_clear(const char *path)
{
	(void)path;
}

/* ---- random numbers, from the seed of the sequence ---- */

static uint64_t random_state;

static unsigned below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % n;
}

/* ---- the network ---- */

int http_new(struct http **out, const struct http_options *options, struct err *err)
{
	(void)options, (void)err;
	*out = NULL;
	return 0;
}

/* Calls that are still under way are dropped. */
void http_free(struct http *h)
{
	while (net.count > 0)
		http_cancel(h, net.open[0]);
}

void http_run(struct http *h)
{
	(void)h;
}

void http_observe(struct http *h, http_observer *observer, void *arg)
{
	(void)h, (void)observer, (void)arg;
}

void http_keep_alive(struct http *h)
{
	(void)h;
}

int http_reload_trust(struct http *h, struct err *err)
{
	(void)h, (void)err;
	return 0;
}

static int name_of(const char *url)
{
	const char *part = strstr(url, "/secrets/");

	assert_non_null(part);
	return part[strlen("/secrets/")] - 'a';
}

static void answer_object(struct http_call *call)
{
	static const int statuses[] = { [GIVES] = 200,
					[DENIES] = 403,
					[LACKS] = 404,
					[GARBLES] = 200,
					[IS_DOWN] = 503 };
	int i = name_of(call->url);
	const struct model_object *o = &model.objects[i];
	auto_free char *body =
		xasprintf("{\"value\":\"%c%d\",\"id\":\"%.*s/%032d\"}", 'a' + i, o->value,
			  (int)strcspn(call->url, "?"), call->url, o->version);

	net_answer(call,
		   (struct answer){ .status = statuses[o->answer],
				    .body = o->answer == GIVES ? body : "garbage" });
}

static void answer_call(struct http_call *call)
{
	if (strstr(call->url, "/token"))
		net_answer(call, (struct answer){ .status = 200,
						  .body = "{\"access_token\":\"t\","
							  "\"expires_in\":86400}" });
	else if (call->bearer == NULL)
		net_answer(call,
			   (struct answer){ .status = 401,
					    .challenge = CHALLENGE(TENANT, RESOURCE) });
	else
		answer_object(call);
}

static void end_step(void);
static void begin_step(void);

static void mark_ready(struct http_wait *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		fds[i].ready = (fds[i].fd == SIGNAL_FD && (run.poll || run.stop)) ||
			       (fds[i].fd == WATCH_FD && run.reload);
}

/* The program sleeps: requests are answered, time passes, and steps end and begin. */
int http_wait(struct http *h, struct http_wait *fds, unsigned count, int timeout_ms,
	      struct err *err)
{
	int64_t wakes = timeout_ms < 0 ? CLOCK_NEVER : run.now + timeout_ms;

	(void)h, (void)err;
	run.stop |= run.dead;
	if (net.count > 0 && !run.stop) {
		answer_call(net.open[below((unsigned)net.count)]);
	} else if (!run.idle) {
		run.idle = true; /* once more round the loop, with all that it notes */
		mark_ready(fds, count);
		return 0;
	} else if (!run.stop && !run.poll && !run.reload && !run.in_round &&
		   wakes >= run.ends) {
		run.now = clock_later(run.now, run.ends);
		end_step();
		begin_step();
	} else if (!run.stop && !run.poll && !run.reload) {
		run.now = wakes;
	}
	run.idle = false;
	mark_ready(fds, count);
	return 0;
}

/* ---- the volume ---- */

static void path_of(char out[static 96], int i)
{
	snprintf(out, 96, "%s/..data/%c", dir, 'a' + i);
}

static void check_file(int i)
{
	const struct model_file *f = &model.files[i];
	char name[2] = { (char)('a' + i) }, path[96], text[128], want[16] = "-";
	struct stat st;

	if (f->there && f->state != IS_MISSING)
		snprintf(want, sizeof(want), "%c%d", 'a' + i, f->value);
	volume_read(dir, name, text);
	if (model.may_go[i] && strcmp(text, "-") == 0 && strcmp(want, "-") != 0) {
		model.files[i] = (struct model_file){ 0 };
		model.owed = model.may_be_repeated = true;
		return;
	}
	check_text(name, text, want);
	path_of(path, i);
	if (strcmp(want, "-") != 0 && f->state == IS_INTACT) {
		assert_int_equal(stat(path, &st), 0);
		check_int(name, st.st_mode & 0777, f->mode);
	}
}

static bool is_on_volume(int i)
{
	char name[2] = { (char)('a' + i) }, text[128];

	volume_read(dir, name, text);
	return strcmp(text, "-") != 0;
}

static void check_volume(void)
{
	for (int i = 0; i < NAMES; i++)
		check_file(i);
}

/* ---- steps ---- */

static void write_list(const struct model_list *list, struct buf *out)
{
	static const char *const vaults[] = { "aa-kv", "bb-kv" };

	for (int i = 0; i < NAMES; i++) {
		const struct model_entry *e = &list->entries[i];

		if (e->listed)
			buf_printf(out,
				   "- {objectName: %c, vault: %s, optional: %s, "
				   "filePermission: '0%o'}\n",
				   'a' + i, vaults[model_vault[i]],
				   e->optional ? "true" : "false", (unsigned)e->mode);
	}
}

static void write_configuration(void)
{
	struct buf text = BUF_INIT(4096);
	FILE *f = fopen(config_path, "w");

	buf_printf(&text, "notify: signal=HUP,process=%s\nobjects:\n",
		   model.name_is_mistyped ? "ap" : "app");
	write_list(&model.wanted, &text);
	assert_non_null(f);
	fputs(buf_str(&text), f);
	fclose(f);
	buf_done(&text);
}

static void change_list(void)
{
	struct model_list *list = &model.wanted;
	bool any = false;

	for (int i = 0; i < NAMES; i++) {
		list->entries[i] = (struct model_entry){ .listed = below(2),
							 .optional = below(3) == 0,
							 .mode = below(4) ? 0440 : 0400 };
		any |= list->entries[i].listed;
	}
	list->entries[0].listed |= !any;
}

static void change_object(void)
{
	struct model_object *o = &model.objects[below(NAMES)];

	o->version++;
	if (below(3) > 0)
		o->value++;
}

static void change_answer(void)
{
	static const enum answer_kind answers[] = { GIVES, GIVES,   GIVES,  DENIES,
						    LACKS, GARBLES, IS_DOWN };

	model.objects[below(NAMES)].answer = answers[below(ARRAY_LEN(answers))];
}

/* Another program touches the set. */
static void alter_file(void)
{
	int i = (int)below(NAMES);
	struct model_file *f = &model.files[i];
	char path[96], text[16];
	struct err err = { 0 };
	bool removes = below(2);

	if (!f->there || f->state == IS_MISSING)
		return;
	path_of(path, i);
	unlink(path);
	f->state = IS_MISSING;
	if (removes)
		return;
	f->value = 0;
	f->mode = 0440;
	f->state = IS_ALTERED;
	snprintf(text, sizeof(text), "%c0", 'a' + i);
	check_ok(path, file_create(AT_FDCWD, path, 0440, text, strlen(text), &err), &err);
}

static void change_something(void)
{
	switch (below(8)) {
	case 0:
		change_list();
		run.reload = true;
		break;
	case 1:
		alter_file();
		break;
	case 2:
		model.app_runs = !model.app_runs;
		break;
	case 3:
		model.name_is_mistyped = !model.name_is_mistyped;
		run.reload = true;
		break;
	case 4:
	case 5:
		change_answer();
		break;
	default:
		change_object();
		break;
	}
}

static void note_absences(void)
{
	for (int i = 0; i < NAMES; i++)
		if (model.objects[i].answer != LACKS)
			model.may_go[i] = false;
		else if (run.is_long)
			model.may_go[i] = true;
}

/* Into the log: what the step is about. */
static void say_step(void)
{
	static const char *const answers[] = { "gives", "denies", "lacks", "garbles",
					       "is down" };

	static const char *const states[] = { "", " (altered)", " (missing)" };

	if (!shows)
		return;
	buf_printf(&said, "---- step: %s%s%s kill in %d, %d faults in %d;",
		   run.is_long ? "hours" : "a poll", run.reload ? ", reload" : "",
		   run.stop ? ", restart" : "", run.kill_in,
		   run.fault_in > 0 ? 1 + run.more : 0, run.fault_in);
	for (int i = 0; i < NAMES; i++) {
		const struct model_entry *e = &model.wanted.entries[i];

		buf_printf(&said, " %c%d%s%s %s%s,", 'a' + i, model.objects[i].value,
			   !e->listed    ? " unlisted"
			   : e->optional ? " optional"
					 : "",
			   e->listed && e->mode == 0400 ? " 0400" : "",
			   answers[model.objects[i].answer],
			   states[model.files[i].state]);
	}
	buf_text(&said, "\n");
}

/* Anywhere from 1970 to 2106. */
static void set_wall_clock(void)
{
	run.wall = (int64_t)below(UINT32_MAX) * 1000 - run.now % 1000;
}

/* The next step: some changes, then a poll or hours; perhaps a restart or a kill. */
static void begin_step(void)
{
	if (run.left-- == 0) {
		run.stop = true;
		return;
	}
	for (unsigned n = 1 + below(3); n > 0; n--)
		change_something();
	write_configuration();
	run.is_long = below(8) == 0;
	/* Outages of hours mean hundreds of tries, so there are few. */
	for (int i = 0; i < NAMES && run.is_long && below(16); i++)
		if (model.objects[i].answer == IS_DOWN)
			model.objects[i].answer = GIVES;
	run.ends = run.now + (run.is_long ? LONG_STEP_MS : POLL_STEP_MS);
	run.signals = 0;
	run.poll = !run.reload;
	run.kill_in = below(4) == 0 ? 1 + (int)below(60) : 0;
	run.stop = below(5) == 0; /* a restart before the poll */
	run.is_faulty = false;
	if (run.kill_in == 0 && !run.stop && below(3) == 0) {
		run.fault_in = 1 + (int)below(200);
		run.more = (int)below(4);
		run.ends = clock_later(run.ends, run.now + FAULTY_STEP_MS);
	}
	if (below(4) == 0)
		set_wall_clock();
	note_absences();
	say_step();
}

static void check_signals(bool owed)
{
	bool notified = model.app_runs && !model.name_is_mistyped;

	model.is_unrecorded |= run.is_faulty;
	if (!notified ||
	    (!owed && !model.owed && !model.may_be_repeated && !model.is_unrecorded))
		check_int("signals that nobody expects", run.signals, 0);
	if (notified && (owed || model.owed) && !model.may_be_repeated)
		check("the app is notified", run.signals > 0);
	if (notified && run.signals > 0 && !run.is_faulty)
		model.is_unrecorded = false;
	if (notified)
		model.owed = model.may_be_repeated = false;
}

static void end_step(void)
{
	bool owed = model.owed;

	if (run.ends == 0)
		return; /* before the first step */
	run.fault_in = run.more = 0;
	/* A second poll sees what the first one changed. */
	for (int i = 0; i < 3; i++)
		model_poll(&model);
	if (run.is_long)
		model_forget(&model, is_on_volume);
	model.started |= model_is_whole(&model);
	check_volume();
	check_signals(owed);
	assert_non_null(run.facts);
	check_int("started", run.facts->started, model.started);
	run.kill_in = 0;
}

/* ---- a kill ---- */

/* True when the set on the volume says that it was published for the list. */
static bool is_for(const struct model_list *list)
{
	struct buf text = BUF_INIT(4096), manifest = BUF_INIT(64 * 1024);
	auto_free char *number = NULL;
	struct objects objects;
	struct err err = { 0 };
	char path[96];
	bool found;

	write_list(list, &text);
	check_ok("list", objects_parse(&objects, buf_str(&text), 0440, &err), &err);
	number = xasprintf("\"configuration\":\"%llu\"",
			   (unsigned long long)objects_number(&objects));
	snprintf(path, sizeof(path), "%s/..data/..manifest", dir);
	check_ok(path, file_read(AT_FDCWD, path, &manifest, &err), &err);
	found = strstr(buf_str(&manifest), number) != NULL;
	objects_done(&objects);
	buf_done(&text);
	buf_done(&manifest);
	return found;
}

static bool is_real(const struct model *m)
{
	auto_free char *data = xasprintf("%s/..data", dir);
	struct stat st;

	if (m->has_set != (lstat(data, &st) == 0))
		return false;
	for (int i = 0; i < NAMES; i++) {
		const struct model_file *f = &m->files[i];
		char name[2] = { (char)('a' + i) }, text[128], want[16] = "-";

		if (f->there && f->state != IS_MISSING)
			snprintf(want, sizeof(want), "%c%d", 'a' + i, f->value);
		volume_read(dir, name, text);
		if (strcmp(text, want) != 0 && !(m->may_go[i] && strcmp(text, "-") == 0))
			return false;
	}
	return !m->has_set || is_for(&m->active);
}

/* The program was killed in the middle of a step: the volume is as it was before one of
 * its polls. */
static void find_state(void)
{
	for (int polls = 0; polls < 4; polls++) {
		if (is_real(&model)) {
			model.may_be_repeated |= model.owed && run.signals > 0;
			return;
		}
		model_poll(&model);
	}
	fail_msg("after a kill the volume is neither as before nor as after a poll");
}

/* ---- sequences ---- */

static char dir_variable[96], config_variable[96];
static char *env[] = {
	(char[]){ "AKVSYNC_VAULT=aa-kv" },
	(char[]){ "AKVSYNC_POLL_INTERVAL=1h" },
	(char[]){ "AKVSYNC_RETAIN=1s" },
	(char[]){ "AKVSYNC_SANDBOX=off" }, /* the test goes on in this process */
	(char[]){ "AKVSYNC_AUTH=client-secret" },
	(char[]){ "AZURE_TENANT_ID=" TENANT },
	(char[]){ "AZURE_CLIENT_ID=33333333-3333-3333-3333-333333333333" },
	(char[]){ "AZURE_CLIENT_SECRET=s" },
	(char[]){ "POD_UID=pod" },
	dir_variable,
	config_variable,
	NULL,
};

/* One life of the program. */
static void live(void)
{
	struct configuration configuration;
	struct start_end end;
	struct err err = { 0 };
	int ended;

	run.poll = run.reload = run.stop = run.dead = run.in_round = false;
	run.ends = run.now + (run.is_long ? LONG_STEP_MS : POLL_STEP_MS);
	model.started = model_is_whole(&model);
	check_ok("load", configuration_load(&configuration, env, true, &err), &err);
	ended = start_run(LOOP_SIDECAR, &configuration,
			  watch_new(config_path, NULL, run.now), &end, &err);
	/* Stopped before a set was published, it has failed. */
	if (!run.dead)
		check_int("ended well", ended == 0, model.started);
	configuration_done(&configuration);
	assert_int_equal(net.count, 0);
	run.kill_in = run.fault_in = run.more = 0;
	if (run.dead) {
		run.dead = false;
		find_state();
	}
}

static void sequence(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	tree_remove(AT_FDCWD, dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	buf_done(&said);
	memset(&run, 0, sizeof(run));
	memset(&model, 0, sizeof(model));
	run.now = 1000000;
	run.left = STEPS;
	model.app_runs = true;
	for (int i = 0; i < NAMES; i++) {
		model.objects[i] = (struct model_object){ GIVES, 1, 1 };
		if (below(4) == 0)
			change_answer();
	}
	change_list();
	write_configuration();
	while (run.left > 0)
		live();
}

static unsigned long number_from(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static unsigned long seed;

static void say_seed(void)
{
	if (seed != 0)
		print_message(
			"sequence %lu: MODEL_FIRST=%lu MODEL_SEQUENCES=1 repeats it\n",
			seed, seed);
}

static unsigned worker, workers;

/* Every so many-th sequence: the other workers run the others. */
static void test_sequences(void **state)
{
	unsigned long first = number_from("MODEL_FIRST", 1);
	unsigned long count = number_from("MODEL_SEQUENCES", DEFAULT_SEQUENCES);
	unsigned long done = 0;

	(void)state;
	for (seed = first + worker; seed < first + count; seed += workers, done++)
		sequence(seed);
	seed = 0;
	print_message("%lu sequences of %d steps, from seed %lu on\n", done, STEPS,
		      first + worker);
}

static int set_up(void **state)
{
	(void)state;
	shows = getenv("MODEL_SHOWS") != NULL;
	volume_make(dir);
	snprintf(config_path, sizeof(config_path), "%s.yaml", dir);
	snprintf(dir_variable, sizeof(dir_variable), "AKVSYNC_DIR=%s", dir);
	snprintf(config_variable, sizeof(config_variable), "AKVSYNC_CONFIG=%s",
		 config_path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	say_seed();
	if (seed != 0 && shows)
		fputs(buf_str(&said), stderr);
	volume_remove(dir);
	unlink(config_path);
	buf_done(&said);
	return 0;
}

static int work_off(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sequences, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A process for each processor. */
int main(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	bool failed = false;
	int status;

	workers = processors < 1             ? 1
		  : processors > WORKERS_MAX ? WORKERS_MAX
					     : (unsigned)processors;
	for (worker = 0; worker < workers; worker++)
		if (fork() == 0)
			return work_off();
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
