"""Templates: files of the set that are made of other files of the same set."""

import base64
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import threading
import time
import urllib.parse

import pytest
from conftest import BINARY, ROOT
from test_config import ConfigMap, configured

URL = "mysql://app:{{db|url}}@db/shop"


def templates(*entries):
    return json.dumps([entry if isinstance(entry, dict) else {"path": entry[0], "text": entry[1]} for entry in entries])


def shell_word(text):
    """What a shell makes of a file with one word."""
    run = subprocess.run(["sh", "-c", b"printf %s " + text], capture_output=True, check=True)
    return run.stdout


VALUES = ["plain-planted", "p@ss/w:rd?#&=%+ \"'\\`$(x)!", "tail\n\n", "  white \t\r\n", "ünïcode \U0001f511", "{{db}} {{\"", "a\0b", ""]

FILTERS = {
    "": lambda v: v,
    "|base64": base64.b64encode,
    "|json": lambda v: json.dumps(v.decode(), ensure_ascii=False).encode(),
    "|url": lambda v: urllib.parse.quote(v, safe="-._~").encode(),
    "|trim": lambda v: v.strip(b" \t\r\n\v\f"),
    "|trim|base64": lambda v: base64.b64encode(v.strip(b" \t\r\n\v\f")),
    "| base64 | url ": lambda v: urllib.parse.quote(base64.b64encode(v), safe="").encode(),
}


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_each_filter(world, value):
    world.fake.set("db", value)
    made = templates(*((f"out/{i}", f"<{{{{db{f}}}}}>") for i, f in enumerate(FILTERS)))
    process = world.init("db", AKVSYNC_TEMPLATES=made)
    assert process.code == 0, process.text
    files = world.files_bytes()
    for i, (name, expected) in enumerate(FILTERS.items()):
        got = files[f"out/{i}"]
        if name == "|json":
            assert json.loads(got[1:-1]) == value
        else:
            assert got == b"<" + expected(value.encode()) + b">", name


@pytest.mark.parametrize("value", [v for v in VALUES if "\0" not in v])
def test_a_word_of_the_shell(world, value):
    world.fake.set("db", value)
    assert world.init("db", AKVSYNC_TEMPLATES=templates(("word", "{{db|shell}}"))).code == 0
    assert shell_word(world.files_bytes()["word"]) == value.encode()
    assert shlex.split(world.files()["word"]) == [value]


def test_bytes_are_exact(world):
    raw = bytes(range(256))
    world.fake.set("db", base64.b64encode(raw).decode())
    listed = json.dumps([{"objectName": "db", "objectEncoding": "base64"}])
    assert world.init(listed, AKVSYNC_TEMPLATES=templates(("out", "<{{db}}|{{db}}>"))).code == 0
    assert world.files_bytes()["out"] == b"<" + raw + b"|" + raw + b">"


UNFIT = {"|json": (b"\xff", "is not UTF-8 text"), "|shell": (b"a\0b", "has a NUL byte")}


@pytest.mark.parametrize("name", UNFIT)
def test_a_value_that_a_filter_has_no_form_for(world, name):
    raw, reason = UNFIT[name]
    world.fake.set("db", base64.b64encode(raw).decode())
    listed = json.dumps([{"objectName": "db", "objectEncoding": "base64"}])
    process = world.init(listed, AKVSYNC_TEMPLATES=templates(("a.conf", f"x\ny {{{{db{name}}}}}")))
    assert process.code == 3 and world.generation() is None
    exit_line = process.find("exit")[0]["msg"]
    assert f"template 'a.conf': line 2, column 3: file 'db' {reason}" in exit_line


def test_a_literal_brace(world):
    world.plant("db")
    text = '{{"{{"}} {{ "}}" }} } }} {{"a b"}}|{x}'
    assert world.init("db", AKVSYNC_TEMPLATES=templates(("out", text))).code == 0
    assert world.files()["out"] == "{{ }} } }} a b|{x}"


def test_its_own_mode_and_a_folder(world):
    world.plant("db")
    entry = {"path": "etc/app/db.url", "text": URL, "filePermission": "0400"}
    assert world.init("db", AKVSYNC_TEMPLATES=templates(entry)).code == 0
    assert stat.S_IMODE((world.volume / "etc/app/db.url").stat().st_mode) == 0o400
    assert stat.S_IMODE((world.volume / "db").stat().st_mode) == 0o440


REFUSED = {
    "a typo of a name": ("a\nab{{MYSQL-DB-PASWORD}}", "line 2, column 3: no object of the list makes a file 'MYSQL-DB-PASWORD'; did you mean 'MYSQL-DB-PASSWORD'?"),
    "a typo of a filter": ("{{api|ulr}}", "line 1, column 1: unknown filter 'ulr'; did you mean 'url'?"),
    "another filter": ("{{api|toUpper}}", "filters are base64, json, shell, trim, url"),
    "no end": ("ü{{api}", "line 1, column 2: '{{' has no '}}' on its line"),
    "an end on another line": ("{{api\n}}", "has no '}}' on its line"),
    "nothing inside": ("{{ }}", "it names no file"),
    "only a filter": ("{{|url}}", "it names no file"),
    "an empty filter": ("{{api|}}", "unknown filter ''"),
    "a condition": ("{{if api}}x{{end}}", "no object of the list makes a file 'if api'; only {{path|filter}} is possible"),
    "a variable of a chart": ("{{ .Values.x }}", "only {{path|filter}} is possible"),
    "a brace in a place": ("{{a{{api}}", "stands inside of another one"),
    "quotes with a filter": ('{{"x"|url}}', "takes no filters"),
    "another template": ("{{other}}", "'other' is a template itself"),
    "itself": ("{{out}}", "'out' is a template itself"),
    "a folder": ("{{web}}", "no object of the list makes a file 'web'"),
    "case": ("{{API}}", "did you mean 'api'?"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_mistakes_are_named(world, row):
    text, expected = REFUSED[row]
    listed = json.dumps([{"objectName": "MYSQL-DB-PASSWORD"}, {"objectName": "api"}, {"objectName": "web", "layout": "kubernetes.io/tls"}])
    process = world.init(listed, AKVSYNC_TEMPLATES=templates(("out", text), ("other", "x")))
    assert process.code == 3
    message = process.find("exit")[0]["msg"]
    assert message.startswith("AKVSYNC_TEMPLATES: ") and "'out'" in message and expected in message, message
    assert not world.fake.journal()


ENTRIES = {
    "no path": ([{"text": "x"}], "entry 1: path is missing"),
    "neither": ([{"path": "x"}], "exactly one of text and file"),
    "both": ([{"path": "x", "text": "y", "file": "/z"}], "exactly one of text and file"),
    "an absolute path": ([{"path": "/x", "text": "y"}], "must be relative"),
    "leaves": ([{"path": "../x", "text": "y"}], "may not leave"),
    "our own": ([{"path": "..data", "text": "y"}], "such names are akvsync's own"),
    "a typo": ([{"path": "x", "txt": "y"}], "unknown attribute 'txt'; did you mean 'text'?"),
    "a mode": ([{"path": "x", "text": "y", "filePermission": "9"}], "is not a file mode"),
    "no map": (["x"], "it is not a map"),
    "no list": ({"path": "x"}, "it must be one list"),
    "an object's path": ([{"path": "db", "text": "y"}], "its path is in the way of object 1 ('db')"),
    "in an object's file": ([{"path": "db/x", "text": "y"}], "in the way of object 1"),
    "over a folder": ([{"path": "keys", "text": "y"}], "in the way of object 2"),
    "in a history": ([{"path": "old/9", "text": "y"}], "in the way of object 3"),
    "twice": ([{"path": "x", "text": "y"}, {"path": "x/z", "text": "y"}], "its path is in the way of 'x'"),
    "no such file": ([{"path": "x", "file": "/nonexistent/x"}], "cannot open '/nonexistent/x'"),
    "variables": ([{"path": "x", "text": "y", "variables": {"A": "db"}}], "unknown attribute 'variables'"),
}


@pytest.mark.parametrize("row", ENTRIES)
def test_bad_entries(world, row):
    entries, expected = ENTRIES[row]
    listed = json.dumps([{"objectName": "db"}, {"objectName": "api", "objectAlias": "keys/api"},
                         {"objectName": "old", "objectVersionHistory": 3}])
    process = world.init(listed, AKVSYNC_TEMPLATES=json.dumps(entries))
    assert process.code == 3
    assert expected in process.find("exit")[0]["msg"], process.text


def pair(world):
    """What a reader sees of a value and of the template that takes it, at one instant."""
    folder = os.open(world.volume / "..data", os.O_RDONLY | os.O_DIRECTORY)
    try:
        read = []
        for name in ("db", "url"):
            fd = os.open(name, os.O_RDONLY, dir_fd=folder)
            read.append(os.read(fd, 1000).decode())
            os.close(fd)
        return read
    finally:
        os.close(folder)


def test_a_rotation_changes_both_at_once(world):
    world.plant("db", "other")
    sidecar = world.sidecar("db, other", AKVSYNC_TEMPLATES=templates(("url", URL)), AKVSYNC_RETAIN="1m")
    wrong, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            value, url = pair(world)
            if url != f"mysql://app:{value}@db/shop":
                wrong.append((value, url))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(10):
        mark = sidecar.mark()
        value = world.plant("db")
        sidecar.poll()
        line = sidecar.wait_log("published", since=mark)
        assert "url@" in line["versions"] and line["changed"] == 2
        assert world.files()["url"] == f"mysql://app:{value}@db/shop"
    stop.set()
    reader.join()
    assert not wrong
    # What it does not take changes nothing of it.
    before = (world.volume / "url").stat().st_ino
    mark = sidecar.mark()
    world.plant("other")
    sidecar.poll()
    assert sidecar.wait_log("published", since=mark)["changed"] == 1
    assert (world.volume / "url").stat().st_ino == before


def test_a_restart_makes_nothing_anew(world):
    world.plant("db")
    made = templates(("url", URL))
    world.sidecar("db", AKVSYNC_TEMPLATES=made).stop(signal.SIGKILL)
    generation = world.generation()
    sidecar = world.sidecar("db", AKVSYNC_TEMPLATES=made)
    assert world.generation() == generation and sidecar.find("resume", "complete for this configuration")


@pytest.mark.parametrize("damage", ["edited", "deleted"])
def test_a_damaged_file_heals(world, damage):
    value = world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_TEMPLATES=templates(("url", URL)))
    path = (world.volume / "url").resolve()
    path.unlink()
    if damage == "edited":
        path.write_text("edited")
    sidecar.poll()
    world.wait_files({"db": value, "url": f"mysql://app:{value}@db/shop"})


def test_a_name_that_only_the_vault_gives(world):
    """Missing at the first set, the set waits; missing later, the last good file stays."""
    value = world.plant("app-one")
    listed = json.dumps([{"objectNamePattern": "app-*", "objectAlias": "apps"}])
    made = templates(("both", "{{apps/app-one}} {{apps/app-two}}"))
    sidecar = world.sidecar(listed, wait=False, AKVSYNC_TEMPLATES=made)
    held = sidecar.wait_log("set-held")
    assert "template 'both': line 1, column 18: file 'apps/app-two' is not in the set" in held["msg"]
    two = world.plant("app-two")
    sidecar.poll()
    world.wait_files({"apps/app-one": value, "apps/app-two": two, "both": f"{value} {two}"})
    sidecar.wait_log("set-released")
    world.fake.delete("app-two")
    for _ in range(3):
        mark = sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("unchanged", since=mark)
    sidecar.stop()


def test_what_vanishes_leaves_the_last_good_file(world):
    world.plant("gone")
    world.fake.set("db", "one")
    listed = json.dumps([{"objectName": "db"}, {"objectName": "gone", "optional": True}])
    made = templates(("both", "{{db}}{{gone|base64}}"))
    first = world.sidecar(listed, AKVSYNC_TEMPLATES=made, AKVSYNC_POLL_INTERVAL="1s")
    before = world.files()["both"]
    world.fake.delete("gone")
    first.wait_log("failure", "template 'both': line 1, column 7: file 'gone' is not in the set", kind="template")
    world.wait_files({"db": "one", "both": before})
    # The others rotate, and it works again when all is there.
    world.fake.set("db", "two")
    world.wait_files({"db": "two", "both": before})
    world.fake.recover("gone")
    first.wait_log("recovered", "template 'both'", kind="template")
    assert world.files()["both"].startswith("two")


def test_no_selected_object_takes_its_path(world):
    """Whoever may write to the vault would otherwise replace the file."""
    value = world.plant("app-one")
    listed = json.dumps([{"objectNamePattern": "app-*"}])
    made = templates(("app-config", "x {{app-one}}"))
    sidecar = world.sidecar(listed, AKVSYNC_TEMPLATES=made)
    world.plant("app-config")
    sidecar.poll()
    sidecar.wait_log("failure", "in the way of template 'app-config'", kind="left-out")
    assert world.files() == {"app-one": value, "app-config": f"x {value}"}


def test_keys_of_a_json_value(world):
    world.fake.set("db", '{"user": "planted-user", "password": "p@ss"}')
    listed = json.dumps([{"objectName": "db", "extract": "all", "objectAlias": "db", "excludeObjectName": True}])
    made = templates(("url", "mysql://{{db/user}}:{{db/password|url}}@db"))
    sidecar = world.sidecar(listed, AKVSYNC_TEMPLATES=made)
    first = {"db/user": "planted-user", "db/password": "p@ss", "url": "mysql://planted-user:p%40ss@db"}
    assert world.files() == first
    world.fake.set("db", '{"user": "planted-user", "password": "other"}')
    sidecar.poll()
    world.wait_files(first | {"db/password": "other", "url": "mysql://planted-user:other@db"})
    # A key that goes leaves the last good file.
    world.fake.set("db", '{"user": "planted-user-2"}')
    sidecar.poll()
    sidecar.wait_log("failure", "file 'db/password' is not in the set", kind="template")
    world.wait_files({"db/user": "planted-user-2", "url": "mysql://planted-user:other@db"})


def test_no_extracted_key_takes_its_path(world):
    world.fake.set("db", '{"user": "planted-user"}')
    listed = json.dumps([{"objectName": "db", "extract": "all"}])
    sidecar = world.sidecar(listed, AKVSYNC_TEMPLATES=templates(("app.conf", "u={{user}}")))
    before = world.files()
    world.fake.set("db", '{"user": "planted-user", "app.conf": "planted"}')
    sidecar.poll()
    sidecar.wait_log("failure", "in the way of template 'app.conf'", kind="object")
    assert world.files() == before


def test_its_text_changes(world):
    value = world.plant("db")
    text = f"vault: {world.fake.url('shop-kv')}\nobjects:\n- objectName: db\ntemplates:\n- path: out\n  text: "
    map_ = ConfigMap(world.folder / "map", text + "'a {{db}}'\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=map_.path))
    world.wait_files({"db": value, "out": f"a {value}"})
    map_.write(text + "'b {{db}}'\n")
    world.wait_files({"db": value, "out": f"b {value}"})
    map_.write(text + "'b {{bd}}'\n")
    sidecar.wait_log("configuration-refused", "no object of the list makes a file 'bd'")
    assert world.files()["out"] == f"b {value}"
    map_.write(text.split("templates")[0])
    world.wait_files({"db": value})


def test_the_text_in_a_file(world):
    """It is watched like the configuration file; a restart knows the text that was in force."""
    value = world.plant("db")
    file = world.folder / "out.tmpl"
    file.write_text("a {{db}}\n")
    made = json.dumps([{"path": "out", "file": str(file)}])
    sidecar = world.sidecar("db", AKVSYNC_TEMPLATES=made)
    assert world.files()["out"] == f"a {value}\n"

    def replace(text):
        new = world.folder / "new"
        new.write_text(text)
        new.rename(file)

    replace("b {{db}}\n")
    world.wait_files({"db": value, "out": f"b {value}\n"})
    replace("c {{db|x}}\n")
    refused = sidecar.wait_log("configuration-refused")
    assert f"template 'out': file '{file}': line 1, column 3: unknown filter 'x'" in refused["msg"]
    replace("d {{db}}\n")
    world.wait_files({"db": value, "out": f"d {value}\n"})
    sidecar.wait_log("recovered", kind="configuration")


@pytest.mark.parametrize("how", ["written", "linked", "folder"])
def test_a_file_that_comes_late(world, how):
    """A configuration that names a file which is not there yet is read again when it is."""
    value = world.plant("db")
    text = f"vault: {world.fake.url('shop-kv')}\nobjects: [{{objectName: db}}]\n"
    map_ = ConfigMap(world.folder / "map", text)
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=map_.path))
    sidecar.wait_log("ready")
    folder = world.folder / "map" / "texts"
    if how != "folder":
        folder.mkdir()
    file, other = folder / "out.tmpl", world.folder / "map" / "other.tmpl"
    other.write_text("b {{db}}")
    map_.write(text + f"templates:\n- {{path: other, file: {other}}}\n- {{path: out, file: {file}}}\n- {{path: more, file: {other}}}\n")
    refused = sidecar.wait_log("configuration-refused", "No such file or directory")
    assert "template 'out'" in refused["msg"]
    time.sleep(0.5)
    assert len(sidecar.find("configuration-refused")) == 1
    if how == "folder":
        folder.mkdir()
    if how == "linked":
        (world.folder / "map" / "elsewhere").write_text("a {{db}}")
        file.symlink_to(world.folder / "map" / "elsewhere")
    else:
        file.write_text("a {{db}}")
    sidecar.wait_log("recovered", kind="configuration")
    world.wait_files({"db": value, "out": f"a {value}", "other": f"b {value}", "more": f"b {value}"})


def test_a_new_text_waits_for_what_it_takes(world):
    """The list in force, with its templates, goes on after a restart."""
    world.fake.set("db", "one")
    listed = json.dumps([{"objectName": "db"}, {"objectNamePattern": "app-*"}])
    world.sidecar(listed, AKVSYNC_TEMPLATES=templates(("out", "a {{db}}"))).stop()
    later = templates(("out", "b {{db}} {{app-x}}"))
    sidecar = world.start("sidecar", env=world.env(listed, AKVSYNC_TEMPLATES=later))
    sidecar.wait_log("set-held", "template 'out'")
    assert sidecar.find("resume", "complete for an earlier list")
    world.fake.set("db", "two")
    sidecar.poll()
    world.wait_files({"db": "two", "out": "a two"})
    world.fake.set("app-x", "x")
    sidecar.poll()
    world.wait_files({"db": "two", "app-x": "x", "out": "b two x"})


def test_check_shows_them(world):
    config = configured(world, f"vault: {world.fake.url('shop-kv')}\nobjects: [{{objectName: db}}]\ntemplates:\n- {{path: out, text: 'a {{{{db|url}}}}'}}\n")
    process = subprocess.run([BINARY, "check"], env=config, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert f"{world.volume}/out  0440\n      line 1, column 3: db|url\n" in process.stdout


PAGE = (ROOT / "docs/env.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(vault:.*?)```", PAGE, re.S))
def test_the_page_is_true(world, text):
    for name in ("MYSQL-DB-PASSWORD", "api-key"):
        world.plant(name)
    folder = world.folder / "env"
    folder.mkdir()
    text = text.replace("shop-kv", world.fake.url("shop-kv")).replace("/env/", f"{folder}/")
    config = configured(world, text)
    process = world.start("init", env=config)
    assert process.wait() == 0, process.text
    files = re.search(re.escape(text.splitlines()[-1]) + r"\n```\nFiles: ([^\n]*)", PAGE)
    if files:
        assert set(world.files()) == set(re.findall(r"`([^`]+)`", files[1]))
    assert sorted(os.listdir(folder)) == ([] if files else ["app.dotenv", "app.env"])
