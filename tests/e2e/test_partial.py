"""One object fails, or its file was changed by someone else: what the others do meanwhile."""

import os
import shutil

import pytest
from conftest import Failed, wait_until
from test_health import ask, says
from test_lists import polled
from test_sidecar import deleted, edited, poll

OUTAGE = {"status": 503, "retry_after_s": 21}
"""A longer delay than a round takes, so that each round fails at once."""


# An optional object that has never been there


def outage_elsewhere(world):
    """The optional object is in a second vault, which does not answer. Returns the list of objects, what
    ends the outage, and the file that is there then."""
    world.fake.vault_settings("mail-kv")
    world.fake.set("b", "planted-in-the-other-vault-b", vault="mail-kv")
    rule = world.fake.fault(OUTAGE, target="vault", vault="mail-kv", times=-1)
    optional = f"{{objectName: b, vault: '{world.fake.url('mail-kv')}', optional: true}}"
    return optional, lambda: world.fake.remove_fault(rule), {"b": "planted-in-the-other-vault-b"}


def outage_of_one(world):
    """The vault answers for all objects but the optional one."""
    b = world.plant("b")
    rule = world.fake.fault(OUTAGE, target="vault", path="/secrets/b*", authenticated=True, times=-1)
    return "{objectName: b, optional: true}", lambda: world.fake.remove_fault(rule), {"b": b}


def no_right_to_list(world):
    """The optional entry is a pattern, and the identity may not list."""
    b = world.plant("x-b")
    world.fake.revoke("list")
    return "{objectNamePattern: 'x-*', optional: true}", lambda: world.fake.grant("list"), {"x-b": b}


TROUBLES = pytest.mark.parametrize("trouble", [outage_elsewhere, outage_of_one, no_right_to_list])


@TROUBLES
def test_init_does_without_what_is_optional(world, trouble):
    a = world.plant("a")
    optional, _, _ = trouble(world)
    objects = f"[{{objectName: a}}, {optional}]"
    for run in ("first", "second"):
        process = world.init(objects, AKVSYNC_INIT_TIMEOUT="5s")
        assert process.code == 0, f"{run} run: exit code {process.code}\n{process.text}"
        assert world.files() == {"a": a}
        assert [entry["level"] for entry in process.find("failure")] == ["warn"]


@TROUBLES
def test_init_of_a_later_list_does_without_what_is_optional(world, trouble):
    """A set of an earlier list is on the volume."""
    a = world.plant("a")
    assert world.init("a").code == 0
    optional, _, _ = trouble(world)
    process = world.init(f"[{{objectName: a}}, {optional}]", AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code == 0 and world.files() == {"a": a}


def test_an_optional_object_at_a_new_path_keeps_its_file_through_an_outage(world):
    a, b = world.plant("a", "b")
    assert world.init("[{objectName: a}, {objectName: b, optional: true}]").code == 0
    world.fake.fault(OUTAGE, target="vault", path="/secrets/b*", authenticated=True, times=-1)
    moved = "[{objectName: a}, {objectName: b, objectAlias: new/b, optional: true}]"
    assert world.init(moved, AKVSYNC_INIT_TIMEOUT="5s").code == 6
    assert world.files() == {"a": a, "b": b}


def test_a_wrong_identity_is_not_excused_by_optional_objects(world):
    world.plant("a")
    process = world.init("[{objectName: a, optional: true}]", AZURE_TENANT_ID="11111111-2222-3333-4444-555555555555",
                         AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code in (3, 4), process.text
    assert not world.files()


@TROUBLES
def test_a_sidecar_is_started_without_what_is_optional(world, trouble):
    a = world.plant("a")
    optional, _, _ = trouble(world)
    sidecar = world.sidecar(f"[{{objectName: a}}, {optional}]", wait=False)
    sidecar.wait_log("failure")
    world.wait_files({"a": a})
    # The probes pass a moment after the files are there.
    wait_until(lambda: ask(world, "probe", "startup").returncode == 0, timeout=5)
    assert says(ask(world, "probe", "startup")) == (0, "", "")
    code, out, err = says(ask(world, "probe", "ready"))
    assert (code, err) == (0, "") and out.startswith("ok; but:\n"), "ready says what fails all the same"
    assert [entry["level"] for entry in sidecar.find("failure")] == ["warn"]


@TROUBLES
def test_what_is_optional_comes_without_a_restart(world, trouble):
    """The poll interval is an hour: an outage is tried again sooner than that."""
    a = world.plant("a")
    optional, end, more = trouble(world)
    sidecar = world.sidecar(f"[{{objectName: a}}, {optional}]", wait=False)
    sidecar.wait_log("failure")
    sidecar.wait_log("ready")
    end()
    if trouble is no_right_to_list:
        sidecar.poll()
    world.wait_files({"a": a} | more, timeout=120)
    sidecar.wait_log("recovered")


def test_a_required_object_of_a_vault_that_does_not_answer_still_fails_init(world):
    world.plant("a")
    world.fake.vault_settings("mail-kv")
    world.fake.fault(OUTAGE, target="vault", vault="mail-kv", times=-1)
    process = world.init(f"[{{objectName: a}}, {{objectName: b, vault: '{world.fake.url('mail-kv')}'}}]", AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code == 6 and not world.files()


# A file that someone else changed while its object cannot be read


def touched(path):
    os.utime(path)


def with_its_folder(path):
    shutil.rmtree(path.parent)


def made_a_folder(path):
    path.unlink()
    path.mkdir()


def wait_text(world, expected):
    """Waits until these files have these texts, whatever other files there are."""

    def seen():
        return {path: read(world.volume / path) for path in expected} == expected

    if not wait_until(seen):
        logs = "\n".join(process.text for process in world.processes)
        raise Failed(f"expected {expected}, found { {path: read(world.volume / path) for path in expected} }; log:\n{logs}")


def read(path):
    """The text of a file; None when there is no such file."""
    try:
        return path.read_text()
    except OSError:
        return None


DAMAGES = pytest.mark.parametrize("damage", [touched, edited, deleted, with_its_folder, made_a_folder])


@DAMAGES
def test_a_changed_file_of_an_unreadable_object_does_not_stop_the_others(world, damage):
    a, _ = world.plant("a", "b")
    sidecar = world.sidecar("a=sub/a, b")
    world.fake.revoke("get", name="a")
    damage(world.volume / "..data" / "sub/a")
    left = read(world.volume / "sub/a")
    for _ in range(2):
        b = world.plant("b")
        sidecar.poll()
        wait_text(world, {"b": b, "sub/a": left})
    # It is made anew as soon as it can be, although its object has not changed.
    world.fake.grant("get", name="a")
    sidecar.poll()
    world.wait_files({"sub/a": a, "b": b})
    assert (world.volume / "sub/a").stat().st_mode & 0o777 == 0o440


@DAMAGES
def test_a_changed_file_of_an_unreadable_object_gets_its_new_version(world, damage):
    world.plant("a", "b")
    sidecar = world.sidecar("a=sub/a, b")
    world.fake.revoke("get", name="a")
    damage(world.volume / "..data" / "sub/a")
    a, b = world.plant("a", "b")
    sidecar.poll()
    wait_text(world, {"b": b})
    world.fake.grant("get", name="a")
    sidecar.poll()
    world.wait_files({"sub/a": a, "b": b})


@DAMAGES
def test_a_restart_finds_a_changed_file_of_an_unreadable_object(world, damage):
    """The files of the others rotate after it, too."""
    world.plant("a", "b")
    world.sidecar("a=sub/a, b").stop()
    world.fake.revoke("get", name="a")
    damage(world.volume / "..data" / "sub/a")
    b = world.plant("b")
    world.sidecar("a=sub/a, b", wait=False).wait_log("failure", what="sub/a")
    wait_text(world, {"b": b})


def test_a_touched_file_with_the_right_bytes_is_no_change(world, app):
    world.plant("a", "b")
    sidecar = world.sidecar("a, b", AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}")
    generation = world.generation()
    touched(world.volume / "..data" / "a")
    inode = (world.volume / "a").stat().st_ino
    for _ in range(2):
        polled(sidecar)
    assert world.generation() == generation and (world.volume / "a").stat().st_ino == inode
    assert app.settled() == []


@pytest.mark.parametrize("damage", [touched, edited, deleted])
def test_a_changed_file_of_a_pattern_that_may_not_be_listed_does_not_stop_the_others(world, damage):
    a, b, _ = world.plant("app-a", "app-b", "z")
    sidecar = world.sidecar("[{objectName: z}, {objectNamePattern: 'app-*'}]")
    world.fake.revoke("list")
    damage(world.volume / "..data" / "app-a")
    left = read(world.volume / "app-a")
    for _ in range(2):
        z = world.plant("z")
        sidecar.poll()
        wait_text(world, {"z": z, "app-a": left, "app-b": b})
    world.fake.grant("list")
    sidecar.poll()
    world.wait_files({"app-a": a, "app-b": b, "z": z})


@pytest.mark.parametrize("damage", [touched, deleted])
def test_a_changed_file_of_a_history_that_may_not_be_listed_does_not_stop_the_others(world, damage):
    h = world.plant("h")
    world.plant("z")
    sidecar = world.sidecar("[{objectName: z}, {objectName: h, objectVersionHistory: 2}]")
    world.fake.revoke("list")
    damage(world.volume / "..data" / "h/0")
    z = world.plant("z")
    sidecar.poll()
    wait_text(world, {"z": z})
    world.fake.grant("list")
    sidecar.poll()
    world.wait_files({"h/0": h, "z": z})


@pytest.mark.parametrize("damage", [touched, deleted])
def test_a_changed_file_of_a_vault_in_trouble_does_not_stop_the_others(world, damage):
    a = world.plant("a")
    world.fake.vault_settings("mail-kv")
    world.fake.set("b", "planted-in-the-other-vault-b", vault="mail-kv")
    sidecar = world.sidecar(f"[{{objectName: a}}, {{objectName: b, vault: '{world.fake.url('mail-kv')}'}}]")
    rule = world.fake.fault(OUTAGE, target="vault", vault="mail-kv", times=-1)
    damage(world.volume / "..data" / "b")
    a = world.plant("a")
    sidecar.poll()
    wait_text(world, {"a": a})
    world.fake.remove_fault(rule)
    world.wait_files({"a": a, "b": "planted-in-the-other-vault-b"}, timeout=120)


def test_a_changed_file_of_a_readable_object_still_heals(world):
    """What can be made anew is not left as it is, although another changed file has to be."""
    a, b = world.plant("a", "b")
    sidecar = world.sidecar("a, b")
    world.fake.revoke("get", name="b")
    edited(world.volume / "..data" / "a")
    deleted(world.volume / "..data" / "b")
    sidecar.poll()
    wait_text(world, {"a": a})
    assert not (world.volume / "b").exists()
    poll(sidecar)
    world.fake.grant("get", name="b")
    sidecar.poll()
    world.wait_files({"a": a, "b": b})
