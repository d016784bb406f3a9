"""What targets of AKVSYNC_NOTIFY do at the edges: odd answers, odd files, ends at the wrong moment."""

import json
import os
import socket
import subprocess
import threading
import time

import pytest
from conftest import BINARY, wait_until
from listener import Listener
from test_sidecar import rotate
from test_targets import Program


class Raw:
    """A server that answers each connection by these bytes, the last of them again and again while it may."""

    def __init__(self, *pieces, endless=False, close=True):
        self.pieces, self.endless, self.close = pieces, endless, close
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.count, self.open = 0, []
        threading.Thread(target=self.serve, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/x"

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            self.open.append(connection)
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        try:
            connection.recv(65536)
            for piece in self.pieces:
                connection.sendall(piece)
            while self.endless:
                time.sleep(0.05)
                connection.sendall(self.pieces[-1])
            if self.close:
                connection.close()
        except OSError:
            pass

    def stop(self):
        self.socket.close()
        for connection in self.open:
            connection.close()


OK = b"HTTP/1.1 200 OK\r\n"
# What comes behind the status, and how: only the status counts.
ANSWERED = {
    "an endless stream of events": ((OK + b"Content-Type: text/event-stream\r\n\r\n", b": \n"), {"endless": True}),
    "a body that never ends": ((OK + b"Content-Length: 100\r\n\r\nx",), {"close": False}),
    "a body that is cut off": ((OK + b"Content-Length: 100\r\n\r\nx",), {}),
    "chunks that are none": ((OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",), {}),
    "a flood": ((OK + b"\r\n", b"x" * 100000), {"endless": True}),
    "an early hint": ((b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"), {}),
    "a coding that nobody knows": ((OK + b"Content-Encoding: x\r\nContent-Length: 1\r\n\r\nx",), {}),
}
UNANSWERED = {
    "nothing": ((), {}, "the connection to"),
    "another protocol": ((b"SSH-2.0-x\r\n",), {}, "the connection to"),
    "hints alone": ((b"HTTP/1.1 103 Early Hints\r\n\r\n",), {"endless": True}, "no answer from"),
    "silence": ((), {"close": False}, "no answer from"),
}


@pytest.mark.parametrize("row", ANSWERED)
def test_only_the_status_counts(world, row):
    pieces, how = ANSWERED[row]
    server = Raw(*pieces, **how)
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"timeout=2s,http=POST {server.url}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified", status=200)
    assert server.count == 1 and not sidecar.find("notify-failed")
    server.stop()


@pytest.mark.parametrize("row", UNANSWERED)
def test_no_status_is_a_failure(world, row):
    pieces, how, cause = UNANSWERED[row]
    server = Raw(*pieces, **how)
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"timeout=2s,http=POST {server.url}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", cause)
    server.stop()


def test_a_header_file_with_a_nul(world):
    """What stands behind it would be left out."""
    path = world.folder / "headers"
    path.write_bytes(b"A: b\n\0Authorization: x\n")
    listener = Listener()
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"header-file={path},http=POST {listener.url()}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", "header-file '.*' has a NUL byte")
    assert not listener.requests
    listener.stop()


# ---- init ----


def test_the_last_try_of_init_has_its_time(world):
    """Five tries, each to its end."""
    program = Program(world.folder)
    program.set("n = len((folder / 'runs').read_text().splitlines()); time.sleep(1); (folder / 'done').open('a').write('.'); sys.exit(n < 5)")
    world.plant("s")
    env = world.env("s", AKVSYNC_NOTIFY=f"on=first,exec={program.path}", AKVSYNC_INIT_TIMEOUT="10m")
    process = world.start("init", env=env)
    assert process.wait(600) == 0 and process.find("notified", attempt=5), process.text
    assert (program.folder / "done").read_text() == "....."


# ---- touch ----


def test_touch_makes_a_file_that_others_may_watch(world):
    path = world.folder / "reload"
    world.plant("s")
    sidecar = world.sidecar("s", wrapper=("sh", "-c", 'umask 077; exec "$0" "$@"'), AKVSYNC_NOTIFY=f"touch={path}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified")
    assert path.stat().st_mode & 0o7777 == 0o644


def test_touch_knows_the_volume_by_another_mount(world):
    other = world.folder / "other"
    other.mkdir()
    if subprocess.run(["mount", "--bind", world.volume, other], capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        world.plant("s")
        sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"touch={other}/new;touch={other}/..data/new")
        rotate(world, sidecar, "s")
        assert wait_until(lambda: len(sidecar.find("notify-failed", "is on the volume of the secrets", attempt=1)) == 2)
        assert not list(world.volume.rglob("new"))
    finally:
        subprocess.run(["umount", "-l", other], check=True)


# ---- exec ----


def test_a_program_that_goes_on_failing_does_not_flood_the_log(world):
    program = Program(world.folder, "print('\\n'.join(f'line {i}' for i in range(50)), flush=True); sys.exit(1)")
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"exec={program.path}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", attempt=3)
    assert len(sidecar.find("output", level="info")) == 50, "once, as the failure"
    assert len(sidecar.find("output")) == 150


def test_a_veto_that_lasts_does_not_flood_the_log(world):
    program = Program(world.folder)
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"precheck=exec {program.path}")
    program.set("print('no', flush=True); sys.exit(1)")
    world.plant("s")
    for count in (2, 3):
        sidecar.poll()
        assert wait_until(lambda count=count: len(sidecar.find("output")) == count - 1)
    assert len(sidecar.find("output", level="info")) == 1


# ---- exit ----


def test_exit_needs_a_record(world):
    """Else the containers were restarted for the same set again and again."""
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY="exit=88", AKVSYNC_RESTART_MIN="100ms")
    # A directory cannot be replaced by a file: a record that cannot be written.
    (world.volume / "..notified").unlink()
    (world.volume / "..notified").mkdir()
    world.plant("s")
    sidecar.poll()
    sidecar.wait_log("notify-failed", "cannot remember that akvsync ended")
    assert sidecar.popen.poll() is None
    (world.volume / "..notified").rmdir()
    assert sidecar.wait() == 88


def test_exit_while_a_start_is_not_complete(world):
    """A set that the app was not told of, found by a sidecar that has no complete set yet."""
    world.plant("s", "t")
    sidecar = world.sidecar("s, t", AKVSYNC_NOTIFY="exec=/absent")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed")
    sidecar.stop()
    os.unlink(world.volume / "..data" / "t")
    state = json.loads((world.volume / "..notified").read_text())
    state["delivered"] = {"exit=88": state["delivered"]["exec=/absent"]}
    (world.volume / "..notified").write_text(json.dumps(state))
    world.fake.fault({"status": 503}, target="vault", times=-1)
    again = world.start("sidecar", env=world.env("s, t", AKVSYNC_NOTIFY="exit=88"))
    assert again.wait() == 88, again.text


# ---- the memory ----


def test_a_target_that_is_no_utf8_is_told_once(world):
    """The volume remembers its name in another form."""
    program = Program(world.folder)
    world.plant("s")
    more = {"AKVSYNC_NOTIFY": os.fsdecode(b"exec=" + str(program.path).encode() + b" \xff")}
    sidecar = world.sidecar("s", **more)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified")
    program.set("sys.exit(1)")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed")
    sidecar.stop()
    program.set("")
    world.sidecar("s", **more).wait_log("notified")


@pytest.mark.parametrize("entries", [[f"touch=/run/{'x' * 300}{i}" for i in range(150)], [f"touch=/run/{i}" for i in range(201)]])
def test_too_many_targets_to_remember(world, entries):
    env = world.env("s", AKVSYNC_NOTIFY=";".join(entries))
    run = subprocess.run([BINARY, "check"], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 3 and "more than 200 entries, or they are larger than 32768 bytes" in run.stderr
