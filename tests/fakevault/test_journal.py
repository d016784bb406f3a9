"""The journal and the connections: what tests see of what was asked, and how they wait for it."""

import json
import ssl
import threading
import time

import pytest

from .admin_client import AdminError
from .https import Caller, Connection
from .journal import fingerprint


def test_an_entry_says_all_but_secrets(fake, caller):
    fake.set("s", "the-value")
    caller.get(
        "/secrets/s",
        x_ms_client_request_id="abc",
        User_Agent="tester/1",
        Cookie="fpc=1",
    )
    login, entry = fake.journal()
    assert login["target"] == "login" and login["login"]["credential"] == "assertion"
    assert login["login"]["assertion"] == fingerprint(fake.assertion_file.read_text())
    assert login["login"]["token_id"] == entry["token_id"] == fake.tokens()[0]["id"]
    expected = {
        "target": "vault",
        "vault": "shop-kv",
        "method": "GET",
        "path": "/secrets/s",
        "api_version": "7.6",
        "bearer": "ok",
        "authenticated": True,
        "status": 200,
        "outcome": "answered",
        "fault": None,
        "client_request_id": "abc",
        "user_agent": "tester/1",
        "cookie": True,
        "tls_resumed": False,
    }
    assert {name: entry[name] for name in expected} == expected
    assert entry["tls_version"] in ("TLSv1.2", "TLSv1.3")
    assert abs(entry["wall"] - time.time()) < 60 and entry["seq"] == login["seq"] + 1
    text = json.dumps(fake.journal())
    assert not [marker for marker in fake.markers(values=True) if marker in text]


def test_filters(fake, caller):
    for name in ("a", "b", "db-1"):
        fake.set(name, "v")
        caller.get(f"/secrets/{name}")
    mark = fake.mark()
    caller.get("/secrets/missing")
    caller.get("/secrets/a", Authorization="")
    assert len(fake.journal(target="vault")) == 5
    assert len(fake.journal(status=404)) == 1
    assert len(fake.journal(path="/secrets/db-*")) == 1
    assert len(fake.journal(authenticated=False, target="vault")) == 1
    assert len(fake.journal(since=mark)) == 2
    with pytest.raises(AdminError):
        fake.journal(colour="red")
    fake.clear_journal()
    assert fake.journal() == [] and fake.mark() == mark + 2


def test_waiting_ends_with_the_event_or_the_deadline(fake, caller):
    fake.set("s", "v")
    caller.authenticate()
    timer = threading.Timer(0.2, caller.get, ["/secrets/s"])
    timer.start()
    start = time.monotonic()
    assert fake.wait_journal(status=200, target="vault", timeout=20)[0]["path"] == "/secrets/s"
    assert time.monotonic() - start < 10
    timer.join()
    with pytest.raises(AssertionError, match="1 of 2 entries"):
        fake.wait_journal(2, timeout=0.1, target="vault")


def test_connections_are_counted(fake):
    before = fake.connections()["opened"]
    first = Connection(fake, "shop-kv.vault.localhost")
    second = Connection(fake, "shop-kv.vault.localhost", "::1")
    for connection in (first, second, first):
        connection.ask("GET", "/secrets/s")
    ids = [entry["connection"] for entry in fake.journal()]
    assert ids[0] == ids[2] != ids[1]
    fake.wait_connections(opened=before + 2, open=2)
    first.close()
    reply = fake.wait_connections(opened=before + 2, open=1)
    requests = {record["id"]: record["requests"] for record in reply["connections"]}
    assert (requests[ids[0]], requests[ids[1]]) == (2, 1)
    second.close()
    fake.wait_connections(open=0)


@pytest.mark.parametrize("reset", [False, True])
def test_connections_can_be_ended(fake, reset):
    connection = Connection(fake, "shop-kv.vault.localhost")
    connection.ask("GET", "/secrets/s")
    assert fake.close_connections(reset) >= 1
    fake.wait_connections(open=0)
    with pytest.raises((ConnectionResetError, BrokenPipeError, ssl.SSLError) if reset else OSError):
        connection.ask("GET", "/secrets/s")


def test_tls_resumption_is_seen(fake):
    first = Connection(fake, "shop-kv.vault.localhost")
    first.ask("GET", "/secrets/s")
    second = Connection(fake, "shop-kv.vault.localhost", session=first.sock.session)
    second.tls = first.tls
    second.ask("GET", "/secrets/s")
    assert [entry["tls_resumed"] for entry in fake.journal()] == [False, True]
    first.close()
    second.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(fake):
    connection = Connection(fake, "shop-kv.vault.localhost")
    connection.tls.minimum_version = ssl.TLSVersion.TLSv1
    connection.tls.set_ciphers("ALL:@SECLEVEL=0")
    connection.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        connection.ask("GET", "/secrets/s")


def test_markers_hold_every_credential_and_value(fake):
    caller = Caller(fake)
    fake.set("s", "first-value")
    fake.rotate("s", "second-value")
    old = fake.assertion_file.read_text()
    token = caller.authenticate()
    fake.write_assertion()
    assert {old, token, fake.assertion_file.read_text()} <= set(fake.markers())
    assert {"first-value", "second-value"} <= set(fake.markers(values=True))
