/*
 * env_variables.h: the variables of an env file: lines NAME=value of a template whose
 * values are files.  Pure.
 */
#ifndef CONFIG_ENV_VARIABLES_H
#define CONFIG_ENV_VARIABLES_H

#include "base/buf.h"
#include "base/template.h"
#include "config/yaml.h"

/* Append the variables of a map {NAME: path}, or those of a list of paths, whose names
 * are made of the paths: db/password becomes DB_PASSWORD.  ERR_CONFIG: a name is none, or
 * is there already. */
int env_variables_read_map(struct template *body, const struct yaml *map,
			   struct err *err) MUST_CHECK;
int env_variables_read_list(struct template *body, const struct yaml *list,
			    struct err *err) MUST_CHECK;

/* The form that all values get. */
void env_variables_set_filter(struct template *body, enum template_filter filter);

/* Appends them as a JSON map, which env_variables_read_map() reads back. */
void env_variables_write(const struct template *body, struct buf *out);

#endif
