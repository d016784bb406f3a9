/*
 * program.h: which program a process runs, and which script when that program is an
 * interpreter.  Pure: it decides from what proc.h has read.
 */
#ifndef DELIVER_PROGRAM_H
#define DELIVER_PROGRAM_H

#include <stdbool.h>

#include "deliver/proc.h"

/* The last part of argv[0]; "" when it cannot be read. */
const char *program_argv0(const struct proc *p);

/* The argument that names the script, the module or the class that an interpreter runs,
 * as in "python3 -u shop.py"; NULL: it is no interpreter that we know, or runs no script.
 */
const char *program_script(const struct proc *p);

/* True when it runs this program, whatever its version: "ruby3.1" is ruby. */
bool program_is(const struct proc *p, const char *name);

/* True for a shell, also one that runs a script. */
bool program_is_shell(const struct proc *p);

#endif
