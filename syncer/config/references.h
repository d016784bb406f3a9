/*
 * references.h: whether templates, env files and Secrets name files that the list of
 * objects makes, and whether templates have paths of their own.  Pure.
 */
#ifndef CONFIG_REFERENCES_H
#define CONFIG_REFERENCES_H

#include "config/objects.h"

/*
 * Checks the templates of a list.  A name that a pattern, tags or a history may give is
 * accepted: it is known when the vault has answered.
 * ERR_CONFIG names the variable, the template, the place in it, the rule and the known
 * name that may be meant.
 */
int references_check(const struct objects *all, struct err *err) MUST_CHECK;

/* Checks one path in the same way; the files of templates count, too.  ERR_CONFIG: "no
 * object of the list makes a file 'x'". */
int references_check_file(const struct objects *all, const char *path,
			  struct err *err) MUST_CHECK;

#endif
