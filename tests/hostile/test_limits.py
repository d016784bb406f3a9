"""Few descriptors and little memory: nothing is torn, nothing is left behind, and one failure is one line."""

import os
import pathlib
import re
import signal
import subprocess

import pytest
from cgroup import Group
from conftest import SANITIZED, wait_until
from figures import report
from test_sidecar import rotate

NAMES = [f"s{i}" for i in range(12)]
OBJECTS = ", ".join(f"{name}=a/b{i % 3}/{name}" for i, name in enumerate(NAMES))
MEGABYTE = 1 << 20
SHORT = "Too many open files|No file descriptors available"
"""Of descriptors: in the words of glibc, and of musl."""


def sets(world):
    """The directories of sets on the volume."""
    return {path.name for path in world.volume.glob("..2*")}


def assert_told_once(sidecar):
    told = [entry["msg"] for entry in sidecar.find("failure")]
    assert len(told) == len(set(told)), told


@pytest.mark.parametrize("limit", [16, 18, 20, 24])
def test_few_descriptors_are_enough(world, limit):
    """The connections give way to the files of the set."""
    world.plant(*NAMES)
    sidecar = world.sidecar(OBJECTS, wrapper=("prlimit", f"--nofile={limit}"), AKVSYNC_RETAIN="1s")
    for _ in range(3):
        world.plant(*NAMES[1:])
        rotate_path(world, sidecar)
    assert wait_until(lambda: sets(world) == {world.generation()})
    assert_told_once(sidecar)


def rotate_path(world, sidecar):
    since, value = sidecar.mark(), world.plant("s0")
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    assert wait_until(lambda: (world.volume / "a/b0/s0").read_text() == value)


@pytest.mark.parametrize("limit", [7, 9, 11, 13])
def test_too_few_descriptors_leave_nothing_behind(world, limit):
    """Whether it can publish or not."""
    world.plant(*NAMES)
    sidecar = world.sidecar(OBJECTS, wait=False, wrapper=("prlimit", f"--nofile={limit}"), AKVSYNC_RETAIN="0s")
    over = sidecar.popen.poll
    assert wait_until(lambda: sidecar.find("start") or over() is not None)
    for count in range(1, 6):
        if over() is not None:
            break
        sidecar.poll()
        wait_until(lambda count=count: len(sidecar.find("poll-requested")) >= count or over() is not None, 5)
        wait_until(lambda: sidecar.find("ready"), 1)
        assert len(sets(world)) <= (1 if world.generation() is None else 2)
    assert_told_once(sidecar)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer reserves address space")
@pytest.mark.parametrize("megabytes", [20, 40, 60, 80, 100, 140])
def test_little_memory_tears_nothing(world, megabytes):
    """A process that gets no memory may end, but what readers see is whole, and the next start sweeps."""
    old = world.plant("s")
    assert world.init("s").code == 0
    new = world.plant("s")
    for _ in range(3):
        process = world.start("init", env=world.env("s", AKVSYNC_INIT_TIMEOUT="3s"), wrapper=("prlimit", f"--as={megabytes * MEGABYTE}"))
        process.popen.wait(60)
        assert world.files() in ({"s": old}, {"s": new})
        world.processes.remove(process)
    assert world.init("s", AKVSYNC_RETAIN="0s").code == 0
    assert world.files() == {"s": new}
    assert len(sets(world)) <= 2


def test_an_earlier_set_that_cannot_be_removed_goes_later(world):
    """Its values do not stay readable because the first try failed."""
    world.plant("s")
    strace = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=unlinkat,unlink,rmdir")
    # Of all removals from the second on six fail.
    wrapper = (*strace, "-e", "inject=unlinkat:error=EBUSY:when=3..8")
    sidecar = world.sidecar("s", wrapper=wrapper, AKVSYNC_RETAIN="0s")
    rotate(world, sidecar, "s")
    rotate(world, sidecar, "s")
    assert wait_until(lambda: sets(world) == {world.generation()})


# ---- a limit that comes while it runs, and goes again ----


def set_limit(sidecar, **limits):
    """The soft ones: only some may raise the others again."""
    subprocess.run(["prlimit", f"--pid={sidecar.pid}", *(f"--{name}={value}:" for name, value in limits.items())], check=True)


def descriptors(sidecar):
    return len(os.listdir(f"/proc/{sidecar.pid}/fd"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may see the descriptors of a process that is not dumpable")
def test_no_more_descriptors_while_it_runs(world):
    """Not one: the files stay, nothing is left behind, the failure is told once, and the next try after the limit went works."""
    world.plant(*NAMES)
    sidecar = world.sidecar(OBJECTS, AKVSYNC_RETAIN="1s")
    before, generation = world.files(), world.generation()
    for limit in (8, descriptors(sidecar), descriptors(sidecar) + 2):
        set_limit(sidecar, nofile=limit)
        world.plant("s0")
        since = sidecar.mark()
        sidecar.poll()
        assert wait_until(lambda since=since: len(sidecar.find("poll-requested", since=since)))
        assert wait_until(lambda: sidecar.find("failure") or world.generation() != generation)
        assert len(sets(world)) <= 3, "the current one, the one before, and one that failed"
        if world.generation() != generation:
            break
        assert world.files() == before
    told = sidecar.find("failure")
    report("limits", "sets on the volume when no descriptor is left", len(sets(world)), "at most 3", len(sets(world)) <= 3)
    assert told and all(re.search(SHORT, entry["msg"]) for entry in told if entry["kind"] == "volume"), told
    set_limit(sidecar, nofile=1024)
    value = world.plant("s0")
    sidecar.poll()
    assert wait_until(lambda: (world.volume / "a/b0/s0").read_text() == value)
    assert wait_until(lambda: len(sidecar.find("recovered")) == len({entry["what"] for entry in sidecar.find("failure")}))
    assert wait_until(lambda: sets(world) == {world.generation()})
    assert_told_once(sidecar)


LARGE = 25_000


def by_path(values):
    return {f"a/b{i % 3}/{name}": value for i, (name, value) in enumerate(zip(NAMES, values))}


def grow(world):
    """Values that together are larger than what the limits below leave; the files that they make."""
    values = [f"{world.plant(name)}-".ljust(LARGE, "x") for name in NAMES]
    for name, value in zip(NAMES, values):
        world.fake.set(name, value)
    return by_path(values)


def assert_next_start_is_well(world, new):
    """Without the limit it has the newest set, and nothing is left of what ended."""
    again = world.sidecar(OBJECTS, wait=False, AKVSYNC_RETAIN="1s")
    world.wait_files(new)
    assert wait_until(lambda: sets(world) == {world.generation()})
    assert not again.find("failure")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer reserves address space")
def test_no_more_address_space_while_it_runs(world):
    """It ends and says of what, or finds room."""
    old = by_path(world.plant(*NAMES))
    sidecar = world.sidecar(OBJECTS)
    size = int(re.search(r"VmSize:\s+(\d+)", pathlib.Path(f"/proc/{sidecar.pid}/status").read_text())[1]) * 1024
    set_limit(sidecar, **{"as": size})
    new = grow(world)
    sidecar.poll()
    assert wait_until(lambda: sidecar.popen.poll() is not None or world.files() == new)
    if sidecar.popen.poll() is None:
        sidecar.stop()
    else:
        assert world.files() == old
        sidecar.reader.join(5)
        assert "out of memory" in sidecar.text
        world.processes.remove(sidecar)
    assert_next_start_is_well(world, new)


def test_killed_for_its_memory(world):
    """By the kernel, as in a container whose limit is too low: the old set stays whole."""
    old = by_path(world.plant(*NAMES))
    with Group("memory") as group:
        sidecar = world.sidecar(OBJECTS, wrapper=group.wrapper)
        group.limit(group.current + MEGABYTE // 8)
        new = grow(world)
        sidecar.poll()
        assert wait_until(lambda: sidecar.popen.poll() is not None or world.files() == new)
        killed = sidecar.popen.poll()
        assert killed in (None, -signal.SIGKILL)
        if killed:
            assert world.files() == old
        sidecar.stop()
    assert_next_start_is_well(world, new)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes more memory")
def test_starts_with_less_and_less_memory(world):
    """Some of them are killed, anywhere between their start and their end."""
    old = world.plant(*NAMES)
    assert world.init(OBJECTS).code == 0
    states, outcomes = [by_path(old)], set()
    for kib in (16384, 8192, 6144, 5120, 4608, 4096, 3584, 3072, 2560, 2048, 1536, 1024, 512):
        states.append(grow(world))
        with Group("memory") as group:
            group.limit(kib * 1024)
            process = world.start("init", env=world.env(OBJECTS, AKVSYNC_INIT_TIMEOUT="20s", AKVSYNC_RETAIN="0s"), wrapper=group.wrapper)
            process.popen.wait(60)
            outcomes.add(process.popen.returncode)
        assert world.files() in states
        assert len(sets(world)) <= 3
    report("limits", "ends of starts with 16 MiB to 512 KiB", sorted(outcomes), "0 and killed", {0, -signal.SIGKILL} <= outcomes)
    assert_next_start_is_well(world, states[-1])


def test_no_more_processes_while_it_runs(world):
    """A program cannot be started: that is told once, with its cause, and done as soon as the limit goes."""
    ran = world.folder / "ran"
    program = world.folder / "program"
    program.write_text(f"#!/bin/sh\necho x >>{ran}\n")
    program.chmod(0o755)
    world.plant("s")
    with Group("pids") as group:
        sidecar = world.sidecar("s", wrapper=group.wrapper, AKVSYNC_NOTIFY=f"exec={program}")
        # A thread that looks names up may have just gone, and one that cannot start fails the sync, not the program.
        assert wait_until(lambda: group.current == 1)
        group.limit(2)
        rotate(world, sidecar, "s")
        wait_until(lambda: sidecar.find("notified", generation=world.generation()))
        group.limit(1)
        value = world.plant("s")
        sidecar.poll()
        failed = lambda: sidecar.find("notify-failed") or sidecar.find("failure")  # noqa: E731
        assert wait_until(failed)
        told = [entry["msg"] for entry in (*sidecar.find("notify-failed"), *sidecar.find("failure"))]
        assert any(word in text for text in told for word in ("Resource temporarily unavailable", "resolve", "thread")), told
        assert_told_once(sidecar)
        group.limit(None)
        sidecar.poll()
        world.wait_files({"s": value})
        assert wait_until(lambda: sidecar.find("notified", generation=world.generation()))
        assert ran.read_text().count("x") == 2
        sidecar.stop()
