"""What the log says of failures: each has a name and a kind of its own, and ends as what it was."""

import contextlib
import subprocess

import pytest
from conftest import mounted_tmpfs
from test_config import ConfigMap
from test_sidecar import rotate


def failures(process):
    """(what, kind) of each failure that the log tells of, once each."""
    return {(entry["what"], entry.get("kind")) for entry in process.find("failure")}


def freeze(world, sidecar, name):
    """The object may not be read any more; its last good file stays."""
    world.fake.revoke("get", name=name)
    sidecar.poll()
    sidecar.wait_log("failure", "403", what=name)


def test_a_secret_named_publish_is_not_the_volume(world, small_volume):
    world.plant("a", "publish")
    sidecar = world.sidecar("a, publish", wait=False, AKVSYNC_DIR=str(small_volume))
    sidecar.wait_log("ready")
    freeze(world, sidecar, "publish")
    filler = small_volume / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    world.plant("a")
    sidecar.poll()
    sidecar.wait_log("failure", "No space left on device", what="publish")
    assert failures(sidecar) == {("publish", "object"), ("publish", "volume")}
    filler.unlink()
    sidecar.poll()
    sidecar.wait_log("recovered", what="publish", kind="volume")
    assert not sidecar.find("recovered", kind="object")
    world.fake.grant("get", name="publish")
    sidecar.poll()
    sidecar.wait_log("recovered", what="publish", kind="object")


def test_a_full_volume_is_one_failure(world, tmp_path):
    """However often it is tried, and whatever the directory of the new set would have been called."""
    full = mounted_tmpfs(tmp_path / "full", "256k,nr_inodes=40")
    try:
        world.plant("a")
        sidecar = world.start("sidecar", env=world.env("a", AKVSYNC_DIR=str(full)))
        sidecar.wait_log("ready")
        fillers = [full / f"filler-{number}" for number in range(60)]
        with contextlib.suppress(OSError):
            for filler in fillers:
                filler.touch()
        a = world.plant("a")
        for _ in range(4):
            since = world.fake.mark()
            sidecar.poll()
            world.fake.wait_journal(since=since, target="vault", status=200)
        (incident,) = sidecar.find("failure")
        assert "No space left on device" in incident["msg"]
        for filler in fillers:
            filler.unlink(missing_ok=True)
        sidecar.poll()
        sidecar.wait_log("recovered", what="publish")
        assert (full / "a").read_text() == a
        sidecar.stop()
    finally:
        subprocess.run(["umount", "-l", full], check=True)


def test_a_secret_named_identity_is_not_the_identity(world):
    world.plant("a", "identity")
    sidecar = world.sidecar("a, identity")
    freeze(world, sidecar, "identity")
    world.fake.reject_assertions(700213)
    world.fake.revoke_tokens()
    sidecar.poll()
    sidecar.wait_log("failure", "AADSTS700213", what="identity")
    assert failures(sidecar) == {("identity", "object"), ("identity", "identity")}
    world.fake.reject_assertions(None)
    sidecar.poll()
    sidecar.wait_log("recovered", what="identity", kind="identity")
    assert not sidecar.find("recovered", kind="object")


@pytest.mark.parametrize("path", ["token-endpoint", "token endpoint"])
def test_a_secret_named_like_the_token_endpoint_is_not_it(world, path):
    world.plant("a", "token-endpoint")
    sidecar = world.sidecar(f"[{{objectName: a}}, {{objectName: token-endpoint, objectAlias: '{path}'}}]")
    world.fake.revoke("get", name="token-endpoint")
    sidecar.poll()
    sidecar.wait_log("failure", "403", what=path)
    world.fake.fault({"status": 503, "retry_after_s": 21}, target="login", times=-1)
    world.fake.revoke_tokens()
    sidecar.poll()
    sidecar.wait_log("failure", "token refused", what="token endpoint")
    assert failures(sidecar) == {(path, "object"), ("token endpoint", "token-endpoint")}


def test_a_file_named_like_the_vault_is_not_the_vault(world):
    world.plant("a", "b")
    path = "vault 'shop-kv'"
    sidecar = world.sidecar(f'[{{objectName: a}}, {{objectName: b, objectAlias: "{path}"}}]')
    world.fake.revoke("get", name="b")
    sidecar.poll()
    sidecar.wait_log("failure", "403", what=path)
    world.fake.fault({"status": 503, "retry_after_s": 21}, target="vault", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", "503", what=path)
    assert failures(sidecar) == {(path, "object"), (path, "vault")}


def test_a_file_named_like_a_list_is_not_the_list(world):
    world.plant("a", "b")
    what = "list of secrets like 'x-*'"
    sidecar = world.sidecar(f'[{{objectName: a, objectAlias: "{what}"}}, {{objectNamePattern: "x-*"}}, {{objectName: b}}]')
    sidecar.wait_log("failure", "nothing in the vault matches")
    world.fake.revoke("get", name="a")
    sidecar.poll()
    sidecar.wait_log("failure", "secret 'a': 403", what=what)
    assert failures(sidecar) == {(what, "object"), (what, "list")}


def test_each_kind_of_failure_is_named(world):
    """Of one list: an object, a list and a vault that fail at once."""
    world.fake.vault_settings("mail-kv")
    world.plant("a", "b", "x-c")
    elsewhere = f"{{objectName: d, vault: '{world.fake.url('mail-kv')}', optional: true}}"
    world.fake.fault({"status": 503, "retry_after_s": 21}, target="vault", vault="mail-kv", times=-1)
    world.fake.revoke("list")
    sidecar = world.sidecar(
        f"[{{objectName: a}}, {{objectName: none, optional: true}}, {{objectNamePattern: 'x-*', optional: true}}, {elsewhere}]", wait=False
    )
    sidecar.wait_log("failure", what="vault 'mail-kv'")
    sidecar.wait_log("published")
    world.wait_files({"a": (world.volume / "a").read_text()})
    assert failures(sidecar) == {
        ("none", "object"), ("list of secrets like 'x-*'", "list"), ("vault 'mail-kv'", "vault"),
    }


# What nobody asks for any more


def reconfigured(world, before, after, fail, what):
    """A failure goes on while the list changes to one without it."""
    config = ConfigMap(world.folder / "config", f"objects: {before}\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    fail()
    sidecar.poll()
    sidecar.wait_log("failure", what=what)
    config.write(f"objects: {after}\n")
    sidecar.wait_log("configuration-applied")
    return sidecar


def assert_withdrawn(sidecar, what, kind):
    told = sidecar.wait_log("withdrawn", "is no longer asked for", what=what)
    assert told["kind"] == kind and told["level"] == "info" and told["failures"] >= 1, told
    assert not sidecar.find("recovered", what=what), "it does not work again"
    assert len(sidecar.find("withdrawn", what=what)) == 1


def test_an_object_that_leaves_the_list_does_not_recover(world):
    world.plant("a", "b")
    sidecar = reconfigured(world, "a, b=x/b", "a", lambda: world.fake.revoke("get", name="b"), "x/b")
    assert_withdrawn(sidecar, "x/b", "object")
    rotate(world, sidecar, "a")
    assert len(sidecar.find("withdrawn")) == 1


def test_a_vault_that_is_no_longer_used_does_not_recover(world):
    world.plant("a")
    world.fake.vault_settings("mail-kv")
    world.fake.set("b", "planted-in-the-other-vault-b", vault="mail-kv")
    entry = f"{{objectName: b, vault: '{world.fake.url('mail-kv')}'}}"

    def fail():
        world.fake.fault({"status": 503, "retry_after_s": 21}, target="vault", vault="mail-kv", times=-1)

    sidecar = reconfigured(world, f"[{{objectName: a}}, {entry}]", "[{objectName: a}]", fail, "vault 'mail-kv'")
    assert_withdrawn(sidecar, "vault 'mail-kv'", "vault")


def test_a_pattern_that_leaves_the_list_does_not_recover(world):
    world.plant("a", "x-b")
    what = "list of secrets like 'x-*'"
    before, after = "[{objectName: a}, {objectNamePattern: 'x-*'}]", "[{objectName: a}]"
    sidecar = reconfigured(world, before, after, lambda: world.fake.revoke("list"), what)
    assert_withdrawn(sidecar, what, "list")


def test_an_object_that_works_again_recovers(world):
    """The counterpart, with the same list change for another object."""
    world.plant("a", "b", "c")
    config = ConfigMap(world.folder / "config", "objects: a, b, c\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    world.fake.revoke("get", name="b")
    sidecar.poll()
    sidecar.wait_log("failure", what="b")
    world.fake.grant("get", name="b")
    config.write("objects: a, b\n")
    assert sidecar.wait_log("recovered", "no longer fails", what="b")["kind"] == "object"
    sidecar.wait_log("configuration-applied")
    assert not sidecar.find("withdrawn")
