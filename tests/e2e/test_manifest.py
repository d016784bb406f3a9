"""What a file with a SecretProviderClass may be besides: several of them, one chosen by name, and which identity it asks
for; and the same spellings in AKVSYNC_OBJECTS."""

import json
import subprocess

import pytest
import shapes
from conftest import BINARY
from test_config import ConfigMap
from test_identity import only_login

ENV = {"AKVSYNC_VAULT": "shop-kv"}
BLOCK = "    objects: |\n"


def check(*arguments, **env):
    run = subprocess.run([BINARY, "check", "--output", "json", *arguments], env=env, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    return report["error"] or [file["path"] for entry in report["objects"] for file in entry["files"]]


def write(world, text):
    """The file of a pod in the fake's tenant."""
    file = world.folder / "pasted.yaml"
    file.write_text(shapes.of_fake(text, world.fake))
    return str(file)


def named(name, namespace="", secret="a"):
    text = shapes.manifest(shapes.array(f"objectName: {secret}\nobjectType: secret\n"), name)
    return text.replace("metadata:\n", f"metadata:\n  namespace: {namespace}\n") if namespace else text


TWO = named("one") + "---\n" + shapes.kubernetes("Service", "two") + "---\n" + named("two", secret="b")
SPACES = named("shop", "dev") + "---\n" + named("shop", "prod", "b") + "---\n" + named("mail", "prod", "c")


@pytest.mark.parametrize(
    ("text", "choice", "expected"),
    [
        (TWO, "", "it has 2 documents of kind SecretProviderClass, 'one', 'two'; choose one by its name, such as AKVSYNC_CONFIG=FILE#two"),
        (TWO, "#one", ["a"]),
        (TWO, "#two", ["b"]),
        (TWO, "#three", "there must be one SecretProviderClass 'three' (or NAMESPACE/NAME); there are 'one', 'two'"),
        (TWO, "#", "No such file"),
        (SPACES, "", "3 documents of kind SecretProviderClass, 'dev/shop', 'prod/shop', 'prod/mail'"),
        (SPACES, "#mail", ["c"]),
        (SPACES, "#shop", "there are 'dev/shop', 'prod/shop', 'prod/mail'"),
        (SPACES, "#dev/shop", ["a"]),
        (SPACES, "#prod/shop", ["b"]),
        (named("one"), "#one", ["a"]),
        (named("one"), "#two", "there must be one SecretProviderClass 'two' (or NAMESPACE/NAME); there are 'one'"),
        ("vault: shop-kv\nobjects: a\n", "#one", "it has no SecretProviderClass 'one', and no other one"),
        ("vault: shop-kv\n---\nobjects: a\n", "", "line 3: settings stand in one document, and this is the second"),
        ("vault: shop-kv\nobjects: a\n---\n", "", ["a"]),
    ],
)
def test_one_of_several_is_chosen_by_name(tmp_path, text, choice, expected):
    file = tmp_path / "pasted.yaml"
    file.write_text(text)
    for got in (check(f"{file}{choice}"), check(AKVSYNC_CONFIG=f"{file}{choice}")):
        assert expected in got if isinstance(expected, str) else got == expected, got


def test_a_file_whose_name_has_the_sign_wins(tmp_path):
    (tmp_path / "pasted.yaml").write_text(TWO)
    whole = tmp_path / "pasted.yaml#one"
    whole.write_text("vault: shop-kv\nobjects: whole\n")
    assert check(str(whole)) == ["whole"]
    assert check(f"{tmp_path}/pasted.yaml#two") == ["b"]
    folder = tmp_path / "a#b"
    folder.mkdir()
    (folder / "c.yaml").write_text(TWO)
    assert check(f"{folder}/c.yaml#two") == ["b"]
    assert f"'{folder}/d.yaml'" in check(f"{folder}/d.yaml")


def test_the_chosen_one_is_reloaded(world):
    a, b, c = world.plant("a", "b", "c")
    two = shapes.of_fake(TWO, world.fake)
    config = ConfigMap(world.folder / "config", two)
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path + "#one"))
    sidecar.wait_log("ready")
    assert world.files() == {"a": a}
    config.write(two.replace("objectName: a", "objectName: c"))
    world.wait_files({"c": c})
    config.write(two.replace("name: one", "name: gone"))
    sidecar.wait_log("configuration-refused", f"configuration file '{config.path}': there must be one SecretProviderClass 'one'")
    config.write(two.replace("objectName: a", "objectName: b"))
    world.wait_files({"b": b})


def test_what_is_told_is_told_once_a_file(world):
    world.plant("a", "b")
    text = shapes.manifest(shapes.array(shapes.ENTRY_A + "note: x\n", shapes.ENTRY_A, shapes.ENTRY_B), more="    resourceGroup: rg\n")
    text = shapes.of_fake(text, world.fake)
    config = ConfigMap(world.folder / "config", text)
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    sidecar.poll()
    sidecar.wait_log("unchanged")
    [ignored], [repeated] = sidecar.find("ignored"), sidecar.find("repeated")
    assert ignored["msg"] == f"{config.path}: what has no meaning here is ignored: resourceGroup, note of object 1 ('a')"
    assert repeated["msg"] == f"{config.path}: what is listed again is taken once: object 2 ('a')"
    assert ignored["level"] == repeated["level"] == "warn"
    since = sidecar.mark()
    config.write(text + "# changed\n")
    sidecar.wait_log("repeated", since=since)
    sidecar.poll()
    sidecar.wait_log("unchanged", since=sidecar.mark())
    assert len(sidecar.find("ignored")) == len(sidecar.find("repeated")) == 2
    told = subprocess.run([BINARY, "check", config.path], env={}, capture_output=True, text=True, check=True).stdout
    assert f"ignored\n  {config.path}: resourceGroup, note of object 1 ('a')\n" in told
    assert f"taken once\n  {config.path}: object 2 ('a')\n" in told


def test_what_is_told_of_the_variable_names_it(tmp_path):
    file = tmp_path / "pasted.yaml"
    file.write_text(shapes.manifest(more="    resourceGroup: rg\n"))
    for env, ignored in (({}, "note of object 1 ('b')"), ({"AKVSYNC_CONFIG": str(file)}, "resourceGroup, in AKVSYNC_OBJECTS: note of object 1 ('b')")):
        run = subprocess.run([BINARY, "check", "--output", "json"], env=ENV | env | {"AKVSYNC_OBJECTS": "array: ['{objectName: b, note: x}']"},
                             capture_output=True, text=True, check=True)
        assert json.loads(run.stdout)["ignored"] == ignored
    run = subprocess.run([BINARY, "check"], env=ENV | {"AKVSYNC_OBJECTS": "a, b, a"}, capture_output=True, text=True, check=True)
    assert "taken once\n  AKVSYNC_OBJECTS: object 3 ('a')\n" in run.stdout


def test_no_terminal_obeys_a_key(tmp_path):
    file = tmp_path / "pasted.yaml"
    file.write_text(shapes.manifest(shapes.array(shapes.ENTRY_A + '"\\e[31mred\\nline": x\n'), more='    "\\e[1m": x\n'))
    told = subprocess.run([BINARY, "check", file], env={}, capture_output=True, text=True, check=True).stdout
    assert f"ignored\n  {file}: ?[1m, ?[31mred?line of object 1 ('a')\n" in told and "\x1b" not in told


@pytest.mark.parametrize("name", [name for name, (text, _) in shapes.OBJECTS.items() if BLOCK in text])
def test_the_variable_takes_what_the_manifest_takes(tmp_path, name):
    """Each shape of the objects, as it stands in the manifest, in AKVSYNC_OBJECTS; a natural list is taken there, too."""
    text, expected = shapes.OBJECTS[name]
    objects = "".join(line[6:] or "\n" for line in text.partition(BLOCK)[2].splitlines(keepends=True))
    got = check(**ENV, AKVSYNC_OBJECTS=objects)
    file = tmp_path / "own.yaml"
    file.write_text("vault: shop-kv\nobjects: |\n" + shapes.indent(objects, 2))
    ours = check(str(file))
    if name == "natural list":
        assert got == ours == ["a"]
    elif isinstance(expected, str):
        assert expected in got or "must be a list of maps, or 'array:'" in got
        assert ours == f"configuration file '{file}': {got}"
    else:
        assert got == ours == list(expected)


# ---- which identity ----

SYSTEM = '    useVMManagedIdentity: "true"\n'


@pytest.mark.parametrize(
    "more",
    [SYSTEM, SYSTEM + '    userAssignedIdentityID: ""\n', SYSTEM + "    userAssignedIdentityID: ' '\n", SYSTEM.replace("true", "T"),
     SYSTEM + f"    clientID: {shapes.IDENTITY}\n"],
)
def test_no_identity_in_the_manifest_is_the_machines_own(world, more):
    """Whatever workload identity's webhook injects: its identity is another one."""
    a = world.plant("a")
    world.fake.update_identity(managed="system")
    file = write(world, shapes.manifest(more=more).replace(f"    clientID: {shapes.IDENTITY}\n", "", 1))
    env = world.env(None, AKVSYNC_CONFIG=file, AZURE_POD_IDENTITY_AUTHORITY_HOST=world.fake.imds)
    assert env["AZURE_CLIENT_ID"] and env["AZURE_FEDERATED_TOKEN_FILE"]
    process = world.start("init", env=env)
    assert process.wait() == 0, process.text
    assert world.files() == {"a": a}
    assert only_login(world, "imds")["selector"] is None
    run = subprocess.run([BINARY, "check", "--output", "json"], env=env, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout)["settings"]["AZURE_CLIENT_ID"] == {"value": None, "source": "file"}


def test_the_identity_of_the_manifest_is_used(world):
    a = world.plant("a")
    world.fake.update_identity(managed="user")
    more = SYSTEM + f"    userAssignedIdentityID: {world.fake.client_id}\n"
    file = write(world, shapes.manifest(more=more).replace(f"    clientID: {shapes.IDENTITY}\n", ""))
    env = world.env(None, AKVSYNC_CONFIG=file, AZURE_POD_IDENTITY_AUTHORITY_HOST=world.fake.imds, AZURE_CLIENT_ID="injected")
    process = world.start("init", env=env)
    assert process.wait() == 0, process.text
    assert world.files() == {"a": a}
    assert only_login(world, "imds")["selector"] is not None


def test_another_credential_keeps_the_injected_identity(world):
    """AKVSYNC_AUTH wins over the manifest, and then no managed identity is meant."""
    a = world.plant("a")
    file = write(world, shapes.manifest(more=SYSTEM).replace(f"    clientID: {shapes.IDENTITY}\n", ""))
    process = world.start("init", env=world.env(None, AKVSYNC_CONFIG=file, AKVSYNC_AUTH="workload-identity"))
    assert process.wait() == 0, process.text
    assert world.files() == {"a": a}
