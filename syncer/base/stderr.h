/*
 * stderr.h: bytes to stderr, which another process has to read: never waits for longer
 * than the caller allows, whatever stderr is.
 *
 * Not by O_NONBLOCK on it: that would hold for all who share it.
 */
#ifndef BASE_STDERR_H
#define BASE_STDERR_H

#include <stddef.h>
#include <stdint.h>

/* Writes what stderr takes until then (CLOCK_MONOTONIC, ms; 0: what it takes at once);
 * how many bytes.  Fewer than n: it takes no more, or none ever again. */
size_t stderr_write(const char *p, size_t n, int64_t until);

#endif
