/*
 * harden.h: keeps the memory of this process from core files and from other processes of
 * its user.
 */
#ifndef SANDBOX_HARDEN_H
#define SANDBOX_HARDEN_H

#include "base/err.h"

/* Before anything secret is read.  ERR_IO. */
int harden(struct err *err) MUST_CHECK;

#endif
