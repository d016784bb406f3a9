"""A neighbour with akvsync's own uid, and the volume that both may write to."""

import ctypes
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import time

import pytest
from conftest import DEADLINE_S, mounted_tmpfs, wait_until

RENAME_EXCHANGE = 2
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
