"""An app for the tests of exec: tells a journal of its start, and behaves as its kind says."""

import fcntl
import hashlib
import os
import signal
import sys
import time

journal, kind = sys.argv[1:3]


def tell(word, text=""):
    with open(journal, "a", encoding="utf-8") as file:
        file.write(f"{word} {os.getpid()} {text}\n")


def wait():
    while True:
        time.sleep(0.1)  # a pause() would sleep through a signal that came just before it


STDIN = os.path.exists("/proc/self/fd/0")  # before a file takes its number
lock = open(journal + ".lock", "w", encoding="utf-8")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    tell("two")
SECRET = hashlib.sha256(os.environ["SECRET"].encode()).hexdigest()[:16]


def start():
    tell("start", SECRET)


def leave(*_):
    tell("ended", kind)
    if kind == "loud":
        sys.stdout.write("x" * 1_000_000)
        sys.stdout.flush()
    if kind == "crash":
        os.kill(os.getpid(), signal.SIGABRT)
    os._exit(0)


def echo(number, _):
    os.write(1, f"{number}\n".encode())


def spawn(deaf):
    """A process that outlives this one, in a session of its own."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        os.read(read, 1)
        os.close(read)
        return
    lock.close()
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else signal.SIG_DFL)
    tell("child")
    os.close(read)
    os.close(write)
    wait()


signal.signal(signal.SIGUSR1, lambda *_: tell("USR1"))
if kind == "at-once":
    start()
    sys.exit(5)
elif kind == "daemon":
    start()
    spawn(False)
    sys.exit(5)
elif kind == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif kind == "stdin":
    if STDIN:
        tell("two", "stdin is open")
    signal.signal(signal.SIGTERM, leave)
elif kind == "echo":
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGCHLD, signal.SIGCONT}:
        signal.signal(number, echo)
    for number in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):
        signal.signal(number, echo)
elif kind == "keys":
    signal.signal(signal.SIGINT, lambda *_: tell("INT"))
else:
    signal.signal(signal.SIGTERM, leave)
if kind == "orphans":
    spawn(False)
    spawn(True)
start()
wait()
