"""Crowds at the port and at the socket: they keep no probe out, make no sync late, and cost bounded memory."""

import os
import pathlib
import re

import pytest
from conftest import SANITIZED, wait_until
from crowd import Door, Rapid, Slow
from test_health import ask
from test_listen import IPV4, free_port

NAMES = ["db", "api", "tls"]
RAPID = 10_000
PLACES = 64 + 32
"""For connections at the port and at the socket."""
BOUND_KIB = 1024
"""So much more memory a crowd may cost: the places for connections, and documents that are being read."""


@pytest.mark.parametrize("where", ["port", "socket"])
def test_silent_and_slow_clients_keep_no_probe_out(world, where):
    """Not even one of their own address; they come again as soon as they are ended."""
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    door = Door(port=port) if where == "port" else Door(volume=world.volume)
    with Slow(door) as crowd:
        assert wait_until(lambda: crowd.opened > 200), "none of them is ever ended"
        for _ in range(100):
            assert door.ask(door.paths[-1], timeout=4) == 200
        if where == "socket":
            assert [ask(world, "probe", "live").returncode for _ in range(10)] == [0] * 10
        before = crowd.opened
        assert wait_until(lambda: crowd.opened > before), "the crowd had gone"


@pytest.mark.parametrize("where", ["port", "socket"])
def test_a_silent_one_is_ended_before_a_slow_one(world, where):
    """And both are, though nobody else comes."""
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"{IPV4}:{port}")
    door = Door(port=port) if where == "port" else Door(volume=world.volume)
    with door.connect(timeout=0.2) as silent, door.connect(timeout=0.2) as slow:

        def ended(sock):
            try:
                slow.sendall(b"G")
                return sock.recv(100) == b""
            except OSError as error:
                return not isinstance(error, TimeoutError)

        assert wait_until(lambda: ended(silent)) and not ended(slow)
        assert wait_until(lambda: ended(slow))


def peak_kib(pid):
    """Its largest resident size."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def open_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def rotate(world, sidecar):
    """Publishes a new version of every object; the requests that the vault got for it."""
    mark, since = world.fake.mark(), sidecar.mark()
    values = world.plant(*NAMES)
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    assert world.files() == dict(zip(NAMES, values)), "the first poll after it did not publish it"
    return sorted(entry["path"] for entry in world.fake.journal(since=mark, target="vault"))


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory grows")
@pytest.mark.skipif(os.geteuid() != 0, reason="others see nothing of a process that is not dumpable")
def test_rotations_under_load(world):
    """10,000 rapid clients at both places, then as many silent and slow ones as are let in beside them: each rotation
    is published by the first poll, with the same requests as without them; memory and descriptors stay within bounds."""
    port = free_port()
    world.plant(*NAMES)
    sidecar = world.sidecar(",".join(NAMES), AKVSYNC_LISTEN=f"{IPV4}:{port}")
    places = Door(port=port), Door(volume=world.volume)
    for door in places:
        assert [door.ask(path) for path in door.paths] == [200] * len(door.paths)
    calm = [rotate(world, sidecar) for _ in range(10)]
    peak, fds = peak_kib(sidecar.pid), open_fds(sidecar.pid)
    busy, most_fds = [], 0
    with Rapid(*places) as rapid:
        while rapid.asked < RAPID:
            busy.append(rotate(world, sidecar))
    with Slow(places[0]), Slow(places[1]), Rapid(*places) as others:
        while others.asked < 100 or len(busy) < 20:
            busy.append(rotate(world, sidecar))
            most_fds = max(most_fds, open_fds(sidecar.pid))
    assert set(map(tuple, busy)) == set(map(tuple, calm)), "a poll took other requests than without a crowd"
    assert set(rapid.answers()) == set(others.answers()) == {200}
    assert peak_kib(sidecar.pid) - peak <= BOUND_KIB
    assert most_fds <= fds + PLACES + 4
    assert not sidecar.find("failure") and not sidecar.find("retry")
    print(f"{len(busy)} rotations; peak {peak} KiB, then {peak_kib(sidecar.pid)}; {fds} descriptors, then {most_fds}")
