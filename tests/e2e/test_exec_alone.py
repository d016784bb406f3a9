"""`exec` where nothing else syncs: it runs the sidecar itself, on a directory of its own."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
from conftest import wait_until
from test_exec import is_alive
from volume import QUICK, Exec

PLACE = pathlib.Path("/dev/shm")


def own_directories():
    return set(PLACE.glob("akvsync-exec-*"))


@pytest.fixture
def run(world, tmp_path):
    """Starts `exec` with the variables of a sidecar; in the end nothing of it may be left."""
    nowhere = type("Volume", (), {"path": tmp_path})
    started = []

    def start(objects, *command, options=QUICK, **more):
        variables = world.env(objects, AKVSYNC_DIR=None, AKVSYNC_POLL_INTERVAL="1s") | {"PATH": os.environ["PATH"]}
        env = variables | {"AKVSYNC_DIR": None} | more.pop("env", {})
        started.append(Exec(nowhere, *command, options=options, env=env, **more))
        world.processes.append(started[-1])
        return started[-1]

    yield start
    for process in started:
        process.popen.terminate()
        process.wait()
        assert wait_until(lambda p=process: not family_of(p.pid), 5)


def family_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def of(process):
    """The pid of the sidecar, and its directory."""
    told = process.wait_log("start", mode="sidecar")
    return told["pid"], pathlib.Path(told["settings"]["AKVSYNC_DIR"])


def test_serves_a_command_without_anything_else(world, run):
    first = world.plant("s")
    process = run("s", "sh", "-c", 'echo "$S"; env | grep -E "^(AKVSYNC|AZURE)_"; exec sleep 60',
                  env={"S": "akvsync:s"}, stdout=subprocess.PIPE)  # fmt: skip
    assert process.popen.stdout.readline() == first + "\n"
    _, folder = of(process)
    assert folder.parent == PLACE and folder.stat().st_mode & 0o7777 == 0o700
    second = world.plant("s")
    assert process.popen.stdout.readline() == second + "\n", "started again"
    process.popen.terminate()
    assert process.popen.stdout.read() == "", "and no variable of akvsync reaches it"
    assert process.wait() == 143
    assert not folder.exists()


def test_its_sidecar_is_in_the_sandbox(world, run):
    """The app and who starts it are in none: it may need anything."""
    world.plant("s")
    process = run("s", "sh", "-c", 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status', stdout=subprocess.PIPE)
    assert process.popen.stdout.read().split() == ["NoNewPrivs:", "0", "Seccomp:", "0"]
    assert process.wait() == 0
    assert "seccomp: calls of the kernel" in process.find("sandbox")[0]["msg"]


def test_its_exit_code_is_handed_on(world, run):
    world.plant("s")
    process = run("s", "sh", "-c", "exit 7")
    assert process.wait() == 7
    assert not of(process)[1].exists()


@pytest.mark.parametrize(
    "objects, code, says", [("absent", 5, "absent"), ("a=x, b=x", 3, "exit code 3 before its first set")]
)
def test_a_sidecar_that_cannot_start_is_the_end(world, run, objects, code, says):
    process = run(objects, "true", env={"AKVSYNC_INIT_TIMEOUT": "2s"} if code == 5 else {})
    assert process.wait() == (6 if code == 5 else code), process.text
    assert says in process.text
    if code == 5:
        assert process.find("exit", "within AKVSYNC_INIT_TIMEOUT; the sidecar's errors, above, say why", code=6)


def test_its_log_is_for_people_at_a_terminal(world, run):
    """No advice on groups, since all have one uid; no two screens of settings in text."""
    world.plant("s")
    process = run("s", "true", env={"AKVSYNC_LOG_FORMAT": "text"})
    assert process.wait() == 0
    assert "fsGroup" not in process.text and "AKVSYNC_POLL_INTERVAL" not in process.text
    assert max(len(line) for line in process.text.splitlines()) < 600
    process.garbage.clear()  # it is no JSON, on purpose


def test_a_directory_that_is_named_stays(world, run):
    value = world.plant("s")
    process = run("s", "printenv", "S", env={"S": "akvsync:s", "AKVSYNC_DIR": str(world.volume)}, stdout=subprocess.PIPE)
    assert process.popen.stdout.read() == value + "\n"
    assert process.wait() == 0
    assert world.files() == {"s": value}


def test_a_sidecar_that_dies_is_started_again(world, run):
    world.plant("s")
    process = run("s", "sh", "-c", "while :; do sleep 1; done", env={"S": "akvsync:s"})
    sidecar, folder = of(process)
    process.wait_log("running")
    since = process.mark()
    os.kill(sidecar, signal.SIGKILL)
    process.wait_log("sidecar-ended", "code 137", since=since)
    process.wait_log("start", mode="sidecar", since=since)
    world.plant("s")
    process.wait_log("restart", since=since)
    process.wait_log("running", since=since)
    assert folder.exists()


def test_nothing_outlives_it_when_it_is_killed(world, run):
    world.plant("s")
    process = run("s", "sleep", "60")
    sidecar, folder = of(process)
    command = process.wait_log("running")["child"]
    process.popen.kill()
    process.wait()
    assert wait_until(lambda: not is_alive(sidecar) and not is_alive(command), 5)
    assert folder.exists()
    # The next one removes what has been left for a while, and nothing that is in use.
    os.utime(folder, (0, 0))
    other = run("s", "sleep", "60")
    _, in_use = of(other)
    other.wait_log("running")
    assert not folder.exists()
    os.utime(in_use, (0, 0))
    third = run("s", "true")
    assert third.wait() == 0 and in_use.exists()


def test_a_directory_whose_sidecar_has_just_died_is_in_use(world, run):
    world.plant("s")
    process = run("s", "sleep", "60", env={"S": "akvsync:s"})
    sidecar, folder = of(process)
    process.wait_log("running")
    os.kill(sidecar, signal.SIGKILL)
    process.wait_log("sidecar-ended")
    os.utime(folder, (0, 0))
    assert run("s", "true").wait() == 0
    assert folder.exists() and process.popen.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    os.utime(folder, (0, 0))
    assert wait_until(lambda: run("s", "true").wait() == 0 and not folder.exists()), "nor is it kept for ever"


def test_a_directory_that_is_removed(world, run):
    """As systemd-logind does with what a user who logs out has in /dev/shm."""
    world.plant("s")
    process = run("s", "sleep", "60", env={"S": "akvsync:s"})
    _, folder = of(process)
    process.wait_log("running")
    since = process.mark()
    subprocess.run(["rm", "-rf", folder], check=True)
    world.plant("s")
    process.wait_log("sidecar-ended", "somebody has removed", since=since)
    process.wait_log("running", since=since)
    assert folder.stat().st_mode & 0o7777 == 0o700
    process.popen.terminate()
    assert process.wait() == 143 and not folder.exists()


def test_a_directory_that_somebody_else_makes_anew(world, run):
    if os.geteuid():
        pytest.skip("needs another user")
    world.plant("s")
    process = run("s", "sleep", "60", env={"S": "akvsync:s"})
    sidecar, folder = of(process)
    process.wait_log("running")
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    process.wait_log("sidecar-ended", "somebody else has made")
    assert wait_until(lambda: not is_alive(sidecar)) and process.popen.poll() is None
    assert not list(folder.iterdir()), "no secret goes there"
    process.popen.terminate()
    assert process.wait() == 143


def test_a_term_before_the_first_set(world, run):
    world.plant("s")
    process = run("absent", "true")
    sidecar, folder = of(process)
    time.sleep(0.2)
    process.popen.terminate()
    assert process.wait() == 143
    assert not is_alive(sidecar) and not folder.exists()


def test_orphans_of_a_command_go_and_the_sidecar_stays(world, run):
    world.plant("s")
    process = run("s", "sh", "-c", "(setsid sleep 61 &); exec sleep 60", env={"S": "akvsync:s"})
    sidecar, _ = of(process)
    process.wait_log("running")
    world.plant("s")
    process.wait_log("restart")
    process.wait_log("running", since=process.mark() - 1)
    assert wait_until(lambda: len(family_of(process.pid)) == 3), "the sidecar, the new command and its new orphan"
    assert is_alive(sidecar)
