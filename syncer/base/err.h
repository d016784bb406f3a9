/*
 * err.h: what failed, for the operator, and what to do, for the caller.
 *
 * A function that can fail returns int 0/-1 and takes a struct err * last,
 * never NULL.  It fills *err exactly when it returns -1, and writes its outputs
 * exactly when it returns 0.  Errors are values of fixed size: nothing to free,
 * and they work when memory is short.
 *
 * A message is one line, lower case, without a final period.  It names the
 * thing, the rule and the fix, and never holds a value, a token or a body.
 * Control characters in its arguments become '?'.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK __attribute__((warn_unused_result))

/* Each kind is one reaction; add one only when some caller will act differently. */
enum err_kind {
	ERR_NONE = 0,
	ERR_USAGE,    /* the command line is wrong: show usage */
	ERR_CONFIG,   /* somebody must change the configuration; never retried */
	ERR_IDENTITY, /* token or assertion refused: get a new one, retry slowly */
	ERR_DENIED,   /* this object may not be read: freeze it, retry slowly */
	ERR_NOTFOUND, /* this object does not exist: freeze it, retry at poll cadence */
	ERR_GARBLED, /* a reply about this object makes no sense: retry, then freeze it */
	ERR_UNAVAILABLE, /* network, TLS, a status that passes: back off and retry */
	ERR_IO, /* the local file system or process table: old files stay, retry */
};

struct err {
	enum err_kind kind;
	int retry_after_ms; /* the least delay the service asked for; 0: none named */
	char msg[512];      /* truncated if longer */
	char request[64];   /* the service's id of the request, for its support; "": none.
			       Beside msg, so that equal failures have equal messages */
	bool tokenless;     /* it is for want of an access token, whatever it hit */
	bool disabled;      /* the version that was asked for is disabled: another one may
			       not be */
};

/* Both fill *err and return -1, so that a failure is one statement. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Appends ": " and the text of errno, which stays as it is. */
int err_set_errno(struct err *err, enum err_kind kind, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* Puts "context: " before the message, keeps the kind, returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "; hint" behind the message, returns -1. */
int err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Makes one line of a text that a user or a server gave, in place: control characters
 * become '?', so that no terminal obeys it.  All messages have gone through it. */
void err_flatten(char *msg);

/*
 * True when a is the failure an operator should see first of the two: the most
 * actionable kind wins (configuration, identity and permission, not found, network,
 * local files), so that one exit code can stand for several failures.
 */
bool err_outranks(const struct err *a, const struct err *b);

#endif
