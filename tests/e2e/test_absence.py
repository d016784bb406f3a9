"""When the file of an object goes that is no longer in the vault: after three polls and three intervals."""

import signal
import time

import pytest
from conftest import wait_until
from test_health import ask
from test_lists import polled


def gone(world, objects, interval):
    """A sidecar with the files a and b, the second of which has just been deleted in the vault."""
    files = dict(zip(("a", "b"), world.plant("a", "b")))
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar(objects, AKVSYNC_POLL_INTERVAL=interval)
    assert world.files() == files
    start = time.monotonic()
    world.fake.delete("b")
    return sidecar, files, start


ABSENT = pytest.mark.parametrize(
    "objects", ["[{objectName: a}, {objectName: b, optional: true}]", "[{objectName: a}, {objectNamePattern: 'b*'}]"]
)


@ABSENT
@pytest.mark.parametrize("how", ["refresh", "SIGHUP"])
def test_an_absent_file_stays_however_often_someone_asks_for_a_poll(world, objects, how):
    sidecar, files, _ = gone(world, objects, "1h")
    for _ in range(5):
        since = sidecar.mark()
        if how == "refresh":
            assert ask(world, "refresh").returncode == 0
        else:
            sidecar.popen.send_signal(signal.SIGHUP)
        assert wait_until(lambda: sidecar.find("unchanged", since=since) or sidecar.find("published", since=since))
        assert world.files() == files


@ABSENT
def test_an_absent_file_goes_after_three_poll_intervals(world, objects):
    sidecar, files, start = gone(world, objects, "1s")
    mark = world.fake.mark()
    for _ in range(5):
        polled(sidecar)
    still = world.files()
    assert still == files or time.monotonic() - start > 3, "polls that someone asked for do not make time go faster"
    world.wait_files({"a": files["a"]})
    assert time.monotonic() - start > 3, "three intervals"
    assert len(world.fake.journal(target="vault", since=mark, path="/secrets/a*", status=200)) >= 3
