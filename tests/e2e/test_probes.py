"""What a probe is told while the first set is waited for, and after it."""

import re

import pytest
from conftest import wait_until
from test_health import ask


def startup(world):
    """The one line that a kubelet shows; "" for a yes."""
    told = ask(world, "probe", "startup")
    assert told.returncode in (0, 6) and told.stdout == "", told
    return told.stderr.removeprefix("akvsync: ").rstrip("\n")


def wait_told(world, pattern, timeout):
    """Until a probe is told this; in the end what it was told."""
    says = ""

    def told():
        nonlocal says
        says = startup(world)
        return re.search(pattern, says)

    assert wait_until(told, timeout), says
    return says


def test_a_round_under_way_tells_each_new_cause(world):
    """Its request was answered 503, then not at all, then 403: all of that in the first round."""
    world.plant("db")
    fault = world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False, AKVSYNC_REQUEST_TIMEOUT="4s")
    sidecar.wait_log("retry", "503")
    assert "503" in startup(world) and not sidecar.find("failure")
    world.fake.fault({"hold": True}, target="vault", times=-1)
    world.fake.remove_fault(fault)
    told = wait_told(world, r"^waiting for vault 'shop-kv' for \d+ s, attempt \d: .*503", 20)
    assert not sidecar.find("failure"), told
    sidecar.wait_log("retry", "no answer")
    told = startup(world)
    assert re.search(r"no answer from '.*' within 4000 ms", told) and "503" not in told
    world.fake.revoke("get", name="db")
    world.fake.clear_faults()
    wait_told(world, "403", 20)


@pytest.mark.parametrize("target, what", [("login", "an access token"), ("vault", "vault 'shop-kv'")])
def test_a_probe_says_what_is_waited_for(world, target, what):
    world.plant("db")
    world.fake.fault({"hold": True}, target=target, times=-1)
    sidecar = world.sidecar("db", wait=False, AKVSYNC_REQUEST_TIMEOUT="50s")
    world.fake.wait_journal(1, target=target)
    wait_told(world, f"^waiting for {what} for \\d+ s, attempt 1: no answer yet$", 20)
    assert sidecar.stop()[0] == 143
    assert re.search(f"stopped before the first set was published: waiting for {what}", world.termination_log.read_text())


def test_an_earlier_round_s_failure_is_told_as_such(world):
    sidecar = world.sidecar("db", wait=False)
    sidecar.wait_log("failure", "404")
    assert startup(world).startswith("secret 'db': 404")
    world.fake.fault({"hold": True}, target="vault", times=-1)
    sidecar.poll()
    wait_told(world, "^waiting for vault 'shop-kv' for .*: no answer yet; before: secret 'db': 404", 20)


def test_a_failure_that_is_over_within_the_round_is_not_told(world):
    """No token was given for a while; then the vault does not answer."""
    world.plant("a")
    world.fake.fault({"status": 503}, target="login", times=2)
    world.fake.fault({"hold": True}, target="vault", authenticated=True, times=-1)
    sidecar = world.sidecar("a", wait=False, AKVSYNC_REQUEST_TIMEOUT="50s")
    sidecar.wait_log("retry", "AADSTS90033")
    assert "AADSTS90033" in startup(world)
    wait_told(world, "^waiting for vault 'shop-kv' for .*: no answer yet$", 20)


def test_a_stop_in_the_first_round_ends_with_its_cause(world):
    world.plant("db")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False)
    sidecar.wait_log("retry", "503")
    assert sidecar.stop()[0] == 6
    assert not sidecar.find("failure") and "503" in world.termination_log.read_text()
