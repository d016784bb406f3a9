/*
 * reference.h: the value of a variable that stands for a file of the set.  Pure.
 *
 * "akvsync:PATH", "akvsync:PATH#POINTER", or as akv2k8s spells it "NAME@azurekeyvault",
 * "NAME@azurekeyvault?KEY".  A reference is a whole value: what stands before or behind
 * it makes it plain text or a mistake, and what it stands for is never read as a
 * reference again.
 */
#ifndef EXEC_REFERENCE_H
#define EXEC_REFERENCE_H

#include <stdbool.h>

#include "base/err.h"

/* What of the file is wanted. */
enum reference_part {
	REFERENCE_WHOLE,   /* all its bytes */
	REFERENCE_POINTER, /* a value of the JSON text that it is */
	REFERENCE_QUERY,   /* KEY as akv2k8s means it: see part.h */
};

struct reference {
	char *path; /* relative to the set; checked by path_check() */
	enum reference_part part;
	char *key; /* a JSON pointer (RFC 6901) or KEY; NULL for the whole file */
};

/*
 * Reads a value.  *found is false, and *out is empty, for one that is no reference.
 * ERR_CONFIG: it looks like a reference and is none, such as one with an absolute path;
 * the message goes on after the variable's name.  reference_done() the result.
 */
int reference_parse(struct reference *out, const char *value, bool *found,
		    struct err *err) MUST_CHECK;
void reference_done(struct reference *r);

/* Whether a value that is no reference has one in it, such as "db://u:akvsync:pass@h":
 * such a value is passed on as it is, which is rarely what was meant.  An address with
 * akvsync's own name, such as http://akvsync:8087, is none. */
bool reference_is_inside(const char *value);

/* The JSON pointer to one key of an object, whatever characters the key has: in a pointer
 * '~' and '/' are written ~0 and ~1.  The caller frees it. */
char *reference_pointer(const char *key);

#endif
