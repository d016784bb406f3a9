"""Env files: chosen files of the set as variables in one regular file, for Kubernetes' fileKeyRef or dotenv."""

import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import stat
import subprocess
import time

import pytest
from conftest import BINARY, wait_until
from test_config import ConfigMap


def kubelet_reads(text):
    """As the kubelet of 1.35 and later reads an env file: NAME='value', and nothing between quotes means anything."""
    values, lines = {}, iter(text.split("\n"))
    for line in lines:
        line = line.lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        name, equals, rest = line.partition("=")
        assert equals and name and name == name.rstrip(), line
        assert rest.startswith("'"), "a value must be in single quotes"
        rest, value = rest[1:].removesuffix("\r"), ""
        while "'" not in rest:
            value += rest + "\n"
            rest = next(lines).removesuffix("\r")
        value += rest[: rest.index("'")]
        assert not rest[rest.index("'") + 1 :].strip(), "something behind the closing quote"
        values[name] = value
    return values


def shell_reads(path, *names):
    """As a POSIX shell reads it."""
    script = 'set -a; . "$0"; exec env -0'
    run = subprocess.run(["sh", "-c", script, path], env={}, capture_output=True, check=True)
    got = dict(item.split("=", 1) for item in run.stdout.decode().split("\0") if item)
    return {name: got[name] for name in names}


def env_files(world, *entries, **more):
    """Variables for env files in a directory of their own beside the volume."""
    (world.folder / "env").mkdir(exist_ok=True)
    listed = [{"path": str(world.folder / "env" / "app.env")} | entry for entry in entries]
    return {"AKVSYNC_ENV_FILES": json.dumps(listed)} | more


def written(world, name="app.env"):
    return (world.folder / "env" / name).read_text()


FITS = ["plain-planted", 'all "$`\\ of !#=& these', "two\nlines\n", "", " white ", "tail\\", "ünïcode \U0001f511", "\\\\x"]


@pytest.mark.parametrize("value", FITS, ids=range(len(FITS)))
def test_what_the_kubelet_reads(world, value):
    world.fake.set("db", value)
    world.fake.set("last", "planted-last")
    entry = {"variables": {"DB_PASSWORD": "db", "LAST": "last"}}
    process = world.init("db, last", **env_files(world, entry))
    assert process.code == 0, process.text
    assert kubelet_reads(written(world)) == {"DB_PASSWORD": value, "LAST": "planted-last"}


MISFITS = {
    "a quote": ("it's-planted-with-a-quote", "file 'db' has a ' in it"),
    "NUL": ("planted\0nul", "has a NUL byte"),
    "CR LF": ("planted-one\r\ntwo", "has a line that ends with CR LF"),
}


@pytest.mark.parametrize("row", MISFITS)
def test_what_file_key_ref_has_no_form_for(world, row):
    """Named before the first set; later the last good file stays and the others rotate."""
    value, reason = MISFITS[row]
    world.fake.set("db", value)
    world.fake.set("other", "one")
    more = env_files(world, {"variables": {"DB_PASSWORD": "db"}})
    process = world.init("db, other", **more)
    assert process.code == 3 and world.generation() is None and not (world.folder / "env" / "app.env").exists()
    message = process.find("exit")[0]["msg"]
    assert "app.env': variable DB_PASSWORD: file 'db' " in message and reason in message
    good = world.plant("db")
    sidecar = world.sidecar("db, other", **more)
    world.fake.set("db", value)
    world.fake.set("other", "two")
    sidecar.poll()
    sidecar.wait_log("failure", reason, kind="env-file")
    world.wait_files({"db": value, "other": "two"})
    assert kubelet_reads(written(world)) == {"DB_PASSWORD": good}
    better = world.plant("db")
    sidecar.poll()
    sidecar.wait_log("recovered", kind="env-file")
    assert kubelet_reads(written(world)) == {"DB_PASSWORD": better}


def test_bounds_of_file_key_ref(world):
    for name in ("a", "b", "c"):
        world.fake.set(name, "x" * 25000)
    process = world.init("a, b, c", **env_files(world, {"objects": ["a", "b", "c"]}))
    assert process.code == 3 and "larger than 65536 bytes" in process.find("exit")[0]["msg"]
    assert world.init("a, b, c", **env_files(world, {"objects": ["a", "b"]})).code == 0
    assert kubelet_reads(written(world)) == {"A": "x" * 25000, "B": "x" * 25000}


DOTENV = ["plain-planted", "it's", "two\nlines", 'quote " and $x `y` \\n', "#no comment", "", " a ", "C:\\dir", "ünïcode"]


@pytest.mark.parametrize("value", DOTENV, ids=range(len(DOTENV)))
def test_what_a_shell_reads(world, value):
    world.fake.set("db", value)
    world.fake.set("last", "planted-last")
    process = world.init("db, last", **env_files(world, {"format": "dotenv", "objects": ["db", "last"]}))
    assert process.code == 0, process.text
    assert shell_reads(world.folder / "env" / "app.env", "DB", "LAST") == {"DB": value, "LAST": "planted-last"}


@pytest.mark.parametrize("value", ["it's $x", "a${HOME}", "it's\ntwo", "'\\", "a\\\\b", "a\\", "a\rb", 'a\'"'])
def test_what_readers_of_dotenv_take_for_different_things(world, value):
    world.fake.set("db", value)
    process = world.init("db", **env_files(world, {"format": "dotenv", "objects": ["db"]}))
    assert process.code == 3 and "readers of dotenv files" in process.find("exit")[0]["msg"]
    assert value not in process.text


def test_names_from_paths_and_files_of_templates(world):
    one, two = world.plant("one", "two")
    more = env_files(world, {"objects": ["db/pass-word.txt", "url"], "variables": {"_x9": "two"}, "filePermission": "0444"})
    process = world.init("one=db/pass-word.txt, two", AKVSYNC_TEMPLATES=json.dumps([{"path": "url", "text": "u:{{two}}"}]), **more)
    assert process.code == 0, process.text
    assert kubelet_reads(written(world)) == {"DB_PASS_WORD_TXT": one, "URL": f"u:{two}", "_x9": two}
    assert set(world.files()) == {"db/pass-word.txt", "two", "url"}
    path = world.folder / "env" / "app.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444 and not path.is_symlink() and os.listdir(path.parent) == ["app.env"]


REFUSED = {
    "a digit first": ({"variables": {"9A": "db"}}, "'9A' is no name of a variable"),
    "a hyphen": ({"variables": {"A-B": "db"}}, "'A-B' is no name of a variable"),
    "no name": ({"variables": {"": "db"}}, "is no name of a variable"),
    "a long name": ({"variables": {"A" * 129: "db"}}, "is no name of a variable"),
    "a name of a path": ({"objects": ["1st"]}, "'1ST' is no name of a variable"),
    "one name twice": ({"objects": ["db", "DB"]}, "variable DB would get both 'db' and 'DB'"),
    "an unknown file": ({"variables": {"A": "db-pasword"}}, "variable A: no object of the list makes a file 'db-pasword'; did you mean 'db-password'?"),
    "no file": ({"variables": {"A": ""}}, "variable A must name a file"),
    "a list of files": ({"variables": {"A": ["db"]}}, "variable A must name a file"),
    "no variables": ({}, "it has no variables"),
    "a format": ({"format": "json", "objects": ["db"]}, "is neither fileKeyRef nor dotenv"),
    "a relative path": ({"path": "app.env", "objects": ["db"]}, "must be absolute"),
    "a folder": ({"path": "/env/", "objects": ["db"]}, "has an empty part"),
    "leaves": ({"path": "/env/../x", "objects": ["db"]}, "may not leave"),
    "a text": ({"text": "x", "objects": ["db"]}, "unknown attribute 'text'"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_bad_entries(world, row):
    entry, expected = REFUSED[row]
    process = world.init("db, DB=DB, 1st, db-password", **env_files(world, entry))
    assert process.code == 3
    message = process.find("exit")[0]["msg"]
    assert message.startswith("AKVSYNC_ENV_FILES: ") and expected in message, message


def test_not_in_the_directory_of_the_set(world):
    world.plant("db")
    inside = {"path": f"{world.volume}/app.env", "objects": ["db"]}
    process = world.init("db", AKVSYNC_DIR=f"{world.volume}/", **env_files(world, inside))
    assert process.code == 3 and "which holds the set only" in process.find("exit")[0]["msg"]
    beside = {"path": f"{world.volume}-2/app.env", "objects": ["db"]}
    process = world.init("db", **env_files(world, beside))
    assert process.code == 7
    assert "cannot open directory" in process.find("exit")[0]["msg"] and "mount a second emptyDir" in process.text


def test_a_rotation_replaces_it_as_a_whole(world, app):
    first = world.plant("db")
    more = env_files(world, {"variables": {"DB_PASSWORD": "db"}})
    sidecar = world.sidecar("db", AKVSYNC_NOTIFY=f"signal=HUP,process={app.name}", **more)
    assert kubelet_reads(written(world)) == {"DB_PASSWORD": first}
    path = world.folder / "env" / "app.env"
    held = path.open()
    second = world.plant("db")
    mark = sidecar.mark()
    sidecar.poll()
    line = sidecar.wait_log("env-file", "wrote env file", since=mark)
    assert line["path"] == str(path)
    assert kubelet_reads(written(world)) == {"DB_PASSWORD": second}
    assert kubelet_reads(held.read()) == {"DB_PASSWORD": first}
    # It is there before the app is told.
    app.wait_signals(1)
    sidecar.wait_log("notified", since=mark)
    events = [entry["event"] for entry in sidecar.entries[mark:]]
    assert events.index("env-file") < events.index("notified")
    held.close()
    # What did not change is not written again.
    before, mark = path.stat(), sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=mark)
    assert path.stat() == before and not sidecar.find("env-file", since=mark)


def test_no_restart_before_it_is_written(world):
    """exit= would start the containers with the variables of before, and not again; also after a restart."""
    world.plant("db")
    more = env_files(world, {"objects": ["db"]}, AKVSYNC_NOTIFY="exit=88", AKVSYNC_RESTART_MIN="100ms")
    sidecar = world.sidecar("db", **more)
    path = world.folder / "env" / "app.env"
    path.unlink()
    path.mkdir()  # a file cannot replace a directory
    value = world.plant("db")
    sidecar.poll()
    sidecar.wait_log("failure", "cannot replace it", kind="env-file")
    world.wait_files({"db": value})
    time.sleep(1)
    assert sidecar.stop()[0] == 0 and not sidecar.find("notified")
    sidecar = world.start("sidecar", env=world.env("db", **more))
    sidecar.wait_log("failure", "cannot replace it", kind="env-file")
    time.sleep(1)
    assert sidecar.popen.poll() is None
    path.rmdir()
    assert sidecar.wait() == 88 and kubelet_reads(written(world)) == {"DB": value}


@pytest.mark.parametrize("damage", ["deleted", "stale", "mode", "link", "half"])
def test_a_restart_mends_it_without_the_vault(world, damage):
    """A crash may come between the swap and the env file."""
    value = world.plant("db")
    more = env_files(world, {"objects": ["db"]})
    world.sidecar("db", **more).stop(signal.SIGKILL)
    path = world.folder / "env" / "app.env"
    if damage == "mode":
        path.chmod(0o600)
    else:
        path.unlink()
    if damage == "stale":
        path.write_text("DB='planted-stale'\n")
    if damage == "link":
        path.symlink_to(world.folder / "elsewhere")
    (world.folder / "env" / "..tmp.app.env").write_text("DB='planted-ha")
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.start("sidecar", env=world.env("db", **more))
    sidecar.wait_log("resume", "complete for this configuration")
    assert kubelet_reads(written(world)) == {"DB": value}
    assert stat.S_IMODE(path.stat().st_mode) == 0o440 and not path.is_symlink()
    assert os.listdir(path.parent) == ["app.env"] and not (world.folder / "elsewhere").exists()


def test_killed_at_any_moment(world):
    """What is there is whole and of one set; a restart, even without the vault, makes both fit."""
    more = env_files(world, {"objects": ["db", "url"]}, AKVSYNC_TEMPLATES=json.dumps([{"path": "url", "text": "u:{{db}}"}]))
    values = [world.plant("db")]
    world.sidecar("db", **more).stop(signal.SIGKILL)
    for number in range(12):
        # The one before may have been killed before it published what was planted.
        sidecar = world.sidecar("db", wait=False, **more)
        assert wait_until(lambda s=sidecar: s.find("unchanged") or s.find("published")), sidecar.text
        values.append(world.plant("db"))
        sidecar.poll()
        time.sleep(random.Random(number).uniform(0, 0.15))
        sidecar.stop(signal.SIGKILL)
        seen, files = kubelet_reads(written(world)), world.files()
        assert seen["DB"] in values and seen["URL"] == f"u:{seen['DB']}"
        assert files["url"] == f"u:{files['db']}"
        world.fake.fault({"status": 503}, target="vault", times=-1)
        again = world.start("sidecar", env=world.env("db", **more))
        again.wait_log("resume", "complete for this configuration")
        again.stop(signal.SIGKILL)
        world.fake.clear_faults()
        assert kubelet_reads(written(world)) == {"DB": files["db"], "URL": files["url"]}
        assert os.listdir(world.folder / "env") == ["app.env"]


def test_it_belongs_to_a_complete_set(world):
    """Not ready without it: an app that starts would miss its variables."""
    value = world.plant("db")
    more = env_files(world, {"objects": ["db"]})
    shutil.rmtree(world.folder / "env")
    sidecar = world.sidecar("db", wait=False, AKVSYNC_POLL_INTERVAL="1s", **more)
    sidecar.wait_log("failure", "env file '.*': cannot open directory", kind="env-file")
    world.wait_files({"db": value})
    probe = subprocess.run([BINARY, "probe", "startup"], env=world.env("db", **more), capture_output=True, text=True, check=False)
    assert probe.returncode != 0 and "cannot open directory" in probe.stderr + probe.stdout
    assert not sidecar.find("ready")
    (world.folder / "env").mkdir()
    sidecar.wait_log("ready")
    sidecar.wait_log("recovered", kind="env-file")
    assert kubelet_reads(written(world)) == {"DB": value}


def test_it_goes_when_it_leaves_the_configuration(world):
    world.plant("db", "other")
    (world.folder / "env").mkdir()
    folder = world.folder / "env"
    text = f"vault: {world.fake.url('shop-kv')}\nobjects: [{{objectName: db}}]\n"
    one = f"envFiles:\n- path: {folder}/one.env\n  objects: [db]\n"
    two = f"- path: {folder}/two.env\n  format: dotenv\n  variables: {{X: db}}\n"
    map_ = ConfigMap(world.folder / "map", text + one + two)
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=map_.path))
    sidecar.wait_log("ready")
    assert sorted(os.listdir(folder)) == ["one.env", "two.env"]
    map_.write(text + one)
    sidecar.wait_log("env-file", "removed env file '.*two.env'")
    assert os.listdir(folder) == ["one.env"]
    sidecar.stop()
    # The same by another start: the volume remembers them.
    assert world.init("db").code == 0
    assert not os.listdir(folder)


@pytest.mark.parametrize("mode", ["init", "sidecar"])
def test_it_goes_also_after_a_crash(world, mode):
    """Killed at any moment of the change of the list: it is gone, or it belongs to the list that is in force."""
    value = world.plant("db")
    with_one = env_files(world, {"objects": ["db"]})
    path = world.folder / "env" / "app.env"
    calls = ("renameat", "renameat2", "rename", "unlinkat", "unlink", "symlinkat", "fsync")
    for call, number in itertools.product(calls, (1, 2)):
        assert world.init("db", **with_one).code == 0 and path.exists()
        inject = ("-e", f"trace=?{call}", "-e", f"inject=?{call}:signal=KILL:when={number}")
        wrapper = ("strace", "-f", "-qq", "-o", str(world.folder / "trace"), *inject)
        # A sanitizer cannot look for leaks of a process that is traced.
        killed = world.start(mode, env=world.env("db"), wrapper=wrapper)
        assert wait_until(lambda k=killed: k.popen.poll() is not None or k.find("configuration-applied"))
        children = pathlib.Path(f"/proc/{killed.pid}/task/{killed.pid}/children")
        for child in children.read_text().split() if children.exists() else []:
            os.kill(int(child), signal.SIGKILL)
        killed.wait()
        again = world.start(mode, env=world.env("db"))
        assert again.wait_log("unchanged") or mode == "init"
        assert wait_until(lambda: not path.exists()), again.text
        again.stop()
        assert world.files() == {"db": value}


def test_a_file_that_cannot_be_removed_is_told(world):
    world.plant("db")
    assert world.init("db", **env_files(world, {"objects": ["db"]})).code == 0
    folder = world.folder / "env"
    mounted = subprocess.run(["mount", "--bind", "-r", folder, folder], capture_output=True, check=False)
    if mounted.returncode or subprocess.run(["mount", "-o", "remount,bind,ro", folder], capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        process = world.init("db")
        assert process.code == 0 and process.find("env-file", "left the configuration, but stays: .*read-only", level="warn")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_not_in_the_directory_of_the_set_by_another_name(world):
    world.plant("db")
    (world.folder / "alias").symlink_to(world.volume)
    more = env_files(world, {"path": f"{world.folder}/alias/app.env", "objects": ["db"]})
    process = world.init("db", **more)
    assert process.code == 7 and "leads into AKVSYNC_DIR" in process.find("exit")[0]["msg"]
    assert not (world.volume / "app.env").exists()


@pytest.mark.parametrize("value, code", [("it's-a-planted-quote", 3), ("planted-good-value", 0)])
def test_check_tries_the_values(world, value, code):
    """Online, once all objects are read."""
    world.fake.set("db", value)
    more = env_files(world, {"variables": {"DB_PASSWORD": "db"}}, AKVSYNC_TEMPLATES=json.dumps([{"path": "url", "text": "{{db|url}}"}]))
    for arguments in ([], ["--output", "json"]):
        run = subprocess.run([BINARY, "check", "--online", *arguments], env=world.env("db", **more), capture_output=True, text=True, check=False)
        assert run.returncode == code, run.stdout + run.stderr
        assert ("variable DB_PASSWORD: file 'db' has a ' in it" in run.stdout) == (code == 3)
        assert value not in run.stdout + run.stderr
    assert (json.loads(run.stdout)["unmade"] is None) == (code == 0)
    assert not world.files() and not os.listdir(world.folder / "env")


def test_check_shows_them(world):
    more = env_files(world, {"variables": {"DB_PASSWORD": "db"}})
    process = subprocess.run([BINARY, "check", "--output", "json"], env=world.env("db", **more), capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)["envFiles"] == [
        {"path": str(world.folder / "env/app.env"), "mode": "0440", "format": "fileKeyRef",
         "takes": [{"where": "variable DB_PASSWORD", "path": "db"}]}
    ]
