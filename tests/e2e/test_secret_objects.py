"""Kubernetes Secrets made of the files, at a strict stand-in for the API server."""

import base64
import json
import subprocess
import uuid

import pki
import pytest
from api_server import ApiServer, Refused, denied_by_policy, forbidden
from conftest import BINARY, wait_until

OWN = "akvsync.dev/"


@pytest.fixture
def api(world, tmp_path):
    """Besides what holds for every test: no value of a Secret leaks as base64, and no token of the cluster."""
    server = ApiServer(tmp_path)
    yield server
    for process in world.processes:
        process.stop()
    server.stop()
    said, bodies = world.said(), [json.loads(request["body"]) for request in server.requests]
    values = {value for body in bodies for value in body.get("data", {}).values() if len(value) >= 16}
    assert not [marker for marker in values | {server.token} if marker in said]


def secret(name="db", data=(("s", "password"),), **more):
    return {"secretName": name, "data": [{"objectName": path, "key": key} for path, key in data]} | more


def pod(api, secrets, uid=None, **more):
    return api.env(secrets, POD_UID=uid or str(uuid.uuid4()), **more)


def poll(process, times=1):
    for _ in range(times):
        since = process.mark()
        process.poll()
        wait_until(lambda: process.find("unchanged", since=since) or process.find("published", since=since))


def start(world, objects, env, mode="sidecar", wait=True):
    """world.sidecar() with the pod's own uid."""
    uid, had_set = env.pop("POD_UID"), world.generation()
    everything = world.env(objects, **env) | {"POD_UID": uid}
    process = world.start(mode, env=everything)
    if mode == "init":
        process.code = process.wait(90)
    elif wait:
        process.wait_log("resume" if had_set else "ready")
    return process


def test_a_secret_is_made_follows_and_comes_back(world, api):
    value, uid = world.plant("s"), str(uuid.uuid4())
    env = pod(api, [secret(labels={"team": "shop"}, annotations={"note": "ü \" x"})], uid)
    sidecar = start(world, "s", env)
    made = api.secrets["db"]
    assert made.data() == {"password": value.encode()} and made.owners() == [uid]
    assert made.labels() == {"akvsync.dev/managed": "true", "team": "shop"} and made.annotations()["note"] == 'ü " x'
    assert len(api.writes()) == 2
    value = world.plant("s")
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data() == {"password": value.encode()})
    version = api.secrets["db"].version
    poll(sidecar, 50)
    assert api.secrets["db"].version == version and len(api.writes()) == 3
    api.delete("db")
    poll(sidecar, 7)
    assert wait_until(lambda: "db" in api.secrets and api.secrets["db"].owners() == [uid])
    assert api.secrets["db"].data() == {"password": value.encode()}


# ---- what a Secret holds ----

TLS = "kubernetes.io/tls"


def tls(name="web-tls", crt="c", key="c"):
    return secret(name, ((crt, "tls.crt"), (key, "tls.key")), type=TLS)


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed"])
@pytest.mark.parametrize("form", ["pem", "pfx", "two"])
def test_a_tls_secret(world, api, kind, form):
    chain = pki.Chain({"rsa": pki.rsa_key, "ec": pki.ec_key, "ed": pki.ed_key}[kind]())
    pem = pki.key_pem(chain.key) + pki.cert_pem(*chain.all)
    if form == "pfx":
        world.fake.set("c", pki.base64_pfx(chain.key, chain.all), content_type="application/x-pkcs12")
        objects = "c"
    elif form == "pem":
        world.fake.set("c", pem.decode())
        objects = "c"
    else:
        world.fake.set("crt", pki.cert_pem(*chain.all).decode())
        world.fake.set("key", pki.key_pem(chain.key).decode())
        objects = "crt,key"
    start(world, objects, pod(api, [tls(crt="crt", key="key") if form == "two" else tls()]))
    data = api.secrets["web-tls"].data()
    assert set(data) == {"tls.crt", "tls.key"}
    assert data["tls.crt"] == pki.cert_pem(*chain.all)
    wanted = pki.key_pem(chain.key) if kind == "ed" else pki.key_pem_traditional(chain.key)
    assert data["tls.key"] == wanted


DOCKER = json.dumps({"auths": {"registry.example": {"auth": "cGxhbnRlZA=="}}})


@pytest.mark.parametrize(
    "kind, key, value",
    [
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson", DOCKER),
        ("kubernetes.io/basic-auth", "password", "planted-basic-auth-1"),
        ("kubernetes.io/ssh-auth", "ssh-privatekey", "planted-ssh-auth-12"),
        ("example.com/own", "x", "planted-own-type-1"),
        ("Opaque", "ca.crt", "planted-opaque-123"),
    ],
    ids=["docker", "basic-auth", "ssh-auth", "own", "opaque"],
)
def test_each_type(world, api, kind, key, value):
    world.fake.set("s", value)
    start(world, "s", pod(api, [secret(data=(("s", key),), type=kind)]))
    assert api.secrets["db"].data() == {key: value.encode()} and api.secrets["db"].shown()["type"] == kind


def test_all_files(world, api):
    values = world.plant("a", "b")
    env = pod(api, [secret(data=(("a", "first"),), all=True), {"secretName": "whole", "all": True}])
    start(world, "a,b=dir/b", env)
    assert api.secrets["db"].data() == {"first": values[0].encode(), "a": values[0].encode(), "dir.b": values[1].encode()}
    assert set(api.secrets["whole"].data()) == {"a", "dir.b"}


def test_an_optional_file_that_is_not_there_leaves_its_key_out(world, api):
    world.plant("a")
    sidecar = start(world, "[{objectName: a}, {objectName: b, optional: true}]", pod(api, [secret(data=(("a", "a"), ("b", "b")))]))
    assert set(api.secrets["db"].data()) == {"a"}
    value = world.plant("b")
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data().get("b") == value.encode())


def test_what_others_wrote_stays(world, api):
    world.plant("s")
    start(world, "s", pod(api, [secret(labels={"team": "shop"})])).stop()
    made = api.secrets["db"]
    made.apply("kubectl", {"metadata": {"labels": {"other": "1"}, "annotations": {"theirs": "2"}}, "data": {"more": "eA=="}}, True)
    value = world.plant("s")
    start(world, "s", pod(api, [secret(labels={"shop": "new"})]))
    assert wait_until(lambda: "shop" in api.secrets["db"].labels())
    made = api.secrets["db"]
    assert made.data() == {"password": value.encode(), "more": b"x"}
    assert made.labels() == {"akvsync.dev/managed": "true", "shop": "new", "other": "1"}
    assert made.annotations()["theirs"] == "2"


def test_keys_that_leave_the_list_leave_the_secret(world, api):
    world.plant("s")
    start(world, "s", pod(api, [secret(data=(("s", "a"), ("s", "b")))])).stop()
    start(world, "s", pod(api, [secret(data=(("s", "b"), ("s", "c")))]))
    assert wait_until(lambda: set(api.secrets["db"].data()) == {"b", "c"})


# ---- whose Secret it is ----


@pytest.mark.parametrize(
    "there, wanted, words",
    [
        ({}, {}, "exists and is not akvsync's"),
        ({"kind": "example.com/other", "labels": {OWN + "managed": "true"}}, {}, "its type is example.com/other"),
        ({"immutable": True, "labels": {OWN + "managed": "true"}}, {}, "it is immutable"),
        ({"kind": "example.com/other"}, {"adopt": True}, "its type is example.com/other"),
    ],
)
def test_a_secret_that_is_not_ours_to_change(world, api, there, wanted, words):
    value = world.plant("s")
    api.put("db", {"password": b"theirs"}, **there)
    sidecar = start(world, "s", pod(api, [secret(**wanted)]), wait=False)
    failure = sidecar.wait_log("failure", words, kind="kubernetes-secret", name="db")
    assert failure["msg"].startswith("Secret 'db': ") and "adopt" in failure["msg"] + "adopt" * bool(there)
    world.wait_files({"s": value})
    assert not sidecar.find("ready") and not api.writes() and api.secrets["db"].data() == {"password": b"theirs"}
    told = subprocess.run([BINARY, "probe", "startup"], env=world.env("s"), capture_output=True, text=True, check=False)
    assert told.returncode and words in told.stderr + told.stdout
    api.delete("db")
    sidecar.wait_log("recovered", kind="kubernetes-secret")
    sidecar.wait_log("ready")


def test_adopt(world, api):
    value = world.plant("s")
    api.put("db", {"password": b"theirs", "more": b"1"})
    start(world, "s", pod(api, [secret(adopt=True)]))
    assert api.secrets["db"].data() == {"password": value.encode(), "more": b"1"}
    assert api.secrets["db"].labels()[OWN + "managed"] == "true"


@pytest.mark.parametrize("release", [20, 36])
@pytest.mark.parametrize("rights", [{"patch"}, {"patch", "create"}], ids=["patch", "both"])
def test_owner_existing(world, api, rights, release):
    """It is filled with the verb patch alone, and never made."""
    api.rights, api.release = rights, release
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret(owner="existing")]), wait=False)
    sidecar.wait_log("failure", "it does not exist, and owner: existing makes none", kind="kubernetes-secret")
    assert not sidecar.find("failure", "verb")
    api.rights = {"patch", "create"}
    poll(sidecar, 4)
    assert not api.writes()
    api.rights = {"patch"}
    api.put("db", {}, labels={OWN + "managed": "true"})
    sidecar.wait_log("ready")
    assert api.secrets["db"].data() == {"password": value.encode()} and not api.secrets["db"].owners()


def test_owners(world, api):
    world.plant("s")
    uids = [str(uuid.uuid4()) for _ in range(3)]
    for uid in uids:
        sidecar = start(world, "s", pod(api, [secret()], uid))
        assert wait_until(lambda: "db" in api.secrets and uid in api.secrets["db"].owners())
        sidecar.stop()
    assert sorted(api.secrets["db"].owners()) == sorted(uids)
    sidecar = start(world, "s", pod(api, [secret(owner="none")], uids[0]))
    assert wait_until(lambda: sorted(api.secrets["db"].owners()) == sorted(uids[1:]))
    sidecar.stop()
    sidecar = start(world, "s", pod(api, [secret()], "no-uid"))
    sidecar.wait_log("failure", "the variable POD_UID from metadata.uid")
    sidecar.stop()
    start(world, "s", pod(api, [secret(owner="none")], "no-uid", POD_NAME=None))


# ---- two pods ----


def other_volume(world, name="second"):
    world.volume = world.folder / name
    world.volume.mkdir(mode=0o700)


def test_of_two_lists_the_newer_counts(world, api):
    """A pod of an earlier rollout goes on living beside a new one."""
    world.plant("s")
    old = start(world, "s", pod(api, [secret(data=(("s", "a"), ("s", "b")))]))
    first = world.volume
    other_volume(world)
    new = start(world, "s", pod(api, [secret(data=(("s", "b"), ("s", "c")))]))
    assert set(api.secrets["db"].data()) == {"b", "c"}
    version = api.secrets["db"].version
    poll(old, 7)
    old.wait_log("secret-left")
    assert api.secrets["db"].version == version
    value = world.plant("s")
    poll(new)
    poll(old, 7)
    poll(new, 7)
    assert api.secrets["db"].data() == {"b": value.encode(), "c": value.encode()}
    assert len(api.writes()) == 5, "two pods, each data and owner; one rotation"
    old.stop()
    world.volume = first
    again = start(world, "s", pod(api, [secret(data=(("s", "a"), ("s", "b")))]), wait=False)
    again.wait_log("secret-left")
    assert set(api.secrets["db"].data()) == {"b", "c"}, "a container that starts again is no newer rollout"


def test_a_pod_that_is_behind_does_not_write_back(world, api):
    """Of two pods with one list the one that has something new to say writes."""
    world.plant("s")
    behind = start(world, "s", pod(api, [secret()]))
    other_volume(world)
    value = world.plant("s")
    start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()}
    world.fake.fault({"status": 403}, times=1000, target="vault", authenticated=True)
    poll(behind, 7)
    behind.wait_log("secret-left")
    assert api.secrets["db"].data() == {"password": value.encode()}


def test_a_change_by_hand_is_mended(world, api):
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]))
    api.secrets["db"].apply("kubectl", {"metadata": {}, "data": {"password": "eA=="}}, True)
    poll(sidecar, 3)
    assert wait_until(lambda: api.secrets["db"].data() == {"password": value.encode()})


def test_a_new_version_with_the_same_bytes_writes_nothing(world, api):
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]))
    version = api.secrets["db"].version
    world.fake.set("s", value)
    poll(sidecar, 4)
    sidecar.stop()
    start(world, "s", pod(api, [secret()], api.secrets["db"].owners()[0]))
    assert api.secrets["db"].version == version


# ---- start ----


def test_init_waits_for_the_secrets(world, api):
    """An app that takes them by secretKeyRef starts right after it."""
    value = world.plant("s")
    api.faults = [503, 503]
    init = start(world, "s", pod(api, [secret()]), mode="init")
    assert init.code == 0 and api.secrets["db"].data() == {"password": value.encode()}
    assert init.find("recovered", kind="kubernetes-secret")
    # A sidecar behind it finds them written, and does not wait.
    api.always = "hang"
    start(world, "s", pod(api, [secret()], api.secrets["db"].owners()[0]))
    assert wait_until(lambda: subprocess.run([BINARY, "probe", "startup"], env=world.env("s"), capture_output=True, check=False).returncode == 0)


@pytest.mark.parametrize("fault, code, words", [(403, 4, "403"), ("hang", 6, "not written|no answer"), (422, 3, "422")])
def test_init_without_the_secrets(world, api, fault, code, words):
    value = world.plant("s")
    api.always = fault
    env = pod(api, [secret()], AKVSYNC_INIT_TIMEOUT="3s", AKVSYNC_REQUEST_TIMEOUT="1s")
    init = start(world, "s", env, mode="init")
    assert init.code == code and world.files() == {"s": value}
    assert init.find("exit", words) and world.termination_log.read_text()


def test_the_files_are_there_before_the_secrets(world, api):
    value = world.plant("s")
    api.always = "hang"
    sidecar = start(world, "s", pod(api, [secret()], AKVSYNC_REQUEST_TIMEOUT="1s"), wait=False)
    world.wait_files({"s": value})
    sidecar.wait_log("failure", "no answer", kind="kubernetes-secret")
    value = world.plant("s")
    poll(sidecar)
    world.wait_files({"s": value})
    api.always = None
    sidecar.wait_log("ready")


# ---- what fails ----

FAULTS = {
    "401": (401, "the API server answers 401"),
    "404": (404, "is namespace 'shop' being deleted"),
    "409": (409, "409"),
    "422": (422, "422"),
    "429": ((429, {"Retry-After": "1"}), "429"),
    "500": (500, "500"),
    "503": (503, "503"),
    "hang": ("hang", "no answer"),
    "cut": ("cut", "localhost"),
    "redirect": ((302, {"Location": "https://localhost/"}), "302"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_and_its_end(world, api, name):
    """The files are not affected, the incident says what fails, and it heals."""
    fault, words = FAULTS[name]
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()], AKVSYNC_REQUEST_TIMEOUT="1s"))
    api.always = fault
    value = world.plant("s")
    poll(sidecar)
    told = sidecar.wait_log("failure", words, kind="kubernetes-secret", name="db")
    assert "the files are not affected" in told["msg"] and world.files() == {"s": value}
    ready = subprocess.run([BINARY, "probe", "ready"], env=world.env("s"), capture_output=True, text=True, check=False)
    assert ready.returncode == 0 and "Secret 'db'" in ready.stdout
    api.always = None
    sidecar.wait_log("recovered", kind="kubernetes-secret")
    assert api.secrets["db"].data() == {"password": value.encode()}


def test_a_token_that_was_replaced(world, api):
    world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]))

    def rotate(server, _):
        server.token = "kubernetes-token-2"
        server.give_token()

    api.faults = [rotate]
    value = world.plant("s")
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data() == {"password": value.encode()})
    assert not sidecar.find("failure")


@pytest.mark.parametrize("what", ["token", "ca.crt", "namespace"])
def test_without_credentials(world, api, what):
    world.plant("s")
    (api.credentials / what).unlink()
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", f"{what}.*mount a service account token")
    (api.credentials / "namespace").write_text("shop")
    api.give_token()
    api.give_ca(api.root)
    sidecar.wait_log("ready")


def test_another_ca(world, api):
    world.plant("s")
    api.give_ca(pki.certificate("other", pki.ec_key(), ca=True))
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", "TLS with 'localhost.*failed")
    api.give_ca(api.root)
    sidecar.wait_log("ready")


@pytest.mark.parametrize("release", [20, 36])
@pytest.mark.parametrize("verb", ["create", "patch"])
def test_each_right_that_is_missing_is_named(world, api, verb, release):
    """1.20 does not say which one."""
    world.plant("s")
    api.release = release
    api.rights = {"create", "patch"} - {verb}
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", f'needs the verb "{verb}" on this Secret')
    api.rights = {"create", "patch"}
    sidecar.wait_log("ready")


def test_somebody_else_makes_it_first(world, api):
    """Between the look and the writing."""
    value = world.plant("s")

    def make(server, _):
        server.put("db", {}, labels={OWN + "managed": "true"})

    api.faults = [None, make, None]
    sidecar = start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()}
    assert not sidecar.find("failure")


def test_it_is_made_anew_before_it_has_an_owner(world, api):
    """Deleted, and made by another pod at once: it is not the Secret that was looked at."""
    value = world.plant("s")

    def replace(server, _):
        made = server.secrets["db"]
        server.delete("db")
        server.put("db", {"password": value.encode()}, labels=made.labels(), manager="akvsync")

    api.faults = [None, None, replace]
    sidecar = start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()} and api.secrets["db"].owners()
    assert not sidecar.find("failure")


# ---- what admission says ----


def wants_labels(*names):
    def admission(_, after):
        for name in names:
            if name not in after.labels():
                raise denied_by_policy(after.name, f"a Secret must have the label {name}")

    return admission


def test_a_policy_that_asks_for_labels(world, api):
    """The first look at a Secret that is not there has none of them."""
    api.admission = wants_labels(OWN + "managed", "team")
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret(labels={"team": "shop"})]))
    assert api.secrets["db"].data() == {"password": value.encode()} and not sidecar.find("failure")
    assert len(api.writes()) == 2


def test_a_policy_that_guards_what_is_not_ours(world, api):
    """It stays as it is, also where a dry run with our label would be let pass."""
    api.put("db", {"other": b"theirs"})
    api.admission = wants_labels(OWN + "managed")
    world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", "admission policy 'confine' refuses it")
    assert api.secrets["db"].data() == {"other": b"theirs"} and not api.writes()


WEBHOOK = 'admission webhook "validate.example.com" denied the request: a message with planted-value-1'
QUOTA = "exceeded quota: few, requested: count/secrets=1, used: count/secrets=3, limited: count/secrets=3"
ENDS = "unable to create new content in namespace shop because it is being terminated"
REFUSALS = {
    "policy": (denied_by_policy("db", "no"), "admission policy 'confine' refuses it"),
    "webhook": (forbidden("db", WEBHOOK), "admission webhook 'validate.example.com' refuses it"),
    "webhook-400": (Refused(400, "BadRequest", WEBHOOK), "admission webhook 'validate.example.com' refuses it"),
    "quota": (forbidden("db", QUOTA), "quota 'few' refuses it"),
    "namespace": (forbidden("db", ENDS), "is namespace 'shop' being deleted"),
    "owner": (forbidden("db", "cannot set an ownerRef on a resource you can't delete: , <nil>"), 'needs the verb "delete"'),
    "else": (forbidden("db", "for a reason of its own"), "something in the cluster refuses it"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_who_refuses_is_named(world, api, name):
    refused, words = REFUSALS[name]

    def refuse(_before, _after):
        raise refused

    api.admission = refuse
    value = world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    told = sidecar.wait_log("failure", words, kind="kubernetes-secret")
    assert "planted-value-1" not in told["msg"] and world.files() == {"s": value}
    api.admission = lambda before, after: None
    sidecar.wait_log("ready")


def test_it_is_deleted_before_it_has_an_owner(world, api):
    value = world.plant("s")

    def delete(server, _):
        server.delete("db")

    api.faults = [None, None, delete]
    sidecar = start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()} and api.secrets["db"].owners()
    assert not sidecar.find("failure")


# ---- configuration ----

MANIFEST = """
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: shop}
spec:
  provider: azure
  secretObjects:
  - secretName: db
    type: Opaque
    labels: {team: shop}
    data:
    - {objectName: s, key: password}
  parameters:
    keyvaultName: KV
    tenantID: TENANT
    objects: |
      array:
        - |
          objectName: s
          objectType: secret
"""


@pytest.mark.parametrize("on", [True, False])
def test_a_pasted_manifest(world, api, on):
    value = world.plant("s")
    base = world.env("s")
    path = world.folder / "class.yaml"
    path.write_text(MANIFEST.replace("KV", base["AKVSYNC_VAULT"]).replace("TENANT", base["AZURE_TENANT_ID"]))
    env = pod(api, None, AKVSYNC_CONFIG=str(path), AKVSYNC_OBJECTS=None, AKVSYNC_KUBERNETES_SECRETS=str(on).lower())
    sidecar = start(world, None, env)
    assert world.files() == {"s": value}
    if on:
        assert api.secrets["db"].data() == {"password": value.encode()} and not sidecar.find("secrets-off")
    else:
        assert not api.requests and len(sidecar.find("secrets-off", "AKVSYNC_KUBERNETES_SECRETS=true")) == 1


def test_our_own_file(world, api):
    value = world.plant("s")
    path = world.folder / "config.yaml"
    lines = "objects: s\nkubernetesSecrets:\n- secretName: db\n  data:\n  - {objectName: s, key: %s}\n"
    path.write_text(lines % "a")
    sidecar = start(world, None, pod(api, None, AKVSYNC_CONFIG=str(path)))
    assert api.secrets["db"].data() == {"a": value.encode()}
    new = world.folder / "config.new"
    new.write_text(lines % "b")
    new.rename(path)
    assert wait_until(lambda: api.secrets["db"].data() == {"b": value.encode()})
    assert not sidecar.find("failure")


MISTAKES = [
    ([{"data": []}], "entry 1: secretName is missing"),
    ([secret(name="Db")], "secretName 'Db' is no name of a Secret"),
    ([secret(type="kubernetes.io/service-account-token")], "is refused: Kubernetes would put a token"),
    ([secret(typ="x")], "unknown attribute 'typ'; did you mean 'type'"),
    ([secret(immutable=True)], "an immutable Secret could not follow the vault"),
    ([secret(owner="me")], "owner 'me' is none of pod, none, existing"),
    ([secret(data=())], "it has no data"),
    ([secret(data=(("t", "k"),))], "no object of the list makes a file 't'"),
    ([secret(data=(("s", "a b"),))], "key 'a b' may hold"),
    ([secret(data=(("s", "a"), ("s", "a")))], "key 'a' is there twice"),
    ([secret(), secret()], "another entry makes this Secret"),
    ([secret(type=TLS)], "must have the keys tls.crt and tls.key"),
    ([secret(type="kubernetes.io/basic-auth")] , None),
    ([secret(type="kubernetes.io/basic-auth", data=(("s", "x"),))], "must have the keys username or password"),
    ([secret(type="kubernetes.io/ssh-auth")], "must have the key ssh-privatekey"),
    ([secret(labels={"a b": "c"})], "'a b' is no name of one"),
    ([secret(labels={"a": "b c"})], "the value of 'a' must be at most 63"),
    ([secret(annotations={OWN + "source": "x"})], "is akvsync's own"),
    ([secret(labels=["a"])], "labels must be a map"),
    ({"secretName": "db"}, "it must be one list of maps"),
]


@pytest.mark.parametrize("secrets, words", MISTAKES, ids=[str(i) for i in range(len(MISTAKES))])
def test_mistakes(world, api, secrets, words):
    everything = world.env("s", **pod(api, secrets)) | {"POD_UID": str(uuid.uuid4())}
    done = subprocess.run([BINARY, "check"], env=everything, capture_output=True, text=True, check=False)
    if words is None:
        assert done.returncode == 0
    else:
        assert done.returncode == 3 and words in done.stdout + done.stderr


def test_check_prints_the_role(world, api):
    secrets = [secret(), secret("on"), secret("chart", owner="existing")]
    everything = world.env("s", **pod(api, secrets)) | {"POD_UID": str(uuid.uuid4())}
    done = subprocess.run([BINARY, "check"], env=everything, capture_output=True, text=True, check=True)
    role = done.stdout.split("Role", 1)[1]
    assert 'resourceNames: ["db", "on"]\n' in role and 'resourceNames: ["chart"]\n' in role
    assert "verbs: [create, patch]" in role and "verbs: [patch]" in role
