"""A TCP proxy on loopback that adds latency, loses connections silently, resets or refuses them.

    fakevault proxy --to PORT     prints {"port": …, "control": …} when it is ready

Latency: every byte travels half a round trip each way. The kernel answers a handshake at once, whatever a
proxy in user space does, so the first bytes of a connection are held one more round trip, as if the client
had waited for the handshake.

Control: lines of JSON over TCP, each answered by one line with the state and the counts (see Control.OPS).
Not modelled: the kernel acknowledges what is sent into a black hole, so a client meets its own timeouts
there, but not TCP's.
"""

import asyncio
import contextlib
import json
import signal
import socket
import struct
from dataclasses import dataclass

from .loopback import listen_loopback
from .server import die_with_parent

NEW = ("forward", "blackhole", "refuse")
RESET = struct.pack("ii", 1, 0)


@dataclass
class Counts:
    connections: int = 0
    open: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


class Flow:
    """One client connection and, unless it was black-holed from the start, its upstream one."""

    def __init__(self, proxy: "TcpProxy", client: asyncio.StreamWriter, dead: bool):
        self.proxy = proxy
        self.dead = dead
        """Nothing passes any more in either direction; not even the end of a connection."""
        self.writers = [client]

    async def run(self, reader: asyncio.StreamReader) -> None:
        client = self.writers[0]
        if self.dead:
            await self._swallow(reader)
            return
        up_reader, upstream = await asyncio.open_connection("127.0.0.1", self.proxy.to_port)
        self.writers.append(upstream)
        down = asyncio.create_task(self._pump(up_reader, client, "bytes_down"))
        try:
            await self._pump(reader, upstream, "bytes_up")
            if not self.dead:
                await down
        finally:
            down.cancel()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(65536):
            pass

    async def _pump(self, reader, writer: asyncio.StreamWriter, counter: str) -> None:
        """Read at once, write when the bytes have travelled; ends with the reader's side."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sender = asyncio.create_task(self._send(queue, writer))
        try:
            trips = 1.5 if counter == "bytes_up" else 0.5
            while data := await reader.read(65536):
                setattr(self.proxy.counts, counter, getattr(self.proxy.counts, counter) + len(data))
                queue.put_nowait((loop.time() + trips * self.proxy.rtt_ms / 1000, data))
                trips = 0.5
            queue.put_nowait((loop.time() + 0.5 * self.proxy.rtt_ms / 1000, b""))
            await sender
        finally:
            sender.cancel()

    async def _send(self, queue: asyncio.Queue, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await queue.get()
            if (delay := due - loop.time()) > 0:
                await asyncio.sleep(delay)
            if self.dead:
                return
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    def reset(self) -> None:
        for writer in self.writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def close(self) -> None:
        for writer in self.writers:
            writer.close()


class TcpProxy:
    """Forwards the loopback port `port` to `to_port`. To be used inside a running event loop."""

    def __init__(self, to_port: int, port: int = 0):
        self.to_port = to_port
        self.rtt_ms = 0.0
        self.new = "forward"
        """What happens to new connections: one of NEW."""
        self.counts = Counts()
        self._sockets = listen_loopback(port)
        self.port: int = self._sockets[0].getsockname()[1]
        self._servers: list[asyncio.Server] = []
        self._flows: set[Flow] = set()

    async def start(self) -> None:
        # The servers get duplicates, so that their end neither frees the port nor the sockets.
        for sock in self._sockets:
            self._servers.append(
                await asyncio.start_server(self._connected, sock=sock.dup(), backlog=512)
            )

    async def set(
        self, rtt_ms: float | None = None, new: str | None = None, to_port: int | None = None
    ) -> None:
        """Change the round trip time, or what happens to new connections, or where they go."""
        if to_port is not None:
            self.to_port = to_port
        if rtt_ms is not None:
            self.rtt_ms = rtt_ms
        if new is None or new == self.new:
            return
        if new not in NEW:
            raise ValueError(f"new is one of {', '.join(NEW)}")
        if new == "refuse":
            for server in self._servers:
                server.close()
            self._servers.clear()
            for sock in self._sockets:
                sock.shutdown(socket.SHUT_RDWR)
        elif self.new == "refuse":
            await self.start()
        self.new = new

    def blackhole(self) -> None:
        """Lose all open connections without a sign; they stay open and dead for good."""
        for flow in self._flows:
            flow.dead = True

    def reset(self) -> None:
        """Reset all open connections, on both sides."""
        for flow in self._flows:
            flow.reset()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = Flow(self, writer, dead=self.new == "blackhole")
        self._flows.add(flow)
        self.counts.connections += 1
        self.counts.open += 1
        try:
            await flow.run(reader)
        except OSError:
            flow.reset()
        finally:
            flow.close()
            self._flows.discard(flow)
            self.counts.open -= 1


class Control:
    """The control interface of one proxy."""

    OPS = ("set", "blackhole", "reset", "stats")
    """set takes rtt_ms, new and to_port; blackhole and reset apply to the open connections."""

    def __init__(self, proxy: TcpProxy):
        self.proxy = proxy

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    answer = await self._do(json.loads(line))
                except (ValueError, TypeError, AttributeError) as error:
                    answer = {"error": str(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _do(self, request: dict) -> dict:
        op = request.pop("op", None)
        if op not in self.OPS:
            raise ValueError(f"op is one of {', '.join(self.OPS)}")
        if op == "set":
            await self.proxy.set(**request)
        elif op != "stats":
            getattr(self.proxy, op)()
        return {"rtt_ms": self.proxy.rtt_ms, "new": self.proxy.new, **vars(self.proxy.counts)}


def run(to_port: int, port: int, control_port: int, with_parent: bool) -> None:
    """Be the proxy until SIGTERM or SIGINT."""
    if with_parent:
        die_with_parent()
    asyncio.run(_run(to_port, port, control_port))


async def _run(to_port: int, port: int, control_port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    proxy = TcpProxy(to_port, port)
    await proxy.start()
    control = await asyncio.start_server(Control(proxy).connected, "127.0.0.1", control_port)
    control_port = control.sockets[0].getsockname()[1]
    print(json.dumps({"port": proxy.port, "control": control_port}), flush=True)
    await stop.wait()
