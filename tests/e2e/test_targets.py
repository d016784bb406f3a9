"""Each kind of target of AKVSYNC_NOTIFY, whatever happens to it; programs of exec= and precheck=."""

import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pki
import pytest
from app import App
from conftest import BINARY, PROMPT_S, wait_until
from listener import Listener
from test_config import ConfigMap
from test_sidecar import rotate

PROGRAM = """#!/usr/bin/python3
import json, os, pathlib, signal, sys, time
folder = pathlib.Path({folder!r})
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1]
with open(folder / "runs", "a") as runs:
    runs.write(json.dumps({{
        "argv": sys.argv[1:], "env": dict(os.environ), "pgid": os.getpgid(0) == os.getpid(),
        "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "ignored": [s.name for s in signal.Signals if s.name not in ("SIGKILL", "SIGSTOP")
                    and s.value < 32 and signal.getsignal(s) == signal.SIG_IGN],
        "fds": fds,
    }}) + "\\n")
{body}
"""
# SIGPIPE and SIGXFSZ are ignored by Python itself.
OF_PYTHON = ["SIGPIPE", "SIGXFSZ"]


class Program:
    """What exec= and precheck= run; `runs` tells of each run."""

    def __init__(self, folder, body="", name="hook"):
        self.folder = folder / f"of-{name}"
        self.folder.mkdir()
        self.path = folder / name
        self.set(body)

    def set(self, body):
        new = self.path.with_suffix(".new")
        new.write_text(PROGRAM.format(folder=str(self.folder), body=body))
        new.chmod(0o755)
        new.rename(self.path)

    @property
    def runs(self):
        path = self.folder / "runs"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def generations(self):
        return [run["env"].get("AKVSYNC_GENERATION") for run in self.runs]


# ---- each kind in each state ----


class Kind:
    """One target of AKVSYNC_NOTIFY, and the app behind it; absent until start()."""

    def __init__(self, world):
        self.world = world

    def told(self):
        """How many events came to an end there."""
        raise NotImplementedError

    def stop(self):
        pass


class Signal(Kind):
    absent = "no process named"
    refused = "not permitted"

    def __init__(self, world):
        super().__init__(world)
        self.app, self.name = None, f"app-{os.urandom(4).hex()}"
        self.entry = f"signal=HUP,process={self.name}"

    def start(self, wrapper=()):
        self.app = App(self.world.volume if wrapper else self.world.folder, name=self.name, wrapper=wrapper).start()

    def told(self):
        return len(self.app.settled()) if self.app else 0

    def start_as_another(self):
        self.world.folder.chmod(0o755)
        self.start(("setpriv", "--reuid=65534", "--clear-groups"))

    def stop(self):
        if self.app:
            self.app.stop()


class Http(Kind):
    absent = "cannot connect"
    fails = "status 503"
    slow = "no answer"
    refused = "status 403"

    def __init__(self, world):
        super().__init__(world)
        self.listener, self.status, self.delay = None, 200, 0
        free = Listener()
        self.port = free.port
        free.stop()
        self.entry = f"timeout=2s,http=POST http://127.0.0.1:{self.port}/-/reload"

    def answer(self, _):
        return self.delay, self.status

    def start(self):
        self.listener = Listener(port=self.port, answer=self.answer)

    def told(self):
        return len(self.listener.requests) if self.listener and self.status == 200 and not self.delay else 0

    def start_as_another(self):
        self.status = 403
        self.start()

    def break_it(self, broken):
        self.status = 503 if broken else 200

    def slow_down(self, slow):
        self.delay = 6 if slow else 0

    def stop(self):
        if self.listener:
            self.listener.stop()


class Socket(Http):
    absent = "cannot connect to '/.*/app.sock'"
    refused = "cannot connect to '/.*/app.sock'"

    def __init__(self, world):
        super().__init__(world)
        self.path = world.folder / "app.sock"
        self.entry = f"timeout=2s,http=PUT http+unix://{str(self.path).replace('/', '%2F')}/-/reload?a=b"

    def start(self):
        self.listener = Listener(path=self.path, answer=self.answer)

    def start_as_another(self):
        self.start()
        os.chown(self.path, 65534, 65534)
        self.path.chmod(0o600)


class Touch(Kind):
    absent = "No such file or directory"
    fails = "is no regular file"
    refused = "belongs to uid 65534"

    def __init__(self, world):
        super().__init__(world)
        self.path = world.folder / "shared" / "reload"
        self.entry = f"touch={self.path}"
        self.seen = 0

    def start(self):
        self.path.parent.mkdir()

    def told(self):
        return int(self.path.is_file() and self.path.stat().st_mtime > self.seen)

    def start_as_another(self):
        self.start()
        self.path.touch()
        os.utime(self.path, (1, 1))
        os.chown(self.path, 65534, 65534)
        self.path.chmod(0o600)
        self.seen = 1

    def break_it(self, broken):
        if broken:
            self.path.mkdir()
        else:
            self.path.rmdir()


class Exec(Kind):
    absent = "No such file or directory; the program"
    fails = "ended with code 3; it said: it failed"
    slow = "did not end within 3s and was killed"
    refused = "Permission denied"

    def __init__(self, world):
        super().__init__(world)
        self.program, self.path = None, world.folder / "hook"
        self.is_good = True
        self.entry = f"timeout=3s,exec={self.path} reload now"

    def start(self):
        self.program = Program(self.world.folder)

    def told(self):
        return len(self.program.runs) if self.program and self.is_good else 0

    def start_as_another(self):
        self.start()
        os.chown(self.path, 65534, 65534)
        self.path.chmod(0o700)

    def set(self, is_good, body):
        self.is_good = is_good
        if is_good:
            (self.program.folder / "runs").unlink(missing_ok=True)
        self.program.set(body)

    def break_it(self, broken):
        self.set(not broken, "print('it failed', flush=True); sys.exit(3)" if broken else "")

    def slow_down(self, slow):
        self.set(not slow, "time.sleep(60)" if slow else "")


KINDS = [Signal, Http, Socket, Touch, Exec]
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.fixture
def kind(world, request):
    made = request.param(world)
    yield made
    made.stop()


def of(*kinds):
    return pytest.mark.parametrize("kind", kinds, ids=[kind.__name__.lower() for kind in kinds], indirect=True)


def sidecar_for(world, kind, **more):
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=kind.entry, **more)
    assert not sidecar.find("notified"), "the app does not run at the first set"
    return sidecar


@of(*KINDS)
def test_once_for_each_set(world, kind):
    kind.start()
    sidecar = sidecar_for(world, kind)
    assert kind.told() == 0
    for count in (1, 2, 3):
        since = sidecar.mark()
        rotate(world, sidecar, "s")
        notified = sidecar.wait_log("notified", since=since)
        assert notified["generation"] == world.generation() and notified["target"] in kind.entry.replace("a=b", "(hidden)")
        assert kind.told() == (1 if isinstance(kind, Touch) else count)
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert len(sidecar.find("notified")) == 3 and not sidecar.find("notify-failed")


@of(*KINDS)
def test_absent_then_there(world, kind):
    """Never, and then of the newest set only."""
    sidecar = sidecar_for(world, kind)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", kind.absent)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", attempt=2)
    assert len(sidecar.find("notify-failed", level="warn")) == 1, "once, and then every hour"
    kind.start()
    assert sidecar.wait_log("notified")["generation"] == world.generation()
    assert wait_until(lambda: kind.told() == 1)
    assert sidecar.find("recovered", kind="notify")


@of(Http, Socket, Touch, Exec)
def test_fails_then_succeeds(world, kind):
    kind.start()
    sidecar = sidecar_for(world, kind)
    kind.break_it(True)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", kind.fails)
    sidecar.wait_log("notify-failed", kind.fails, attempt=2)
    kind.break_it(False)
    sidecar.wait_log("notified")
    assert kind.told() >= 1 and len(sidecar.find("notified")) == 1


@of(Http, Socket, Exec)
def test_slow(world, kind):
    """A try ends at its time-out, and holds up neither polls nor the end of akvsync."""
    kind.start()
    kind.slow_down(True)
    sidecar = sidecar_for(world, kind)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", kind.slow)
    rotate(world, sidecar, "s")
    kind.slow_down(False)
    assert sidecar.wait_log("notified")["generation"] == world.generation()
    assert sidecar.stop()[1] < PROMPT_S


@of(*KINDS)
def test_of_another_user(world, kind):
    if os.geteuid():
        pytest.skip("needs root, to become others")
    kind.start_as_another()
    world.plant("s")
    sidecar = world.sidecar("s", wrapper=WITHOUT_CAPABILITIES, AKVSYNC_NOTIFY=kind.entry)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", kind.refused)
    assert kind.told() == 0


@of(*KINDS)
def test_in_init(world, kind):
    """Only with on=first; what fails then fails init, with a code of its own."""
    kind.start()
    world.plant("s")
    assert world.init("s", AKVSYNC_NOTIFY=kind.entry).code == 0 and kind.told() == 0
    world.plant("s")
    first = world.init("s", AKVSYNC_NOTIFY=f"on=first,{kind.entry}")
    assert first.code == 0 and first.find("notified") and kind.told() == 1


@of(Http, Exec)
def test_in_init_never(world, kind):
    kind.start()
    kind.break_it(True)
    world.plant("s")
    process = world.init("s", AKVSYNC_NOTIFY=f"on=first,{kind.entry}")
    assert process.code == 8 and kind.fails.split(";")[0] in process.find("exit")[0]["msg"]
    assert world.files()


def test_in_init_without_an_end(world):
    """The time for init is over while a program of on=first still runs."""
    program = Program(world.folder, "time.sleep(60)")
    world.plant("s")
    process = world.init("s", AKVSYNC_NOTIFY=f"on=first,exec={program.path}", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 8 and "no answer yet" in process.find("exit")[0]["msg"]


# ---- killed at any moment ----


def test_killed_between_swap_and_notify(world, app):
    """50 times: each set that was published is told, to each kind, by whoever comes next."""
    program, listener = Program(world.folder), Listener()
    touched = world.folder / "touched"
    targets = f"signal=HUP,process={app.name};http=POST {listener.url()};touch={touched};exec={program.path}"
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=targets)
    random.seed(1)
    for _ in range(50):
        before = world.generation()
        world.plant("s")
        signals = len(app.signals)
        touched.unlink(missing_ok=True)
        sidecar.poll()
        assert wait_until(lambda before=before: world.generation() != before)
        time.sleep(random.choice((0, 0.0005, 0.002, 0.01, 0.05)) * random.random())
        sidecar.stop(signal.SIGKILL)
        generation = world.generation()
        sidecar = world.sidecar("s", AKVSYNC_NOTIFY=targets)
        assert wait_until(lambda generation=generation: generation in program.generations()), generation
        assert wait_until(
            lambda generation=generation: any(r[2]["Akvsync-Generation"] == generation for r in listener.requests)
        )
        assert wait_until(touched.exists)
        app.wait_signals(signals + 1)
    listener.stop()


# ---- http ----


def test_what_is_sent(world):
    """Method, path, headers, an empty body; neither a proxy nor a redirect."""
    token = f"planted-{os.urandom(12).hex()}"
    proxy = Listener()
    listener = Listener()
    header_file = world.folder / "headers"
    header_file.write_text(f"Authorization: Bearer {token}-1\r\n\nX-More: yes\n")
    target = f"header=X-Plain: a, b {token},header-file={header_file},status=200,http=POST {listener.url('/-/reload?k=' + token)}"
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=target, HTTPS_PROXY=None, http_proxy=proxy.url(""), ALL_PROXY=proxy.url(""))
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified", status=200)
    header_file.write_text(f"Authorization: Bearer {token}-2\n")
    rotate(world, sidecar, "s")
    assert wait_until(lambda: len(sidecar.find("notified")) == 2)
    assert not proxy.requests
    (method, path, headers, body), (_, _, second, _) = listener.requests
    assert (method, path, body) == ("POST", f"/-/reload?k={token}", b"")
    assert headers["Content-Length"] == "0" and "Content-Type" not in headers
    assert headers["X-Plain"] == f"a, b {token}" and headers["X-More"] == "yes"
    assert headers["Authorization"] == f"Bearer {token}-1" and second["Authorization"] == f"Bearer {token}-2"
    assert second["Akvsync-Generation"] == world.generation()
    check = subprocess.run([BINARY, "check"], env=world.env("s", AKVSYNC_NOTIFY=target), capture_output=True, text=True, check=True)
    sidecar.stop()
    assert token not in world.said() + check.stdout + check.stderr, "a header leaked"
    assert "header=X-Plain: (hidden)" in check.stdout and "?(hidden)" in check.stdout
    listener.stop()
    proxy.stop()


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(world, status):
    listener = Listener(answer=lambda _: status)
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"http=GET {listener.url()}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", f"status {status}.*redirects are not followed")
    assert {path for _, path, _, _ in listener.requests} == {"/-/reload"}
    listener.stop()


def test_a_bad_header_file_is_told_without_its_text(world):
    secret = f"planted-{os.urandom(12).hex()}"
    path = world.folder / "headers"
    path.write_text(f"A: b\nBearer {secret}\n")
    listener = Listener()
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"header-file={path},http=POST {listener.url()}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", "line 2 is no header")
    path.write_text(f"Authorization: Bearer {secret}\n")
    sidecar.wait_log("notified")
    sidecar.stop()
    assert secret not in world.said()
    listener.stop()


def test_over_tls_that_is_verified(world):
    chain = pki.Chain()
    key, certificate, root = (world.folder / name for name in ("key.pem", "crt.pem", "root.pem"))
    key.write_bytes(pki.key_pem(chain.key))
    certificate.write_bytes(b"".join(pki.cert_pem(c) for c in chain.all))
    listener = Listener(tls=(certificate, key))
    target = f"http=POST https://localhost:{listener.port}/x"
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=target)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", "TLS with 'localhost")
    sidecar.stop()
    root.write_bytes(pki.cert_pem(chain.root))
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=target, AKVSYNC_EXTRA_CA_FILE=str(root))
    sidecar.wait_log("notified")
    listener.stop()


# ---- touch ----


def test_never_into_the_volume(world):
    world.plant("s")
    (world.folder / "link").symlink_to(world.volume)
    (world.folder / "file").symlink_to(world.volume / "new")
    sidecar = world.sidecar(
        "s",
        AKVSYNC_NOTIFY=f"touch={world.volume}/new;touch={world.folder}/link/new;touch={world.folder}/link/..data/new;"
        f"touch={world.folder}/file",
    )
    rotate(world, sidecar, "s")
    assert wait_until(lambda: len({e["target"] for e in sidecar.find("notify-failed")}) == 4)
    assert len(sidecar.find("notify-failed", "is on the volume of the secrets", attempt=1)) == 3
    assert sidecar.find("notify-failed", "is no regular file")
    assert not list(world.volume.rglob("new"))


# ---- exec ----


def test_what_a_program_gets(world):
    """A small, fixed environment; nothing of ours but three descriptors; its own process group."""
    program = Program(world.folder)
    world.plant("s", "t")
    sidecar = world.sidecar("s, t", AKVSYNC_NOTIFY=f"exec={program.path} one  two", AZURE_CLIENT_SECRET=None)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified")
    (run,) = program.runs
    python = {name: run["env"].pop(name) for name in ("LC_CTYPE",) if name in run["env"]}
    assert python.get("LC_CTYPE", "C.UTF-8") == "C.UTF-8"
    assert run["env"] == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/",
        "AKVSYNC_DIR": str(world.volume),
        "AKVSYNC_GENERATION": world.generation(),
        "AKVSYNC_CHANGED": "s",
    }
    assert run["argv"] == ["one", "two"] and run["pgid"]
    assert run["blocked"] == 0 and run["ignored"] == OF_PYTHON
    assert run["fds"] == [0, 1, 2]


def test_what_has_changed_adds_up(world):
    program = Program(world.folder, "sys.exit(3)")
    world.plant("a", "b", "c")
    target = f"exec={program.path}"
    sidecar = world.sidecar("a, b, c", AKVSYNC_NOTIFY=target)
    rotate(world, sidecar, "a")
    sidecar.wait_log("notify-failed")
    rotate(world, sidecar, "b")
    assert wait_until(lambda: program.runs[-1]["env"]["AKVSYNC_CHANGED"] == "a\nb")
    sidecar.stop()
    # Over a restart it is not known any more what has changed: it may be all.
    program.set("")
    sidecar = world.sidecar("a, b, c", AKVSYNC_NOTIFY=target)
    sidecar.wait_log("notified")
    assert program.runs[-1]["env"]["AKVSYNC_CHANGED"] == "a\nb\nc"
    rotate(world, sidecar, "c")
    assert wait_until(lambda: program.runs[-1]["env"]["AKVSYNC_CHANGED"] == "c")


def test_output_is_logged_in_lines_and_bounded(world):
    program = Program(world.folder, "print('one\\x1b[31m\\ttwo\\n\\nthree', flush=True); os.write(2, b'\\xff\\0x\\n' + b'y' * 1000000)")
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"exec={program.path}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified")
    lines = [entry["msg"] for entry in sidecar.find("output")]
    assert lines[:3] == ["one?[31m?two", "three", "\ufffd?x"]
    assert set("".join(lines[3:])) == {"y"} and sum(map(len, lines)) < 8192


def test_a_program_is_killed_with_its_group(world):
    """At the time-out, at its own end, and when akvsync stops."""
    child = "import subprocess; child = subprocess.Popen(['sleep', '1000']); (folder / 'child').write_text(str(child.pid)); "
    program = Program(world.folder, child + "time.sleep(1000)")

    def child_pid():
        pid = int((program.folder / "child").read_text())
        (program.folder / "child").unlink()
        return pid

    def is_gone(pid):
        try:
            return " Z " in pathlib.Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True

    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"timeout=4s,exec={program.path}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", "did not end within 4s and was killed")
    pid = child_pid()
    assert wait_until(lambda: is_gone(pid))
    program.set(child)
    sidecar.wait_log("notified")
    pid = child_pid()
    assert wait_until(lambda: is_gone(pid))
    program.set(child + "time.sleep(1000)")
    rotate(world, sidecar, "s")
    assert wait_until((program.folder / "child").exists) and wait_until(lambda: (program.folder / "child").read_text())
    pid = child_pid()
    assert sidecar.stop()[1] < PROMPT_S
    assert wait_until(lambda: is_gone(pid))


def test_many_programs_at_once(world):
    """More than run at the same time: the others wait for their turn."""
    programs = [Program(world.folder, "time.sleep(0.3)", name=f"hook{i}") for i in range(11)]
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=";".join(f"exec={program.path}" for program in programs))
    rotate(world, sidecar, "s")
    assert wait_until(lambda: all(len(program.runs) == 1 for program in programs))
    assert wait_until(lambda: len(sidecar.find("notified")) == 11)
    assert not sidecar.find("notify-failed")


# ---- filters ----


def test_filters(world):
    """Only sets that change such a path; one that could not be told stays due for later sets."""
    tls, db = Program(world.folder, name="tls"), Program(world.folder, name="db")
    world.plant("a", "b", "c")
    objects = "a=tls/one, b=tls/deep/two, c=db"
    targets = f"on=tls/*,exec={tls.path};on=db,on=none*,exec={db.path}"
    sidecar = world.sidecar(objects, AKVSYNC_NOTIFY=targets)

    def change(*names):
        for name in names:
            world.plant(name)
        since = sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("notified", since=since)
        return world.generation()

    first = change("a")
    assert tls.generations() == [first] and not db.runs
    second = change("b")
    assert tls.generations() == [first, second] and not db.runs
    third = change("c")
    assert tls.generations() == [first, second] and db.generations() == [third]
    # What was passed over is not told after a restart.
    sidecar.stop()
    sidecar = world.sidecar(objects, AKVSYNC_NOTIFY=targets)
    assert len(tls.runs) == 2 and len(db.runs) == 1
    # Due since before, and told of the newest set, with all that it has missed.
    tls.set("sys.exit(1)")
    world.plant("a")
    sidecar.poll()
    sidecar.wait_log("notify-failed")
    newest = change("c")
    tls.set("")
    sidecar.wait_log("notified", generation=newest, target=f"on=tls/*,exec={tls.path}")
    assert tls.generations()[-1] == newest
    assert tls.runs[-1]["env"]["AKVSYNC_CHANGED"] == "db\ntls/one"


def test_a_path_that_goes_is_a_change(world):
    program = Program(world.folder)
    world.plant("a", "b")
    notify = f"notify: ['on=b,exec={program.path}']\n"
    config = ConfigMap(world.folder / "config", f"objects: a, b\n{notify}")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    config.write(f"objects: a\n{notify}")
    sidecar.wait_log("notified")
    assert program.runs[0]["env"]["AKVSYNC_CHANGED"] == "b"


# ---- exit ----


def test_exit_ends_the_sidecar_after_the_set_and_the_others(world):
    program = Program(world.folder, "time.sleep(0.5)")
    world.plant("s")
    targets = f"exit=88;exec={program.path}"
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=targets)
    value = world.plant("s")
    sidecar.poll()
    assert sidecar.wait() == 88
    assert sidecar.find("notified", target="exit=88") and sidecar.find("stop", code=88)
    assert world.files() == {"s": value} and program.generations() == [world.generation()]
    # The next container finds it done, and does not end again for the same set.
    again = world.sidecar("s", AKVSYNC_NOTIFY=targets)
    assert not again.find("notify-waits") and not again.find("notified")
    # Nor for another one so soon; it is told of the newest then.
    world.plant("s")
    again.poll()
    waits = again.wait_log("notify-waits", "ended for the app less than AKVSYNC_RESTART_MIN ago")
    assert 200 < float(waits["retry_in"].split("m")[0]) * 60 <= 300
    assert again.popen.poll() is None and again.stop()[0] == 0
    soon = world.sidecar("s", wait=False, AKVSYNC_NOTIFY=targets, AKVSYNC_RESTART_MIN="100ms")
    assert soon.wait() == 88


def test_exit_waits_for_its_time(world):
    world.plant("s")
    more = {"AKVSYNC_NOTIFY": "exit=99", "AKVSYNC_RESTART_MIN": "4s"}
    ends = []  # in milliseconds, as the sidecar notes them: this process may see an end much later
    sidecar = world.sidecar("s", **more)
    for _ in range(2):
        world.plant("s")
        sidecar.poll()
        assert sidecar.wait() == 99
        ends.append(json.loads((world.volume / "..restarts").read_text())["last"])
        sidecar = world.sidecar("s", **more)
    assert ends[1] - ends[0] >= 4000
    assert not sidecar.find("notify-failed")


def test_exit_is_nothing_for_init(world):
    for _ in range(2):
        world.plant("s")
        assert world.init("s", AKVSYNC_NOTIFY="exit=88").code == 0


# ---- precheck ----

LOOK = "new = pathlib.Path(os.environ['AKVSYNC_NEW_DIR']); print((new / 's').exists(), os.environ['AKVSYNC_CHANGED'], "
LOOK += "os.readlink(new.parent / '..data') if (new.parent / '..data').is_symlink() else None, flush=True); "


def test_a_precheck_sees_the_set_before_anybody(world, app):
    program = Program(world.folder, LOOK)
    world.plant("s")
    targets = f"precheck=exec {program.path} -t;signal=HUP,process={app.name}"
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=targets)
    first = world.generation()
    assert program.runs[0]["env"]["AKVSYNC_NEW_DIR"] == f"{world.volume}/{first}" and program.runs[0]["argv"] == ["-t"]
    rotate(world, sidecar, "s")
    assert app.wait_signals(1) == ["SIGHUP"]
    assert [entry["msg"] for entry in sidecar.find("output")] == ["True s None", f"True s {first}"]
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert len(program.runs) == 2, "nothing changed, so nothing was asked"


def test_a_precheck_vetoes(world, app):
    """The old set stays, whole; an incident says why; it is asked again at the next poll."""
    program = Program(world.folder)
    value = world.plant("s")
    targets = f"precheck=exec {program.path};signal=HUP,process={app.name}"
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=targets)
    before = world.generation()
    program.set("print('the key does not fit', flush=True); sys.exit(1)")
    bad = world.plant("s")
    sidecar.poll()
    told = sidecar.wait_log("set-vetoed", "ended with code 1; it said: the key does not fit$")
    assert told["level"] == "warn" and told["consequence"] == "the last good files stay"
    assert told["what"] == f"precheck 'precheck=exec {program.path}'"
    assert world.files() == {"s": value} and world.generation() == before
    assert wait_until(lambda: len(list(world.volume.glob("..20*"))) == 1), "the set that was refused is gone"
    ready = subprocess.run([BINARY, "probe", "ready"], env=world.env("s"), capture_output=True, text=True, check=True)
    assert "the key does not fit" in ready.stdout
    sidecar.poll()
    assert wait_until(lambda: len(program.runs) == 3)
    assert len(sidecar.find("set-vetoed")) == 1, "told once, and every hour"
    program.set("")
    sidecar.poll()
    sidecar.wait_log("recovered", kind="precheck")
    world.wait_files({"s": bad})
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_veto_that_is_no_longer_needed_is_withdrawn(world):
    program = Program(world.folder)
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"precheck=exec {program.path}")
    value = world.files()["s"]
    program.set("sys.exit(1)")
    world.plant("s")
    sidecar.poll()
    sidecar.wait_log("set-vetoed")
    world.fake.set("s", value)
    sidecar.poll()
    sidecar.wait_log("withdrawn", kind="precheck")


def test_a_precheck_without_an_end_is_a_veto(world):
    """It holds up neither probes nor a stop."""
    program = Program(world.folder)
    value = world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"timeout=8s,precheck=exec {program.path}")
    program.set("time.sleep(60)")
    world.plant("s")
    sidecar.poll()
    assert wait_until(lambda: len(program.runs) == 2)
    subprocess.run([BINARY, "probe", "ready"], env=world.env("s"), capture_output=True, check=True)
    assert not sidecar.find("set-vetoed")
    sidecar.wait_log("set-vetoed", "did not end within 8s and was killed")
    assert world.files() == {"s": value}
    sidecar.poll()
    assert wait_until(lambda: len(program.runs) == 3)
    assert sidecar.stop()[0] == 0 and world.files() == {"s": value}


def test_a_precheck_in_init(world):
    """The first set, too: tried to the deadline, then exit 8; a set of before is enough, as for other failures."""
    program = Program(world.folder, "sys.exit(1)")
    value = world.plant("s")
    more = {"AKVSYNC_NOTIFY": f"precheck=exec {program.path}", "AKVSYNC_INIT_TIMEOUT": "8s"}
    process = world.init("s", **more)
    assert process.code == 8 and "ended with code 1" in process.find("exit")[0]["msg"], process.text
    assert world.files() == {} and len(program.runs) >= 2
    assert not list(world.volume.glob("..20*"))
    program.set("")
    assert world.init("s", **more).code == 0 and world.files() == {"s": value}
    program.set("sys.exit(1)")
    world.plant("s")
    process = world.init("s", **more)
    assert process.code == 0 and process.find("stale") and world.files() == {"s": value}
    assert world.init("s", AKVSYNC_INIT_STALE="refuse", **more).code == 8


def test_prechecks_one_after_another_and_filtered(world):
    one, two, three = (Program(world.folder, name=name) for name in ("one", "two", "three"))
    world.plant("a", "b")
    targets = f"on=a,precheck=exec {one.path};precheck=exec {two.path};on=b,precheck=exec {three.path}"
    sidecar = world.sidecar("a, b", AKVSYNC_NOTIFY=targets)
    assert [len(p.runs) for p in (one, two, three)] == [1, 1, 1]
    rotate(world, sidecar, "a")
    assert [len(p.runs) for p in (one, two, three)] == [2, 2, 1]
    rotate(world, sidecar, "b")
    assert [len(p.runs) for p in (one, two, three)] == [2, 3, 2]
    two.set("sys.exit(4)")
    world.plant("b")
    sidecar.poll()
    sidecar.wait_log("set-vetoed", f"precheck=exec {two.path}': .*code 4")
    assert [len(p.runs) for p in (one, two, three)] == [2, 4, 2]


def test_killed_during_a_precheck(world):
    """A set that nobody may see yet is swept away, and made anew."""
    program = Program(world.folder)
    value = world.plant("s")
    targets = {"AKVSYNC_NOTIFY": f"precheck=exec {program.path}", "AKVSYNC_RETAIN": "0s"}
    sidecar = world.sidecar("s", **targets)
    program.set("time.sleep(30)")
    new = world.plant("s")
    sidecar.poll()
    assert wait_until(lambda: len(program.runs) == 2)
    sidecar.stop(signal.SIGKILL)
    assert world.files() == {"s": value} and len(list(world.volume.glob("..20*"))) == 2
    program.set("")
    sidecar = world.sidecar("s", wait=False, **targets)
    world.wait_files({"s": new})
    assert wait_until(lambda: len(list(world.volume.glob("..20*"))) == 1)


# ---- what is told of them ----


def test_check_shows_each_target_and_runs_none(world):
    program, listener = Program(world.folder), Listener()
    world.plant("s")
    env = world.env("s", AKVSYNC_NOTIFY=f"on=first,on=tls/*,exec={program.path} a;http=POST {listener.url()};exit=88;"
                    f"touch=/run/x;signal=HUP,process=nginx;precheck=exec {program.path}")
    for arguments in (["check"], ["check", "--online"]):
        run = subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, check=True)
        for words in ("runs", "sends POST", "ends akvsync with code 88", "sets the time of '/run/x'", "sends SIGHUP",
                      "asks", "first set", "tls/*"):
            assert words in run.stdout, (words, run.stdout)
    run = subprocess.run([BINARY, "check", "--output", "json"], env=env, capture_output=True, text=True, check=True)
    notify = json.loads(run.stdout)["notify"]
    assert [entry["kind"] for entry in notify] == ["exec", "http", "exit", "touch", "signal", "precheck"]
    assert notify[0]["on"] == ["first", "tls/*"] and notify[1]["on"] == []
    assert not program.runs and not listener.requests
    listener.stop()
