"""A sidecar whose page is worth a look: all well, or with a fault of each kind."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from fakevault.client import FakeVault

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TEST_BIN", str(ROOT / "build/release/akvsync"))
DAY_S = 86400
DEADLINE_S = 60
WELL = ("db-password", "api-key", "tls-web")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(port, path):
    """A document: its headers and text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        return answer.headers, answer.read().decode()
    finally:
        connection.close()


@contextlib.contextmanager
def _running(fake, objects, **more):
    """The port of a sidecar that has had its first sync."""
    port = free_port()
    volume = pathlib.Path(tempfile.mkdtemp(prefix="akvsync-page-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    volume.chmod(0o2755)
    variables = {
        "AKVSYNC_OBJECTS": objects,
        "AKVSYNC_DIR": str(volume),
        "AKVSYNC_LISTEN": f"127.0.0.1:{port}",
        "AKVSYNC_POLL_INTERVAL": "2s",
        "AKVSYNC_TERMINATION_LOG": str(volume / "end"),
        "AKVSYNC_NOTIFY": f"touch={volume.parent}/{volume.name}.told",
    } | more
    # It shows the host's name; a pod's is what people see.
    command = ["unshare", "--uts", "sh", "-c", 'hostname shop-7d9f4c-x2x9p; exec "$0" sidecar', BINARY]
    if subprocess.run([*command[:4], "hostname x"], check=False, capture_output=True).returncode:
        command = [BINARY, "sidecar"]
    with subprocess.Popen(command, env=fake.env(**variables), stderr=subprocess.DEVNULL) as process:
        try:
            yield port
        finally:
            process.terminate()
            process.wait(20)
            shutil.rmtree(volume, ignore_errors=True)
            pathlib.Path(f"{volume}.told").unlink(missing_ok=True)


def wait_for(port, true):
    """The status, as soon as this is true of it."""
    end = time.monotonic() + DEADLINE_S
    while True:
        with contextlib.suppress(OSError):
            status = json.loads(get(port, "/status")[1])
            if true(status):
                time.sleep(1.1)  # the page is made once a second
                return status
        assert time.monotonic() < end, status
        time.sleep(0.2)


@contextlib.contextmanager
def well(folder):
    """The port of a sidecar of which nothing fails."""
    with FakeVault(folder / "fake") as fake:
        for name in WELL:
            fake.set(name, f"planted-value-of-{name}")
        fake.update("tls-web", exp=int(time.time()) + 200 * DAY_S)
        with _running(fake, ", ".join(WELL)) as port:
            wait_for(port, lambda s: s["ready"])
            fake.set("api-key", "planted-value-two")
            wait_for(port, lambda s: s["notify"])
            yield port


@contextlib.contextmanager
def broken(folder, names=(), files=()):
    """One that is ready, and then loses much: an object is forbidden, one is gone, one expires soon, a vault throttles, an
    app cannot be notified. names: more secrets; files: "NAME/PATH", more files of a secret."""
    with FakeVault(folder / "fake", vaults=("shop-kv", "busy-kv")) as fake:
        for name in (*WELL, "ends-soon", "gone", "denied", *names):
            fake.set(name, f"planted-value-of-{name}")
        for name in ("slow-one", "slow-two"):
            fake.set(name, f"planted-value-of-{name}", vault="busy-kv")
        fake.update("ends-soon", exp=int(time.time()) + 3 * DAY_S + 3600)
        fake.update("tls-web", exp=int(time.time()) + 200 * DAY_S)
        fake.vault_settings(settle_s=0)
        listed = [{"objectName": name, "objectType": "secret"} for name in (*WELL, "ends-soon", "gone", "denied", *names)]
        listed += [{"objectName": name, "objectType": "secret", "vault": fake.url("busy-kv")} for name in ("slow-one", "slow-two")]
        for file in files:
            name, _, path = file.partition("/")
            listed.append({"objectName": name, "objectType": "secret", "objectAlias": path})
        notify = "signal=HUP,process=nginx-that-is-not-there"
        with _running(fake, json.dumps(listed), AKVSYNC_NOTIFY=notify) as port:
            wait_for(port, lambda s: s["ready"])
            fake.revoke("get", name="denied")
            fake.delete("gone")
            fake.fault({"status": 429, "retry_after_s": 30}, times=-1, target="vault", vault="busy-kv", path="*slow-two*")
            fake.set("api-key", "planted-value-two")
            wait_for(port, lambda s: {one["kind"] for one in s["failing"]} >= {"object", "notify", "vault"})
            yield port
