"""Values inside the JSON text of one secret as files of the same set: jmesPath, extract, excludeObjectName."""

import json
import os
import stat

import pytest
from conftest import wait_until
from test_check import as_json

TEXT = r"""{
  "user": "planted-user-a\n\u00e9", "port": 3306, "ratio": 1.50, "big": 12345678901234567890.10e0,
  "tls": {"ca": "planted-ca", "on": true, "hosts": ["one", "two", {"x": null}]},
  "db-pass": "planted-pass", "none": null, "off": false, "empty": "", "nul": "a\u0000b"
}"""

PARTS = {
    "user": "planted-user-a\né".encode(),
    "port": b"3306",
    "ratio": b"1.50",
    "big": b"12345678901234567890.10e0",
    "tls.ca": b"planted-ca",
    "tls.on": b"true",
    "tls.hosts[1]": b"two",
    "tls.hosts": b'["one","two",{"x":null}]',
    'tls."hosts"[2]': b'{"x":null}',
    "tls.hosts[2].x": b"null",
    '"db-pass"': b"planted-pass",
    "none": b"null",
    "off": b"false",
    "empty": b"",
    "nul": b"a\0b",
}


def entry(**attributes):
    return json.dumps([{"objectName": "db"} | attributes])


def parts(*pairs, **more):
    listed = [{"path": path, "objectAlias": alias} for path, alias in pairs]
    return entry(jmesPath=listed, **more)


def test_each_kind_of_value(world):
    world.fake.set("db", TEXT)
    names = {path: f"out/{number}" for number, path in enumerate(PARTS)}
    assert world.init(parts(*names.items())).code == 0
    files = world.files_bytes()
    assert files.pop("db") == TEXT.encode()
    assert {path: files[name] for path, name in names.items()} == PARTS and len(files) == len(PARTS)


def test_modes_and_no_whole_file(world):
    world.fake.set("db", TEXT)
    listed = [
        {"path": "user", "objectAlias": "db/user"},
        {"path": "port", "objectAlias": "port", "filePermission": "0400"},
    ]
    process = world.init(entry(jmesPath=listed, excludeObjectName=True, filePermission="0444"))
    assert process.code == 0, process.text
    assert set(world.files()) == {"db/user", "port"}
    modes = [stat.S_IMODE((world.volume / path).stat().st_mode) for path in ("db/user", "port")]
    assert modes == [0o444, 0o400]


def test_a_list_as_another_provider_has_it(world):
    """As the Secrets Store provider of AWS spells it, and pasted in the form of Azure's."""
    world.fake.set("db", TEXT)
    inner = "objectName: db\nobjectType: secret\njmesPath:\n    - path: user\n      objectAlias: db-user\n      note: x\n"
    array = "array:\n  - |\n" + "".join(f"    {line}\n" for line in inner.splitlines())
    process = world.init(array)
    assert process.code == 0, process.text
    assert set(world.files()) == {"db", "db-user"}
    assert process.find("ignored", "note of object 1")


EXTRACTED = {
    "root": (entry(extract="all"), {"db": None, "a": b"x", "b": b"1", "c": b"[1,2]"}),
    "without the whole": (entry(extract="all", excludeObjectName=True), {"a": b"x", "b": b"1", "c": b"[1,2]"}),
    "beside its file": (
        entry(extract="all", objectAlias="d/e/all"),
        {"d/e/all": None, "d/e/a": b"x", "d/e/b": b"1", "d/e/c": b"[1,2]"},
    ),
    "in a folder": (
        entry(extract="all", objectAlias="d", excludeObjectName=True),
        {"d/a": b"x", "d/b": b"1", "d/c": b"[1,2]"},
    ),
    "with a named one": (
        entry(extract="all", excludeObjectName=True, jmesPath=[{"path": "c[0]", "objectAlias": "first"}]),
        {"first": b"1", "a": b"x", "b": b"1", "c": b"[1,2]"},
    ),
    "with metadata": (
        entry(extract="all", excludeObjectName=True, objectAlias="d", metadata=True),
        {"d/a": b"x", "d/b": b"1", "d/c": b"[1,2]", "d.json": None},
    ),
}


@pytest.mark.parametrize("row", EXTRACTED)
def test_extracted_keys(world, row):
    objects, files = EXTRACTED[row]
    world.fake.set("db", '{"a": "x", "b": 1, "c": [1, 2]}')
    process = world.init(objects)
    if row == "with metadata":
        # d is a folder, and d.json is beside it.
        assert process.code == 0, process.text
    found = world.files_bytes()
    assert set(found) == set(files), process.text
    assert all(found[path] == content for path, content in files.items() if content is not None)


def test_base64_of_json(world):
    import base64

    world.fake.set("db", base64.b64encode(b'{"a": "x"}').decode())
    assert world.init(entry(extract="all", objectEncoding="base64")).code == 0
    assert world.files() == {"db": '{"a": "x"}', "a": "x"}


REFUSED = {
    # value, attributes, what the message says
    "missing": ('{"a": "planted-value"}', {"jmesPath": [{"path": "b.c", "objectAlias": "x"}]},
                "secret 'db' of vault 'shop-kv': its JSON value has no key 'b', which the file 'x' is to hold"),
    "too few items": ('{"a": ["planted-value"]}', {"jmesPath": [{"path": "a[1]", "objectAlias": "x"}]}, r"has no item 'a\[1\]'"),
    "no JSON": ("planted-no-json", {"jmesPath": [{"path": "a", "objectAlias": "x"}]},
                "secret 'db' of vault 'shop-kv': it is not JSON: neither a value nor a number, at byte 1"),
    "empty": ("", {"extract": "all"}, "it is not JSON: it is empty"),
    "key twice": ('{"a": 1, "a": "planted-value"}', {"extract": "all"}, "has a key twice"),
    "no object": ('["planted-value"]', {"extract": "all"}, "is no object, whose keys extract takes"),
    "no keys": ("{}", {"extract": "all"}, "has no key to extract"),
    "leaves the directory": ('{"../x": "planted-value"}', {"extract": "all"}, r"key '../x' of its JSON value cannot be a file.*may not leave"),
    "absolute": ('{"/x": "planted-value"}', {"extract": "all"}, "must be relative"),
    "no name": ('{"": "planted-value"}', {"extract": "all"}, "key '' of its JSON value.*has an empty part"),
    "empty part": ('{"a//b": "planted-value"}', {"extract": "all"}, "has an empty part"),
    "own names": ('{"..data": "planted-value"}', {"extract": "all"}, "akvsync's own"),
    "control": ('{"a\\nb": "planted-value"}', {"extract": "all"}, "has a control character"),
    "NUL": ('{"a\\u0000b": "planted-value"}', {"extract": "all"}, "holds a NUL character"),
    "long": (json.dumps({"k" * 256: "planted-value"}), {"extract": "all"}, "longer than 255 bytes"),
    "its own file": ('{"db": "planted-value"}', {"extract": "all"}, "in the way of another file of this entry"),
    "below its own file": ('{"db/x": "planted-value"}', {"extract": "all"}, "in the way of another file of this entry"),
    "each other": ('{"a": "planted-value", "a/b": 1}', {"extract": "all"}, "in the way of another file of this entry"),
    "other object": ('{"other": "planted-value"}', {"extract": "all"}, "key 'other' of its JSON value cannot be a file: the path 'other' is in the way of secret 'other'"),
    "folder of another": ('{"keys": "planted-value"}', {"extract": "all"}, "in the way of secret 'deep'"),
    "too many": (json.dumps({f"k{i}": 1 for i in range(1001)}), {"extract": "all"}, "more than 1000 keys"),
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_value_that_cannot_be_taken_apart(world, row):
    """It is this object's error; the message names object, vault and key, and holds no value."""
    value, attributes, says = REFUSED[row]
    world.fake.set("db", value)
    world.plant("other", "deep")
    objects = json.loads(entry(**attributes)) + [{"objectName": "other"}, {"objectName": "deep", "objectAlias": "keys/deep"}]
    process = world.init(json.dumps(objects))
    assert process.code == 3, process.text
    assert process.find("exit", says), process.text
    assert "planted-" not in process.text
    assert not world.files()
    code, report = as_json(world.env(json.dumps(objects)), "--online")
    assert code == 3
    assert [one["read"] for one in report["objects"]] == ["FAILED", "ok", "ok"]


def test_a_folder_by_a_key(world):
    world.fake.set("db", '{"a/b": "x", "a/c": "y"}')
    assert world.init(entry(extract="all", excludeObjectName=True)).code == 0
    assert world.files() == {"a/b": "x", "a/c": "y"}


def test_keys_of_two_secrets_never_share_a_path(world):
    world.fake.set("db", '{"a": "x"}')
    world.fake.set("other", '{"a": "y"}')
    both = json.loads(entry(extract="all", excludeObjectName=True)) + [
        {"objectName": "other", "extract": "all", "excludeObjectName": True}
    ]
    process = world.init(json.dumps(both))
    assert process.code == 3 and process.find("exit", "secret 'other'.*in the way of secret 'db'"), process.text
    both[1]["objectAlias"] = "o"
    assert world.init(json.dumps(both)).code == 0
    assert world.files() == {"a": "x", "o/a": "y"}


def test_all_change_in_one_set(world):
    world.fake.set("db", '{"user": "u1", "pass": "p1", "old": "o1"}')
    sidecar = world.sidecar(entry(extract="all"))
    first = world.generation()
    world.fake.set("db", '{"user": "u2", "pass": "p1", "new": "n2"}')
    sidecar.poll()
    sidecar.wait_log("published", since=1, changed=4)
    world.wait_files({"db": '{"user": "u2", "pass": "p1", "new": "n2"}', "user": "u2", "pass": "p1", "new": "n2"})
    assert world.generation() != first
    assert not (world.volume / "old").is_symlink(), "a key that vanishes takes its file with it"
    # The same again changes nothing.
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)


BROKEN = {
    "no JSON": "no JSON",
    "key twice": '{"user": 1, "other": 2, "user": 3}',
    "key in the way": '{"user": "u2", "other": "x"}',
    "disabled": None,
}


@pytest.mark.parametrize(
    "attributes",
    [{"extract": "all"}, {"jmesPath": [{"path": "pass", "objectAlias": "pass"}, {"path": "user", "objectAlias": "user"}]}],
    ids=["extract", "jmesPath"],
)
@pytest.mark.parametrize("row", BROKEN)
def test_last_good_files_stay(world, attributes, row):
    """All files of the object stay, and other objects go on changing."""
    broken = BROKEN[row]
    world.fake.set("db", '{"user": "u1", "pass": "p1"}')
    world.plant("other")
    objects = json.loads(entry(**attributes)) + [{"objectName": "other", "objectAlias": "x"}]
    if row == "key in the way" and "extract" in attributes:
        objects[1]["objectAlias"] = "other"
    sidecar = world.sidecar(json.dumps(objects))
    before = world.files()
    assert before["user"] == "u1" and before["pass"] == "p1"
    if broken is None:
        world.fake.disable("db")
    else:
        world.fake.set("db", broken)
    alias = objects[1]["objectAlias"]
    for _ in range(2):
        since = sidecar.mark()
        new = world.plant("other")
        sidecar.poll()
        sidecar.wait_log("published", since=since)
        world.wait_files(before | {alias: new})
    assert len(sidecar.find("failed", "secret 'db'") + sidecar.find("incident", "secret 'db'")) <= 1
    # A restart with the value still broken begins with the same files.
    sidecar.stop()
    again = world.sidecar(json.dumps(objects), wait=False)
    again.wait_log("resume")
    assert world.files() == before | {alias: new}
    # When it is mended, its files follow.
    world.fake.set("db", '{"user": "u3", "pass": "p3"}')
    again.poll()
    world.wait_files(before | {alias: new, "user": "u3", "pass": "p3"} | ({"db": '{"user": "u3", "pass": "p3"}'} if "db" in before else {}))


def test_a_restart_asks_for_a_pinned_value_once(world):
    world.fake.set("db", '{"user": "u1", "pass": "p1"}')
    version = world.fake.secret("db")["current"]
    objects = entry(extract="all", objectVersion=version, excludeObjectName=True)
    assert world.init(objects).code == 0
    mark = world.fake.mark()
    sidecar = world.sidecar(objects)
    sidecar.poll()
    assert not world.fake.journal(since=mark, target="vault", path="/secrets/db*", status=200)
    # A file that is missing is made again, from the value.
    (world.volume / "..data" / "pass").unlink()
    sidecar.poll()
    world.wait_files({"user": "u1", "pass": "p1"})


def test_a_named_object_wins_over_a_key(world):
    """A new list names an object whose path a key had: the key's object says so until that is mended."""
    world.fake.set("db", '{"user": "u1", "pass": "p1"}')
    config = world.folder / "config.yaml"
    one = {"objectName": "db", "extract": "all", "excludeObjectName": True}
    config.write_text(json.dumps({"objects": [one]}))
    sidecar = world.sidecar(None, AKVSYNC_CONFIG=str(config))
    other = world.plant("pass")
    temporary = config.with_suffix(".new")
    temporary.write_text(json.dumps({"objects": [one, {"objectName": "pass"}]}))
    os.replace(temporary, config)
    sidecar.wait_log("set-held")
    for _ in range(2):
        since = sidecar.mark()
        sidecar.poll()
        wait_until(lambda since=since: sidecar.mark() > since)
    assert "key 'pass' of its JSON value cannot be a file" in sidecar.text
    assert world.files() == {"user": "u1", "pass": "p1"}
    world.fake.set("db", '{"user": "u2"}')
    sidecar.poll()
    world.wait_files({"user": "u2", "pass": other})


def test_keys_of_two_pinned_values_are_told_apart(world):
    """They lie side by side, as many of one as of the other; neither value is asked for again."""
    listed = []
    for name in ("db", "other"):
        world.fake.set(name, json.dumps({f"{name}-user": "u", f"{name}-pass": "p"}))
        version = world.fake.secret(name)["current"]
        listed.append({"objectName": name, "objectVersion": version, "extract": "all", "excludeObjectName": True})
    assert world.init(json.dumps(listed)).code == 0
    mark = world.fake.mark()
    sidecar = world.sidecar(json.dumps(listed))
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert not world.fake.journal(since=mark, target="vault", path="/secrets/*", status=200)
    assert set(world.files()) == {"db-user", "db-pass", "other-user", "other-pass"}


def test_a_part_of_the_keys_is_not_all_of_them(world):
    """An optional object holds up no list: what is left of its files stays, and what is wrong is not forgotten."""
    world.fake.set("db", '{"user": "u1", "pass": "p1"}')
    one = {"objectName": "db", "extract": "all", "excludeObjectName": True, "optional": True}
    assert world.init(json.dumps([one])).code == 0
    other = world.plant("pass")
    both = json.dumps([one, {"objectName": "pass"}])
    assert world.init(both).code == 3, "a mistake is never excused"
    assert world.files() == {"user": "u1", "pass": other}
    # Another start sees the rest of the files, all of the present version.
    process = world.init(both)
    assert process.find("failure", "key 'pass' of its JSON value cannot be a file"), process.text
    assert world.files() == {"user": "u1", "pass": other}


def test_check_shows_the_files(world):
    objects = entry(jmesPath=[{"path": "a", "objectAlias": "x", "filePermission": "0400"}], extract="all")
    code, report = as_json(world.env(objects))
    assert code == 0
    assert report["objects"][0]["files"] == [{"path": "db"}, {"path": "x", "mode": "0400"}]
    world.fake.set("db", '{"a": "planted-one-of-it", "b": 2}')
    code, report = as_json(world.env(objects), "--online")
    assert code == 0
    assert report["objects"][0]["files"] == [{"path": "db"}, {"path": "x", "mode": "0400"}, {"path": "a"}, {"path": "b"}]
