"""probe and refresh: what a kubelet and an operator learn from a running sidecar."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

import probe_cost
import pytest
from conftest import BINARY, SANITIZED


def ask(world, *arguments, **env):
    return subprocess.run(
        [BINARY, *arguments],
        env={"AKVSYNC_DIR": str(world.volume)} | env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


NOBODY = "akvsync: no sidecar answers on '{}/..sock': {}; does 'akvsync sidecar' run with this AKVSYNC_DIR?\n"


def says(told):
    return told.returncode, told.stdout, told.stderr


def listening_ports(pid):
    """The sockets among a process's descriptors that listen on TCP."""
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening.add(f"socket:[{fields[9]}]")
    if os.geteuid():
        return set()  # of a process that is not dumpable only root may see the descriptors
    links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    return listening & links


def test_startup_waits_for_the_first_set_and_says_why(world):
    world.plant("db")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False)
    sidecar.wait_log("failure")
    for question in ("startup", "ready"):
        told = ask(world, "probe", question)
        assert told.returncode == 6 and told.stdout == ""
        assert re.fullmatch(r"akvsync: .*503.*\n", told.stderr), told.stderr
    assert says(ask(world, "probe", "live")) == (0, "", "")
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("ready")
    for question in ("startup", "ready", "live"):
        assert says(ask(world, "probe", question)) == (0, "", "")
    assert not listening_ports(sidecar.pid)


def test_stays_ready_while_the_vault_is_down(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure")
    code, out, err = says(ask(world, "probe", "ready"))
    assert (code, err) == (0, "")
    assert re.fullmatch(r"ok; but:\nvault 'shop-kv' has failed for \d+s: secret 'db': 503.*\n", out), out
    assert says(ask(world, "probe", "startup")) == (0, "", "")
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("recovered")
    assert says(ask(world, "probe", "ready")) == (0, "", "")


def test_a_restarted_sidecar_is_started_at_once(world):
    """Its predecessor was killed and left the set, and its socket, on the volume."""
    world.plant("db")
    first = world.sidecar("db")
    first.stop(signal.SIGKILL)
    assert (world.volume / "..sock").is_socket(), "left behind"
    world.fake.fault({"status": 503}, target="vault", times=-1)
    second = world.sidecar("db", wait=False)
    second.wait_log("failure")
    assert says(ask(world, "probe", "startup")) == (0, "", "")


def test_refresh_polls_now(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    value, since = world.plant("db"), sidecar.mark()
    assert says(ask(world, "refresh")) == (0, "", "")
    sidecar.wait_log("poll-requested", "refresh", since=since)
    world.wait_files({"db": value})


def test_many_refreshes_are_one_line_a_poll(world):
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_REQUEST_TIMEOUT="2m", AKVSYNC_INIT_TIMEOUT="10m")
    since, mark = sidecar.mark(), world.fake.mark()
    world.fake.fault({"hold": True}, target="vault", times=1)
    assert ask(world, "refresh").returncode == 0
    world.fake.wait_journal(1, timeout=40, since=mark, target="vault")
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(world.volume / "..sock"))
            client.sendall(b"POST /refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert b" 202 " in client.recv(100)
    assert not sidecar.find("unchanged", since=since), "all of them came while one poll was under way"
    world.fake.close_connections()
    sidecar.wait_log("unchanged", since=since)
    assert len(sidecar.find("poll-requested", since=since)) <= 2


def test_the_socket_is_its_owner_s_and_goes_with_the_sidecar(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    mode = (world.volume / "..sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    sidecar.stop()
    assert not (world.volume / "..sock").exists()
    assert says(ask(world, "probe", "live")) == (7, "", NOBODY.format(world.volume, "No such file or directory"))
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(world.volume / "..sock"))
    assert says(ask(world, "refresh")) == (7, "", NOBODY.format(world.volume, "Connection refused"))


def test_a_sidecar_that_hangs_is_said_to(world):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(world.volume / "..sock"))
        silent.listen()
        told = ask(world, "probe", "live")
    assert told.returncode == 7
    assert told.stderr == f"akvsync: no sidecar answers on '{world.volume}/..sock': no answer from 'sidecar' within 4000 ms\n"


REPLIES = {
    "nothing": (b"", "the reply of 'sidecar' is empty"),
    "half of a head": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "the reply of 'sidecar' is cut off"),
    "half of a body": (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok", "the reply of 'sidecar' is cut off"),
    "no length that is one": (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nok\n", "the reply of 'sidecar' is cut off"),
    "another protocol": (b"SSH-2.00 200 OK\r\n\r\n", "garbled reply from 'sidecar'"),
    "no status": (b"HTTP/1.1 OK\r\n\r\n", "garbled reply from 'sidecar'"),
    "a status too low": (b"HTTP/1.1 099 OK\r\n\r\n", "garbled reply from 'sidecar'"),
    "a NUL": (b"HTTP/1.1 \0\r\n\r\n", "garbled reply from 'sidecar'"),
    "too much": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000, "the reply of 'sidecar' is larger than 262144 bytes"),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, "the reply of 'sidecar' is larger than 262144 bytes"),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\nok\n", None),
    "an old protocol": (b"HTTP/1.0 200 OK\r\nContent-Length:3\r\n\r\nok\n", None),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", None),
}
"""And what is said of each; None: it is an answer."""


@pytest.mark.parametrize("name", REPLIES)
def test_what_is_no_answer_is_said_to_be_none(world, name):
    """Any process of this uid may listen at the socket."""
    reply, says = REPLIES[name]

    def answer():
        client, _ = server.accept()
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            for start in range(0, len(reply), 50_000):
                client.sendall(reply[start:start + 50_000])

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(world.volume / "..sock"))
        server.listen()
        thread = threading.Thread(target=answer)
        thread.start()
        told = ask(world, "probe", "live")
        thread.join()
    if says:
        assert (told.returncode, told.stderr) == (7, f"akvsync: no sidecar answers on '{world.volume}/..sock': {says}\n")
    else:
        assert (told.returncode, told.stderr) == (0, "")


def test_a_probe_waits_for_a_place_in_the_queue(world):
    """The kernel's, of connections that the sidecar has not accepted."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(world.volume / "..sock"))
        server.listen(0)
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(str(world.volume / "..sock"))
            assert ask(world, "probe", "live").stderr.endswith("no answer from 'sidecar' within 4000 ms\n")
            probe = subprocess.Popen([BINARY, "probe", "live"], env={"AKVSYNC_DIR": str(world.volume)})  # pylint: disable=consider-using-with
            server.accept()[0].close()
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\nok\n")
        assert probe.wait(30) == 0


def test_garbage_and_silence_on_the_socket_do_no_harm(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    clients = []
    for garbage in (b"\0\xff" * 200, b"GET " + b"a" * 9000, b"POST /refresh HTTP/1.1\r\nContent-Length: 99\r\n\r\n"):
        clients.append(socket.socket(socket.AF_UNIX))
        clients[-1].connect(str(world.volume / "..sock"))
        try:
            clients[-1].sendall(garbage)
        except BrokenPipeError:
            pass  # thrown out in the middle
    assert says(ask(world, "probe", "live")) == (0, "", "")
    assert not sidecar.find("poll-requested"), "half a request asks for nothing"
    value = world.plant("db")
    sidecar.poll()
    world.wait_files({"db": value})
    for client in clients:
        client.close()


def test_a_crowd_on_the_socket_is_outlived(world):
    """More than it serves at once: who came and left, and who stays and says nothing."""
    world.plant("db")
    world.sidecar("db")
    for leaves in (True, True, False):
        crowd = []
        for _ in range(40):
            crowd.append(socket.socket(socket.AF_UNIX))
            crowd[-1].connect(str(world.volume / "..sock"))
        if leaves:
            for client in crowd:
                client.close()
        assert says(ask(world, "probe", "live")) == (0, "", ""), leaves
        for client in crowd:
            client.close()


def test_a_crowd_that_takes_all_places_and_leaves_at_once(world):
    """The sidecar comes to see all of them go in one look; with more luck than is needed in one of several tries."""
    world.plant("db")
    sidecar = world.sidecar("db")
    for _ in range(5):
        os.kill(sidecar.pid, signal.SIGSTOP)
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for client in crowd:
            client.connect(str(world.volume / "..sock"))
        os.kill(sidecar.pid, signal.SIGCONT)
        time.sleep(0.01)
        os.kill(sidecar.pid, signal.SIGSTOP)
        for client in crowd:
            client.close()
        os.kill(sidecar.pid, signal.SIGCONT)
        assert says(ask(world, "probe", "live")) == (0, "", "")


def test_probe_validates_nothing_but_its_own_command_line(world):
    world.plant("db")
    world.sidecar("db")
    assert ask(world, "probe", "live", AKVSYNC_POLL_INTERVAL="nonsense", AKVSYNC_TYPO="1").returncode == 0
    for arguments in (["probe"], ["probe", "healthy"], ["probe", "live", "ready"], ["refresh", "now"]):
        assert ask(world, *arguments).returncode == 2
    told = ask(world, "probe", "live", AKVSYNC_DIR="/nonexistent")
    assert told.returncode == 7 and "/nonexistent" in told.stderr


def test_the_directory_may_stand_in_the_configuration_file(world, tmp_path):
    world.plant("db")
    file = tmp_path / "akvsync.yaml"
    file.write_text(f"dir: {world.volume}\n")
    world.sidecar("db", AKVSYNC_DIR=None, AKVSYNC_CONFIG=str(file))
    assert says(ask(world, "probe", "startup", AKVSYNC_DIR="", AKVSYNC_CONFIG=str(file))) == (0, "", "")
    assert ask(world, "probe", "live", AKVSYNC_CONFIG=str(tmp_path / "none.yaml")).returncode == 0


def test_a_deep_directory_and_a_proxy_are_no_obstacle(world):
    """A socket's address holds 107 bytes; a proxy has no place between us and a file."""
    world.plant("db")
    deep = world.volume / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    world.sidecar("db", wait=False, AKVSYNC_DIR=str(deep)).wait_log("ready")
    told = ask(world, "probe", "startup", AKVSYNC_DIR=str(deep), http_proxy="http://127.0.0.1:9", ALL_PROXY="http://127.0.0.1:9")
    assert says(told) == (0, "", "")
    shutil.rmtree(world.volume / ("d" * 100))


def test_syncs_without_the_socket_when_it_cannot_be_made(world):
    world.plant("db")
    (world.volume / "..sock").mkdir()
    sidecar = world.sidecar("db")
    assert sidecar.find("advice", "probe")
    assert set(world.files()) == {"db"}


def is_static(path):
    """Whether an ELF file names no interpreter."""
    data = pathlib.Path(path).read_bytes()
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return all(struct.unpack_from("<I", data, start + i * size)[0] != 3 for i in range(count))


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has costs of its own")
@pytest.mark.parametrize("question", ["startup", "ready", "live"])
def test_a_probe_costs_next_to_nothing(world, question):
    """5 ms of CPU and 4 MiB: the least of several runs, for the machine may be busy. Of the dynamic binary what it does,
    without the loading of its libraries."""
    probes, loads, peak = probe_cost.measure(BINARY, world.volume, question, 20)
    print(f"probe {question}: {probes[0]:.1f} ms of CPU, of which {loads[0]:.1f} ms to load; {peak} KiB")
    if is_static(BINARY):
        assert probes[0] <= 5 and peak <= 4096
    else:
        assert probes[0] - loads[0] <= 5
