/*
 * start.h: what the loop runs on, how all of it is opened, and what is said of it.  For
 * run/loop alone.
 */
#ifndef RUN_START_H
#define RUN_START_H

#include "base/backoff.h"
#include "deliver/notify.h"
#include "deliver/publish.h"
#include "run/desire.h"
#include "run/health.h"
#include "run/loop.h"
#include "run/schedule.h"
#include "run/watch.h"
#include "sync/round.h"
#include "sync/session.h"
#include "sync/source.h"

/* Files that are read again when they change. */
enum { WATCH_CREDENTIAL, WATCH_PASSWORD, WATCH_CA, WATCH_EXTRA_CA, WATCHES };

struct loop {
	enum loop_mode mode;
	const struct settings *settings;
	struct desire desire;
	struct sources sources;
	struct publish *publish;
	struct notify *notify;
	struct watch *watches[WATCHES];
	struct health *health;
	struct health_facts facts;
	struct jitter jitter;
	struct schedule schedule;
	struct round *round; /* NULL between rounds */
	int signal_fd;
	int64_t next_round_at;
	int64_t give_up_at; /* init's deadline */
	bool synced;        /* a complete set that fits is on the volume */
	bool reported;      /* the termination log is settled */
	bool again;         /* a poll was asked for while one was under way */
	bool look;          /* at all watched files, since somebody asked for a poll */
	bool reload_trust;  /* a CA file has changed */
	bool stopping;
	bool finished;   /* init: the set is complete, no further round is due */
	struct err last; /* the worst failure of the latest round */
};

/* Opens signals, volume, network and what else there is, says so, and picks up what an
 * earlier container left; the first round is due then.  start_close() either way.
 * ERR_CONFIG, ERR_IO. */
int start_open(struct loop *l, struct err *err) MUST_CHECK;
void start_close(struct loop *l);

/* Takes the signals that came: a stop, or a poll that is asked for. */
void start_take_signals(struct loop *l);

#endif
