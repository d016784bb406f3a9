"""HTTP/2 frames without end: the deadline of the request and of the sync holds, and memory stays as it was."""

import pathlib
import re
import struct
import time

import pytest
from rawvault import CHALLENGE, RawVault
from conftest import SANITIZED
from test_health import ask

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = 24


def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def literal(name, value):
    """A header in HPACK, neither indexed nor compressed; names and values of less than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


STATUS_200 = b"\x88" + literal(b"content-type", b"application/json")
STATUS_401 = literal(b":status", b"401") + b"".join(
    b"\0" + bytes([len(name)]) + name + b"\x7f" + bytes([len(value) - 127 & 0x7f | 0x80, len(value) - 127 >> 7]) + value
    for name, value in [(b"www-authenticate", CHALLENGE.partition(": ")[2].ljust(260).encode())])

STARTS = [frame(HEADERS, END_HEADERS, 0, STATUS_200)]
FLOODS = {
    "GOAWAY": lambda s: frame(GOAWAY, 0, 0, struct.pack(">II", s, 0)),
    "GOAWAY that counts down": lambda s: frame(GOAWAY, 0, 0, struct.pack(">II", 0x7FFFFFFF, 0)),
    "GOAWAY with text": lambda s: frame(GOAWAY, 0, 0, struct.pack(">II", s, 0) + b"x" * 1000),
    "RST_STREAM": lambda s: frame(RST_STREAM, 0, s, struct.pack(">I", 8)),
    "RST_STREAM of another": lambda s: frame(RST_STREAM, 0, s + 2, struct.pack(">I", 8)),
    "WINDOW_UPDATE": lambda s: frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)),
    "WINDOW_UPDATE of the stream": lambda s: frame(WINDOW_UPDATE, 0, s, struct.pack(">I", 1)),
    "PRIORITY": lambda s: frame(PRIORITY, 0, s, struct.pack(">IB", 0, 7)),
    "empty DATA": lambda s: frame(DATA, 0, s),
    "padded empty DATA": lambda s: frame(DATA, 8, s, b"\x10" + b"\0" * 16),
    "PING": lambda s: frame(PING, 0, 0, b"8 bytes."),
    "PING that answers": lambda s: frame(PING, ACK, 0, b"8 bytes."),
    "SETTINGS": lambda s: frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 70000)),
    "SETTINGS that answers": lambda s: frame(SETTINGS, ACK, 0),
    "unknown frames": lambda s: frame(0x42, 0, s, b"x" * 100),
    "interim answers": lambda s: frame(HEADERS, END_HEADERS, s, literal(b":status", b"103") + literal(b"link", b"x" * 90)),
    "PUSH_PROMISE": lambda s: frame(PUSH_PROMISE, END_HEADERS, s, struct.pack(">I", 2) + literal(b":path", b"/x")),
}
AFTER_HEADERS = {"empty DATA", "padded empty DATA"}


class Flooding(RawVault):
    """Answers the request without a token, and then floods on the stream of the one with it."""

    def __init__(self, fake, flood, opening=b"", at_once=False):
        self.flood, self.opening, self.at_once = flood, opening, at_once
        super().__init__(fake, self.serve_h2, protocols=("h2",))

    def serve_h2(self, connection):
        lines = connection.makefile("rb")
        lines.read(PREFACE)
        self.send(connection, frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
        requests = 0
        while len(head := lines.read(9)) == 9:
            length, kind, stream = int.from_bytes(head[:3], "big"), head[3], int.from_bytes(head[5:], "big")
            lines.read(length)
            if kind != HEADERS:
                continue
            requests += 1
            if requests == 1 and self.connections == 1 and not self.at_once:
                self.send(connection, frame(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_401))
                continue
            if self.opening is not None:
                self.send(connection, frame(HEADERS, END_HEADERS, stream, STATUS_200) + self.opening)
            piece = self.flood(stream)
            piece *= max(1, 16000 // len(piece))
            while True:
                self.send(connection, piece)


def peak_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


REQUEST_S, INIT_S, SLACK_S = 2, 6, 2


def endures(world, vault):
    """init ends in time whatever comes, and a sidecar stops at once."""
    env = {"AKVSYNC_REQUEST_TIMEOUT": f"{REQUEST_S}s", "AKVSYNC_INIT_TIMEOUT": f"{INIT_S}s"} | vault.env
    began = time.monotonic()
    process = world.start("init", env=world.env("a", **env))
    peak = 0
    while process.popen.poll() is None:
        try:
            peak = max(peak, peak_kib(process))
        except (OSError, TypeError):
            pass  # it has just ended
        time.sleep(0.1)
        assert time.monotonic() - began < 40, "it does not end"
    took = time.monotonic() - began
    assert process.wait() not in (0, None)
    told = process.find("exit")
    print(f"{took:.1f} s, {peak} KiB, {vault.sent} bytes over {vault.connections} connections: {told[0]['msg']}")
    assert took < INIT_S + SLACK_S
    assert SANITIZED or peak < 48 << 10
    return told[0]["msg"]


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood(world, name):
    vault = Flooding(world.fake, FLOODS[name], opening=b"" if name in AFTER_HEADERS else None)
    try:
        assert re.search("shop-kv.vault.localhost", endures(world, vault))
    finally:
        vault.close()
