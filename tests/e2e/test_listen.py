"""AKVSYNC_LISTEN: probes over plain HTTP."""

import contextlib
import http.client
import os
import pathlib
import socket
import sys
import time

import pytest
from conftest import SANITIZED, wait_until
from test_health import ask, listening_ports

IPV4, IPV6 = "127.0.0.1", "::1"


def free_port(host=IPV4):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.bind((host, 0))
        return sock.getsockname()[1]


def has_ipv6():
    try:
        return free_port(IPV6) > 0
    except OSError:
        return False


def request(port, path, method="GET", host=IPV4, timeout=30):
    """Status, headers and text."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def status(port, path, **more):
    return request(port, path, **more)[0]


def test_says_what_the_probes_say(world):
    port = free_port()
    world.plant("db")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False, AKVSYNC_LISTEN=f":{port}")
    sidecar.wait_log("failure")
    for path, question in (("/startupz", "startup"), ("/readyz", "ready")):
        code, headers, text = request(port, path)
        assert code == 503 and headers["Content-Type"] == "text/plain"
        assert f"akvsync: {text}" == ask(world, "probe", question).stderr
    assert request(port, "/healthz")[::2] == (200, "ok\n")
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("ready")
    for path in ("/startupz", "/readyz", "/healthz", "/readyz?verbose"):
        assert request(port, path)[::2] == (200, "ok\n")


def test_serves_nothing_else(world):
    port = free_port()
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_LISTEN=f"127.0.0.1:{port}")
    for path in ("//", "/startup", "/ready", "/live", "/refresh", "/metrics/", "/status.json", "/startupz/", "/../startupz"):
        code, _, text = request(port, path)
        assert code == 404 and all(known in text for known in ("/startupz", "/readyz", "/healthz")), path
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        code, headers, _ = request(port, "/healthz", method)
        assert (code, headers["Allow"]) == (405, "GET, HEAD"), method
    code, headers, text = request(port, "/healthz", "HEAD")
    assert (code, headers["Content-Length"], text) == (200, "3", "")
    assert status(port, "/refresh", method="POST") == 405
    assert not sidecar.find("poll-requested")


@pytest.mark.parametrize(
    "address, reached, not_reached",
    [(":{}", [IPV4, IPV6], []), ("127.0.0.1:{}", [IPV4], [IPV6]), ("localhost:{}", [IPV4], []), ("[::1]:{}", [IPV6], [IPV4]),
     ("0.0.0.0:{}", [IPV4], [IPV6]), ("[::]:{}", [IPV4, IPV6], []),
     ("[::ffff:127.0.0.1]:{}", [IPV4], [IPV6])],
)
def test_addresses(world, address, reached, not_reached):
    if IPV6 in reached + not_reached and not has_ipv6():
        pytest.skip("there is no IPv6 here")
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=address.format(port))
    for host in reached:
        assert status(port, "/readyz", host=host) == 200
    for host in not_reached:
        with pytest.raises(ConnectionRefusedError):
            status(port, "/readyz", host=host)


@pytest.mark.parametrize("address, works", [(":{}", True), ("127.0.0.1:{}", True), ("[::1]:{}", False)])
def test_a_kernel_without_ipv6(world, address, works):
    port = free_port()
    world.plant("db")
    wrapper = (sys.executable, pathlib.Path(__file__).with_name("noipv6.py"))
    sidecar = world.sidecar("db", wrapper=wrapper, AKVSYNC_LISTEN=address.format(port))
    told = sidecar.find("advice", "AKVSYNC_LISTEN")
    if works:
        assert not told and status(port, "/readyz") == 200
    else:
        assert "there is no IPv6 here: write only :PORT" in told[0]["msg"]


@pytest.mark.parametrize("value", ["8087", ":0", "pod.example:8087"])
@pytest.mark.parametrize("command", ["init", "sidecar", "check"])
def test_what_is_no_address_is_refused(world, command, value):
    process = world.start(command, env=world.env("db", AKVSYNC_LISTEN=value))
    assert process.wait() == 3
    if command == "check":
        process.garbage.clear()
    else:
        told = process.find("exit", "AKVSYNC_LISTEN: '.*' is not an address with a port; write :8087", code=3)
        assert told and f"'{value}'" in told[0]["msg"]


def test_a_port_that_is_taken_stops_nothing(world):
    a = world.plant("a")
    with socket.create_server((IPV4, 0)) as taken:
        port = taken.getsockname()[1]
        sidecar = world.sidecar("a", AKVSYNC_LISTEN=f"127.0.0.1:{port}")
        told = sidecar.find("advice", "AKVSYNC_LISTEN")[0]
        assert told["level"] == "warn"
        for words in (f"cannot listen on '127.0.0.1:{port}'", "in use", "choose another one", "probes"):
            assert words in told["msg"]
        assert world.files() == {"a": a}
        assert ask(world, "probe", "ready").returncode == 0
    assert sidecar.stop()[0] == 0


def test_an_address_that_is_not_ours_stops_nothing(world):
    a = world.plant("a")
    sidecar = world.sidecar("a", AKVSYNC_LISTEN="192.0.2.1:8087")
    assert sidecar.find("advice", "no such address")
    assert world.files() == {"a": a}


def test_a_port_of_a_sidecar_that_was_killed_is_free(world):
    port = free_port()
    world.plant("a")
    first = world.sidecar("a", AKVSYNC_LISTEN=f":{port}")
    with socket.create_connection((IPV4, port)) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        while client.recv(100):
            pass  # the sidecar ends the connection, so that its side lingers
    with socket.create_connection((IPV4, port)):
        first.stop(9)
        second = world.sidecar("a", AKVSYNC_LISTEN=f":{port}")
        assert status(port, "/readyz") == 200 and not second.find("advice", "AKVSYNC_LISTEN")


def test_only_the_sidecar_listens(world):
    port = free_port()
    world.plant("a")
    process = world.init("a", AKVSYNC_LISTEN=f":{port}")
    assert process.code == 0 and not process.find("advice", "AKVSYNC_LISTEN")
    sidecar = world.sidecar("a", AKVSYNC_LISTEN=f":{port}")
    assert ask(world, "probe", "ready", AKVSYNC_LISTEN="nonsense").returncode == 0
    if not os.geteuid():
        assert len(listening_ports(sidecar.pid)) == 1
    told = ask(world, "check", **world.env("a", AKVSYNC_LISTEN=f":{port}"))
    assert told.returncode == 0 and f":{port}" in told.stdout


def test_a_change_needs_a_restart(world):
    from test_config import ConfigMap

    port = free_port()
    world.plant("a")
    config = ConfigMap(world.folder / "config", f"objects: a\nlisten: ':{port}'\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    assert status(port, "/readyz") == 200
    config.write(f"objects: a\nlisten: ':{free_port()}'\n")
    sidecar.wait_log("configuration-refused", "AKVSYNC_LISTEN has changed, which needs a restart")
    assert status(port, "/readyz") == 200


def test_one_address_does_not_take_all_places(world):
    """Of more silent connections of one address than are kept the first are ended; another address has its own place."""
    port = free_port()
    world.plant("db")
    world.sidecar("db", AKVSYNC_LISTEN=f"0.0.0.0:{port}")

    def closed(client):
        try:
            return client.recv(1, socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    with contextlib.ExitStack() as clients:
        def connect(host):
            return clients.enter_context(socket.create_connection((IPV4, port), source_address=(host, 0)))

        def first_make_room():
            """Silent ones are ended in the end, too: all of this is over before."""
            kubelet, *crowd = [connect("127.0.0.2"), *(connect(IPV4) for _ in range(40))]
            ended = wait_until(lambda: closed(crowd[0])) and not closed(crowd[-1])
            kubelet.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            return ended and kubelet.recv(100).startswith(b"HTTP/1.1 200 ")

        assert wait_until(first_make_room)


def test_a_crowd_and_slow_senders_are_outlived(world):
    """Silent ones, and such as send a byte now and then for ever; garbage does no harm either."""
    port = free_port()
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_LISTEN=f":{port}")
    for garbage in (b"\0\xff" * 200, b"GET " + b"a" * 9000, b"POST /healthz HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"\x16\x03\x01\x02\x00"):
        with socket.create_connection((IPV4, port)) as client, contextlib.suppress(OSError):
            client.sendall(garbage)
    crowd = [socket.create_connection((IPV4, port)) for _ in range(40)]
    for client in crowd[:4]:
        client.sendall(b"GET /healthz HTTP/1.1\r\n")

    def gone(client):
        try:
            client.sendall(b"a")
            return client.recv(10, socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    started = time.monotonic()
    waiting = set(crowd[:4])

    def all_gone():
        time.sleep(0.2)
        waiting.difference_update([client for client in waiting if gone(client)])
        return not waiting

    def answered():
        with contextlib.suppress(OSError, http.client.HTTPException):
            return status(port, "/healthz", timeout=5) == 200
        return False

    assert wait_until(all_gone), f"{len(waiting)} are still served after {time.monotonic() - started} s"
    assert wait_until(answered)
    value = world.plant("db")
    sidecar.poll()
    world.wait_files({"db": value})
    for client in crowd:
        client.close()


PORT_KIB = 300


def memory_kib(pid):
    """Resident, and of that what the process has for itself alone and not from a file."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Rss"], sizes["Anonymous"]


def cost_of_the_port(world, names):
    """Of one pair of sidecars: what the one that listens needs more, once its documents are read."""
    port = free_port()
    sidecars = []
    for name, more in ("off", {}), ("on", {"AKVSYNC_LISTEN": f":{port}"}):
        folder = world.volume / f"{name}-{port}"
        folder.mkdir()
        sidecars.append(world.sidecar(",".join(names), wait=False, AKVSYNC_DIR=str(folder), **more))
        sidecars[-1].wait_log("ready")
        since = sidecars[-1].mark()
        sidecars[-1].poll()
        sidecars[-1].wait_log("unchanged", since=since)
    off, on = sidecars
    assert not listening_ports(off.pid) and len(listening_ports(on.pid)) == 1
    for _ in range(25):
        for path in ("/metrics", "/status", "/", "/readyz"):
            assert status(port, path) == 200

    def cost():
        return max(more - less for more, less in zip(memory_kib(on.pid), memory_kib(off.pid)))

    wait_until(lambda: cost() <= PORT_KIB, timeout=10)
    print(f"{len(names)} objects: {memory_kib(off.pid)} KiB without the port, {memory_kib(on.pid)} KiB with it")
    least = cost()
    for sidecar in sidecars:
        sidecar.stop()
    return least


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory grows")
@pytest.mark.skipif(os.geteuid() != 0, reason="others see nothing of a process that is not dumpable")
@pytest.mark.parametrize("count", [20, 600])
def test_what_the_port_costs(world, count):
    """Off: no port. On: 300 kB more at most, also after all documents were read; they are kept for a second.

    What is left of a heap after a sync depends on the order of the answers, so a pair may differ by more than that."""
    names = [f"s{number}" for number in range(count)]
    world.plant(*names)
    costs = []
    while min(costs, default=PORT_KIB + 1) > PORT_KIB:
        assert len(costs) < 4, costs
        costs.append(cost_of_the_port(world, names))
