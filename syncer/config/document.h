/*
 * document.h: the text of a configuration file, read as the variables that it stands for.
 * Pure.
 *
 * Two kinds of file: our own YAML, whose keys are the names of the variables in camelCase
 * (AKVSYNC_POLL_INTERVAL is pollInterval, AZURE_CLIENT_ID is clientId), and a manifest
 * with a SecretProviderClass of the CSI provider.  A manifest may have many documents, as
 * what a chart makes has: the one SecretProviderClass among them is read.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "config/overlay.h"

/*
 * choice names the SecretProviderClass to read, as "name" or "namespace/name"; NULL: the
 * only one.  ERR_CONFIG with the key or line, or with the names or kinds of what is there
 * instead.  overlay_done() the result.
 */
int document_read(struct overlay *out, const char *text, size_t len, const char *choice,
		  struct err *err) MUST_CHECK;

#endif
