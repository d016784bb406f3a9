/*
 * act_signal.h: signal=NAME,process=NAME or signal=NAME,pidfile=PATH.
 */
#ifndef DELIVER_ACT_SIGNAL_H
#define DELIVER_ACT_SIGNAL_H

#include "deliver/target.h"

extern const struct target_kind act_signal;

#endif
