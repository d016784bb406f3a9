"""Listening sockets on the loopback addresses, IPv4 and IPv6, under one port number."""

import errno
import socket

ATTEMPTS = 50
BACKLOG = 512


def listen_loopback(port: int = 0) -> list[socket.socket]:
    """Listen on 127.0.0.1 and, where the machine has it, on ::1 with the same port.

    A client that resolves a name to both addresses then reaches the same server by either.
    """
    for _ in range(ATTEMPTS):
        # The kernel's choice is taken by another socket first: only a port that was bound by its
        # number stays bound when listening stops (tcpproxy.py does that).
        chooser = _bind(socket.AF_INET, "127.0.0.1", port)
        try:
            sockets = _bind_both(chooser.getsockname()[1])
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                raise
            continue
        finally:
            chooser.close()
        for sock in sockets:
            sock.listen(BACKLOG)
        return sockets
    raise OSError(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")


def _bind_both(port: int) -> list[socket.socket]:
    v4 = _bind(socket.AF_INET, "127.0.0.1", port)
    try:
        return [v4, _bind(socket.AF_INET6, "::1", port)]
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return [v4]
        v4.close()
        raise


def _bind(family: int, address: str, port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
