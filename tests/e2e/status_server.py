"""Plays the sidecar for `akvsync status`: answers at ..sock with what a test prepared."""

import copy
import json
import pathlib
import socket
import threading

ERROR = {"kind": "vault", "error": "unavailable", "message": "503 Service Unavailable", "since": "2026-11-29T04:55:00Z", "count": 3}
GONE = {"kind": "object", "error": "not-found", "message": "secret 'api-key': 404 SecretNotFound", "since": "2026-11-29T04:00:00Z", "count": 1}
OBJECTS = [
    {"object": "db-password", "kind": "secret", "name": "db-password", "vault": "shop-kv", "version": "0123456789abcdef0123456789abcdef",
     "files": 1, "state": "up-to-date", "changedAt": "2026-11-29T04:57:00Z", "confirmedAt": "2026-11-29T04:59:40Z",
     "expiresAt": "2027-03-11T06:00:00Z", "error": None},
    {"object": "tls/web.pem", "kind": "cert", "name": "web", "vault": "shop-kv", "version": "fedcba9876543210fedcba9876543210",
     "files": 2, "state": "stale", "changedAt": "2026-11-26T05:00:00Z", "confirmedAt": "2026-11-29T04:54:40Z",
     "expiresAt": "2026-12-04T06:00:00Z", "error": ERROR},
    {"object": "keys/api", "kind": "secret", "name": "api-key", "vault": "shop-kv", "version": None, "files": 0, "state": "missing",
     "changedAt": None, "confirmedAt": None, "expiresAt": "2026-11-26T04:00:00Z", "error": GONE},
]
STATUS = {
    "format": 1, "version": "1.4.0", "time": "2026-11-29T05:00:00Z", "startedAt": "2026-11-27T05:00:00Z",
    "ready": False, "reason": "secret 'api-key': 404 SecretNotFound", "directory": "/mnt/secrets", "sandbox": "Landlock ABI 4: files and TCP ports; seccomp: calls of the kernel",
    "generation": "..2026_11_29_04_57_00.123456789", "publishedAt": "2026-11-29T04:57:00Z", "pollIntervalSeconds": 60,
    "maxStalenessSeconds": 600, "nextPollAt": "2026-11-29T05:00:40Z",
    "lastSync": {"at": "2026-11-29T04:59:40Z", "status": "partial", "durationSeconds": 0.12},
    "lastSuccessAt": "2026-11-29T04:54:40Z", "consecutiveFailures": 5, "objects": OBJECTS,
    "vaults": [{"name": "shop-kv", "url": "https://shop-kv.vault.azure.net", "requests": 1234, "throttled": 2, "concurrencyLimit": 4,
                "pausedUntil": "2026-11-29T05:00:12Z"}],
    "tokens": [{"resource": "https://vault.azure.net", "expiresAt": "2026-11-30T04:00:00Z"}],
    "notify": [{"target": "signal=HUP,process=nginx", "successes": 7, "failures": 2, "lastSuccessAt": "2026-11-29T03:00:00Z", "failing": True}],
    "failing": [
        {"name": "shop-kv", "consequence": "the last good files stay", "request": "0b5e-77"} | ERROR,
        {"kind": "notify", "name": "signal=HUP,process=nginx", "error": "local", "message": "no process named 'nginx' found",
         "consequence": None, "since": "2026-11-29T04:57:00Z", "count": 12, "request": None},
        {"kind": "precheck", "name": "precheck=/bin/check", "error": "configuration", "message": "exit code 1",
         "consequence": "the set is not published", "since": "2026-11-29T04:59:00Z", "count": 1, "request": None},
    ],
}
"""A sidecar to which much happens at once."""


def well():
    """One to which nothing happens."""
    status = copy.deepcopy(STATUS)
    good = OBJECTS[0]
    return status | {
        "ready": True, "reason": "ok", "failing": [], "consecutiveFailures": 0, "objects": [good], "maxStalenessSeconds": None,
        "lastSync": {"at": "2026-11-29T04:59:40Z", "status": "unchanged", "durationSeconds": 0.12},
        "lastSuccessAt": "2026-11-29T04:59:40Z", "vaults": [status["vaults"][0] | {"pausedUntil": None}],
        "notify": [status["notify"][0] | {"failing": False}],
    }


class StatusServer(threading.Thread):
    """Answers each request with the body of now, until it is closed.  None: it accepts and says nothing."""

    def __init__(self, folder, body, code="200 OK"):
        super().__init__(daemon=True)
        self.body, self.code, self.asked = body, code, []
        self.path = pathlib.Path(folder, "..sock")
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(self.path))
        self.socket.listen(8)
        self.kept = []
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    self.answer(connection)
                except OSError:
                    pass  # whoever asked has gone

    def answer(self, connection):
        self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode())
        if self.body is None:
            self.kept.append(connection.dup())
            return
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        head = f"HTTP/1.1 {self.code}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    def close(self):
        """Nobody listens any more."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.join(10)
        self.path.unlink(missing_ok=True)
        for connection in self.kept:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
