/*
 * directory.h: the directory that sets are published to: whether it is still the one that
 * was opened, and what an operator should know of it.
 */
#ifndef DELIVER_DIRECTORY_H
#define DELIVER_DIRECTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Whether the name dir still leads to the directory of dir_fd.  ERR_IO: it was removed,
 * renamed or mounted over.  ERR_UNAVAILABLE: that could not be examined. */
int directory_check(int dir_fd, const char *dir, struct err *err) MUST_CHECK;

/* Appends what to change, for the causes of a failed call that have such a thing; -1. */
int directory_explain(struct err *err, int cause);

/* What publish_advice() says. */
const char *directory_advice(int dir_fd, int64_t retain_ms, size_t i);
/* The advice on who may enter the directory, which means nothing where all have one uid.
 */
extern const char directory_advice_group[];

#endif
