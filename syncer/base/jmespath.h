/*
 * jmespath.h: which value of a JSON text is meant: the part of JMESPath (jmespath.org)
 * that names one value.  Pure.
 *
 *   path  = first *( "." key / "[" digits "]" )      first = key / "[" digits "]"
 *   key   = letters, digits and _, no digit first  /  a JSON string
 *
 * All else of the language (wildcards, filters, functions, pipes, ...) is refused by its
 * name.
 */
#ifndef BASE_JMESPATH_H
#define BASE_JMESPATH_H

#include "base/jsontext.h"

/* ERR_CONFIG; the message, such as "has a wildcard at character 3 ...", goes on after the
 * path. */
int jmespath_check(const char *path, struct err *err) MUST_CHECK;

/* Finds the value that a checked path names.  ERR_CONFIG: there is none; the message,
 * such as "has no key 'b'", goes on after the thing searched and quotes the path only. */
int jmespath_find(const char *path, const struct jsontext *root, struct jsontext *out,
		  struct err *err) MUST_CHECK;

#endif
