/*
 * alone.h: the sidecar as a child of exec, where nothing else runs one: Docker, Compose,
 * Container Apps, machines and laptops.  It writes into a directory of its own.
 */
#ifndef EXEC_ALONE_H
#define EXEC_ALONE_H

#include <stdbool.h>
#include <stdint.h>

#include "exec/child.h"

/* {0}: something else writes the files, and nothing is done here. */
struct alone {
	int (*run)(const char *dir); /* the sidecar; gives its exit code */
	const struct child_origin *origin;
	char *dir;        /* where it writes */
	bool made_dir;    /* it goes at the end */
	bool is_lost;     /* somebody has removed it */
	int lock_fd;      /* of a made one: says to others that it is in use; -1: none */
	pid_t pid;        /* of the sidecar; 0: it does not run */
	int64_t start_at; /* when it is started again; CLOCK_NEVER */
	int64_t started_at, pause_ms;
};

/* Prepares the sidecar.  dir: where it writes; NULL: a new directory on tmpfs that is
 * nobody else's.  ERR_IO.  alone_close() the result. */
int alone_open(struct alone *a, const char *dir, int (*run)(const char *dir),
	       const struct child_origin *origin, struct err *err) MUST_CHECK;

/* When alone_is_due() becomes true. */
int64_t alone_deadline(const struct alone *a);
bool alone_is_due(const struct alone *a, int64_t now);

/*
 * Whether somebody has removed the directory that was made, or the set in it, as
 * systemd-logind does with what a user who logs out has in /dev/shm.  The sidecar is then
 * asked to end, and the next one gets a new directory of the same name; until it has
 * published, what is there means nothing: anybody may have put it there.
 */
enum alone_place { ALONE_PLACE_FINE, ALONE_PLACE_LOST, ALONE_PLACE_STILL_LOST };
enum alone_place alone_look(struct alone *a);

/* Starts the sidecar.  In the new process, forget(arg) comes first: it closes what the
 * sidecar may not share with this process.  ERR_IO: it is due again
 * later; also when the directory cannot be made again, or is another user's now. */
int alone_start(struct alone *a, void (*forget)(void *arg), void *arg, int64_t now,
		struct err *err) MUST_CHECK;

/* The sidecar has ended, and will be started again after a pause: a second, and twice as
 * long each time, up to a minute, while it lives for less than that. */
void alone_ended(struct alone *a, int64_t now);

/* Ends the sidecar, waits until it is gone, up to a time, and removes the directory. */
void alone_close(struct alone *a, int64_t grace_ms);

#endif
