"""HTTP/2 frames without end: the deadline of the request and of the sync holds, and memory stays as it was."""

import pathlib
import re
import struct
import time

import pytest
from rawvault import CHALLENGE, RawVault
from conftest import PROMPT_S, SANITIZED, wait_until
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
FLOODS |= {
    "CONTINUATION": lambda s: frame(CONTINUATION, 0, s, literal(b"x-more", b"x" * 90) * 100),
    "empty CONTINUATION": lambda s: frame(CONTINUATION, 0, s),
    "trailers": lambda s: frame(HEADERS, END_HEADERS, s, literal(b"x-trailer", b"x" * 90) * 100),
    "one-byte DATA": lambda s: frame(DATA, 0, s, b" "),
}
AFTER_HEADERS = {"empty DATA", "padded empty DATA", "trailers", "one-byte DATA"}
OPENINGS = {"trailers": lambda s: frame(DATA, 0, s, b"{}"), "CONTINUATION": lambda s: frame(HEADERS, 0, s, STATUS_200),
            "empty CONTINUATION": lambda s: frame(HEADERS, 0, s, STATUS_200)}


class Flooding(RawVault):
    """Answers the request without a token, and then floods on the stream of the one with it."""

    def __init__(self, fake, name, at_once=False):
        self.name, self.at_once = name, at_once
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
            if self.name in AFTER_HEADERS:
                self.send(connection, frame(HEADERS, END_HEADERS, stream, STATUS_200))
            if self.name in OPENINGS:
                self.send(connection, OPENINGS[self.name](stream))
            piece = FLOODS[self.name](stream)
            piece *= max(1, 16000 // len(piece))
            while True:
                self.send(connection, piece)


def peak_kib(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


REQUEST_S, INIT_S = 2, 4


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
        assert time.monotonic() - began < 60, "it does not end before the flood does, and that never ends"
    took = time.monotonic() - began
    assert process.wait() not in (0, None)
    told = process.find("exit")
    print(f"{took:.1f} s, {peak} KiB, {vault.sent} bytes over {vault.connections} connections: {told[0]['msg']}")
    assert SANITIZED or peak < 48 << 10
    assert vault.sent < 96 << 20, "it goes on reading what nobody asked for"
    return told[0]["msg"]


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood(world, name):
    vault = Flooding(world.fake, name)
    try:
        assert re.search("shop-kv.vault.localhost", endures(world, vault))
    finally:
        vault.close()


@pytest.mark.parametrize("name", ["GOAWAY", "PRIORITY", "WINDOW_UPDATE"])
def test_a_flood_before_any_token(world, name):
    vault = Flooding(world.fake, name, at_once=True)
    try:
        assert re.search("shop-kv.vault.localhost", endures(world, vault))
    finally:
        vault.close()


@pytest.mark.parametrize("name", ["GOAWAY", "PRIORITY", "empty DATA"])
def test_a_sidecar_answers_and_stops_during_a_flood(world, name):
    vault = Flooding(world.fake, name)
    try:
        sidecar = world.sidecar("a", wait=False, **vault.env)
        sent = 0
        for _ in range(5):
            assert wait_until(lambda: vault.sent > sent + (1 << 20)), "the flood goes on"
            sent = vault.sent
            assert ask(world, "probe", "live").returncode == 0
        _, took = sidecar.stop()
        assert took < PROMPT_S
    finally:
        vault.close()


HTTP1 = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 200 + b"\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nX-More: ", b"x" * 1000),
    "extensions of a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-More: " + b"x" * 200 + b"\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 1000),
    "nothing that is HTTP": (b"", b"\r\n"),
}


@pytest.mark.parametrize("name", HTTP1)
def test_an_endless_answer_of_http1(raw_vault, name):
    world, vault = raw_vault
    opening, piece = HTTP1[name]

    def flood(connection, _):
        vault.send(connection, opening)
        while True:
            vault.send(connection, piece * (16000 // len(piece)))

    vault.answer = flood
    said = endures(world, vault)
    assert "larger than 131072 bytes" in said or name not in {"headers", "interim answers", "trailers"}, said
    assert "shop-kv.vault.localhost" in said
