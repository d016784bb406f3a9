/*
 * links.h: the links beside the generations, by which readers reach the current one:
 * DIR/..data -> a generation, DIR/<name> -> ..data/<name>.
 *
 * What is in the place of a new link and was not made by akvsync is never replaced or
 * removed.  What has taken the place of a link of the current set is, since readers do
 * not reach the set any more: all but a directory that holds something.  dir is the
 * directory's name, for messages.
 */
#ifndef DELIVER_LINKS_H
#define DELIVER_LINKS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/file.h"
#include "deliver/generation.h"
#include "deliver/paths.h"

#define LINKS_DATA "..data"

/* Makes DIR/name, unless it is there already; *made says which.  ERR_IO, errno kept:
 * something else is in its place, among others. */
int links_make(int dir_fd, const char *dir, const char *name, bool *made,
	       struct err *err) MUST_CHECK;

/*
 * Makes ..data, and the links to the files of the current generation that are there, lead
 * to them again, each by one rename.  The names of those that did not go to *healed.
 * ERR_IO, with the fix where it is known: a directory that holds something is in the
 * place of one, among others.
 */
int links_mend(int dir_fd, const char *dir, const struct generation *current,
	       struct paths *healed, struct err *err) MUST_CHECK;

/* Removes the links DIR/name that lead nowhere, as far as it can. */
void links_sweep(int dir_fd);

/* Removes DIR/name when it is such a link. */
void links_sweep_one(int dir_fd, const char *name);

/*
 * Points ..data at a generation, by one rename.  temp receives the name of the link that
 * is renamed, "" before that exists.  ERR_IO, errno kept: ..data is as before, and the
 * caller removes temp.
 */
int links_swap(int dir_fd, const char *dir, const char *generation,
	       char temp[static FILE_TEMP_LEN], struct err *err) MUST_CHECK;

#endif
