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
from pathlib import Path

from .admin_client import Admin

PROGRAM = Path(__file__).with_name("fakevault")
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


class Child:
    """A subprocess of this program that says on its first line that it is ready."""

    def __init__(self, *arguments: str):
        # Ctrl-C in a terminal reaches the whole process group; this one ends with its parent instead.
        self.process = subprocess.Popen(
            [PROGRAM, *arguments, "--die-with-parent"], stdout=subprocess.PIPE, text=True, start_new_session=True
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
        admin_port: int = 0,
    ):
        self.directory = Path(directory)
        self._arguments = ["--dir", str(directory), "--layout", layout, "--port", str(port)]
        self._arguments += ["--admin-port", str(admin_port)]
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
        self.intermediate = self.ca.with_name("intermediate.pem")
        self.tenant_id: str = ready["tenant_id"]
        self.client_id: str = ready["client_id"]
        self.assertion_file = Path(ready["assertion_file"])
        self.variables: dict[str, str] = ready["env"]
        self.imds: str = ready["imds"]
        self.app_service: dict[str, str] = ready["app_service"]
        self.binding: dict[str, str] = ready["binding"]
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


class ConnectProxy:
    """An HTTP proxy for HTTPS (see connectproxy.py), from `with` or start() to its end."""

    def __init__(
        self,
        to_port: int,
        *,
        user: str = "",
        refuse: str = "",
        status: int = 403,
        headers: tuple[str, ...] = (),
        tls_dir: Path | None = None,
    ):
        self._arguments = ["--to", str(to_port), "--user", user, "--refuse", refuse, "--status", str(status)]
        for line in headers:
            self._arguments += ["--header", line]
        if tls_dir:
            self._arguments += ["--tls-dir", str(tls_dir)]

    def start(self) -> "ConnectProxy":
        self._child = Child("connect-proxy", *self._arguments)
        self.port: int = self._child.ready["port"]
        self._control = self._child.ready["control"]
        return self

    def stop(self) -> int:
        return self._child.stop()

    def __enter__(self) -> "ConnectProxy":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    def heads(self) -> list[dict]:
        """What was asked of it: target, status, and the whole head as text."""
        with socket.create_connection(("127.0.0.1", self._control)) as control:
            return json.load(control.makefile())


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
        """rtt_ms: latency; new: what happens to new connections (forward, blackhole, refuse); to_port: where
        they go."""
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
