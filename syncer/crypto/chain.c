#include "crypto/chain.h"

#include <openssl/err.h>

struct chain_graph {
	bool issued[CHAIN_MAX][CHAIN_MAX]; /* [child][issuer] */
	int count;
};

static bool chain_is_issued_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool is_it = key != NULL &&
		     X509_NAME_cmp(X509_get_issuer_name(certificate),
				   X509_get_subject_name(issuer)) == 0 &&
		     X509_verify(certificate, key) == 1;

	ERR_clear_error();
	return is_it;
}

bool chain_is_self_signed(X509 *certificate)
{
	return chain_is_issued_by(certificate, certificate);
}

static void chain_find_issuers(X509 *const *certificates, struct chain_graph *g)
{
	for (int child = 0; child < g->count; child++)
		for (int issuer = 0; issuer < g->count; issuer++)
			g->issued[child][issuer] = chain_is_issued_by(
				certificates[child], certificates[issuer]);
}

static bool chain_is_issuer(const struct chain_graph *g, int i)
{
	for (int child = 0; child < g->count; child++)
		if (child != i && g->issued[child][i])
			return true;
	return false;
}

/* -1: the key fits no certificate. */
static int chain_find_leaf(X509 *const *certificates, const struct chain_graph *g,
			   const EVP_PKEY *key)
{
	int leaf = key != NULL ? -1 : 0;

	for (int i = g->count - 1; i >= 0; i--)
		if (key != NULL ? X509_check_private_key(certificates[i], key) == 1
				: !chain_is_issuer(g, i))
			leaf = i;
	ERR_clear_error();
	return leaf;
}

/* The way from the leaf to the nearest self-signed certificate, or as far up as it goes:
 * breadth first, so cross-signed certificates cannot lead astray.  Of ways that are
 * equally long the first counts, so what was put in order stays in it.  Returns its
 * length. */
static int chain_find(const struct chain_graph *g, int leaf, int chain[CHAIN_MAX])
{
	int from[CHAIN_MAX], queue[CHAIN_MAX], depth[CHAIN_MAX];
	int head = 0, tail = 0, top = leaf, length = 0;

	for (int i = 0; i < g->count; i++)
		from[i] = -1;
	from[leaf] = leaf;
	depth[leaf] = 0;
	queue[tail++] = leaf;
	while (head < tail) {
		int child = queue[head++];
		bool is_root = g->issued[child][child];

		if (is_root || depth[child] > depth[top])
			top = child;
		if (is_root)
			break;
		for (int issuer = 0; issuer < g->count; issuer++) {
			if (!g->issued[child][issuer] || from[issuer] >= 0)
				continue;
			from[issuer] = child;
			depth[issuer] = depth[child] + 1;
			queue[tail++] = issuer;
		}
	}
	for (int i = top;; i = from[i]) {
		length++;
		if (i == leaf)
			break;
	}
	for (int i = top, at = length - 1; at >= 0; i = from[i])
		chain[at--] = i;
	return length;
}

int chain_order(X509 **certificates, int count, EVP_PKEY *key, bool *moved)
{
	struct chain_graph g = { .count = count };
	int chain[CHAIN_MAX], leaf, length, place;
	bool used[CHAIN_MAX] = { false };
	X509 *ordered[CHAIN_MAX];

	chain_find_issuers(certificates, &g);
	leaf = chain_find_leaf(certificates, &g, key);
	if (leaf < 0)
		return 0;
	length = chain_find(&g, leaf, chain);
	for (int i = 0; i < length; i++) {
		ordered[i] = certificates[chain[i]];
		used[chain[i]] = true;
	}
	place = length;
	for (int i = 0; i < count; i++)
		if (!used[i])
			ordered[place++] = certificates[i];
	for (int i = 0; i < place; i++) {
		*moved |= ordered[i] != certificates[i];
		certificates[i] = ordered[i];
	}
	return length;
}
