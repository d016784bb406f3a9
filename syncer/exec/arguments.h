/*
 * arguments.h: the command line of `akvsync exec`, from text to a checked structure.
 * Pure.
 */
#ifndef EXEC_ARGUMENTS_H
#define EXEC_ARGUMENTS_H

#include "exec/restart.h"
#include "exec/variables.h"

struct arguments {
	struct variables_rules rules;
	struct restart_rules restart;
	int stop_signal;   /* what asks CMD to end; TERM */
	int change_signal; /* of --on-change=signal:SIG */
	int change_exit;   /* of --on-change=exit:CODE */
	bool kill_group;   /* stop_signal goes to CMD's whole process group */
	char **command;    /* CMD and its arguments, and a NULL: a part of argv */
};

/* The exit code of --on-change=exit without a number: the one of the examples for
 * Kubernetes' RestartAllContainers. */
#define ARGUMENTS_CHANGE_EXIT 88

/* Reads what follows "exec".  The strings stay argv's.  ERR_USAGE names the option and
 * what it takes.  arguments_done() either way. */
int arguments_parse(struct arguments *out, int argc, char **argv,
		    struct err *err) MUST_CHECK;
void arguments_done(struct arguments *o);

#endif
