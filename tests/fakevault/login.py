"""The token endpoint (Entra): discovery documents and tokens for client credentials."""

import json
import re
import time
import uuid
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from . import client_assertion
from .http1 import Reply, Request
from .identities import Federation, Identity
from .journal import Entry, fingerprint
from .jwts import Malformed, parse
from .login_errors import LoginError
from .sites import BINDING_PATH, CLOUDS, MANAGERS, Site
from .tokens import VAULT_APP_ID
from .world import World

MAX_ASSERTION_LIFETIME_S = 25 * 3600
SKEW_S = 300
"""How far the clock of an application that signs assertions may be off."""
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOMAIN = re.compile(r"[0-9a-z-]+(\.[0-9a-z-]+)+", re.IGNORECASE)
OIDC_SCOPES = {"openid", "offline_access", "profile", "email"}


def answer(world: World, request: Request, site: Site, entry: Entry) -> Reply:
    given_id = request.headers.get("client-request-id", "")
    correlation_id = given_id if GUID.fullmatch(given_id) else str(uuid.uuid4())
    if site.kind == "binding":
        request = replace(request, path=request.path.removeprefix(BINDING_PATH))
    try:
        status, body = 200, _route(world, request, site, entry)
    except LoginError as error:
        entry.login["aadsts"] = error.code
        status, body = error.status, error.body(correlation_id)
        if "well-known" in request.path and error.code == 90002:
            body["error"] = "invalid_tenant"
    headers = [
        ("Cache-Control", "no-store, no-cache"),
        ("Pragma", "no-cache"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Expires", "-1"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Content-Type-Options", "nosniff"),
        ("P3P", 'CP="DSP CUR OTPi IND OTRi ONL FIN"'),
        ("x-ms-request-id", str(uuid.uuid4())),
        ("x-ms-ests-server", "2.1.15049.4 - WEULR1 ProdSlices"),
        ("Set-Cookie", f"fpc={uuid.uuid4().hex}; path=/; secure; HttpOnly; SameSite=None"),
        ("Set-Cookie", "x-ms-gateway-slice=estsfd; path=/; secure; httponly"),
    ]
    if request.headers.get("return-client-request-id", "").lower() == "true":
        headers.append(("client-request-id", correlation_id))
    return Reply(status, headers, json.dumps(body).encode())


def _route(world: World, request: Request, site: Site, entry: Entry) -> dict:
    if request.path == "/common/discovery/instance":
        return _instance_discovery(world, request)
    tenant, _, rest = request.path.lstrip("/").partition("/")
    if rest == "v2.0/.well-known/openid-configuration":
        _check_tenant(world, tenant)
        return _openid_configuration(site, tenant)
    if rest == "discovery/v2.0/keys":
        _check_tenant(world, tenant)
        return world.tokens.jwks()
    if rest == "oauth2/v2.0/token":
        if request.method != "POST":
            raise LoginError(900561, request.method)
        _check_tenant(world, tenant)
        return _token(world, request, site, tenant, entry)
    raise LoginError(900023, tenant=tenant)


def _check_tenant(world: World, tenant: str) -> None:
    if tenant in ("common", "organizations", "consumers"):
        raise LoginError(50059)
    if not GUID.fullmatch(tenant) and not DOMAIN.fullmatch(tenant):
        raise LoginError(900023, tenant=tenant)
    if tenant.lower() not in world.tenants:
        raise LoginError(90002, tenant=tenant)


def _token(world: World, request: Request, site: Site, tenant: str, entry: Entry) -> dict:
    form = _form(request)
    entry.login.update(
        client_id=form.get("client_id"),
        scope=form.get("scope"),
        credential="assertion" if "client_assertion" in form else "secret",
    )
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            raise LoginError(900144, name)
    if form["grant_type"] != "client_credentials":
        raise LoginError(70003, form["grant_type"])
    if "resource" in form:
        raise LoginError(901002)
    if not form.get("scope"):
        raise LoginError(900144, "scope")
    identity = world.identities.get(form["client_id"].lower())
    if identity is None:
        raise LoginError(700016, form["client_id"], tenant)
    if not identity.enabled:
        raise LoginError(7000112, identity.client_id)
    audience = _audience(form["scope"], tenant)
    _check_credential(world, identity, form, entry, site, request)
    issued = world.tokens.issue(identity, tenant, audience)
    entry.login["token_id"] = issued.id
    return world.tokens.reply(issued)


def _form(request: Request) -> dict[str, str]:
    """The members of the form; none of a body that does not call itself one."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        return {}
    return dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))


def _audience(scope: str, tenant: str) -> str:
    """The audience of a token for `scope`: the resource, whatever it is, before /.default."""
    wanted = [item for item in scope.split() if item not in OIDC_SCOPES]
    if len(wanted) != 1:
        raise LoginError(70011, scope)
    resource, slash, default = wanted[0].rpartition("/")
    if not slash or default != ".default":
        raise LoginError(1002012, wanted[0])
    return audience_of_resource(resource, tenant)


def audience_of_resource(resource: str, tenant: str) -> str:
    """The same for a resource, which must be one of the clouds'."""
    if resource == VAULT_APP_ID:
        return resource
    try:
        url = urlsplit(resource)
        host = url.hostname or ""
    except ValueError:
        raise LoginError(70011, resource) from None
    known = host in MANAGERS or any(host == suffix or host.endswith("." + suffix) for suffix in CLOUDS)
    # The names of resources have no ports.
    if url.scheme != "https" or not known or url.netloc != host:
        raise LoginError(500011, resource, tenant)
    return resource


def _check_credential(
    world: World, identity: Identity, form: dict, entry: Entry, site: Site, request: Request
) -> None:
    assertion, secret = form.get("client_assertion"), form.get("client_secret")
    if assertion is None and secret is None and "client_assertion_type" not in form:
        raise LoginError(7000216)
    if not assertion and not secret:
        raise LoginError(7000218)
    if assertion:
        entry.login["assertion"] = fingerprint(assertion)
        world.assertions.add(assertion)
        if form.get("client_assertion_type") != JWT_BEARER:
            raise LoginError(900144, "client_assertion_type")
        _check_assertion(world, identity, assertion, entry, site, request)
        return
    if site.kind == "binding":
        raise LoginError(7000216)
    expired = identity.client_secrets.get(secret)
    if expired is None:
        raise LoginError(7000215, identity.client_id)
    if expired:
        raise LoginError(7000222, identity.client_id)


def _check_assertion(
    world: World, identity: Identity, assertion: str, entry: Entry, site: Site, request: Request
) -> None:
    if world.reject_assertions is not None:
        raise LoginError(world.reject_assertions)
    try:
        header, claims = parse(assertion)
    except Malformed:
        raise LoginError(50027) from None
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    if issuer == identity.client_id and site.kind == "login":
        entry.login.update(credential="certificate", alg=header.get("alg"), header=sorted(header), claims=claims)
        client_assertion.check(identity, assertion, header, claims, f"https://{site.netloc}{request.path}")
        _check_times(claims, SKEW_S)
        # An assertion may come twice (Microsoft's client for Python sends one for ten minutes), but its id
        # belongs to it alone.
        if world.assertion_ids.setdefault((identity.client_id, claims["jti"]), assertion) != assertion:
            raise LoginError(50027)
        return
    if header.get("alg") != "RS256":
        raise LoginError(50027)
    if issuer.startswith("https://sts.windows.net/"):
        raise LoginError(700222)
    known = identity.bindings if site.kind == "binding" else identity.federations
    _match_federation(known, issuer, subject, claims.get("aud"))
    key = world.clusters.get(header.get("kid"))
    if key is None or not key.signed(assertion):
        raise LoginError(50013, f"Key id: '{header.get('kid')}'")
    _check_times(claims)


def _match_federation(
    federations: list[Federation], issuer: str, subject: str, audience: object
) -> None:
    if not federations:
        raise LoginError(70021)
    of_issuer = [item for item in federations if item.issuer == issuer]
    if not of_issuer:
        raise LoginError(700211, issuer)
    of_subject = [item for item in of_issuer if item.subject == subject]
    if not of_subject:
        raise LoginError(700213, subject)
    audiences = audience if isinstance(audience, list) else [audience]
    if not any(item.audience in audiences for item in of_subject):
        raise LoginError(700212, ", ".join(map(str, audiences)))


def _check_times(claims: dict, skew_s: int = 0) -> None:
    start, end = client_assertion.validity(claims)
    now = time.time()
    if not start - skew_s <= now < end + skew_s:
        raise LoginError(
            700024,
            f"Current time: {_instant(now)}, assertion valid from {_instant(start)}, expiry time of"
            f" assertion {_instant(end)}.",
        )
    if end - claims.get("iat", start) > MAX_ASSERTION_LIFETIME_S:
        raise LoginError(70023, f"{end - start} seconds")


def _instant(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(seconds))


def _openid_configuration(site: Site, tenant: str) -> dict:
    base = f"https://{site.netloc}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "tenant_region_scope": "WW",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }


def _instance_discovery(world: World, request: Request) -> dict:
    endpoint = urlsplit(request.query.get("authorization_endpoint", ""))
    tenant = endpoint.path.lstrip("/").partition("/")[0]
    base = f"https://{endpoint.netloc}/{tenant}"
    public = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    aliases = [public, [f"login.localhost:{world.port}"]]
    return {
        "tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {"preferred_network": names[0], "preferred_cache": names[-1], "aliases": names}
            for names in aliases
        ],
    }
