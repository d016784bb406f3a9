"""An app that can be signalled and tells of each signal."""

import os
import pathlib
import select
import subprocess
import time

SCRIPT = """#!/usr/bin/python3
import os, signal, sys, time
def tell(number, _):
    # In one write: the other signal may come in the middle of it.
    os.write(1, f"{signal.Signals(number).name}\\n".encode())
if len(sys.argv) > 1:
    print("ready", flush=True)
    sys.stdin.read()
for number in (signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, tell)
print("ready", flush=True)
while True:
    time.sleep(0.1)  # a pause() would sleep through a signal that came just before it
"""


class App:
    """Runs under a command name of its own; `signals` are those it got."""

    def __init__(self, folder: pathlib.Path, wrapper=(), slow=False, name=None):
        """slow: it sets up its handlers only when told to, by handle()."""
        self.name = name or f"app-{os.urandom(4).hex()}"
        self.path = folder / self.name
        self.path.write_text(SCRIPT)
        self.path.chmod(0o755)
        self.arguments = [*wrapper, self.path, *(["slow"] if slow else [])]
        self.process, self.signals = None, []

    @classmethod
    def of(cls, folder, name, command):
        """Another program: it prints "ready", and the name of each signal that it gets."""
        made = cls(folder, name=name)
        made.arguments = command
        return made

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        line = self._line(30)
        assert line == "ready", f"the app said {line}, exit code {self.process.poll()}"
        return self

    def handle(self):
        self.process.stdin.close()
        assert self._line(10) == "ready"

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    @property
    def pid(self):
        return self.process.pid

    def _line(self, timeout):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return None
        return self.process.stdout.readline().decode().strip()

    def wait_signals(self, count, timeout=40):
        """All signals so far, as soon as there are so many."""
        end = time.monotonic() + timeout
        while len(self.signals) < count and time.monotonic() < end:
            line = self._line(0.1)
            if line:
                self.signals.append(line)
        assert len(self.signals) >= count, f"{self.signals} within {timeout} s"
        return self.settled()

    def settled(self):
        """All signals so far; the log told of those that were sent, so none is under way."""
        while line := self._line(0.2):
            self.signals.append(line)
        return self.signals
