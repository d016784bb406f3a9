/*
 * loop.h: the running program: one thread that sleeps in one place until there is a
 * signal, a changed file, news from the network, or work whose time has come.
 *
 *   LOOP_STARTING --------> LOOP_READY --------> LOOP_FINISHED
 *        a complete set is        init: it is also free of
 *        on the volume            failures that matter
 *
 * SIGTERM and SIGINT end the run in each phase.
 */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include <stdbool.h>

#include "base/backoff.h"
#include "base/watch.h"
#include "deliver/notify.h"
#include "deliver/publish.h"
#include "report/state.h"
#include "run/active.h"
#include "run/confine.h"
#include "run/health.h"
#include "run/schedule.h"
#include "sync/mirror.h"
#include "sync/round.h"
#include "sync/source.h"

enum loop_mode {
	LOOP_INIT,    /* one sync, tried until a deadline */
	LOOP_SIDECAR, /* the same, then polls until a signal stops it */
};

enum loop_phase {
	LOOP_STARTING, /* no complete set of the active list has been seen yet */
	LOOP_READY,    /* one has; it stays so whatever fails later */
	LOOP_FINISHED, /* init: no further round is due */
};

/* Files that are read again when they change. */
enum loop_watch {
	WATCH_CONFIGURATION,
	WATCH_CREDENTIAL,
	WATCH_PASSWORD,
	WATCH_CA,
	WATCH_EXTRA_CA,
	WATCH_TEMPLATES, /* the first of those with the text of templates */
	WATCHES = WATCH_TEMPLATES + TEMPLATES_FILES_MAX
};

/* Work that waits for the end of the round that is under way: bits of loop.pending. */
enum loop_pending {
	PENDING_POLL = 1,  /* a poll was asked for */
	PENDING_TRUST = 2, /* a CA file has changed */
	PENDING_LOOK = 4,  /* all watched files are to be compared */
};

struct loop {
	enum loop_mode mode;
	enum loop_phase phase;
	const struct settings *settings; /* those that apply now */
	struct active active;
	struct confine confine;
	struct state state;
	struct sources sources;
	struct publish *publish;
	struct notify *notify;
	struct mirror *mirror;
	struct watch *watches[WATCHES];
	struct health *health;
	struct health_facts facts;
	struct jitter jitter;
	struct schedule schedule;
	struct round *round; /* NULL between rounds */
	int signal_fd;
	int64_t next_round_at;
	int64_t give_up_at; /* init's deadline; CLOCK_NEVER: none */
	unsigned pending;   /* enum loop_pending */
	bool stopping;
	int exit_code;        /* an exit= target asks to stop with it; 0: none does */
	struct failures last; /* what failed in the latest round */
};

/* Runs until the work is done, the deadline has passed, or a signal stops it.  The caller
 * has opened all that the loop works with.  -1: it cannot wait any more. */
int loop_run(struct loop *l, struct err *err) MUST_CHECK;

/* Reads the signals that came: a stop, or a poll that is asked for. */
void loop_take_signals(struct loop *l);

/* What failed in the latest round, else why a Kubernetes Secret is not written; NULL:
 * nothing has failed. */
const struct err *loop_cause(const struct loop *l);

/* True when AKVSYNC_MAX_STALENESS is set, and no sync has succeeded for longer. */
bool loop_is_stale(const struct loop *l, int64_t now);

/* True when an app can use the set on the volume: what the probe ready says. */
bool loop_is_ready(const struct loop *l, int64_t now);

/* Logs what will hurt later of the targets to notify. */
void loop_advise(const struct loop *l);

/* on=first targets that still fail after this many tries fail `init`. */
#define LOOP_FIRST_NOTIFY_TRIES 5

#endif
