/*
 * auth.h: the rules of settings that concern identity: which credential is used, and
 * whether all that it needs is set.  Pure.
 */
#ifndef CONFIG_AUTH_H
#define CONFIG_AUTH_H

#include "config/settings.h"

/* Whose managed identity endpoint the environment names. */
enum settings_platform auth_platform(char *const *env);

/*
 * Sets s->credential.  AUTH_AUTO takes, in the order of the Azure SDKs, what is set:
 * client secret, client certificate, workload identity, App Service's endpoint; and,
 * outside Kubernetes only, the machine's managed identity: inside, it would be the
 * node's, used because a label was forgotten.
 */
void auth_choose(struct settings *s, bool in_kubernetes);

/* Whether all that the credential needs is set, and well formed.  ERR_CONFIG. */
int auth_check(struct settings *s, struct err *err) MUST_CHECK;

/* Sets authority and cloud: each follows from the other, or both from the vault's URL,
 * when they are not given.  ERR_CONFIG. */
int auth_authority(struct settings *s, bool cloud_given, struct err *err) MUST_CHECK;

#endif
