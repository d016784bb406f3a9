"""The node's clock is set while the program runs, or was never right: what waits goes by another clock, what judges says so."""

import datetime
import json
import os
import re
import subprocess
import time

import pytest
from conftest import BINARY, wait_until
from figures import report
from test_listen import free_port, request
from test_sidecar import poll, rotate
from wallclock import WallClock

HOUR = 3600
DAY = 24 * HOUR
HOURS = {"an hour ahead": HOUR, "an hour behind": -HOUR, "200 days ahead": 200 * DAY, "20 hours behind": -20 * HOUR}
"""The fake's certificates are valid then, from one day ago for a year."""
YEARS = {"1970": 1970, "1999": 1999, "2039": 2039, "2100": 2100}


@pytest.fixture(params=["libfaketime", "shiftclock"])
def clock(world, request):
    return WallClock(world, request.param)


def start(world, clock, objects, **more):
    return world.sidecar(objects, wrapper=clock.wrapper, **clock.env, **more)


def requests(world, since):
    return world.fake.journal(target="vault", since=since, authenticated=True)


def times_of(document):
    """Every RFC 3339 time in a status."""
    return re.findall(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"', document)


def seconds(text):
    return datetime.datetime.fromisoformat(text + "+00:00").timestamp()


def assert_no_negative(port):
    """Whatever the clock did."""
    status, metrics = request(port, "/status")[2], request(port, "/metrics")[2]
    json.loads(status)
    assert not re.search(r":-\d", status), status
    assert all(seconds(text) >= 0 for text in times_of(status))
    assert not re.findall(r"^[^#\n]* -.*$", metrics, re.M), metrics


def test_the_clock_is_the_one_that_was_set(world, clock):
    """Else the other tests would show nothing: the log has its times, and a step is seen at once."""
    world.plant("s")
    clock.set(-300 * 60)
    sidecar = start(world, clock, "s")
    assert abs(seconds(sidecar.entries[-1]["ts"][:19]) - clock.now()) < 60
    clock.set(200 * DAY)
    poll(sidecar)
    assert abs(seconds(sidecar.entries[-1]["ts"][:19]) - clock.now()) < 60


def test_polls_neither_stop_nor_storm(world, clock):
    """As many as the interval says, by the time that really passes."""
    port = free_port()
    world.plant("s")
    start(world, clock, "s", AKVSYNC_POLL_INTERVAL="1s", AKVSYNC_LISTEN=f"127.0.0.1:{port}")
    for name, shift_s in HOURS.items():
        clock.set(shift_s)
        since, began = world.fake.mark(), time.monotonic()
        assert wait_until(lambda since=since: len(requests(world, since)) >= 2)
        polls, passed_s = len(requests(world, since)), time.monotonic() - began
        most = int(passed_s / 0.75 + 2)
        report("clocks", f"polls in {passed_s:.1f} s, {name} ({clock.by})", polls, f"2 to {most}", polls <= most)
        assert_no_negative(port)
        assert request(port, "/readyz")[0] == 200


def test_nothing_is_done_when_the_clock_is_set(world, clock):
    """Nothing is due, so not one request is sent and not one line is logged; what is asked for next works."""
    port = free_port()
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=700)
    world.fake.set("s", world.plant("s"), exp=int(expires.timestamp()))
    sidecar = start(world, clock, "s", AKVSYNC_LISTEN=f"127.0.0.1:{port}", AKVSYNC_MAX_STALENESS="2h")
    poll(sidecar)
    since, mark = world.fake.mark(), sidecar.mark()
    for year in YEARS.values():
        clock.set_to(year)
        for _ in range(3):
            assert request(port, "/readyz")[0] == 200, "no set became stale"
            assert_no_negative(port)
    clock.set()
    done = len(world.fake.journal(since=since)) + len(sidecar.entries[mark:])
    report("clocks", f"requests and log lines when it becomes {', '.join(YEARS)} ({clock.by})", done, 0, done == 0)
    rotate(world, sidecar, "s")


@pytest.mark.parametrize("year", ["1999", "2039"])
def test_certificates_are_judged_by_it(world, clock, year):
    """The connection fails and the clock is named, the last good files stay; with the clock right it goes on, without a restart.

    Set back, the clock may leave a TLS session usable in which the certificate was found good before.
    """
    world.plant("s")
    sidecar = start(world, clock, "s")
    clock.set_to(YEARS[year])
    value, mark = world.plant("s"), sidecar.mark()
    sidecar.poll()
    assert wait_until(lambda: sidecar.find("failure", since=mark) or (world.files() == {"s": value} and YEARS[year] < 2000))
    for failure in sidecar.find("failure", since=mark):
        assert "clock" in failure["msg"] and failure["consequence"] == "the last good files stay"
    clock.set()
    rotate(world, sidecar, "s")
    assert wait_until(lambda: len(sidecar.find("recovered")) == len(sidecar.find("failure", since=mark)))


@pytest.mark.parametrize("year", ["1970", "2100"])
def test_a_clock_that_is_wrong_at_the_start(world, clock, year):
    """As on a node without a clock of its own, until it has heard of the time."""
    value = world.plant("s")
    clock.set_to(YEARS[year])
    port = free_port()
    sidecar = world.sidecar(
        "s", wait=False, wrapper=clock.wrapper, **clock.env, AKVSYNC_POLL_INTERVAL="2s", AKVSYNC_LISTEN=f"127.0.0.1:{port}")
    assert "clock" in sidecar.wait_log("failure")["msg"]
    assert_no_negative(port)
    clock.set()
    world.wait_files({"s": value})
    sidecar.wait_log("ready")
    assert_no_negative(port)


def test_tokens_are_renewed_by_the_time_that_passes(world, clock):
    """The endpoint says for how long, not until when."""
    world.fake.token_policy(lifetime_s=8, refresh_in=2)
    world.plant("s")
    start(world, clock, "s", AKVSYNC_POLL_INTERVAL="1s")
    for shift_s in (-20 * HOUR, 0, 100 * DAY, -HOUR):
        clock.set(shift_s)
        since, began = world.fake.mark(), time.monotonic()
        assert wait_until(lambda since=since: world.fake.journal(target="login", status=200, since=since))
        logins = len(world.fake.journal(target="login", since=since))
        assert logins <= (time.monotonic() - began) / 2 + 2
    assert not world.fake.journal(target="vault", status=401, authenticated=True), "none was used for too long"


def test_an_object_expires_by_it_and_is_valid_again(world, clock):
    expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=2)
    world.fake.set("s", world.plant("s"), exp=int(expires.timestamp()))
    sidecar = start(world, clock, "s")
    assert not sidecar.find("failure")
    clock.set(3 * DAY)
    sidecar.poll()
    told = sidecar.wait_log("not-valid")
    assert f"expired on {expires:%Y-%m-%dT%H:%M:%S}Z" in told["msg"]
    clock.set(-HOUR)
    sidecar.poll()
    sidecar.wait_log("valid")


@pytest.mark.parametrize("shift_s", [200 * DAY, -20 * HOUR])
def test_an_earlier_set_stays_as_long_as_was_promised(world, clock, shift_s):
    retain_s = 2
    world.plant("s")
    sidecar = start(world, clock, "s", AKVSYNC_RETAIN=f"{retain_s}s")
    earlier, began = world.volume / world.generation(), time.monotonic()
    rotate(world, sidecar, "s")
    clock.set(shift_s)
    assert wait_until(lambda: not earlier.exists())
    assert time.monotonic() - began >= retain_s
    # The names of sets have the time in them, but it decides nothing.
    rotate(world, sidecar, "s")
    sidecar.stop()
    again = start(world, clock, "s", AKVSYNC_RETAIN="1s")
    assert wait_until(lambda: len(list(world.volume.glob("..2*"))) == 1)
    rotate(world, again, "s")


@pytest.mark.parametrize("shift_s", [HOUR, -20 * HOUR])
def test_the_number_in_a_file_is_the_one_of_the_app(world, clock, app, shift_s):
    """Set forward, the clock makes the app look younger than its file: docs/notify.md says so, and that a touch helps."""
    pidfile = world.folder / "app.pid"
    pidfile.write_text(str(app.pid))
    world.plant("s")
    sidecar = start(world, clock, "s", AKVSYNC_NOTIFY=f"signal=HUP,pidfile={pidfile}")
    clock.set(shift_s)
    rotate(world, sidecar, "s")
    if shift_s > 0:
        sidecar.wait_log("notify-failed", "has started after the file was written")
        os.utime(pidfile, (clock.now(), clock.now()))
    sidecar.wait_log("notified", generation=world.generation())
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_restart_for_the_app_is_not_put_off_by_a_clock_that_was_set_back(world, clock):
    """AKVSYNC_RESTART_MIN is between two ends of the process, so it can only go by this clock."""
    world.plant("s")
    notify = {"AKVSYNC_NOTIFY": "exit=88", "AKVSYNC_RESTART_MIN": "1h"}
    for shift_s in (0, -20 * HOUR, 200 * DAY):
        clock.set(shift_s)
        sidecar = start(world, clock, "s", **notify)
        world.plant("s")
        sidecar.poll()
        assert sidecar.wait() == 88


def test_every_wait_goes_by_the_monotonic_clock(world):
    """What the kernel is asked to wait for is a time span, or a time of that clock."""
    trace = world.folder / "trace"
    calls = "timerfd_create,timer_create,clock_nanosleep,setitimer,alarm,futex"
    wrapper = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", str(trace), "-e", f"trace={calls}")
    world.plant("s")
    sidecar = world.sidecar("s", wrapper=wrapper, AKVSYNC_POLL_INTERVAL="1s", AKVSYNC_RETAIN="1s", AKVSYNC_NOTIFY="on=first,exec=/bin/true")
    rotate(world, sidecar, "s")
    poll(sidecar)
    sidecar.stop()
    assert not [line for line in trace.read_text().splitlines() if "REALTIME" in line and "{tv_sec" in line]


def test_status_for_people_has_no_time_of_the_future(world, clock):
    """Of a clock that was set back."""
    world.plant("s")
    sidecar = start(world, clock, "s")
    clock.set(-20 * HOUR)
    poll(sidecar)
    done = subprocess.run(
        [*clock.wrapper, BINARY, "status"], env={"AKVSYNC_DIR": str(world.volume), **clock.env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"-\d+ ?(s|m|h|d)\b", done.stdout), done.stdout
