#include "net/inflow.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/mem.h"

/* Of the costliest frames libcurl works off so many bytes in 10 ms or so; of values it
 * reads so many in less than one. */
#define SHARE ((size_t)128 * 1024)
/* Handshakes and the headers of all answers that are under way are less. */
#define IDLE_MAX ((size_t)4 * 1024 * 1024)

/* Of one connection; the data of its BIO. */
struct inflow_share {
	struct inflow *inflow;
	uint64_t turn;     /* in which something was read last */
	size_t taken;      /* in that turn */
	uint64_t progress; /* of inflow, when something was read last */
	size_t idle;       /* that was read since there was any */
};

void inflow_turn(struct inflow *inflow)
{
	inflow->turn++;
	inflow->held_back = false;
}

/* ---- the BIO, which stands before libcurl's own ---- */

static int inflow_read(BIO *bio, char *out, size_t len, size_t *got)
{
	struct inflow_share *share = BIO_get_data(bio);
	int result;

	if (share->turn != share->inflow->turn) {
		share->turn = share->inflow->turn;
		share->taken = 0;
	}
	if (share->progress != share->inflow->progress) {
		share->progress = share->inflow->progress;
		share->idle = 0;
	}
	BIO_clear_retry_flags(bio);
	if (share->idle >= IDLE_MAX)
		return 0; /* as when the peer has reset the connection */
	if (share->taken >= SHARE) {
		share->inflow->held_back = true;
		BIO_set_retry_read(bio);
		return 0;
	}
	result = BIO_read_ex(BIO_next(bio), out, len, got);
	if (result == 1) {
		share->taken += *got;
		share->idle += *got;
	}
	BIO_copy_next_retry(bio);
	return result;
}

static long inflow_ctrl(BIO *bio, int command, long number, void *arg)
{
	/* The next one keeps its own place in the chain. */
	if (command == BIO_CTRL_PUSH || command == BIO_CTRL_POP || !BIO_next(bio))
		return 0;
	return BIO_ctrl(BIO_next(bio), command, number, arg);
}

static int inflow_destroy(BIO *bio)
{
	free(BIO_get_data(bio));
	return 1;
}

static int inflow_type(void)
{
	static int type;

	if (type == 0)
		type = BIO_get_new_index() | BIO_TYPE_FILTER;
	return type;
}

static const BIO_METHOD *inflow_method(void)
{
	static BIO_METHOD *made;

	if (made != NULL)
		return made;
	made = BIO_meth_new(inflow_type(), "inflow");
	BIO_meth_set_read_ex(made, inflow_read);
	BIO_meth_set_ctrl(made, inflow_ctrl);
	BIO_meth_set_destroy(made, inflow_destroy);
	return made;
}

/* ---- connections ---- */

static int inflow_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* A handshake begins, so libcurl has given the connection its BIO. */
static void inflow_begin(const SSL *begun, int where, int value)
{
	SSL *ssl = (SSL *)(uintptr_t)begun;
	BIO *from = SSL_get_rbio(ssl), *bio;
	struct inflow_share *share;

	(void)value;
	if ((where & SSL_CB_HANDSHAKE_START) == 0 || from == NULL ||
	    BIO_method_type(from) == inflow_type())
		return;
	bio = BIO_new(inflow_method());
	share = xcalloc(1, sizeof(*share));
	share->inflow = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), inflow_index());
	BIO_set_data(bio, share);
	BIO_set_init(bio, 1);
	BIO_up_ref(from); /* the chain has one of its own */
	SSL_set0_rbio(ssl, BIO_push(bio, from));
}

void inflow_apply(struct inflow *inflow, void *ssl_ctx)
{
	SSL_CTX_set_ex_data(ssl_ctx, inflow_index(), inflow);
	SSL_CTX_set_info_callback(ssl_ctx, inflow_begin);
}
