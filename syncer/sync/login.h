/*
 * login.h: from the settings to the identity that asks for tokens.
 */
#ifndef SYNC_LOGIN_H
#define SYNC_LOGIN_H

#include "azure/identity.h"
#include "config/settings.h"

/* The strings stay the settings'. */
struct identity login_identity(const struct settings *s);

#endif
