"""Few descriptors and little memory: nothing is torn, nothing is left behind, and one failure is one line."""

import pytest
from conftest import SANITIZED, wait_until
from test_sidecar import rotate

NAMES = [f"s{i}" for i in range(12)]
OBJECTS = ", ".join(f"{name}=a/b{i % 3}/{name}" for i, name in enumerate(NAMES))
MEGABYTE = 1 << 20


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
