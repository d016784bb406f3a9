"""The vault's data plane over HTTP: authentication, api-version, permission, then the operation.

The order matters: nobody learns whether something exists without the permission to read it.
"""

import json
import re
import uuid
from collections.abc import Callable

from . import certificates_api, issuing, keys_api, secrets_api, soft_delete, vault_errors as errors, versions
from .call import Call
from .http1 import Reply, Request
from .identities import Identity
from .journal import Entry
from .sites import Site
from .objects import check_name
from .tokens import VAULT_APP_ID, Bearer
from .vault import Vault
from .vault_errors import VaultError
from .world import World

Operation = Callable[..., dict | None]
"""Gets the call and the matched parts of the path; the body of the reply, or None for 204."""

_CERTIFICATE, _KEY, _SECRET = ("certificates", "{name}"), ("keys", "{name}"), ("secrets", "{name}")
ROUTES: list[tuple[str, tuple[str, ...], str, Operation]] = [
    ("GET", ("secrets",), "list", secrets_api.list_secrets),
    ("GET", _SECRET, "get", secrets_api.get),
    ("PUT", _SECRET, "set", secrets_api.put),
    ("PATCH", _SECRET, "set", secrets_api.patch),
    ("GET", (*_SECRET, "versions"), "list", secrets_api.list_versions),
    ("GET", (*_SECRET, "{version}"), "get", secrets_api.get),
    ("PATCH", (*_SECRET, "{version}"), "set", secrets_api.patch),
    *soft_delete.routes("secrets", ""),
    ("GET", ("keys",), "keys/list", keys_api.list_keys),
    ("GET", _KEY, "keys/get", keys_api.get_key),
    ("PUT", _KEY, "keys/import", keys_api.import_key),
    ("PATCH", _KEY, "keys/update", keys_api.update),
    ("POST", (*_KEY, "create"), "keys/create", keys_api.create),
    ("POST", (*_KEY, "rotate"), "keys/rotate", keys_api.rotate),
    ("GET", (*_KEY, "rotationpolicy"), "keys/getrotationpolicy", keys_api.get_rotation_policy),
    ("PUT", (*_KEY, "rotationpolicy"), "keys/setrotationpolicy", keys_api.set_rotation_policy),
    ("GET", (*_KEY, "versions"), "keys/list", keys_api.list_versions),
    ("GET", (*_KEY, "{version}"), "keys/get", keys_api.get_key),
    ("PATCH", (*_KEY, "{version}"), "keys/update", keys_api.update),
    *soft_delete.routes("keys", "keys/"),
    ("GET", ("certificates",), "certificates/list", certificates_api.list_certificates),
    ("GET", _CERTIFICATE, "certificates/get", certificates_api.get_certificate),
    ("PATCH", _CERTIFICATE, "certificates/update", certificates_api.update),
    ("POST", (*_CERTIFICATE, "create"), "certificates/create", issuing.create_certificate),
    ("POST", (*_CERTIFICATE, "import"), "certificates/import", issuing.import_certificate),
    ("GET", (*_CERTIFICATE, "pending"), "certificates/get", issuing.get_pending),
    ("PATCH", (*_CERTIFICATE, "pending"), "certificates/update", issuing.update_pending),
    ("DELETE", (*_CERTIFICATE, "pending"), "certificates/update", issuing.delete_pending),
    ("POST", (*_CERTIFICATE, "pending", "merge"), "certificates/create", issuing.merge),
    ("GET", (*_CERTIFICATE, "policy"), "certificates/get", certificates_api.get_policy),
    ("PATCH", (*_CERTIFICATE, "policy"), "certificates/update", certificates_api.update_policy),
    ("GET", (*_CERTIFICATE, "versions"), "certificates/list", certificates_api.list_versions),
    ("GET", (*_CERTIFICATE, "{version}"), "certificates/get", certificates_api.get_certificate),
    ("PATCH", (*_CERTIFICATE, "{version}"), "certificates/update", certificates_api.update),
    *soft_delete.routes("certificates", "certificates/"),
]


def answer(world: World, request: Request, site: Site, bearer: Bearer, entry: Entry) -> Reply:
    vault = world.vaults[site.vault]
    headers = _common_headers(request)
    try:
        if vault.is_throttled():
            raise errors.of_status(429)
        if not bearer.ok:
            headers.append(("WWW-Authenticate", challenge(world, vault, site)))
            raise errors.unauthorized(
                bearer.state, bearer.claims, site.resource, vault.settings.tenant_id, VAULT_APP_ID
            )
        versions.check(entry.api_version)
        operation, permission, arguments = _route(request)
        if site.hsm and not request.path.startswith(("/keys", "/deletedkeys")):
            raise errors.bad_parameter("A managed HSM holds keys only.")
        call = Call(vault, site, request)
        _check_permission(world, call, bearer, permission, arguments)
        if vault.settings.authorization == "rbac":
            assignment = uuid.uuid5(uuid.NAMESPACE_OID, bearer.claims["oid"]).hex
            headers.append(("x-ms-keyvault-rbac-assignment-id", assignment))
        body = operation(call, **arguments)
    except VaultError as error:
        return _reply(error.status, headers, error.body(), vault)
    if isinstance(body, issuing.Accepted):
        headers += [("Location", body.location), ("Retry-After", "0")]
    return _reply(204 if body is None else getattr(body, "status", 200), headers, body, vault)


def challenge(world: World, vault: Vault, site: Site) -> str:
    authority = f"{site.authority(world.port)}/{vault.settings.tenant_id}"
    return f'Bearer authorization="{authority}", resource="{site.resource}"'


def _route(request: Request) -> tuple[Operation, str, dict[str, str]]:
    """The operation, the permission it needs, and the parts of the path it gets."""
    parts = request.path.split("/")[1:]
    if len(parts) > 1 and parts[-1] == "":
        parts.pop()
    found = False
    for method, pattern, permission, operation in ROUTES:
        arguments = _match(pattern, parts)
        if arguments is None:
            continue
        if method == request.method:
            return operation, permission, arguments
        found = True
    if found:
        raise VaultError(405, "MethodNotAllowed", f"{request.method} is not supported here.")
    raise VaultError(404, "NotFound", "The requested resource does not exist.")


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    arguments = {}
    for wanted, part in zip(pattern, parts):
        if wanted.startswith("{"):
            arguments[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return arguments


def _check_permission(
    world: World, call: Call, bearer: Bearer, permission: str, arguments: dict[str, str]
) -> None:
    identity: Identity | None = world.identities.get(bearer.claims["appid"])
    name = arguments.get("name", "")
    if name:
        check_name(name)
    vault = call.vault.name
    if identity is not None and identity.may(permission, vault, name):
        return
    if call.vault.settings.authorization == "policy":
        raise errors.access_denied(bearer.claims, permission, vault)
    kind = call.request.path.split("/")[1].removeprefix("deleted")
    resource = f"/{kind}/{name}" if name else ""
    raise errors.forbidden_by_rbac(bearer.claims, permission, vault, resource)


def _common_headers(request: Request) -> list[tuple[str, str]]:
    peer = request.connection.peer
    family = ("Ipv6", "InterNetworkV6") if ":" in peer else ("Ipv4", "InterNetwork")
    headers = [
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Expires", "-1"),
        (
            "x-ms-keyvault-network-info",
            f"conn_type={family[0]};addr={peer};act_addr_fam={family[1]};",
        ),
        ("x-ms-keyvault-region", "westeurope"),
        ("x-ms-keyvault-service-version", "1.9.3449.1"),
        ("x-ms-request-id", str(uuid.uuid4())),
        ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=31536000;includeSubDomains"),
    ]
    client_request_id = request.headers.get("x-ms-client-request-id")
    if client_request_id:
        headers.append(("x-ms-client-request-id", client_request_id))
    return headers


def _reply(status: int, headers: list[tuple[str, str]], body: dict | None, vault: Vault) -> Reply:
    if body is None:
        return Reply(status, headers)
    if vault.settings.extra_members:
        body = _with_unknown_members(body)
    if vault.settings.reorder_members:
        body = _reversed(body)
    return Reply(status, headers, _encode(body))


def _encode(body: dict) -> bytes:
    """JSON in the service's manner: all but plain ASCII is escaped, and so are these signs.

    Outside of strings none of them can occur, since no number here has an exponent. Not so in members of
    bytes: Microsoft's client for Go decodes these as they stand, so the service cannot escape them.
    """
    text = json.dumps(body, separators=(",", ":"))
    for sign in "+<>&'`":
        text = text.replace(sign, f"\\u{ord(sign):04X}")
    return re.sub(r'"(?:cer|csr)":"[^"]*"', lambda found: found[0].replace("\\u002B", "+"), text).encode()


def _with_unknown_members(item: object) -> object:
    """Members that a later service might add, in every object: nested, large, and first in order."""
    if isinstance(item, list):
        return [_with_unknown_members(part) for part in item]
    if not isinstance(item, dict):
        return item
    unknown = {
        "futureObject": {"value": "not the value", "list": [None, True, 1.5, {}]},
        "futureNumber": 9007199254740993,
    }
    return unknown | {name: _with_unknown_members(part) for name, part in item.items()}


def _reversed(item: object) -> object:
    if isinstance(item, list):
        return [_reversed(part) for part in item]
    if not isinstance(item, dict):
        return item
    return {name: _reversed(part) for name, part in reversed(item.items())}
