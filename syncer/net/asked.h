/*
 * asked.h: what a request asks for, put into a handle of libcurl: URL, method, headers
 * and body.  For net/call alone.
 */
#ifndef NET_ASKED_H
#define NET_ASKED_H

#include <curl/curl.h>

#include "net/request.h"

/* Adds to *headers, and sets *connect_to where the request names another host to connect
 * to; both outlive the transfer, and the caller frees them. */
void asked_set(CURL *easy, const struct http_request *request,
	       struct curl_slist **headers, struct curl_slist **connect_to);

#endif
