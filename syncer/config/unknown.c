#include "config/unknown.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* So many letters of a name may differ from one that was meant. */
#define TYPO_MAX 2

int unknown_name(const struct known *known, const char *name, const struct yaml *map,
		 struct buf *ignored, struct err *err)
{
	auto_free char *copy = xstrdup(name);
	bool is_spaced = strlen(text_trim(copy)) != strlen(name);
	const char *nearest = text_nearest(name, known->names, known->count);

	/* White space around a name is most often one that nobody sees, such as a
	 * no-break space, and for YAML a part of the name. */
	if (ignored == NULL ||
	    (nearest != NULL && !is_spaced && text_distance(name, nearest) <= TYPO_MAX &&
	     yaml_member(map, nearest) == NULL)) {
		err_set(err, ERR_CONFIG, "unknown attribute '%.80s'", name);
		return nearest ? err_hint(err, "did you mean '%s'?", nearest) : -1;
	}
	buf_printf(ignored, "%s%s%s", ignored->len ? ", " : "", text_trim(copy),
		   is_spaced ? " (with a no-break space or the like in its name)" : "");
	return 0;
}
