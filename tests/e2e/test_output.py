"""Commands that print: what they show, and that whoever reads their exit code learns when it was lost."""

import re
import socket
import subprocess
import threading

import pytest
from conftest import BINARY, DEADLINE_S

GUID = "33333333-3333-3333-3333-333333333333"
LOCAL = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "db"}


@pytest.mark.parametrize("arguments", [["check"], ["check", "--output", "json"], ["help"], ["version"], ["check", "--help"]])
def test_output_that_cannot_be_written_exits_7(arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run([BINARY, *arguments], env=LOCAL, stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    assert run.returncode == 7, run.stderr


def test_check_needs_no_credentials():
    """Those of a pod are not on a laptop."""
    env = LOCAL | {"AKVSYNC_AUTH": "workload-identity"}
    run = subprocess.run([BINARY, "check"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0 and "The configuration is valid" in run.stdout, run.stderr


def test_help_has_each_exit_code():
    run = subprocess.run([BINARY, "help"], env={}, capture_output=True, text=True, timeout=30, check=False)
    codes = re.findall(r"^ +(\d+)  \w", run.stdout.split("Exit codes:")[1], re.M)
    assert codes == ["0", "2", "3", "4", "5", "6", "7", "8", "126", "127", "143"]


class Stranger(threading.Thread):
    """Who listens in the place of the sidecar, and says this."""

    def __init__(self, folder, body, status="503 Service Unavailable"):
        super().__init__(daemon=True)
        self.body, self.status = body, status
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(folder / "..sock"))
        self.socket.listen(1)
        self.start()

    def run(self):
        connection, _ = self.socket.accept()
        connection.recv(4096)
        head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + self.body)
        connection.close()


@pytest.mark.parametrize(
    "body, shown",
    [
        (b"not yet", "not yet"),
        (b"one\ntwo\n", "one"),
        (b"\x1b[31mred\x07\x7f\xff", "?[31mred???"),
        (b"", ""),
    ],
)
def test_what_answers_in_the_sidecar_s_place_is_shown_as_one_plain_line(tmp_path, body, shown):
    Stranger(tmp_path, body)
    run = subprocess.run(
        [BINARY, "probe", "ready"], env={"AKVSYNC_DIR": str(tmp_path)}, capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 6
    assert run.stderr.decode() == f"akvsync: {shown}\n"


@pytest.mark.parametrize(
    "body, shown", [(b"ok\n", ""), (b"", ""), (b"anything\n", ""), (b"ok; but:\na \x1b[31mred\n\xffb\n", "ok; but:\na ?[31mred\n?b\n")]
)
def test_what_is_said_with_a_yes_is_shown_as_plain_lines(tmp_path, body, shown):
    Stranger(tmp_path, body, "200 OK")
    run = subprocess.run(
        [BINARY, "probe", "ready"], env={"AKVSYNC_DIR": str(tmp_path)}, capture_output=True, timeout=30, check=False
    )
    assert (run.returncode, run.stdout.decode(), run.stderr) == (0, shown, b"")


@pytest.mark.parametrize("more", [[], ["--online"]])
def test_check_looks_at_whom_to_notify(more):
    """init and sidecar would not start."""
    identity = {"AZURE_CLIENT_ID": GUID, "AZURE_TENANT_ID": GUID, "AZURE_FEDERATED_TOKEN_FILE": "/nowhere"}
    env = LOCAL | identity | {"AKVSYNC_NOTIFY": "sing=HUP,process=app"}
    run = subprocess.run([BINARY, "check", *more], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 3 and "AKVSYNC_NOTIFY" in run.stderr, run.stderr


def test_check_online_ends_with_the_timeout_of_init(world):
    world.plant("db")
    world.fake.fault({"hold": True}, target="login", times=-1)
    env = world.env("db", AKVSYNC_INIT_TIMEOUT="2s", AKVSYNC_REQUEST_TIMEOUT="2s")
    run = subprocess.run([BINARY, "check", "--online"], env=env, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert run.returncode == 6 and "no answer" in run.stdout, run.stdout
    assert len(world.fake.journal(target="login")) < 3, "it is not tried again when the time is over"


def test_check_online_excuses_an_optional_object_that_is_not_there(world):
    world.plant("db")
    env = world.env("[{objectName: db}, {objectName: missing, optional: true}]")
    run = subprocess.run([BINARY, "check", "--online"], env=env, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert run.returncode == 0 and "absent" in run.stdout, run.stdout
