"""What a probe is told while the first set is waited for, and after it."""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest
from app import App
from conftest import BINARY, wait_until
from test_config import ConfigMap
from test_health import ask
from test_listen import free_port, request
from test_sidecar import rotate


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
    assert re.search(r"no answer from '.*' within 4000 ms", told) and "503 S" not in told  # a port may hold 503
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


def test_what_an_operator_should_see_first_is_told_first(world):
    """Of what fails in the round under way; a missing object that is optional is no failure."""
    world.plant("a", "b")
    world.fake.fault({"status": 503}, target="vault", path="/secrets/a*", times=-1)
    world.fake.revoke("get", name="b")
    sidecar = world.sidecar("[{objectName: none, optional: true}, {objectName: a}, {objectName: b}]", wait=False)
    sidecar.wait_log("retry", "503")
    wait_told(world, "^secret 'b': 403", 20)
    assert not sidecar.find("failure"), "it is told before the round ends"


def test_a_missing_optional_object_is_no_failure(world):
    world.plant("a")
    world.fake.fault({"hold": True}, target="vault", path="/secrets/a*", times=-1)
    sidecar = world.sidecar("[{objectName: none, optional: true}, {objectName: a}]", wait=False, AKVSYNC_REQUEST_TIMEOUT="50s")
    world.fake.wait_journal(1, target="vault", status=404)
    wait_told(world, "^waiting for vault 'shop-kv' for .*: no answer yet$", 20)
    assert not sidecar.find("failure")


def test_a_start_whose_new_configuration_is_refused_says_so(world):
    """Or who mends the configuration believes that the change has not arrived."""
    config = ConfigMap(world.folder / "config", "objects: none\n")
    world.plant("a")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("failure", "404")
    assert re.fullmatch("secret 'none': 404.*", startup(world)) and "refused" not in startup(world)
    config.write("objects: a\nretain: soon\n")
    sidecar.wait_log("configuration-refused")
    wait_told(world, "^secret 'none': 404.*; the changed configuration file is refused: .*AKVSYNC_RETAIN: 'soon' is not a duration", 20)
    config.write("objects: a\n")
    sidecar.wait_log("ready")
    assert startup(world) == ""


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


@pytest.mark.parametrize("wait", ["", "0", "-1", "1s", "60001", "99999999999999999999"])
def test_a_wait_on_the_socket_that_makes_no_sense_is_none(world, wait):
    held(world)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(world.volume / "..sock"))
        client.sendall(f"GET /startup?wait={wait} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 503 ")


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


# What fails after the start


def ready(world):
    told = ask(world, "probe", "ready")
    assert told.returncode == 0 and told.stderr == "", told
    return told.stdout.splitlines()


def test_ready_says_that_a_target_fails(world):
    first = "signal=HUP,process=no-such-app-here"
    config = ConfigMap(world.folder / "config", f"objects: a\nnotify: ['{first}']\n")
    world.plant("a")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    assert ready(world) == []
    rotate(world, sidecar, "a")
    sidecar.wait_log("notify-failed", "no-such-app-here", level="warn", target=first)
    head, line = ready(world)
    assert head == "ok; but:"
    assert re.match(f"notify '{first}' has failed for \\d+s: no process named 'no-such-app-here' found", line)
    since = sidecar.mark()
    rotate(world, sidecar, "a")
    sidecar.wait_log("notify-failed", since=since, level="debug")
    assert not sidecar.find("notify-failed", since=since, level="warn"), "it is the same failure"
    config.write("objects: a\n")
    sidecar.wait_log("withdrawn", what=f"notify '{first}'", kind="notify")
    assert ready(world) == []


def test_a_target_that_works_again_recovers(world, app):
    target = f"signal=HUP,process={app.name}"
    world.plant("a")
    app.stop()
    sidecar = world.sidecar("a", AKVSYNC_NOTIFY=target)
    rotate(world, sidecar, "a")
    sidecar.wait_log("notify-failed", level="warn")
    assert len(ready(world)) == 2
    (world.folder / "again").mkdir()
    with App(world.folder / "again", name=app.name):
        sidecar.wait_log("recovered", what=f"notify '{target}'", kind="notify")
    assert ready(world) == []


def test_ready_says_that_the_configuration_is_refused(world):
    port = free_port()
    config = ConfigMap(world.folder / "config", f"objects: a\nlisten: ':{port}'\n")
    world.plant("a")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    config.write(f"objects: a\nlisten: ':{port}'\nretain: soon\n")
    sidecar.wait_log("configuration-refused")
    head, line = ready(world)
    assert re.match(r"configuration file has been refused for \d+s: .*AKVSYNC_RETAIN: 'soon' is not a duration", line)
    assert request(port, "/readyz")[2].startswith(f"{head}\nconfiguration file has been refused for")
    assert request(port, "/healthz")[2] == request(port, "/startupz")[2] == "ok\n"
    config.write(f"objects: a\nlisten: ':{port}'\nfileMode: '0400'\n")
    sidecar.wait_log("recovered", what="configuration file", kind="configuration")
    assert ready(world) == []


def test_a_long_list_of_failures_is_cut(world):
    names = [f"s{number:02}" for number in range(15)]
    world.plant(*names)
    sidecar = world.sidecar(",".join(names))
    world.fake.revoke("get")
    sidecar.poll()
    assert wait_until(lambda: len(sidecar.find("failure")) == 15)
    lines = ready(world)
    assert len(lines) == 12 and lines[-1] == "and 5 more: see the log"
    assert all("403" in line for line in lines[1:-1])


UNSHARED = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.mark.parametrize("how", ["process=app", "pidfile=/run/app.pid"])
def test_an_app_that_cannot_be_seen_is_told_of_at_the_start(world, how):
    if os.geteuid():
        pytest.skip("a process namespace needs root")
    world.plant("a")
    sidecar = world.sidecar("a", wrapper=UNSHARED, AKVSYNC_NOTIFY=f"signal=HUP,{how}")
    told = sidecar.find("advice", "shareProcessNamespace: true", target=f"signal=HUP,{how}")
    sidecar.stop(signal.SIGKILL)  # unshare itself ignores SIGTERM
    assert len(told) == 1 and told[0]["level"] == "warn" and "component 'signal'" in told[0]["msg"]


def test_no_advice_where_the_app_can_be_seen(world):
    world.plant("a")
    assert not world.sidecar("a", AKVSYNC_NOTIFY="signal=HUP,process=app").find("advice", "shareProcessNamespace")


def test_an_init_needs_to_see_no_app(world):
    if os.geteuid():
        pytest.skip("a process namespace needs root")
    world.plant("a")
    process = world.start("init", env=world.env("a", AKVSYNC_NOTIFY="signal=HUP,process=app"), wrapper=UNSHARED)
    assert process.wait() == 0 and not process.find("advice", "shareProcessNamespace")
