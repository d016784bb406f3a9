/*
 * metrics_table.h: what metrics there are: the one table that /metrics, the manual and
 * docs/operate.md are made from.  It knows no values.
 */
#ifndef REPORT_METRICS_TABLE_H
#define REPORT_METRICS_TABLE_H

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/* In the order of /metrics. */
enum metric_id {
	METRIC_BUILD_INFO,
	METRIC_READY,
	METRIC_POLL_INTERVAL,
	METRIC_MAX_STALENESS,
	METRIC_SYNCS,
	METRIC_SYNC_DURATION,
	METRIC_LAST_SUCCESS,
	METRIC_CONSECUTIVE_FAILURES,
	METRIC_VAULT_REQUESTS,
	METRIC_VAULT_REQUEST_DURATION,
	METRIC_VAULT_THROTTLED,
	METRIC_VAULT_CONCURRENCY_LIMIT,
	METRIC_TOKEN_REQUESTS,
	METRIC_TOKEN_REQUEST_DURATION,
	METRIC_TOKEN_EXPIRY,
	METRIC_OBJECTS,
	METRIC_FILES,
	METRIC_OBJECT_INFO,
	METRIC_OBJECT_UP_TO_DATE,
	METRIC_OBJECT_LAST_SUCCESS,
	METRIC_OBJECT_CHANGED,
	METRIC_OBJECT_EXPIRY,
	METRIC_ROTATIONS,
	METRIC_ROTATION_DELAY,
	METRIC_FAILING,
	METRIC_FAILING_SINCE,
	METRIC_NOTIFY_RUNS,
	METRIC_NOTIFY_LAST_SUCCESS,
	METRIC_GENERATION,
	METRIC_GENERATIONS,
	METRIC_PROCESS_CPU,
	METRIC_PROCESS_RESIDENT_MEMORY,
	METRIC_PROCESS_OPEN_FDS,
	METRIC_PROCESS_MAX_FDS,
	METRIC_PROCESS_START_TIME,
	METRICS
};

struct metric {
	const char *name; /* of the sample: that of a counter ends in "_total"; that of a
			     histogram is the common part, "_bucket" and so on follow */
	enum metric_type type;
	const char *labels; /* their names, in the order of the values: "vault,kind,code";
			       "": none.  "le" of a histogram is not among them */
	const char *help;   /* what it says; one line, without '"' and '\' */
	const char *unit;   /* "seconds", "bytes"; NULL: none.  The name without "_total"
			       ends in it */
	const char *bad;    /* when it is bad, and what to do then; for the manual */
};

extern const struct metric metrics[METRICS];

/* "gauge", "counter", "histogram". */
const char *metric_type_word(enum metric_type type);

#endif
