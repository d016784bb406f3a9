"""A control group for the binary alone, of either version, where this machine lets one be made."""

import os
import pathlib

import pytest

ROOT = pathlib.Path("/sys/fs/cgroup")
FILES = {
    "memory": {"max": ("memory.limit_in_bytes", "memory.max"), "current": ("memory.usage_in_bytes", "memory.current")},
    "pids": {"max": ("pids.max", "pids.max"), "current": ("pids.current", "pids.current")},
}
"""By controller: what a file is for, and its name in version 1 and in version 2."""


class Group:
    """One controller's group, from `with` to its end. Whoever is in it must have ended by then."""

    def __init__(self, controller):
        self.files = FILES[controller]
        self.version = 1 if (ROOT / controller / "cgroup.procs").exists() else 2
        parent = ROOT / controller if self.version == 1 else ROOT
        self.path = parent / f"akvsync-test-{os.getpid()}-{os.urandom(4).hex()}"

    def __enter__(self):
        try:
            self.path.mkdir()
        except OSError as error:
            pytest.skip(f"no control group can be made here: {error}")
        if not self._file("max").exists():
            self.path.rmdir()
            pytest.skip(f"the control groups here have no {self.files['max'][1]}")
        return self

    def __exit__(self, *_):
        self.path.rmdir()

    def _file(self, use):
        return self.path / self.files[use][self.version - 1]

    @property
    def current(self):
        return int(self._file("current").read_text())

    def limit(self, most):
        """A number, or None."""
        unlimited = "-1" if self.version == 1 and "memory" in str(self._file("max")) else "max"
        self._file("max").write_text(unlimited if most is None else str(most))

    @property
    def wrapper(self):
        """Starts a command as the one process of the group."""
        return ("sh", "-c", f'echo $$ >{self.path}/cgroup.procs && exec "$@"', "sh")
