"""Telling the app: once a swap, until it worked, and never what is none of its business."""

import json
import os
import shutil
import signal
import time

import pytest
from app import App
from conftest import BINARY, DEADLINE_S, wait_until
from test_config import ConfigMap
from test_sidecar import rotate


def by_name(app):
    return {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}"}


def test_by_process_name_once_a_swap(world, app):
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    assert not app.settled(), "not at the first set: the app may not be ready for it"
    for count in (1, 2, 3):
        rotate(world, sidecar, "s")
        assert app.wait_signals(count) == ["SIGHUP"] * count
    notified = sidecar.find("notified")
    assert [entry["processes"] for entry in notified] == [1, 1, 1]
    assert notified[-1]["generation"] == world.generation()


def test_by_pid_file(world, app):
    pidfile = world.folder / "app.pid"
    pidfile.write_text(f"{app.pid}\n")
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal=SIGUSR1,pidfile={pidfile}")
    rotate(world, sidecar, "s")
    assert app.wait_signals(1) == ["SIGUSR1"]


def test_several_targets(world, app):
    pidfile = world.folder / "app.pid"
    pidfile.write_text(str(app.pid))
    world.plant("s")
    sidecar = world.sidecar(
        "s", AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}; signal=USR1,pidfile={pidfile}"
    )
    rotate(world, sidecar, "s")
    assert sorted(app.wait_signals(2)) == ["SIGHUP", "SIGUSR1"]


def test_never_itself(world):
    world.plant("s")
    renamed = world.folder / f"self-{os.urandom(4).hex()}"  # no other test's process has this name
    shutil.copy(BINARY, renamed)
    sidecar = world.sidecar("s", binary=renamed, AKVSYNC_NOTIFY=f"signal=HUP,process={renamed.name}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", f"no process named '{renamed.name}'")
    assert len(sidecar.find("poll-requested")) == 1, "it did not signal itself"


def test_first_set_for_those_who_ask(world, app):
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"on=first,signal=HUP,process={app.name}")
    assert app.wait_signals(1) == ["SIGHUP"]
    sidecar.wait_log("notified")
    rotate(world, sidecar, "s")
    assert app.wait_signals(2) == ["SIGHUP"] * 2


def test_init_tells_nobody_of_a_set_that_replaces_another(world, app):
    """The pod's containers start anew: the app does not run yet."""
    first = by_name(app)["AKVSYNC_NOTIFY"]
    for _ in range(2):
        world.plant("s")
        process = world.init("s", AKVSYNC_NOTIFY=f"{first}; on=first,signal=USR1,process={app.name}")
        assert process.code == 0
    assert app.settled() == ["SIGUSR1"] * 2
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=first)
    assert sidecar.stop()[0] == 0 and app.settled() == ["SIGUSR1"] * 2


def test_a_missing_process_is_told_and_tried_until_it_is_there(world):
    app = App(world.folder)
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    rotate(world, sidecar, "s")
    told = sidecar.wait_log("notify-failed")
    assert f"no process named '{app.name}'" in told["msg"] and "shareProcessNamespace" in told["msg"]
    newest = rotate(world, sidecar, "s")
    with app:
        assert app.wait_signals(1) == ["SIGHUP"], "for the newest set only"
        notified = sidecar.wait_log("notified")
    assert notified["generation"] == world.generation() and notified["attempt"] >= 1
    assert world.files() == {"s": newest}


@pytest.mark.parametrize("by", ["process", "pidfile"])
def test_an_app_that_is_still_starting_is_not_killed(world, by):
    """The default action of SIGHUP ends a process that has no handler yet."""
    with App(world.folder, slow=True) as app:
        pidfile = world.folder / "app.pid"
        pidfile.write_text(str(app.pid))
        world.plant("s")
        whom = f"process={app.name}" if by == "process" else f"pidfile={pidfile}"
        sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal=HUP,{whom}")
        rotate(world, sidecar, "s")
        sidecar.wait_log("notify-failed", "does not handle SIGHUP, which would end it: is it still starting")
        app.handle()
        assert app.wait_signals(1) == ["SIGHUP"]


def test_a_zombie_is_no_app(world):
    app = App(world.folder).start()
    app.process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, app.pid, os.WEXITED | os.WNOWAIT)
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", f"no process named '{app.name}'")
    app.stop()


def test_a_missing_pid_file_is_told(world, app):
    pidfile = world.folder / "app.pid"
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal=HUP,pidfile={pidfile}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", f"'{pidfile}'.*No such file")
    pidfile.write_text(str(app.pid))
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_stale_pid_file_is_told(world):
    pidfile = world.folder / "app.pid"
    with App(world.folder) as ended:
        pidfile.write_text(str(ended.pid))
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal=HUP,pidfile={pidfile}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", f"names process {ended.pid}, which does not exist: is it stale")


def test_another_uid_is_told_apart(world):
    if os.geteuid():
        pytest.skip("a process of another user needs root")
    nobody = ("setpriv", "--reuid=65534", "--clear-groups")
    world.folder.chmod(0o755)
    world.plant("s")
    with App(world.volume, wrapper=nobody) as app:
        sidecar = world.sidecar(
            "s", wrapper=("setpriv", "--bounding-set=-kill", "--inh-caps=-kill"), **by_name(app)
        )
        world.plant("s")
        sidecar.poll()
        told = sidecar.wait_log("notify-failed")
        assert "not permitted" in told["msg"] and "runAsUser" in told["msg"], told
        assert not app.settled()


def test_one_that_may_not_be_signalled_does_not_hold_up_the_others(world, app):
    """Nor do those that took the signal get it again with each try."""
    if os.geteuid():
        pytest.skip("a process of another user needs root")
    world.folder.chmod(0o755)
    world.plant("s")
    nobody = ("setpriv", "--reuid=65534", "--clear-groups")
    with App(world.volume, wrapper=nobody, name=app.name) as other, App(world.volume, name=app.name) as third:
        sidecar = world.sidecar(
            "s", wrapper=("setpriv", "--bounding-set=-kill", "--inh-caps=-kill"), **by_name(app)
        )
        rotate(world, sidecar, "s")
        sidecar.wait_log("notify-failed", f"not permitted to signal process {other.pid}", attempt=3)
        assert app.wait_signals(1) == third.wait_signals(1) == ["SIGHUP"]
        assert not other.settled()
    assert sidecar.wait_log("notified")["processes"] == 2
    assert app.settled() == ["SIGHUP"]


@pytest.mark.parametrize("kind", ["crash", "state"])
def test_a_crash_between_swap_and_notify_is_made_up_for(world, kind):
    app = App(world.folder)
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    if kind == "crash":
        rotate(world, sidecar, "s")
        sidecar.wait_log("notify-failed")
        sidecar.stop(signal.SIGKILL)
    else:
        sidecar.stop()
        state = world.volume / "..notified"
        told = json.loads(state.read_text())
        target = next(iter(told["delivered"]))
        assert told["delivered"][target] == world.generation()
        told["delivered"][target] = "..2020_01_01_00_00_00.000000000"
        state.write_text(json.dumps(told))
    with app:
        again = world.sidecar("s", **by_name(app))
        again.wait_log("notified")
        assert not again.find("published")
        assert app.wait_signals(1) == ["SIGHUP"]
        again.stop()
        world.sidecar("s", **by_name(app))
        assert app.settled() == ["SIGHUP"], "and only once"


def test_splay_delays(world, app):
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY_SPLAY="1s", **by_name(app))
    rotate(world, sidecar, "s")
    assert app.wait_signals(1, timeout=DEADLINE_S) == ["SIGHUP"]


SPLAY_S = 5
NO_SHORT_DELAY = "splay-2745"
"""A pod whose random delays are all longer than the pause between two rotations here."""


def test_rotations_do_not_put_off_the_splay(world, app):
    """A rotation a second, each of which alone would be told within the splay."""
    world.plant("s")
    env = world.env("s", AKVSYNC_NOTIFY_SPLAY=f"{SPLAY_S}s", **by_name(app)) | {"POD_UID": NO_SHORT_DELAY}
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    start = time.monotonic()
    while not app.signals and time.monotonic() < start + DEADLINE_S:
        rotate(world, sidecar, "s")
        wait_until(app.settled, timeout=0.8)
    assert app.signals, f"not told within {time.monotonic() - start:.1f} s, with {len(sidecar.find('published'))} sets"
    # What came meanwhile is told in the same way, and nothing more than that.
    last = sidecar.find("published")[-1]["generation"]
    sidecar.wait_log("notified", generation=last)
    told = [entry["generation"] for entry in sidecar.find("notified")]
    assert len(set(told)) == len(told) == len(app.wait_signals(len(told)))


# Whom to tell changes


def start_with_a_typo(world, whom, **more):
    """A rotation while the configuration file names a process that does not exist."""
    world.plant("s")
    config = ConfigMap(world.folder / "config", f"objects: s\nnotify: {whom}\n")
    env = world.env(None, AKVSYNC_CONFIG=config.path, **more)
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed", "no process named 'no-such-app'")
    return sidecar, config, env


def test_a_mended_name_is_told_of_the_set_that_it_missed(world, app):
    sidecar, config, _ = start_with_a_typo(world, "signal=HUP,process=no-such-app")
    config.write(f"objects: s\nnotify: signal=HUP,process={app.name}\n")
    sidecar.wait_log("configuration-applied")
    assert app.wait_signals(1) == ["SIGHUP"]
    notified = sidecar.find("notified")
    assert [entry["generation"] for entry in notified] == [world.generation()]
    rotate(world, sidecar, "s")
    assert app.wait_signals(2) == ["SIGHUP"] * 2


def test_a_name_that_is_mended_while_the_sidecar_is_stopped(world, app):
    sidecar, config, env = start_with_a_typo(world, "signal=HUP,process=no-such-app")
    sidecar.stop(signal.SIGKILL)
    config.write(f"objects: s\nnotify: signal=HUP,process={app.name}\n")
    for _ in range(2):
        again = world.start("sidecar", env=env)
        again.wait_log("unchanged")
        assert app.wait_signals(1) == ["SIGHUP"], "once, also after another restart"
        again.stop()


def test_only_the_mended_name_is_told(world, app):
    """The other one got the signal for this set already."""
    other = f"signal=HUP,process={app.name}; signal=USR1,process="
    sidecar, config, _ = start_with_a_typo(world, other + "no-such-app")
    assert app.wait_signals(1) == ["SIGHUP"]
    config.write(f"objects: s\nnotify: {other}{app.name}\n")
    sidecar.wait_log("configuration-applied")
    assert app.wait_signals(2) == ["SIGHUP", "SIGUSR1"]


def test_a_name_that_is_mended_twice(world, app):
    """The set is missed by two wrong names in turn."""
    sidecar, config, _ = start_with_a_typo(world, "signal=HUP,process=no-such-app")
    since = sidecar.mark()
    config.write("objects: s\nnotify: signal=HUP,process=nor-this-one\n")
    sidecar.wait_log("notify-failed", "no process named 'nor-this-one'", since)
    config.write(f"objects: s\nnotify: signal=HUP,process={app.name}\n")
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_pending_target_stays_pending_when_something_else_changes(world):
    """A hot reload of the list while the app does not run yet."""
    app = App(world.folder)
    world.plant("s", "t")
    notify = f"notify: signal=HUP,process={app.name}\n"
    config = ConfigMap(world.folder / "config", f"objects: s\n{notify}")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed")
    config.write(f"objects: s\npollInterval: 2h\n{notify}")
    sidecar.wait_log("configuration-applied")
    with app:
        assert app.wait_signals(1) == ["SIGHUP"]


def test_a_name_that_is_new_is_not_told_of_what_nobody_missed(world, app):
    world.plant("s")
    config = ConfigMap(world.folder / "config", "objects: s\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    rotate(world, sidecar, "s")
    config.write(f"objects: s\nnotify: signal=HUP,process={app.name}\n")
    sidecar.wait_log("configuration-applied")
    assert app.settled() == []
    rotate(world, sidecar, "s")
    assert app.wait_signals(1) == ["SIGHUP"]


# The first set


@pytest.mark.parametrize("command", ["sidecar", "init"])
def test_a_crash_between_the_first_set_and_its_record_is_made_up_for(world, command):
    """Those who asked for the first set are told once, the others not at all."""
    app = App(world.folder)
    world.plant("s")
    notify = f"on=first,signal=HUP,process={app.name}; signal=USR1,process={app.name}"
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=notify)
    sidecar.wait_log("notify-failed")
    sidecar.stop(signal.SIGKILL)
    (world.volume / "..notified").unlink()
    with app:
        again = world.start(command, env=world.env("s", AKVSYNC_NOTIFY=notify))
        again.wait_log("unchanged")
        assert app.wait_signals(1) == ["SIGHUP"]
        again.stop()
        again = world.start(command, env=world.env("s", AKVSYNC_NOTIFY=notify))
        again.wait_log("unchanged")
        assert app.settled() == ["SIGHUP"], "and only once"


def test_who_is_named_after_the_first_set_is_not_told_of_it(world, app):
    """The first set was made when nobody was to be told, which is no crash."""
    world.plant("s")
    world.sidecar("s").stop()
    world.sidecar("s", AKVSYNC_NOTIFY=f"on=first,signal=HUP,process={app.name}")
    assert app.settled() == []
