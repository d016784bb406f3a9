/*
 * act_exit.h: exit=CODE: akvsync ends with this code, so that a rule of the pod restarts
 * all containers (restartPolicyRules with RestartAllContainers).
 *
 * Not sooner than AKVSYNC_RESTART_MIN after it last did; the end is put off until then.
 * The codes that akvsync ends with for other reasons are refused.
 */
#ifndef DELIVER_ACT_EXIT_H
#define DELIVER_ACT_EXIT_H

#include "deliver/target.h"

extern const struct target_kind act_exit;

#endif
