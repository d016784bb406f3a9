/*
 * provider.h: a SecretProviderClass of the Azure CSI provider, as it is in the cluster,
 * read as our variables.  Pure.
 */
#ifndef CONFIG_PROVIDER_H
#define CONFIG_PROVIDER_H

#include "config/overlay.h"
#include "config/yaml.h"

bool provider_is_manifest(const struct yaml *document);

/* Adds what it sets, and names in o->ignored what has no meaning here.  Cuts the white
 * space around its parameters, as the provider does.  ERR_CONFIG. */
int provider_read(struct overlay *o, const struct yaml *document,
		  struct err *err) MUST_CHECK;

#endif
