#include "net/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/call.h"
#include "net/trust.h"

struct http {
	struct calls calls;
	bool close_when_idle;
	bool forget_when_idle; /* what the certificates from before vouched for */
};

int http_global_init(struct err *err)
{
	if (trust_global_init(err) < 0)
		return -1;
	/* libcurl would write the keys of each TLS session to the file it names. */
	unsetenv("SSLKEYLOGFILE");
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free,
				 wipe_realloc, wipe_strdup, wipe_calloc) != CURLE_OK)
		return err_set(err, ERR_UNAVAILABLE, "cannot initialise libcurl");
	return 0;
}

static CURLM *new_multi(void)
{
	CURLM *multi = curl_multi_init();

	if (multi == NULL)
		return NULL;
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HTTP_POOL);
	/* Else as many stay as there were requests at once. */
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4L * HTTP_POOL);
	return multi;
}

static CURLSH *new_share(void)
{
	CURLSH *share = curl_share_init();

	if (share == NULL)
		return NULL;
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	return share;
}

int http_new(struct http **out, const struct http_options *options, struct err *err)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->calls.options = *options;
	if (proxy_parse(&h->calls.proxy, options->proxy, err) < 0 ||
	    (!options->local_only && trust_load(&h->calls.trust, options->ca_file,
						options->extra_ca_file, err) < 0)) {
		http_free(h);
		return -1;
	}
	h->calls.multi = new_multi();
	h->calls.share = new_share();
	if (h->calls.multi == NULL || h->calls.share == NULL) {
		http_free(h);
		return err_set(err, ERR_UNAVAILABLE, "cannot initialise libcurl");
	}
	*out = h;
	return 0;
}

void http_observe(struct http *h, http_observer *observer, void *arg)
{
	h->calls.observer = observer;
	h->calls.observer_arg = arg;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (h->calls.first)
		call_free(h->calls.first);
	curl_multi_cleanup(h->calls.multi);
	curl_share_cleanup(h->calls.share);
	trust_free(h->calls.trust);
	proxy_done(&h->calls.proxy);
	pool_done(&h->calls.pool);
	free(h);
}

struct http_call *http_start(struct http *h, const struct http_request *request,
			     http_done *done, void *arg)
{
	struct http_call *call = call_new(&h->calls, request, done, arg);

	if (!request->status_only) /* that one keeps no connection */
		h->close_when_idle = false;
	curl_multi_add_handle(h->calls.multi, call->easy);
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
	int64_t now = clock_now_ms(), until = calls_deadline(&h->calls);
	unsigned used = 0;
	CURLMcode code;

	if (timeout_ms >= 0)
		until = clock_sooner(until, now + timeout_ms);
	if (h->calls.inflow.held_back)
		until = now;
	timeout_ms = clock_ms_until(until, now);

	for (unsigned i = 0; i < count; i++)
		if (fds[i].fd >= 0)
			extra[used++] =
				(struct curl_waitfd){ .fd = fds[i].fd,
						      .events = CURL_WAIT_POLLIN };
	code = curl_multi_poll(h->calls.multi, extra, used,
			       timeout_ms < 0 ? INT_MAX : timeout_ms, NULL);
	if (code != CURLM_OK)
		return err_set(err, ERR_UNAVAILABLE, "cannot wait: %s",
			       curl_multi_strerror(code));
	used = 0;
	for (unsigned i = 0; i < count; i++)
		fds[i].ready = fds[i].fd >= 0 && extra[used++].revents != 0;
	return 0;
}

/* Connections and TLS sessions, once no request is under way. */
static void forget_trusted(struct http *h)
{
	CURLSH *share;

	h->forget_when_idle = h->calls.first != NULL;
	if (h->forget_when_idle)
		return;
	http_close_idle(h);
	share = new_share();
	if (share == NULL)
		return;
	curl_share_cleanup(h->calls.share);
	h->calls.share = share;
}

void http_run(struct http *h)
{
	const CURLMsg *msg;
	int left, running;

	calls_postpone(&h->calls, clock_now_ms());
	inflow_turn(&h->calls.inflow);
	curl_multi_perform(h->calls.multi, &running);
	while ((msg = curl_multi_info_read(h->calls.multi, &left)) != NULL) {
		/* The message dies with the handle: copy first. */
		CURLcode code = msg->data.result;
		char *call = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		call_end((struct http_call *)(void *)call, code);
	}
	calls_expire(&h->calls, clock_now_ms());
	if (h->forget_when_idle)
		forget_trusted(h);
	else if (h->close_when_idle)
		http_close_idle(h);
}

void http_close_idle(struct http *h)
{
	CURLM *fresh;

	/* libcurl has no call for this; connections live and die with the multi handle.
	 */
	h->close_when_idle = h->calls.first != NULL;
	if (h->close_when_idle)
		return;
	fresh = new_multi();
	if (fresh == NULL)
		return;
	curl_multi_cleanup(h->calls.multi);
	h->calls.multi = fresh;
}

void http_keep_alive(struct http *h)
{
	if (h->calls.keep_alive)
		return;
	h->calls.keep_alive = true;
	if (h->calls.multiplexed)
		http_close_idle(h);
}

bool http_multiplexes(const struct http *h)
{
	return !h->calls.keep_alive;
}

int http_reload_trust(struct http *h, struct err *err)
{
	struct trust *fresh;

	if (trust_load(&fresh, h->calls.options.ca_file, h->calls.options.extra_ca_file,
		       err) < 0)
		return -1;
	for (struct http_call *call = h->calls.first; call; call = call->next)
		if (call->trust == h->calls.trust)
			call->trust = fresh;
	trust_free(h->calls.trust);
	h->calls.trust = fresh;
	forget_trusted(h);
	return 0;
}
