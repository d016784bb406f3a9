"""Crowds of clients at the sockets of a sidecar: silent ones, slow ones, and rapid ones."""

import contextlib
import errno
import os
import socket
import threading
import time

TCP_PATHS = ("/metrics", "/status", "/", "/readyz")
PATH_PATHS = ("/metrics", "/status", "/ready", "/live")


class Door:
    """Where to knock: the port, or the socket on the volume."""

    def __init__(self, port=None, volume=None):
        self.port, self.volume = port, volume
        self.paths = TCP_PATHS if port else PATH_PATHS

    def connect(self, timeout=None):
        """A connection, or OSError."""
        sock = socket.socket(socket.AF_INET if self.port else socket.AF_UNIX)
        try:
            sock.settimeout(timeout)
            if self.port:
                sock.connect(("127.0.0.1", self.port))
            else:
                sock.connect(f"{self.volume}/..sock")
        except OSError:
            sock.close()
            raise
        return sock

    def ask(self, path, timeout=30):
        """The status of the answer to one request over a connection of its own; 0: none, or half of one."""
        with contextlib.suppress(OSError), self.connect(timeout) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
            head, _, body = answer.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            if int(fields.get(b"content-length", -1)) == len(body):
                return int(head.split()[1])
        return 0


class Running:
    """A context in which threads run `turn` again and again, until its end."""

    def __init__(self, threads=1):
        self.ends = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,), daemon=True) for number in range(threads)]

    def turn(self, number):
        raise NotImplementedError

    def run(self, number):
        while not self.ends.is_set():
            self.turn(number)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()


class Slow(Running):
    """Keeps as many connections as it can get, `most` at once; half of them are silent, the others send a byte at times.

    What the sidecar closes is opened again at once.
    """

    def __init__(self, door, most=100):
        super().__init__()
        self.door, self.most = door, most
        self.open, self.opened = {}, 0

    def turn(self, _):
        for number in range(self.most):
            if number not in self.open or self.closed(number):
                self.reopen(number)
        time.sleep(0.02)

    def closed(self, number):
        sock, spoke = self.open[number]
        try:
            if number % 2 and time.monotonic() - spoke > 0.5:
                sock.sendall(b"a")
                self.open[number] = sock, time.monotonic()
            return sock.recv(100) == b""
        except OSError as error:
            return error.errno != errno.EAGAIN

    def reopen(self, number):
        if number in self.open:
            self.open.pop(number)[0].close()
        with contextlib.suppress(OSError):
            sock = self.door.connect(timeout=1)
            sock.setblocking(False)
            if number % 2:
                sock.sendall(b"GET /" + os.urandom(4).hex().encode())
            self.open[number] = sock, time.monotonic()
            self.opened += 1

    def __exit__(self, *_):
        super().__exit__()
        for sock, _ in self.open.values():
            sock.close()


class Rapid(Running):
    """Clients that ask over a new connection each time, as fast as they can."""

    def __init__(self, *doors, threads=4):
        super().__init__(threads)
        self.doors = doors
        self.statuses = [[] for _ in range(threads)]

    def turn(self, number):
        told = self.statuses[number]
        door = self.doors[number % len(self.doors)]
        told.append(door.ask(door.paths[len(told) % len(door.paths)]))

    @property
    def asked(self):
        return sum(len(told) for told in self.statuses)

    def answers(self):
        """{status: how often}."""
        told = [status for of_one in self.statuses for status in of_one]
        return {status: told.count(status) for status in set(told)}
