"""The list that is in force: a new one replaces it only when all of its objects can be read, also
after a restart of the container."""

import signal

import pytest
from conftest import wait_until
from test_config import ConfigMap
from test_health import ask, says
from test_sidecar import poll, rotate

OUTAGE = {"status": 503, "retry_after_s": 21}
"""A longer delay than a round takes, so that each round fails at once."""


def configure(world, objects, **more):
    """A mounted configuration file with this list, and the environment that names it."""
    config = ConfigMap(world.folder / "config", f"objects: {objects}\n")
    return config, world.env(None, AKVSYNC_CONFIG=config.path, **more)


def start(world, env):
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    return sidecar


def assert_started(world):
    assert says(ask(world, "probe", "startup")) == (0, "", "")
    code, _, err = says(ask(world, "probe", "ready"))
    assert (code, err) == (0, ""), "yes, whatever it says besides"


def stop_with_a_list_that_waits(world, number=signal.SIGTERM):
    """The list 'a' is in force, and 'a, b' waits because b may not be read. The sidecar is then
    stopped. Returns the environment of both starts."""
    world.plant("a", "b")
    world.fake.revoke("get", name="b")
    config, env = configure(world, "a")
    sidecar = start(world, env)
    config.write("objects: a, b\n")
    sidecar.wait_log("failure", what="b")
    assert_started(world)
    rotate(world, sidecar, "a")
    sidecar.stop(number)
    return env


NUMBERS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])


@NUMBERS
def test_a_restart_goes_on_with_the_list_that_was_in_force(world, number):
    env = stop_with_a_list_that_waits(world, number)
    again = world.start("sidecar", env=env)
    again.wait_log("failure", what="b")
    rotated = rotate(world, again, "a")
    world.fake.grant("get", name="b")
    b = world.plant("b")
    again.poll()
    world.wait_files({"a": rotated, "b": b})
    again.wait_log("configuration-applied")


@NUMBERS
def test_probes_pass_after_a_restart_with_a_list_that_waits(world, number):
    env = stop_with_a_list_that_waits(world, number)
    again = world.start("sidecar", env=env)
    again.wait_log("failure", what="b")
    assert_started(world)


def test_probes_pass_before_the_vault_has_answered(world):
    env = stop_with_a_list_that_waits(world)
    world.fake.fault({"hold": True}, target="login", times=-1)
    mark = world.fake.mark()
    world.start("sidecar", env=env)
    world.fake.wait_journal(1, target="login", since=mark)
    assert_started(world)


def test_probes_pass_during_an_outage_with_a_list_that_waits(world):
    env = stop_with_a_list_that_waits(world)
    world.fake.fault(OUTAGE, target="vault", times=-1)
    again = world.start("sidecar", env=env)
    again.wait_log("failure", "503")
    assert_started(world)


def test_every_restart_goes_on_with_the_list_that_was_in_force(world):
    env = stop_with_a_list_that_waits(world)
    for _ in range(2):
        again = world.start("sidecar", env=env)
        again.wait_log("failure", what="b")
        rotate(world, again, "a")
        again.stop(signal.SIGKILL)


def test_a_file_that_changed_while_the_sidecar_was_stopped(world):
    world.plant("a", "b")
    config, env = configure(world, "a")
    start(world, env).stop()
    world.fake.revoke("get", name="b")
    config.write("objects: a, b\n")
    again = world.start("sidecar", env=env)
    again.wait_log("failure", what="b")
    rotate(world, again, "a")
    assert_started(world)


def test_objects_that_the_waiting_list_leaves_out_stay_and_rotate(world):
    world.plant("a", "old")
    config, env = configure(world, "a, old=sub/old")
    sidecar = start(world, env)
    config.write("objects: a, missing\n")
    sidecar.wait_log("failure", what="missing")
    sidecar.stop()
    again = world.start("sidecar", env=env)
    again.wait_log("failure", what="missing")
    a, old = world.plant("a", "old")
    again.poll()
    world.wait_files({"a": a, "sub/old": old})
    missing = world.plant("missing")
    again.poll()
    world.wait_files({"a": a, "missing": missing})
    again.wait_log("configuration-applied")


def test_every_attribute_of_the_list_in_force_survives_a_restart(world):
    """Pattern, alias, mode, metadata and version are those of the old list."""
    pinned = world.plant("pinned")
    version = world.fake.secret("pinned")["current"]
    world.plant("pinned", "app-a")
    entries = (
        "{objectName: pinned, objectVersion: %s, objectAlias: x/pinned, filePermission: '0400', metadata: true}"
        ", {objectNamePattern: 'app-*', objectAlias: app}" % version
    )
    config, env = configure(world, f"[{entries}]")
    sidecar = start(world, env)
    config.write(f"objects: [{entries}, {{objectName: missing}}]\n")
    sidecar.wait_log("failure", what="missing")
    sidecar.stop()
    before = world.files()
    again = world.start("sidecar", env=env)
    again.wait_log("failure", what="missing")
    app_a, app_b = world.plant("app-a", "app-b")
    again.poll()
    world.wait_files(before | {"app/app-a": app_a, "app/app-b": app_b})
    assert before["x/pinned"] == pinned
    assert (world.volume / "x/pinned").stat().st_mode & 0o777 == 0o400


def test_init_needs_the_configured_list(world):
    """What was in force before is not enough for `init`; it leaves the files as they are, and a sidecar
    that starts all the same goes on with the old list."""
    a, _ = world.plant("a", "b")
    world.fake.revoke("get", name="b")
    config, env = configure(world, "a", AKVSYNC_INIT_TIMEOUT="3s")
    assert world.start("init", env=env).wait() == 0
    config.write("objects: a, b\n")
    process = world.start("init", env=env)
    assert process.wait() == 4 and process.find("exit", "secret 'b': 403")
    assert world.files() == {"a": a}
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("failure", what="b")
    rotate(world, sidecar, "a")
    assert_started(world)


# A new list that changes no file


LATER = {
    "absent": "{objectName: later, optional: true}",
    "pattern": "{objectNamePattern: 'later-*'}",
}


@pytest.mark.parametrize("more", LATER)
def test_a_list_with_the_same_files_is_applied_without_a_new_set(world, app, more):
    a = world.plant("a")
    notify = {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}"}
    config, env = configure(world, "[{objectName: a}]", **notify)
    sidecar = start(world, env)
    generation, inode = world.generation(), (world.volume / "a").stat().st_ino
    config.write(f"objects: [{{objectName: a}}, {LATER[more]}]\n")
    sidecar.wait_log("configuration-applied")
    assert world.generation() == generation and (world.volume / "a").stat().st_ino == inode
    assert len(sidecar.find("published")) == 1
    poll(sidecar)
    assert app.settled() == [] and not sidecar.find("notified")
    assert world.files() == {"a": a}


@pytest.mark.parametrize("more", LATER)
def test_a_list_with_the_same_files_is_in_force_after_a_restart(world, more):
    """The set is complete for the new list, although nothing was swapped for it."""
    world.plant("a")
    config, env = configure(world, "[{objectName: a}]")
    sidecar = start(world, env)
    generation = world.generation()
    config.write(f"objects: [{{objectName: a}}, {LATER[more]}]\n")
    sidecar.wait_log("configuration-applied")
    sidecar.stop(signal.SIGKILL)
    assert world.generation() == generation
    world.fake.fault(OUTAGE, target="vault", times=-1)
    again = world.start("sidecar", env=env)
    again.wait_log("failure", "503")
    assert again.find("resume", "complete for this configuration")
    assert_started(world)


def test_a_file_that_leaves_and_comes_back_is_a_change(world, app):
    """The counterpart: a name that comes or goes is a new set, and the app is told."""
    a, b = world.plant("a", "b")
    config, env = configure(world, "a, b", AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}")
    sidecar = start(world, env)
    config.write("objects: a\n")
    world.wait_files({"a": a})
    assert app.wait_signals(1) == ["SIGHUP"]
    config.write("objects: a, b\n")
    world.wait_files({"a": a, "b": b})
    assert app.wait_signals(2) == ["SIGHUP"] * 2
    assert len(sidecar.find("published")) == 3


def test_init_makes_no_new_set_for_a_list_with_the_same_files(world):
    world.plant("a")
    assert world.init("[{objectName: a}]").code == 0
    generation = world.generation()
    objects = f"[{{objectName: a}}, {LATER['absent']}]"
    process = world.init(objects)
    assert process.code == 0 and not process.find("published")
    assert world.generation() == generation
    world.fake.fault(OUTAGE, target="vault", times=-1)
    process = world.init(objects, AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 0 and process.find("stale")


# A set that is held back


def polls(world, sidecar, name, count):
    """So many more polls that ask for a secret, and find nothing that could be published."""
    for _ in range(count):
        mark = world.fake.mark()
        sidecar.poll()
        world.fake.wait_journal(1, since=mark, target="vault", path=f"/secrets/{name}*", status=403)


def assert_held_once(sidecar, name):
    [held] = sidecar.find("set-held")
    assert name in held["msg"] and held["level"] in ("warn", "error") and held["kind"] == "set", held


def held_for_three_polls_then_released(world, sidecar):
    polls(world, sidecar, "late-one", 3)
    sidecar.wait_log("set-held", "late-one")
    assert not sidecar.find("set-released")
    world.fake.grant("get", name="late-one")
    sidecar.poll()
    sidecar.wait_log("set-released", kind="set")


def test_the_log_says_what_holds_back_the_first_set(world):
    a, late = world.plant("a", "late-one")
    world.fake.revoke("get", name="late-one")
    sidecar = world.sidecar("a, late-one", wait=False)
    sidecar.wait_log("failure", what="late-one")
    held_for_three_polls_then_released(world, sidecar)
    world.wait_files({"a": a, "late-one": late})
    assert_held_once(sidecar, "late-one")


def test_the_log_says_what_holds_back_a_new_list(world):
    world.plant("a", "late-one")
    world.fake.revoke("get", name="late-one")
    config, env = configure(world, "a")
    sidecar = start(world, env)
    config.write("objects: a, late-one\n")
    sidecar.wait_log("failure", what="late-one")
    held_for_three_polls_then_released(world, sidecar)
    sidecar.wait_log("configuration-applied")
    assert_held_once(sidecar, "late-one")


def test_a_set_that_waits_is_released_when_the_list_is_taken_back(world):
    world.plant("a", "late-one")
    world.fake.revoke("get", name="late-one")
    config, env = configure(world, "a")
    sidecar = start(world, env)
    config.write("objects: a, late-one\n")
    sidecar.wait_log("set-held", "late-one")
    since = sidecar.mark()
    config.write("objects: a\n")
    sidecar.wait_log("configuration-applied", since=since)
    assert wait_until(lambda: sidecar.find("set-released") or sidecar.find("withdrawn", kind="set"))


def test_a_set_that_is_complete_is_never_said_to_be_held(world):
    """One object fails, but its last good file is there."""
    world.plant("a", "b")
    sidecar = world.sidecar("a, b")
    world.fake.revoke("get", name="b")
    rotate(world, sidecar, "a")
    sidecar.wait_log("failure", what="b")
    assert not sidecar.find("set-held")
