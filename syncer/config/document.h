/*
 * document.h: the text of a configuration file, read as the variables that it stands for.
 * Pure.
 *
 * Two kinds of file: our own YAML, whose keys are the names of the variables in camelCase
 * (AKVSYNC_POLL_INTERVAL is pollInterval, AZURE_CLIENT_ID is clientId), and a whole
 * SecretProviderClass of the CSI provider.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "config/overlay.h"

/* ERR_CONFIG with the key or line.  overlay_done() the result. */
int document_read(struct overlay *out, const char *text, size_t len,
		  struct err *err) MUST_CHECK;

#endif
