"""`check`: what the configuration comes to, before a pod runs with it."""

import json
import subprocess

import pytest
from conftest import BINARY


def check(env, *arguments):
    return subprocess.run([BINARY, "check", *arguments], env=env, capture_output=True, text=True, check=False)


def as_json(env, *arguments):
    run = check(env, "--output", "json", *arguments)
    assert not run.stderr
    return run.returncode, json.loads(run.stdout)


OBJECTS = """\
- objectName: a
  objectAlias: x/a
  filePermission: 0400
- {objectName: web, layout: split, metadata: true}
- {objectName: web2, layout: kubernetes.io/tls}
- {objectName: h, objectVersionHistory: 2}
- {objectNamePattern: 'app-*', objectAlias: app}
- {objectName: k, objectType: key, optional: true}
"""


def test_needs_nothing_but_a_file_on_a_laptop(tmp_path):
    """Without identity, vault or volume."""
    file = tmp_path / "pasted.yaml"
    file.write_text(f"vault: shop-kv\nobjects:\n{OBJECTS}")
    code, report = as_json({}, str(file))
    assert code == 0 and report["valid"] and not report["online"]
    assert [(e["object"], [f["path"] for f in e["files"]]) for e in report["objects"]] == [
        ("secret 'a'", ["x/a"]),
        ("secret 'web'", ["web", "web.crt", "web.key", "web.json"]),
        ("secret 'web2'", ["web2/tls.crt", "web2/tls.key", "web2/ca.crt"]),
        ("secret 'h'", ["h/0", "h/1"]),
        ("secrets like 'app-*'", []),
        ("key 'k'", ["k"]),
    ]
    assert report["objects"][0]["mode"] == "0400" and report["objects"][0]["vault"] == "https://shop-kv.vault.azure.net"
    assert report["settings"]["AKVSYNC_VAULT"] == {"value": "shop-kv", "source": "file"}
    assert report["settings"]["AKVSYNC_DIR"] == {"value": "/secrets", "source": "default"}
    assert report["settings"]["AKVSYNC_CONFIG"] == {"value": str(file), "source": "argument"}
    text = check({"AKVSYNC_POLL_INTERVAL": "1m"}, str(file))
    assert text.returncode == 0 and not text.stderr
    assert "/secrets/web2/tls.crt\n" in text.stdout and "--online also tries it" in text.stdout
    assert any(line.split() == ["AKVSYNC_POLL_INTERVAL", "environment", '"1m"'] for line in text.stdout.splitlines())
    assert any(line.split() == ["AKVSYNC_CONFIG", "argument", f'"{file}"'] for line in text.stdout.splitlines())
    _, report = as_json({"AKVSYNC_CONFIG": str(file)})
    assert report["settings"]["AKVSYNC_CONFIG"] == {"value": str(file), "source": "environment"}


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "AKVSYNC_VAULT is not set"),
        ({"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "a,b=a"}, "both go to the path 'a'"),
        ({"AKVSYNC_VAULT": "no/vault", "AKVSYNC_OBJECTS": "a"}, "AKVSYNC_VAULT: vault 'no/vault' is neither a vault name"),
        ({"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "[{objectName: a, vault: no/vault}]"}, "AKVSYNC_OBJECTS: object 1: vault 'no/vault' is"),
        ({"AKVSYNC_CONFIG": "/nowhere"}, "AKVSYNC_CONFIG"),
        ({"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "a", "AKVSYNC_NOTIFY": "signal=HUP"}, "AKVSYNC_NOTIFY: entry 'signal=HUP'"),
    ],
)
def test_a_mistake_exits_3(env, says):
    run = check(env)
    assert run.returncode == 3 and says in run.stderr and not run.stdout
    code, report = as_json(env)
    assert code == 3 and says in report["error"] and not report["valid"]


def test_online_reads_every_object_and_writes_nothing(world):
    a, b = world.plant("a", "b")
    world.fake.vault_settings(settle_s=0)
    code, report = as_json(world.env("a, b=x/b"), "--online")
    assert code == 0
    assert [entry["read"] for entry in report["objects"]] == ["ok", "ok"]
    assert all(len(entry["version"]) == 32 for entry in report["objects"])
    assert not world.files() and not list(world.volume.iterdir())
    run = check(world.env("a, b"), "--online")
    assert run.returncode == 0 and "All is well" in run.stdout
    assert a not in run.stdout and b not in run.stdout


def test_online_exits_with_the_cause(world):
    world.plant("a")
    objects = "[{objectName: a}, {objectName: gone}, {objectName: maybe, optional: true}, {objectNamePattern: 'a*', objectAlias: p}]"
    code, report = as_json(world.env(objects), "--online")
    assert code == 5
    told = {entry["object"]: entry["read"] for entry in report["objects"]}
    assert told == {"secret 'a'": "ok", "secret 'gone'": "FAILED", "secret 'maybe'": "absent"}
    assert [entry["files"] for entry in report["objects"] if entry["object"] == "secret 'a'"] == [
        [{"path": "a"}], [{"path": "p/a"}],
    ]
    assert "secret 'gone': 404 SecretNotFound" in str(report["objects"])
    world.fake.revoke("get", "list")
    code, report = as_json(world.env(objects), "--online")
    assert code == 4
    assert any("list of secrets like 'a*': 403" in (entry["error"] or "") for entry in report["objects"])


def test_online_needs_an_identity(world):
    env = world.env("a", KUBERNETES_SERVICE_HOST="10.0.0.1")
    del env["AZURE_FEDERATED_TOKEN_FILE"]
    run = check(env, "--online")
    assert run.returncode == 3 and "azure.workload.identity/use" in run.stderr


def test_online_tells_of_an_identity_that_is_refused(world):
    world.fake.write_assertion("expired")
    code, report = as_json(world.env("a", AKVSYNC_INIT_TIMEOUT="5s"), "--online")
    assert code == 4
    assert "AADSTS700024" in report["objects"][0]["error"]


@pytest.mark.parametrize("more", ["layout: split", "metadata: true"])
def test_the_longest_of_an_entrys_names_must_fit(tmp_path, more):
    file = tmp_path / "long.yaml"
    file.write_text(f"vault: shop-kv\nobjects: [{{objectName: a, objectAlias: {'x' * 252}, {more}}}]")
    code, report = as_json({}, str(file))
    assert code == 3 and "has a part longer than 255 bytes" in report["error"]


def test_online_tells_of_an_object_in_the_way(world):
    world.plant("a", "x")
    code, report = as_json(world.env("[{objectNamePattern: '*'}, {objectName: a, objectAlias: x/a}]"), "--online")
    assert code == 3
    failed = [entry for entry in report["objects"] if entry["read"] == "FAILED"]
    assert [entry["object"] for entry in failed] == ["secret 'x'"] and "in the way of 'x/a'" in failed[0]["error"]


def test_a_report_that_is_too_long_is_not_cut():
    objects = ", ".join(f"{{objectName: a{i}, objectVersionHistory: 1000, metadata: true}}" for i in range(1000))
    for arguments in ((), ("--output", "json")):
        run = check({"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": f"[{objects}]"}, *arguments)
        assert run.returncode == 7 and not run.stdout and "the report is longer than" in run.stderr
