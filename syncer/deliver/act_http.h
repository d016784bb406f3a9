/*
 * act_http.h: http=METHOD URL.
 *
 * Also over a unix socket: http+unix://%2Frun%2Fapp.sock/-/reload.  Never through a
 * proxy, no redirects, an empty body; of the answer only the status counts.  Header
 * values are in no message, also those of header-file=, which is read for each request.
 */
#ifndef DELIVER_ACT_HTTP_H
#define DELIVER_ACT_HTTP_H

#include "deliver/target.h"

extern const struct target_kind act_http;

/* header=: "Name: value".  ERR_CONFIG, without quoting it. */
int act_http_add_header(struct target *t, const char *line, struct err *err) MUST_CHECK;

/* status=: "200" or "200-299".  ERR_CONFIG. */
int act_http_set_status(struct target *t, const char *text, struct err *err) MUST_CHECK;

#endif
