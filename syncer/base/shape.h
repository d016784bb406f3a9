/*
 * shape.h: what identifiers look like.  Pure.
 *
 * A value of an identity variable is shown only when it has the shape of what belongs
 * there: who mixes two variables up may have put a secret into this one.
 */
#ifndef BASE_SHAPE_H
#define BASE_SHAPE_H

#include <stdbool.h>

/* 33333333-3333-3333-3333-333333333333 */
bool shape_is_guid(const char *s);
/* contoso.onmicrosoft.com: at least two labels, the last one of letters. */
bool shape_is_domain(const char *s);
/* The id of a tenant, or one of its domains. */
bool shape_is_tenant(const char *s);
/* A host's name or address, [fe80::1] in brackets. */
bool shape_is_host(const char *s);
/* http[s]://HOST[:PORT][/PATH]: no user, no query, no fragment. */
bool shape_is_url(const char *s);
/* The same with [USER[:PASSWORD]@], of which nothing is looked at, and perhaps without a
 * scheme. */
bool shape_is_proxy(const char *s);
/* Hosts, addresses and networks, each perhaps with a port, with commas between them. */
bool shape_is_hosts(const char *s);
/* An absolute path of plain characters. */
bool shape_is_path(const char *s);
/* /subscriptions/…/userAssignedIdentities/NAME */
bool shape_is_resource_id(const char *s);

/* A text of a server without what looks like a token or a part of one: "(a token)" stands
 * for each run of 32 letters, digits and - _ + = or more that is no GUID and no name.
 * The caller frees. */
char *shape_without_tokens(const char *text);

#endif
