#include "net/noproxy.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define BETWEEN ",; \t\r\n"
#define HTTPS_PORT 443

/* An entry of the list, or the host that is asked for. */
enum place_kind { PLACE_WRONG, PLACE_ALL, PLACE_NAME, PLACE_NETWORK };

struct place {
	enum place_kind kind;
	int port;            /* 0: any */
	char name[256];      /* PLACE_NAME: without dots at its ends */
	uint8_t address[16]; /* PLACE_NETWORK: IPv4 as ::ffff:a.b.c.d */
	int bits;            /* of it that count; 128: one address */
	const char *mistake; /* PLACE_WRONG */
};

static const char wrong_name[] = "write a host or a domain, such as .vault.azure.net, "
				 "with commas between";
static const char wrong_network[] =
	"an address or network is written as 10.1.2.3, 10.0.0.0/8 or fd00::/8";

/* No name, whatever it is: "10.0.0.1", "10.0.0.*", ".". */
static bool is_numeric(const char *text)
{
	return text[strspn(text, "0123456789.*")] == '\0';
}

static int read_address(const char *text, struct place *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, out->address) == 1)
		return 128;
	memcpy(out->address, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, out->address + sizeof(mapped)) == 1 ? 32 : 0;
}

/* "10.1.2.3", "10.0.0.0/8" and the like. */
static bool read_network(char *text, struct place *out)
{
	char *slash = strchr(text, '/');
	int64_t bits;
	int width;

	if (slash != NULL)
		*slash = '\0';
	width = read_address(text, out);
	bits = width;
	if (width == 0 || (slash != NULL && text_number(slash + 1, width, &bits) < 0))
		return false;
	out->kind = PLACE_NETWORK;
	out->bits = 128 - width + (int)bits;
	return true;
}

static void read_name(char *text, struct place *out)
{
	size_t len;

	if (text_starts(text, "*."))
		text++;
	text += *text == '.';
	len = strlen(text);
	if (len > 0 && text[len - 1] == '.')
		text[--len] = '\0';
	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789-_.")] != '\0') {
		out->mistake = wrong_name;
		return;
	}
	snprintf(out->name, sizeof(out->name), "%s", text);
	out->kind = PLACE_NAME;
}

/* Cuts ":PORT" off.  What has more colons is an IPv6 address, unless brackets tell the
 * port apart. */
static bool take_port(char *text, struct place *out)
{
	char *colon = strrchr(text, ':');
	int64_t port;

	if (colon == NULL ||
	    (strchr(text, ':') != colon && !(colon > text && colon[-1] == ']')))
		return true;
	if (text_number(colon + 1, 65535, &port) < 0 || port == 0)
		return false;
	*colon = '\0';
	out->port = (int)port;
	return true;
}

static struct place read_place(const char *start, size_t len)
{
	struct place place = { 0 };
	char copy[256], *text = copy;

	if (len >= sizeof(copy)) {
		place.mistake = "it is too long for a host";
		return place;
	}
	snprintf(copy, sizeof(copy), "%.*s", (int)len, start);
	if (strstr(text, "://") != NULL || strchr(text, '@') != NULL) {
		place.mistake = "write the host alone, not a URL";
		return place;
	}
	if (!take_port(text, &place)) {
		place.mistake = "what stands behind ':' is not a port";
		return place;
	}
	len = strlen(text);
	if (text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		text++;
	}
	if (strcmp(text, "*") == 0)
		place.kind = PLACE_ALL;
	else if (strpbrk(text, ":/") == NULL && !is_numeric(text))
		read_name(text, &place);
	else if (!read_network(text, &place))
		place.mistake = text[strspn(text, "0123456789.*abcdefABCDEF:")] == '\0'
					? wrong_network
					: wrong_name;
	return place;
}

static bool is_in_network(const struct place *network, const struct place *host)
{
	int whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->address, host->address, (size_t)whole) != 0)
		return false;
	return rest == 0 ||
	       (network->address[whole] ^ host->address[whole]) >> (8 - rest) == 0;
}

static bool is_below(const char *domain, const char *name)
{
	size_t domain_len = strlen(domain), len = strlen(name);

	return text_ends_same(name, domain) &&
	       (len == domain_len || name[len - domain_len - 1] == '.');
}

static bool place_holds(const struct place *place, const struct place *host)
{
	if (place->port != 0 && place->port != host->port)
		return false;
	if (place->kind == PLACE_ALL)
		return true;
	if (place->kind != host->kind)
		return false;
	if (place->kind == PLACE_NAME)
		return is_below(place->name, host->name);
	return place->kind == PLACE_NETWORK && is_in_network(place, host);
}

/* The entry at or behind *list, which then stands behind it. */
static bool next_place(const char **list, const char **start, struct place *out)
{
	size_t len;

	if (*list == NULL)
		return false;
	*start = *list + strspn(*list, BETWEEN);
	len = strcspn(*start, BETWEEN);
	*list = *start + len;
	if (len > 0)
		*out = read_place(*start, len);
	return len > 0;
}

bool noproxy_names(const char *list, const char *host)
{
	struct place asked = read_place(host, strlen(host)), place;
	const char *start;

	if (asked.port == 0)
		asked.port = HTTPS_PORT;
	while (next_place(&list, &start, &place))
		if (place_holds(&place, &asked))
			return true;
	return false;
}

bool noproxy_has_networks(const char *list)
{
	const char *start;
	struct place place;

	while (next_place(&list, &start, &place))
		if (place.kind == PLACE_NETWORK)
			return true;
	return false;
}

const char *noproxy_mistake(const char *list, size_t i,
			    char entry[static NOPROXY_ENTRY_LEN])
{
	const char *start;
	struct place place;

	while (next_place(&list, &start, &place)) {
		int len = (int)(list - start);

		if (place.kind != PLACE_WRONG || i-- > 0)
			continue;
		if (memchr(start, '@', (size_t)len) != NULL)
			snprintf(entry, NOPROXY_ENTRY_LEN, "(user)@…");
		else
			snprintf(entry, NOPROXY_ENTRY_LEN, "%.*s", len, start);
		return place.mistake;
	}
	return NULL;
}
