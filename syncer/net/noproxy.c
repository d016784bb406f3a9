#include "net/noproxy.h"

#include <string.h>
#include <strings.h>

#define BETWEEN ", \t"

static bool is_domain_of(const char *name, size_t len, const char *host, size_t host_len)
{
	if (len > 2 && name[0] == '*' && name[1] == '.') {
		name++;
		len--;
	}
	if (len > 0 && name[0] == '.') {
		name++;
		len--;
	}
	if (len == 0 || len > host_len ||
	    strncasecmp(host + host_len - len, name, len) != 0)
		return false;
	return len == host_len || host[host_len - len - 1] == '.';
}

bool noproxy_names(const char *list, const char *host)
{
	size_t host_len = strcspn(host, ":"), len;

	for (; list != NULL && *list != '\0'; list += len) {
		list += strspn(list, BETWEEN);
		len = strcspn(list, BETWEEN);
		if ((len == 1 && *list == '*') || is_domain_of(list, len, host, host_len))
			return true;
	}
	return false;
}
