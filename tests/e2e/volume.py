"""Sets on a volume as the sidecar publishes them, and `akvsync exec` in front of a command."""

import itertools
import os
import pathlib
import subprocess

from conftest import BINARY, Process

QUICK = ("--debounce=40ms", "--min-uptime=10ms", "--grace=400ms")


class Volume:
    """Sets of files, published one after another by a rename."""

    def __init__(self, folder):
        self.path, self.numbers = pathlib.Path(folder), itertools.count()
        self.path.mkdir(exist_ok=True)

    def publish(self, files):
        """path -> text or bytes."""
        name = f"..2026_01_01_00_00_00.{next(self.numbers):09}"
        (self.path / name).mkdir()
        for path, content in files.items():
            file = self.path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        (self.path / "..new").symlink_to(name)
        os.rename(self.path / "..new", self.path / "..data")

    def forget(self):
        """As a sidecar does that keeps no earlier set."""
        current = os.readlink(self.path / "..data")
        for old in self.path.glob("..2026*"):
            if old.name != current:
                subprocess.run(["rm", "-rf", old], check=True)


class Exec(Process):
    """`akvsync exec`, running."""

    def __init__(self, volume, *command, options=QUICK, env=None, wrapper=(), level="debug", **more):
        variables = {
            "PATH": os.environ["PATH"],
            "AKVSYNC_DIR": str(volume.path),
            "AKVSYNC_LOG_LEVEL": level,
            "AKVSYNC_TERMINATION_LOG": "/dev/null",
            "AKVSYNC_INIT_TIMEOUT": "20s",
        } | (env or {})
        variables = {name: value for name, value in variables.items() if value is not None}
        super().__init__([*wrapper, BINARY, "exec", *options, "--", *map(str, command)], variables, **more)
