"""`make demo` as a person meets it: it tells its story, also twice at once, and leaves nothing."""

import os
import pathlib
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TEST_BIN", str(ROOT / "build/release/akvsync"))


def start(tmp_path):
    """A demo whose temporary files are in tmp_path and whose volumes can be told by name."""
    return subprocess.Popen(
        [ROOT / "scripts/demo", BINARY],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        start_new_session=True,
    )


def left_running(folder):
    """Processes whose command line still names this demo's temporary directory."""
    found = subprocess.run(
        ["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in found.splitlines() if str(folder) in line]


def test_tells_the_story_twice_at_once(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    demos = [start(folder) for folder in folders]
    for demo, folder in zip(demos, folders):
        output = demo.communicate(timeout=60)[0]
        assert demo.returncode == 0, output
        before = output.index("before   vault monday-")
        after = output.index("after    vault tuesday-")
        variable = output.index("The app starts with DB_PASSWORD tuesday-")
        restarted = output.index("; it has DB_PASSWORD wednesday-")
        assert before < after < output.index("From the vault to the reloaded app:") < variable < restarted
        assert "'demo-app' is asked to end, and will be started again: a value changed" in output
        assert not list(folder.iterdir())
        assert not left_running(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["A vault", "init:", "sidecar beside", "The app connects", "before ", "after ", "akvsync exec -- demo-app", "will be started again"])
def test_cleans_up_when_interrupted(tmp_path, number, moment):
    demo = start(tmp_path)
    for line in demo.stdout:
        if moment in line:
            break
    os.killpg(demo.pid, number)
    output = demo.communicate(timeout=30)[0]
    assert demo.returncode == 130
    assert "Traceback" not in output
    assert not list(tmp_path.iterdir())
    assert not left_running(tmp_path)


def test_help():
    told = subprocess.run([ROOT / "scripts/demo", "--help"], capture_output=True, text=True, check=True)
    assert "usage: demo" in told.stdout
