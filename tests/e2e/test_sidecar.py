"""`sidecar`: rotation, restarts, signals, and what the volume carries from run to run."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import time

import pytest
from conftest import DEADLINE_S, wait_until


def requests_for(world, name, since=0):
    entries = world.fake.journal(target="vault", since=since)
    return [e for e in entries if f"/secrets/{name}/" in e["path"] + "/" and e["authenticated"]]


def rotate(world, sidecar, name):
    """A new value for one secret; waits until it is on the volume."""
    since, value = sidecar.mark(), world.plant(name)
    expected = world.files() | {name: value}
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    world.wait_files(expected)
    return value


def poll(sidecar):
    """One more poll that finds nothing new."""
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)


def test_polls_by_itself_with_jitter(world):
    first = world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_POLL_INTERVAL="1s")
    assert world.files() == {"s": first}
    second = world.plant("s")
    world.wait_files({"s": second})
    world.fake.wait_journal(6, target="vault", status=200, timeout=DEADLINE_S)
    times = [e["monotonic"] for e in requests_for(world, "s")]
    pauses = [later - earlier for earlier, later in zip(times, times[1:])]
    # The first poll is anywhere within the interval, so that pods that started together part.
    assert min(pauses[1:]) >= 0.75, "no sooner than 80 % of the interval"
    assert len({round(pause, 2) for pause in pauses}) > 1, "at random times"
    assert len(world.fake.journal(target="login")) == 1, "the token is kept"
    assert sidecar.stop()[0] == 0


def test_what_changed_is_swapped_and_the_rest_is_kept(world):
    a, b = world.plant("a", "b")
    sidecar = world.sidecar("a, b=sub/b", AKVSYNC_RETAIN="1s")
    before, kept = world.generation(), (world.volume / "sub/b").stat()
    new = rotate(world, sidecar, "a")
    assert new != a and (world.volume / "sub/b").read_text() == b
    assert (world.volume / "sub/b").stat().st_ino == kept.st_ino, "an unchanged file is the same one"
    published = sidecar.find("published")[-1]
    assert (published["files"], published["changed"]) == (2, 1)
    assert published["versions"].startswith("a@")
    assert world.generation() == published["generation"] != before
    assert wait_until(lambda: not (world.volume / before).exists()), "the previous set goes after AKVSYNC_RETAIN"


def test_the_previous_set_stays_for_readers_in_flight(world):
    first = world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_RETAIN="1h")
    before = world.volume / world.generation()
    rotate(world, sidecar, "s")
    assert (before / "s").read_text() == first


def test_an_unchanged_set_is_not_written_again(world):
    world.plant("s")
    sidecar = world.sidecar("s")
    generation, listing = world.generation(), sorted(os.listdir(world.volume))
    for _ in range(5):
        poll(sidecar)
    assert world.generation() == generation and sorted(os.listdir(world.volume)) == listing
    assert len(sidecar.find("published")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_picks_up_what_is_there(world, number, app):
    notify = {"AKVSYNC_NOTIFY": f"signal=HUP,process={app.name}"}
    first = world.plant("s")
    world.sidecar("s", **notify).stop(number)
    inode = (world.volume / "s").stat().st_ino
    again = world.sidecar("s", **notify)
    assert again.find("resume", "found 1 file on the volume, complete for this configuration")
    assert not again.find("published") and not again.find("notified")
    assert (world.volume / "s").stat().st_ino == inode and world.files() == {"s": first}
    rotate(world, again, "s")
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_sidecar_takes_over_from_init(world, app):
    value = world.plant("s")
    assert world.init("s").code == 0
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}")
    assert not sidecar.find("published") and world.files() == {"s": value}
    assert not app.settled()


def test_a_pinned_version_is_fetched_once(world):
    value = world.plant("pinned")
    version = world.fake.secret("pinned")["current"]
    world.plant("pinned", "free")
    objects = json.dumps([{"objectName": "pinned", "objectVersion": version}, {"objectName": "free"}])
    sidecar = world.sidecar(objects)
    poll(sidecar)
    assert world.files()["pinned"] == value
    sidecar.stop()
    world.sidecar(objects)
    assert len(requests_for(world, "pinned")) == 1
    assert len(requests_for(world, "free")) == 3


def test_only_pinned_objects_on_disk_need_no_vault(world):
    world.plant("pinned")
    version = world.fake.secret("pinned")["current"]
    objects = json.dumps([{"objectName": "pinned", "objectVersion": version}])
    assert world.init(objects).code == 0
    mark = world.fake.mark()
    sidecar = world.sidecar(objects, wait=False)
    sidecar.wait_log("unchanged")
    assert not world.fake.journal(since=mark)


def test_the_configuration_decides_which_files_there_are(world):
    a, b, c = world.plant("a", "b", "c")
    world.sidecar("a, b").stop()
    mark = world.fake.mark()
    world.sidecar("b=moved/b, c", wait=False).wait_log("published")
    assert world.files() == {"moved/b": b, "c": c}
    assert not (world.volume / "a").is_symlink()
    assert not requests_for(world, "a", mark)
    world.processes[-1].stop()
    world.sidecar("a", wait=False).wait_log("published")
    assert world.files() == {"a": a}


def test_a_changed_mode_makes_the_file_anew(world):
    value = world.plant("s")
    world.sidecar("s").stop()
    world.sidecar("s", wait=False, AKVSYNC_FILE_MODE="0400").wait_log("published")
    assert (world.volume / "s").stat().st_mode & 0o777 == 0o400
    assert world.files() == {"s": value}


def deleted(path):
    path.unlink()


def edited(path):
    path.chmod(0o640)
    path.write_text("someone else wrote this")


@pytest.mark.parametrize("damage", [deleted, edited])
def test_a_damaged_file_heals_at_the_next_poll(world, damage):
    value, other = world.plant("s", "t")
    sidecar = world.sidecar("s, t")
    damage(world.volume / "..data" / "s")
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("published", since=since)
    world.wait_files({"s": value, "t": other})
    assert (world.volume / "s").stat().st_mode & 0o777 == 0o440


def test_leftovers_of_a_crash_are_swept(world):
    value = world.plant("s")
    world.sidecar("s").stop(signal.SIGKILL)
    half_made = world.volume / "..2020_01_01_00_00_00.123456789"
    half_made.mkdir()
    (half_made / "s").write_text("half")
    (world.volume / "..tmp.1234abcd").symlink_to(half_made.name)
    (world.volume / "gone").symlink_to("..data/gone")
    (world.volume / "not-ours").write_text("kept")
    world.sidecar("s").stop()
    assert world.files() == {"s": value, "not-ours": "kept"}
    left = sorted(name for name in os.listdir(world.volume) if name.startswith(".."))
    assert len([name for name in left if re.match(r"\.\.(20|tmp)", name)]) == 1, left
    assert not (world.volume / "gone").is_symlink()


@pytest.mark.parametrize("manifest", ['{"format": 99}', "garbage", ""])
def test_state_of_another_release_means_a_full_fetch(world, manifest):
    value = world.plant("s")
    world.sidecar("s").stop()
    path = world.volume / "..data" / "..manifest"
    path.chmod(0o600)
    path.write_text(manifest)
    sidecar = world.sidecar("s", wait=False)
    sidecar.wait_log("published")
    assert world.files() == {"s": value} and not sidecar.find("failure")


def test_one_writer_at_a_time(world):
    """A second one waits for a first that is ending, and then does its work."""
    value = world.plant("s")
    first = world.sidecar("s")
    second = world.start("sidecar", env=world.env("s"))
    world.fake.wait_journal(1, target="vault", status=200)
    first.stop()
    second.wait_log("unchanged")
    assert world.files() == {"s": value} and second.stop()[0] == 0


def test_a_vault_that_is_down_at_the_start_is_waited_for(world):
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("s", wait=False)
    sidecar.wait_log("failure", "secret 's': 503")
    assert wait_until(lambda: "503" in world.termination_log.read_text())
    assert sidecar.popen.poll() is None, "never exits because the vault is down"
    value = world.plant("s")
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("ready")
    world.wait_files({"s": value})
    assert world.termination_log.read_text() == ""


def test_an_object_that_cannot_be_read_yet_holds_back_the_first_set_only(world):
    """The first set needs every object; a later configuration waits with the old files in place."""
    a = world.plant("a")
    sidecar = world.sidecar("a, late", wait=False)
    sidecar.wait_log("failure", "secret 'late': 404")
    assert world.files() == {}
    late = world.plant("late")
    sidecar.poll()
    world.wait_files({"a": a, "late": late})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_promptly_when_idle(world, number):
    world.plant("s")
    sidecar = world.sidecar("s")
    code, seconds = sidecar.stop(number)
    assert (code, seconds < 2) == (0, True)
    assert sidecar.find("stop", number.name)


@pytest.mark.parametrize("target", ["login", "vault"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_promptly_in_mid_fetch(world, number, target):
    world.plant("s")
    world.fake.fault({"hold": True}, target=target, times=-1)
    sidecar = world.sidecar("s", wait=False)
    world.fake.wait_journal(1, target=target)
    code, seconds = sidecar.stop(number)
    assert (code, seconds < 2) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_promptly_as_pid_1(world, number):
    """The kernel drops signals without a handler for pid 1."""
    if os.geteuid():
        pytest.skip("a process namespace needs root")
    world.plant("s")
    outer = world.sidecar("s", wrapper=("unshare", "--pid", "--fork", "--mount-proc"))
    assert outer.find("start", pid=1)
    inner = int(pathlib.Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())
    start = time.monotonic()
    os.kill(inner, signal.SIGHUP)
    outer.wait_log("poll-requested")
    os.kill(inner, number)
    assert outer.wait() == 0 and time.monotonic() - start < 5


def test_bad_configuration_exits_3(world):
    sidecar = world.sidecar("s", wait=False, AKVSYNC_POLL_INTERVAL="soon")
    assert sidecar.wait() == 3
    assert "AKVSYNC_POLL_INTERVAL: 'soon' is not a duration" in world.termination_log.read_text()


def test_a_volume_that_fills_up_keeps_the_old_set(world, small_volume):
    first = world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_DIR=str(small_volume), wait=False)
    sidecar.wait_log("ready")
    filler = small_volume / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
        while file.write(b"x" * 4096):
            pass
    second = world.plant("s")
    sidecar.poll()
    sidecar.wait_log("failure", "No space left on device.*sizeLimit")
    assert (small_volume / "s").read_text() == first
    filler.unlink()
    sidecar.poll()
    sidecar.wait_log("recovered")
    assert (small_volume / "s").read_text() == second


def test_files_of_another_uid_are_carried_forward_by_copy(world):
    """An init container of another uid made the set; one of its secrets cannot be read now."""
    if os.geteuid():
        pytest.skip("changing the owner needs root")
    a, _ = world.plant("a", "b")
    assert world.init("a, b").code == 0
    made = world.volume / "..data" / "a"
    os.chown(made, 1000, made.stat().st_gid)
    world.fake.disable("a")
    b = world.plant("b")
    sidecar = world.sidecar("a, b", wait=False)
    sidecar.wait_log("published")
    assert world.files() == {"a": a, "b": b}
    assert made.stat().st_uid == os.geteuid() and made.stat().st_mode & 0o777 == 0o440


def test_a_set_of_another_form_stays_until_a_new_one_is_there(world):
    """What a release with other names for its generations left behind."""
    a = world.plant("a")
    assert world.init("a").code == 0
    data = world.volume / "..data"
    os.rename(data.resolve(), world.volume / "..generation-7")
    data.unlink()
    data.symlink_to("..generation-7")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("a", wait=False)
    sidecar.wait_log("failure", "503")
    assert world.files() == {"a": a}


def test_only_evidence_ends_a_failure(world):
    """The secret stays disabled while the vault is down: it does not work again."""
    world.plant("a", "b")
    sidecar = world.sidecar("a, b")
    world.fake.disable("a")
    sidecar.poll()
    sidecar.wait_log("failure", "SecretDisabled")
    rule = world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", "503")
    world.fake.remove_fault(rule)
    sidecar.poll()
    assert sidecar.wait_log("recovered")["what"] == "vault 'shop-kv'"
    world.fake.enable("a")
    sidecar.poll()
    assert sidecar.wait_log("recovered", what="a")["failures"] >= 2


def test_whether_tokens_or_the_vault_are_out_of_reach(world):
    """Entra is down, then the vault instead: each failure has its own begin and end."""
    world.plant("s")
    world.fake.fault({"status": 503, "retry_after_s": 60}, target="login", times=-1)
    sidecar = world.sidecar("s", wait=False)
    sidecar.wait_log("failure", "token", what="token endpoint", timeout=120)
    world.fake.clear_faults()
    world.fake.fault({"status": 503}, target="vault", authenticated=True, times=-1)
    sidecar.poll()
    sidecar.wait_log("recovered", what="token endpoint", timeout=120)
    sidecar.wait_log("failure", "secret 's': 503", what="vault 'shop-kv'", timeout=120)
    world.fake.clear_faults()
    sidecar.poll()
    sidecar.wait_log("recovered", what="vault 'shop-kv'", timeout=120)
    assert [e["what"] for e in sidecar.find("failure")] == ["token endpoint", "vault 'shop-kv'"]


def test_the_start_line_is_whole_for_a_long_list(world):
    names = [f"secret-{number:03}-{'x' * 100}" for number in range(400)]
    sidecar = world.sidecar(", ".join(names), wait=False)
    start = sidecar.wait_log("start")
    assert start["objects"] == 400
    assert start["settings"]["AKVSYNC_OBJECTS"].startswith(names[0])
    assert start["settings"]["AKVSYNC_OBJECTS"].endswith("…")


def test_a_log_that_nobody_reads_stops_nothing(world):
    """The reader hangs, so the pipe fills up in the middle of a line."""
    pipe = world.folder / "stderr"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    first = world.plant("s")
    wrapper = ("sh", "-c", f'exec "$@" 2>{pipe}', "sh")
    sidecar = world.sidecar("s", wait=False, wrapper=wrapper, NO_PROXY="a," * 2500)
    world.wait_files({"s": first}, timeout=120)
    for _ in range(3):
        value = world.plant("s")
        sidecar.poll()
        world.wait_files({"s": value}, timeout=120)

    def read_on():
        with contextlib.suppress(BlockingIOError):
            sidecar.text += os.read(reader, 1 << 20).decode(errors="replace")
        return "log-lost" in sidecar.text and sidecar.text.endswith("\n")

    assert wait_until(read_on, timeout=120)
    lines = sidecar.text.splitlines()
    entries = [json.loads(line) for line in lines]
    assert entries[0]["event"] == "start" and len(lines[0]) > 4096
    assert entries[1]["event"] == "log-lost" and entries[1]["lines"] > 3
    with pytest.raises(BlockingIOError):
        while os.write(reader, b"x" * 512):
            pass
    assert sidecar.stop()[0] == 0
    os.close(reader)


def test_a_closed_stderr_never_becomes_something_else(world):
    """Else the log would be written into a connection or a file."""
    value = world.plant("s")
    sidecar = world.sidecar("s", wait=False, wrapper=("sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"))
    world.wait_files({"s": value}, timeout=120)
    assert {os.readlink(f"/proc/{sidecar.pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    assert sidecar.stop()[0] == 0
