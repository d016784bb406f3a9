// LDFLAGS: -Wl,--wrap=curl_easy_setopt
/*
 * What a server sends, through the real libcurl and over a pair of sockets in place of a
 * connection.  The first byte chooses how it is asked (enum way), the second how many
 * bytes the server sends at once; it sends the rest whatever it is asked, over each
 * connection, and closes it then.
 */
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/shape.h"
#include "fuzz.h"
#include "net/http.h"
#include "net/retry.h"
#include "net/trust.h"

enum way {
	WAY_HTTP2 = 1,
	WAY_TLS = 2,
	WAY_STATUS_ONLY = 4,
	WAY_TWICE = 8,
	WAY_PROXY = 16,
	WAY_KEEP_ALIVE = 32,
	WAY_SPARED = 64, /* NO_PROXY names the host */
};

#define HOST "kv.vault.azure.net"
#define CONNECTIONS_MAX 6
#define TIMEOUT_MS 2000
#define TURNS_MAX 20000
/* Little, so that an input can pass it. */
#define BODY_MAX ((size_t)4096)

/* ---- the server ---- */

struct connection {
	int fd; /* -1: closed */
	SSL *ssl;
	bool asked, ended;
	size_t sent;
};

static struct {
	int way;
	size_t piece;
	const uint8_t *data;
	size_t size;
	struct connection connections[CONNECTIONS_MAX];
	size_t count;
} server;

static bool is_proxied(void)
{
	return (server.way & (WAY_PROXY | WAY_SPARED)) == WAY_PROXY;
}

static SSL_CTX *tls;
static struct trust *trust;

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
			   const unsigned char *offered, unsigned offered_len, void *arg)
{
	static const unsigned char h2[] = "\x02h2\x08http/1.1", h1[] = "\x08http/1.1";
	bool two = server.way & WAY_HTTP2;

	(void)ssl, (void)arg;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, len, two ? h2 : h1,
				     two ? sizeof(h2) - 1 : sizeof(h1) - 1, offered,
				     offered_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

static void set_up_tls(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	BIO *pem = BIO_new(BIO_s_mem());
	auto_buf struct buf text = BUF_INIT(65536);
	struct err err;
	char *bytes;
	long len;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * 365);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)HOST,
				   -1, -1, 0);
	X509_set_issuer_name(cert, name);
	must(X509_sign(cert, key, EVP_sha256()) > 0);
	tls = SSL_CTX_new(TLS_server_method());
	must(SSL_CTX_use_certificate(tls, cert) == 1);
	must(SSL_CTX_use_PrivateKey(tls, key) == 1);
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
	must(PEM_write_bio_X509(pem, cert) == 1);
	len = BIO_get_mem_data(pem, &bytes);
	must(buf_add(&text, bytes, (size_t)len, &err) == 0);
	must(trust_parse(&trust, &text, &err) == 0);
	BIO_free(pem);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void connection_close(struct connection *c)
{
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct connection){ .fd = -1 };
}

/* More than 0: so many bytes; 0: the client is gone; -1: none now. */
static int connection_read(struct connection *c)
{
	char lost[16384];
	ssize_t n;

	if (c->ssl == NULL) {
		n = recv(c->fd, lost, sizeof(lost), MSG_DONTWAIT);
		return n < 0 ? -1 : (int)n;
	}
	n = SSL_read(c->ssl, lost, sizeof(lost));
	if (n > 0)
		return (int)n;
	return SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ ? -1 : 0;
}

static ssize_t connection_write(struct connection *c, const uint8_t *data, size_t len)
{
	int n;

	if (c->ssl == NULL)
		return send(c->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	n = SSL_write(c->ssl, data, (int)len);
	return n > 0 ? n : -1;
}

/* Answers the first bytes of a request, and sends no more than a piece at a time. */
static void connection_run(struct connection *c)
{
	size_t left = server.size - c->sent;
	size_t len = server.piece < left ? server.piece : left;
	int n;

	while ((n = connection_read(c)) > 0)
		c->asked = true;
	if (n == 0) {
		connection_close(c);
		return;
	}
	if (!c->asked || c->ended)
		return;
	if (len > 0) {
		ssize_t sent = connection_write(c, server.data + c->sent, len);

		c->sent += sent > 0 ? (size_t)sent : 0;
	}
	if (c->sent < server.size)
		return;
	if (c->ssl != NULL)
		SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	c->ended = true;
}

/* ---- what libcurl is told instead ---- */

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	int ends[2], small = 65536;
	struct connection *c;

	(void)arg, (void)purpose, (void)to;
	if (server.count == CONNECTIONS_MAX)
		return CURL_SOCKET_BAD;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) ==
	     0);
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	c = &server.connections[server.count++];
	*c = (struct connection){ .fd = ends[1] };
	/* A proxy answers before there is TLS. */
	if ((server.way & WAY_TLS) && !is_proxied()) {
		c->ssl = SSL_new(tls);
		SSL_set_fd(c->ssl, c->fd);
		SSL_set_accept_state(c->ssl);
		SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	return ends[0];
}

/* Of libcurl's sockets all are connected already.  This stands before the C library's
 * own, whose declaration has a type that is not of ISO C. */
int http_connect(int fd, const void *to, socklen_t len) __asm__("connect");
int http_connect(int fd, const void *to, socklen_t len)
{
	(void)fd, (void)to, (void)len;
	return 0;
}

CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	static char plain[] = "http";
	va_list ap;
	void *value;

	va_start(ap, option);
	value = va_arg(ap, void *);
	va_end(ap);
	if (option == CURLOPT_SOCKOPTFUNCTION)
		__real_curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	if (option == CURLOPT_PROTOCOLS_STR && !(server.way & WAY_TLS))
		value = plain;
	if (option == CURLOPT_HTTP_VERSION && (server.way & WAY_HTTP2) &&
	    !(server.way & WAY_TLS) && !is_proxied())
		value = (void *)(uintptr_t)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
	return __real_curl_easy_setopt(easy, option, value);
}

/* ---- the client ---- */

static void on_done(void *arg, struct http_reply *reply, const struct err *err)
{
	int *pending = arg;

	--*pending;
	must_explain(err ? -1 : 0, err);
	must((err == NULL) == (reply->failure == HTTP_OK));
	must(reply->body.len <= BODY_MAX);
	must(reply->retry_after_ms >= 0 && reply->retry_after_ms <= RETRY_AFTER_MAX_MS);
	must(reply->request_id[0] == '\0' || shape_is_guid(reply->request_id));
	must(strpbrk(reply->challenge, "\r\n") == NULL);
	must(err != NULL || reply->status > 0);
}

static void on_seen(void *arg, const struct http_seen *seen)
{
	(void)arg;
	must(strcmp(seen->host, HOST) == 0);
}

static void set_up(void)
{
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	must(http_global_init(&err) == 0);
	set_up_tls();
}

static void ask(struct http *h)
{
	int pending = server.way & WAY_TWICE ? 2 : 1;
	const struct http_request request = {
		.url = server.way & WAY_TLS ? "https://" HOST "/secrets/a"
					    : "http://" HOST "/secrets/a",
		.bearer = "a.b.c",
		.connect_to = "127.0.0.1:443",
		.max_bytes = BODY_MAX,
		.status_only = server.way & WAY_STATUS_ONLY,
		.purpose = "vault",
		.trust = trust,
	};
	struct err err;

	for (int i = pending; i > 0; i--)
		(void)http_start(h, &request, on_done, &pending);
	for (int turn = 0; pending > 0 && turn < TURNS_MAX; turn++) {
		http_run(h);
		for (size_t i = 0; i < server.count; i++)
			if (server.connections[i].fd >= 0)
				connection_run(&server.connections[i]);
		must(http_wait(h, NULL, 0, 1, &err) == 0);
	}
	must(pending == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct http_options options = { .timeout_ms = TIMEOUT_MS, .local_only = true };
	struct http *h = NULL;
	struct err err;

	if (!ready)
		set_up();
	ready = true;
	if (size < 2)
		return 0;
	memset(&server, 0, sizeof(server));
	server.way = data[0];
	server.piece = data[1] ? data[1] : 65536;
	server.data = data + 2;
	server.size = size - 2;
	if (server.way & (WAY_PROXY | WAY_SPARED))
		options.proxy = "http://user:pass@127.0.0.1:3128";
	if (server.way & WAY_SPARED)
		options.no_proxy = "10.0.0.0/8, .azure.net";
	must(http_new(&h, &options, &err) == 0);
	http_observe(h, on_seen, NULL);
	if (server.way & WAY_KEEP_ALIVE)
		http_keep_alive(h);
	ask(h);
	http_free(h);
	for (size_t i = 0; i < server.count; i++)
		connection_close(&server.connections[i]);
	return 0;
}
