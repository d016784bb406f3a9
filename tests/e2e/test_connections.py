"""The connections to the vault: HTTP/2 and HTTP/1.1, how many, for how long, and how long a request may take."""

import datetime
import os

import pytest
from conftest import SANITIZED, wait_until

from fakevault.client import Proxy
from fakevault.h2front import H2Front, available

ALWAYS = -1
NAMES = [f"s{i}" for i in range(10)]

needs_h2 = pytest.mark.skipif(not available(), reason="nghttpx (package nghttp2-proxy) is not installed")


def plant(world, names=NAMES):
    world.plant(*names)
    return ",".join(names)


def seconds_of(entry):
    """When a line of the log was written, by the sidecar's clock, however late it is read."""
    return datetime.datetime.fromisoformat(entry["ts"].replace("Z", "+00:00")).timestamp()


def poll(sidecar):
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)


@pytest.fixture
def h2(world):
    """A front that speaks HTTP/2: the variables for it, and a proxy between that can fail."""
    with H2Front(world.fake) as front, Proxy(front.port) as proxy:
        world.front, world.proxy = front, proxy
        yield {
            "AKVSYNC_VAULT": world.fake.url("shop-kv", proxy.port),
            "AZURE_AUTHORITY_HOST": f"https://login.localhost:{proxy.port}/",
        }


@needs_h2
def test_http2_takes_one_connection_for_all(world, h2):
    objects = plant(world)
    assert world.init(objects, **h2).code == 0
    # Vault and Entra are two hosts.
    assert world.proxy.stats()["connections"] == 2
    assert len(world.fake.journal(target="vault", authenticated=True)) == 10


@needs_h2
def test_http2_hundred_objects_at_once(world, h2):
    names = [f"s{i:03}" for i in range(100)]
    objects = plant(world, names)
    world.fake.fault({"hold": True}, target="vault", times=ALWAYS, authenticated=True)
    process = world.start("init", env=world.env(objects, **h2, AKVSYNC_REQUEST_TIMEOUT="2m", AKVSYNC_INIT_TIMEOUT="10m"))
    # All are under way before the first is answered.
    world.fake.wait_journal(100, timeout=60, target="vault", authenticated=True)
    assert not process.find("retry")
    world.fake.clear_faults()
    world.fake.close_connections()
    assert process.wait(90) == 0


@needs_h2
def test_http2_connection_that_dies_is_not_used_again(world, h2):
    """libcurl would multiplex onto it for ever; the poll heals over a new one."""
    a = world.plant("a")
    world.fake.fault({"delay_ms": 1500}, target="vault", times=ALWAYS, authenticated=True)
    sidecar = world.sidecar("a", wait=False, AKVSYNC_REQUEST_TIMEOUT="1s", **h2)
    sidecar.wait_log("retry", "no answer from 'shop-kv.*' within 1000 ms")
    world.proxy.blackhole(new="forward")
    world.fake.clear_faults()
    sidecar.wait_log("ready")
    assert world.files() == {"a": a}


# Time counts from when a request is sent: more are asked for at once than a connection takes.

QUICK = {"AKVSYNC_REQUEST_TIMEOUT": "3s"}
LATE = {"delay_ms": 600}
"""Each answer; so a hundred over ten connections take twice as long as one may."""


@needs_h2
def test_a_vault_that_falls_back_to_http1(world, h2):
    """The next poll asks for all objects at once, as over HTTP/2, and finds ten connections."""
    sidecar = world.sidecar(plant(world, [f"s{i:03}" for i in range(100)]), **h2, **QUICK)
    world.proxy.set(to_port=world.fake.port)
    world.fake.fault(LATE, target="vault", times=ALWAYS, authenticated=True)
    mark, since, opened = world.fake.mark(), sidecar.mark(), world.fake.connections()["opened"]
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert not sidecar.find("retry", since=since) and not sidecar.find("failure", since=since), sidecar.text
    assert len(world.fake.journal(since=mark, target="vault")) == 100, "none was asked for twice"
    assert 1 < world.fake.connections()["opened"] - opened <= 10


@needs_h2
@pytest.mark.parametrize("streams", [1, 3])
def test_a_vault_that_allows_few_streams(world, streams):
    names = [f"s{i:03}" for i in range(100)]
    objects = plant(world, names)
    world.fake.fault({"delay_ms": 1000}, target="vault", times=ALWAYS, authenticated=True)
    with H2Front(world.fake, streams=streams) as front:
        # With one stream a connection all of them take ten seconds; one alone takes some on a busy machine.
        env = {"AKVSYNC_VAULT": world.fake.url("shop-kv", front.port), "AKVSYNC_REQUEST_TIMEOUT": "6s"}
        process = world.init(objects, **env)
        assert process.code == 0, process.text
        assert not process.find("retry", "no answer"), process.text
        sidecar = world.sidecar(objects, **env)
        poll(sidecar)
        assert not sidecar.find("retry", "no answer") and not sidecar.find("failure")


@needs_h2
@pytest.mark.parametrize("front", ["one-stream", "http/1.1"])
def test_one_that_is_not_answered_does_not_stop_those_that_wait(world, front):
    """It times out from when it was sent, and the others are asked for once."""
    names = [f"s{i:02}" for i in range(40)]
    objects = plant(world, names)
    with H2Front(world.fake, streams=1 if front == "one-stream" else 100) as h2, Proxy(h2.port) as proxy:
        env = {"AKVSYNC_VAULT": world.fake.url("shop-kv", proxy.port)} | QUICK
        sidecar = world.sidecar(objects, **env)
        if front == "http/1.1":
            proxy.set(to_port=world.fake.port)
        world.fake.fault({"hold": True}, target="vault", times=1, authenticated=True, path="/secrets/s07")
        world.fake.fault({"delay_ms": 200}, target="vault", times=ALWAYS, authenticated=True)
        mark, since = world.fake.mark(), sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("unchanged", since=since)
        assert len(sidecar.find("retry", "no answer from", since=since)) == 1
        entries = world.fake.journal(since=mark, target="vault")
        held = next(e for e in entries if e["outcome"] == "held")
        again = [e for e in entries if e["path"] == held["path"]][1]
        assert 2.9 <= again["monotonic"] - held["monotonic"] <= 9
        # What its connection had kept back, that one takes along.
        assert len(entries) == 41 or front == "one-stream"


@needs_h2
def test_those_that_wait_for_a_vault_that_is_silent_are_told_of(world, h2):
    """Not ten after ten, each with a time-out of its own: one for those that were sent, which ends the waiting."""
    objects = plant(world, [f"s{i:03}" for i in range(100)])
    sidecar = world.sidecar(objects, **h2, **QUICK)
    world.proxy.set(to_port=world.fake.port)
    world.fake.fault({"hold": True}, target="vault", times=ALWAYS)
    since = sidecar.mark()
    sidecar.poll()
    assert wait_until(lambda: len(sidecar.find("retry", since=since)) >= 100), sidecar.text
    told = sidecar.find("retry", since=since)[:100]
    assert all("no answer from" in entry["msg"] for entry in told)
    assert seconds_of(told[-1]) - seconds_of(told[0]) < 3, "all of them with the first"
    failure = sidecar.wait_log("failure", "no answer from", since=since)
    assert seconds_of(failure) - seconds_of(told[0]) < 27, "not each with a time-out of its own"
    world.fake.clear_faults()
    sidecar.wait_log("recovered", since=since)


@needs_h2
def test_those_that_wait_for_connections_that_never_come(world, h2):
    """A hundred wait for the first few connections, until the time of each is over: several times in one poll."""
    sidecar = world.sidecar(plant(world, [f"s{i:03}" for i in range(100)]), **h2, **QUICK)
    world.proxy.set(new="blackhole")
    since = sidecar.mark()
    sidecar.poll()
    assert wait_until(lambda: len(sidecar.find("retry", "no answer from", since=since)) >= 300), sidecar.text
    sidecar.wait_log("failure", "no answer from", since=since, timeout=120)
    world.proxy.set(new="forward")
    sidecar.wait_log("recovered", since=since, timeout=120)


@needs_h2
def test_http2_black_hole_between_rounds(world, h2):
    """The connection is closed after each round, so nothing dead is there to be used."""
    a = world.plant("a")
    sidecar = world.sidecar("a", AKVSYNC_REQUEST_TIMEOUT="1s", **h2)
    world.proxy.blackhole(new="forward")
    poll(sidecar)
    assert world.files() == {"a": a}
    assert not sidecar.find("retry")


@pytest.mark.parametrize("front", ["http/1.1", pytest.param("h2", marks=needs_h2)])
def test_polls_up_to_a_minute_apart_make_no_handshake(world, front, request):
    """The first poll after an HTTP/2 start opens the connection that then stays, by resumption."""
    env = request.getfixturevalue("h2") if front == "h2" else {}
    sidecar = world.sidecar(plant(world), AKVSYNC_POLL_INTERVAL="60s", **env)
    poll(sidecar)
    mark, opened = world.fake.mark(), world.fake.connections()["opened"]
    through = world.proxy.stats()["connections"] if env else 0
    for _ in range(3):
        poll(sidecar)
    entries = world.fake.journal(since=mark)
    assert len(entries) == 30 and all(e["target"] == "vault" and e["authenticated"] for e in entries)
    if env:
        assert world.proxy.stats()["connections"] == through
    else:
        assert world.fake.connections()["opened"] == opened


def test_polls_further_apart_make_one_resumed_handshake(world):
    sidecar = world.sidecar(plant(world))
    world.fake.wait_connections(open=0)
    for _ in range(3):
        mark, opened = world.fake.mark(), world.fake.connections()["opened"]
        poll(sidecar)
        entries = world.fake.journal(since=mark)
        assert len(entries) == 10 and all(e["target"] == "vault" and e["authenticated"] for e in entries)
        assert world.fake.connections()["opened"] == opened + 1
        assert entries[0]["tls_resumed"]
        world.fake.wait_connections(open=0)


@needs_h2
def test_polls_further_apart_over_http2_make_one_handshake(world, h2):
    sidecar = world.sidecar(plant(world), **h2)
    for _ in range(3):
        mark, opened = world.fake.mark(), world.proxy.stats()["connections"]
        poll(sidecar)
        entries = world.fake.journal(since=mark)
        assert len(entries) == 10 and all(e["target"] == "vault" for e in entries)
        assert world.proxy.stats()["connections"] == opened + 1


@needs_h2
@pytest.mark.skipif(SANITIZED, reason="its allocator keeps what was freed, so it says nothing")
@pytest.mark.parametrize("interval", ["1h", "60s"], ids=["connections-closed", "connections-open"])
def test_no_value_stays_in_memory_after_http2(world, h2, interval):
    from test_idle import in_memory

    if os.geteuid():
        pytest.skip("reading another process's memory needs root")
    values = [*world.plant("a", "b"), "x" * 20000 + world.plant("unused")]
    world.fake.set("long", values[-1])
    sidecar = world.sidecar("a, b, long", AKVSYNC_POLL_INTERVAL=interval, **h2)
    poll(sidecar)
    values.append(world.plant("a"))
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    left = lambda: [v for v in values if in_memory(sidecar.pid, v[-24:])]  # noqa: E731
    assert wait_until(lambda: not left(), timeout=5), f"still in memory: {len(left())} of {len(values)} values"


def test_the_pool_of_http1_is_bounded(world):
    names = [f"s{i:02}" for i in range(40)]
    objects = plant(world, names)
    world.fake.fault({"delay_ms": 50}, target="vault", times=ALWAYS, authenticated=True)
    assert world.init(objects).code == 0
    entries = world.fake.journal(target="vault")
    assert len([e for e in entries if e["authenticated"]]) == 40
    assert len({e["connection"] for e in entries}) <= 10
    assert len([e for e in entries if not e["authenticated"]]) <= 5


def test_a_short_list_warms_one_connection(world):
    assert world.init(plant(world)).code == 0
    assert len(world.fake.journal(target="vault", bearer="none")) == 1
