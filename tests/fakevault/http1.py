"""The server side of HTTP/1.1 over one connection: requests parsed strictly, replies written.

What a reply is, and how it may be spoilt on the way, is decided elsewhere (see wire.py); only this file
knows the framing of requests.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024


class BadRequest(Exception):
    """The peer does not speak HTTP/1.1 as it must; the connection ends."""


@dataclass
class Request:
    method: str
    target: str
    """Path and query as sent."""
    path: str
    """The path with percent-encoding undone."""
    query: dict[str, str]
    headers: dict[str, str]
    """By lower-case name; repeated ones joined with commas."""
    body: bytes
    connection: "Connection"


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def head(self, framing: tuple[str, str]) -> bytes:
        """The reply up to the body; `framing` is the header that says where the body ends."""
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Unknown"
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"{framing[0]}: {framing[1]}")
        lines.append(f"Date: {formatdate(usegmt=True)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(eq=False)
class Connection:
    id: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server_name: str | None = None
    """The TLS server name the client asked for."""
    listener: str = "azure"
    """By which of the server's listeners it came."""

    @property
    def peer(self) -> str:
        return self.writer.get_extra_info("peername")[0]

    @property
    def tls(self) -> ssl.SSLObject | None:
        return self.writer.get_extra_info("ssl_object")

    async def write(self, data: bytes) -> None:
        """Write all; ConnectionError when the client has gone."""
        self.writer.write(data)
        # While nothing is held up drain() does not let the loop run, and so not notice an end.
        await asyncio.sleep(0)
        await self.writer.drain()

    async def send(self, reply: Reply) -> None:
        length = ("Content-Length", str(len(reply.body)))
        await self.write(reply.head(length) + reply.body)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        if raw is None:
            return
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def wait_gone(self) -> None:
        """Return when the client has closed its side; whatever it sends is dropped."""
        while await self.reader.read(65536):
            pass


Handler = Callable[[Request], Awaitable[bool]]
"""Answers the request on its connection; True keeps the connection."""


async def serve_connection(connection: Connection, handler: Handler) -> None:
    """Answer request after request until either side is done. The caller closes the connection."""
    # A write is over when the kernel has the data, so that a reset after it comes after it. (A limit
    # of 0 would stop a TLS transport for good.)
    connection.writer.transport.set_write_buffer_limits(high=1, low=0)
    try:
        while True:
            request = await _read_request(connection)
            if request is None:
                return
            keep = await handler(request)
            if not keep or request.headers.get("connection", "").lower() == "close":
                return
    except BadRequest as error:
        text = f"{error}\n".encode()
        await connection.send(Reply(400, [("Content-Type", "text/plain")], text))


async def _read_request(connection: Connection) -> Request | None:
    reader = connection.reader
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("the request head is cut off") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest("the request head is too large") from None
    lines = head.decode("latin-1").split("\r\n")[:-2]
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or not words[1].startswith("/"):
        raise BadRequest("the request line is not HTTP/1.1 in origin form")
    headers = _parse_headers(lines[1:])
    path, _, query = words[1].partition("?")
    return Request(
        method=words[0],
        target=words[1],
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=await _read_body(connection, headers),
        connection=connection,
    )


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest("a header line is malformed")
        name, value = name.lower(), value.strip()
        if name in headers:
            if name in ("host", "content-length", "authorization"):
                raise BadRequest(f"header {name} occurs twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    if "host" not in headers:
        raise BadRequest("header host is missing")
    return headers


async def _read_body(connection: Connection, headers: dict[str, str]) -> bytes:
    if headers.get("expect", "").lower() == "100-continue":
        await connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        if "transfer-encoding" in headers:
            return await _read_chunks(connection.reader, headers)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            raise BadRequest("the content length is not a number, or too large")
        return await connection.reader.readexactly(int(length))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise BadRequest("the request body is cut off") from None


async def _read_chunks(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
        raise BadRequest("the transfer encoding is not just chunked")
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            raise BadRequest("a chunk has no size") from None
        if len(body) + size > MAX_BODY:
            raise BadRequest("the request body is too large")
        data = await reader.readexactly(size + 2)
        if not data.endswith(b"\r\n"):
            raise BadRequest("a chunk is longer than its size")
        if size == 0:
            return body
        body += data[:-2]
