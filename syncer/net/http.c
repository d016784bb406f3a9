#include "net/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

/* A secret is at most 25 KiB; JSON escapes may make six bytes of one. */
#define BODY_MAX (256 * 1024)
#define RETRY_AFTER_MAX_MS (300 * 1000)
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct http {
	CURLM *multi;
	CURLSH *share; /* TLS sessions and addresses outlive connections */
	X509_STORE *trusted;
	long timeout_ms;
	struct http_call *calls;
};

struct http_call {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	http_done *done;
	void *arg;
	struct http_reply reply;
	char host[256];
	char cause[CURL_ERROR_SIZE];
	struct http_call *next, **link;
};

static void *crypto_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return wipe_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	/* OpenSSL frees by asking for 0 bytes. */
	if (n == 0) {
		wipe_free(p);
		return NULL;
	}
	return wipe_realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	wipe_free(p);
}

int http_global_init(struct err *err)
{
	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1 ||
	    curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free,
				 wipe_realloc, wipe_strdup, wipe_calloc) != CURLE_OK)
		return err_set(err, ERR_UNAVAILABLE,
			       "cannot initialise libcurl and OpenSSL");
	return 0;
}

static int load_trusted(struct http *h, const char *ca_file, struct err *err)
{
	const char *path = ca_file ? ca_file : SYSTEM_CA_FILE;

	h->trusted = X509_STORE_new();
	if (h->trusted == NULL || X509_STORE_load_file(h->trusted, path) != 1)
		return err_set(
			err, ERR_CONFIG,
			"cannot read trusted certificates (PEM) from '%s'%s", path,
			ca_file ? "; SSL_CERT_FILE names it"
				: "; install ca-certificates or set SSL_CERT_FILE");
	return 0;
}

int http_new(struct http **out, const struct http_options *options, struct err *err)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->timeout_ms = (long)options->timeout_ms;
	if (!options->local_only && load_trusted(h, options->ca_file, err) < 0) {
		http_free(h);
		return -1;
	}
	h->multi = curl_multi_init();
	h->share = curl_share_init();
	if (h->multi == NULL || h->share == NULL) {
		http_free(h);
		return err_set(err, ERR_UNAVAILABLE, "cannot initialise libcurl");
	}
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	*out = h;
	return 0;
}

static void call_free(struct http_call *call)
{
	curl_multi_remove_handle(call->http->multi, call->easy);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buf_done(&call->reply.body);
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	wipe_free(call);
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (h->calls)
		call_free(h->calls);
	curl_multi_cleanup(h->multi);
	curl_share_cleanup(h->share);
	X509_STORE_free(h->trusted);
	free(h);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	struct err err;

	if (buf_add(&call->reply.body, data, size * count, &err) < 0) {
		call->reply.failure = HTTP_TOO_BIG;
		return 0;
	}
	return size * count;
}

/* A peer that vanished is noticed also while we only wait for its bytes. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const struct http *h = arg;
	unsigned timeout_ms = (unsigned)h->timeout_ms;

	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			 sizeof(timeout_ms));
	return CURL_SOCKOPT_OK;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	const struct http *h = arg;

	(void)easy;
	/* Else the last decrypted record stays in the idle connection's buffer. */
	SSL_CTX_set_options(ssl_ctx, SSL_OP_CLEANSE_PLAINTEXT);
	/* Parsed once a process, not once a connection. */
	SSL_CTX_set1_cert_store(ssl_ctx, h->trusted);
	return CURLE_OK;
}

static void add_header(struct http_call *call, const char *line)
{
	call->headers = curl_slist_append(call->headers, line);
}

static void set_request(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	add_header(call, "Accept: application/json");
	if (request->bearer != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	if (request->form != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_str(request->form));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->form->len);
		add_header(call, "Expect:"); /* no extra round trip for 100-continue */
	}
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	if (request->unix_socket != NULL) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	}
}

static void set_policy(struct http_call *call)
{
	struct http *h = call->http;
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_SHARE, h->share);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, h);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, h->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Stopping must not wait for a name server that never answers. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, h);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->cause);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "akvsync/" AKVSYNC_VERSION " (linux)");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
}

/* The host of a URL that we made ourselves: between "://" and the next "/". */
static void copy_host(char *out, size_t size, const char *url)
{
	const char *start = strstr(url, "://");

	start = start ? start + 3 : url;
	snprintf(out, size, "%.*s", (int)strcspn(start, "/?"), start);
}

struct http_call *http_start(struct http *h, const struct http_request *request,
			     http_done *done, void *arg)
{
	struct http_call *call = wipe_calloc(1, sizeof(*call));

	call->http = h;
	call->easy = curl_easy_init();
	call->done = done;
	call->arg = arg;
	call->reply.body = BUF_INIT(request->max_bytes ? request->max_bytes : BODY_MAX);
	copy_host(call->host, sizeof(call->host), request->url);
	call->next = h->calls;
	call->link = &h->calls;
	if (h->calls)
		h->calls->link = &call->next;
	h->calls = call;
	set_policy(call);
	set_request(call, request);
	curl_multi_add_handle(h->multi, call->easy);
	return call;
}

void http_cancel(struct http *h, struct http_call *call)
{
	(void)h;
	call_free(call);
}

int http_wait(struct http *h, struct http_wait *fds, unsigned count, int timeout_ms,
	      struct err *err)
{
	auto_free struct curl_waitfd *extra = xcalloc(count, sizeof(*extra));
	unsigned used = 0;
	CURLMcode code;

	for (unsigned i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			extra[used++] =
				(struct curl_waitfd){ .fd = fds[i].fd,
						      .events = CURL_WAIT_POLLIN };
	code = curl_multi_poll(h->multi, extra, used,
			       timeout_ms < 0 ? INT_MAX : timeout_ms, NULL);
	if (code != CURLM_OK)
		return err_set(err, ERR_UNAVAILABLE, "cannot wait: %s",
			       curl_multi_strerror(code));
	used = 0;
	for (unsigned i = 0; i < count; i++)
		fds[i].ready = fds[i].fd >= 0 && extra[used++].revents != 0;
	return 0;
}

static const char *header(CURL *easy, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

static int clamp_retry_ms(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : (int)ms;
}

/* In the order of the Azure SDKs; a date counts from the server's own clock. */
static int read_retry_after(CURL *easy)
{
	static const char *const in_ms[] = { "retry-after-ms", "x-ms-retry-after-ms" };
	const char *value, *date;
	int64_t number;
	time_t until, from;

	for (size_t i = 0; i < ARRAY_LEN(in_ms); i++) {
		value = header(easy, in_ms[i]);
		if (value && text_number(value, INT_MAX, &number) == 0)
			return clamp_retry_ms(number);
	}
	value = header(easy, "Retry-After");
	if (value == NULL)
		return 0;
	if (text_number(value, INT_MAX, &number) == 0)
		return clamp_retry_ms(number * 1000);
	until = curl_getdate(value, NULL);
	date = header(easy, "Date");
	from = date ? curl_getdate(date, NULL) : -1;
	if (from < 0)
		from = (time_t)(clock_wall_ms() / 1000);
	return until < 0 ? 0 : clamp_retry_ms((int64_t)(until - from) * 1000);
}

static void read_challenge(CURL *easy, char *out, size_t size)
{
	struct curl_header *found;

	for (size_t i = 0; curl_easy_header(easy, "WWW-Authenticate", i, CURLH_HEADER, -1,
					    &found) == CURLHE_OK;
	     i++) {
		if (strncasecmp(found->value, "Bearer", 6) != 0)
			continue;
		snprintf(out, size, "%s", found->value);
		return;
	}
}

static void read_head(struct http_call *call)
{
	struct http_reply *reply = &call->reply;
	const char *id = header(call->easy, "x-ms-request-id");
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	reply->status = (int)status;
	reply->retry_after_ms = read_retry_after(call->easy);
	if (id != NULL && strspn(id, "0123456789abcdefABCDEF-") == strlen(id))
		snprintf(reply->request_id, sizeof(reply->request_id), "%s", id);
	if (status == 401)
		read_challenge(call->easy, reply->challenge, sizeof(reply->challenge));
}

static enum http_failure classify(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_DNS;
	case CURLE_COULDNT_CONNECT:
		return HTTP_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return HTTP_TLS;
	default:
		return HTTP_BROKEN;
	}
}

/* Our own words where libcurl's hold counts that change each time: equal failures must
 * have equal messages. */
static void describe(const struct http_call *call, CURLcode code, struct err *err)
{
	const char *cause = call->cause[0] ? call->cause : curl_easy_strerror(code);
	const char *host = call->host;
	curl_off_t named_us = 0;
	char *address = NULL;
	bool is_named;
	long os_errno = 0;

	switch (call->reply.failure) {
	case HTTP_DNS:
		err_set(err, ERR_UNAVAILABLE, "cannot resolve host '%s'", host);
		return;
	case HTTP_TIMEOUT:
		/* A reused connection was not looked up this time, but has an address. */
		curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &named_us);
		curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &address);
		is_named = named_us > 0 || (address != NULL && address[0] != '\0');
		err_set(err, ERR_UNAVAILABLE, "no %s %s '%s' within %ld ms",
			is_named ? "answer" : "DNS answer", is_named ? "from" : "for",
			host, call->http->timeout_ms);
		return;
	case HTTP_TOO_BIG:
		err_set(err, ERR_UNAVAILABLE, "the reply of '%s' is larger than %d bytes",
			host, (int)call->reply.body.max);
		return;
	case HTTP_CONNECT:
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
		err_set(err, ERR_UNAVAILABLE, "cannot connect to '%s'%s%s", host,
			os_errno ? ": " : "", os_errno ? strerror((int)os_errno) : "");
		return;
	case HTTP_TLS:
		err_set(err, ERR_UNAVAILABLE, "TLS with '%s' failed: %s", host, cause);
		return;
	case HTTP_OK:
	case HTTP_BROKEN:
		err_set(err, ERR_UNAVAILABLE, "the connection to '%s' broke: %s", host,
			curl_easy_strerror(code));
		return;
	}
}

static void finish(struct http_call *call, CURLcode code)
{
	struct err err;

	if (code == CURLE_OK) {
		read_head(call);
		call->done(call->arg, &call->reply, NULL);
	} else {
		if (call->reply.failure == HTTP_OK)
			call->reply.failure = classify(code);
		describe(call, code, &err);
		call->done(call->arg, &call->reply, &err);
	}
	call_free(call);
}

void http_run(struct http *h)
{
	const CURLMsg *msg;
	int left, running;

	curl_multi_perform(h->multi, &running);
	while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
		/* The message dies with the handle: copy first. */
		CURLcode code = msg->data.result;
		char *call = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		finish((struct http_call *)(void *)call, code);
	}
}

void http_close_idle(struct http *h)
{
	CURLM *fresh;

	/* libcurl has no call for this; connections live and die with the multi handle.
	 */
	if (h->calls != NULL)
		return;
	fresh = curl_multi_init();
	if (fresh == NULL)
		return;
	curl_multi_cleanup(h->multi);
	h->multi = fresh;
}
