"""What one `akvsync probe` costs: CPU time and peak memory, of several against a server that plays the sidecar."""

import contextlib
import os
import pathlib
import re
import resource
import socket
import struct
import subprocess
import threading


class Player:
    """Answers "ok", and notes the peak memory of who asks: it has done most of its work by then."""

    def __init__(self, folder):
        self.peaks = []
        self.path = pathlib.Path(folder, "..sock")
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.path))
        self.server.listen()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):  # of one that has given up: the machine is busy
                self.answer(client)

    def answer(self, client):
        client.recv(4096)
        pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
        if peak:
            self.peaks.append(int(peak[1]))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()
        self.path.unlink()


def cpu_ms(command, env):
    """User and system time of one run, None when it failed. Only one child at a time may end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return None if run.returncode else (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def measure(binary, folder, question, runs):
    """The CPU times of the probe in ms, in order; those of `version`, which only loads the program; the peak in KiB."""
    env = {"PATH": os.environ["PATH"], "AKVSYNC_DIR": str(folder)}
    probes, loads = [], []
    with Player(folder) as player:
        for _ in range(runs):
            probes.append(cpu_ms([binary, "probe", question], env))
            loads.append(cpu_ms([binary, "version"], env))
    probes, loads = (sorted(ms for ms in times if ms is not None) for times in (probes, loads))
    return probes, loads, max(player.peaks)
