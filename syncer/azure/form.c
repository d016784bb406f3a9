#include "azure/form.h"

#include <ctype.h>
#include <string.h>

void form_escape(struct buf *out, const char *s)
{
	for (; *s; s++) {
		const char plain[2] = { *s, '\0' };

		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			buf_text(out, plain);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

void form_add(struct buf *form, const char *name, const char *value)
{
	buf_printf(form, "%s%s=", form->len ? "&" : "", name);
	form_escape(form, value);
}
