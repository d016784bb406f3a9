"""Scripted faults: which requests they hit, and what the client then sees on the wire."""

import email.utils
import http.client
import time

import pytest

from .admin_client import AdminError
from .https import Caller, Connection


@pytest.fixture
def connection(fake):
    fake.set("s", "v")
    connection = Connection(fake, "shop-kv.vault.localhost")
    connection.bearer = {"Authorization": f"Bearer {Caller(fake).authenticate()}"}
    yield connection
    connection.close()


def ask(connection):
    return connection.ask("GET", "/secrets/s?api-version=7.6", headers=connection.bearer)


def test_times_after_and_hits(fake, connection):
    rule = fake.fault({"status": 503}, times=2, after=1)
    assert [ask(connection).status for _ in range(5)] == [200, 503, 503, 200, 200]
    assert fake.fault_hits(rule) == 2
    assert [entry["fault"] for entry in fake.journal(target="vault")] == [None, rule, rule, None, None]


@pytest.mark.parametrize(
    "match, hit",
    [
        ({}, True),
        ({"target": "vault"}, True),
        ({"target": "login"}, False),
        ({"vault": "other-*"}, False),
        ({"method": "PUT"}, False),
        ({"path": "/secrets/*"}, True),
        ({"path": "/secrets/other"}, False),
        ({"authenticated": True}, True),
        ({"authenticated": False}, False),
        ({"authenticated": "any"}, True),
    ],
)
def test_matches(fake, connection, match, hit):
    fake.fault({"status": 500}, times=-1, **match)
    assert ask(connection).status == (500 if hit else 200)


def test_trailing_slash_does_not_matter_to_a_path(fake, connection):
    fake.fault({"status": 500}, path="/secrets/s")
    target = "/secrets/s/?api-version=7.6"
    assert connection.ask("GET", target, headers=connection.bearer).status == 500


def test_first_rule_that_strikes_decides_and_rules_can_go(fake, connection):
    fake.fault({"status": 500}, times=1)
    second = fake.fault({"status": 503}, times=-1, id="second")
    assert [ask(connection).status for _ in range(2)] == [500, 503]
    fake.remove_fault(second)
    assert ask(connection).status == 200
    fake.fault({"status": 500}, times=-1)
    fake.clear_faults()
    assert ask(connection).status == 200 and fake.faults() == []


@pytest.mark.parametrize(
    "rule", [{"action": {"stauts": 1}}, {"action": {}, "match": {"host": ""}}, {"action": {}, "hits": 1}, {}]
)
def test_a_mistake_in_a_rule_is_refused(fake, rule):
    with pytest.raises(AdminError) as error:
        fake.call("POST", "/faults", rule)
    assert error.value.status == 400


def test_usual_bodies(fake, connection):
    fake.fault({"status": 429})
    answer = ask(connection)
    assert answer.code == "Throttled" and "Retry-After" not in answer.headers
    fake.fault({"status": 503})
    assert ask(connection).code == "ServiceUnavailable"
    for status, code in ((429, 90055), (503, 90033)):
        fake.fault({"status": status}, target="login")
        answer = Caller(fake).login()
        assert (answer.status, answer.json["error_codes"]) == (status, [code])
    fake.fault({"aadsts": 700213}, target="login")
    assert Caller(fake).login().status == 401


def test_headers(fake, connection):
    fake.fault({"status": 429, "retry_after_s": 7, "headers": {"X-Odd": "1"}})
    answer = ask(connection)
    assert (answer.headers["Retry-After"], answer.headers["X-Odd"]) == ("7", "1")
    fake.fault({"status": 503, "retry_after_date_in_s": 60})
    at = email.utils.parsedate_to_datetime(ask(connection).headers["Retry-After"]).timestamp()
    assert 55 < at - time.time() < 65
    fake.fault({"status": 429, "retry_after_ms": 5, "x_ms_retry_after_ms": 6})
    answer = ask(connection)
    assert (answer.headers["retry-after-ms"], answer.headers["x-ms-retry-after-ms"]) == ("5", "6")


def test_content_type_alone_keeps_the_reply(fake, connection):
    fake.fault({"content_type": "text/html"})
    answer = ask(connection)
    assert answer.headers.get_all("Content-Type") == ["text/html"]
    assert answer.json["value"] == "v"


@pytest.mark.parametrize(
    "action, status, body",
    [
        ({"html": True}, 503, b"<!DOCTYPE html>"),
        ({"empty": True, "status": 401}, 401, b""),
        ({"garbage": True}, 200, b'{"value":"broken'),
        ({"body": "hello", "status": 502}, 502, b"hello"),
        ({"json": {"value": None}}, 200, b'{"value": null}'),
        ({"location": "https://elsewhere/"}, 302, b""),
        ({"status": 404, "chunked": True}, 404, b'{"error"'),
    ],
)
def test_bodies(fake, connection, action, status, body):
    fake.fault(action)
    answer = ask(connection)
    assert answer.status == status
    assert answer.body.startswith(body) and bool(answer.body) == bool(body)
    assert ask(connection).status == 200


def test_redirect_and_challenge(fake, connection):
    fake.fault({"location": "https://elsewhere/"})
    assert ask(connection).headers["Location"] == "https://elsewhere/"
    fake.fault({"www_authenticate": 'Bearer authorization_uri="{authority}/{tenant}" scope="{resource}/.default"'})
    answer = ask(connection)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization_uri="https://login.localhost:{fake.port}/{fake.tenant_id}"'
        f' scope="https://vault.localhost/.default"'
    )


def test_delay_and_slow_body(fake, connection):
    fake.fault({"delay_ms": 300})
    start = time.monotonic()
    assert ask(connection).json["value"] == "v"
    assert time.monotonic() - start >= 0.3
    fake.fault({"slow": {"chunk_bytes": 100, "interval_ms": 100}})
    start = time.monotonic()
    answer = ask(connection)
    assert answer.json["value"] == "v"
    assert time.monotonic() - start >= 0.1 * (len(answer.body) // 100)


def test_truncated_body(fake, connection):
    fake.fault({"truncate_after": 10})
    with pytest.raises(http.client.IncompleteRead) as error:
        ask(connection)
    assert len(error.value.partial) == 10
    assert fake.wait_journal(outcome="truncated")[0]["status"] == 200


# Python takes a reset for the end of the stream when some of a reply has come.
RESET = (ConnectionResetError, http.client.IncompleteRead)


@pytest.mark.parametrize("action", [{"reset": True}, {"reset_after": 10}, {"reset_after": 0}])
def test_resets(fake, connection, action):
    fake.fault(action)
    with pytest.raises(RESET):
        ask(connection)
    assert fake.wait_journal(outcome="reset")


def test_close_instead_of_a_reply(fake, connection):
    fake.fault({"close": True})
    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection)


def test_hold_until_the_client_goes(fake, connection):
    ask(connection)
    fake.fault({"hold": True})
    connection.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        ask(connection)
    assert fake.journal()[-1]["outcome"] == "held"
    connection.close()
    fake.wait_connections(open=0)


def test_oversize_body_ends_with_the_client(fake, connection):
    fake.fault({"oversize_mib": 2})
    assert len(ask(connection).body) == 2 * 1024 * 1024
    fake.fault({"oversize_mib": 100000})
    connection.request("GET", "/secrets/s?api-version=7.6", headers=connection.bearer)
    response = connection.getresponse()
    assert len(response.read(1024 * 1024)) == 1024 * 1024
    response.close()
    connection.close()
    assert fake.wait_journal(outcome="gone")


def test_a_replaced_reply_does_not_run_the_operation(fake, connection):
    fake.fault({"status": 500})
    fake.fault({"reset_after": 0})
    body = {"value": "w"}
    assert connection.ask("PUT", "/secrets/s?api-version=7.6", body, connection.bearer).status == 500
    assert len(fake.secret("s")["versions"]) == 1
    with pytest.raises(RESET):
        connection.ask("PUT", "/secrets/s?api-version=7.6", body, connection.bearer)
    assert len(fake.secret("s")["versions"]) == 2
