#include "config/path.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define COMPONENT_MAX 255
#define PATH_MAX_LEN 4095
#define PARTS_MAX 32

static int check_characters(const char *path, struct err *err)
{
	for (size_t n; *path; path += n) {
		n = text_utf8_length(path);
		if (n == 0)
			return err_set(err, ERR_CONFIG, "is not UTF-8 text");
		if (iscntrl((unsigned char)*path))
			return err_set(err, ERR_CONFIG, "has a control character");
	}
	return 0;
}

static int check_component(const char *component, size_t len, bool first, struct err *err)
{
	if (len == 0 || (len == 1 && component[0] == '.'))
		return err_set(err, ERR_CONFIG, "has an empty part; write it as a/b");
	if (len == 2 && memcmp(component, "..", 2) == 0)
		return err_set(err, ERR_CONFIG, "may not leave its directory by '..'");
	if (first && len >= 2 && memcmp(component, "..", 2) == 0)
		return err_set(err, ERR_CONFIG,
			       "may not start with '..'; such names are akvsync's own");
	if (len > COMPONENT_MAX)
		return err_set(err, ERR_CONFIG, "has a part longer than %d bytes",
			       COMPONENT_MAX);
	return 0;
}

int path_check(const char *path, struct err *err)
{
	int parts = 0;

	if (path[0] == '/')
		return err_set(err, ERR_CONFIG, "must be relative to AKVSYNC_DIR");
	if (strlen(path) > PATH_MAX_LEN)
		return err_set(err, ERR_CONFIG, "is longer than %d bytes", PATH_MAX_LEN);
	if (check_characters(path, err) < 0)
		return -1;
	for (const char *c = path;;) {
		size_t len = strcspn(c, "/");

		if (check_component(c, len, parts == 0, err) < 0)
			return -1;
		if (++parts > PARTS_MAX)
			return err_set(err, ERR_CONFIG, "has more than %d parts",
				       PARTS_MAX);
		if (c[len] == '\0')
			return 0;
		c += len + 1;
	}
}

bool path_collides(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return *a == '\0' ? *b == '\0' || *b == '/' : *b == '\0' && *a == '/';
}
