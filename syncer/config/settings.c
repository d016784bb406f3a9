#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/variable.h"

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < variable_count; i++) {
		char *text = variables[i].type == VARIABLE_TEXT
				     ? *variable_text(s, &variables[i])
				     : NULL;

		if (text != NULL && variables[i].redact != TELL)
			wipe(text, strlen(text));
		free(text);
	}
	*s = (struct settings){ 0 };
}

/* ---- describing ---- */

void settings_describe(const struct settings *s, struct buf *out)
{
	for (size_t i = 0; i < variable_count; i++) {
		buf_printf(out, "%s\"%s\":", i ? "," : "", variables[i].name);
		variable_describe(s, &variables[i], out);
	}
}

const char *settings_variable(size_t i, bool *secret)
{
	if (i >= variable_count)
		return NULL;
	*secret = variable_is_secret(&variables[i]);
	return variables[i].name;
}

void settings_value(const struct settings *s, size_t i, struct buf *out)
{
	variable_describe(s, &variables[i], out);
}

const char *settings_needs_restart(const struct settings *running,
				   const struct settings *wanted)
{
	for (size_t i = 0; i < variable_count; i++) {
		const struct variable *v = &variables[i];

		if (!v->reloads && !variable_same(running, wanted, v))
			return v->name;
	}
	return NULL;
}

void settings_help(struct buf *out)
{
	for (size_t i = 0; i < variable_count; i++) {
		const struct variable *v = &variables[i];

		buf_printf(out, "  %s%s%s\n      %s\n", v->name, v->fallback ? "=" : "",
			   v->fallback ? v->fallback : "", v->help);
	}
}
