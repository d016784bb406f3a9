"""Use the fake from Python: start it, script it, ask what it saw. Synchronous, standard library only.

    with FakeVault(tmp_path) as fake:
        fake.set("db-password", "s3cr3t")
        fake.fault({"status": 429, "retry_after_s": 1}, target="vault", times=2)
        subprocess.run([binary, "init"], env=fake.env(AKVSYNC_OBJECTS="db-password"), check=True)
        assert len(fake.journal(target="vault", status=200)) == 1
"""

import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("fakevault")
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


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

    def call(self, method: str, path: str, body: Any = None, timeout_s: float = 30, **query) -> Any:
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
        self, name: str, version: str | None = None, *, vault: str | None = None, **properties
    ) -> str:
        """Change properties of a version (without one, of the current)."""
        return self.call("PATCH", self._path(name, vault), {"version": version, **properties})[
            "version"
        ]

    def disable(self, name: str, version: str | None = None, *, vault: str | None = None) -> str:
        return self.update(name, version, vault=vault, enabled=False)

    def enable(self, name: str, version: str | None = None, *, vault: str | None = None) -> str:
        return self.update(name, version, vault=vault, enabled=True)

    def secret(self, name: str, *, vault: str | None = None) -> dict:
        """Names, versions in the order of creation, and properties; no values."""
        return self.call("GET", self._path(name, vault))

    def delete(self, name: str, *, vault: str | None = None) -> None:
        self.call("DELETE", self._path(name, vault))

    def recover(self, name: str, *, vault: str | None = None) -> str:
        return self.call("POST", self._path(name, vault, "deletedsecrets") + "/recover")["version"]

    def purge(self, name: str, *, vault: str | None = None) -> None:
        self.call("DELETE", self._path(name, vault, "deletedsecrets"))

    # Identities, tokens, assertions. `identity` is a client id, or "default".

    def identities(self) -> list[dict]:
        return self.call("GET", "/identities")

    def add_identity(self, **properties) -> dict:
        """`properties`: federations, client_secrets, grants, denials, enabled, object_id."""
        return self.call("POST", "/identities", properties)

    def update_identity(self, identity: str = "default", **properties) -> dict:
        return self.call("PATCH", f"/identities/{identity}", properties)

    def grant(
        self, *permissions: str, identity: str = "default", vault: str = "*", name: str = "*"
    ) -> dict:
        """Permissions are get, list, set, delete, recover, purge; vault and name are patterns."""
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
        """lifetime_s, expires_in, expires_in_type (int, string), refresh_in, claims."""
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


class Child:
    """A subprocess of this program that says on its first line that it is ready."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [PROGRAM, *arguments, "--die-with-parent"], stdout=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        stdout = self.process.stdout
        line = ""
        if select.select([stdout], [], [], deadline - time.monotonic())[0]:
            line = stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"fakevault {arguments[0]} did not start; its stderr says why")
        self.ready = json.loads(line)

    def stop(self) -> int:
        """End the process; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        return code


class FakeVault(Admin):
    """A server of its own, from `with` or start() to its end."""

    def __init__(
        self,
        directory: Path | str,
        *,
        vaults: tuple[str, ...] = ("shop-kv",),
        layout: str = "flat",
        port: int = 0,
    ):
        self.directory = Path(directory)
        self._arguments = ["--dir", str(directory), "--layout", layout, "--port", str(port)]
        for name in vaults:
            self._arguments += ["--vault", name]

    def start(self) -> "FakeVault":
        self._child = Child("serve", *self._arguments)
        ready = self._child.ready
        super().__init__(ready["admin"])
        self.vault_url: str = ready["vault_url"]
        self.authority: str = ready["authority"]
        self.port: int = int(self.vault_url.rpartition(":")[2])
        self.ca = Path(ready["ca"])
        self.tenant_id: str = ready["tenant_id"]
        self.client_id: str = ready["client_id"]
        self.assertion_file = Path(ready["assertion_file"])
        self.variables: dict[str, str] = ready["env"]
        return self

    def stop(self) -> int:
        """End the server; its exit code."""
        return self._child.stop()

    def __enter__(self) -> "FakeVault":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._child.process.pid

    def url(self, vault: str, port: int | None = None) -> str:
        """The address of a vault, perhaps by the port of a proxy in front of it."""
        return f"https://{vault}.vault.localhost:{port or self.port}"

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a child that uses this server: ours, without Azure's and proxies' names."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AZURE_", "AKVSYNC_", "KUBERNETES_"))
            and not name.lower().endswith("_proxy")
        }
        return inherited | self.variables | more


class Proxy:
    """A TCP proxy in front of a port of this machine (see tcpproxy.py), from `with` or start() to its end."""

    def __init__(self, to_port: int, *, port: int = 0, rtt_ms: float = 0):
        self._arguments = ["--to", str(to_port), "--port", str(port)]
        self._rtt_ms = rtt_ms

    def start(self) -> "Proxy":
        self._child = Child("proxy", *self._arguments)
        self.port: int = self._child.ready["port"]
        self._control = socket.create_connection(("127.0.0.1", self._child.ready["control"]))
        self._lines = self._control.makefile()
        if self._rtt_ms:
            self.set(rtt_ms=self._rtt_ms)
        return self

    def stop(self) -> int:
        self._lines.close()
        self._control.close()
        return self._child.stop()

    def __enter__(self) -> "Proxy":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def _do(self, op: str, **arguments) -> dict:
        self._control.sendall(json.dumps({"op": op, **arguments}).encode() + b"\n")
        answer = json.loads(self._lines.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def set(self, **settings) -> dict:
        """rtt_ms: latency; new: what happens to new connections (forward, blackhole, refuse)."""
        return self._do("set", **settings)

    def forward(self) -> dict:
        """New connections work again; those lost in a black hole stay lost."""
        return self.set(new="forward")

    def refuse(self) -> dict:
        """New connections are refused; open ones go on."""
        return self.set(new="refuse")

    def blackhole(self, new: str = "blackhole") -> dict:
        """Open connections go dead without a sign; new ones do as `new` says."""
        self.set(new=new)
        return self._do("blackhole")

    def reset(self) -> dict:
        """Reset all open connections."""
        return self._do("reset")

    def stats(self) -> dict:
        """rtt_ms, new, connections (in all), open, bytes_up, bytes_down."""
        return self._do("stats")
