"""`init`: one sync, its files, its exit codes, and what the vault was asked."""

import os
import re
import signal
import stat
import subprocess
import time

import pytest
from conftest import BINARY, PROMPT_S, ROOT

CLIENT = "33333333-3333-3333-3333-333333333333"


def run(*arguments, env=None):
    return subprocess.run([BINARY, *arguments], env=env or {}, capture_output=True, text=True, check=False)


def test_publishes_the_set(world):
    value, nested = world.plant("db-password", "api-key")
    process = world.init("db-password, api-key=keys/api")
    assert process.code == 0
    assert world.files() == {"db-password": value, "keys/api": nested}
    assert os.readlink(world.volume / "db-password") == "..data/db-password"
    assert os.readlink(world.volume / "keys") == "..data/keys"
    mode = (world.volume / "keys/api").stat()
    assert stat.S_IMODE(mode.st_mode) == 0o440
    assert process.find("start")[0]["settings"]["AKVSYNC_POLL_INTERVAL"] == "1h"
    assert world.termination_log.read_text() == ""


def test_twenty_secrets_cost_one_token_and_twenty_requests(world):
    names = [f"secret-{i}" for i in range(20)]
    world.plant(*names)
    assert world.init(",".join(names)).code == 0
    fake = world.fake
    assert len(fake.journal(target="login")) == 1
    assert len([e for e in fake.journal(target="vault") if e["authenticated"]]) == 20
    # The list is long enough to open more connections at once.
    assert len([e for e in fake.journal(target="vault") if not e["authenticated"]]) <= 5
    assert len({e["connection"] for e in fake.journal(target="vault")}) <= 11


@pytest.mark.parametrize(
    "spelling",
    [
        '[{"objectName": "a", "objectAlias": "x/a", "filePermission": "0400"}, {"objectName": "b"}]',
        "- objectName: a\n  objectAlias: x/a\n  filePermission: 0400\n- objectName: b\n",
        "array:\n  - |\n    objectName: a\n    objectType: secret\n    objectAlias: x/a\n"
        "    filePermission: 0400\n  - |\n    objectName: b\n    objectType: Secret\n",
    ],
    ids=["json", "yaml", "provider"],
)
def test_spellings_of_the_list(world, spelling):
    a, b = world.plant("a", "b")
    assert world.init(spelling).code == 0
    assert world.files() == {"x/a": a, "b": b}
    assert stat.S_IMODE((world.volume / "x/a").stat().st_mode) == 0o400


@pytest.mark.parametrize(
    "value",
    ["x" * 25600, "line\r\nline\r\n", "no newline at the end", "\U0001f511 ключ \u202e\u0007", '"\\\t', " "],
    ids=["25600", "crlf", "plain", "unicode", "escapes", "blank"],
)
def test_bytes_are_exact(world, value):
    world.fake.set("s", value)
    assert world.init("s").code == 0
    assert (world.volume / "s").read_bytes() == value.encode()


def test_encodings(world):
    world.fake.set("b", "AAECAwD/\r\n")
    world.fake.set("h", "00ff10")
    objects = "[{objectName: b, objectEncoding: base64}, {objectName: h, objectEncoding: HEX}]"
    assert world.init(objects).code == 0
    assert (world.volume / "b").read_bytes() == bytes([0, 1, 2, 3, 0, 255])
    assert (world.volume / "h").read_bytes() == bytes([0, 255, 16])


def test_pinned_version(world):
    old = world.plant("s")
    version = world.fake.secret("s")["versions"][0]["id"]
    world.plant("s")
    assert world.init(f"[{{objectName: s, objectVersion: {version}}}]").code == 0
    assert world.files() == {"s": old}


def code_and_message(world, objects="s", **more):
    process = world.init(objects, **more)
    return process.code, process.find("exit")[-1]["msg"] if process.find("exit") else ""


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"AKVSYNC_OBJEKTS": "a"}, "unknown variable AKVSYNC_OBJEKTS; did you mean AKVSYNC_OBJECTS?"),
        ({"AKVSYNC_OBJECTS": None}, "AKVSYNC_OBJECTS is not set"),
        ({"AKVSYNC_OBJECTS": "a,b=a"}, "object 1 .'a'. and object 2 .'b'. both go to the path 'a'"),
        ({"AKVSYNC_OBJECTS": "keys/a"}, "objectType 'keys' is not one of secret, key, cert"),
        ({"AKVSYNC_OBJECTS": "../a"}, "objectType '..' is not one of secret, key, cert"),
        ({"AKVSYNC_OBJECTS": "a=../b"}, "path '../b' may not leave its directory"),
        ({"AKVSYNC_VAULT": "http://x.vault.azure.net"}, "neither a vault name"),
        ({"AKVSYNC_POLL_INTERVAL": "300"}, "'300' is not a duration.*30s"),
        ({"AKVSYNC_FILE_MODE": "rw"}, "'rw' is not a file mode.*0440"),
        ({"AKVSYNC_NOTIFY": "signal=HUP"}, "AKVSYNC_NOTIFY: entry 'signal=HUP'.*process=NAME"),
        ({"AZURE_FEDERATED_TOKEN_FILE": "", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "azure.workload.identity/use"),
        ({"AZURE_CLIENT_ID": "shop"}, "AZURE_CLIENT_ID: the value is not a client id"),
        ({"SSL_CERT_FILE": "/nowhere"}, "cannot read trusted certificates .*'/nowhere'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_configuration_errors_exit_3(world, changes, says):
    objects = changes.get("AKVSYNC_OBJECTS", "s")
    env = world.env(objects, **{n: v for n, v in changes.items() if n != "AKVSYNC_OBJECTS"})
    process = world.start("init", env=env)
    assert process.wait() == 3
    assert process.find("exit", says), process.text
    assert not world.fake.journal()


def test_service_links_are_no_typos(world):
    world.plant("s")
    links = {
        "AKVSYNC_SERVICE_HOST": "10.0.0.1",
        "AKVSYNC_SERVICE_PORT": "80",
        "AKVSYNC_SERVICE_PORT_HTTP": "80",
        "AKVSYNC_PORT": "tcp://10.0.0.1:80",
        "AKVSYNC_PORT_80_TCP_ADDR": "10.0.0.1",
        "AKVSYNC_METRICS_SERVICE_HOST": "10.0.0.2",
    }
    assert world.init("s", **links).code == 0


def test_usage_exits_2():
    for arguments in ([], ["inti"], ["init", "now"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert "Try 'akvsync help'" in done.stderr
    assert "did you mean 'init'?" in run("inti").stderr
    # A command with options of its own names its own help.
    for arguments in (["exec", "ls"], ["exec", "--gracee=1s", "--", "ls"], ["exec"], ["install"]):
        done = run(*arguments)
        assert done.returncode == 2 and f"Try 'akvsync {arguments[0]} --help'" in done.stderr


def test_help_and_version():
    told = run("help")
    assert told.returncode == 0 and "AKVSYNC_VAULT" in told.stdout and not told.stderr
    assert run("--help").stdout == run("-h").stdout == told.stdout
    assert run("version").stdout.count(".") == 2
    page = (ROOT / "docs/configuration.md").read_text()
    for line in told.stdout.splitlines():
        name = line.strip().split("=")[0]
        if name.startswith(("AKVSYNC_", "AZURE_", "SSL_", "POD_")):
            assert f"`{name}`" in page, f"docs/configuration.md does not tell of {name}"


def test_help_of_each_command():
    listed = re.findall(r"^  ([a-z]+) +\S", run("help").stdout.partition("Everything")[0], re.M)
    assert {"init", "sidecar", "check"} < set(listed)
    for command in listed:
        for arguments in (["--help"], ["-h"], ["something", "--help"]):
            told = run(command, *arguments)
            assert told.returncode == 0 and not told.stderr
            assert told.stdout.startswith(f"usage: akvsync {command}")
        assert run("help", command).stdout == run(command, "--help").stdout
    unknown = run("help", "exce")
    assert unknown.returncode == 2 and "did you mean 'exec'?" in unknown.stderr
    assert run("check", "--help").stdout.startswith("usage: akvsync check [OPTION...] [FILE]\n")


def test_denied_is_tried_until_the_deadline_and_exits_4(world):
    world.plant("s")
    world.fake.revoke("get")
    code, says = code_and_message(world, AKVSYNC_INIT_TIMEOUT="8s")
    assert code == 4
    assert "secret 's': 403 ForbiddenByRbac" in says
    assert 'grant "Key Vault Secrets User"' in says and world.fake.client_id in says
    assert len([e for e in world.fake.journal(target="vault") if e["authenticated"]]) >= 2
    assert "ForbiddenByRbac" in world.termination_log.read_text()
    assert "request " in world.termination_log.read_text()


def test_a_role_that_arrives_late_heals_init(world):
    value = world.plant("s")
    world.fake.revoke("get")
    process = world.start("init", env=world.env("s"))
    process.wait_log("failure", "ForbiddenByRbac")
    world.fake.grant("get")
    assert process.wait() == 0
    assert world.files() == {"s": value}
    assert world.termination_log.read_text() == ""


def test_wrong_subject_exits_4_with_the_fix(world):
    world.plant("s")
    world.fake.write_assertion("wrong-subject")
    code, says = code_and_message(world, AKVSYNC_INIT_TIMEOUT="2s")
    assert code == 4
    assert "AADSTS700213" in says and "system:serviceaccount:NAMESPACE:SERVICEACCOUNT" in says
    assert "AADSTS700213" in world.termination_log.read_text()


def test_missing_is_confirmed_once_and_exits_5(world):
    world.plant("here")
    code, says = code_and_message(world, "here, gone")
    assert code == 5
    assert "secret 'gone': 404 SecretNotFound; check the name" in says
    asked = [e for e in world.fake.journal(target="vault") if e["authenticated"] and "gone" in e["path"]]
    assert len(asked) == 2
    assert world.files() == {}


def test_unreachable_exits_6(world):
    code, says = code_and_message(
        world, AKVSYNC_VAULT="https://shop-kv.vault.localhost:1", AKVSYNC_INIT_TIMEOUT="2s"
    )
    assert code == 6
    assert "cannot connect to 'shop-kv.vault.localhost:1'" in says
    assert "cannot connect" in world.termination_log.read_text()


def test_identity_outranks_what_is_missing(world):
    world.plant("denied")
    world.fake.revoke("get", name="denied")
    code, says = code_and_message(world, "denied, gone", AKVSYNC_INIT_TIMEOUT="3s")
    assert (code, "403" in says) == (4, True)


@pytest.mark.parametrize("policy", ["accept", "refuse"])
def test_an_earlier_set_carries_a_restart_through_an_outage(world, policy):
    value = world.plant("s")
    assert world.init("s").code == 0
    world.fake.fault({"status": 503}, target="vault", times=-1)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="2s", AKVSYNC_INIT_STALE=policy)
    assert process.code == (0 if policy == "accept" else 6)
    assert bool(process.find("stale", "earlier start")) == (policy == "accept")
    assert world.files() == {"s": value}


def test_a_directory_on_a_disk_is_warned_of(world, tmp_path):
    """Nothing says so of one on a tmpfs."""
    words = "AKVSYNC_DIR is not on a tmpfs"
    world.plant("s")
    on_disk = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True).stdout != "tmpfs\n"
    process = world.init("s", AKVSYNC_DIR=str(tmp_path))
    assert process.code == 0 and bool(process.find("advice", words)) == on_disk
    assert not world.init("s").find("advice", words)


def test_missing_directory_exits_7(world):
    code, says = code_and_message(world, AKVSYNC_DIR=str(world.folder / "none"))
    assert code == 7
    assert "does not exist: mount an emptyDir" in says


def test_something_in_the_way_exits_7(world):
    world.plant("s")
    (world.volume / "s").mkdir()
    code, says = code_and_message(world)
    assert code == 7
    assert f"'{world.volume}/s' is in the way" in says
    assert (world.volume / "s").is_dir() and not world.generation()


def test_full_volume_exits_7(world, full_volume):
    world.fake.set("s", "x" * 25000)
    code, says = code_and_message(world, AKVSYNC_DIR=str(full_volume))
    assert code == 7
    assert "No space left" in says and "sizeLimit" in says


def test_second_writer_exits_7(world):
    world.plant("s")
    world.sidecar("s")
    process = world.init("s")
    assert process.code == 7
    assert "two akvsync containers may not write to one volume" in process.find("exit")[0]["msg"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_exits_143(world, number):
    world.plant("s")
    world.fake.fault({"hold": True}, target="login", times=-1)
    process = world.start("init", env=world.env("s", AKVSYNC_REQUEST_TIMEOUT="20s"))
    world.fake.wait_journal(1, target="login")
    code, seconds = process.stop(number)
    assert code == 143 and seconds < PROMPT_S
    assert world.files() == {}


def test_on_first_that_fails_exits_8(world):
    world.plant("s")
    process = world.init(
        "s", AKVSYNC_NOTIFY="on=first,signal=HUP,process=no-such-app-here", AKVSYNC_INIT_TIMEOUT="3s"
    )
    assert process.code == 8
    says = "notify '.*': no process named 'no-such-app-here'.*shareProcessNamespace"
    assert process.find("notify-failed", says)
    assert process.find("exit", says, code=8)
    assert re.search(says, world.termination_log.read_text())


def test_on_first_does_not_wait_for_the_splay_and_outlives_a_signal(world, app):
    world.plant("s")
    notify = f"on=first,signal=HUP,process={app.name}; on=first,signal=HUP,process=no-such-app-here"
    process = world.start("init", env=world.env("s", AKVSYNC_NOTIFY=notify, AKVSYNC_NOTIFY_SPLAY="1h"))
    process.wait_log("notify-failed")
    assert app.wait_signals(1) == ["SIGHUP"]
    assert process.stop()[0] == 8, "the set is published: it was not interrupted"


def test_text_log_is_for_people(world):
    world.plant("s")
    process = world.start("init", env=world.env("s", AKVSYNC_LOG_FORMAT="text", AKVSYNC_LOG_LEVEL="info"))
    assert process.wait() == 0
    assert "info  published 1 file, 1 changed" in process.text
    process.garbage.clear()


def test_a_restart_does_not_wait_for_what_will_not_come(world):
    """A complete set is there, and the vault says for sure that one of its objects is gone."""
    world.fake.vault_settings(settle_s=0)
    a, b = world.plant("a", "b")
    assert world.init("a, b").code == 0
    world.fake.delete("b")
    start = time.monotonic()
    process = world.init("a, b", AKVSYNC_INIT_TIMEOUT="10m", AKVSYNC_POLL_INTERVAL="1h")
    assert process.code == 0 and process.find("stale", "earlier start")
    assert time.monotonic() - start < 60, "two tries, not the whole time"
    assert world.files() == {"a": a, "b": b}
    assert world.init("a, b", AKVSYNC_INIT_STALE="refuse").code == 5


def test_a_restart_tries_again_what_may_come(world):
    world.plant("a", "b")
    assert world.init("a, b").code == 0
    world.fake.revoke("get", name="b")
    process = world.start("init", env=world.env("a, b", AKVSYNC_INIT_TIMEOUT="10m", AKVSYNC_POLL_INTERVAL="1h"))
    process.wait_log("failure", "403", what="b")
    world.fake.grant("get", name="b")
    assert process.wait(60) == 0
    assert not process.find("stale")
