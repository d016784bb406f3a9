/*
 * target.h: one entry of AKVSYNC_NOTIFY, checked.
 *
 * Each kind of target is a row of its own module (act_signal, act_http, …), which parses
 * the action, describes it and carries it out.
 */
#ifndef DELIVER_TARGET_H
#define DELIVER_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "deliver/paths.h"

struct act;
struct act_work;
struct target;

/* The options that stand in front of an action. */
enum target_option {
	TARGET_ON = 1,      /* on=first, on=PATTERN */
	TARGET_TIMEOUT = 2, /* timeout= */
	TARGET_REQUEST = 4, /* header=, header-file=, status= */
};

struct target_kind {
	const char *word;   /* "signal", of signal= */
	const char *form;   /* for messages: "signal=NAME,process=NAME" */
	unsigned options;   /* those that it takes */
	int64_t timeout_ms; /* the default */
	bool before;        /* it runs before a set is published, not after */
	/* Takes what stands behind the word, which it may write into.  ERR_CONFIG. */
	int (*parse)(struct target *t, char *rest, struct err *err);
	/* What it does, as a half sentence: "sends SIGHUP to the process 'nginx'". */
	void (*describe)(const struct target *t, struct buf *out);
	/* Begins one try, and ends it unless it has to wait: act.h. */
	void (*start)(struct act *a, const struct act_work *work);
};

struct target {
	/* What it is known by, in the log and in ..notified: the entry as written,
	 * without what may be secret.  Another one that looks the same has a number
	 * behind it. */
	char *text;
	const struct target_kind *kind;
	bool on_first;        /* also runs at a first set */
	struct paths filters; /* patterns: only when such a path changes; none: always */
	int64_t timeout_ms;

	int signal;    /* signal= */
	char *process; /* a name; or else */
	char *pidfile; /* a path */

	const char *method; /* http= */
	char *url;          /* http:// or https://, without a user */
	char *socket;       /* the unix socket that it goes to; NULL: the network */
	char **headers;     /* lines, which may be secret; the last NULL; NULL: none */
	char *header_file;  /* of more lines; NULL: none */
	int status_min, status_max;

	char *path;  /* touch= */
	char **argv; /* exec=, precheck=; the last NULL */
	int code;    /* exit= */
};

/* An array of texts that ends in NULL, or NULL.  The texts are wiped when they are
 * freed. */
size_t target_list_count(char *const *list);
char **target_list_add(char **list, const char *item);
void target_list_free(char **list);

/* Splits text at white space into an array that ends in NULL.  ERR_CONFIG: the first is
 * no absolute path. */
int target_split(struct target *t, const char *text, struct err *err) MUST_CHECK;

/* Refuses what was probably meant as another option or entry: options stand in front. */
int target_check_rest(const char *rest, struct err *err) MUST_CHECK;

void target_done(struct target *t);

#endif
