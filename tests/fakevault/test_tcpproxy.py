"""The TCP proxy, in front of an echo server."""

import socket
import threading
import time

import pytest

from .client import FakeVault, Proxy
from .https import Connection


@pytest.fixture(scope="module")
def echo_port():
    server = socket.create_server(("127.0.0.1", 0))

    def echo(peer):
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
        except ConnectionResetError:
            pass
        peer.close()

    def accept():
        while True:
            peer, _ = server.accept()
            threading.Thread(target=echo, args=[peer], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


@pytest.fixture
def proxy(echo_port):
    with Proxy(echo_port) as proxy:
        yield proxy


@pytest.fixture
def connect(proxy):
    opened = []

    def connect(address="127.0.0.1"):
        opened.append(socket.create_connection((address, proxy.port), 10))
        return opened[-1]

    yield connect
    for peer in opened:
        peer.close()


def echoes(peer, data=b"x"):
    peer.sendall(data)
    return peer.recv(len(data)) == data


def silent(peer):
    peer.settimeout(0.3)
    try:
        peer.sendall(b"x")
        return peer.recv(1) is None
    except TimeoutError:
        return True


def test_forwards_and_counts(proxy, connect):
    first, second = connect(), connect("::1")
    assert echoes(first, b"abc") and echoes(second)
    stats = proxy.stats()
    assert (stats["connections"], stats["open"]) == (2, 2)
    assert (stats["bytes_up"], stats["bytes_down"]) == (4, 4)
    first.shutdown(socket.SHUT_WR)
    assert first.recv(1) == b""


def test_latency_and_one_more_round_trip_for_a_new_connection(proxy, connect):
    proxy.set(rtt_ms=100)
    peer = connect()
    times = []
    # Of several, for the machine may be busy.
    while len(times) < 2 or (min(times[1:]) >= 0.19 and len(times) < 30):
        start = time.monotonic()
        assert echoes(peer)
        times.append(time.monotonic() - start)
    assert times[0] >= 0.2 and min(times[1:]) >= 0.1
    assert min(times[1:]) < 0.19, "no second extra round trip"


def test_black_hole_keeps_connections_open(proxy, connect):
    peer = connect()
    assert echoes(peer)
    proxy.blackhole()
    assert silent(peer)
    fresh = connect()
    assert silent(fresh)
    proxy.forward()
    assert silent(peer), "lost is lost"
    assert echoes(connect())


def test_black_hole_of_the_open_connections_only(proxy, connect):
    peer = connect()
    assert echoes(peer)
    proxy.blackhole(new="forward")
    assert silent(peer) and echoes(connect())


def test_refuse_and_come_back_on_the_same_port(proxy, connect):
    peer = connect()
    assert echoes(peer)
    for _ in range(2):
        proxy.refuse()
        for address in ("127.0.0.1", "::1"):
            with pytest.raises(ConnectionRefusedError):
                connect(address)
        assert echoes(peer), "open ones go on"
        proxy.forward()
        assert echoes(connect()) and echoes(connect("::1"))


def test_reset(proxy, connect):
    peers = [connect(), connect()]
    assert all(echoes(peer) for peer in peers)
    proxy.blackhole(new="forward")
    proxy.reset()
    for peer in peers:
        with pytest.raises(ConnectionResetError):
            peer.recv(1)


def test_unreachable_target_resets_the_client():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Proxy(port) as proxy:
        with pytest.raises(ConnectionResetError):  # already in connect(), when the proxy is quick
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as peer:
                peer.recv(1)


def test_mistakes_are_named(proxy):
    with pytest.raises(ValueError, match="new is one of"):
        proxy.set(new="sideways")
    with pytest.raises(ValueError, match="colour"):
        proxy.set(colour=1)
    assert proxy.stats()["new"] == "forward"


def test_in_front_of_the_fake(tmp_path):
    with FakeVault(tmp_path) as fake, Proxy(fake.port, rtt_ms=1) as proxy:
        connection = Connection(fake, "shop-kv.vault.localhost", port=proxy.port)
        answer = connection.ask("GET", "/secrets/s")
        assert 'resource="https://vault.localhost"' in answer.headers["WWW-Authenticate"]
