"""`akvsync status`: what it shows of an answer, whoever gave it; and the page that describes the JSON."""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest
from conftest import BINARY, ROOT, wait_until
from status_server import ERROR, OBJECTS, STATUS, StatusServer, well
from test_listen import free_port, request

PAGE = (ROOT / "docs/status.md").read_text()
FIELDS = dict(re.findall(r"^\| `([\w.\[\]]+)` \| ((?:text|number|time|boolean|list|object)(?: or null)?) \|", PAGE, re.M))
HOSTILE = "a\x1b[2J\x07\u009b31m\u202e\u2066\x7f\nb"


def status(folder, *arguments, **env):
    return subprocess.run(
        [BINARY, "status", *arguments], env={"AKVSYNC_DIR": str(folder)} | env, capture_output=True, timeout=30, check=False
    )


def text(told):
    return told.stdout.decode()


@pytest.fixture(name="server")
def status_server(tmp_path):
    with StatusServer(tmp_path, STATUS) as running:
        yield running


class Terminal:
    """A program whose output is a terminal of this size; what it wrote is in `text`."""

    def __init__(self, folder, *arguments, columns=0, **env):
        self.ours, theirs = pty.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.popen = subprocess.Popen(  # pylint: disable=consider-using-with
            [BINARY, "status", *arguments], env={"AKVSYNC_DIR": str(folder), "TERM": "xterm"} | env,
            stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
        )
        os.close(theirs)
        self.bytes = b""

    @property
    def text(self):
        return self.bytes.decode()

    def read(self):
        """False: nobody writes any more."""
        try:
            piece = os.read(self.ours, 65536)
        except OSError as error:
            assert error.errno == errno.EIO
            piece = b""
        self.bytes += piece
        return bool(piece)

    def read_until(self, true):
        while not true(self.bytes):
            assert self.read(), self.bytes

    def end(self):
        while self.read():
            pass
        os.close(self.ours)
        return self.popen.wait(30)


def on_terminal(folder, *arguments, **more):
    terminal = Terminal(folder, *arguments, **more)
    terminal.code = terminal.end()
    return terminal


# What is shown


def test_the_example_of_the_page(server, tmp_path):
    told = status(tmp_path)
    assert told.returncode == 6 and told.stderr == b""
    assert text(told) == re.search(r"and why:\n\n```\n(.*?)```", PAGE, re.S)[1]
    assert server.asked == ["GET /status HTTP/1.1"]


def test_a_sidecar_that_is_well(server, tmp_path):
    server.body = well()
    told = status(tmp_path)
    assert told.returncode == 0
    assert "\nready         yes\n" in text(told) and "\nfailing       nothing\n" in text(told) and "FAILING" not in text(told)


def test_the_code_is_that_of_probe_ready(server, tmp_path):
    """An object that fails does not make it unready."""
    server.body = STATUS | {"ready": True, "reason": "ok"}
    assert status(tmp_path).returncode == status(tmp_path, "--output", "json").returncode == 0
    server.body = STATUS
    assert status(tmp_path).returncode == status(tmp_path, "--output", "json").returncode == 6


def test_json_is_exactly_what_the_sidecar_sent(server, tmp_path):
    for body in (json.dumps(STATUS, indent=3).encode() + b"\n\n", json.dumps(STATUS).encode()):
        server.body = body
        assert status(tmp_path, "--output", "json").stdout == body + (b"" if body.endswith(b"\n") else b"\n")
    # Strange bytes as well, for a program; what is no status is an error besides.
    server.body = b"\x1b[2J\xff\0\n"
    told = status(tmp_path, "--output", "json")
    assert told.stdout == server.body and told.returncode == 7 and b"no status of a sidecar" in told.stderr


def test_ages_are_by_the_sidecar_s_clock(server, tmp_path):
    shift = datetime.timedelta(days=365 * 100)

    def shifted(value):
        if isinstance(value, dict):
            return {name: shifted(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [shifted(inner) for inner in value]
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", value):
            return (datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ") - shift).strftime("%Y-%m-%dT%H:%M:%SZ")
        return value

    now = text(status(tmp_path))
    server.body = shifted(STATUS)
    assert text(status(tmp_path)) == now


def test_a_thousand_objects_in_two_mebibytes(server, tmp_path):
    message = "secret 'x': 503 Service Unavailable" + " x" * 700
    objects = [OBJECTS[1] | {"object": f"app/{number:04}", "error": ERROR | {"message": message}} for number in range(1000)]
    server.body = json.dumps(STATUS | {"objects": objects}).encode()
    assert 1_500_000 < len(server.body) < 2 * 1024 * 1024
    told = status(tmp_path)
    assert told.returncode == 6 and len(re.findall(r"^app/\d{4} +fedcba98", text(told), re.M)) == 1000
    assert text(told).count(message) == 1000, "each failing object has its cause"
    assert status(tmp_path, "--output", "json").stdout == server.body + b"\n"
    server.body += b" " * 3 * 1024 * 1024
    told = status(tmp_path)
    assert told.returncode == 7 and told.stdout == b"" and b"larger than 4194304 bytes" in told.stderr


# Strangers, and other versions


@pytest.mark.parametrize(
    "body, says",
    [
        ({"format": 2, "ready": True}, "has format 2, and this akvsync .* knows format 1"),
        ({"format": "1"}, "no status of a sidecar"),
        ([], "no status of a sidecar"),
        (b"", "no status of a sidecar: not JSON"),
        (b"ok\n", "no status of a sidecar: not JSON"),
        (b'{"format":1', "no status of a sidecar: not JSON"),
        (b'{"format":1,"a":"\\u0000"}', "a text in it holds a NUL"),
        (b'{"format":1,"a":' + b"[" * 900_000, "too large to be a status"),
        (b'{"format":1,"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "no status of a sidecar: not JSON"),
    ],
)
def test_an_answer_that_is_no_status(server, tmp_path, body, says):
    server.body = body
    told = status(tmp_path)
    assert told.returncode == 7 and told.stdout == b"" and re.search(says, told.stderr.decode()), told.stderr


@pytest.mark.parametrize(
    "code, body, says",
    [
        ("404 Not Found", b"not found\n", "older version that has no status"),
        ("503 Service Unavailable", b"no \x1b[31m\n\x07", r"the sidecar answers 503: no \?\[31m\n$"),
        ("500 x", b"", "the sidecar answers 500: "),
    ],
)
def test_an_answer_that_is_a_refusal(server, tmp_path, code, body, says):
    server.code, server.body = code, body
    for arguments in ((), ("--output", "json")):
        told = status(tmp_path, *arguments)
        assert told.returncode == 7 and told.stdout == b"" and re.search(says, told.stderr.decode()), told.stderr


def test_nobody_answers(tmp_path):
    told = status(tmp_path)
    assert told.returncode == 7 and told.stdout == b""
    assert b"no sidecar answers on '" in told.stderr and b"does 'akvsync sidecar' run with this AKVSYNC_DIR?" in told.stderr
    assert status(tmp_path / "none").returncode == 7


def test_who_does_not_answer_is_not_waited_for(server, tmp_path):
    server.body = None
    started = time.monotonic()
    told = status(tmp_path)
    assert told.returncode == 7 and b"no sidecar answers" in told.stderr and time.monotonic() - started < 20


WRONG = [None, 0, -1, 1e300, 0.5, True, "", "x", "2026-11-29T05:00:00", [], {}, [{}], [[]], [None], {"at": []}, HOSTILE]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_no_field_needs_to_be_there_or_of_its_type(server, tmp_path, wrong):
    """Each field in turn is absent, or is this."""
    lists = {name: value for name, value in STATUS.items() if isinstance(value, list)}
    for name in STATUS:
        if name == "format":
            continue
        for body in (STATUS | {name: wrong}, {key: value for key, value in STATUS.items() if key != name}):
            check_shown(server, tmp_path, body)
    for name, items in lists.items():
        fields = {field: wrong for field in items[0]}
        check_shown(server, tmp_path, STATUS | {name: [fields, items[0] | fields, {}, wrong]})


def check_shown(server, folder, body):
    server.body = body
    told = status(folder)
    assert told.returncode in (0, 6) and told.stderr == b"", (body, told.stderr)
    assert told.returncode == (0 if body.get("ready") is True else 6)
    assert re.fullmatch(r"[ -~\n]*", text(told)), text(told)
    assert text(told).startswith("akvsync       ")


def hostile(value):
    """Each text in it becomes a hostile one, names of fields besides."""
    if isinstance(value, dict):
        return {name: hostile(inner) for name, inner in value.items()} | {HOSTILE: HOSTILE}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("escaped", [True, False])
def test_a_terminal_obeys_nothing_of_an_answer(server, tmp_path, escaped):
    server.body = json.dumps(hostile(STATUS), ensure_ascii=escaped).replace("\x7f", "\x7f" if escaped else "\\u007f").encode()
    shown = on_terminal(tmp_path, NO_COLOR="1")
    assert shown.code == 6 and re.fullmatch(r"[ -~\n]*", shown.text), shown.text
    coloured = on_terminal(tmp_path)
    assert re.sub(r"\x1b\[(31|33|0)m", "", coloured.text) == shown.text
    assert re.fullmatch(r"[ -~\n]*", on_terminal(tmp_path, "--output", "json").text)


def test_raw_controls_in_json_do_not_reach_a_terminal(server, tmp_path):
    server.body = b'{"format":1,\r\t"ready":true,"x":"\xe2\x80\xae\xc2\x9b\xff\xc3\xbc"}\x1b]0;x\x07\x9b2J\0\n'
    shown = on_terminal(tmp_path, "--output", "json")
    assert shown.code == 7
    assert shown.text == '{"format":1,?\t"ready":true,"x":"???\u00fc"}?]0;x??2J?\n'


# Terminals


def test_colours_on_a_terminal(server, tmp_path):
    shown = on_terminal(tmp_path)
    assert shown.code == 6 and shown.popen.stderr.read() == b""
    for painted in ("\x1b[31mmissing\x1b[0m", "\x1b[33mstale\x1b[0m", "\x1b[31min 5d\x1b[0m", "\x1b[31mexpired 3d ago\x1b[0m", "\x1b[31mfailing\x1b[0m"):
        assert painted in shown.text, shown.text
    plain = re.sub(r"\x1b\[(31|33|0)m", "", shown.text)
    assert plain == text(status(tmp_path)), "and else the same"
    server.body = well()
    assert "\x1b" not in on_terminal(tmp_path).text, "nothing is wrong"


@pytest.mark.parametrize("env, coloured", [({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "xterm-256color"}, True)])
def test_who_wants_no_colours_gets_none(server, tmp_path, env, coloured):
    del server
    assert ("\x1b[" in on_terminal(tmp_path, **env).text) == coloured
    assert b"\x1b" not in status(tmp_path, **env).stdout, "never without a terminal"


def test_long_names_are_cut_to_a_terminal_only(server, tmp_path):
    name = "certificates/of/the/shop/in/production/" + "x" * 100 + "/web.pem"
    server.body = well() | {"objects": [OBJECTS[0] | {"object": name}]}
    shown = on_terminal(tmp_path, columns=80)
    table = shown.text.split("\n\n")[1].splitlines()
    assert [len(line) <= 80 for line in table] == [True, True] and len(table[1]) > 70
    assert table[1].startswith("certificates/") and "/web.pem  01234567  up-to-date  3m       20s        in 102d" in table[1] and "..." in table[1]
    assert name in text(status(tmp_path)) and name in on_terminal(tmp_path, columns=0).text
    assert "in 102d" in on_terminal(tmp_path, columns=5).text, "a terminal that is too narrow wraps its lines"


def test_letters_of_all_scripts_stay(server, tmp_path):
    server.body = well() | {"objects": [OBJECTS[0] | {"object": name} for name in ("schl\u00fcssel", "\u6771\u4eac", "a")]}
    lines = text(status(tmp_path)).split("\n\n")[1].splitlines()
    assert lines[1].startswith("schl\u00fcssel  01234567") and lines[2].startswith("\u6771\u4eac       01234567") and lines[3].startswith("a          01")


def test_output_that_cannot_be_written_exits_7(server, tmp_path):
    del server
    for arguments in ((), ("--output", "json"), ("--watch",)):
        with open("/dev/full", "w", encoding="ascii") as full:
            run = subprocess.run([BINARY, "status", *arguments], env={"AKVSYNC_DIR": str(tmp_path)}, stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
        assert run.returncode == 7


def test_help(tmp_path):
    assert text(status(tmp_path, "--help")).startswith("usage: akvsync status [--watch] [--output text|json]\n")


# --watch


@contextlib.contextmanager
def watching(folder, *arguments, stdout=subprocess.PIPE):
    with subprocess.Popen(
        [BINARY, "status", "--watch", *arguments], env={"AKVSYNC_DIR": str(folder)}, stdout=stdout, stderr=subprocess.PIPE
    ) as popen:
        try:
            yield popen
        finally:
            popen.kill()


def ends(popen, number=signal.SIGINT):
    popen.send_signal(number)
    return popen.wait(10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watching_shows_what_changed(server, tmp_path, number):
    with watching(tmp_path) as popen:
        first = [popen.stdout.readline() for _ in range(2)]
        server.body = well()
        while popen.stdout.readline() != b"akvsync       1.4.0 in /mnt/secrets, started 2d ago\n":
            pass
        assert first[1].startswith(b"ready         no") and popen.stdout.readline() == b"ready         yes\n"
        assert ends(popen, number) == 0
        assert popen.stderr.read() == b"" and b"\x1b" not in popen.stdout.read()


def test_watching_separates_by_a_blank_line(server, tmp_path):
    server.body = well()
    with watching(tmp_path) as popen:
        assert wait_until(lambda: len(server.asked) >= 3)
        assert ends(popen) == 0
        shown = popen.stdout.read().decode()
    assert shown.count("\n\nakvsync       1.4.0") >= 1 and not shown.startswith("\n")
    with watching(tmp_path, "--output", "json") as popen:
        line = json.dumps(well())
        assert [popen.stdout.readline().decode() for _ in range(3)] == [line + "\n", "\n", line + "\n"]
        assert ends(popen) == 0


def test_watching_goes_on_when_the_sidecar_ends(tmp_path):
    with watching(tmp_path) as popen:
        assert re.match(rb"akvsync: no sidecar answers on .*; trying again\n", popen.stderr.readline())
        with StatusServer(tmp_path, well()) as server:
            assert popen.stdout.readline().startswith(b"akvsync ")
            server.body = b"x"
            assert b"no status of a sidecar" in popen.stderr.readline()
        assert b"no sidecar answers" in popen.stderr.readline()
        with StatusServer(tmp_path, well()):
            while popen.stdout.readline() != b"\n":
                pass
        assert ends(popen) == 0


def test_what_stays_wrong_is_said_once(server, tmp_path):
    server.body = b"x"
    with watching(tmp_path) as popen:
        assert wait_until(lambda: len(server.asked) >= 3)
        assert ends(popen) == 0
        assert popen.stderr.read().count(b"trying again") == 1 and popen.stdout.read() == b""


def test_watching_ends_while_nobody_answers(server, tmp_path):
    server.body = None
    with watching(tmp_path) as popen:
        assert wait_until(lambda: server.asked)
        started = time.monotonic()
        assert ends(popen) == 0 and time.monotonic() - started < 3


WRITES = {"x86_64": ("1", "20")}.get(os.uname().machine, ("64", "66"))
"""The numbers of the calls write(2) and writev(2)."""


def test_watching_ends_while_nobody_reads(server, tmp_path):
    """A pager that shows its first page."""
    server.body = STATUS | {"objects": OBJECTS * 600}
    with watching(tmp_path) as popen:
        call = pathlib.Path(f"/proc/{popen.pid}/syscall")
        if not os.access(call, os.R_OK):
            pytest.skip("whether a process waits in write(2) needs the rights to trace it")
        assert wait_until(lambda: server.asked and call.read_text().split()[0] in WRITES), "the pipe is full"
        assert ends(popen) == 0


def test_watching_ends_when_the_reader_has_gone(server, tmp_path):
    del server
    with watching(tmp_path) as popen:
        popen.stdout.readline()
        popen.stdout.close()
        assert popen.wait(20) == 7


def test_watching_ends_when_the_reader_has_gone_though_nothing_is_shown(tmp_path):
    """As when kubectl exec is interrupted while no sidecar answers: what fails is said once, so nothing is written."""
    with watching(tmp_path) as popen:
        assert b"trying again" in popen.stderr.readline()
        popen.stdout.close()
        assert popen.wait(20) == 7


def test_watching_ends_while_nobody_reads_its_errors(tmp_path):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    with subprocess.Popen([BINARY, "status", "--watch"], env={"AKVSYNC_DIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=writer) as popen:
        try:
            call = pathlib.Path(f"/proc/{popen.pid}/syscall")
            if not os.access(call, os.R_OK):
                pytest.skip("whether a process waits in write(2) needs the rights to trace it")
            assert wait_until(lambda: call.read_text().split()[0] in WRITES), "the pipe is full"
            assert ends(popen) == 0
        finally:
            popen.kill()
            os.close(reader)
            os.close(writer)


def test_watching_clears_a_terminal(server, tmp_path):
    terminal = Terminal(tmp_path, "--watch", NO_COLOR="1")
    terminal.read_until(lambda shown: shown.count(b"\x1b[H\x1b[2J") >= 2 and shown.endswith(b"2h\n    notify (local) for 3m, 12 times: no process named 'nginx' found\n"))
    terminal.popen.send_signal(signal.SIGINT)
    assert terminal.end() == 0 and terminal.bytes.startswith(b"\x1b[H\x1b[2Jakvsync ")
    assert set(re.findall(r"\x1b\[\d*[A-Za-z]", terminal.text)) == {"\x1b[H", "\x1b[2J"}
    server.body = well()
    terminal = Terminal(tmp_path, "--watch", TERM="dumb")
    terminal.read_until(lambda shown: b"\n\nakvsync " in shown)
    terminal.popen.send_signal(signal.SIGTERM)
    assert terminal.end() == 0 and "\x1b" not in terminal.text


# The page


def fields(value, path=""):
    """Each field of a JSON value with its type: objects[].name."""
    for name, inner in value.items():
        here = f"{path}.{name}" if path else name
        yield here, kind_of(inner)
        if isinstance(inner, dict):
            yield from fields(inner, here)
        for item in inner if isinstance(inner, list) else ():
            yield from fields(item, f"{here}[]")


def kind_of(value):
    if isinstance(value, str):
        return "time" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) else "text"
    return {bool: "boolean", int: "number", float: "number", list: "list", dict: "object", type(None): "null"}[type(value)]


def check_fields(*answers):
    """The answers together have the fields of the page, and each is of a type that the page allows."""
    seen = set()
    for path, kind in (pair for answer in answers for pair in fields(answer)):
        seen.add(path)
        assert path in FIELDS, f"docs/status.md lacks {path}"
        assert kind in FIELDS[path].split(" or "), f"{path} is {kind}, docs/status.md: {FIELDS[path]}"
    assert set(FIELDS) == seen, set(FIELDS) - seen


def test_the_page_has_the_fields_of_the_answers_here():
    check_fields(STATUS, well())


# With the real sidecar


def real(world, true=bool):
    """The first answer of which this is true: the sidecar gives one again for a second."""
    answer = None

    def fits():
        nonlocal answer
        told = status(world.volume, "--output", "json")
        assert told.returncode in (0, 6), told.stderr
        answer = json.loads(told.stdout)
        return true(answer)

    assert wait_until(fits), answer
    return answer


def kinds(answer):
    return {entry["kind"] for entry in answer["failing"]}


def object_of(answer, name):
    return next(entry for entry in answer["objects"] if entry["object"] == name)


def broken(world, **more):
    """A sidecar of which much fails: an object, the vault, a target."""
    world.plant("db", "api")
    sidecar = world.sidecar("db,api", AKVSYNC_NOTIFY="signal=HUP,process=no-such-app-here", **more)
    sidecar.wait_log("ready")
    before = real(world, lambda answer: answer["ready"])
    world.plant("api")
    world.fake.revoke("get", name="db")
    sidecar.poll()
    sidecar.wait_log("failure", "403")
    sidecar.wait_log("notify-failed")
    return before, real(world, lambda answer: kinds(answer) == {"object", "notify"})


def test_real_sidecar_has_the_fields_of_the_page(world):
    check_fields(*broken(world))


def test_real_sidecar_says_which_object_is_stale(world):
    before, now = broken(world)
    assert before["failing"] == []
    assert [entry["state"] for entry in before["objects"]] == ["up-to-date"] * 2
    assert object_of(now, "db")["state"] == "stale" and object_of(now, "api")["state"] == "up-to-date"
    error = object_of(now, "db")["error"]
    assert (error["kind"], error["error"], error["count"]) == ("object", "permission", 1) and "403" in error["message"]
    assert object_of(now, "api")["version"] != object_of(before, "api")["version"]
    assert now["consecutiveFailures"] == 1 and now["lastSync"]["status"] == "partial"
    told = status(world.volume)
    assert told.returncode == 0 and re.search(r"^db +\w{8} +stale .*\n    object \(permission\) for \d+s, once: .*403", text(told), re.M), text(told)
    assert re.search(r"failing .*\n    notify \(local\) .*no-such-app-here", text(told)), text(told)


def test_real_sidecar_that_is_not_ready(world):
    world.plant("db")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False)
    sidecar.wait_log("failure", "503")
    real(world, lambda answer: answer["failing"])
    told = status(world.volume)
    assert told.returncode == 6 and re.search(r"^ready +no: .*503", text(told), re.M) and re.search("^db +- +missing ", text(told), re.M)
    assert re.search(r"^generation +none yet$", text(told), re.M)
    world.fake.clear_faults()
    sidecar.poll()
    assert wait_until(lambda: status(world.volume).returncode == 0)


def test_real_sidecar_says_the_same_over_its_port(world):
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f":{port}")
    code, headers, body = request(port, "/status")
    assert code == 200 and headers["Content-Type"].startswith("application/json")
    now = real(world, lambda answer: answer["ready"])
    moving = {"time", "nextPollAt"}
    assert {name: value for name, value in json.loads(body).items() if name not in moving} == {name: value for name, value in now.items() if name not in moving}


def test_real_sidecar_tells_no_value(world):
    """A value, a token or a digest of one: the assertion over all tests looks into the log, this one into the answer."""
    broken(world)
    shown = status(world.volume, "--output", "json").stdout.decode() + text(status(world.volume))
    assert not [marker for marker in world.fake.markers(values=True) if len(marker) >= 16 and marker[-40:] in shown]


def test_real_sidecar_with_a_thousand_objects(world):
    names = [f"s{number:04}" for number in range(1000)]
    for name in names:
        world.fake.set(name, f"planted-value-of-{name}")
    world.sidecar(",".join(names))
    assert len(real(world, lambda answer: answer["ready"])["objects"]) == 1000
    told = status(world.volume)
    assert told.returncode == 0 and len(re.findall(r"^s\d{4} +\w{8} +up-to-date ", text(told), re.M)) == 1000


def test_real_sidecar_answers_a_watch_and_a_probe_at_once(world):
    world.plant("db")
    world.sidecar("db")
    with watching(world.volume) as popen:
        assert popen.stdout.readline().startswith(b"akvsync ")
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(world.volume / "..sock"))
            assert status(world.volume).returncode == 0
        assert ends(popen) == 0
