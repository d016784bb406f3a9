/*
 * restart.h: when CMD is started, stopped and started again.  Pure: what happened and the
 * time are passed in, what to do comes out.
 *
 *   RUNNING -changed-> SETTLING -due-> STOPPING -due-> KILLING
 *      |                  |               |              |
 *      +----- exited -----+---- exited ---+              exited
 *      v                                  v              v
 *   (terminated: LEAVING)              CLEARING -due-> SWEEPING
 *                                         |              |
 *                                         +--- alone ----+-> PAUSING -due-> RUNNING
 *                                                        +-> OVER
 */
#ifndef EXEC_RESTART_H
#define EXEC_RESTART_H

#include <stdint.h>

enum restart_state {
	RESTART_RUNNING,  /* CMD runs with the newest values */
	RESTART_SETTLING, /* a value changed; more changes may follow soon */
	RESTART_LEAVING, /* somebody outside asked CMD to end: changes mean nothing now */
	RESTART_STOPPING, /* we asked CMD to end; it has the grace for it */
	RESTART_KILLING,  /* CMD was killed; its end is awaited */
	RESTART_CLEARING, /* CMD has ended; processes that it left have the grace */
	RESTART_SWEEPING, /* these were killed; their end is awaited */
	RESTART_PAUSING,  /* the time between two starts is not over */
	RESTART_OVER,     /* the end of this process, too */
};

enum restart_event {
	RESTART_CHANGED,  /* CMD would be given other values, and others than last seen */
	RESTART_REVERTED, /* CMD would be given what it was given */
	RESTART_DUE,      /* the deadline has passed */
	RESTART_EXITED,   /* CMD has ended */
	RESTART_ALONE,    /* after that: no process of CMD is left */
	RESTART_TERMINATED, /* somebody outside asked for the end */
};

enum restart_action {
	RESTART_NOTHING,
	RESTART_STOP,      /* ask CMD to end */
	RESTART_KILL,      /* kill CMD and its process group */
	RESTART_TERM_REST, /* ask what CMD left to end */
	RESTART_KILL_REST, /* kill what CMD left */
	RESTART_START,     /* start CMD with the newest values, then restart_started() */
	RESTART_SIGNAL,    /* tell CMD of the change by a signal */
	RESTART_END,       /* nothing is left to do */
};

/* What a change leads to. */
enum restart_policy {
	RESTART_POLICY_RESTART,
	RESTART_POLICY_SIGNAL,
	RESTART_POLICY_EXIT,
	RESTART_POLICY_IGNORE,
};

struct restart_rules {
	enum restart_policy policy;
	int64_t debounce_ms;   /* after the last change; from the first one at most
				  RESTART_DEBOUNCES of it */
	int64_t grace_ms;      /* from the request to end until KILL */
	int64_t min_uptime_ms; /* between two starts.  Doubled, up to RESTART_PAUSES of
				  it, for each CMD that lived less than RESTART_LIVES of
				  it */
};

#define RESTART_DEBOUNCES 5
#define RESTART_PAUSES 60
#define RESTART_LIVES 10

/* What an end of CMD leads to. */
enum restart_goal { RESTART_GOAL_END, RESTART_GOAL_AGAIN };

struct restart {
	struct restart_rules rules;
	enum restart_state state;
	enum restart_goal goal;
	int64_t deadline;         /* when RESTART_DUE is due; CLOCK_NEVER */
	int64_t first_changed_at; /* the first change that CMD was not told of */
	int64_t splay_ms;         /* added to its delay */
	int64_t started_at;
	int64_t pause_ms; /* between this start and the next */
};

/* The first start is about to be made. */
void restart_init(struct restart *r, const struct restart_rules *rules);

/* CMD was started. */
void restart_started(struct restart *r, int64_t now);

/* What happened leads to a new state and to what has to be done now.  An event that means
 * nothing in a state changes nothing.  splay_ms: of a first change only. */
enum restart_action restart_next(struct restart *r, enum restart_event event,
				 int64_t splay_ms, int64_t now);

#endif
