"""Telling the app: once a swap, until it worked, and never what is none of its business."""

import json
import os
import shutil
import signal

import pytest
from app import App
from conftest import BINARY, DEADLINE_S
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
