/*
 * watches.h: which files with the text of templates are watched.
 */
#ifndef RUN_WATCHES_H
#define RUN_WATCHES_H

#include "base/watch.h"
#include "config/configuration.h"

/*
 * Watches the files of a configuration's templates from now on, in TEMPLATES_FILES_MAX
 * slots that the caller frees; a file that is watched already keeps its watch.  A file
 * need not be there.  True: one of them has changed since the configuration was read.
 */
bool watches_follow(struct watch **slots, const struct templates *all, int64_t now);

#endif
