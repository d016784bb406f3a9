#include "net/asked.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static void asked_add_header(struct curl_slist **headers, const char *line)
{
	*headers = curl_slist_append(*headers, line);
}

/* A method of its own; without a form its body is empty, where the method has one. */
static void asked_set_method(CURL *easy, const struct http_request *request,
			     struct curl_slist **headers)
{
	bool has_type = false;

	for (const char *const *line = request->headers; line && *line; line++) {
		has_type |= strncasecmp(*line, "Content-Type:", 13) == 0;
		asked_add_header(headers, *line);
	}
	if (request->method == NULL)
		return;
	if (request->form == NULL && strcmp(request->method, "GET") != 0 &&
	    strcmp(request->method, "DELETE") != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
		if (!has_type) /* libcurl's would say that a form follows */
			asked_add_header(headers, "Content-Type:");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

void asked_set(CURL *easy, const struct http_request *request,
	       struct curl_slist **headers, struct curl_slist **connect_to)
{
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	if (request->method == NULL)
		asked_add_header(headers, "Accept: application/json");
	if (request->header != NULL)
		asked_add_header(headers, request->header);
	if (request->bearer != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, request->bearer);
	}
	if (request->form != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buf_str(request->form));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->form->len);
		asked_add_header(headers,
				 "Expect:"); /* no extra round trip for 100-continue */
	}
	asked_set_method(easy, request, headers);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
			 request->fresh || request->status_only ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->status_only ? 1L : 0L);
	if (request->unix_socket != NULL)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	if (request->connect_to != NULL) {
		auto_free char *any = xasprintf("::%s", request->connect_to);

		*connect_to = curl_slist_append(NULL, any);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *connect_to);
	}
}
