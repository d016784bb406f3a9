/*
 * compose_fill.h: what one template or env file takes of a set, and the content that it
 * becomes.
 */
#ifndef SYNC_COMPOSE_FILL_H
#define SYNC_COMPOSE_FILL_H

#include "config/templates.h"
#include "deliver/publish.h"

/* The set whose files a template takes. */
struct compose_set {
	const struct publish *publish;     /* has the files without data */
	const struct publish_file **files; /* in the order of their paths */
	size_t count;
};

/* free() its files; those of the array stay the caller's. */
struct compose_set compose_set(const struct publish *publish,
			       const struct publish_file *files, size_t count);

/* The limit of what is made of a template. */
size_t compose_limit(const struct template_file *file);

/* Appends the content.  ERR_NOTFOUND, ERR_CONFIG, ERR_IO: the message names the template,
 * the place in it and the file that it takes there. */
int compose_fill(const struct compose_set *set, const struct template_file *file,
		 struct buf *out, struct err *err) MUST_CHECK;

/* The version of all that it takes; NULL: something is missing.  The caller frees. */
char *compose_version(const struct compose_set *set, const struct template_file *file);

#endif
