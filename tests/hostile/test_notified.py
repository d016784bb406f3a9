"""The app is told at least once, whatever is lost or refused."""

import shutil
import signal

import pytest
from app import App
from conftest import wait_until
from test_sidecar import rotate

STRACE = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null")


def by_name(app):
    return {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}"}


def spoil(path, how):
    """What becomes of ..notified."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    if how == "unwritable":
        path.mkdir()
    elif how == "garbage":
        path.write_text("garbage")
    elif how == "another format":
        path.write_text('{"format":9,"delivered":{}}')
    elif how == "without targets":
        path.write_text('{"format":1}')


@pytest.mark.parametrize("how", ["lost", "unwritable", "garbage", "another format", "without targets"])
@pytest.mark.parametrize("when", ["first set", "second set"])
def test_a_crash_without_a_record_is_made_up_for(world, how, when):
    """The record is spoilt before the first set, or at the second; then akvsync is killed."""
    app = App(world.folder)
    state = world.volume / "..notified"
    world.plant("s")
    if when == "first set" and how == "unwritable":
        state.mkdir()
    sidecar = world.sidecar("s", **by_name(app))
    if when == "first set":
        spoil(state, how)
    rotate(world, sidecar, "s")
    sidecar.wait_log("notify-failed")
    if when == "second set":
        spoil(state, how)
    sidecar.stop(signal.SIGKILL)
    with app:
        again = world.sidecar("s", **by_name(app))
        again.wait_log("notified", generation=world.generation())
        assert app.wait_signals(1) == ["SIGHUP"]
        again.stop()


@pytest.mark.parametrize("how", ["lost", "unwritable", "garbage"])
def test_a_first_set_is_no_event_for_all_the_same(world, app, how):
    """It replaced nothing: a signal could end an app that is starting."""
    state = world.volume / "..notified"
    world.plant("s")
    notify = {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}; on=first,signal=USR1,process={app.name}"}
    sidecar = world.sidecar("s", **notify)
    assert app.wait_signals(1) == ["SIGUSR1"]
    sidecar.stop(signal.SIGKILL)
    spoil(state, how)
    again = world.sidecar("s", **notify)
    again.wait_log("notified")
    assert app.wait_signals(2) == ["SIGUSR1"] * 2, "who asked for the first set is told once too often"


def test_an_app_that_runs_is_told_of_a_set_that_seems_to_be_the_first(world, app):
    """..data was lost while no akvsync ran; ..notified says that there was a set."""
    world.plant("s")
    world.sidecar("s", **by_name(app)).stop(signal.SIGKILL)
    (world.volume / "..data").unlink()
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    sidecar.wait_log("notified")
    assert app.wait_signals(1) == ["SIGHUP"]


def test_all_that_is_lost_while_it_runs_is_told(world, app):
    world.plant("s")
    sidecar = world.sidecar("s", **by_name(app))
    for path in world.volume.glob("..[!s]*"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    value = world.plant("s")
    sidecar.poll()
    world.wait_files({"s": value})
    assert app.wait_signals(1) == ["SIGHUP"]


@pytest.mark.parametrize("call", ["pidfd_open", "pidfd_send_signal"])
@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
@pytest.mark.parametrize("by", ["process", "pidfile"])
def test_without_pidfd_the_signal_goes_to_the_number(world, app, call, error, by):
    pidfile = world.folder / "app.pid"
    pidfile.write_text(str(app.pid))
    whom = f"process={app.name}" if by == "process" else f"pidfile={pidfile}"
    world.plant("s")
    wrapper = (*STRACE, "-e", f"trace={call}", "-e", f"inject={call}:error={error}")
    sidecar = world.sidecar("s", wrapper=wrapper, AKVSYNC_NOTIFY=f"signal=HUP,{whom}")
    rotate(world, sidecar, "s")
    assert app.wait_signals(1) == ["SIGHUP"]
    sidecar.wait_log("notified", processes=1)
    assert not sidecar.find("notify-failed")


@pytest.mark.parametrize("call", ["pidfd_open", "pidfd_send_signal"])
def test_without_a_right_the_hint_is_about_the_right(world, app, call):
    """Nobody may signal the app, by pidfd or not."""
    world.plant("s")
    inject = f"inject={call},kill:error=EPERM"
    wrapper = (*STRACE, "-e", f"trace={call},kill", "-e", inject)
    sidecar = world.sidecar("s", wrapper=wrapper, **by_name(app))
    rotate(world, sidecar, "s")
    failed = sidecar.wait_log("notify-failed")
    assert "not permitted to signal" in failed["msg"] and "runAsUser" in failed["msg"]
    assert not app.settled()


@pytest.mark.parametrize("error", ["EPERM", "ENOSYS"])
def test_programs_run_without_pidfd(world, error):
    """Their end is noticed, and a program that does not end is ended."""
    ran = world.folder / "ran"
    quick = world.folder / "quick"
    quick.write_text(f"#!/bin/sh\necho x >>{ran}\nexec >&- 2>&-\n")
    slow = world.folder / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    for program in (quick, slow):
        program.chmod(0o755)
    world.plant("s")
    wrapper = (*STRACE, "-e", "trace=pidfd_open", "-e", f"inject=pidfd_open:error={error}")
    sidecar = world.sidecar("s", wrapper=wrapper, AKVSYNC_NOTIFY=f"exec={quick}; timeout=200ms,exec={slow}; precheck=exec {quick}")
    rotate(world, sidecar, "s")
    sidecar.wait_log("notified", target=f"exec={quick}", generation=world.generation())
    sidecar.wait_log("notify-failed", "did not end within 200ms and was killed")
    assert wait_until(lambda: ran.read_text().count("x") >= 3), "twice before a set, once after"
