/*
 * signal_name.h: the names of signals.  Pure.
 */
#ifndef BASE_SIGNAL_NAME_H
#define BASE_SIGNAL_NAME_H

/* Reads HUP, SIGHUP, 1 or RTMIN+3, letters in any case: one that a process can handle.
 * 0, or -1. */
int signal_name_parse(const char *s, int *out);

struct signal_name {
	char text[16];
};

/* "HUP"; "RTMIN+3"; the number of one without a name. */
struct signal_name signal_name_of(int number);

#endif
