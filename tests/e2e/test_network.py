"""How the vault is reached: HTTP/2 and HTTP/1.1, what a poll costs, proxies, CAs, clouds, throttling."""

import contextlib
import os
import re
import socket
import threading
import time

import pytest
from conftest import SANITIZED, wait_until

from fakevault.client import ConnectProxy, Proxy
from fakevault.h2front import H2Front, available

ALWAYS = -1
NAMES = [f"s{i}" for i in range(10)]

needs_h2 = pytest.mark.skipif(not available(), reason="nghttpx (package nghttp2-proxy) is not installed")


def says(process):
    return process.find("exit")[-1]["msg"] if process.find("exit") else process.text


def plant(world, names=NAMES):
    world.plant(*names)
    return ",".join(names)


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


# Connections


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
    world.fake.fault({"delay_ms": 9000}, target="vault", times=ALWAYS, authenticated=True)
    process = world.init(objects, **h2, AKVSYNC_REQUEST_TIMEOUT="50s")
    assert process.code == 0
    times = [e["monotonic"] for e in world.fake.journal(target="vault", authenticated=True)]
    # All were under way before the first was answered.
    assert len(times) == 100 and max(times) - min(times) < 9


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
    world.fake.fault(LATE, target="vault", times=ALWAYS, authenticated=True)
    with H2Front(world.fake, streams=streams) as front:
        env = {"AKVSYNC_VAULT": world.fake.url("shop-kv", front.port)} | QUICK
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
    since, began = sidecar.mark(), time.monotonic()
    sidecar.poll()
    told = lambda: {entry["msg"] for entry in sidecar.find("retry", since=since)}  # noqa: E731
    assert wait_until(lambda: len(sidecar.find("retry", since=since)) >= 100, timeout=8), sidecar.text
    assert all("no answer from" in msg for msg in told())
    sidecar.wait_log("failure", "no answer from", since=since)
    assert time.monotonic() - began < 30
    world.fake.clear_faults()
    sidecar.wait_log("recovered", since=since)


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


# Throttling


def test_after_429_everybody_slows_down(world):
    """One object's refusal stops the others, too; then they come back one by one."""
    names = [f"s{i:02}" for i in range(10)]
    objects = plant(world, names)
    world.fake.fault({"status": 429, "retry_after_s": 2}, target="vault", times=3, after=1, authenticated=True)
    process = world.init(objects)
    assert process.code == 0
    entries = world.fake.journal(target="vault", authenticated=True)
    throttled = [e["monotonic"] for e in entries if e["status"] == 429]
    later = sorted(e["monotonic"] for e in entries if e["monotonic"] > throttled[-1] + 0.5)
    assert later[0] - throttled[-1] >= 1.95
    assert len(entries) == 13, "each object is asked for once more at most"


def test_a_vault_with_a_limit_is_synced_within_it(world):
    """60 objects, 20 requests a second: no error, and few requests for nothing."""
    names = [f"s{i:02}" for i in range(60)]
    objects = plant(world, names)
    world.fake.vault_settings(limit=20, limit_window_s=1)
    process = world.init(objects)
    assert process.code == 0
    entries = world.fake.journal(target="vault")
    refused = [e for e in entries if e["status"] == 429]
    assert 0 < len(refused) <= 30


@pytest.mark.parametrize("target", ["vault", "anonymous", "login"])
@pytest.mark.parametrize("status", [204, 301, 408, 409, 410, 421, 423, 425, 429, 499, 503])
def test_an_answer_that_passes_is_tried_again(world, target, status):
    """Within the round, whoever gives it, and no sooner than it asks for."""
    s = world.plant("s")
    match = {"target": "login"} if target == "login" else {"target": "vault", "authenticated": target == "vault"}
    world.fake.fault({"status": status, "empty": True, "retry_after_s": 1}, times=1, **match)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="20s")
    assert process.code == 0, process.text
    assert world.files() == {"s": s} and not process.find("failure")
    entries = world.fake.journal(target=match["target"])
    hit = next(e for e in entries if e["fault"])
    later = [e["monotonic"] for e in entries if e["monotonic"] > hit["monotonic"] and e["authenticated"] == hit["authenticated"]]
    if target != "anonymous":
        assert later and later[0] - hit["monotonic"] >= 0.95
    else:
        first = world.fake.journal(target="vault", authenticated=True)[0]
        assert first["monotonic"] - hit["monotonic"] >= 0.95, "the vault is left alone by all requests"


@pytest.mark.parametrize("header, value", [("Retry-After", "9" * 30), ("x-ms-retry-after-ms", "9" * 30)])
def test_a_delay_without_end_is_bounded(world, header, value):
    """As one that is a date in the far future: the round ends, and the vault is left alone for five minutes."""
    world.plant("s")
    world.fake.fault({"status": 503, "headers": {header: value}}, target="vault", times=1, authenticated=True)
    sidecar = world.sidecar("s", wait=False)
    assert 300_000 <= sidecar.wait_log("retry", "secret 's': 503")["in_ms"] <= 310_000
    sidecar.wait_log("failure", "secret 's': 503")
    assert len(world.fake.journal(target="vault", authenticated=True)) == 1


def test_an_object_near_its_end_is_polled_sooner(world):
    world.fake.set("s", "short-lived", exp=int(time.time()) + 8)
    world.sidecar("s", AKVSYNC_POLL_INTERVAL="24s")
    # The first poll comes after 12 to 36 s; near the end of an object, after 12 s, 20 % more or less.
    entries = world.fake.wait_journal(2, target="vault", authenticated=True, timeout=20)
    assert 9.5 <= entries[1]["monotonic"] - entries[0]["monotonic"] <= 17


def test_a_pinned_version_is_fetched_once(world):
    world.plant("s")
    version = world.fake.secret("s")["versions"][0]["id"]
    sidecar = world.sidecar(f"[{{objectName: s, objectVersion: {version}}}]")
    poll(sidecar)
    assert len(world.fake.journal(target="vault", authenticated=True)) == 1


# Proxies


@pytest.fixture
def real(world):
    """Azure's own names, on port 443, which only a proxy can reach here."""
    world.fake.vault_settings()
    return {"AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": ""}


def test_proxy(world, real):
    s = world.plant("s")
    with ConnectProxy(world.fake.port) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", **real)
        assert process.code == 0, process.text
        heads = proxy.heads()
    assert world.files() == {"s": s}
    assert {head["target"] for head in heads} == {"shop-kv.vault.azure.net:443", "login.microsoftonline.com:443"}
    assert_proxy_saw_nothing(world, heads)


def assert_proxy_saw_nothing(world, heads):
    text = "".join(head["text"] for head in heads)
    assert not re.search(r"^authorization:", text, re.M | re.I)
    for marker in world.fake.markers(values=True):
        assert marker[-40:] not in text


def test_proxy_with_authentication(world, real):
    world.plant("s")
    password = "pr0xy-" + os.urandom(8).hex()
    with ConnectProxy(world.fake.port, user=f"me:{password}") as proxy:
        url = f"http://me:{password}@127.0.0.1:{proxy.port}"
        sidecar = world.sidecar("s", HTTPS_PROXY=url, **real)
        shown = sidecar.find("start")[0]["settings"]["HTTPS_PROXY"]
        assert shown == f"http://(user)@127.0.0.1:{proxy.port}"
        assert password.encode() not in (sidecar.environ() or b"")
        sidecar.look()
        assert password not in world.said()
        assert all(head["status"] == 200 for head in proxy.heads()), "sent at once, not after a refusal"


def test_proxy_that_wants_a_password(world, real):
    world.plant("s")
    with ConnectProxy(world.fake.port, user="me:secret") as proxy:
        url = f"http://you:wr0ng-pass@127.0.0.1:{proxy.port}"
        process = world.init("s", HTTPS_PROXY=url, AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' refuses" in says(process)
    assert "with status 407; put user and password into HTTPS_PROXY" in says(process)
    assert "wr0ng-pass" not in world.said()


def test_proxy_that_refuses_the_vault(world, real):
    world.plant("s")
    with ConnectProxy(world.fake.port, refuse="shop-kv.vault.azure.net") as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert "refuses 'shop-kv.vault.azure.net' with status 403; have the proxy admit" in says(process)


@pytest.mark.parametrize("status, fix", [
    (302, "have the proxy admit the host, or name 'shop-kv.vault.azure.net' in NO_PROXY"),
    (403, "have the proxy admit the host"),
    (502, "the proxy cannot reach the host: does it resolve the name"),
    (503, "the proxy cannot reach the host"),
    (504, "the proxy cannot reach the host"),
])
def test_proxy_that_does_not_connect(world, real, status, fix):
    """Whatever it says, its own status is told, not taken for the vault's."""
    world.plant("s")
    with ConnectProxy(world.fake.port, refuse="shop-kv.vault.azure.net", status=status) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' refuses 'shop-kv.vault.azure.net' with status {status}" in says(process)
    assert fix in says(process) and "network policies" not in says(process)


@contextlib.contextmanager
def answers(text):
    """A port where each connection is told this, whatever it asks for."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as peer, contextlib.suppress(OSError):
                        peer.recv(4096)
                        peer.sendall(text.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("text, says_", [
    ("http://127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused; are host and port"),
    ("127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused"),
    ("http://me:pl4nted-pass@127.0.0.1:1", "cannot connect to the proxy '127.0.0.1:1': Connection refused"),
    ("http://127.0.0.77", "cannot connect to the proxy '127.0.0.77:80': Connection refused; HTTPS_PROXY names no port"),
    ("http://no-such-proxy.invalid:3128", "cannot resolve the proxy 'no-such-proxy.invalid:3128'"),
    ("http://127.0.0.1:{tls}", "the proxy '127.0.0.1:{tls}' does not answer as a proxy does"),
    ("https://127.0.0.1:{plain}", "TLS with the proxy '127.0.0.1:{plain}' failed"),
    ("http://127.0.0.1:{plain}", "the proxy '127.0.0.1:{plain}' refuses '"),
    ("http://127.0.0.1:{mail}", "the proxy '127.0.0.1:{mail}' does not answer as a proxy does"),
])
def test_proxy_that_is_none(world, real, text, says_):
    """The message blames it by host and port, never with its user, and does not send to the vault's network."""
    with answers("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as plain, answers("220 mail ready\r\n") as mail:
        ports = {"tls": world.fake.port, "plain": plain, "mail": mail}
        env = real | {"AKVSYNC_INIT_TIMEOUT": "4s", "AKVSYNC_REQUEST_TIMEOUT": "2s"}
        process = world.init("s", HTTPS_PROXY=text.format(**ports), **env)
    assert process.code == 6 and says_.format(**ports) in says(process), says(process)
    assert "network policies" not in says(process) and "pl4nted" not in world.said()


def test_proxy_that_opens_a_way_to_nowhere(world, real):
    """It says 200, and closes the connection: the message names it, since the host may be well."""
    with answers("HTTP/1.1 200 Connection established\r\n\r\n") as port:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{port}", AKVSYNC_INIT_TIMEOUT="3s", **real)
    assert process.code == 6
    assert "failed: " in says(process) and f"asked through the proxy '127.0.0.1:{port}'" in says(process), says(process)


@pytest.mark.parametrize("text", [
    "http://me:{raw}@127.0.0.1:{port}", "http://me:{encoded}@127.0.0.1:{port}", "me:{raw}@127.0.0.1:{port}",
    "HTTP://me:{raw}@127.0.0.1:{port}/\n", " http://me:{encoded}@127.0.0.1:{port} \n",
])
def test_proxy_by_each_spelling(world, real, text):
    """Also with '@' and '%' in the password, and with the line end of a file."""
    world.plant("s")
    raw = "p@ss:w%rd-" + os.urandom(6).hex()
    with ConnectProxy(world.fake.port, user=f"me:{raw}") as proxy:
        text = text.format(raw=raw, encoded=raw.replace("%", "%25").replace("@", "%40").replace(":", "%3a"), port=proxy.port)
        process = world.init("s", HTTPS_PROXY=text, **real)
        assert process.code == 0, process.text
        assert all(head["status"] == 200 for head in proxy.heads())
    assert raw not in world.said() and "ss:w" not in world.said()


def test_the_proxy_s_headers_are_not_the_vault_s(world, real):
    """Those of its answer to CONNECT: a delay in them would hold the vault for two minutes."""
    s = world.plant("s")
    world.fake.fault({"status": 503}, target="vault", times=2, authenticated=True)
    headers = ("Retry-After: 120", "retry-after-ms: 120000", "x-ms-request-id: 00000000-bad0-bad0-bad0-000000000000",
               'WWW-Authenticate: Bearer authorization="https://evil.example/t", resource="https://evil.example"')
    with ConnectProxy(world.fake.port, headers=headers) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", AKVSYNC_INIT_TIMEOUT="30s", **real)
    assert process.code == 0, process.text
    assert world.files() == {"s": s} and "bad0" not in process.text and "evil" not in process.text


@pytest.mark.parametrize("scheme", ["", "http://"])
@pytest.mark.parametrize("sign", "/?#")
def test_proxy_s_password_must_be_written_so_that_it_can_be_read(world, scheme, sign):
    """Otherwise its begin would pass for the proxy's name, and stand in messages."""
    process = world.init("s", HTTPS_PROXY=f"{scheme}me:s3cr3t-begin{sign}end@127.0.0.1:1")
    assert process.code == 3 and "written as %2F, %3F and %23" in says(process)
    assert "s3cr3t-begin" not in world.said()


def test_proxy_over_tls(world, real):
    """Its CA is added to the trusted ones."""
    world.plant("s")
    with ConnectProxy(world.fake.port, tls_dir=world.folder / "proxy") as proxy:
        env = real | {"https_proxy": f"https://proxy.localhost:{proxy.port}"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env)
        assert process.code == 6 and "TLS with the proxy 'proxy.localhost" in says(process)
        process = world.init("s", AKVSYNC_EXTRA_CA_FILE=str(world.folder / "proxy/ca.pem"), **env)
        assert process.code == 0, process.text


def test_no_proxy(world):
    """In lower case as well; hosts that are named are reached directly."""
    world.plant("s")
    env = {"https_proxy": "http://127.0.0.1:1", "no_proxy": "other.example,.localhost"}
    assert world.init("s", **env).code == 0


@pytest.mark.parametrize("no_proxy, spared", [
    ("*", True),
    (".localhost", True),
    ("localhost", True),
    ("*.localhost", True),
    (".LocalHost.", True),
    ("10.0.0.0/8;.localhost", True),
    ("[::1];vault.localhost;login.localhost", True),
    ("other.example\n.localhost\n", True),
    (".localhost:{port}", True),
    ("vault.localhost:{port}, login.localhost:{port}", True),
    ("*:{port}", True),
    (".localhost:443", False),
    ("calhost", False),
    ("127.0.0.0/8", False),
    ("*localhost", False),
    ("https://vault.localhost", False),
])
def test_no_proxy_decides(world, no_proxy, spared):
    """The proxy does not exist: what is not spared fails with its name."""
    world.plant("s")
    env = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": no_proxy.format(port=world.fake.port)}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="20s" if spared else "2s", **env)
    if spared:
        assert process.code == 0, process.text
    else:
        assert process.code == 6 and "cannot connect to the proxy '127.0.0.1:1'" in says(process)


def test_no_proxy_entries_that_name_nothing_are_told_of(world):
    world.plant("s")
    wrong = {
        "https://kv.vault.azure.net": "write the host alone", "*azure.net": "such as .vault.azure.net",
        "10.0.0.*": "10.0.0.0/8", "10.0.0.0/99": "10.0.0.0/8", "a|b": "commas between", "host:http": "not a port",
    }
    process = world.init("s", NO_PROXY=",".join(wrong) + ",.svc;10.0.0.0/8 [::1]:443,*.x.example,me:pl4nted@p.example")
    assert process.code == 0
    for entry, fix in wrong.items():
        assert process.find("advice", f"NO_PROXY: '{re.escape(entry)}' names no host: .*{fix}"), entry
    assert len(process.find("advice", "NO_PROXY")) == len(wrong) + 1 and "pl4nted" not in world.said()


def test_no_proxy_is_heeded_when_blame_is_laid(world):
    env = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "*.localhost"}
    process = world.init("s", AKVSYNC_VAULT="https://shop-kv.vault.localhost:1", AKVSYNC_INIT_TIMEOUT="2s", **env)
    assert process.code == 6 and "cannot connect to 'shop-kv.vault.localhost:1'" in says(process)
    assert "NO_PROXY names it, so the proxy '127.0.0.1:1' is not used" in says(process)


def test_proxy_that_hangs(world, real):
    with Proxy(world.fake.port) as proxy:
        proxy.blackhole()
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6
    assert f"the proxy '127.0.0.1:{proxy.port}' did not answer for" in says(process)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_vault_that_hangs_in_tls_behind_a_proxy(world, real, scheme):
    """The proxy did its part, so the message does not say that it did not answer."""
    with Proxy(world.fake.port) as hole:
        hole.blackhole()
        tls_dir = world.folder / "proxy" if scheme == "https" else None
        with ConnectProxy(hole.port, tls_dir=tls_dir) as proxy:
            env = {"HTTPS_PROXY": f"{scheme}://proxy.localhost:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
            if tls_dir:
                env["AKVSYNC_EXTRA_CA_FILE"] = str(tls_dir / "ca.pem")
            process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6
    assert re.search(r"no answer from '[a-z.-]+' within 1000 ms; it was asked through the proxy 'proxy.localhost:", says(process))


def test_vault_that_hangs_behind_a_proxy(world, real):
    world.plant("s")
    world.fake.fault({"hold": True}, target="vault", times=ALWAYS)
    with ConnectProxy(world.fake.port) as proxy:
        env = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "AKVSYNC_REQUEST_TIMEOUT": "1s"}
        process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s", **env, **real)
    assert process.code == 6 and "no answer from 'shop-kv.vault.azure.net' within" in says(process)


def test_variables_of_other_programs_are_not_used(world):
    world.plant("s")
    assert world.init("s", ALL_PROXY="http://127.0.0.1:1", http_proxy="http://127.0.0.1:1").code == 0


def test_tls_keys_are_not_logged(world):
    """libcurl would write them to a file that a variable names; then whoever sees the traffic reads it."""
    world.plant("s")
    keys = world.folder / "keys"
    assert world.init("s", SSLKEYLOGFILE=str(keys)).code == 0
    assert not keys.exists()


# Clouds


CLOUDS = {
    "public": ("vault.azure.net", "login.microsoftonline.com"),
    "usgov": ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
    "china": ("vault.azure.cn", "login.partner.microsoftonline.cn"),
}


def sync_through_proxy(world, **env):
    """The hosts that were asked, and the scope."""
    with ConnectProxy(world.fake.port) as proxy:
        process = world.init("s", HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", **env)
        assert process.code == 0, process.text
        hosts = {head["target"].removesuffix(":443") for head in proxy.heads()}
    return hosts, world.fake.journal(target="login")[0]["login"]["scope"]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("named_by", ["cloud", "authority", "vault"])
def test_clouds(world, cloud, named_by):
    suffix, authority = CLOUDS[cloud]
    world.plant("s")
    env = {
        "cloud": {"AKVSYNC_CLOUD": cloud, "AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": ""},
        "authority": {"AKVSYNC_VAULT": "shop-kv", "AZURE_AUTHORITY_HOST": f"https://{authority}/"},
        "vault": {"AKVSYNC_VAULT": f"https://shop-kv.{suffix}/", "AZURE_AUTHORITY_HOST": ""},
    }[named_by]
    hosts, scope = sync_through_proxy(world, **env)
    assert hosts == {f"shop-kv.{suffix}", authority}
    assert scope == f"https://{suffix}/.default"


def test_another_cloud_by_its_urls(world):
    world.plant("s")
    hosts, scope = sync_through_proxy(
        world, AKVSYNC_VAULT="https://shop-kv.vault.sovcloud-api.fr", AZURE_AUTHORITY_HOST="https://login.sovcloud-identity.fr"
    )
    assert hosts == {"shop-kv.vault.sovcloud-api.fr", "login.sovcloud-identity.fr"}
    assert scope == "https://vault.sovcloud-api.fr/.default"


# Trust


def test_extra_ca_is_added_to_the_system_s(world):
    world.plant("s")
    system = "/etc/ssl/certs/ca-certificates.crt"
    assert world.init("s", SSL_CERT_FILE=system, AKVSYNC_EXTRA_CA_FILE=str(world.fake.ca)).code == 0


@pytest.mark.parametrize("variable", ["AKVSYNC_EXTRA_CA_FILE", "SSL_CERT_FILE"])
def test_an_intermediate_is_enough_to_trust(world, variable):
    """A company may give only the certificate that issued the server's; the root is not there."""
    s = world.plant("s")
    env = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", variable: str(world.fake.intermediate)}
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="5s", AKVSYNC_REQUEST_TIMEOUT="5s", **env)
    assert process.code == 0, process.text
    assert world.files() == {"s": s}


@pytest.mark.parametrize("variable", ["AKVSYNC_EXTRA_CA_FILE", "SSL_CERT_FILE"])
def test_ca_file_is_read_anew_when_it_changes(world, variable):
    """A broken one changes nothing; a good one is used at once."""
    world.plant("s")
    system = open("/etc/ssl/certs/ca-certificates.crt", encoding="ascii").read()
    path = world.folder / "extra.pem"
    path.write_text(system[: system.index("-----END") + 26])
    env = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt", variable: str(path)}
    sidecar = world.sidecar("s", wait=False, **env)
    sidecar.wait_log("failure", "TLS with .*local issuer.*AKVSYNC_EXTRA_CA_FILE")
    since = sidecar.mark()
    path.write_text("nonsense")
    sidecar.wait_log("trust", "cannot read trusted certificates.*stay in use", since)
    fresh = world.folder / "fresh.pem"
    fresh.write_text(world.fake.ca.read_text())
    os.rename(fresh, path)
    sidecar.wait_log("trust", "read the trusted certificates anew", since)
    sidecar.wait_log("ready")


def test_what_old_certificates_vouched_for_is_forgotten(world):
    """Open connections and TLS sessions, also when a token was being renewed meanwhile."""
    world.plant("s")
    path = world.folder / "extra.pem"
    path.write_text(world.fake.ca.read_text())
    world.fake.token_policy(refresh_in=1)
    sidecar = world.sidecar("s", AKVSYNC_POLL_INTERVAL="60s", AKVSYNC_EXTRA_CA_FILE=str(path))
    world.fake.fault({"delay_ms": 2000}, target="login", times=1)
    time.sleep(1.1)  # the token's time to be renewed
    poll(sidecar)
    since = sidecar.mark()
    path.write_text(world.fake.ca.read_text() + "\n")
    sidecar.wait_log("trust", "read the trusted certificates anew", since)
    world.fake.wait_journal(2, target="login")
    world.fake.wait_connections(open=0)
    mark = world.fake.mark()
    poll(sidecar)
    assert not world.fake.journal(since=mark, target="vault")[0]["tls_resumed"]


# Where the token goes


def test_unverified_challenge_is_possible_and_warned_of(world):
    """For test vaults whose challenge does not fit their name."""
    world.plant("s")
    challenge = {"status": 401, "www_authenticate": 'Bearer authorization="{authority}/{tenant}", '
                 'resource="https://vault.azure.net"'}
    world.fake.fault(challenge, target="vault", times=1)
    process = world.init("s", AKVSYNC_VERIFY_CHALLENGE="false")
    assert process.code == 0, "the vault's own challenge comes next"
    assert process.find("advice", "AKVSYNC_VERIFY_CHALLENGE=false")
    assert "https://vault.azure.net/.default" in [e["login"]["scope"] for e in world.fake.journal(target="login")]


@pytest.mark.parametrize("location", ["https://other-kv.vault.localhost", "http://shop-kv.vault.localhost"])
def test_redirects_get_no_token(world, location):
    world.fake.vault_settings("other-kv")
    world.plant("s")
    world.fake.fault(
        {"status": 307, "location": f"{location}:{world.fake.port}/secrets/s?api-version=7.4"},
        target="vault", vault="shop-kv", times=ALWAYS, authenticated=True,
    )
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code != 0 and "redirects are not followed" in says(process)
    assert not world.fake.journal(vault="other-kv")


def test_entra_s_redirect_gets_no_assertion(world):
    world.plant("s")
    world.fake.fault(
        {"status": 307, "location": f"https://other-kv.vault.localhost:{world.fake.port}/stolen"},
        target="login", times=ALWAYS,
    )
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 6 and "redirects are not followed" in says(process)
    assert not world.fake.journal(path="*stolen*")


def test_challenge_of_another_authority_gets_no_assertion(world):
    """Only its resource is heeded; the authority stays the configured one."""
    s = world.plant("s")
    world.fake.fault(
        {"status": 401, "www_authenticate": 'Bearer authorization="https://other-kv.vault.localhost/{tenant}", '
         'resource="{resource}"'},
        target="vault", times=1,
    )
    assert world.init("s").code == 0
    assert world.files() == {"s": s}
    assert {e["target"] for e in world.fake.journal()} == {"login", "vault"}
    assert not world.fake.journal(vault="other-kv")


# Managed HSM


def test_managed_hsm_holds_keys(world):
    """Its tokens are of its own domain; a vault's would be refused."""
    world.fake.set_key("signing", {"kty": "EC", "crv": "P-256", "x": "3M83D8IV6qGbFQP8rVw8o8hm4n0UEwkdUMKA1ezQA0M",
                                   "y": "CqqxAzD6UUGyFgL5M4Vh0UP6Stx2hKs6C7WFKpT0Hlc"})
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init("key/signing", AKVSYNC_VAULT=hsm)
    assert process.code == 0, process.text
    scope = world.fake.journal(target="login")[0]["login"]["scope"]
    assert scope == "https://managedhsm.localhost/.default"
    assert "BEGIN PUBLIC KEY" in "".join(world.files().values())


def test_managed_hsm_and_vault_side_by_side(world):
    """Two resources, so two tokens, each sent to its own host only."""
    world.fake.set_key("signing", {"kty": "EC", "crv": "P-256", "x": "3M83D8IV6qGbFQP8rVw8o8hm4n0UEwkdUMKA1ezQA0M",
                                   "y": "CqqxAzD6UUGyFgL5M4Vh0UP6Stx2hKs6C7WFKpT0Hlc"})
    world.plant("s")
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init(f"[{{objectName: s}}, {{objectName: signing, objectType: key, vault: '{hsm}'}}]")
    assert process.code == 0, process.text
    assert len(world.fake.journal(target="login", status=200)) == 2
    assert {e["bearer"] for e in world.fake.journal(target="vault")} == {"none", "ok"}


def test_managed_hsm_holds_no_secrets(world):
    hsm = f"https://shop-kv.managedhsm.localhost:{world.fake.port}"
    process = world.init("s", AKVSYNC_VAULT=hsm)
    assert process.code == 3
    assert "is a Managed HSM, which holds keys only; write key/NAME" in says(process)
    assert not world.fake.journal()
