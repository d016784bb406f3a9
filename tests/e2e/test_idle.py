"""What it costs to wait, and what stays in memory: measured from outside, as root would."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest
from conftest import DEADLINE_S, SANITIZED, wait_until

IDLE_S = 10
POLLS = 1000
WAITS = {"poll", "ppoll", "epoll_wait", "epoll_pwait", "restart_syscall"}


def traced(pid, folder):
    """Names and counts of the system calls within IDLE_S."""
    summary = folder / f"strace.{pid}"
    tracer = subprocess.Popen(
        ["strace", "-f", "-c", "-o", summary, "-p", str(pid)], stderr=subprocess.PIPE, text=True
    )
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.wait()
        pytest.skip(f"tracing is not permitted here: {said.strip()}")
    time.sleep(IDLE_S)
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", summary.read_text(), re.M)
    return {name: int(count) for count, name in rows if name != "total"}


@pytest.mark.parametrize("interval", ["1h", "60s"], ids=["connections-closed", "connections-open"])
def test_no_system_call_between_polls_but_the_wait(world, interval):
    world.plant("a", "b")
    sidecar = world.sidecar("a, b", AKVSYNC_POLL_INTERVAL=interval, AKVSYNC_RETAIN="0s")
    time.sleep(2)  # the threads that looked up names have ended
    calls = traced(sidecar.pid, world.folder)
    assert set(calls) <= WAITS, calls
    # One call is cut short by the tracer's arrival, one by its leaving.
    assert sum(calls.values()) <= 2, calls


def settled_usage(pid):
    """Memory and descriptors once they rest: a round ends a moment after it said "unchanged"."""
    before = usage(pid)
    while True:
        time.sleep(0.2)
        if (now := usage(pid)) == before:
            return now
        before = now


def usage(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = {name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "VmData")}
    kib["Threads"] = int(re.search(r"Threads:\s+(\d+)", status)[1])
    # Of a process that is not dumpable only root may see the descriptors.
    return kib | {"fds": len(os.listdir(f"/proc/{pid}/fd")) if os.geteuid() == 0 else 0}


def poll_often(sidecar, count):
    for _ in range(count):
        since = sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("unchanged", since=since)


@pytest.mark.parametrize("interval", ["1h", "60s"], ids=["connections-closed", "connections-open"])
def test_a_thousand_polls_leave_nothing_behind(world, interval, record_property):
    world.plant("a", "b", "c")
    sidecar = world.sidecar("a, b, c", AKVSYNC_POLL_INTERVAL=interval)
    poll_often(sidecar, 100)
    before = settled_usage(sidecar.pid)
    mark = world.fake.mark()
    poll_often(sidecar, POLLS)
    after = settled_usage(sidecar.pid)
    record_property("before", before)
    record_property("after", after)
    print(f"after 100 polls {before}, after {POLLS} more {after}")
    assert len(world.fake.journal(target="vault", since=mark, authenticated=True)) == 3 * POLLS
    assert after["fds"] <= before["fds"]
    if not SANITIZED:  # its allocator keeps what was freed for a while
        # The heap may settle once more, musl's more than once: 250 bytes a poll would be a leak.
        assert after["VmRSS"] - before["VmRSS"] <= 256, (before, after)
        assert after["VmData"] - before["VmData"] <= 256, (before, after)


def writable_memory(pid):
    """All that the process could have written: heap, stack, data, anonymous maps."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            start, end, flags = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if "w" not in flags or "[vvar]" in line:
                continue
            memory.seek(int(start, 16))
            try:
                yield memory.read(int(end, 16) - int(start, 16))
            except OSError:
                continue


def in_memory(pid, marker):
    return sum(piece.count(marker.encode()) for piece in writable_memory(pid))


@pytest.mark.skipif(SANITIZED, reason="its allocator keeps what was freed, so it says nothing")
@pytest.mark.parametrize("interval", ["1h", "60s"], ids=["connections-closed", "connections-open"])
def test_no_value_stays_in_memory(world, interval):
    if os.geteuid():
        pytest.skip("reading another process's memory needs root")
    # Values long and short: other buffers, other copies.
    values = [*world.plant("a", "b"), "x" * 20000 + world.plant("unused")]
    world.fake.set("long", values[-1])
    sidecar = world.sidecar("a, b, long", AKVSYNC_POLL_INTERVAL=interval)
    since = sidecar.mark()
    values.append(world.plant("a"))
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    token = world.fake.tokens()[-1]["token"]
    assert in_memory(sidecar.pid, token[-40:]), "the cached access token proves that the scan sees the heap"
    markers = [value[-24:] for value in values] + [
        assertion[-40:] for assertion in world.fake.call("GET", "/markers")["assertions"]
    ]
    # The round ends a moment after it said "published".
    left = lambda: [m for m in markers if in_memory(sidecar.pid, m)]  # noqa: E731
    assert wait_until(lambda: not left(), timeout=5), f"still in memory: {len(left())} of {len(markers)} markers"


def test_neither_core_nor_other_process_gets_its_memory(world):
    """Started with cores allowed, as a user that owns nothing: a neighbour in the pod."""
    if os.geteuid():
        pytest.skip("changing the user needs root")
    user = ("setpriv", "--reuid=65534", "--clear-groups")
    shared = world.volume / "shared"
    shared.mkdir()
    for name in ("token", "ca"):
        (shared / name).touch(mode=0o644)
    env = world.env("s")
    (shared / "token").write_text(pathlib.Path(env["AZURE_FEDERATED_TOKEN_FILE"]).read_text())
    (shared / "ca").write_text(pathlib.Path(env["SSL_CERT_FILE"]).read_text())
    world.plant("s")
    directory = world.volume / "secrets"
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    for folder in (world.volume, shared):
        folder.chmod(0o755)
    sidecar = world.sidecar(
        "s",
        wait=False,
        wrapper=("sh", "-c", f"ulimit -c unlimited; cd {directory} && exec {' '.join(user)} \"$@\"", "sh"),
        AKVSYNC_DIR=str(directory),
        AZURE_FEDERATED_TOKEN_FILE=str(shared / "token"),
        SSL_CERT_FILE=str(shared / "ca"),
    )
    sidecar.wait_log("ready")

    def can_read(pid, name):
        return subprocess.run(
            [*user, "head", "-c1", f"/proc/{pid}/{name}"], capture_output=True, check=False
        ).returncode == 0

    with subprocess.Popen([*user, "sleep", "60"]) as neighbour:
        time.sleep(0.2)
        assert can_read(neighbour.pid, "environ"), "a dumpable process of that user can be read"
        neighbour.kill()
    assert not can_read(sidecar.pid, "environ") and not can_read(sidecar.pid, "maps")
    limits = pathlib.Path(f"/proc/{sidecar.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    sidecar.popen.send_signal(signal.SIGQUIT)
    sidecar.popen.wait(DEADLINE_S)
    assert sidecar.popen.returncode == -signal.SIGQUIT
    assert not list(directory.glob("core*"))


def test_a_check_of_the_vault_is_kept_from_other_processes_too(world):
    """It holds a token and values, like a sync."""
    if os.geteuid():
        pytest.skip("changing the user needs root")
    user = ("setpriv", "--reuid=65534", "--clear-groups")
    shared = world.volume / "shared"
    shared.mkdir()
    env = world.env("s")
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "SSL_CERT_FILE"):
        (shared / name).write_text(pathlib.Path(env[name]).read_text())
        (shared / name).chmod(0o644)
        env[name] = str(shared / name)
    for folder in (world.volume, shared):
        folder.chmod(0o755)
    world.plant("s")
    world.fake.fault({"hold": True}, target="vault", authenticated=True)
    check = world.start("check", "--online", env=env, wrapper=user)
    world.fake.wait_journal(1, timeout=DEADLINE_S, target="vault", authenticated=True)
    told = subprocess.run([*user, "head", "-c1", f"/proc/{check.pid}/environ"], capture_output=True, check=False)
    assert told.returncode != 0 and b"Permission denied" in told.stderr
    assert re.search(r"Max core file size +0 +0 ", pathlib.Path(f"/proc/{check.pid}/limits").read_text())
    check.popen.kill()
    check.popen.wait(DEADLINE_S)
