"""What crowds of clients do to the syncs, what the port costs in memory, and what a probe costs."""

import datetime
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import probe_cost  # noqa: E402
from crowd import Door, Rapid, Slow  # noqa: E402

from fakevault.client import FakeVault  # noqa: E402

SECRETS = 3
PATHS = ("/metrics", "/status", "/", "/readyz")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def unix_ms(entry):
    return datetime.datetime.fromisoformat(entry["ts"].replace("Z", "+00:00")).timestamp() * 1000


class Sidecar:
    """One that runs; its log is read when something is waited for."""

    def __init__(self, binary, fake, folder, names, port=None):
        directory = tempfile.mkdtemp(dir=folder)
        listen = {"AKVSYNC_LISTEN": f"127.0.0.1:{port}"} if port else {}
        env = fake.env(
            AKVSYNC_OBJECTS=",".join(names), AKVSYNC_DIR=directory, AKVSYNC_POLL_INTERVAL="1h",
            AKVSYNC_LOG_LEVEL="debug", AKVSYNC_TERMINATION_LOG="/dev/null", **listen,
        )
        self.process = subprocess.Popen([binary, "sidecar"], env=env, stderr=subprocess.PIPE, text=True)
        self.doors = [Door(volume=directory)] + ([Door(port=port)] if port else [])
        self.wait("ready")

    def wait(self, event):
        for line in self.process.stderr:
            entry = json.loads(line)
            if entry["event"] == event:
                return entry
        sys.exit(f"the sidecar ended before it said '{event}'")

    def poll(self, event):
        """Milliseconds from the signal to this event, by the time of the log."""
        start = time.time() * 1000
        self.process.send_signal(1)
        return unix_ms(self.wait(event)) - start

    def figure(self, file, name):
        lines = pathlib.Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    def stop(self):
        self.process.terminate()
        self.process.communicate()


def rotate(fake, sidecar, names, count):
    times = []
    for _ in range(count):
        for name in names:
            fake.set(name, os.urandom(24).hex())
        times.append(sidecar.poll("published"))
    return times


class Crowd:
    """Rapid clients, and silent and slow ones, at both places of a sidecar; None: nobody."""

    def __init__(self, sidecar):
        self.parts = [Rapid(*sidecar.doors), *(Slow(door) for door in sidecar.doors)] if sidecar else []

    def __enter__(self):
        for part in self.parts:
            part.__enter__()
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        for part in self.parts:
            part.__exit__()

    @property
    def asked(self):
        return self.parts[0].asked if self.parts else 0


def rotations(binary, folder, pairs, each):
    """Rotations without a crowd, with one at another sidecar (which takes the same CPU), and with one at this: in turn."""
    names = [f"secret-{i}" for i in range(SECRETS)]
    with FakeVault(folder / "fake-load") as fake:
        for name in names:
            fake.set(name, "first")
        subject, other = (Sidecar(binary, fake, folder, names, free_port()) for _ in range(2))
        arms = {"nobody": None, "another sidecar": other, "this sidecar": subject}
        times, asked, peaks = ({arm: [] for arm in arms} for _ in range(3))
        rotate(fake, subject, names, each)
        for _ in range(pairs):
            for arm, target in arms.items():
                with Crowd(target) as crowd:
                    times[arm].append(rotate(fake, subject, names, each))
                asked[arm].append(crowd.asked)
                peaks[arm].append(subject.figure("status", "VmHWM"))
        subject.stop(), other.stop()
    calm = times["nobody"]
    return [
        {
            "crowd_at": arm,
            "rotations": pairs * each,
            "requests": sum(asked[arm]),
            "median_ms": round(statistics.median(sum(times[arm], [])), 1),
            "times_nobody": round(statistics.median(statistics.median(a) / statistics.median(b) for a, b in zip(times[arm], calm)), 2),
            "slowest_ms": round(max(sum(times[arm], [])), 1),
            "peak_kib": peaks[arm][-1],
        }
        for arm in arms
    ]


def port(binary, folder, counts):
    """Memory of sidecars without and with the port: at rest, and while what was shown is kept."""
    rows = []
    with FakeVault(folder / "fake-port") as fake:
        names = [f"secret-{i}" for i in range(max(counts))]
        for name in names:
            fake.set(name, os.urandom(24).hex())
        for count in counts:
            off = Sidecar(binary, fake, folder, names[:count])
            on = Sidecar(binary, fake, folder, names[:count], free_port())
            for sidecar in (off, on):
                sidecar.poll("unchanged")
            time.sleep(0.5)  # the poll is logged before its memory is freed
            row = {"objects": count, "off_kib": off.figure("smaps_rollup", "Rss"), "on_kib": on.figure("smaps_rollup", "Rss")}
            for _ in range(25):
                for path in PATHS:
                    on.doors[1].ask(path)
            row["shown_kib"] = on.figure("smaps_rollup", "Rss")
            time.sleep(1.5)
            rows.append(row | {"later_kib": on.figure("smaps_rollup", "Rss")})
            off.stop(), on.stop()
    return rows


def probes(binary, folder, runs):
    rows = []
    for question in ("startup", "ready", "live"):
        with tempfile.TemporaryDirectory(dir=folder) as volume:
            cpu, load, peak = probe_cost.measure(binary, volume, question, runs)
        rows.append(
            {"probe": question, "cpu_ms": round(statistics.median(cpu), 2), "slowest_ms": round(cpu[-1], 2),
             "of_that_load_ms": round(statistics.median(load), 2), "peak_kib": peak}
        )
    return rows


def measure(binary, folder, short):
    return {
        "rotations": rotations(binary, folder, *((4, 5) if short else (12, 10))),
        "port": port(binary, folder, (3, 100) if short else (3, 20, 100, 1000)),
        "probes": probes(binary, folder, 20 if short else 50),
    }
