"""The admin interface from Python: one method for each of its routes. Standard library only."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class AdminError(Exception):
    """The admin interface refused a request; `status` is its HTTP status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Admin:
    """A server's admin interface; `vault` is where secrets go when a call names no other."""

    def __init__(self, url: str, vault: str | None = None):
        self.admin_url = url.rstrip("/")
        self.vault = vault or self.info()["vault_url"].split("//")[1].split(".")[0]

    def call(
        self, method: str, path: str, body: Any = None, timeout_s: float = 30, /, **query
    ) -> Any:
        """One request; `query` members that are None are left out."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        url = f"{self.admin_url}{path}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout_s) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise AdminError(error.code, json.load(error)["error"]) from None

    def info(self) -> dict:
        """The ready line of the server."""
        return self.call("GET", "/info")

    def reset(self) -> None:
        """Back to the start: no secrets, faults or journal, a fresh assertion; ids and addresses stay."""
        self.call("POST", "/reset")

    # Vaults and secrets

    def _path(self, name: str, vault: str | None, kind: str = "secrets") -> str:
        return f"/vaults/{vault or self.vault}/{kind}/{name}"

    def vault_settings(self, vault: str | None = None, **settings) -> dict:
        """Change settings (see store.Settings) of a vault, which is made if it does not exist."""
        return self.call("PUT", f"/vaults/{vault or self.vault}", settings)

    def remove_vault(self, vault: str) -> None:
        self.call("DELETE", f"/vaults/{vault}")

    def set(self, name: str, value: str, *, vault: str | None = None, **properties) -> str:
        """A new, now current version; `properties`: version, content_type, enabled, nbf, exp, tags,
        managed, created, updated. Returns the version."""
        return self.call("PUT", self._path(name, vault), {"value": value, **properties})["version"]

    def rotate(
        self, name: str, value: str | None = None, *, vault: str | None = None, **properties
    ) -> str:
        """A new version like the current one; without `value`, with a made-up one."""
        body = properties if value is None else {"value": value, **properties}
        return self.call("POST", self._path(name, vault) + "/rotate", body)["version"]

    def update(
        self,
        name: str,
        version: str | None = None,
        *,
        vault: str | None = None,
        kind: str = "secrets",
        **properties,
    ) -> str:
        """Change properties of a version (without one, of the current); kind: secrets, keys, certificates."""
        body = {"version": version, **properties}
        return self.call("PATCH", self._path(name, vault, kind), body)["version"]

    def disable(self, name: str, version: str | None = None, *, vault: str | None = None) -> str:
        return self.update(name, version, vault=vault, enabled=False)

    def enable(self, name: str, version: str | None = None, *, vault: str | None = None) -> str:
        return self.update(name, version, vault=vault, enabled=True)

    def secret(self, name: str, *, vault: str | None = None) -> dict:
        """Versions in the order of their creation, and their properties; no values."""
        return self.call("GET", self._path(name, vault))

    def set_key(self, name: str, jwk: dict, *, vault: str | None = None, **properties) -> str:
        """A new version of a key from its public JWK (without kid). Returns the version."""
        body = {"value": jwk, **properties}
        return self.call("PUT", self._path(name, vault, "keys"), body)["version"]

    def set_certificate(
        self,
        name: str,
        value: str = "",
        cer: str | None = None,
        *,
        vault: str | None = None,
        **properties,
    ) -> str:
        """A certificate with its key and secret, under one version, which is returned.

        `cer`: the leaf's DER in base64 (without it, the certificate is still being issued);
        `value`: what the secret holds, PEM or a PFX in base64, as `content_type` says.
        """
        body = {"value": value, **({"cer": cer} if cer else {}), **properties}
        return self.call("PUT", self._path(name, vault, "certificates"), body)["version"]

    def delete(self, name: str, *, vault: str | None = None, kind: str = "secrets") -> None:
        """With a certificate go its key and its secret."""
        self.call("DELETE", self._path(name, vault, kind))

    def recover(self, name: str, *, vault: str | None = None, kind: str = "secrets") -> str:
        return self.call("POST", self._path(name, vault, f"deleted{kind}") + "/recover")["version"]

    def purge(self, name: str, *, vault: str | None = None, kind: str = "secrets") -> None:
        self.call("DELETE", self._path(name, vault, f"deleted{kind}"))

    # Identities, tokens, assertions. `identity` is a client id, or "default".

    def identities(self) -> list[dict]:
        return self.call("GET", "/identities")

    def add_identity(self, **properties) -> dict:
        """`properties`: federations, bindings, client_secrets, certificates, certificate_roots, managed,
        resource_id, grants, denials, enabled, object_id."""
        return self.call("POST", "/identities", properties)

    def update_identity(self, identity: str = "default", **properties) -> dict:
        return self.call("PATCH", f"/identities/{identity}", properties)

    def grant(
        self, *permissions: str, identity: str = "default", vault: str = "*", name: str = "*"
    ) -> dict:
        """Permissions are those of identities.PERMISSIONS; vault and name are patterns."""
        body = {"permissions": permissions, "vault": vault, "name": name}
        return self.call("POST", f"/identities/{identity}/grant", body)

    def revoke(
        self, *permissions: str, identity: str = "default", vault: str = "*", name: str = "*"
    ) -> dict:
        """Take permissions back, for all secrets or for those that the patterns name."""
        body = {"permissions": permissions, "vault": vault, "name": name}
        return self.call("POST", f"/identities/{identity}/revoke", body)

    def add_tenant(self, tenant_id: str) -> None:
        self.call("PUT", f"/tenants/{tenant_id}")

    def tokens(self) -> list[dict]:
        """Every access token issued: id, token, client_id, audience, times, revoked."""
        return self.call("GET", "/tokens")

    def revoke_tokens(self) -> int:
        """All tokens issued so far are answered 401 TokenExpired from now on."""
        return self.call("POST", "/tokens/revoke")["revoked"]

    def token_policy(self, **policy) -> dict:
        """lifetime_s, expires_in, expires_in_type (int, string), expires_on_type, refresh_in, claims."""
        return self.call("PATCH", "/token-policy", policy)

    def reject_assertions(self, aadsts: int | None) -> None:
        """Refuse every assertion with this AADSTS code; None accepts good ones again."""
        self.call("PUT", "/assertion-policy", {"reject_aadsts": aadsts})

    def write_assertion(self, kind: str = "good", **claims) -> None:
        """Rotate the projected token; `kind` and `claims` as in assertion.mint."""
        self.call("POST", "/assertion", {"kind": kind, **claims})

    def markers(self, values: bool = False) -> list[str]:
        """Every credential there was, and every secret value too if asked: what must not leak."""
        found = self.call("GET", "/markers")
        names = ["tokens", "assertions", "client_secrets"] + (["values"] if values else [])
        return [marker for name in names for marker in found[name]]

    # Faults

    def fault(
        self,
        action: dict,
        *,
        times: int = 1,
        after: int = 0,
        id: str | None = None,
        **match,
    ) -> str:
        """Add a rule. `match`: target, vault, method, path, authenticated (see faults.Match);
        `action`: see faults.Action. Returns the rule's id."""
        rule = {"match": match, "action": action, "times": times, "after": after}
        return self.call("POST", "/faults", rule | ({"id": id} if id else {}))["id"]

    def faults(self) -> list[dict]:
        """The rules, with `seen` and `hits`."""
        return self.call("GET", "/faults")

    def fault_hits(self, rule_id: str) -> int:
        return next(rule["hits"] for rule in self.faults() if rule["id"] == rule_id)

    def remove_fault(self, rule_id: str) -> None:
        self.call("DELETE", f"/faults/{rule_id}")

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    # Journal and connections

    def mark(self) -> int:
        """The number of the last entry, for `since`."""
        return self.call("GET", "/journal", since=2**62)["last_seq"]

    def journal(self, **filters) -> list[dict]:
        """Entries that fit: since, path (a pattern), and any field of journal.Entry."""
        return self.call("GET", "/journal", **filters)["entries"]

    def wait_journal(self, count: int = 1, timeout: float = 10, **filters) -> list[dict]:
        """The entries that fit, as soon as there are `count`; AssertionError when time is over."""
        reply = self.call(
            "GET", "/journal/wait", None, timeout + 30, count=count, timeout=timeout, **filters
        )
        if not reply["met"]:
            seen = [
                f"{e['seq']} {e['method']} {e['path']} -> {e['status']} {e['outcome']}"
                for e in self.journal()[-20:]
            ]
            raise AssertionError(
                f"{len(reply['entries'])} of {count} entries with {filters} after {timeout} s;"
                " the last ones:\n" + "\n".join(seen)
            )
        return reply["entries"]

    def clear_journal(self) -> None:
        self.call("DELETE", "/journal")

    def connections(self) -> dict:
        """Counts (opened, closed, open) and one record a connection."""
        return self.call("GET", "/connections")

    def wait_connections(self, timeout: float = 10, **counts) -> dict:
        """Wait until opened, closed, open are as given; AssertionError when time is over."""
        reply = self.call("GET", "/connections/wait", None, timeout + 30, timeout=timeout, **counts)
        if not reply["met"]:
            now = {name: reply[name] for name in ("opened", "closed", "open")}
            raise AssertionError(f"connections are {now}, not {counts}, after {timeout} s")
        return reply

    def close_connections(self, reset: bool = False) -> int:
        return self.call("POST", "/connections/close", {"reset": reset})["closed"]
