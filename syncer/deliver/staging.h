/*
 * staging.h: new bytes of a set that is being made wait on the volume, not in memory.
 *
 * Bytes that the file of the current set has already are dropped at once.  Others go to a
 * file of their own in DIR/..tmp.<number>, a directory that nobody but our uid may enter,
 * and from there into the set, once that is made.  What a crash leaves behind goes with
 * the other temporary names.
 */
#ifndef DELIVER_STAGING_H
#define DELIVER_STAGING_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/file.h"
#include "deliver/generation.h"
#include "deliver/staged.h"

struct staging {
	char name[FILE_TEMP_LEN]; /* of its directory; "" for none yet */
	int fd;                   /* -1 likewise */
	unsigned count;
};

#define STAGING_NONE ((struct staging){ .fd = -1 })

/*
 * Takes the bytes that are to be the file of that path and mode; they are wiped then.
 * When the volume does not take them, such as for want of room, they stay in memory and
 * *out is STAGED_NOT: making the set will say what is wrong.
 */
void staging_put(struct staging *s, int dir_fd, const struct generation *current,
		 const char *path, mode_t mode, struct buf *bytes, struct staged *out);

/* Appends them to out again.  ERR_IO: another program changed or removed the file that
 * has them; the message goes on after the file's name. */
int staging_read(const struct staging *s, const struct generation *current,
		 const char *path, const struct staged *staged, struct buf *out,
		 struct err *err) MUST_CHECK;

/* Removes a staged file whose bytes are no longer wanted; *staged is STAGED_NOT then. */
void staging_drop(const struct staging *s, struct staged *staged);

/* The name of a staged file in the directory of s->fd. */
#define STAGING_FILE_LEN 16
void staging_file(const struct staged *staged, char out[static STAGING_FILE_LEN]);

/* True when this is the file that was seen to have the bytes, unchanged. */
bool staged_is(const struct staged *staged, const struct stat *st);

/* Removes the directory with all staged files.  False, with its name in name: it is still
 * there. */
bool staging_remove(struct staging *s, int dir_fd, char name[static FILE_TEMP_LEN]);

#endif
