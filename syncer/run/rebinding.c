#include "run/rebinding.h"

#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool rebinding_is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address->sa_family == AF_INET6 &&
	       (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
		(IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		 v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET));
}

/* host: NAME, NAME:PORT, [ADDRESS]:PORT */
static bool rebinding_may_name(const char *host)
{
	static const char *const private[] = { ".localhost", ".local", ".svc" };
	auto_free char *name = xstrndup(host, strcspn(host, ":"));
	size_t len = strlen(name);
	const char *last;

	/* "localhost." is localhost. */
	if (len > 0 && name[len - 1] == '.')
		name[len - 1] = '\0';
	last = strrchr(name, '.');
	/* The last part of an address is a number, that of a site's name is not. */
	if (host[0] == '[' || last == NULL ||
	    last[1 + strspn(last + 1, "0123456789")] == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_LEN(private); i++)
		if (text_ends_same(name, private[i]))
			return true;
	return false;
}

bool rebinding_is_likely(struct MHD_Connection *connection)
{
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_HOST);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return host != NULL && info != NULL && rebinding_is_loopback(info->client_addr) &&
	       !rebinding_may_name(host);
}
