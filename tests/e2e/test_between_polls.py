"""What makes the sidecar poll before its time, and what does not.

Where a poll must come at once, the token endpoint has asked for a delay that no test waits for.
"""

import os
import socket

import pytest
from conftest import DEADLINE_S
from test_config import ConfigMap

LONG_S = 3600


def asked_for_a_token(world, since):
    return world.fake.wait_journal(1, target="login", status=200, since=since, timeout=DEADLINE_S)


def test_a_credential_that_is_replaced_is_tried_at_once(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    world.fake.fault({"aadsts": 700024, "retry_after_s": LONG_S}, target="login", times=1)
    world.fake.revoke_tokens()
    sidecar.poll()
    sidecar.wait_log("failure", "AADSTS700024")
    value, mark = world.plant("db"), world.fake.mark()
    world.fake.write_assertion("good")
    asked_for_a_token(world, mark)
    world.wait_files({"db": value})


def test_a_credential_that_is_replaced_is_no_news_while_all_is_well(world):
    """The kubelet replaces it every hour, in all pods of a node at once."""
    world.plant("db")
    sidecar = world.sidecar("db")
    since = sidecar.mark()
    world.fake.write_assertion("good")
    sidecar.poll()  # it looks at the file before it polls
    sidecar.wait_log("unchanged", since=since)
    assert [entry["msg"] for entry in sidecar.find("poll-requested", since=since)] == ["polling now: SIGHUP"]


def test_new_trusted_certificates_end_a_wait(world):
    world.plant("db")
    path = world.folder / "extra.pem"
    path.write_text(world.fake.ca.read_text())
    sidecar = world.sidecar("db", AKVSYNC_EXTRA_CA_FILE=str(path))
    world.fake.fault({"status": 503, "retry_after_s": LONG_S}, target="login", times=1)
    world.fake.revoke_tokens()
    sidecar.poll()
    sidecar.wait_log("failure", "AADSTS90033")
    value, mark = world.plant("db"), world.fake.mark()
    fresh = world.folder / "fresh.pem"
    fresh.write_text(world.fake.ca.read_text())
    os.rename(fresh, path)
    asked_for_a_token(world, mark)
    world.wait_files({"db": value})


def test_a_poll_that_is_asked_for_in_the_first_half_of_a_poll_tries_both_lists(world):
    """A poll tries the next list, then syncs the active one.  The new object is made while the first half is under way."""
    a = world.plant("a")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    mark = world.fake.mark()
    world.fake.fault({"status": 404, "delay_ms": 3000}, target="vault", path="/secrets/b", times=1)
    config.write("objects: a, b\n")
    world.fake.wait_journal(1, target="vault", path="/secrets/b", since=mark, timeout=DEADLINE_S)
    b = world.plant("b")
    sidecar.poll()
    sidecar.wait_log("poll-requested", "SIGHUP")
    world.wait_files({"a": a, "b": b})
    sidecar.wait_log("failure", "secret 'b': 404")  # it did not come in time for the first half


@pytest.mark.parametrize("request_line, status", [("POST /live", 405), ("POST /", 405), ("GET /refresh", 404), ("PUT /refresh", 405), ("GET /", 404)])
def test_only_refresh_polls(world, request_line, status):
    world.plant("db")
    sidecar = world.sidecar("db")
    since = sidecar.mark()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(world.volume / "..sock"))
        client.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
        assert f" {status} ".encode() in client.recv(100)
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert [entry["msg"] for entry in sidecar.find("poll-requested", since=since)] == ["polling now: SIGHUP"]
