"""Thousands of polls, with rotations, failures and notifications in between: what is used at the end is what was used at the start.

HOSTILE_POLLS chooses how many. The first tenth is compared with the last, in bytes and counts, so that no bound depends on the
machine's speed.
"""

import os
import pathlib
import re

from conftest import SANITIZED, assert_nothing_leaked, wait_until
from figures import amount, report
from test_idle import settled_usage

POLLS = amount("HOSTILE_POLLS", 2_000 if SANITIZED else 10_000)
PARTS = 10
EACH = POLLS // PARTS
OFTEN = max(EACH // 20, 10)
"""A rotation after so many polls."""
FAULTS = [{"status": 403}, {"status": 404}, {"status": 401}, {"garbage": True}, {"reset": True}]
GROWTH_KIB = 256
"""The heap may settle once more."""


class Soak:
    """A sidecar, its app, and what a part of the polls took."""

    def __init__(self, world, interval):
        self.world, self.touched, self.failures = world, world.folder / "touched", 0
        world.plant("a")
        self.sidecar = world.sidecar("a=sub/a", AKVSYNC_POLL_INTERVAL=interval, AKVSYNC_RETAIN="1s", AKVSYNC_NOTIFY=f"touch={self.touched}")

    def poll(self, event):
        since = self.sidecar.mark()
        self.sidecar.poll()
        self.sidecar.wait_log(event, since=since)

    def rotate(self):
        since, value = self.sidecar.mark(), self.world.plant("a")
        self.sidecar.poll()
        self.sidecar.wait_log("notified", since=since)
        assert self.world.files() == {"sub/a": value}

    def fail(self):
        """Once, in whatever way; then it is well again."""
        self.failures += 1
        self.world.fake.fault(FAULTS[self.failures % len(FAULTS)], target="vault", authenticated=True)
        since = self.sidecar.mark()
        self.sidecar.poll()
        # A fault may be made up for within the same sync.
        assert wait_until(lambda: any(self.sidecar.find(event, since=since) for event in ("failure", "unchanged", "set-held")))
        self.world.fake.clear_faults()
        if self.sidecar.find("failure", since=since) or self.sidecar.find("set-held", since=since):
            self.sidecar.poll()
            self.sidecar.wait_log("recovered", since=since)

    def part(self):
        """So many polls; what they took."""
        self.world.fake.clear_journal()
        self.forget()
        lines = 0
        opened = self.world.fake.connections()["opened"]
        for number in range(EACH):
            if number % OFTEN == OFTEN // 2:
                self.rotate()
            elif number % (OFTEN * 4) == OFTEN * 2 - 1:
                self.fail()
            else:
                self.poll("unchanged")
            lines += self.forget() if number % 1000 == 999 else 0
        requests = len(self.world.fake.journal(target="vault", authenticated=True))
        lines += self.forget()
        return {"requests": requests, "connections": self.world.fake.connections()["opened"] - opened, "log lines": lines}

    def rests(self):
        """What is in use once it rests."""
        assert wait_until(lambda: len(list(self.world.volume.glob("..2*"))) == 1), "the last earlier set goes after AKVSYNC_RETAIN"
        return settled_usage(self.sidecar.pid) | {
            "files": sum(len(names) for _, _, names in os.walk(self.world.volume)),
            "peak": int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{self.sidecar.pid}/status").read_text())[1]),
        }

    def forget(self):
        """Drops the log so far, which would grow instead; how many lines it had without those for debugging."""
        assert_nothing_leaked(self.world)
        with self.sidecar.changed:
            lines = sum(entry["level"] != "debug" for entry in self.sidecar.entries)
            self.sidecar.entries.clear()
            self.sidecar.text = ""
        return lines


def test_a_soak(world):
    soak = Soak(world, "60s")
    first = soak.part() | soak.rests()
    for _ in range(PARTS - 2):
        soak.part()
    last = soak.part() | soak.rests()
    print(f"first tenth {first}\nlast tenth  {last}")
    report("soak", "polls", POLLS, "as many as asked for", True)
    for what in ("VmRSS", "VmData", "peak"):
        if SANITIZED:  # its allocator keeps what was freed for a while
            break
        report("soak", f"growth of {what}, KiB", last[what] - first[what], f"at most {GROWTH_KIB}", last[what] - first[what] <= GROWTH_KIB)
    for what in ("fds", "Threads", "files"):
        report("soak", f"{what}, in the end", last[what], f"at most {first[what] + 1}", last[what] <= first[what] + 1)
    for what in ("requests", "connections", "log lines"):
        # What failed, and by which fault, differs a little.
        most = first[what] + max(first[what] // 20, 10)
        report("soak", f"{what}, last tenth", last[what], f"at most {most}", last[what] <= most)
    report("soak", "requests a poll", round(last["requests"] / EACH, 2), "at most 1.1", last["requests"] <= 1.1 * EACH)
    report("soak", "log lines a poll", round(last["log lines"] / EACH, 3), "at most 1.5", last["log lines"] <= 1.5 * EACH)
