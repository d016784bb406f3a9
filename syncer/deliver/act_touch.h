/*
 * act_touch.h: touch=PATH: creates an empty file, or sets the time of one that is there.
 *
 * For an app that watches a file.  It never touches the volume of the set, whatever links
 * lead there: apps mount that read-only, and akvsync alone writes to it.  The last part
 * of the path must not be a link.
 */
#ifndef DELIVER_ACT_TOUCH_H
#define DELIVER_ACT_TOUCH_H

#include "deliver/target.h"

extern const struct target_kind act_touch;

#endif
