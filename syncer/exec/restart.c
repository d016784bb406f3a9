#include "exec/restart.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"

/* How long processes that were killed may take to go: one that the kernel holds does not
 * hold up the rest. */
#define SWEEP_MS 2000

/* Which of two rows for the same state and event holds. */
enum restart_when { ALWAYS, ON_RESTART, ON_SIGNAL, ON_EXIT, IF_AGAIN, IF_END };

/* What becomes of the deadline. */
enum restart_timer { KEEP, NEVER, SETTLE, GRACE, SWEEP, PAUSE };

/* What becomes of the goal. */
enum restart_turn { AS_IS, TO_AGAIN, TO_END };

/* The first row that fits is taken; without one nothing changes. */
static const struct restart_row {
	enum restart_state state;
	enum restart_event event;
	enum restart_when when;
	enum restart_state next;
	enum restart_action action;
	enum restart_timer timer;
	enum restart_turn turn;
} rows[] = {
#define ROW(state, event, when, next, action, timer, turn)                               \
	{                                                                                \
		RESTART_##state, RESTART_##event, when, RESTART_##next,                  \
			RESTART_##action, timer, turn                                    \
	}
	ROW(RUNNING, CHANGED, ALWAYS, SETTLING, NOTHING, SETTLE, AS_IS),
	ROW(RUNNING, EXITED, ALWAYS, CLEARING, TERM_REST, GRACE, TO_END),
	ROW(RUNNING, TERMINATED, ALWAYS, LEAVING, NOTHING, NEVER, TO_END),

	ROW(SETTLING, CHANGED, ALWAYS, SETTLING, NOTHING, SETTLE, AS_IS),
	ROW(SETTLING, REVERTED, ALWAYS, RUNNING, NOTHING, NEVER, AS_IS),
	ROW(SETTLING, DUE, ON_RESTART, STOPPING, STOP, GRACE, TO_AGAIN),
	ROW(SETTLING, DUE, ON_SIGNAL, RUNNING, SIGNAL, NEVER, AS_IS),
	ROW(SETTLING, DUE, ON_EXIT, STOPPING, STOP, GRACE, TO_END),
	ROW(SETTLING, EXITED, ALWAYS, CLEARING, TERM_REST, GRACE, TO_END),
	ROW(SETTLING, TERMINATED, ALWAYS, LEAVING, NOTHING, NEVER, TO_END),

	ROW(LEAVING, EXITED, ALWAYS, CLEARING, TERM_REST, GRACE, TO_END),

	/* What CMD leaves has the rest of the grace. */
	ROW(STOPPING, EXITED, ALWAYS, CLEARING, TERM_REST, KEEP, AS_IS),
	ROW(STOPPING, DUE, ALWAYS, KILLING, KILL, NEVER, AS_IS),
	ROW(STOPPING, TERMINATED, ALWAYS, STOPPING, NOTHING, KEEP, TO_END),

	ROW(KILLING, EXITED, ALWAYS, SWEEPING, KILL_REST, SWEEP, AS_IS),
	ROW(KILLING, TERMINATED, ALWAYS, KILLING, NOTHING, KEEP, TO_END),

	ROW(CLEARING, ALONE, IF_AGAIN, PAUSING, NOTHING, PAUSE, AS_IS),
	ROW(CLEARING, ALONE, IF_END, OVER, END, NEVER, AS_IS),
	ROW(CLEARING, DUE, ALWAYS, SWEEPING, KILL_REST, SWEEP, AS_IS),
	ROW(CLEARING, TERMINATED, ALWAYS, CLEARING, NOTHING, KEEP, TO_END),

	ROW(SWEEPING, ALONE, IF_AGAIN, PAUSING, NOTHING, PAUSE, AS_IS),
	ROW(SWEEPING, ALONE, IF_END, OVER, END, NEVER, AS_IS),
	ROW(SWEEPING, DUE, IF_AGAIN, PAUSING, NOTHING, PAUSE, AS_IS),
	ROW(SWEEPING, DUE, IF_END, OVER, END, NEVER, AS_IS),
	ROW(SWEEPING, TERMINATED, ALWAYS, SWEEPING, NOTHING, KEEP, TO_END),

	ROW(PAUSING, DUE, ALWAYS, RUNNING, START, NEVER, TO_END),
	ROW(PAUSING, TERMINATED, ALWAYS, OVER, END, NEVER, TO_END),
#undef ROW
};

void restart_init(struct restart *r, const struct restart_rules *rules)
{
	*r = (struct restart){
		.rules = *rules,
		.state = RESTART_RUNNING,
		.goal = RESTART_GOAL_END,
		.deadline = CLOCK_NEVER,
		.pause_ms = rules->min_uptime_ms,
	};
}

void restart_started(struct restart *r, int64_t now)
{
	r->started_at = now;
}

static bool holds(const struct restart *r, enum restart_when when)
{
	switch (when) {
	case ALWAYS:
		break;
	case ON_RESTART:
		return r->rules.policy == RESTART_POLICY_RESTART;
	case ON_SIGNAL:
		return r->rules.policy == RESTART_POLICY_SIGNAL;
	case ON_EXIT:
		return r->rules.policy == RESTART_POLICY_EXIT;
	case IF_AGAIN:
		return r->goal == RESTART_GOAL_AGAIN;
	case IF_END:
		return r->goal == RESTART_GOAL_END;
	}
	return true;
}

static int64_t settled_at(struct restart *r, int64_t splay_ms, int64_t now)
{
	int64_t debounce_ms = r->rules.debounce_ms;

	if (r->state == RESTART_RUNNING) {
		r->first_changed_at = now;
		r->splay_ms = splay_ms;
	}
	return clock_sooner(now + debounce_ms,
			    r->first_changed_at + RESTART_DEBOUNCES * debounce_ms) +
	       r->splay_ms;
}

/* When the next start may be; a CMD that lived for a short time only makes the pause
 * after it longer. */
static int64_t paused_until(struct restart *r, int64_t now)
{
	int64_t until = r->started_at + r->pause_ms, least = r->rules.min_uptime_ms;

	if (now - r->started_at < RESTART_LIVES * least)
		r->pause_ms = clock_sooner(2 * r->pause_ms, RESTART_PAUSES * least);
	else
		r->pause_ms = least;
	return clock_later(until, now);
}

static int64_t restart_deadline(struct restart *r, enum restart_timer timer,
				int64_t splay_ms, int64_t now)
{
	switch (timer) {
	case KEEP:
		break;
	case NEVER:
		return CLOCK_NEVER;
	case SETTLE:
		return settled_at(r, splay_ms, now);
	case GRACE:
		return now + r->rules.grace_ms;
	case SWEEP:
		return now + SWEEP_MS;
	case PAUSE:
		return paused_until(r, now);
	}
	return r->deadline;
}

enum restart_action restart_next(struct restart *r, enum restart_event event,
				 int64_t splay_ms, int64_t now)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct restart_row *row = &rows[i];

		if (row->state != r->state || row->event != event || !holds(r, row->when))
			continue;
		r->deadline = restart_deadline(r, row->timer, splay_ms, now);
		r->state = row->next;
		if (row->turn != AS_IS)
			r->goal = row->turn == TO_AGAIN ? RESTART_GOAL_AGAIN
							: RESTART_GOAL_END;
		return row->action;
	}
	return RESTART_NOTHING;
}
