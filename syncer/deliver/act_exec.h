/*
 * act_exec.h: exec=PATH ARG… after a set was published, and precheck=exec PATH ARG…
 * before.  hook.h says how the program runs.
 */
#ifndef DELIVER_ACT_EXEC_H
#define DELIVER_ACT_EXEC_H

#include "deliver/target.h"

extern const struct target_kind act_exec, act_precheck;

#endif
