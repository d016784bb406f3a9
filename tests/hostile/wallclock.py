"""A wall clock for the binary alone, which a test sets: by libfaketime, or by shiftclock.c where nothing can be preloaded."""

import os
import pathlib
import shutil
import struct
import subprocess
import time

import pytest
from conftest import BINARY, SANITIZED

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = "faketime/libfaketime.so.1"


def is_dynamic():
    return b"/ld-linux" in pathlib.Path(BINARY).read_bytes()[:4096]


def library():
    found = [path for folder in ("/usr/lib", "/usr/local/lib") for path in pathlib.Path(folder).glob(f"**/{LIBRARY}")]
    return found[0] if found else None


class WallClock:
    """How far it is off; what a program is started with so that it has this clock."""

    def __init__(self, world, by):
        # On the volume, which the sandbox lets the binary read.
        self.path, self.by, self.shift_s = world.volume / "..clock", by, 0
        self.wrapper, self.env = (), {}
        if by == "libfaketime":
            if not is_dynamic() or SANITIZED:
                pytest.skip("nothing can be preloaded into this binary")
            if library() is None:
                pytest.skip("libfaketime is not installed")
            self.env = {
                "LD_PRELOAD": str(library()),
                "FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }
        else:
            if os.geteuid():
                pytest.skip("only root may change the memory of a process that is not dumpable")
            compiler = shutil.which("cc")
            if compiler is None:
                pytest.skip("there is no compiler")
            tool = world.folder / "shiftclock"
            subprocess.run([compiler, "-O2", "-o", tool, HERE / "shiftclock.c"], check=True)
            self.wrapper = (str(tool), str(self.path))
            if SANITIZED:  # its search for leaks is a tracer, too
                self.env = {"LSAN_OPTIONS": "detect_leaks=0"}
        self.set()

    def set(self, shift_s=0):
        """From now on it is so much ahead of the real one; negative: behind it."""
        self.shift_s = shift_s
        if self.by == "libfaketime":
            new = self.path.with_name("..clock.new")
            new.write_text(f"{shift_s:+}\n")
            os.rename(new, self.path)
        else:
            with open(self.path, "ab"):
                pass
            with open(self.path, "r+b") as file:
                file.write(struct.pack("q", shift_s * 1000))

    def set_to(self, year):
        """The beginning of a year."""
        self.set(int(year_s(year) - time.time()))

    def now(self):
        return time.time() + self.shift_s


def year_s(year):
    return time.mktime((year, 1, 1, 0, 0, 0, 0, 0, 0)) - time.timezone
