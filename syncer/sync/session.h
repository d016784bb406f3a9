/*
 * session.h: the sources of a configuration, with what they share: the HTTP stack, the
 * token cache and the identity.
 */
#ifndef SYNC_SESSION_H
#define SYNC_SESSION_H

#include "config/settings.h"
#include "sync/source.h"

/* Makes what they share, and the sources of the default vault and of all objects.
 * ERR_CONFIG. The settings and the jitter must outlive it.  session_close() either way.
 */
int session_open(struct sources *all, const struct settings *s,
		 const struct objects *objects, struct jitter *jitter,
		 struct err *err) MUST_CHECK;
void session_close(struct sources *all);

#endif
