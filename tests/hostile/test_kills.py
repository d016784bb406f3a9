"""Killed at any moment, and read at any moment: every set is whole, none is lost, and the app is told of each.

HOSTILE_KILLS and HOSTILE_READS choose how often; a failure prints the seed, which HOSTILE_SEED repeats.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

from app import App
from conftest import wait_until
from figures import amount, report

KILLS = amount("HOSTILE_KILLS", 50)
READS = amount("HOSTILE_READS", 30_000)
SWAPS = 30
NAMES = ("a", "b", "c")
OBJECTS = "a, b=sub/b, c=sub/deep/c"
PATHS = ("a", "sub/b", "sub/deep/c")
FILLING = 900
"""So often a value has its number in it: a file that is torn shows it."""

TOLD = """
import os, signal, sys, time
def tell(number, _):
    os.write(1, (open(sys.argv[1] + "/..data/a").read().split(" ")[0] + "\\n").encode())
signal.signal(signal.SIGHUP, tell)
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""


def text_of(number):
    return f"{number} " * FILLING


def plant(world, number):
    """All objects get the same number, so that a set that has two numbers is mixed."""
    for name in NAMES:
        world.fake.set(name, text_of(number))


class Reader:
    """What is on the volume while nothing runs."""

    def __init__(self, world):
        self.world = world
        self.torn = self.mixed = self.lost = 0

    def look(self, expected):
        """The number of the set; it must be one of the expected ones."""
        numbers = set()
        for path in PATHS:
            for base in (self.world.volume, self.world.volume / "..data"):
                try:
                    text = (base / path).read_text()
                except FileNotFoundError:
                    self.lost += 1
                    return None
                number = int(text.split(" ")[0] or -1)
                self.torn += text != text_of(number)
                numbers.add(number)
        self.mixed += len(numbers) != 1 or not numbers <= set(expected)
        return max(numbers)


def test_a_kill_at_any_moment(world):
    """A kill in a rotation or at a start, then a restart: the set is the one before or the new one, and the app is told."""
    seed = amount("HOSTILE_SEED", random.randrange(1 << 30))
    print(f"HOSTILE_SEED={seed}")
    random.seed(seed)
    reader, untold, after_swap = Reader(world), 0, 0
    app = App(world.folder)
    app.path.write_text("#!/usr/bin/python3\n" + TOLD)
    app.arguments = [app.path, str(world.volume)]
    notify = {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}", "AKVSYNC_RETAIN": "1s"}

    def started():
        """Its first round is over: no later one sees only some of the next values."""
        process = world.sidecar(OBJECTS, wait=False, **notify)
        assert wait_until(lambda: process.find("published") or process.find("unchanged")), process.text
        return process

    plant(world, 0)
    assert world.init(OBJECTS).code == 0
    with app:
        time.sleep(3.5)  # a younger process may not have set up its handler, and is not signalled yet
        sidecar, span_s = started(), 0.3
        for number in range(1, KILLS + 1):
            plant(world, number)
            if number % 2:  # a kill while it starts, else one while it rotates
                sidecar.stop(signal.SIGKILL)
                sidecar = world.sidecar(OBJECTS, wait=False, **notify)
            else:
                sidecar.poll()
            time.sleep(random.uniform(0, span_s))
            sidecar.stop(signal.SIGKILL)
            after_swap += reader.look((number - 1, number)) == number
            # The half of the kills comes before the swap, whatever the speed of the machine.
            span_s = min(max(span_s * (0.9 if after_swap * 2 > number else 1.1), 0.02), 3)
            sidecar = started()
            if not wait_until(lambda number=number: (world.volume / "a").read_text() == text_of(number)):
                reader.lost += 1
            untold += not wait_until(lambda number=number: heard(app, number))
        reader.look((KILLS,))
        swept = wait_until(lambda: len(list(world.volume.glob("..2*"))) == 1)
        sidecar.stop()
    left = {path.name for path in world.volume.iterdir()} - {"a", "sub", "..data", "..notified", "..sock", world.generation()}
    report("kills", "kills", KILLS, "as many as asked for", True)
    report("kills", "kills after the swap", after_swap, "some, not all", KILLS < 20 or 0 < after_swap < KILLS)
    report("kills", "torn files", reader.torn, 0, reader.torn == 0)
    report("kills", "mixed sets", reader.mixed, 0, reader.mixed == 0)
    report("kills", "lost files or sets", reader.lost, 0, reader.lost == 0)
    report("kills", "sets that the app was not told of", untold, 0, untold == 0)
    report("kills", "leftovers on the volume", len(left), 0, swept and not left)


def heard(app, number):
    """True when the app was told while it could see that set."""
    while line := app._line(0.02):  # pylint: disable=protected-access
        app.signals.append(line)
    return str(number) in app.signals


READER = """
import json, os, sys
volume, wanted, paths = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
done = dict(pairs=0, judged=0, missing=0, mixed=0, torn=0)
def read(path, at=None):
    fd = os.open(path, os.O_RDONLY, dir_fd=at)
    try:
        text = os.read(fd, 1 << 16)
    finally:
        os.close(fd)
    numbers = set(text.split())
    done["torn"] += len(numbers) != 1 or not text.endswith(b" ") or text.count(b" ") != %d
    return min(numbers, default=b"")
os.set_blocking(0, False)
while True:
    done["pairs"] += 1
    pair = [paths[done["pairs"] %% len(paths)], paths[(done["pairs"] + 1) %% len(paths)]]
    try:
        if done["pairs"] %% 2:  # through the directory that ..data leads to now: one set, however often it is swapped
            at = os.open(volume + "/..data", os.O_PATH | os.O_DIRECTORY)
            try:
                numbers, judged = [read(path, at) for path in pair], True
            finally:
                os.close(at)
        else:  # through the links: one set when ..data was the same before and after
            before = os.readlink(volume + "/..data")
            numbers = [read(volume + "/" + path) for path in pair]
            judged = os.readlink(volume + "/..data") == before
        done["judged"] += judged
        done["mixed"] += judged and numbers[0] != numbers[1]
    except FileNotFoundError:
        done["missing"] += 1
    if done["pairs"] == wanted:
        print("enough", flush=True)
    if done["pairs"] %% 256 == 0 and done["pairs"] >= wanted:
        try:
            if os.read(0, 1) == b"":
                break
        except BlockingIOError:
            pass
print(json.dumps(done), flush=True)
""" % FILLING


def test_paired_reads(world):
    """Of two files while sets are swapped as fast as it goes."""
    plant(world, 0)
    sidecar = world.sidecar(OBJECTS, AKVSYNC_RETAIN="30s", AKVSYNC_LOG_LEVEL="info")
    command = [sys.executable, "-c", READER, str(world.volume), str(READS // 2), *PATHS]
    readers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    swaps = 0
    try:
        for reader in readers:
            os.set_blocking(reader.stdout.fileno(), False)
        enough = set()
        while swaps < SWAPS or len(enough) < len(readers):
            swaps += 1
            plant(world, swaps)
            since = sidecar.mark()
            sidecar.poll()
            sidecar.wait_log("published", since=since)
            enough |= {reader.pid for reader in readers if (reader.stdout.readline() or "").startswith("enough")}
        for reader in readers:
            os.set_blocking(reader.stdout.fileno(), True)
            reader.stdin.close()
        found = [json.loads(reader.stdout.read().replace("enough\n", "")) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
            reader.stdout.close()
    total = {name: sum(one[name] for one in found) for name in found[0]}
    report("paired reads", "pairs read", total["pairs"], f"at least {READS}", total["pairs"] >= READS)
    report("paired reads", "pairs known to be of one set", total["judged"], "more than half", total["judged"] * 2 > total["pairs"])
    report("paired reads", "swaps meanwhile", swaps, f"at least {SWAPS}", swaps >= SWAPS)
    for what in ("missing", "mixed", "torn"):
        report("paired reads", what, total[what], 0, total[what] == 0)
