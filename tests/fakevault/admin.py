"""The admin interface: JSON over plain HTTP on loopback, for tests and the command line.

Every route is one line of ROUTES; a function gets the matched parts of the path, the query and the
decoded body, and returns what is sent back as JSON. A mistake in a request is a 400 that names it.
"""

import asyncio
import contextlib
import itertools
import json
import uuid
from dataclasses import fields
from typing import Any

from . import cluster
from .front import Front
from .http1 import Connection, Reply, Request, serve_connection
from .identities import PERMISSIONS, Federation, Identity, Rule
from .login_errors import TABLE
from .objects import Collection, Version, check_name
from .tokens import TokenPolicy
from .vault import KINDS, Settings, Vault
from .vault_errors import VaultError
from .world import World

PROPERTIES = {f.name for f in fields(Version)} - {"id", "value"}


class Admin:
    def __init__(self, world: World, front: Front, info: dict):
        self.world = world
        self.front = front
        self.info = info
        self._ids = itertools.count(1)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(next(self._ids), reader, writer)
        with contextlib.suppress(ConnectionError):
            await serve_connection(connection, self._handle)
        writer.close()

    async def _handle(self, request: Request) -> bool:
        try:
            status, result = 200, await self._route(request)
        except VaultError as error:
            status, result = error.status, {"error": f"{error.code}: {error.message.strip()}"}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            status, result = 400, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(result, indent=1).encode() + b"\n"
        await request.connection.send(Reply(status, [("Content-Type", "application/json")], body))
        return True

    async def _route(self, request: Request) -> Any:
        parts = request.path.strip("/").split("/")
        for line, function in ROUTES.items():
            method, _, path = line.partition(" ")
            pattern = path.strip("/").split("/")
            if method != request.method or len(pattern) != len(parts):
                continue
            if all(p == part or p.startswith("{") for p, part in zip(pattern, parts)):
                captured = [part for p, part in zip(pattern, parts) if p.startswith("{")]
                body = json.loads(request.body) if request.body else {}
                result = function(self, *captured, query=request.query, body=body)
                return await result if asyncio.iscoroutine(result) else result
        raise VaultError(404, "NoRoute", f"{request.method} {request.path}")

    def _vault(self, name: str) -> Vault:
        if name not in self.world.vaults:
            raise VaultError(404, "NoVault", name)
        return self.world.vaults[name]

    def _collection(self, vault: str, kind: str) -> Collection:
        return self._vault(vault).collection(_kind(kind))

    def _identity(self, client_id: str) -> Identity:
        if client_id == "default":
            return self.world.default_identity
        if client_id not in self.world.identities:
            raise VaultError(404, "NoIdentity", client_id)
        return self.world.identities[client_id]

    # Vaults and secrets

    def get_vault(self, name: str, **_) -> dict:
        vault = self._vault(name)
        return {
            "name": name,
            "settings": vars(vault.settings),
            "secrets": [secret.name for secret in vault.secrets.all()],
            "keys": [key.name for key in vault.keys.all()],
            "certificates": [certificate.name for certificate in vault.certificates.all()],
            "deleted": {kind: vault.collection(kind).deleted_names() for kind in KINDS},
        }

    def put_vault(self, name: str, body: dict, **_) -> dict:
        vault = self.world.vaults.get(name) or Vault(name, self.world.tenant_id)
        _assign(vault.settings, body, {f.name for f in fields(Settings)})
        self.world.vaults[name] = vault
        return self.get_vault(name)

    def delete_vault(self, name: str, **_) -> dict:
        self._vault(name)
        del self.world.vaults[name]
        return {}

    def put_secret(self, vault: str, name: str, body: dict, **_) -> dict:
        _only(body, PROPERTIES | {"value", "version"})
        check_name(name)
        _, made = self._vault(vault).put_secret(name, **body)
        return {"version": made.id}

    def rotate_secret(self, vault: str, name: str, body: dict, **_) -> dict:
        """A new version like the current one but for its value (and what the body names)."""
        _, old = self._vault(vault).secrets.get(name)
        kept = {key: getattr(old, key) for key in ("content_type", "nbf", "exp", "tags", "managed")}
        fresh = {"value": f"rotated-{uuid.uuid4()}"}
        return self.put_secret(vault, name, body=kept | fresh | body)

    def patch_object(self, vault: str, kind: str, name: str, body: dict, **_) -> dict:
        body = dict(body)
        version = body.pop("version", None)
        _only(body, PROPERTIES)
        _, changed = self._collection(vault, kind).update(name, version, **body)
        return {"version": changed.id}

    def get_object(self, vault: str, kind: str, name: str, **_) -> dict:
        """All about a secret, key or certificate but its values."""
        found, _version = self._collection(vault, kind).get(name)
        versions = [
            {key: value for key, value in vars(version).items() if key != "value"}
            for version in found.versions.values()
        ]
        return {"name": found.name, "current": found.current.id, "versions": versions}

    def delete_object(self, vault: str, kind: str, name: str, **_) -> dict:
        """Of a kind such as deletedsecrets: purge it."""
        if kind.startswith("deleted"):
            self._vault(vault).purge(_kind(kind.removeprefix("deleted")), name)
            return {}
        return {"purge_at": self._vault(vault).delete(_kind(kind), name).purge_at}

    def recover_object(self, vault: str, kind: str, name: str, **_) -> dict:
        kind = _kind(kind.removeprefix("deleted"))
        return {"version": self._vault(vault).recover(kind, name).current.id}

    def put_key(self, vault: str, name: str, body: dict, **_) -> dict:
        """`value` is the public JWK, without its kid."""
        _only(body, PROPERTIES | {"value", "version"})
        check_name(name)
        _, made = self._vault(vault).keys.put(name, **{"exportable": False, **body})
        return {"version": made.id}

    def put_certificate(self, vault: str, name: str, body: dict, **_) -> dict:
        """A certificate with the key and the secret that go with it, under one version.

        `cer` is the leaf in base64, `value` what the secret holds (PEM, or PFX in base64). Without
        `cer` the certificate is still being issued, and all three are disabled.
        """
        _only(body, PROPERTIES - {"managed"} | {"value", "version", "cer"})
        check_name(name)
        return {"version": self._vault(vault).put_certificate(name, **body).id}

    # Identities, tokens, assertions

    def list_identities(self, **_) -> list:
        return [identity.to_dict() for identity in self.world.identities.values()]

    def add_identity(self, body: dict, **_) -> dict:
        identity = Identity()
        self.world.identities[identity.client_id] = identity
        return self.patch_identity(identity.client_id, body=body)

    def patch_identity(self, client_id: str, body: dict, **_) -> dict:
        """`client_secrets` is {secret: expired}; `federations` a list of {issuer, subject, audience}."""
        identity = self._identity(client_id)
        body = dict(body)
        for federations in ("federations", "bindings"):
            if federations in body:
                body[federations] = [Federation(**item) for item in body[federations]]
        for rules in ("grants", "denials"):
            if rules in body:
                body[rules] = [Rule(**item) for item in body[rules]]
        _assign(identity, body, {f.name for f in fields(Identity)} - {"client_id"})
        return identity.to_dict()

    def grant(self, client_id: str, body: dict, **_) -> dict:
        return self._permissions(client_id, body, Identity.grant)

    def revoke(self, client_id: str, body: dict, **_) -> dict:
        return self._permissions(client_id, body, Identity.revoke)

    def _permissions(self, client_id: str, body: dict, change) -> dict:
        _only(body, {"permissions", "vault", "name"})
        identity = self._identity(client_id)
        for permission in body["permissions"]:
            if permission not in PERMISSIONS:
                raise ValueError(f"no permission {permission}; there are {', '.join(PERMISSIONS)}")
            change(identity, Rule(permission, body.get("vault", "*"), body.get("name", "*")))
        return identity.to_dict()

    def add_tenant(self, tenant_id: str, **_) -> dict:
        self.world.tenants.add(tenant_id.lower())
        return {"tenants": sorted(self.world.tenants)}

    def join_cluster(self, body: dict, **_) -> dict:
        return cluster.join(self.world, **body)

    def list_tokens(self, **_) -> list:
        return [issued.to_dict() for issued in self.world.tokens.issued.values()]

    def revoke_tokens(self, **_) -> dict:
        return {"revoked": self.world.tokens.revoke_all()}

    def patch_token_policy(self, body: dict, **_) -> dict:
        policy = self.world.tokens.policy
        if body.get("expires_in_type", "int") not in ("int", "string"):
            raise ValueError("expires_in_type is int or string")
        _assign(policy, body, {f.name for f in fields(TokenPolicy)})
        self.world.managed_tokens.clear()
        return vars(policy)

    def put_assertion_policy(self, body: dict, **_) -> dict:
        """{"reject_aadsts": code}; null lets good assertions pass again."""
        _only(body, {"reject_aadsts"})
        code = body["reject_aadsts"]
        if code is not None and code not in TABLE:
            raise ValueError(f"AADSTS{code} is not in login_errors.TABLE")
        self.world.reject_assertions = code
        return body

    def write_assertion(self, body: dict, **_) -> dict:
        claims = dict(body)
        self.world.write_assertion(claims.pop("kind", "good"), **claims)
        return {"file": str(self.world.volume.path)}

    def get_markers(self, **_) -> dict:
        return self.world.markers()

    # Faults, journal, connections

    def list_faults(self, **_) -> list:
        return [rule.to_dict() for rule in self.world.faults.rules]

    def add_fault(self, body: dict, **_) -> dict:
        return self.world.faults.add(body).to_dict()

    def remove_fault(self, rule_id: str, **_) -> dict:
        self.world.faults.remove(rule_id)
        return {}

    def clear_faults(self, **_) -> dict:
        self.world.faults.rules.clear()
        return {}

    def get_journal(self, query: dict, **_) -> dict:
        entries = self.world.journal.select(query)
        last = self.world.journal.last_seq
        return {"last_seq": last, "entries": [entry.to_dict() for entry in entries]}

    async def wait_journal(self, query: dict, **_) -> dict:
        """Answer when `count` entries fit the filters, or after `timeout` seconds."""
        filters = dict(query)
        count, timeout_s = int(filters.pop("count", 1)), float(filters.pop("timeout", 10))
        journal = self.world.journal

        def look() -> bool | None:
            return True if len(journal.select(filters)) >= count else None

        met = await journal.wait(look, timeout_s)
        return {"met": bool(met)} | self.get_journal(query=filters)

    def clear_journal(self, **_) -> dict:
        self.world.journal.clear()
        return {}

    def get_connections(self, **_) -> dict:
        journal = self.world.journal
        records = [vars(record) for record in journal.connections.values()]
        return journal.connection_counts() | {"connections": records}

    async def wait_connections(self, query: dict, **_) -> dict:
        """Answer when each named count (opened, closed, open) is as given, or after `timeout` seconds."""
        wanted = dict(query)
        timeout_s = float(wanted.pop("timeout", 10))
        journal = self.world.journal

        def look() -> bool | None:
            counts = journal.connection_counts()
            return True if all(counts[name] == int(n) for name, n in wanted.items()) else None

        met = await journal.wait(look, timeout_s)
        return {"met": bool(met)} | self.get_connections()

    def close_connections(self, body: dict, **_) -> dict:
        _only(body, {"reset"})
        return {"closed": self.front.close_connections(body.get("reset", False))}

    def get_info(self, **_) -> dict:
        return self.info

    def reset(self, **_) -> dict:
        self.world.reset()
        return {}


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise VaultError(404, "NoRoute", kind)
    return kind


def _only(given: dict, known: set[str]) -> None:
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")


def _assign(target: object, given: dict, known: set[str]) -> None:
    _only(given, known)
    for name, value in given.items():
        setattr(target, name, value)


ROUTES = {
    "GET /info": Admin.get_info,
    "POST /reset": Admin.reset,
    "GET /vaults/{vault}": Admin.get_vault,
    "PUT /vaults/{vault}": Admin.put_vault,
    "DELETE /vaults/{vault}": Admin.delete_vault,
    "PUT /vaults/{vault}/secrets/{name}": Admin.put_secret,
    "PUT /vaults/{vault}/keys/{name}": Admin.put_key,
    "PUT /vaults/{vault}/certificates/{name}": Admin.put_certificate,
    "GET /vaults/{vault}/{kind}/{name}": Admin.get_object,
    "PATCH /vaults/{vault}/{kind}/{name}": Admin.patch_object,
    "POST /vaults/{vault}/secrets/{name}/rotate": Admin.rotate_secret,
    "POST /vaults/{vault}/{kind}/{name}/recover": Admin.recover_object,
    "DELETE /vaults/{vault}/{kind}/{name}": Admin.delete_object,
    "GET /identities": Admin.list_identities,
    "POST /identities": Admin.add_identity,
    "PATCH /identities/{client_id}": Admin.patch_identity,
    "POST /identities/{client_id}/grant": Admin.grant,
    "POST /identities/{client_id}/revoke": Admin.revoke,
    "PUT /cluster": Admin.join_cluster,
    "PUT /tenants/{tenant_id}": Admin.add_tenant,
    "GET /tokens": Admin.list_tokens,
    "POST /tokens/revoke": Admin.revoke_tokens,
    "PATCH /token-policy": Admin.patch_token_policy,
    "PUT /assertion-policy": Admin.put_assertion_policy,
    "POST /assertion": Admin.write_assertion,
    "GET /markers": Admin.get_markers,
    "GET /faults": Admin.list_faults,
    "POST /faults": Admin.add_fault,
    "DELETE /faults": Admin.clear_faults,
    "DELETE /faults/{id}": Admin.remove_fault,
    "GET /journal": Admin.get_journal,
    "GET /journal/wait": Admin.wait_journal,
    "DELETE /journal": Admin.clear_journal,
    "GET /connections": Admin.get_connections,
    "GET /connections/wait": Admin.wait_connections,
    "POST /connections/close": Admin.close_connections,
}
