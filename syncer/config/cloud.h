/*
 * cloud.h: the hosts of each Azure cloud, and what follows from a vault's host.  Pure.
 */
#ifndef CONFIG_CLOUD_H
#define CONFIG_CLOUD_H

#include <stdbool.h>

#include "base/err.h"

struct cloud {
	const char *name;         /* as AKVSYNC_CLOUD spells it */
	const char *authority;    /* https://login.microsoftonline.com */
	const char *vault_suffix; /* vault.azure.net */
	const char *hsm_suffix;   /* managedhsm.azure.net */
};

/* The cloud at an index; NULL behind the last. */
const struct cloud *cloud_at(int index);
/* The index of a name, or of the cloud an authority URL belongs to; -1: none. */
int cloud_by_name(const char *name);
int cloud_by_authority(const char *authority);
/* The index of the cloud that a vault's full URL belongs to; -1: a name, or none. */
int cloud_by_vault(const char *vault);

/* Where a vault is reached and what a token for it must be asked for. */
struct cloud_vault {
	char *url;  /* https://shop-kv.vault.azure.net, with :port when one was given */
	char *host; /* shop-kv.vault.azure.net, with :port likewise */
	char *resource; /* https://vault.azure.net, without port: the token's audience */
	char *name;     /* shop-kv: for messages */
	bool hsm;       /* a Managed HSM: it holds keys only */
};

/*
 * Resolves a vault name (3 to 24 characters, completed with the cloud's suffix) or a full
 * https URL.  test_hosts: also one without a domain, https://localhost:8443, as emulators
 * have it; tokens for it are asked for with the cloud's audience.  ERR_CONFIG.
 * cloud_vault_done() the result.
 */
int cloud_vault_resolve(struct cloud_vault *out, const char *vault,
			const struct cloud *cloud, bool test_hosts,
			struct err *err) MUST_CHECK;
void cloud_vault_done(struct cloud_vault *v);

#endif
