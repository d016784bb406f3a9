"""Runs the real binary ($TEST_BIN) against a fake vault of its own for each test.

After every test one shared assertion looks for planted secrets, assertions and tokens in all
that the binary said, left behind, and showed of itself and of its children.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import landlock
import pytest
from app import App

from fakevault.client import FakeVault

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TEST_BIN", str(ROOT / "build/release/akvsync"))
SANITIZED = os.environ.get("SAN") == "1"
DEADLINE_S = 40
PROMPT_S = 8
"""So long a stop may take on a busy machine; to wait for any answer would take longer."""


class Failed(AssertionError):
    """An event did not come in time; shows the log so far."""


def wait_until(true, timeout=DEADLINE_S):
    """Waits until a condition that no event announces is true; says in the end whether it is."""
    end = time.monotonic() + timeout
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


class Process:
    """The binary, running; its log lines are collected as they come."""

    def __init__(self, command, env, **more):
        self.started = time.monotonic()
        self.entries, self.garbage = [], []
        self.text = self.seen = self.limits = ""
        self.changed = threading.Condition()
        # pylint: disable-next=consider-using-with
        self.popen = subprocess.Popen(
            command, env=env, text=True, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} | more
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.popen.stderr or ():
            with self.changed:
                self.text += line
                try:
                    self.entries.append(json.loads(line))
                except ValueError:
                    self.garbage.append(line)
                self.changed.notify_all()

    @property
    def pid(self):
        return self.popen.pid

    def mark(self):
        """A place in the log, for wait_log(since=…)."""
        with self.changed:
            return len(self.entries)

    def find(self, event, msg="", since=0, **fields):
        """The log entries of an event whose message and fields match."""
        with self.changed:
            return [
                entry
                for entry in self.entries[since:]
                if entry["event"] == event
                and re.search(msg, entry["msg"])
                and all(entry.get(name) == value for name, value in fields.items())
            ]

    def wait_log(self, event, msg="", since=0, timeout=DEADLINE_S, **fields):
        """The first such entry, as soon as there is one."""
        end = time.monotonic() + timeout
        while not (found := self.find(event, msg, since, **fields)):
            with self.changed:
                if not self.changed.wait(max(0.0, min(0.2, end - time.monotonic()))):
                    if time.monotonic() > end or (
                        self.popen.poll() is not None and not self.reader.is_alive()
                    ):
                        raise Failed(f"no '{event}' matching '{msg}' {fields}; log:\n{self.text}")
        return found[0]

    def environ(self):
        """What root sees of its environment; others see nothing of a process that is not dumpable."""
        if os.geteuid():
            return None
        return pathlib.Path(f"/proc/{self.pid}/environ").read_bytes()

    def poll(self):
        """Makes the sidecar poll now."""
        self.popen.send_signal(signal.SIGHUP)

    def wait(self, timeout=DEADLINE_S):
        """The exit code."""
        code = self.popen.wait(timeout)
        self.reader.join(5)
        return code

    def look(self):
        """Notes what others could see of it while it runs: its own environment and command line,
        those of its children, and what a crash would leave behind."""
        pids = [self.pid]
        for pid in pids:
            try:
                proc = pathlib.Path(f"/proc/{pid}")
                self.seen += (proc / "cmdline").read_text()
                if pathlib.Path(os.readlink(proc / "exe")).name == pathlib.Path(BINARY).name:
                    self.limits += (proc / "limits").read_text()
                for task in proc.glob("task/*/children"):
                    pids += [int(child) for child in task.read_text().split()]
                self.seen += (proc / "environ").read_text(errors="replace")
            except OSError:
                continue  # it ended meanwhile, or only root may look

    def stop(self, number=signal.SIGTERM):
        """Signals it; the exit code and the seconds it took."""
        if self.entries and self.popen.poll() is None:
            self.look()
        start = time.monotonic()
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.wait(), time.monotonic() - start


class World:
    """A fake vault, a volume, and the binary between them."""

    def __init__(self, folder, fake):
        self.fake, self.folder = fake, folder
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.volume = pathlib.Path(tempfile.mkdtemp(prefix="akvsync-e2e-", dir=base))
        self.volume.chmod(0o2755)
        self.termination_log = folder / "termination-log"
        self.termination_log.write_text("from an earlier start")
        self.processes, self.planted = [], 0

    def plant(self, *names):
        """Gives each secret a new value that can be found again; the values."""
        values = []
        for name in names:
            self.planted += 1
            values.append(f"planted-{self.planted}-{os.urandom(12).hex()}")
            self.fake.set(name, values[-1])
        return values if len(values) > 1 else values[0]

    def env(self, objects, **more):
        variables = {
            "AKVSYNC_OBJECTS": objects,
            "AKVSYNC_DIR": str(self.volume),
            "AKVSYNC_POLL_INTERVAL": "1h",
            "AKVSYNC_INIT_TIMEOUT": "60s",
            "AKVSYNC_LOG_LEVEL": "debug",
            "AKVSYNC_TERMINATION_LOG": str(self.termination_log),
            **landlock.environment(),
        } | more
        env = self.fake.env(**{name: value for name, value in variables.items() if value is not None})
        for name in ("POD_UID", "HOSTNAME"):
            env.pop(name, None)
        return env

    def start(self, *arguments, env, wrapper=(), binary=BINARY):
        if SANITIZED and wrapper and wrapper[0] == "strace":  # a leak checker is a tracer, too, and there can be one
            env = env | {"LSAN_OPTIONS": "detect_leaks=0"}
        process = Process([*wrapper, binary, *arguments], env)
        self.processes.append(process)
        return process

    def init(self, objects, **more):
        """Runs init to its end; process.code is its exit code."""
        process = self.start("init", env=self.env(objects, **more))
        process.code = process.wait(90)
        return process

    def sidecar(self, objects, wait=True, wrapper=(), binary=BINARY, **more):
        """Starts a sidecar; waits until its first round is over unless told not to."""
        had_set = self.generation()
        process = self.start("sidecar", env=self.env(objects, **more), wrapper=wrapper, binary=binary)
        if wait:
            process.wait_log("resume" if had_set else "ready")
            if self.fake.journal(target="vault", status=200) and process.find("resume"):
                process.wait_log("unchanged")
        return process

    def generation(self):
        link = self.volume / "..data"
        return os.readlink(link) if link.is_symlink() else None

    def files(self):
        """What an app sees: path -> text."""
        return {path: content.decode() for path, content in self.files_bytes().items()}

    def files_bytes(self):
        """The same: path -> bytes."""
        found = {}
        for folder, folders, names in os.walk(self.volume, followlinks=True):
            folders[:] = [name for name in folders if not name.startswith("..")]
            for name in names:
                path = pathlib.Path(folder, name)
                if not name.startswith(".."):
                    found[str(path.relative_to(self.volume))] = path.read_bytes()
        return found

    def wait_files(self, expected, timeout=DEADLINE_S):
        """Waits until an app sees exactly these files."""
        sees = None

        def seen():
            nonlocal sees
            try:
                sees = self.files()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return False  # it went, or became a directory, between the look and the reading
            return sees == expected

        if not wait_until(seen, timeout):
            logs = "\n".join(process.text for process in self.processes)
            raise Failed(f"expected {expected}, the app sees {sees}; log:\n{logs}")

    def said(self):
        """All that the binary wrote anywhere but into the files of the set, and what others could
        see of it and of its children."""
        pieces = [process.text + process.seen for process in self.processes]
        if self.termination_log.exists():
            pieces.append(self.termination_log.read_text())
        for state in self.volume.glob("..*"):
            for path in [state, *state.glob("..manifest")] if state.is_dir() else [state]:
                if path.is_file() and not path.is_symlink():
                    pieces.append(path.read_text(errors="replace"))
        return "\n".join(pieces)

    def close(self):
        for process in self.processes:
            process.stop()
        shutil.rmtree(self.volume, ignore_errors=True)


def assert_nothing_leaked(world):
    """No secret value, assertion or access token in any log, error or state file."""
    said = world.said()
    for marker in world.fake.markers(values=True):
        # The tail of a token is its signature: it stands nowhere by chance.
        if len(marker) >= 16:
            assert marker[-40:] not in said, "a planted secret leaked into a log or state file"


def assert_sane(process):
    """Whatever happened, the log is JSON, cores are off and no sanitizer complained."""
    assert not process.garbage, "".join(process.garbage)
    assert set(re.findall(r"Max core file size +(\S+)", process.limits)) <= {"0"}, "a core could be written"
    assert process.popen.returncode in (
        *range(2, 9), 0, 88, 99, 143, -signal.SIGKILL, -signal.SIGQUIT
    ), process.text


@pytest.fixture(scope="session")
def fakes(tmp_path_factory):
    """A fake for each layout of the token volume: they are costly to start, so a worker has one."""
    running = {}

    def of(layout):
        if layout not in running:
            running[layout] = FakeVault(tmp_path_factory.mktemp("fake"), layout=layout).start()
        running[layout].close_connections()
        running[layout].reset()
        return running[layout]

    yield of
    for fake in running.values():
        fake.stop()


@pytest.fixture
def world(tmp_path, request, fakes):
    made = World(tmp_path, fakes(getattr(request, "param", "flat")))
    try:
        yield made
        for process in made.processes:
            process.stop()
        assert_nothing_leaked(made)
        for process in made.processes:
            assert_sane(process)
    finally:
        made.close()


@pytest.fixture
def app(tmp_path):
    with App(tmp_path) as running:
        yield running


def mounted_tmpfs(path, size):
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    return path


@pytest.fixture
def full_volume(tmp_path):
    """Too small for a 25 kB secret."""
    path = mounted_tmpfs(tmp_path / "full", "16k")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.fixture
def small_volume(tmp_path):
    path = mounted_tmpfs(tmp_path / "small", "256k")
    yield path
    subprocess.run(["umount", "-l", path], check=True)
