#include "report/view.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"

int64_t view_wall_ms(const struct view *v, int64_t at)
{
	return clock_later(v->wall_ms - (v->now - at), 0);
}

void view_seconds(struct buf *out, int64_t ms)
{
	ms = clock_later(ms, 0);
	buf_printf(out, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

const char *view_error_word(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		break;
	case ERR_USAGE:
	case ERR_CONFIG:
		return "configuration";
	case ERR_IDENTITY:
		return "identity";
	case ERR_DENIED:
		return "permission";
	case ERR_NOTFOUND:
		return "not-found";
	case ERR_GARBLED:
		return "garbled";
	case ERR_UNAVAILABLE:
		return "unavailable";
	case ERR_IO:
		return "local";
	}
	return "none";
}

const struct incident *view_cause(const struct view *v, const struct state_object *o)
{
	/* What is nearest to the object first. */
	const struct {
		enum incident_kind kind;
		const char *name;
	} causes[] = {
		{ INCIDENT_OBJECT, o->path }, { INCIDENT_VAULT, o->vault->name },
		{ INCIDENT_IDENTITY, NULL },  { INCIDENT_TOKEN_ENDPOINT, NULL },
		{ INCIDENT_SET, NULL },       { INCIDENT_VOLUME, NULL },
	};
	const struct incident *found = NULL;

	for (size_t i = 0; found == NULL && i < ARRAY_LEN(causes); i++)
		found = incidents_get(v->incidents, causes[i].kind, causes[i].name);
	/* The programs of prechecks have names of their own. */
	for (size_t i = 0; found == NULL && i < v->incidents->count; i++)
		if (v->incidents->items[i]->kind == INCIDENT_PRECHECK)
			found = v->incidents->items[i];
	return found;
}
