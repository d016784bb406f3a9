"""`exec`: the variables of a command, its restarts, and the duties of an init."""

import contextlib
import datetime
import json
import os
import pathlib
import pty
import random
import re
import resource
import select
import signal
import subprocess
import tempfile
import time

import pytest
from conftest import BINARY, SANITIZED, wait_until
from volume import QUICK, Exec, Volume


class Planted:
    """New values that can be found again."""

    def __init__(self):
        self.values = []

    def __call__(self):
        self.values.append(f"planted-{os.urandom(12).hex()}")
        return self.values[-1]


class Stage:
    """A volume, values, and what ran: nothing of it may have leaked or be left."""

    def __init__(self, folder):
        self.folder, self.plant, self.running = folder, Planted(), []
        self.volume = Volume(tempfile.mkdtemp(prefix="akvsync-exec-", dir="/dev/shm"))
        self.journal = folder / "journal"
        self.journal.write_text("")

    def run(self, *command, **more):
        """Runs it to its end: (code, stdout)."""
        with tempfile.TemporaryFile() as out:
            process = self.start(*command, stdout=out, **more)
            code = process.wait()
            out.seek(0)
            return code, out.read().decode()

    def start(self, *command, **more):
        self.running.append(Exec(self.volume, *command, **more))
        return self.running[-1]

    def app(self, kind, change, reference="akvsync:secret", options=QUICK, **more):
        """Starts an app of a kind, and waits until it has started."""
        command = ["/usr/bin/python3", "-ISs", APP, self.journal, kind]
        process = self.start(
            *command, options=[*options, f"--on-change={change}"], env={"SECRET": reference} | more.pop("env", {}), **more
        )
        self.wait("start")
        return process

    def lines(self, word=""):
        """What apps wrote: [word, pid, rest]."""
        rows = [line.split(" ", 2) for line in self.journal.read_text().splitlines()]
        return [row for row in rows if row[0].startswith(word)]

    def wait(self, word, count=1, last=None, timeout=20):
        """Waits for so many such lines, and for what the last one says; gives that line."""
        found = wait_until(lambda: (rows := self.lines(word))[count - 1 :] and last in (None, rows[-1][2]) and rows, timeout)
        assert found, f"no {count} × '{word}' {last}: {self.journal.read_text()}" + "".join(p.text for p in self.running)
        return found[-1]

    def alive(self):
        """The processes of apps that still run."""
        return [pid for _, pid, *_ in self.lines() if is_alive(pid)]

    def close(self):
        for process in self.running:
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGCONT)
                process.popen.kill()
            process.wait()
        for pid in self.alive():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["rm", "-rf", self.volume.path], check=True)


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    try:
        yield made
        assert not made.lines("two"), "two commands ran at once"
        for process in made.running:
            assert not process.garbage, "".join(process.garbage)
            for value in made.plant.values:
                assert value not in process.text + process.seen, "a value leaked into the log or a command line"
    finally:
        made.close()


# ---- the variables ----

JSON = '{"user": "sa", "n": 1.50, "big": 12345678901234567890, "t": true, "z": null, "e": "", "o": {"a/b": [1, {"k": "v"}], "~": 7}}'
PEM = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nQg==\n-----END PRIVATE KEY-----\n"
FILES = {"db": "pass word\n", "crlf": "x\r\n", "two": "x\n\n", "none": "", "json": JSON, "sub/db": "deep", "pair": "me:se:cret", "web": PEM}

# reference, its value
VALUES = [
    ("akvsync:db", "pass word\n"),
    ("akvsync:none", ""),
    ("akvsync:sub/db", "deep"),
    ("akvsync:json#user", "sa"),
    ("akvsync:json#/user", "sa"),
    ("akvsync:json#n", "1.50"),
    ("akvsync:json#big", "12345678901234567890"),
    ("akvsync:json#t", "true"),
    ("akvsync:json#z", "null"),
    ("akvsync:json#e", ""),
    ("akvsync:json#/o/a~1b/1/k", "v"),
    ("akvsync:json#/o/a~1b/0", "1"),
    ("akvsync:json#/o/a~1b", '[1,{"k":"v"}]'),
    ("akvsync:json#/o/~0", "7"),
    ("db@azurekeyvault", "pass word\n"),
    ("db@azurekeyvault?", "pass word\n"),
    ("sub/db@azurekeyvault?raw", "deep"),
    ("json@azurekeyvault?user", "sa"),
    ("pair@azurekeyvault?username", "me"),
    ("pair@azurekeyvault?password", "se:cret"),
    ("web@azurekeyvault?tls.crt", PEM.split("-----BEGIN PRIVATE")[0]),
    ("web@azurekeyvault?tls.key", "-----BEGIN PRIVATE" + PEM.split("-----BEGIN PRIVATE")[1]),
    ("db@azurekeyvault.example.com", "db@azurekeyvault.example.com"),
    ("amqp://me:word@azurekeyvault?x", "amqp://me:word@azurekeyvault?x"),
    ("x akvsync:db", "x akvsync:db"),
]


def variables(stage, options=(), env=None, **more):
    """What a command gets, without what it always has."""
    code, out = stage.run("env", "-0", options=options, env=env, **more)
    found = dict(entry.split("=", 1) for entry in out.split("\0") if entry)
    assert found.pop("PATH", None) or code
    return code, found


def test_references(stage):
    stage.volume.publish(FILES)
    given = {f"V{i}": reference for i, (reference, _) in enumerate(VALUES)}
    assert variables(stage, env=given) == (0, {f"V{i}": value for i, (_, value) in enumerate(VALUES)})
    by_option = [f"--env=V{i}={reference}" for i, (reference, value) in enumerate(VALUES) if reference != value]
    assert len(variables(stage, by_option)[1]) == len(by_option)
    trimmed = variables(stage, ["--trim=newline"], env={"A": "akvsync:db", "B": "akvsync:crlf", "C": "akvsync:none", "D": "akvsync:two"})
    assert trimmed == (0, {"A": "pass word", "B": "x", "C": "", "D": "x\n"})


# A value is a text for the reader of its error: reference, exit code, what the error says.
MISTAKES = [
    ("akvsync:dbb", 5, "V: there is no file 'dbb'; did you mean 'db'?"),
    ("akvsync:sub", 7, "V: 'sub' is not a regular file"),
    ("akvsync:", 3, "V: the reference names no file"),
    ("akvsync:/secrets/db", 3, "must be relative"),
    ("akvsync:../db", 3, "may not leave"),
    ("akvsync:db#", 3, "no key stands behind '#'"),
    ("akvsync:json#/o/~2", 3, "is not a JSON pointer"),
    ("akvsync:json#usr", 5, "its JSON has no '/usr'"),
    ("akvsync:json#/o/a~1b/2", 5, "its JSON has no"),
    ("akvsync:json#/o/a~1b/01", 5, "its JSON has no"),
    ("akvsync:json#/user/x", 5, "its JSON has no"),
    ("akvsync:db#user", 3, "V: file 'db': it is not JSON: neither"),
    ("akvsync:json?user", 5, "there is no file 'json?user'; before a key stands '#', not '?'"),
    ("AKVSYNC:db", 3, "in lower case"),
    (" akvsync:db", 3, "without white space"),
    ("akvsync:nul", 3, "holds a NUL byte"),
    ("akvsync:long", 3, "is too long for a variable"),
    ("nothing@azurekeyvault", 5, "there is no file 'nothing'"),
    ("db@azurekeyvault?username", 3, "it is not 'user:password'"),
    ("db@azurekeyvault?tls.crt", 5, "no PEM block of a certificate"),
]


def test_mistakes_in_references(stage):
    longest = 131072 - len("V=") - 1
    files = FILES | {"nul": b"a\0b", "long": "x" * (longest + 1), "fits": "x" * longest}
    stage.volume.publish(files)
    assert variables(stage, env={"V": "akvsync:fits"}) == (0, {"V": files["fits"]})
    for reference, code, says in MISTAKES:
        assert stage.run("touch", stage.folder / "ran", env={"V": reference}) == (code, ""), reference
        entry = stage.running[-1].find("exit", code=code)[0]
        assert says in entry["msg"], (reference, entry["msg"])
    assert not (stage.folder / "ran").exists()


def test_a_reference_inside_of_a_value_is_told_of(stage):
    stage.volume.publish(FILES)
    url = "mysql://app:akvsync:db@db/shop"
    given = {"URL": url, "PROBE": "http://akvsync:8087/readyz"}
    assert variables(stage, env=given) == (0, given)
    (advice,) = stage.running[-1].find("advice")
    assert advice["level"] == "warn" and advice["msg"].startswith("URL: a reference inside of a longer value")
    assert stage.running[-1].find("running", "runs with 0 variables from .*; no variable has the value akvsync:PATH")


def test_all_mistakes_are_in_one_error(stage):
    stage.volume.publish({"db": "x", "a-b": "1", "a/b": "2", "1st": "3"})
    env = {f"VARIABLE_{i}": f"akvsync:absent-{i}" for i in range(40)} | {"J": "akvsync:db#k"}
    code, _ = stage.run("env", options=["--all", "--env=X=plain", "--env=AKVSYNC_Y=akvsync:db", "--env=a-b=akvsync:db"], env=env)
    assert code == 3, "a mistake in the configuration comes before a missing file"
    (entry,) = [e for e in stage.running[-1].entries if e["level"] == "error"]
    assert len(entry["faults"]) == 40 + 6
    for part in ("VARIABLE_39: there is no", "J: ", "X: --env takes a reference", "AKVSYNC_Y: ", "a-b: a variable's name",
                 "A_B: --all finds two files with this name, 'a-b' and 'a/b'", "1ST: --all makes this name"):
        assert [fault for fault in entry["faults"] if fault.startswith(part)], part


def test_all_files(stage):
    stage.volume.publish({"db-x": "1", "a/pass.word": "2", "path": "3", "ld/preload": "4",
                          "home": "5", "akvsync.x": "6", "azure/client-secret": "7", "glibc.tunables": "8", "taken": "9", "empty": ""})
    code, found = variables(stage, ["--all", "--env=MORE=akvsync:path"], env={"TAKEN": "mine"})
    assert (code, found) == (0, {"DB_X": "1", "A_PASS_WORD": "2", "TAKEN": "mine", "MORE": "3", "EMPTY": ""})
    advice = stage.running[-1].find("advice")[0]["msg"]
    assert "PATH (file 'path')" in advice and "LD_PRELOAD (file 'ld/preload')" in advice
    code, found = variables(stage, ["--all=APP_"])
    assert found["APP_PATH"] == "3" and found["APP_LD_PRELOAD"] == "4" and found["APP_TAKEN"] == "9"
    assert variables(stage, ["--all=LD_"])[1] == {}


def test_what_never_reaches_the_command(stage):
    stage.volume.publish({"db": "1"})
    identity = {"AZURE_CLIENT_SECRET": "x", "AZURE_CLIENT_ID": "x", "AZURE_FEDERATED_TOKEN_FILE": "/x", "IDENTITY_HEADER": "x"}
    env = identity | {"AZURE_STORAGE_ACCOUNT": "shop", "AKVSYNC_NOTIFY_SPLAY": "0s", "AKVSYNC_PORT": "tcp://10.0.0.1:80", "K": "akvsync:db"}
    assert variables(stage, env=env) == (0, {"AZURE_STORAGE_ACCOUNT": "shop", "K": "1"})
    assert variables(stage, ["--keep-identity"], env=env) == (0, identity | {"AZURE_STORAGE_ACCOUNT": "shop", "K": "1"})
    assert variables(stage, env={"AZURE_CLIENT_SECRET": "akvsync:db"}) == (0, {"AZURE_CLIENT_SECRET": "1"}), "it was asked for"


def test_the_environment_stays_as_it_is(stage):
    stage.volume.publish({"db": "akvsync:db"})
    env = {"A": "", "B": " x ", "HTTPS_PROXY": " http://p ", "C": "akvsync:db"}
    assert variables(stage, env=env) == (0, env), "and a value that looks like a reference is none"


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "the command to run is missing"),
        (["--"], "the command to run is missing"),
        (["env"], "'--' has to stand before"),
        (["--grce=1s", "--", "x"], "did you mean --grace?"),
        (["--grace", "--", "x"], "--grace takes a duration"),
        (["--grace=10", "--", "x"], "--grace takes a duration"),
        (["--trim=all", "--", "x"], "--trim takes newline"),
        (["--on-change=reload", "--", "x"], "--on-change takes"),
        (["--on-change=signal", "--", "x"], "--on-change takes"),
        (["--on-change=signal:KILL", "--", "x"], "--on-change takes"),
        (["--on-change=exit:256", "--", "x"], "--on-change takes"),
        (["--kill-group=yes", "--", "x"], "--kill-group takes no value"),
        (["--all=a-b", "--", "x"], "--all takes nothing, or what the names begin with"),
        (["--all=1_", "--", "x"], "--all takes nothing"),
        (["--env=A", "--", "x"], "--env takes NAME=akvsync:PATH"),
        (["--stop-signal=FOO", "--", "x"], "--stop-signal takes a signal"),
    ],
)
def test_mistakes_on_the_command_line(arguments, says):
    run = subprocess.run([BINARY, "exec", *arguments], env={}, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "") and says in run.stderr, run.stderr


def test_help_is_ours_before_the_dashes_and_theirs_behind(stage):
    stage.volume.publish({})
    run = subprocess.run([BINARY, "exec", "--help"], env={}, capture_output=True, text=True, check=True)
    assert "--on-change" in run.stdout and "akvsync:PATH" in run.stdout
    assert stage.run("echo", "--help", "-h") == (0, "--help -h\n")


def test_a_mistake_in_our_own_variables(stage):
    stage.volume.publish({})
    for env, says in (
        ({"AKVSYNC_INIT_TIMEOU": "1s"}, "did you mean AKVSYNC_INIT_TIMEOUT?"),
        ({"AKVSYNC_INIT_TIMEOUT": "1"}, "AKVSYNC_INIT_TIMEOUT"),
        ({"AKVSYNC_DIR": "secrets"}, "not an absolute path"),
    ):
        assert stage.run("true", env=env)[0] == 3
        assert says in stage.running[-1].text


# ---- the start ----


def test_waits_for_the_first_set(stage):
    process = stage.start("printenv", "S", env={"S": "akvsync:s"}, stdout=subprocess.PIPE)
    process.wait_log("waiting", "no complete set of files is in")
    value = stage.plant()
    stage.volume.publish({"s": value})
    assert process.popen.stdout.read() == value + "\n"
    assert process.wait() == 0
    assert len(process.find("waiting")) == 1


def test_waits_not_for_ever(stage):
    log = stage.folder / "termination-log"
    log.write_text("")
    code, _ = stage.run("true", env={"AKVSYNC_INIT_TIMEOUT": "1s", "AKVSYNC_TERMINATION_LOG": str(log)})
    assert code == 6 and "does akvsync run in this pod" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_wait(stage, number):
    process = stage.start("true")
    process.wait_log("waiting")
    process.popen.send_signal(number)
    assert process.wait() == 128 + number


def test_an_ignored_signal_does_not_end_the_wait(stage):
    process = stage.start("sh", "-c", "kill -HUP $$; exit 3", wrapper=["nohup"])
    process.wait_log("waiting")
    process.popen.send_signal(signal.SIGHUP)
    time.sleep(0.1)
    stage.volume.publish({})
    assert process.wait() == 3


@pytest.mark.parametrize("command, code", [
    (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["sh", "-c", "kill -SEGV $$"], 139),
    (["/etc/passwd"], 126), (["/nowhere/x"], 127), (["no-such-program"], 127), (["/etc/passwd/x"], 126), (["true"], 0),
])  # fmt: skip
def test_exit_codes(stage, command, code):
    stage.volume.publish({})
    assert stage.run(*command)[0] == code


def test_the_program_is_found_in_its_own_path(stage):
    program = stage.folder / "only-here"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    stage.volume.publish({"path": f"{stage.folder}:/bin:/usr/bin"})
    assert stage.run("only-here", options=["--env=PATH=akvsync:path"]) == (0, "found\n")


STATUS = ("grep", "-E", "^(SigBlk|SigIgn|ShdPnd|CoreDumping|NoNewPrivs)", "/proc/self/status")


def changed_signals():
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2, signal.SIGRTMIN + 2})
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


@pytest.mark.parametrize("change", [None, changed_signals])
def test_signals_and_limits_are_those_of_the_caller(stage, change):
    stage.volume.publish({})
    # pylint: disable-next=subprocess-popen-preexec-fn
    plain = subprocess.run(STATUS, preexec_fn=change, capture_output=True, text=True, check=True).stdout
    assert stage.run(*STATUS, preexec_fn=change) == (0, plain)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer sets this limit itself")
def test_the_limit_of_core_files_is_that_of_the_caller(stage):
    stage.volume.publish({})
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        pytest.skip("no core files here")
    limits = (4096, 8192) if hard in (-1, 2**63 - 1) or hard >= 8192 else (hard, hard)
    # pylint: disable-next=subprocess-popen-preexec-fn
    code, out = stage.run("cat", "/proc/self/limits", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, limits))
    assert code == 0 and re.search(rf"Max core file size +{limits[0]} +{limits[1]} ", out), out


def test_closed_streams_stay_closed(stage):
    stage.volume.publish({})
    code, out = stage.run("ls", "-l", "/proc/self/fd", wrapper=["sh", "-c", 'exec "$@" <&-', "x"])
    assert code == 0 and "/dev/null" not in out and " 1 -> " in out, out


# ---- changes ----

# Tells of its start, and of its end by the kind it is of.
APP = pathlib.Path(__file__).with_name("exec_app.py")

KINDS = ["plain", "at-once", "deaf", "daemon", "crash", "orphans", "loud", "stdin"]
CHANGES = ["restart", "signal:USR1", "exit:9", "ignore"]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_apps_and_changes(stage, kind, change):
    first, second = stage.plant(), stage.plant()
    stage.volume.publish({"secret": first, "other": "1"})
    more = {"wrapper": ["sh", "-c", 'exec "$@" <&-', "x"]} if kind == "stdin" else {}
    with tempfile.TemporaryFile() as out:
        process = stage.app(kind, change, stdout=out, **more)
        if kind in ("at-once", "daemon"):
            assert process.wait() == 5, "its end is ours, whatever a change would do"
            assert len(stage.lines("start")) == 1 and not stage.alive()
            return
        pid = stage.wait("start", last=digest(first))[1]
        stage.volume.publish({"secret": first, "other": "2"})
        stage.volume.publish({"secret": second, "other": "2"})
        if change == "restart":
            stage.wait("start", count=2, last=digest(second))
            assert not is_alive(pid)
            (told,) = process.find("restart")
            assert told["variables"] == "SECRET"
            assert stage.lines("ended") == [["ended", pid, kind]] or kind in ("deaf", "stdin", "plain")
            assert bool(process.find("kill")) == (kind == "deaf")
        elif change == "signal:USR1":
            assert stage.wait("USR1")[1] == pid
            process.wait_log("signal")
        elif change == "exit:9":
            assert process.wait() == 9
            assert not stage.alive()
        else:
            time.sleep(0.2)
        if change != "exit:9":
            assert len(stage.lines("start")) == (2 if change == "restart" else 1)
            end(process, kind)
        assert wait_until(lambda: not stage.alive(), 5), "nothing is left"
        if kind == "loud" and change in ("restart", "exit:9"):
            out.seek(0)
            assert len(out.read()) >= 1_000_000


def end(process, kind):
    """Ends it from outside: TERM is handed on, and a deaf app lives until its parent is killed."""
    process.popen.terminate()
    if kind == "deaf":
        time.sleep(0.1)
        assert process.popen.poll() is None
        process.popen.kill()
    assert process.wait() == {"deaf": -9, "crash": 134}.get(kind, 0)


def digest(value):
    """Apps tell of a value without saying it."""
    import hashlib

    return hashlib.sha256(value.encode()).hexdigest()[:16]


def test_only_values_that_it_was_given_matter(stage):
    files = {"secret": "1", "other": "1", "json": '{"a": 1, "b": 1}'}
    stage.volume.publish(files)
    process = stage.app("plain", "restart", env={"J": "akvsync:json#a"})
    for change in ({"other": "2"}, {"new": "1"}, {"json": '{"b":2, "a":1}'}):
        stage.volume.publish(files | change)
        time.sleep(0.1)
    assert len(stage.lines("start")) == 1
    stage.volume.publish(files | {"json": '{"a": 3}'})
    stage.wait("start", count=2)
    assert process.find("restart")[0]["variables"] == "J"


def test_what_changes_back_is_no_change(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("plain", "restart", options=["--debounce=400ms", "--min-uptime=1ms"])
    stage.volume.publish({"secret": "2"})
    time.sleep(0.1)
    stage.volume.publish({"secret": "1"})
    time.sleep(0.6)
    assert len(stage.lines("start")) == 1 and not process.find("restart")


def test_changes_close_together_are_one(stage):
    stage.volume.publish({"secret": "0"})
    process = stage.app("plain", "restart", options=["--debounce=300ms", "--min-uptime=1ms"])
    for i in range(1, 6):
        stage.volume.publish({"secret": str(i)})
        time.sleep(0.05)
    stage.wait("start", count=2, last=digest("5"))
    assert len(process.find("restart")) == 1


def test_a_stream_of_changes_does_not_hold_up_the_restart(stage):
    stage.volume.publish({"secret": "0"})
    stage.app("plain", "restart", options=["--debounce=100ms", "--min-uptime=1ms"])
    began, i = time.monotonic(), 0
    while len(stage.lines("start")) < 2:
        i += 1
        stage.volume.publish({"secret": str(i)})
        time.sleep(0.03)
        assert time.monotonic() - began < 60
    assert time.monotonic() - began >= 0.4


def test_a_set_that_does_not_fit_changes_nothing(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("plain", "restart")
    stage.volume.publish({"other": "1"})
    told = process.wait_log("unusable")
    assert "SECRET: there is no file 'secret'" in told["msg"]
    stage.volume.publish({"other": "2"})
    time.sleep(0.2)
    assert len(process.find("unusable")) == 1 and len(stage.lines("start")) == 1
    stage.volume.publish({"secret": "3"})
    stage.wait("start", count=2, last=digest("3"))


def test_all_notices_new_and_lost_files(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("plain", "restart", options=[*QUICK, "--all"])
    stage.volume.publish({"secret": "1", "new": "1"})
    stage.wait("start", count=2)
    stage.volume.publish({"secret": "1"})
    stage.wait("start", count=3)
    assert [entry["variables"] for entry in process.find("restart")] == ["NEW", "NEW"]


def test_starts_keep_a_distance_that_grows(stage):
    stage.volume.publish({"secret": "0"})
    process = stage.app("plain", "restart", options=["--debounce=1ms", "--min-uptime=200ms"])
    for i in range(1, 4):
        stage.volume.publish({"secret": str(i)})
        stage.wait("start", count=i + 1, last=digest(str(i)))
    starts = [datetime.datetime.fromisoformat(entry["ts"].rstrip("Z")) for entry in process.find("running")]
    pauses = [(later - earlier).total_seconds() for earlier, later in zip(starts, starts[1:])]
    assert pauses[0] >= 0.18 and pauses[1] >= 0.38 and pauses[2] >= 0.78, pauses


@pytest.mark.parametrize("when", ["settling", "stopping", "pausing"])
def test_a_term_from_outside_cancels_the_start(stage, when):
    stage.volume.publish({"secret": "1"})
    options = {
        "settling": ["--debounce=10s"],
        "stopping": ["--debounce=1ms", "--grace=500ms"],
        "pausing": ["--debounce=1ms", "--min-uptime=30s"],
    }[when]
    process = stage.app("deaf" if when == "stopping" else "plain", "restart", options=options)
    stage.volume.publish({"secret": "2"})
    if when == "settling":
        time.sleep(0.1)
    else:
        process.wait_log("restart" if when == "stopping" else "ended")
    process.popen.terminate()
    assert process.wait(5) == {"settling": 0, "stopping": 137, "pausing": 0}[when], "as the command itself ended"
    assert len(stage.lines("start")) == 1


def test_the_end_by_itself_while_a_restart_is_due_is_the_end(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("plain", "restart", options=["--debounce=10s"])
    stage.volume.publish({"secret": "2"})
    time.sleep(0.1)
    os.kill(int(stage.lines("start")[0][1]), signal.SIGKILL)
    assert process.wait(5) == 137


def test_rotations_during_restarts(stage):
    """Never two commands at once, and never a change that is lost."""
    rounds, starts = (40, 5) if SANITIZED else (200, 20)
    stage.volume.publish({"secret": "0"})
    stage.app("plain", "restart", options=["--debounce=2ms", "--min-uptime=1ms", "--grace=2s"])
    dice = random.Random(7)
    i = 0
    while i < rounds or len(stage.lines("start")) < starts:
        i += 1
        stage.volume.publish({"secret": str(i)})
        if i % 10 == 0:
            stage.volume.forget()
        time.sleep(dice.choice([0, 0.005, 0.02, 0.06]))
    stage.wait("start", last=digest(str(i)))


def test_rotated_by_the_sidecar(world, stage):
    first = world.plant("s")
    world.sidecar("s")
    stage.volume.path, real = world.volume, stage.volume.path
    process = stage.app("plain", "restart", reference="akvsync:s")
    stage.wait("start", last=digest(first))
    second = world.plant("s")
    world.processes[-1].poll()
    stage.wait("start", count=2, last=digest(second))
    stage.volume.path = real
    process.popen.terminate()
    assert process.wait() == 0
    world.processes.append(process)


# ---- an init ----


def test_signals_are_handed_on(stage):
    """Each of a thousand, one after another."""
    stage.volume.publish({"secret": "1"})
    ours = [getattr(signal, f"SIG{name}") for name in "HUP INT QUIT USR1 USR2 ALRM TSTP WINCH URG PIPE IO PWR XCPU PROF VTALRM ABRT".split()]
    ours += [signal.SIGRTMIN, signal.SIGRTMIN + 5, signal.SIGRTMAX]
    read, write = os.pipe()
    process = stage.app("echo", "ignore", stdout=write, level="info")
    dice = random.Random(11)
    for _ in range(200 if SANITIZED else 1000):
        number = dice.choice(ours)
        process.popen.send_signal(number)
        assert select.select([read], [], [], 10)[0], signal.Signals(number)
        assert int(os.read(read, 16)) == number
    process.popen.kill()
    os.close(read)
    os.close(write)


def test_a_burst_of_signals_does_no_harm(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("echo", "restart", stdout=subprocess.DEVNULL, level="info")
    dice = random.Random(13)
    for i in range(1000):
        process.popen.send_signal(dice.choice([signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGCONT, signal.SIGWINCH, signal.SIGURG]))
        if i == 500:
            stage.volume.publish({"secret": "2"})
    stage.wait("start", count=2, last=digest("2"))
    process.popen.kill()


def test_the_command_dies_with_its_parent(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("deaf", "restart")
    process.popen.kill()
    process.wait()
    assert wait_until(lambda: not stage.alive(), 5)


def test_as_pid_1(stage):
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to make a pid namespace")
    stage.volume.publish({"secret": "1"})
    script = "echo $PPID; (setsid sleep 60 &); (setsid sh -c 'trap \"\" TERM; sleep 60; sleep 60' &); sleep 0.1; exit 4"
    assert stage.run("sh", "-c", script, wrapper=unshare, options=["--grace=300ms"]) == (4, "1\n")
    assert stage.run("sh", "-c", script, wrapper=[*unshare, "sh", "-c", 'umount -l /proc; exec "$@"', "x"], options=["--grace=300ms"])[0] == 4


def test_orphans_are_reaped_while_the_command_runs(stage):
    stage.volume.publish({})
    script = "for i in 1 2 3 4 5; do (setsid true &) ; done; sleep 0.3; ps -o stat= --ppid $PPID | grep -c Z"
    assert stage.run("sh", "-c", script)[1].strip() == "0"


def test_sleeps_when_nothing_happens(stage):
    stage.volume.publish({"secret": "1"})
    process = stage.app("plain", "restart")
    process.wait_log("running")
    time.sleep(0.2)
    before = switches(process.pid)
    time.sleep(1)
    assert switches(process.pid) == before


def switches(pid):
    return re.findall(r"ctxt_switches:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())


def test_no_value_in_the_memory_of_the_parent(stage):
    if os.geteuid() or SANITIZED:
        pytest.skip("only root may look into it, and a sanitizer's memory is too large")
    value = stage.plant()
    more = {"json": json.dumps({"a": [value + "-json"]}), "secret": value + "\n"}
    stage.volume.publish(more)
    process = stage.app("plain", "restart", options=[*QUICK, "--all", "--trim=newline"], env={"J": "akvsync:json#/a/0"})
    process.wait_log("running")
    scan(process.pid, value)
    stage.volume.publish(more | {"secret": value + "-2"})
    stage.wait("start", count=2)
    process.wait_log("running", since=process.mark() - 1)
    scan(process.pid, value)
    assert value not in pathlib.Path(f"/proc/{process.pid}/cmdline").read_text()
    assert value.encode() not in process.environ()


def scan(pid, value):
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if " rw" not in line:
                continue
            memory.seek(start)
            with contextlib.suppress(OSError):
                assert value.encode() not in memory.read(end - start), line


def test_nobody_may_look_into_the_parent(stage):
    stage.volume.publish({"secret": "1"})
    stage.volume.path.chmod(0o755)
    stage.journal.chmod(0o666)
    if os.geteuid() or subprocess.run(["setpriv", "--reuid", "65534", BINARY, "version"], check=False).returncode:
        pytest.skip("needs another uid, and a binary that it may run")
    process = stage.start("sleep", "60", wrapper=["setpriv", "--reuid", "65534"])
    process.wait_log("running")
    assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0, "only root may read it"
    child = process.find("running")[0]["child"]
    assert os.stat(f"/proc/{child}/environ").st_uid == 65534, "CMD is as any other program"
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 ", limits)


# ---- a terminal ----


class Terminal:
    """A program on a terminal of its own; else a shell with job control."""

    def __init__(self, stage, *command):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(AKVSYNC_DIR=str(stage.volume.path), AKVSYNC_LOG_LEVEL="error", PS1="$ ", SECRET="akvsync:secret")
            command = command or ("bash", "--norc", "--noprofile", "-i")
            os.execvp(command[0], command)

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, timeout=10):
        end = time.monotonic() + timeout
        while not (match := re.search(pattern, self.text)):
            left = end - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], f"no {pattern!r} in {self.text!r}"
            self.text += os.read(self.fd, 4096).decode(errors="replace")
        self.text = self.text[match.end() :]
        return match

    def close(self):
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal(stage):
    made = Terminal(stage)
    yield made
    made.close()


def test_a_terminal_keeps_its_job_control(stage, terminal):
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(f"{BINARY} exec {' '.join(QUICK)} -- sh -c 'echo ready; exec cat'\n")
    terminal.expect("\rready\r\n")
    terminal.type("first\n")
    terminal.expect("first\r\nfirst\r\n")
    terminal.type("\x1a")
    terminal.expect(r"Stopped[^$]*\$ ")
    terminal.type("fg\n")
    terminal.expect("exec cat'\r\n")
    time.sleep(0.3)  # what is typed before the shell has changed the terminal's mode gets lost
    terminal.type("second\n")
    terminal.expect("second\r\nsecond\r\n")
    terminal.type("\x1a")
    terminal.expect(r"Stopped[^$]*\$ ")
    terminal.type("bg\n")
    terminal.expect(r"&\r\n")
    time.sleep(0.2)
    terminal.type("fg\n")
    terminal.expect("exec cat'\r\n")
    time.sleep(0.3)  # what is typed before the shell has changed the terminal's mode gets lost
    terminal.type("third\n")
    terminal.expect("third\r\nthird\r\n")
    terminal.type("\x03")
    terminal.expect(r"\$ ")
    terminal.type("echo code=$?\n")
    terminal.expect("code=130\r\n")


def test_one_key_is_one_signal(stage, terminal):
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(f"{BINARY} exec {' '.join(QUICK)} -- /usr/bin/python3 -ISs {APP} {stage.journal} keys\n")
    stage.wait("start")
    terminal.type("\x03")
    stage.wait("INT")
    time.sleep(0.2)
    assert len(stage.lines("INT")) == 1
    stage.volume.publish({"secret": "2"})
    stage.wait("start", count=2, last=digest("2"))
    terminal.type("\x03")
    stage.wait("INT", count=2)
    terminal.type("\x1c")
    terminal.expect(r"\$ ")
    assert wait_until(lambda: not stage.alive(), 5)
