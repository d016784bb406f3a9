"""What a probe is told while the first set is waited for, and after it."""

import os
import pathlib
import re
import subprocess

import pytest
from conftest import BINARY, wait_until
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


# Probes that wait


def waiting(world, *arguments, **env):
    """A probe that is under way."""
    # pylint: disable-next=consider-using-with
    return subprocess.Popen(
        [BINARY, "probe", "startup", *arguments], env={"AKVSYNC_DIR": str(world.volume)} | env, stderr=subprocess.PIPE, text=True
    )


def held(world, **more):
    """A sidecar whose vault does not answer before it is let go."""
    value = world.plant("db")
    fault = world.fake.fault({"hold": True}, target="vault", times=-1)
    sidecar = world.sidecar("db", wait=False, AKVSYNC_REQUEST_TIMEOUT="50s", **more)
    world.fake.wait_journal(1, target="vault")
    return sidecar, fault, value


def test_a_probe_waits_for_the_first_set(world):
    """Several at once, and more than the sidecar keeps waiting: each gets its answer."""
    world.fake.fault({"status": 503}, target="vault", times=-1)
    world.plant("db")
    sidecar = world.sidecar("db", wait=False)
    sidecar.wait_log("failure", "503")
    probes = [waiting(world, "--wait", "1m") for _ in range(3)]
    assert ask(world, "probe", "live").returncode == 0, "others are answered meanwhile"
    assert all(probe.poll() is None for probe in probes)
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("ready")
    for probe in probes:
        assert probe.wait(20) == 0 and probe.stderr.read() == ""
    assert ask(world, "probe", "startup", "--wait=1m").returncode == 0, "at once"


def test_a_probe_that_waits_in_vain_says_why(world):
    held(world)
    told = ask(world, "probe", "startup", "--wait", "1500ms")
    assert told.returncode == 6
    assert re.fullmatch(r"akvsync: waiting for vault 'shop-kv' for \d+ s, attempt 1: no answer yet\n", told.stderr)


def test_a_stop_does_not_wait_for_probes(world):
    sidecar, _, _ = held(world)
    probes = [waiting(world, "--wait", "50s") for _ in range(3)]
    assert wait_until(lambda: len(connections(sidecar.pid)) >= 3)
    wait_told(world, "^waiting", 20)
    code, _ = sidecar.stop()
    assert code == 143 and all(probe.poll() is not None or probe.wait(20) for probe in probes)
    for probe in probes:
        assert probe.wait(20) == 6 and "waiting for vault 'shop-kv'" in probe.stderr.read()


def connections(pid):
    """The descriptors of a process that are sockets connected to a path."""
    links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    lines = pathlib.Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]
    return [fields for fields in map(str.split, lines) if fields[5] == "03" and f"socket:[{fields[6]}]" in links]


def test_a_crowd_that_waits_leaves_places(world):
    """Those for whom there is no place to wait are answered at once."""
    sidecar, fault, _ = held(world)
    probes = [waiting(world, "--wait", "50s") for _ in range(8)]
    assert wait_until(lambda: sum(probe.poll() == 6 for probe in probes) == 4)
    assert ask(world, "probe", "live").returncode == 0
    world.fake.remove_fault(fault)
    world.fake.close_connections()
    sidecar.wait_log("ready")
    assert sorted(probe.wait(20) for probe in probes) == [0] * 4 + [6] * 4


def test_a_probe_waits_for_the_sidecar_itself(world):
    world.plant("db")
    probe = waiting(world, "--wait", "50s")
    world.sidecar("db")
    assert probe.wait(40) == 0
    told = ask(world, "probe", "startup", "--wait", "100ms", AKVSYNC_DIR=str(world.folder))
    assert told.returncode == 7 and "no sidecar answers" in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [["startup", "--wait"], ["startup", "--wait", "5"], ["startup", "--wait", "61s"], ["startup", "--wait="], ["startup", "--waits", "5s"],
     ["startup", "--wait=5s", "5s"], ["startup", "--wait", "5s", "x"], ["ready", "--wait", "5s"], ["startup", "5s"]],
)
def test_a_wait_that_makes_no_sense_is_refused(world, arguments):
    told = ask(world, "probe", *arguments)
    assert told.returncode == 2 and "--wait 5s" in told.stderr, told.stderr
