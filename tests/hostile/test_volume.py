"""A neighbour with akvsync's own uid, and the volume that both may write to."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import BINARY, wait_until
from test_listen import free_port, request
from test_sidecar import poll, rotate

SWAPS = 9

# ---- links in a set that is being made ----

PLANTER = """
import ctypes, os, shutil, sys
volume, outside = sys.argv[1:]
libc = ctypes.CDLL(None)
os.symlink(outside, f"{volume}/..trap")
print("ready", flush=True)
seen, turn = set(os.listdir(volume)), 0
while True:
    for name in set(os.listdir(volume)) - seen:
        seen.add(name)
        if name[:4] != "..20":
            continue
        # As soon as the directory holds something, a link takes its place.
        path, turn = ("sub", "sub/deep")[turn % 2], turn + 1
        old, trap = f"{volume}/{name}/{path}".encode(), f"{volume}/..trap".encode()
        try:
            while not os.path.isdir(old) or not os.listdir(old):
                os.stat(f"{volume}/{name}")
        except FileNotFoundError:
            continue
        libc.renameat2(-100, old, -100, trap, 2)
        os.path.islink(trap) or (shutil.rmtree(trap), os.symlink(outside, trap))
"""


@pytest.mark.parametrize("refused", [None, "ENOSYS", "EPERM"])
def test_links_planted_in_a_new_set_lead_nowhere(world, refused):
    """Whatever is swapped while a set is made: nothing is made, changed or read outside of the volume."""
    outside = world.folder / "outside"
    outside.mkdir(mode=0o700)
    for folder in ("sub", "sub/deep", "deep", "s0"):
        (outside / folder).mkdir(exist_ok=True)
        (outside / folder).chmod(0o700)

    def outer():
        return {path: (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in [outside, *outside.rglob("*")]}

    before = outer()
    objects = ", ".join(["s0=s0/a", *(f"s{i}=sub/deep/s{i}" for i in range(1, 39)), "s39=sub/s39"])
    names = [f"s{i}" for i in range(40)]
    world.plant(*names)
    # Slower than it is, so that the planter finds its moment in each set.
    inject = ["-e", "trace=mkdirat,openat2", "-e", "inject=mkdirat:delay_enter=1000"]
    inject += ["-e", f"inject=openat2:error={refused}"] if refused else []
    wrapper = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", *inject)
    sidecar = world.sidecar(objects, wrapper=wrapper, AKVSYNC_RETAIN="0s")
    with subprocess.Popen(
        [sys.executable, "-c", PLANTER, world.volume, outside], stdout=subprocess.PIPE
    ) as planter:
        try:
            assert planter.stdout.readline() == b"ready\n"
            for _ in range(SWAPS):
                world.plant(*names)
                mark = sidecar.mark()
                sidecar.poll()
                wait_until(
                    lambda mark=mark: sidecar.find("published", since=mark)
                    or sidecar.find("failure", kind="volume", since=mark)
                    or sidecar.find("unchanged", since=mark),
                    1,
                )
        finally:
            planter.kill()
    assert outer() == before


# ---- how readers reach the set ----


def link_away(volume):
    (volume / "a").unlink()
    os.mkfifo(volume / "a")


def put_file(path):
    path.unlink()
    path.write_text("of another program")


def swap_link(path, target):
    path.unlink()
    path.symlink_to(target)


def put_directory(path):
    path.unlink()
    path.mkdir()


def copy_set(volume):
    current = volume / os.readlink(volume / "..data")
    current.rename(volume / "..moved")
    shutil.copytree(volume / "..moved", current)


TRICKS = {
    "rm -rf DIR/*": (lambda v: subprocess.run(f"rm -rf {v}/*", shell=True, check=True), "a,sub"),
    "..data is removed": (lambda v: (v / "..data").unlink(), r"\.\.data"),
    "..data is a file": (lambda v: put_file(v / "..data"), r"\.\.data"),
    "..data is a pipe": (lambda v: ((v / "..data").unlink(), os.mkfifo(v / "..data")), r"\.\.data"),
    "..data is an empty directory": (lambda v: put_directory(v / "..data"), r"\.\.data"),
    "..data leads elsewhere": (lambda v: swap_link(v / "..data", "/etc"), r"\.\.data"),
    "..data leads nowhere": (lambda v: swap_link(v / "..data", "..2020_01_01_00_00_00.000000001"), r"\.\.data"),
    "a link is a pipe": (link_away, "a"),
    "a link is a file": (lambda v: put_file(v / "a"), "a"),
    "a link is an empty directory": (lambda v: put_directory(v / "sub"), "sub"),
    "a link leads elsewhere": (lambda v: swap_link(v / "a", "/etc/passwd"), "a"),
    "a link leads around ..data": (lambda v: swap_link(v / "sub", os.readlink(v / "..data") + "/sub"), "sub"),
    "all of it": (lambda v: subprocess.run(f"rm -rf {v}/* {v}/..d* {v}/..2*", shell=True, check=True), None),
    "the set is renamed": (lambda v: (v / os.readlink(v / "..data")).rename(v / "..moved"), None),
    "the set is a copy": (copy_set, None),
}
"""By its name: what another program does, and which links are made anew; None: a new set is made."""


def ready(world):
    """Exit code and words of the probe."""
    done = subprocess.run(
        [BINARY, "probe", "ready"], env={"AKVSYNC_DIR": str(world.volume)}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("trick", TRICKS)
def test_a_set_that_readers_do_not_reach_any_more_is_mended(world, trick):
    """With the next poll, and told once; then it goes on changing as before."""
    play, links = TRICKS[trick]
    a, b = world.plant("a", "b")
    sidecar = world.sidecar("a, b=sub/b")
    generation = world.generation()
    since = sidecar.mark()
    play(world.volume)
    sidecar.poll()
    sidecar.wait_log("relinked" if links else "published", since=since)
    world.wait_files({"a": a, "sub/b": b})
    assert all((world.volume / name).is_symlink() for name in ("a", "sub", "..data"))
    poll(sidecar)
    told = sidecar.find("relinked")
    if links:
        assert world.generation() == generation and len(told) == 1
        assert (told[0]["level"], told[0]["what"]) == ("warn", links.replace("\\", ""))
    else:
        assert world.generation() != generation and not told
    assert ready(world)[0] == 0 and not sidecar.find("failure")
    rotate(world, sidecar, "a")


@pytest.mark.parametrize("command", ["init", "sidecar"])
@pytest.mark.parametrize("trick", [name for name, (_, links) in TRICKS.items() if links and "data" not in links])
def test_links_are_mended_at_a_start_too(world, command, trick):
    """Also while the vault does not answer: what is complete is what readers reach."""
    a, b = world.plant("a", "b")
    assert world.init("a, b=sub/b").code == 0
    TRICKS[trick][0](world.volume)
    world.fake.fault({"status": 503}, target="vault", times=-1)
    process = world.start(command, env=world.env("a, b=sub/b", AKVSYNC_INIT_TIMEOUT="2s"))
    process.wait_log("resume", "complete for this configuration")
    world.wait_files({"a": a, "sub/b": b})
    process.wait_log("relinked", what=TRICKS[trick][1])


# ---- what cannot be mended ----


def move_away(volume, replaced):
    volume.rename(volume.with_name(volume.name + "-moved"))
    if replaced:
        volume.mkdir()


def move_back(volume):
    if volume.exists():
        volume.rmdir()
    volume.with_name(volume.name + "-moved").rename(volume)


def full_directory(path):
    put_directory(path)
    (path / "of-another-program").write_text("mine")


def remove_directory(path):
    assert (path / "of-another-program").read_text() == "mine", "it is never removed"
    shutil.rmtree(path)


STUCK = {
    "..data is a directory": (lambda v: full_directory(v / "..data"), lambda v: remove_directory(v / "..data")),
    "a link is a directory": (lambda v: full_directory(v / "a"), lambda v: remove_directory(v / "a")),
    "the volume is renamed": (lambda v: move_away(v, False), move_back),
    "another volume is there": (lambda v: move_away(v, True), move_back),
    "another volume is mounted over it": (
        lambda v: subprocess.run(["mount", "-t", "tmpfs", "tmpfs", v], check=True),
        lambda v: subprocess.run(["umount", v], check=True),
    ),
}


@pytest.mark.parametrize("trick", STUCK)
def test_what_cannot_be_mended_is_told_and_is_not_ready(world, trick):
    play, undo = STUCK[trick]
    port = free_port()
    value = world.plant("a")
    sidecar = world.sidecar("a", AKVSYNC_LISTEN=f"127.0.0.1:{port}", AKVSYNC_RETAIN="1h")

    def answer():
        return request(port, "/readyz")[::2]

    assert answer()[0] == 200
    if "mounted" in trick and os.geteuid():
        pytest.skip("mounting needs root")
    play(world.volume)
    try:
        sidecar.poll()
        failure = sidecar.wait_log("failure", kind="volume")
        assert str(world.volume) in failure["msg"]
        assert wait_until(lambda: answer()[0] == 503)
        assert str(world.volume) in answer()[1]
        before = {path for path in world.volume.rglob("*")} if world.volume.exists() else set()
        world.plant("a")
        for _ in range(2):
            seen = len(world.fake.journal(target="vault"))
            sidecar.poll()
            assert wait_until(lambda seen=seen: len(world.fake.journal(target="vault")) > seen)
        assert before == ({path for path in world.volume.rglob("*")} if world.volume.exists() else set())
        assert len(sidecar.find("failure", kind="volume")) == 1, "told once"
    finally:
        undo(world.volume)
    value = world.plant("a")
    sidecar.poll()
    world.wait_files({"a": value})
    sidecar.wait_log("recovered", kind="volume")
    assert wait_until(lambda: answer()[0] == 200)


@pytest.mark.parametrize("trick", ["..data is a directory", "a link is a directory"])
def test_init_on_such_a_volume_is_not_complete(world, trick):
    world.plant("a")
    assert world.init("a").code == 0
    STUCK[trick][0](world.volume)
    process = world.init("a")
    assert process.code == 7 and not process.find("ready") and not process.find("resume", "complete for this")
    assert str(world.volume) in process.find("exit")[0]["msg"]


def test_files_that_are_gone_and_cannot_be_fetched_are_not_ready(world):
    a = world.plant("a")
    sidecar = world.sidecar("a")
    shutil.rmtree(world.volume / world.generation())
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", "503")
    code, said = ready(world)
    assert code != 0 and "removed by another program" in said and "503" in said
    world.fake.clear_faults()
    sidecar.poll()
    world.wait_files({"a": a})
    assert wait_until(lambda: ready(world)[0] == 0)


# ---- how long an earlier set stays ----


@pytest.mark.parametrize("retain, warned", [("0s", True), ("500ms", True), ("1s", False), (None, False)])
def test_a_promise_to_readers_that_is_none_is_told(world, retain, warned):
    world.plant("a")
    sidecar = world.sidecar("a", AKVSYNC_RETAIN=retain)
    assert bool(sidecar.find("advice", "AKVSYNC_RETAIN", level="warn")) == warned
