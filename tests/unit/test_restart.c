/* When CMD is started, stopped and started again, by a clock that the tests set. */
#include "unit.h"

#include "base/clock.h"
#include "exec/restart.h"

static const struct restart_rules usual = {
	.policy = RESTART_POLICY_RESTART,
	.debounce_ms = 2000,
	.grace_ms = 10000,
	.min_uptime_ms = 1000,
};

/* What happens at a time; what has to be done then, and in which state that ends. */
struct step {
	int64_t at;
	enum restart_event event;
	enum restart_action action;
	enum restart_state state;
	int64_t deadline; /* -1: none */
};

#define CHANGED RESTART_CHANGED
#define REVERTED RESTART_REVERTED
#define DUE RESTART_DUE
#define EXITED RESTART_EXITED
#define ALONE RESTART_ALONE
#define TERMINATED RESTART_TERMINATED

#define NOTHING RESTART_NOTHING
#define STOP RESTART_STOP
#define KILL RESTART_KILL
#define TERM_REST RESTART_TERM_REST
#define KILL_REST RESTART_KILL_REST
#define START RESTART_START
#define SIGNAL RESTART_SIGNAL
#define END RESTART_END

#define RUNNING RESTART_RUNNING
#define SETTLING RESTART_SETTLING
#define LEAVING RESTART_LEAVING
#define STOPPING RESTART_STOPPING
#define KILLING RESTART_KILLING
#define CLEARING RESTART_CLEARING
#define SWEEPING RESTART_SWEEPING
#define PAUSING RESTART_PAUSING
#define OVER RESTART_OVER

static void play(const char *name, enum restart_policy policy, const struct step *steps,
		 size_t count)
{
	struct restart_rules rules = usual;
	struct restart r;
	char row[100];

	rules.policy = policy;
	restart_init(&r, &rules);
	restart_started(&r, 0);
	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps[i];
		int64_t wanted = s->deadline < 0 ? CLOCK_NEVER : s->deadline;
		enum restart_action action = restart_next(&r, s->event, 0, s->at);

		snprintf(row, sizeof(row), "%s, step %zu", name, i + 1);
		check_int(row, action, s->action);
		check_int(row, r.state, s->state);
		check_int(row, r.deadline, wanted);
		if (action == START)
			restart_started(&r, s->at);
	}
}

#define PLAY(policy, ...)                                                                \
	do {                                                                             \
		static const struct step steps[] = { __VA_ARGS__ };                      \
                                                                                         \
		play(__func__, policy, steps, ARRAY_LEN(steps));                         \
	} while (0)

static void test_a_change_starts_it_again(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 20000, CHANGED, NOTHING, SETTLING, 22000 },
	     { 22000, DUE, STOP, STOPPING, 32000 },
	     { 22500, EXITED, TERM_REST, CLEARING, 32000 },
	     { 22600, ALONE, NOTHING, PAUSING, 22600 },
	     { 22600, DUE, START, RUNNING, -1 },
	     { 30000, CHANGED, NOTHING, SETTLING, 32000 });
}

static void test_the_debounce_has_a_cap(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 20000, CHANGED, NOTHING, SETTLING, 22000 },
	     { 21900, CHANGED, NOTHING, SETTLING, 23900 },
	     { 23000, CHANGED, NOTHING, SETTLING, 25000 },
	     { 24900, CHANGED, NOTHING, SETTLING, 26900 },
	     { 26800, CHANGED, NOTHING, SETTLING, 28800 },
	     { 28700, CHANGED, NOTHING, SETTLING, 30000 },
	     { 29900, CHANGED, NOTHING, SETTLING, 30000 },
	     { 30000, DUE, STOP, STOPPING, 40000 });
}

static void test_what_reverts_is_no_change(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 20000, REVERTED, NOTHING, RUNNING, -1 },
	     { 20000, CHANGED, NOTHING, SETTLING, 22000 },
	     { 21000, REVERTED, NOTHING, RUNNING, -1 },
	     { 40000, CHANGED, NOTHING, SETTLING, 42000 });
}

static void test_kill_after_the_grace(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 20000, CHANGED, NOTHING, SETTLING, 22000 },
	     { 22000, DUE, STOP, STOPPING, 32000 },
	     { 25000, CHANGED, NOTHING, STOPPING, 32000 },
	     { 32000, DUE, KILL, KILLING, -1 },
	     { 32100, EXITED, KILL_REST, SWEEPING, 34100 },
	     { 32200, ALONE, NOTHING, PAUSING, 32200 },
	     { 32200, DUE, START, RUNNING, -1 });
}

static void test_what_it_leaves_has_the_rest_of_the_grace(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 20000, CHANGED, NOTHING, SETTLING, 22000 },
	     { 22000, DUE, STOP, STOPPING, 32000 },
	     { 30000, EXITED, TERM_REST, CLEARING, 32000 },
	     { 32000, DUE, KILL_REST, SWEEPING, 34000 },
	     { 34000, DUE, NOTHING, PAUSING, 34000 }, { 34000, DUE, START, RUNNING, -1 });
}

static void test_its_own_end_is_the_end(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 5000, EXITED, TERM_REST, CLEARING, 15000 },
	     { 5000, CHANGED, NOTHING, CLEARING, 15000 }, { 5001, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 6000, EXITED, TERM_REST, CLEARING, 16000 },
	     { 16000, DUE, KILL_REST, SWEEPING, 18000 }, { 18000, DUE, END, OVER, -1 });
}

static void test_an_end_from_outside_cancels_a_start(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 5000, TERMINATED, NOTHING, LEAVING, -1 },
	     { 5001, CHANGED, NOTHING, LEAVING, -1 },
	     { 9000, EXITED, TERM_REST, CLEARING, 19000 },
	     { 9001, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 5001, TERMINATED, NOTHING, LEAVING, -1 },
	     { 5002, EXITED, TERM_REST, CLEARING, 15002 },
	     { 5003, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 7000, DUE, STOP, STOPPING, 17000 },
	     { 7001, TERMINATED, NOTHING, STOPPING, 17000 },
	     { 7002, EXITED, TERM_REST, CLEARING, 17000 },
	     { 7003, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 7000, DUE, STOP, STOPPING, 17000 }, { 17000, DUE, KILL, KILLING, -1 },
	     { 17001, TERMINATED, NOTHING, KILLING, -1 },
	     { 17002, EXITED, KILL_REST, SWEEPING, 19002 },
	     { 17003, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 7000, DUE, STOP, STOPPING, 17000 },
	     { 7001, EXITED, TERM_REST, CLEARING, 17000 },
	     { 7002, TERMINATED, NOTHING, CLEARING, 17000 },
	     { 7003, ALONE, END, OVER, -1 });
	PLAY(RESTART_POLICY_RESTART, { 100, CHANGED, NOTHING, SETTLING, 2100 },
	     { 2100, DUE, STOP, STOPPING, 12100 },
	     { 2100, EXITED, TERM_REST, CLEARING, 12100 },
	     { 12100, DUE, KILL_REST, SWEEPING, 14100 },
	     { 12101, TERMINATED, NOTHING, SWEEPING, 14100 },
	     { 14100, DUE, END, OVER, -1 });
}

static void test_a_pause_can_be_cut_short_by_the_end(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_RESTART, { 0, CHANGED, NOTHING, SETTLING, 2000 },
	     { 300, DUE, STOP, STOPPING, 10300 },
	     { 400, EXITED, TERM_REST, CLEARING, 10300 },
	     { 400, ALONE, NOTHING, PAUSING, 1000 },
	     { 500, CHANGED, NOTHING, PAUSING, 1000 },
	     { 600, TERMINATED, END, OVER, -1 });
}

static void test_other_policies(void **state)
{
	(void)state;
	PLAY(RESTART_POLICY_SIGNAL, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 7000, DUE, SIGNAL, RUNNING, -1 },
	     { 7100, CHANGED, NOTHING, SETTLING, 9100 });
	PLAY(RESTART_POLICY_EXIT, { 5000, CHANGED, NOTHING, SETTLING, 7000 },
	     { 7000, DUE, STOP, STOPPING, 17000 },
	     { 7100, EXITED, TERM_REST, CLEARING, 17000 },
	     { 7200, ALONE, END, OVER, -1 });
}

static void test_splay(void **state)
{
	struct restart r;

	(void)state;
	restart_init(&r, &usual);
	restart_next(&r, CHANGED, 500, 1000);
	assert_int_equal(r.deadline, 3500);
	restart_next(&r, CHANGED, 900, 2000);
	assert_int_equal(r.deadline, 4500); /* that of the first change stays */
	restart_next(&r, CHANGED, 900, 10500);
	assert_int_equal(r.deadline, 11500);
}

/* From a start to the next one, when each CMD is stopped so long after its start. */
static void test_pauses(void **state)
{
	static const struct {
		int64_t lives, pause;
	} rows[] = {
		{ 100, 1000 },    { 100, 2000 },    { 100, 4000 },  { 9999, 9999 },
		{ 100, 16000 },   { 100, 32000 },   { 100, 60000 }, { 100, 60000 },
		{ 9000, 60000 },  { 10000, 60000 }, { 500, 1000 },  { 500, 2000 },
		{ 20000, 20000 }, { 1, 1000 },
	};
	struct restart r;
	int64_t now = 0;

	(void)state;
	restart_init(&r, &usual);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char row[32];
		int64_t started = now;

		snprintf(row, sizeof(row), "start %zu", i);
		restart_started(&r, now);
		now += rows[i].lives;
		restart_next(&r, CHANGED, 0, now);
		restart_next(&r, DUE, 0, now);
		restart_next(&r, EXITED, 0, now);
		restart_next(&r, ALONE, 0, now);
		check_int(row, r.state, PAUSING);
		now = r.deadline;
		check_int(row, now - started, rows[i].pause);
		check_int(row, restart_next(&r, DUE, 0, now), START);
	}
}

/* In no state does an event that means nothing there change anything, and each state is
 * left by some event. */
static void test_each_state_is_left(void **state)
{
	(void)state;
	for (int from = RUNNING; from < OVER; from++) {
		int ways = 0;

		for (int event = CHANGED; event <= TERMINATED; event++) {
			struct restart r;

			restart_init(&r, &usual);
			r.state = (enum restart_state)from;
			r.deadline = 77;
			if (restart_next(&r, (enum restart_event)event, 0, 5) ==
				    NOTHING &&
			    (int)r.state == from && r.deadline == 77)
				continue;
			ways++;
		}
		check_int("ways", ways > 0, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_change_starts_it_again),
		cmocka_unit_test(test_the_debounce_has_a_cap),
		cmocka_unit_test(test_what_reverts_is_no_change),
		cmocka_unit_test(test_kill_after_the_grace),
		cmocka_unit_test(test_what_it_leaves_has_the_rest_of_the_grace),
		cmocka_unit_test(test_its_own_end_is_the_end),
		cmocka_unit_test(test_an_end_from_outside_cancels_a_start),
		cmocka_unit_test(test_a_pause_can_be_cut_short_by_the_end),
		cmocka_unit_test(test_other_policies),
		cmocka_unit_test(test_splay),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_each_state_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
