/*
 * signal_name.h: the names of signals.  Pure.
 */
#ifndef EXEC_SIGNAL_NAME_H
#define EXEC_SIGNAL_NAME_H

#include <stdbool.h>

/* HUP, SIGHUP, hup, 1, RTMIN+3: one that a process can handle.  0, or -1. */
int signal_name_parse(const char *s, int *out);

#define SIGNAL_NAME_LEN 16

/* "HUP"; "RTMIN+3"; the number of one without a name. */
void signal_name_of(int number, char out[static SIGNAL_NAME_LEN]);

#endif
