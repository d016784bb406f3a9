/*
 * environment.h: from the variables of the environment to the settings, validated once at
 * start.  Pure.
 *
 * Refuses: unknown variables under our prefix, malformed values, combinations that cannot
 * work.
 */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "config/settings.h"

/*
 * Reads and validates all but the identity in the environment, an array as environ(7)'s.
 * Empty values count as unset.  Every problem is ERR_CONFIG and names the variable, the
 * accepted form and, for an unknown name, the nearest known one.  log_level, log_format
 * and termination_log are usable even then, so that the problem can be logged.  The
 * caller calls settings_done() either way.
 */
int environment_load(struct settings *out, char *const *env, struct err *err) MUST_CHECK;

/* For a process beside an app, which only reads what a sidecar wrote: of our variables it
 * knows the names of all, so that a typo is found, and the values of a few: dir,
 * init_timeout_ms, notify_splay_ms and how to log.  The rest as above. */
int environment_load_reader(struct settings *out, char *const *env,
			    struct err *err) MUST_CHECK;

/* The directory alone; validates nothing.  The caller frees it. */
char *environment_dir(char *const *env);

/* Copies an environment, cuts white space at both ends of the values of our variables,
 * and wipes the values of identity variables in the original: a process that reads it
 * later, or a child, does not get them.  environment_untake() wipes and frees the copy.
 */
char **environment_take(char *const *env);
void environment_untake(char **env);

#endif
