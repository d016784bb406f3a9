"""Which process a name or a pid file means, and that a signal neither kills it nor is lost."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from app import SCRIPT, App
from conftest import ROOT
from test_sidecar import rotate

PYTHON = "/usr/bin/python3"


@pytest.fixture
def name():
    """No other test's process has it; the kernel shows 15 characters of it."""
    return f"app-{os.urandom(3).hex()}"


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def notify(world, whom, number="HUP", **more):
    """A sidecar after a rotation, with that target."""
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"signal={number},{whom}", **more)
    rotate(world, sidecar, "s")
    return sidecar


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


# Names


NODE = """
for (const name of ["SIGHUP", "SIGUSR1"]) process.on(name, () => console.log(name));
console.log("ready"); setInterval(() => {}, 1000);
"""
PERL = """
$| = 1; $SIG{HUP} = sub { print "SIGHUP\\n" }; print "ready\\n"; sleep 1 while 1;
"""
SHELL = """#!/bin/sh
trap 'echo SIGHUP' HUP; echo ready; while :; do sleep 0.1; done
"""


@pytest.mark.parametrize(
    "file, text, command",
    [
        ("{}.py", SCRIPT, "/usr/bin/python3 {}.py"),
        ("{}.py", SCRIPT, "/usr/bin/python3 -u -W ignore {}.py"),
        ("{}/__main__.py", SCRIPT, "/usr/bin/python3 -u -m {}"),
        ("{}", SCRIPT.replace("/usr/bin/", "/usr/bin/env -S "), "./{}"),
        ("{}.sh", SHELL, "sh ./{}.sh"),
        ("{}.pl", PERL, "perl -w {}.pl"),
        ("{}.js", NODE, "node --inspect-port=0 {}.js"),
    ],
    ids=["python", "options", "module", "env", "sh", "perl", "node"],
)
def test_the_name_of_a_script(world, name, file, text, command):
    need(command.split()[0] if command[0] != "." else PYTHON)
    path = world.folder / file.format(name)
    path.parent.mkdir(exist_ok=True)
    write(path, text)
    called = file.split("/", maxsplit=1)[0].format(name)
    command = ["env", "-C", world.folder, *command.format(name).split()]
    with App.of(world.folder, f"{name}-", command) as app:
        sidecar = notify(world, f"process={called}")
        assert app.wait_signals(1) == ["SIGHUP"]
        assert sidecar.wait_log("notified")["processes"] == 1


def test_a_long_name_is_not_another_one_that_begins_alike(world):
    """The kernel shows the first 15 characters of both."""
    start = f"pay-{os.urandom(3).hex()}-service"
    with App(world.folder, name=f"{start}-api") as api, App(world.folder, name=f"{start}-worker") as worker:
        sidecar = notify(world, f"process={api.name}")
        assert api.wait_signals(1) == ["SIGHUP"]
        assert sidecar.wait_log("notified")["processes"] == 1
        assert not worker.settled()


def test_nothing_found_says_what_was_looked_at(world, name):
    sidecar = notify(world, f"process={name}.py")
    told = sidecar.wait_log("notify-failed", f"no process named '{name}.py' found among [0-9]+ processes")
    assert "argv" in told["msg"] and "script" in told["msg"] and "shareProcessNamespace" in told["msg"]


def test_a_process_namespace_that_is_not_shared_is_told(world, app):
    if os.geteuid():
        pytest.skip("a process namespace needs root")
    world.plant("s")
    outer = world.sidecar(
        "s", wrapper=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
        AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}", AKVSYNC_POLL_INTERVAL="1s",
    )
    world.plant("s")
    outer.wait_log("notify-failed", "only the processes of its own container .*shareProcessNamespace: true")
    assert not app.settled()
    outer.stop(signal.SIGKILL)  # unshare itself ignores SIGTERM


# Wrappers


@pytest.mark.parametrize("trap", ["", "trap '' HUP", "trap 'exit 9' HUP"], ids=["none", "ignores", "ends"])
def test_a_shell_wrapper_of_the_same_name(world, name, trap):
    """The app gets the signal; its wrapper would end, or put it off until the app ends."""
    (world.folder / "bin").mkdir()
    write(world.folder / "bin" / name, SCRIPT)
    wrapper = write(world.folder / name, f"#!/bin/sh\n{trap}\n{world.folder}/bin/{name}\nexit 0\n")
    with App.of(world.folder, f"{name}-", [wrapper]) as app:
        try:
            sidecar = notify(world, f"process={name}")
            assert app.wait_signals(1) == ["SIGHUP"]
            assert sidecar.wait_log("notified")["processes"] == 1
            assert app.process.poll() is None and not sidecar.find("notify-failed")
        finally:
            subprocess.run(["pkill", "-KILL", "-P", str(app.pid)], check=False)


# What a signal does


def test_an_app_that_ignores_the_signal_is_told_of_once(world, name):
    write(world.folder / name, "#!/bin/sh\ntrap '' HUP\necho ready\nexec sleep 100\n")
    with App.of(world.folder, f"{name}-", [world.folder / name]) as app:
        pidfile = world.folder / "app.pid"
        pidfile.write_text(str(app.pid))
        sidecar = notify(world, f"pidfile={pidfile}")
        sidecar.wait_log("notified")
        rotate(world, sidecar, "s")
        sidecar.wait_log("notified", generation=world.generation())
        (advice,) = sidecar.find("advice", f"process {app.pid} ignores SIGHUP")
        assert advice["level"] == "warn" and advice["target"] == f"signal=HUP,pidfile={pidfile}"


IDLE = {
    "python": [PYTHON, "-c", "import time; print('ready', flush=True); time.sleep(100)"],
    "node": ["node", "-e", "console.log('ready'); setInterval(() => {}, 1000)"],
    "perl": ["perl", "-e", "$| = 1; print qq(ready\\n); sleep 100"],
    "sh": ["sh", "-c", "echo ready; sleep 100; true"],
}


@pytest.mark.parametrize("number", ["HUP", "USR2"])
@pytest.mark.parametrize("runtime", IDLE)
def test_an_app_without_a_handler_is_not_killed(world, runtime, number):
    need(IDLE[runtime][0])
    with App.of(world.folder, runtime, IDLE[runtime]) as app:
        pidfile = world.folder / "app.pid"
        pidfile.write_text(str(app.pid))
        sidecar = notify(world, f"pidfile={pidfile}", number)
        sidecar.wait_log("notify-failed", f"does not handle SIG{number}, which would end it", attempt=3)
        assert app.process.poll() is None


GO = """
package main
import ("os"; "os/signal"; "syscall"; "time")
func main() {
    os.Stdout.WriteString("ready\\n")
    wait, _ := time.ParseDuration(os.Args[1])
    time.Sleep(wait)
    got := make(chan os.Signal, 9)
    signal.Notify(got, syscall.SIGHUP)
    for range got { os.Stdout.WriteString("SIGHUP\\n") }
}
"""


@pytest.fixture(scope="session")
def go_program(tmp_path_factory):
    need("go")
    folder = tmp_path_factory.mktemp("go")
    (folder / "main.go").write_text(GO)
    env = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", "app", "main.go"], cwd=folder, env=os.environ | env, check=True)
    return folder / "app"


def test_a_go_program_that_is_still_starting_is_not_killed(world, name, go_program):
    """Go's runtime catches SIGHUP from the start, and ends the program that has no handler yet."""
    shutil.copy(go_program, world.folder / name)
    with App.of(world.folder, f"{name}-", [world.folder / name, "2s"]) as app:
        sidecar = notify(world, f"process={name}")
        waits = sidecar.wait_log("notify-waits", f"process {app.pid} is so young")
        assert waits["level"] == "info" and waits["retry_in"]
        assert app.wait_signals(1) == ["SIGHUP"]
        advice = sidecar.wait_log("advice", "a Go program.*SIGHUP.*signal.Notify")
        assert advice["level"] == "warn"
        rotate(world, sidecar, "s")
        assert app.wait_signals(2) == ["SIGHUP"] * 2
        assert len(sidecar.find("advice", "a Go program")) == 1 and not sidecar.find("notify-failed")


JAVA = """
public class Shop {
    public static void main(String[] names) throws Exception {
        for (String name : names)
            sun.misc.Signal.handle(new sun.misc.Signal(name), got -> System.out.println("SIG" + got.getName()));
        System.out.println("ready");
        Thread.sleep(100000);
    }
}
"""


@pytest.mark.parametrize("number", ["HUP", "USR2"])
def test_a_java_program_is_warned_of(world, name, number):
    need("java")
    (world.folder / f"{name}.java").write_text(JAVA)
    command = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", world.folder / f"{name}.java", number]
    with App.of(world.folder, f"{name}-", command) as app:
        sidecar = notify(world, f"process={name}.java", number)
        assert app.wait_signals(1) == [f"SIG{number}"]
        sidecar.wait_log("advice", f"a Java program.*SIG{number}")


def test_node_and_its_debugger(world, name):
    need("node")
    (world.folder / f"{name}.js").write_text(NODE)
    with App.of(world.folder, f"{name}-", ["node", world.folder / f"{name}.js"]) as app:
        sidecar = notify(world, f"process={name}.js", "USR1")
        assert app.wait_signals(1) == ["SIGUSR1"]
        sidecar.wait_log("advice", "opens a debugger unless the program has a handler of its own")


def test_the_page_says_what_each_runtime_does():
    page = (ROOT / "docs/notify.md").read_text()
    rows = re.findall(r'{ (?:NULL|"[^"]+"), "(\w+)",[^}]*,\s+"([^"]+)" }', (ROOT / "syncer/deliver/effect.c").read_text())
    assert len(rows) >= 9
    for language, call in rows:
        assert re.search(rf"^\| {language}\b.*`{re.escape(call)}", page, re.M), language


# Pid files


def test_the_first_number_of_a_pid_file(world, app):
    """As postgres writes it."""
    pidfile = world.folder / "postmaster.pid"
    pidfile.write_text(f"{app.pid}\n/var/lib/postgresql\n1795887193\n5432\n/tmp\n\n 10444873         6\nready   \n")
    notify(world, f"pidfile={pidfile}")
    assert app.wait_signals(1) == ["SIGHUP"]


def test_a_number_that_is_another_programs_now(world, app):
    pidfile = world.folder / "app.pid"
    pidfile.write_text(f"{app.pid}\n")
    before = time.time() - 60
    os.utime(pidfile, (before, before))
    sidecar = notify(world, f"pidfile={pidfile}")
    told = sidecar.wait_log("notify-failed", f"pid file '{pidfile}': process {app.pid} has started after the file")
    assert "another program" in told["msg"] and not app.settled()
    pidfile.write_text(f"{app.pid}\n")
    assert app.wait_signals(1) == ["SIGHUP"]
