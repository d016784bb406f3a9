"""Managed identity endpoints, plain HTTP on the machine itself: IMDS, and that of App Service."""

import json
import time
import uuid

from .http1 import Reply, Request
from .identities import Identity
from .journal import Entry
from .login import LoginError, audience_of_resource
from .tokens import Issued
from .world import World

IMDS_PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"
IMDS_VERSIONS = ("2018-02-01", "2019-08-01", "2020-06-01", "2021-02-01")
APP_SERVICE_VERSIONS = ("2019-08-01",)
SELECTORS = {
    "client_id": "client_id",
    "object_id": "object_id",
    "principal_id": "object_id",
    "msi_res_id": "resource_id",
    "mi_res_id": "resource_id",
}
"""Query member -> what it names of an identity."""


class Refused(Exception):
    def __init__(self, status: int, description: str, error: str = "invalid_request"):
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def answer(world: World, request: Request, kind: str, entry: Entry) -> Reply:
    """`kind` is imds or app-service."""
    try:
        body = _token(world, request, kind, entry)
        status = 200
    except Refused as refused:
        status, body = refused.status, _error_body(kind, refused)
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Server", "IMDS/150.870.65.1475" if kind == "imds" else "Kestrel"),
        ("x-ms-request-id", str(uuid.uuid4())),
    ]
    return Reply(status, headers, json.dumps(body).encode())


def _error_body(kind: str, refused: Refused) -> dict:
    if kind == "imds":
        return {"error": refused.error, "error_description": refused.description}
    return {"statusCode": refused.status, "message": refused.description}


def _token(world: World, request: Request, kind: str, entry: Entry) -> dict:
    path, versions = (IMDS_PATH, IMDS_VERSIONS) if kind == "imds" else (APP_SERVICE_PATH, APP_SERVICE_VERSIONS)
    # Microsoft's library puts a slash behind an address that it was given.
    if request.path.rstrip("/") != path or request.method != "GET":
        raise Refused(404, "not found")
    _check_headers(world, request, kind)
    if request.query.get("api-version") not in versions:
        raise Refused(400, "The api-version is not supported", "bad_request_102")
    identity = _chosen(world, request.query)
    entry.login.update(
        client_id=identity.client_id, credential=kind, resource=request.query.get("resource"),
        selector=next((name for name in SELECTORS if name in request.query), None),
    )
    try:
        audience = audience_of_resource(request.query.get("resource", ""), world.tenant_id)
    except LoginError as error:
        raise Refused(400, error.text, "invalid_resource") from None
    issued = _kept_token(world, identity, audience)
    entry.login["token_id"] = issued.id
    return _reply(world, identity, issued, audience, kind)


def _kept_token(world: World, identity: Identity, audience: str) -> Issued:
    """The machine keeps a token, and hands it out until half of its life is over."""
    kept = world.managed_tokens.get((identity.client_id, audience))
    if kept is not None and time.time() < (kept.issued_at + kept.expires_at) / 2:
        return kept
    issued = world.tokens.issue(identity, world.tenant_id, audience)
    world.managed_tokens[(identity.client_id, audience)] = issued
    return issued


def _check_headers(world: World, request: Request, kind: str) -> None:
    headers = request.headers
    if kind == "app-service":
        if headers.get("x-identity-header") != world.identity_header:
            raise Refused(401, "The X-IDENTITY-HEADER is missing or wrong")
        return
    # The value must be "true", in lower case, and the request must come from the machine itself.
    if headers.get("metadata") != "true":
        raise Refused(400, "Required metadata header not specified")
    if "x-forwarded-for" in headers or "via" in headers:
        raise Refused(400, "Requests through a proxy are refused")


def _chosen(world: World, query: dict) -> Identity:
    assigned = [identity for identity in world.identities.values() if identity.managed]
    named = [(field, query[name].lower()) for name, field in SELECTORS.items() if name in query]
    if len(named) > 1:
        raise Refused(400, "At most one identity may be named")
    if named:
        field, wanted = named[0]
        found = [item for item in assigned if str(getattr(item, field)).lower() == wanted]
    else:
        found = [item for item in assigned if item.managed == "system"] or assigned
        if len(found) > 1:
            raise Refused(
                400,
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the"
                " identity in the token request",
            )
    if not found:
        raise Refused(400, "Identity not found")
    return found[0]


def _reply(world: World, identity: Identity, issued: Issued, resource: str, kind: str) -> dict:
    """Numbers are strings, as both endpoints send them; App Service leaves expires_in out."""
    until, policy = int(issued.expires_at), world.tokens.policy
    body = {
        "access_token": issued.token,
        "client_id": identity.client_id,
        "expires_on": str(until),
        "resource": resource,
        "token_type": "Bearer",
    }
    if kind == "imds":
        left, start = str(int(until - time.time())), int(issued.issued_at)
        return body | {"expires_in": left, "ext_expires_in": str(until - start - 1), "not_before": str(start)}
    if policy.expires_on_type == "number":
        body["expires_on"] = until
    elif policy.expires_on_type == "date":
        body["expires_on"] = time.strftime("%m/%d/%Y %H:%M:%S +00:00", time.gmtime(until))
    return body
