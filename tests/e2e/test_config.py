"""The configuration file: our YAML or a SecretProviderClass, and what happens when it changes."""

import json
import os
import subprocess

import pytest
from conftest import BINARY, wait_until


class ConfigMap:
    """A mounted ConfigMap: files behind ..data, which kubelet swaps."""

    def __init__(self, folder, text):
        self.folder = folder
        folder.mkdir()
        self.count = 0
        self.write(text)
        os.symlink("..data/config.yaml", folder / "config.yaml")

    @property
    def path(self):
        return str(self.folder / "config.yaml")

    def write(self, text):
        self.count += 1
        new = self.folder / f"..{self.count}"
        new.mkdir()
        (new / "config.yaml").write_text(text)
        os.symlink(new.name, self.folder / "..data_tmp")
        os.rename(self.folder / "..data_tmp", self.folder / "..data")


def configured(world, text, name="config.yaml", **more):
    path = world.folder / name
    path.write_text(text)
    return world.env(None, AKVSYNC_CONFIG=str(path), **more)


def spc(world, objects, parameters="", kind="SecretProviderClass"):
    indented = "\n".join("      " + line for line in objects.splitlines())
    return f"""\
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: {kind}
metadata:
  name: shop
spec:
  provider: azure
  parameters:
    keyvaultName: {world.fake.url("shop-kv")}
    tenantID: {world.fake.tenant_id}
    clientID: {world.fake.client_id}
{parameters}    objects: |
{indented}
"""


SECRETS_WITH_ALIASES = """\
array:
  - |
    objectName: mysql-password
    objectType: secret
    objectAlias: MYSQL_PASSWORD
    objectVersion: ""
  - |
    objectName: api-key
    objectType: secret
    objectAlias: keys/api.txt
    filePermission: 0400
"""

CERTIFICATE_WITH_KEY = """\
array:
  - |
    objectName: web
    objectType: secret
    objectAlias: tls/full.pem
  - |
    objectName: web
    objectType: cert
    objectAlias: tls/cert.pem
  - |
    objectName: web
    objectType: key
    objectAlias: tls/public.pem
"""

VERSION_HISTORY = """\
array:
  - |
    objectName: signing
    objectType: secret
    objectVersionHistory: 3
"""


def prepare_aliases(world):
    a, b = world.plant("mysql-password", "api-key")
    return {"MYSQL_PASSWORD": a.encode(), "keys/api.txt": b.encode()}


def prepare_certificate(world):
    import pki
    from test_formats import pfx, public_key_of

    chain, value = pfx()()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type="application/x-pkcs12")
    return {
        "tls/full.pem": pki.key_pem(chain.key) + pki.cert_pem(*chain.all),
        "tls/cert.pem": pki.cert_pem(chain.leaf),
        "tls/public.pem": public_key_of(chain, value)["web"],
    }


def prepare_history(world):
    from test_lists import versions

    values = versions(world, "signing", 4)
    return {f"signing/{i}": values[-1 - i].encode() for i in range(3)}


MANIFESTS = {
    "aliases": (SECRETS_WITH_ALIASES, prepare_aliases),
    "certificate": (CERTIFICATE_WITH_KEY, prepare_certificate),
    "history": (VERSION_HISTORY, prepare_history),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_secret_provider_class_goes_through_check_and_sidecar_unchanged(world, name):
    objects, make = MANIFESTS[name]
    expected = make(world)
    env = configured(world, spc(world, objects), AKVSYNC_VAULT=None)
    env.pop("AZURE_CLIENT_ID")
    env.pop("AZURE_TENANT_ID")
    for arguments in (["check", "--output", "json"], ["check", "--online", "--output", "json"]):
        code, report = check(world, *arguments, env=env)
        assert code == 0, report
        paths = [file["path"] for entry in report["objects"] for file in entry["files"]]
        assert sorted(paths) == sorted(expected)
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    assert world.files_bytes() == expected


def check(world, *arguments, env):
    import subprocess

    run = subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, check=False)
    for marker in world.fake.markers(values=True):
        assert len(marker) < 16 or marker[-40:] not in run.stdout + run.stderr
    return run.returncode, json.loads(run.stdout) if "json" in arguments else run.stdout + run.stderr


def test_what_has_no_meaning_is_named_once(world):
    expected = prepare_aliases(world)
    more = "    usePodIdentity: \"true\"\n    useVMManagedIdentity: \"false\"\n    resourceGroup: rg\n    cloudName: \"\"\n"
    text = spc(world, SECRETS_WITH_ALIASES, more) + "  secretObjects:\n  - secretName: s\n    type: Opaque\n"
    process = world.start("init", env=configured(world, text, AKVSYNC_VAULT=None))
    assert process.wait() == 0
    assert world.files_bytes() == expected
    [told] = process.find("ignored")
    assert told["names"] == "usePodIdentity, resourceGroup"


def test_precedence(world):
    """Our variables win over the file, the file over what the webhook injects."""
    a = world.plant("a")
    text = f"objects: wrong\npollInterval: 1h\nclientId: {world.fake.client_id}\ndir: /nowhere\n"
    env = configured(world, text) | {"AKVSYNC_OBJECTS": "a", "AZURE_CLIENT_ID": "not used"}
    process = world.start("init", env=env)
    assert process.wait() == 0
    assert world.files() == {"a": a}


def test_our_own_yaml(world):
    a, b = world.plant("a", "b")
    text = """\
# every key has the name of its variable
fileMode: "0400"
notify:
- signal=HUP,process=nobody;here
objects:
- objectName: a
- {objectName: b, objectAlias: x/b, optional: true}
"""
    process = world.start("init", env=configured(world, text))
    assert process.wait() == 0
    assert world.files() == {"a": a, "x/b": b}
    assert (world.volume / "a").stat().st_mode & 0o777 == 0o400


def test_a_list_of_whom_to_tell_is_shown_as_one_line(world):
    text = "objects: a\nnotify:\n- signal=HUP,process=a\n- signal=TERM,process=b\n"
    shown = "signal=HUP,process=a; signal=TERM,process=b"
    env = configured(world, text)
    _, told = check(world, "check", env=env)
    assert ["AKVSYNC_NOTIFY", "file", f'"{shown}"'] in [line.split(maxsplit=2) for line in told.splitlines()]
    _, report = check(world, "check", "--output", "json", env=env)
    assert report["settings"]["AKVSYNC_NOTIFY"] == {"value": shown, "source": "file"}
    world.plant("a")
    process = world.start("init", env=env)
    assert process.wait() == 0
    assert process.find("start")[0]["settings"]["AKVSYNC_NOTIFY"] == shown


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("clientId", "clientID"), ("keyvaultname", "keyvaultName"), ("keyVaultNam", "keyvaultName"), ("TenantID", "tenantID"),
        ("object", "objects"), ("userAssignedIdentityId", "userAssignedIdentityID"), ("cluodName", "cloudName"),
    ],
)
def test_a_misspelt_parameter_is_refused(world, wrong, right):
    text = spc(world, ONE, f"    {wrong}: x\n")
    code, report = check(world, "check", "--output", "json", env=configured(world, text, AKVSYNC_VAULT=None))
    assert code == 3
    assert f"': SecretProviderClass: line 11: unknown parameter '{wrong}'; did you mean '{right}'?" in report["error"]


def test_a_parameter_that_is_none_of_ours_is_ignored(world):
    """Also the provider's that differ from ours by more than a letter."""
    names = ["useManagedIdentity", "usePodIdentity", "useAzureTokenProxy", "cloudEnvFileName", "resourceGroup", "subscriptionId", "other"]
    text = spc(world, ONE, "".join(f"    {name}: x\n" for name in names))
    code, report = check(world, "check", "--output", "json", env=configured(world, text, AKVSYNC_VAULT=None))
    assert code == 0 and report["ignored"] == ", ".join(names)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pollIntervall: 5m\nobjects: a", "line 1: unknown key 'pollIntervall'; did you mean 'pollInterval'?"),
        ("poll_interval: 5m", "unknown key 'poll_interval'"),
        ("objects: a\nretain: 300", "configuration file '.*': AKVSYNC_RETAIN: '300' is not a duration"),
        ("objects: [{objectNam: a}]", "configuration file '.*': AKVSYNC_OBJECTS: object 1: unknown attribute"),
        ("objects: [a", "YAML line"),
        ("- objectName: a", "neither a map of settings.*; a list of objects goes under 'objects:', with 'vault:' beside it"),
        ("a", "neither a map of settings, .* nor a SecretProviderClass$"),
        ("config: x", "unknown key 'config'"),
        ("clientSecret: x", "line 1: clientSecret may hold a secret.*set the variable AZURE_CLIENT_SECRET from a Secret"),
        ("vault: [x]", "vault must be plain text"),
        ("kind: SecretProviderClass\nspec: {provider: vault}", "for provider 'vault', not for azure"),
        ("kind: SecretProviderClass\nspec: {provider: azure}", "has no spec.parameters"),
        (
            "kind: SecretProviderClass\nspec: {provider: azure, parameters: {keyvaultName: shop-kv}}",
            "configuration file '.*' does not say it either: AKVSYNC_OBJECTS is not set",
        ),
        ("pollInterval: 5m", "configuration file '.*' does not say it either: AKVSYNC_OBJECTS is not set"),
        ("kind: SecretProviderClass\nspec: {provider: azure, parameters: {cloudName: Mars}}", "cloudName: the value is not one of"),
        ("kind: SecretProviderClass\nspec: {provider: azure, parameters: {objects: [a]}}", "parameter objects must be text"),
        ("kind: SecretProviderClass\nspec: {provider: azure, parameters: {objects: a}}", "must be the text 'array:'"),
    ],
)
def test_a_bad_file_ends_the_start(world, text, says):
    process = world.start("init", env=configured(world, text))
    assert process.wait() == 3
    assert process.find("exit", says), process.text
    assert not world.fake.journal()


def test_a_missing_file_ends_the_start(world):
    process = world.start("init", env=world.env("a", AKVSYNC_CONFIG="/nowhere/config.yaml"))
    assert process.wait() == 3
    assert process.find("exit", "AKVSYNC_CONFIG: .*'/nowhere/config.yaml'.*No such file")


def test_a_config_map_is_applied_without_restart(world, app):
    a, b = world.plant("a", "b")
    config = ConfigMap(world.folder / "config", "objects: a\npollInterval: 1h\n")
    env = world.env(None, AKVSYNC_CONFIG=config.path, AKVSYNC_POLL_INTERVAL=None)
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    assert world.files() == {"a": a}
    # add
    config.write("objects: a, b\npollInterval: 1h\n")
    world.wait_files({"a": a, "b": b})
    # rename, and tell an app from now on
    config.write(f"objects: a, b=new/b\nnotify: signal=HUP,process={app.name}\n")
    world.wait_files({"a": a, "new/b": b})
    assert app.wait_signals(1) == ["SIGHUP"]
    # break: nothing changes, and rotation goes on
    config.write("objects: a,, b=new/b, c d\n")
    sidecar.wait_log("configuration-refused", "objectName 'c d'.*; the running configuration stays")
    a = world.plant("a")
    sidecar.poll()
    world.wait_files({"a": a, "new/b": b})
    # what needs a restart
    config.write("objects: a\nretain: 90s\n")
    sidecar.wait_log("configuration-refused", "AKVSYNC_RETAIN has changed, which needs a restart")
    assert world.files() == {"a": a, "new/b": b}
    # repair and remove
    config.write("objects: b\n")
    world.wait_files({"b": b})
    b = world.plant("b")
    sidecar.poll()
    world.wait_files({"b": b})
    assert sidecar.stop()[0] == 0


def test_while_a_new_object_cannot_be_read_the_old_set_rotates(world):
    a, old = world.plant("a", "old")
    config = ConfigMap(world.folder / "config", "objects: a, old\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    config.write("objects: a, missing\n")
    sidecar.wait_log("failure", "secret 'missing': 404")
    a = world.plant("a")
    sidecar.poll()
    world.wait_files({"a": a, "old": old})
    sidecar.poll()
    assert not sidecar.find("recovered")
    assert len(sidecar.find("failure", "secret 'missing': 404")) == 1
    missing = world.plant("missing")
    sidecar.poll()
    world.wait_files({"a": a, "missing": missing})
    sidecar.wait_log("configuration-applied")


def start_without_room(world, small_volume):
    """A sidecar with a, whose new list, with big, has no room; its configuration, and what takes up the room."""
    world.plant("a")
    world.fake.set("big", "x" * 25000)
    config = ConfigMap(world.folder / "config", "objects: a\n")
    env = world.env(None, AKVSYNC_CONFIG=config.path, AKVSYNC_DIR=str(small_volume))
    sidecar = world.start("sidecar", env=env)
    sidecar.wait_log("ready")
    filler = small_volume / "filler"
    filler.write_bytes(b"x" * 225 * 1024)
    config.write("objects: a, big\n")
    sidecar.wait_log("failure", "No space left on device", what="publish")
    return sidecar, config, filler


def test_while_a_new_set_has_no_room_the_old_one_rotates(world, small_volume):
    """The poll interval is an hour: room that comes back is noticed without a poll."""
    sidecar, _, filler = start_without_room(world, small_volume)
    a = world.plant("a")
    sidecar.poll()
    assert wait_until(lambda: (small_volume / "a").read_text() == a)
    assert not sidecar.find("configuration-applied")
    filler.unlink()
    sidecar.wait_log("configuration-applied", timeout=120)
    assert (small_volume / "big").read_text() == "x" * 25000


def told(process):
    """What of the log begins and ends failures."""
    return [(e["event"], e["what"]) for e in process.entries if e["event"] in ("failure", "recovered", "withdrawn")]


def test_an_outage_is_one_whatever_lists_there_are(world):
    world.plant("a")
    world.fake.vault_settings("other-kv")
    config = ConfigMap(world.folder / "config", "objects: [{objectName: a}]\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    # A longer delay than a round takes: each one fails at once.
    world.fake.fault({"status": 503, "retry_after_s": 21}, target="vault", vault="shop-kv", times=-1)
    sidecar.poll()
    sidecar.wait_log("failure", "503")
    config.write(f"objects: [{{objectName: a}}, {{objectName: b, vault: '{world.fake.url('other-kv')}'}}]\n")
    sidecar.wait_log("failure", "secret 'b': 404")
    world.fake.clear_faults()
    assert sidecar.wait_log("recovered", timeout=120)["failures"] > 1
    config.write("objects: [{objectName: a}]\n")
    sidecar.wait_log("withdrawn", what="b")
    vault = "vault 'shop-kv'"
    assert told(sidecar) == [("failure", vault), ("failure", "b"), ("recovered", vault), ("withdrawn", "b")]


def test_a_failure_of_the_old_list_ends_with_the_new_one(world):
    world.plant("a")
    config = ConfigMap(world.folder / "config", "objects: a, b\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("failure", what="b")
    world.plant("b", "c")
    config.write("objects: a, b, c\n")
    sidecar.wait_log("configuration-applied")
    sidecar.wait_log("recovered", what="b")
    assert told(sidecar) == [("failure", "b"), ("recovered", "b")]


def test_a_failure_ends_with_the_list_that_is_taken_back(world, small_volume):
    sidecar, config, _ = start_without_room(world, small_volume)
    config.write("objects: a\n")
    sidecar.wait_log("recovered", what="publish", kind="volume")


def start_blind(world, config):
    """A sidecar for which the kernel watches nothing: in a user namespace with a limit of its own."""
    limit = ("unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_inotify_watches && exec "$@"', "sh")
    if subprocess.run([*limit, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not permitted here")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path), wrapper=limit)
    sidecar.wait_log("ready")
    return sidecar


def test_a_change_is_applied_when_nothing_can_be_watched(world):
    a, b = world.plant("a", "b")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    sidecar = start_blind(world, config)
    says = f"hot reload of '{config.path}' now takes up to 10 s: .*No space left on device; raise fs.inotify.max_user_watches on"
    sidecar.wait_log("watch-blind", says, level="warn", path=config.path)
    config.write("objects: a, b\n")
    assert wait_until(lambda: world.files() == {"a": a, "b": b}, 30)
    assert len(sidecar.find("watch-blind", path=config.path)) == 1
    assert not sidecar.find("watch-restored")
    if os.geteuid():
        return  # only root may enter the user namespace of a process that is not dumpable
    raised = "echo 100 >/proc/sys/user/max_inotify_watches"
    subprocess.run(["nsenter", "--user", "--preserve-credentials", "-t", str(sidecar.pid), "sh", "-c", raised], check=True)
    sidecar.wait_log("watch-restored", f"hot reload of '{config.path}' is immediate again", timeout=30, path=config.path)
    config.write("objects: b\n")
    world.wait_files({"b": b})


@pytest.mark.parametrize("how", ["SIGHUP", "refresh"])
def test_a_poll_that_is_asked_for_looks_at_the_file_first(world, how):
    a, b = world.plant("a", "b")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    sidecar = start_blind(world, config)
    sidecar.wait_log("watch-blind")
    config.write("objects: a, b\n")
    since = sidecar.mark()
    if how == "SIGHUP":
        sidecar.poll()
    else:
        subprocess.run([BINARY, "refresh"], env={"AKVSYNC_DIR": str(world.volume)}, check=True, timeout=30)
    sidecar.wait_log("configuration-applied", since=since)
    assert world.files() == {"a": a, "b": b}
    assert not sidecar.find("unchanged", since=since), "the old list was polled first"


def test_a_plain_file_may_be_edited_in_place(world):
    a, b = world.plant("a", "b")
    path = world.folder / "plain.yaml"
    path.write_text("objects: a\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=str(path)))
    sidecar.wait_log("ready")
    path.write_text("objects: b\n")
    world.wait_files({"b": b})
    assert a and wait_until(lambda: sidecar.find("configuration-applied"))


def test_a_changed_choice_takes_nothing_away_while_its_list_is_refused(world):
    files = dict(zip(("app-a", "z"), world.plant("app-a", "z")))
    entries = "objects: [{objectName: z}, {objectNamePattern: 'app-*'%s}]\n"
    config = ConfigMap(world.folder / "config", entries % "")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    world.fake.revoke("list")
    config.write(entries % ", filePermission: '0400'")
    sidecar.wait_log("failure", "list of secrets like 'app-\\*': 403")
    files["z"] = world.plant("z")
    sidecar.poll()
    world.wait_files(files)
    world.fake.grant("list")
    sidecar.poll()
    sidecar.wait_log("configuration-applied")
    assert world.files() == files


def test_an_entry_that_leaves_takes_its_file_along_whatever_a_choice_selects(world):
    """What a choice no longer finds stays for some polls; the file of another entry was never its own."""
    files = dict(zip(("app-a", "z"), world.plant("app-a", "z")))
    config = ConfigMap(world.folder / "config", "objects: [{objectName: z}, {objectNamePattern: 'app-*'}]\n")
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path))
    sidecar.wait_log("ready")
    assert world.files() == files
    config.write("objects: [{objectNamePattern: 'app-*'}]\n")
    sidecar.wait_log("configuration-applied")
    assert world.files() == {"app-a": files["app-a"]}


def test_a_configuration_that_changes_no_file_fits_its_set(world):
    """So that a restart during an outage finds its set."""
    world.plant("a")
    assert world.init("[{objectName: a}]").code == 0
    assert world.init("[{objectName: a, optional: true}]").code == 0
    world.fake.fault({"status": 503}, target="vault", times=-1)
    process = world.init("[{objectName: a, optional: true}]", AKVSYNC_INIT_TIMEOUT="3s", AKVSYNC_REQUEST_TIMEOUT="2s")
    assert process.code == 0


ONE = "# what the shop needs\narray:\n  - |\n    objectName: a\n    objectType: secret\n"


@pytest.mark.parametrize(("managed", "expected", "ignored"), [("true", "mi", "clientID"), ("f", "wi", "userAssignedIdentityID")])
def test_of_two_client_ids_the_one_that_the_provider_uses(world, managed, expected, ignored):
    ids = {"mi": "11111111-1111-1111-1111-111111111111", "wi": world.fake.client_id}
    more = f"    useVMManagedIdentity: '{managed}'\n    userAssignedIdentityID: {ids['mi']}\n"
    text = spc(world, ONE, more)
    code, report = check(world, "check", "--output", "json", env=configured(world, text, AKVSYNC_VAULT=None))
    assert code == 0, report
    assert report["settings"]["AZURE_CLIENT_ID"] == {"value": ids[expected], "source": "file"}
    assert report["ignored"] == ignored


def test_what_the_environment_overrides_is_said_once(world):
    """The environment wins over the file, and nothing else would say why the file's vault is not asked."""
    world.plant("s")
    path = world.folder / "settings.yaml"
    path.write_text("vault: other-kv\npollInterval: 1h\nclientId: 33333333-3333-3333-3333-333333333333\nobjects: [{objectName: s}]\n")
    sidecar = world.sidecar(None, AKVSYNC_CONFIG=str(path), AZURE_CLIENT_ID=world.fake.client_id, wait=False)
    told = sidecar.wait_log("overridden")
    assert (told["level"], told["names"]) == ("warn", "AKVSYNC_VAULT")
    sidecar.poll()
    assert len(sidecar.find("overridden")) == 1


@pytest.mark.parametrize("first", ["tenantID", "tenantId"])
def test_of_two_tenants_the_new_spelling_counts(world, first):
    """As the provider reads them, in whatever order they stand; an empty one is none."""
    new, old = world.fake.tenant_id, "11111111-1111-1111-1111-111111111111"
    lines = [f"    tenantID: {new}\n", f"    tenantId: {old}\n"]
    both = "".join(lines if first == "tenantID" else reversed(lines))
    plain = spc(world, ONE)
    for parameters, expected in ((both, new), (f"    tenantID: ''\n{lines[1]}", old), (lines[1], old)):
        text = plain.replace(lines[0], parameters)
        code, report = check(world, "check", "--output", "json", env=configured(world, text, AKVSYNC_VAULT=None))
        assert code == 0, report
        assert report["settings"]["AZURE_TENANT_ID"] == {"value": expected, "source": "file"}
