/*
 * footprint.h: how much memory the pods of a configuration need: the volume's sizeLimit,
 * and the memory limit of the container that writes.  Pure.
 *
 * The volume is memory: it holds two sets while a new one is made, in whole pages, and
 * counts as memory of the container that writes.  What the process itself takes hardly
 * depends on the list, since values do not stay in it.
 */
#ifndef SYNC_FOOTPRINT_H
#define SYNC_FOOTPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/templates.h"
#include "sync/check.h"

#define FOOTPRINT_MIB (1024 * 1024)
#define FOOTPRINT_PAGE 4096
/* A value of the vault, and the pages of its file. */
#define FOOTPRINT_VALUE (25 * 1024)
#define FOOTPRINT_FILE (7 * FOOTPRINT_PAGE)
/* Of the process: program, connections, and what is under way at a time.  Measured in a
 * cgroup with 300 values of full size over HTTP/2: 18 MiB. */
#define FOOTPRINT_PROCESS (24 * FOOTPRINT_MIB)

struct footprint {
	uint64_t files;     /* of one set */
	bool is_open;       /* and more, whose number only the vault knows */
	uint64_t set_bytes; /* of one set, when each value is of full size */
	uint64_t now_bytes; /* with the values that were read; 0: none were */
	uint64_t volume_bytes, container_bytes; /* that are needed: whole MiB */
};

void footprint_of(struct footprint *out, const struct check *check,
		  const struct templates *templates);

#endif
