/*
 * cost.h: what many pods with one configuration cost a vault: requests a second while
 * nothing changes, the burst when all of them start at once, the share of the vault's
 * limit, and the bill.  Pure.
 *
 * The limits and prices are those of one table in cost.c, as Microsoft publishes them:
 * learn.microsoft.com/azure/key-vault/general/service-limits, and
 * azure.microsoft.com/pricing/details/key-vault.
 */
#ifndef SYNC_COST_H
#define SYNC_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* When the table was last compared with those pages. */
#define COST_AS_OF "2026-11"
/* A vault counts the requests of so many seconds. */
#define COST_WINDOW_S 10
/* The limit of all vaults of one subscription and region, in limits of one vault. */
#define COST_SUBSCRIPTION 5
/* Prices are those of so many requests, and in millionths of a US dollar. */
#define COST_PRICED 10000
#define COST_MICROS 1000000
/* A month of Azure's price calculator. */
#define COST_MONTH_S (730 * 3600)
/* A token of Entra lives for an hour or longer; a new one is asked for after half of its
 * life. */
#define COST_TOKEN_S (30 * 60)
/* From this share of a limit on a fix is named: there are other users of the vault, and
 * pods that start. */
#define COST_SHARE_HIGH 0.5

#define COST_PODS_MAX 1000000

/* Which limit and which price a request has. */
enum cost_class {
	COST_OTHER, /* a secret or a certificate, or a page of a list */
	COST_RSA_2048,
	COST_RSA_3072,
	COST_RSA_4096,
	COST_EC,
	COST_RSA_2048_HSM,
	COST_RSA_3072_HSM,
	COST_RSA_4096_HSM,
	COST_EC_HSM,
	COST_CLASSES,
};

struct cost_rate {
	const char *words;
	int64_t limit; /* requests in COST_WINDOW_S, for one vault in one region */
	int64_t price; /* of COST_PRICED requests, in millionths of a US dollar */
};

extern const struct cost_rate cost_rates[COST_CLASSES];

/* The class of a key, by the "kty" of its JWK and the length of "n", in base64url. */
enum cost_class cost_of_key(const char *kty, size_t n_length);

/* What one pod asks one vault for. */
struct cost_load {
	uint64_t poll[COST_CLASSES];  /* with each poll while nothing changes */
	uint64_t start[COST_CLASSES]; /* with the first sync */
	uint64_t anonymous;           /* before the first sync, without a token */
	bool is_hsm; /* a Managed HSM, which is paid by the hour and has other limits */
};

/* What the command line says. */
struct cost_terms {
	int64_t pods;            /* 0: not asked for */
	int64_t limit, window_s; /* in place of the table's; 0: none */
	int64_t price;           /* in place of the table's, if has_price */
	bool has_price;
};

/* Reads the value of an option: --pods N, --limit REQUESTS/SECONDS, --price DOLLARS.
 * ERR_USAGE: it is no such value. */
int cost_read_option(struct cost_terms *terms, const char *name, const char *value,
		     struct err *err) MUST_CHECK;

/* Checks the options together.  ERR_USAGE. */
int cost_check_terms(const struct cost_terms *terms, struct err *err) MUST_CHECK;

/* Where the limit is not known, shares and times are negative. */
struct cost {
	uint64_t poll, start; /* requests of one pod; start: with the anonymous ones */
	double per_second;    /* of all pods, while nothing changes */
	double share;         /* of the vault's limit; 1: all of it */
	double burst;         /* requests when all pods start at once */
	double burst_share;   /* of what the vault answers in one window */
	double burst_s;       /* so long the vault needs for them; 0: they fit at once */
	double month;         /* US dollars */
	double burst_price;   /* US dollars */

	/* The fixes; 0: none is needed, or it is none. */
	int64_t interval_ms;  /* the shortest poll interval, in seconds, with at most
				 COST_SHARE_HIGH */
	int64_t vaults;       /* as many vaults do it, too, when pods are divided among
				 them; at least so many, when is_pod_high */
	bool is_pod_high;     /* the polls of one pod are more than COST_SHARE_HIGH */
	int64_t pods_at_once; /* so many may start within one window beside the polls of
				 all, once these take at most COST_SHARE_HIGH */
};

/* terms->pods is at least 1.  interval_max_ms: the longest that can be set. */
void cost_count(const struct cost_load *load, const struct cost_terms *terms,
		int64_t interval_ms, int64_t interval_max_ms, struct cost *out);

/* Requests a second to the token endpoint, of all pods, while nothing changes.
 * tokens: how many each pod uses. */
double cost_tokens(unsigned tokens, const struct cost_terms *terms, int64_t interval_ms);

#endif
