"""Several vaults in one pod: one token, one set, and each vault's trouble stays its own."""

import pytest
from conftest import DEADLINE_S
from test_config import ConfigMap

OBJECTS = "[{objectName: a}, {objectName: b, vault: mail-kv}, {objectName: c, vault: '%s'}]"


@pytest.fixture
def vaults(world):
    world.fake.vault_settings("mail-kv")
    objects = OBJECTS % world.fake.url("mail-kv")
    # A bare name is completed with the cloud's suffix, which is not this machine's.
    return objects.replace("vault: mail-kv", f"vault: {world.fake.url('mail-kv')}")


def plant(world, name, vault="mail-kv"):
    value = f"planted-{vault}-{name}-{world.planted}-marker-{id(object()):x}"
    world.planted += 1
    world.fake.set(name, value, vault=vault)
    return value


def test_objects_of_several_vaults_make_one_set(world, vaults):
    expected = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    assert world.init(vaults).code == 0
    assert world.files() == expected
    fake = world.fake
    assert len(fake.journal(target="login")) == 1, "one token for vaults of one cloud"
    asked = [(e["vault"], e["path"]) for e in fake.journal(target="vault", authenticated=True)]
    assert sorted(asked) == [("mail-kv", "/secrets/b"), ("mail-kv", "/secrets/c"), ("shop-kv", "/secrets/a")]


def test_a_vault_in_trouble_holds_back_its_own_objects_only(world, vaults):
    files = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    sidecar = world.sidecar(vaults)
    world.wait_files(files)
    rule = world.fake.fault({"status": 503}, target="vault", vault="mail-kv", path="/secrets/b*", times=-1)
    files["a"] = plant(world, "a", "shop-kv")
    held = plant(world, "b"), plant(world, "c")
    mark = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("failure", "secret 'b': 503", mark, what="vault 'mail-kv'")
    world.wait_files(files)
    world.fake.remove_fault(rule)
    sidecar.poll()
    world.wait_files(files | {"b": held[0], "c": held[1]})
    sidecar.wait_log("recovered", what="vault 'mail-kv'")


@pytest.mark.parametrize("more", ["objectName: late, optional: true", "objectNamePattern: 'late*'"])
def test_a_vault_in_trouble_holds_back_no_other_for_what_is_not_there_yet(world, vaults, more):
    files = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    sidecar = world.sidecar(vaults.replace("]", f", {{{more}, vault: '{world.fake.url('mail-kv')}'}}]"))
    world.wait_files(files)
    late = plant(world, "late")
    rule = world.fake.fault({"status": 503}, target="vault", vault="mail-kv", path="/secrets/b*", times=-1)
    files["a"] = plant(world, "a", "shop-kv")
    sidecar.poll()
    world.wait_files(files)
    world.fake.remove_fault(rule)
    sidecar.poll()
    world.wait_files(files | {"late": late})


def test_an_outage_ends_with_the_use_of_its_vault(world, vaults):
    files = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    config = ConfigMap(world.folder / "config", f"objects: {vaults}\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    world.wait_files(files)
    world.fake.fault({"status": 503, "retry_after_s": 600}, target="vault", vault="mail-kv", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", what="vault 'mail-kv'")
    config.write("objects: a\n")
    world.wait_files({"a": files["a"]})
    sidecar.wait_log("withdrawn", what="vault 'mail-kv'")


def test_the_first_set_needs_all_vaults(world, vaults):
    files = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    rule = world.fake.fault({"status": 503}, target="vault", vault="mail-kv", times=-1)
    sidecar = world.sidecar(vaults, wait=False)
    sidecar.wait_log("failure", "503")
    assert not world.files()
    world.fake.remove_fault(rule)
    sidecar.poll()
    world.wait_files(files)


def test_a_refused_token_request_is_counted_once_for_all_vaults(world, vaults):
    """Two vaults wait for one token: they do not ask twice as often."""
    files = {"a": plant(world, "a", "shop-kv"), "b": plant(world, "b"), "c": plant(world, "c")}
    world.fake.fault({"status": 503}, target="login", times=2)
    assert world.init(vaults).code == 0
    assert world.files() == files
    assert len(world.fake.journal(target="login")) == 3


def test_a_reply_that_never_makes_sense_freezes_its_object_only(world):
    a, b = world.plant("a", "b")
    sidecar = world.sidecar("a, b")
    world.wait_files({"a": a, "b": b})
    rule = world.fake.fault({"garbage": True}, target="vault", path="/secrets/a*", authenticated=True, times=-1)
    new_a, new_b = world.plant("a", "b")
    sidecar.poll()
    world.wait_files({"a": a, "b": new_b}, timeout=DEADLINE_S)
    sidecar.wait_log("failure", "secret 'a': garbled reply", what="a")
    world.fake.remove_fault(rule)
    sidecar.poll()
    world.wait_files({"a": new_a, "b": new_b})


def test_a_bad_vault_is_named(world):
    process = world.init("[{objectName: a}, {objectName: b, vault: 'no/vault'}]")
    assert process.code == 3
    assert process.find("exit", "object 2: vault 'no/vault' is neither a vault name")
