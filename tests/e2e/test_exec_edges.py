"""`exec` at the edges: what others do to its log, its volume, its terminal and its processes."""

import os
import signal
import subprocess
import time

import pytest
from conftest import BINARY, wait_until
from test_exec import APP, CHANGES, Terminal, digest, is_alive, stage, terminal  # noqa: F401  pylint: disable=unused-import
from volume import QUICK

# ---- signals ----


def test_who_reads_the_log_may_go_away(stage):
    """A write to a closed pipe raises SIGPIPE in exec, which is no signal from outside."""
    stage.volume.publish({"secret": "1"})
    read, write = os.pipe()
    process = stage.app("plain", "restart", stderr=write)
    os.close(write)
    os.close(read)
    for i in range(2, 4):
        stage.volume.publish({"secret": str(i)})
        stage.wait("start", count=i)
    process.popen.terminate()
    assert process.wait() == 0


NO_KILL = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
AS_ANOTHER = ["setpriv", "--reuid=65534", "--clear-groups"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to start a command as another user")
@pytest.mark.parametrize("change", ["restart", "signal:HUP", "exit:9"])
def test_a_command_that_may_not_be_signaled(stage, change):
    """As one that set-uid made another user: it is told of, and nothing else happens."""
    stage.volume.publish({"secret": "1"})
    process = stage.start(
        *AS_ANOTHER, "sh", "-c", "sleep 60 & wait; exit 5", wrapper=NO_KILL, options=[*QUICK, f"--on-change={change}"], env={"S": "akvsync:secret"}
    )
    child = process.wait_log("running")["child"]
    wait_for_another_user(child)
    process.popen.send_signal(signal.SIGUSR1)
    process.wait_log("forward", "USR1: Operation not permitted")
    stage.volume.publish({"secret": "2"})
    told = process.wait_log("not-permitted")
    assert told["level"] == "warn" and told["child"] == child
    time.sleep(0.6)  # longer than the grace
    assert is_alive(child) and process.popen.poll() is None
    for event, count in (("not-permitted", 1), ("running", 1), ("kill", 0), ("signal", 0), ("restart", 0), ("leave", 0)):
        assert len(process.find(event)) == count, event
    kill_group(child)
    if change == "restart":
        assert wait_until(lambda: len(process.find("running")) == 2)
        child = process.find("running")[1]["child"]
        wait_for_another_user(child)
        process.popen.terminate()
        kill_group(child)
    assert process.wait() == (9 if change == "exit:9" else 137)


def wait_for_another_user(child):
    """And for what it starts."""
    assert wait_until(lambda: os.stat(f"/proc/{child}").st_uid == 65534)
    assert wait_until(lambda: subprocess.run(["pgrep", "-g", str(child), "-c", "-x", "sleep"], capture_output=True, check=False).returncode == 0)


def kill_group(child):
    os.kill(child, signal.SIGKILL)
    os.killpg(child, signal.SIGKILL)


def test_what_a_script_started_before_lives_through_a_restart(stage):
    """helper & exec akvsync exec -- app: it is a child of exec, which CMD did not leave."""
    stage.volume.publish({"secret": "1"})
    script = f'sleep 60 & echo "start $! helper" >>{stage.journal}; exec "$@"'
    process = stage.app("orphans", "restart", wrapper=["sh", "-c", script, "x"])
    helper = int(stage.wait("start", count=2) and stage.lines("start")[0][1])
    left = [pid for word, pid, *_ in stage.lines("child")]
    stage.volume.publish({"secret": "2"})
    stage.wait("start", count=3)
    assert is_alive(helper) and not any(is_alive(pid) for pid in left)
    process.popen.terminate()
    assert process.wait() == 0
    assert not is_alive(helper), "its end is that of all"


def test_no_shell_runs_what_is_no_program(stage):
    folder = stage.folder / "bin"
    folder.mkdir()
    for name, text, mode in (("script", "exit 0\n", 0o755), ("plain", "#!/bin/sh\n", 0o644), ("good", "#!/bin/sh\nexit 3\n", 0o755)):
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    stage.volume.publish({})
    path = f"/nowhere:/etc/passwd:{folder}:/bin"
    for command, code in (("script", 126), (f"{folder}/script", 126), ("good", 3), ("absent", 127), ("", 127), ("true", 0)):
        assert stage.run(command, env={"PATH": path})[0] == code, command
    if os.geteuid():
        assert stage.run("plain", env={"PATH": path})[0] == 126


# ---- variables ----


def test_more_mistakes_than_a_line_of_the_log_takes(stage):
    stage.volume.publish({})
    assert stage.run("true", env={f"V{i}": f"akvsync:{'x' * 200}{i}" for i in range(3000)})[0] == 5
    (entry,) = stage.running[-1].find("exit", "3000 variables cannot be set")
    assert len(entry["faults"]) > 1000 and "V1999" in entry["faults"][1999]


def test_only_regular_files_of_the_set_are_read(stage):
    """Somebody else may have put something into the set."""
    stage.volume.publish({"db": "1", "sub/db": "2"})
    inside = stage.volume.path / "..data"
    (inside / "link").symlink_to("/etc/passwd")
    (inside / "relative").symlink_to("db")
    (inside / "out").symlink_to("/etc")
    os.mkfifo(inside / "pipe")
    for reference, code, says in (
        ("link", 7, "cannot open 'link': "),
        ("relative", 7, "cannot open 'relative'"),
        ("out/passwd", 5, "there is no file 'out/passwd'"),
        ("pipe", 7, "'pipe' is not a regular file"),
    ):
        assert stage.run("printenv", "V", env={"V": f"akvsync:{reference}"}) == (code, ""), reference
        assert says in stage.running[-1].text
    assert stage.run("sh", "-c", "env | grep -c DB", options=["--all"]) == (0, "2\n")


# ---- a terminal ----

EXEC = f"{BINARY} exec {' '.join(QUICK)} --"
STOPPED = r"Stopped[^$]*\$ "


@pytest.mark.parametrize("line, end", [
    (f"{EXEC} cat | cat", "\x04"),
    (f"sh -c '{EXEC} cat; echo over'", "\x04"),
], ids=["pipe", "script"])  # fmt: skip
def test_the_rest_of_the_job_stops_with_the_command(stage, terminal, line, end):
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(line + "\n")
    for round_ in ("first", "second"):
        time.sleep(0.3)
        terminal.type(round_ + "\n")
        terminal.expect(f"{round_}\r\n{round_}\r\n")
        terminal.type("\x1a")
        terminal.expect(STOPPED)
        terminal.type("echo shell=$((1+1)); fg\n")
        terminal.expect("shell=2\r\n")
    time.sleep(0.3)
    terminal.type(end)
    if "over" in line:
        terminal.expect("\nover\r\n")
    terminal.type("echo code=$?\n")
    terminal.expect("code=0\r\n")


@pytest.mark.parametrize("line", [
    f"echo x | {EXEC} sh -c 'read a </dev/tty; echo got=$a; sleep 60'",  # CMD asks for the terminal
    f"{EXEC} sh -c 'echo x; sleep 60' | sh -c 'read a; read b </dev/tty; echo got=$b; sleep 60'",  # what follows it does
], ids=["command", "pager"])  # fmt: skip
def test_who_asks_for_the_terminal_gets_it(stage, terminal, line):
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(line + "\n")
    time.sleep(0.5)
    terminal.type("hello\n")
    terminal.expect("got=hello\r\n")
    time.sleep(0.3)  # a shell that starts a program just then loses the key
    terminal.type("\x03")
    terminal.expect(r"\$ ")
    terminal.type("jobs; echo shell=$((1+1))\n")
    assert "Stopped" not in terminal.expect(r"(?s).*shell=2\r\n").group(0)


def test_a_key_reaches_the_whole_group_of_a_command_in_the_background(stage, terminal):
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(f"true | {EXEC} sh -c 'trap : INT; /usr/bin/python3 -ISs {APP} {stage.journal} keys; echo'\n")
    stage.wait("start")
    terminal.type("\x03")
    stage.wait("INT")
    time.sleep(0.2)
    assert len(stage.lines("INT")) == 1
    terminal.type("\x1c")
    terminal.expect(r"\$ ")


def test_what_nobody_could_continue_is_not_stopped(stage):
    """The leader of a session is nobody's job, as in `ssh -t host` and `kubectl exec -it`."""
    stage.volume.publish({"secret": "1"})
    alone = Terminal(stage, BINARY, "exec", *QUICK, "--", "sh", "-c", "echo ready; exec cat")
    try:
        alone.expect("ready\r\n")
        alone.type("\x1a")
        time.sleep(0.3)
        alone.type("word\n")
        alone.expect("word\r\nword\r\n")
    finally:
        alone.close()


@pytest.mark.parametrize("change", CHANGES)
def test_kinds_of_changes_on_a_terminal(stage, terminal, change):
    """Of a job that ^Z has stopped: what changes then is seen when it goes on."""
    stage.volume.publish({"secret": "1"})
    terminal.expect(r"\$ ")
    terminal.type(f"{BINARY} exec {' '.join(QUICK)} --on-change={change} -- /usr/bin/python3 -ISs {APP} {stage.journal} keys\n")
    pid = stage.wait("start")[1]
    terminal.type("\x03")
    stage.wait("INT")
    terminal.type("\x1a")
    terminal.expect(STOPPED)
    stage.volume.publish({"secret": "2"})
    time.sleep(0.2)
    assert len(stage.lines()) == 2, "a job that is stopped does nothing"
    terminal.type("fg\n")
    if change == "restart":
        assert stage.wait("start", count=2, last=digest("2"))[1] != pid
    elif change == "signal:USR1":
        assert stage.wait("USR1")[1] == pid
    elif change == "exit:9":
        terminal.expect(r"\$ ")
        terminal.type("echo code=$?\n")
        terminal.expect("code=9\r\n")
        return
    time.sleep(0.3)
    terminal.type("\x03")
    stage.wait("INT", count=2)
    terminal.type("\x1c")
    terminal.expect(r"\$ ")
    assert len(stage.lines("INT")) == 2 and wait_until(lambda: not stage.alive(), 5)
