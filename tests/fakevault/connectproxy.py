"""An HTTP proxy for HTTPS (CONNECT), as companies have them: perhaps with a password, perhaps over TLS.

    fakevault connect-proxy --to PORT     prints {"port": …, "control": …} when it is ready

Port 443 of any host is the given port of this machine, so that a client can use Azure's real names. Any
other port is taken as it is, on loopback. What was asked is told to whoever connects to the control port.
"""

import asyncio
import base64
import contextlib
import json
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from .certs import server_context
from .http1 import MAX_HEAD
from .loopback import listen_loopback
from .server import die_with_parent

NAME = "proxy.localhost"
REASONS = {200: "Connection established", 407: "Proxy Authentication Required"}


@dataclass
class Head:
    target: str
    status: int
    text: str
    """The whole request head."""


class ConnectProxy:
    def __init__(self, to_port: int, user: str = "", refuse: str = "", status: int = 403, headers: tuple[str, ...] = ()):
        self.to_port, self.refuse, self.status, self.headers = to_port, refuse, status, headers
        self._wanted = f"Basic {base64.b64encode(user.encode()).decode()}" if user else None
        self.heads: list[Head] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            # A connection may ask again, after it was told that a password is needed.
            while not (target := await self._answer(reader, writer)):
                pass
            await self._tunnel(target, reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Answer one request; where to tunnel to, or nothing when it was refused."""
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        words = text.split("\r\n")[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in text.split("\r\n")[1:] if line)
        }
        target = words[1] if len(words) == 3 else ""
        status = 200
        if words[0] != "CONNECT" or ":" not in target:
            status = 400
        elif self._wanted and headers.get("proxy-authorization") != self._wanted:
            status = 407
        elif self.refuse and target.rpartition(":")[0] == self.refuse:
            status = self.status
        self.heads.append(Head(target, status, text))
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Refused')}", *self.headers]
        if status == 407:
            lines.append('Proxy-Authenticate: Basic realm="company"')
        if status != 200:
            lines.append("Content-Length: 0")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()
        return target if status == 200 else ""

    async def _tunnel(self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = int(target.rpartition(":")[2])
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.to_port if port == 443 else port)
        pumps = [
            asyncio.create_task(_pump(reader, up_writer)),
            asyncio.create_task(_pump(up_reader, writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        up_writer.close()

    async def tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps([asdict(head) for head in self.heads]).encode())
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


def run(proxy: ConnectProxy, tls_dir: Path | None, with_parent: bool) -> None:
    """Be the proxy until SIGTERM or SIGINT."""
    if with_parent:
        die_with_parent()
    asyncio.run(_run(proxy, tls_dir))


async def _run(proxy: ConnectProxy, tls_dir: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    context = server_context(tls_dir, (NAME,)) if tls_dir else None
    sockets = listen_loopback()
    for sock in sockets:
        await asyncio.start_server(proxy.connected, sock=sock, ssl=context, limit=MAX_HEAD)
    control = await asyncio.start_server(proxy.tell, "127.0.0.1", 0)
    ports = {"port": sockets[0].getsockname()[1], "control": control.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)
    await stop.wait()
