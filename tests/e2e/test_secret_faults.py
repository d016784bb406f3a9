"""Kubernetes Secrets: pods that come and go, answers that no API server should give, and starts that are cut short."""

import base64
import json
import os
import subprocess
import time
import uuid

import pytest
from conftest import BINARY, SANITIZED, wait_until
from test_idle import in_memory
from test_secret_objects import OWN, api, other_volume, pod, poll, secret, start  # noqa: F401  # pylint: disable=unused-import

# ---- several pods ----


def test_an_undone_rollout_leaves_nothing_behind(world, api):
    """A rollout that never becomes ready is undone: its pod goes, and no new pod of the old list comes."""
    value = world.plant("s")
    old = start(world, "s", pod(api, [secret(data=(("s", "a"),))]))
    other_volume(world)
    uid = str(uuid.uuid4())
    new = start(world, "s", pod(api, [secret(data=(("s", "b"),))], uid))
    poll(old, 4)
    old.wait_log("secret-left")
    assert set(api.secrets["db"].data()) == {"b"}
    new.stop()
    api.collect(uid)
    poll(old, 4)
    assert wait_until(lambda: api.secrets["db"].data() == {"a": value.encode()})
    version = api.secrets["db"].version
    poll(old, 7)
    assert api.secrets["db"].version == version


def test_a_newer_pod_of_the_list_keeps_it_when_its_writer_goes(world, api):
    """Who wrote the newer list goes, while another pod with that list lives: nobody writes the older one back."""
    world.plant("s")
    lists = [[secret(data=(("s", "a"),))], [secret(data=(("s", "b"),))]]
    uids = [str(uuid.uuid4()) for _ in range(3)]
    pods = [start(world, "s", pod(api, lists[0], uids[0]))]
    for uid in uids[1:]:
        other_volume(world, uid)
        pods.append(start(world, "s", pod(api, lists[1], uid)))
    pods[1].stop()
    api.collect(uids[1])
    version = api.secrets["db"].version
    poll(pods[0], 7)
    pods[0].wait_log("secret-left")
    assert api.secrets["db"].version == version and set(api.secrets["db"].data()) == {"b"}


def test_a_list_that_changes_back_and_forth(world, api):
    """Of one pod, by hot reload: it owns the Secret all the time, and once."""
    value, uid = world.plant("s"), str(uuid.uuid4())
    path = world.folder / "config.yaml"
    lines = "objects: s\nkubernetesSecrets:\n- secretName: db\n  owner: %s\n  data:\n  - {objectName: s, key: %s}\n"
    for turn, (owner, key) in enumerate([("pod", "a"), ("pod", "b"), ("pod", "a"), ("none", "a"), ("pod", "b"), ("none", "c")]):
        new = world.folder / "config.new"
        new.write_text(lines % (owner, key))
        new.rename(path)
        if turn == 0:
            sidecar = start(world, None, pod(api, None, uid, AKVSYNC_CONFIG=str(path)))
        owners = [uid] if owner == "pod" else []
        assert wait_until(lambda: (s := api.secrets["db"]).data() == {key: value.encode()} and s.owners() == owners), (owner, key)
    assert not sidecar.find("failure")
    managers = api.secrets["db"].managers
    assert not any(uid in name for name in managers), managers


# ---- keys ----


def test_a_key_whose_file_goes_leaves_the_secret(world, api):
    """Of `all`, and of an optional object."""
    world.fake.vault_settings(settle_s=0)
    a, b = world.plant("a", "b")
    secrets = [{"secretName": "whole", "all": True}, secret(data=(("a", "a"), ("b", "b")))]
    sidecar = start(world, "[{objectName: a}, {objectName: b, optional: true}]", pod(api, secrets, AKVSYNC_POLL_INTERVAL="1s"))
    assert api.secrets["whole"].data() == api.secrets["db"].data() == {"a": a.encode(), "b": b.encode()}
    world.fake.delete("b")
    world.wait_files({"a": a})
    assert wait_until(lambda: api.secrets["whole"].data() == api.secrets["db"].data() == {"a": a.encode()}, 15)
    assert not sidecar.find("failure", kind="kubernetes-secret")


@pytest.mark.parametrize(
    "objects, words",
    [("a=x/y,b=x.y", "files 'x/y' and 'x.y' would both be key 'x.y'"), ("a=x y", "file 'x y' can be no key"), ("a=" + "x" * 200 + "/" + "y" * 99, "can be no key")],
    ids=["collision", "letters", "length"],
)
def test_all_files_that_do_not_fit(world, api, objects, words):
    world.plant("a", "b")
    text = "[" + ", ".join("{objectName: %s, objectAlias: '%s'}" % tuple(o.split("=")) for o in objects.split(",")) + "]"
    sidecar = start(world, text, pod(api, [{"secretName": "db", "all": True}]), wait=False)
    sidecar.wait_log("failure", words, kind="kubernetes-secret")
    assert not api.writes()


def test_all_files_twice(world, api):
    a, b = world.plant("a", "b")
    start(world, "a,b", pod(api, [{"secretName": "x", "all": True}, {"secretName": "y", "all": True, "labels": {"n": "1"}}]))
    for name in "xy":
        assert api.secrets[name].data() == {"a": a.encode(), "b": b.encode()}


def test_an_empty_secret(world, api):
    """All of its files are optional, and none is there."""
    world.plant("a")
    start(world, "[{objectName: a}, {objectName: b, optional: true}]", pod(api, [secret(data=(("b", "b"),))]))
    assert api.secrets["db"].data() == {}


def test_a_template_as_data_and_its_own_file_name(world, api):
    value = world.plant("s")
    env = pod(api, [secret(data=(("app.conf", "conf"),))], AKVSYNC_TEMPLATES='[{"path": "app.conf", "text": "x={{s}}"}]')
    start(world, "s", env)
    assert api.secrets["db"].data() == {"conf": f"x={value}".encode()}


# ---- start ----


def test_init_that_runs_again_waits_for_the_newest_value(world, api):
    """The kubelet runs init containers again when the pod's sandbox is made anew; the volume is still there."""
    world.plant("s")
    uid = str(uuid.uuid4())
    assert start(world, "s", pod(api, [secret()], uid), mode="init").code == 0
    value = world.plant("s")
    assert start(world, "s", pod(api, [secret()], uid), mode="init").code == 0
    assert api.secrets["db"].data() == {"password": value.encode()}
    api.delete("db")
    assert start(world, "s", pod(api, [secret()], uid), mode="init").code == 0
    assert api.secrets["db"].data() == {"password": value.encode()}


@pytest.mark.parametrize("stale, code", [("accept", 0), ("refuse", 6)])
def test_init_that_runs_again_without_the_api_server(world, api, stale, code):
    world.plant("s")
    uid = str(uuid.uuid4())
    assert start(world, "s", pod(api, [secret()], uid), mode="init").code == 0
    value = world.plant("s")
    api.always = "hang"
    env = pod(api, [secret()], uid, AKVSYNC_INIT_TIMEOUT="2s", AKVSYNC_INIT_STALE=stale)
    init = start(world, "s", env, mode="init")
    assert init.code == code and world.files() == {"s": value}
    assert len(init.find("stale")) == (stale == "accept")


def test_init_gives_up_on_a_mistake_behind_a_server_error(world, api):
    """One Secret may work later, another one never will."""
    world.plant("s")
    api.put("theirs", {})

    api.always_of = {"first": 503}
    began = time.monotonic()
    init = start(world, "s", pod(api, [secret("first"), secret("theirs")]), mode="init")
    assert init.code == 3 and time.monotonic() - began < 30
    assert "'theirs'" in world.termination_log.read_text()


def test_a_sidecar_that_is_stopped_while_a_secret_is_not_written(world, api):
    world.plant("s")
    api.always = "hang"
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    assert wait_until(lambda: api.requests)
    code, seconds = sidecar.stop()
    assert code == 143 and seconds < 8
    said = world.termination_log.read_text()
    assert "Secret 'db'" in said and "first set" not in said
    api.always = 403
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", kind="kubernetes-secret")
    assert sidecar.stop()[0] == 4 and "403" in world.termination_log.read_text()


def test_a_list_that_grows_is_no_failure(world, api):
    """The Secret of the new list waits for the set of the new list."""
    a = world.plant("a")
    path = world.folder / "config.yaml"
    lines = "objects: %s\nkubernetesSecrets:\n- secretName: db\n  data:\n  %s\n"
    path.write_text(lines % ("a", "- {objectName: a, key: a}"))
    sidecar = start(world, None, pod(api, None, AKVSYNC_CONFIG=str(path)))
    new = world.folder / "config.new"
    new.write_text(lines % ("a,b", "- {objectName: a, key: a}\n  - {objectName: b, key: b}"))
    new.rename(path)
    sidecar.wait_log("failure", "'b'")  # it is not in the vault
    a = world.plant("a")
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data() == {"a": a.encode()}), "the active list goes on"
    assert not sidecar.find("failure", kind="kubernetes-secret")
    b = world.plant("b")
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data() == {"a": a.encode(), "b": b.encode()})
    assert not sidecar.find("failure", kind="kubernetes-secret")


def test_nothing_is_written_before_the_first_round(world, api):
    """The set on the volume may be old: another list of Secrets is not made of it."""
    old, uid = world.plant("s"), str(uuid.uuid4())
    start(world, "s", pod(api, [secret(data=(("s", "a"),))], uid)).stop()
    value = world.plant("s")
    world.fake.fault({"status": 503}, times=2, target="vault", authenticated=True)
    sidecar = start(world, "s", pod(api, [secret(data=(("s", "b"),))], uid), wait=False)
    sidecar.wait_log("ready")
    assert api.secrets["db"].data() == {"b": value.encode()}
    sent = [json.loads(request["body"]).get("data", {}).get("b") for request in api.writes()]
    assert base64.b64encode(old.encode()).decode() not in sent


def test_the_memory_cannot_be_kept(world, api):
    value = world.plant("s")
    (world.volume / "..secrets").mkdir()
    sidecar = start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()}
    assert sidecar.find("secrets-memory") and not sidecar.find("failure")


@pytest.mark.parametrize(
    "memory", ["", "{", "[]", '{"format":2}', '{"format":1,"list":7,"since":"x","sources":[1]}', '{"format":1,"list":"%s","since":1e300,"sources":{"db":7}}' % ("x" * 500)]
)
def test_a_memory_of_nonsense(world, api, memory):
    value = world.plant("s")
    (world.volume / "..secrets").write_text(memory)
    start(world, "s", pod(api, [secret()]))
    assert api.secrets["db"].data() == {"password": value.encode()}


def test_many_secrets_with_long_names_are_remembered(world, api):
    world.plant("s")
    secrets = [secret("a" * 250 + f"{i:03d}") for i in range(100)]
    sidecar = start(world, "s", pod(api, secrets), wait=False)
    sidecar.wait_log("ready", timeout=300)
    sidecar.stop()
    assert len(api.secrets) == 100
    memory = json.loads((world.volume / "..secrets").read_text())
    assert len(memory["sources"]) == 100


# ---- answers ----


@pytest.mark.parametrize(
    "answer, words",
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"[1]", "no Secret"),
        (b"null", "no Secret"),
        (b'{"kind":"Status","status":"Success"}', "no Secret"),
        (b'{"kind":"ConfigMap","metadata":{"uid":"u","labels":{"akvsync.dev/managed":"true"}},"type":"Opaque"}', "no Secret"),
        (b'{"kind":"Secret","metadata":{"name":"other","uid":"u","labels":{"akvsync.dev/managed":"true"}},"type":"Opaque"}', "no Secret|another"),
        (b'{"kind":"Secret","metadata":{"uid":7},"type":"Opaque"}', "no Secret"),
        (b'{"kind":"Secret","metadata":' + b"[" * 3000, "no JSON"),
        (b'{"x":"' + b"a" * (5 << 20) + b'"}', "larger than"),
    ],
    ids=["empty", "html", "list", "null", "status", "kind", "name", "uid", "deep", "huge"],
)
def test_answers_that_are_no_secret(world, api, answer, words):
    value = world.plant("s")
    api.always = (200, {}, answer)
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", words, kind="kubernetes-secret")
    world.wait_files({"s": value})
    assert not api.writes()
    api.always = None
    sidecar.wait_log("ready")


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("fault", [401, 403, 500, 422, "cut", (200, {}, b"{"), (422, {}, b"{}"), (409, {}, b"")], ids=str)
def test_a_fault_at_each_step(world, api, fault, step):
    value, uid = world.plant("s"), str(uuid.uuid4())
    api.faults = [None] * step + [fault]
    start(world, "s", pod(api, [secret()], uid))
    assert api.secrets["db"].data() == {"password": value.encode()} and api.secrets["db"].owners() == [uid]


def test_a_pause_that_the_server_asks_for(world, api):
    """Polls, and a new value, do not cut it short."""
    world.plant("s")
    sidecar = start(world, "s", pod(api, [secret()]))
    api.faults = [(429, {"Retry-After": "6"})]
    world.plant("s")
    poll(sidecar)
    sidecar.wait_log("failure", "429")
    asked, at = len(api.requests), time.monotonic()
    value = world.plant("s")
    poll(sidecar, 7)
    assert wait_until(lambda: len(api.requests) > asked)
    assert time.monotonic() - at > 5
    assert wait_until(lambda: api.secrets["db"].data() == {"password": value.encode()})


@pytest.mark.parametrize("space", ["../x", "a/b", "", " \n"])
def test_a_namespace_of_nonsense(world, api, space):
    world.plant("s")
    (api.credentials / "namespace").write_text(space)
    sidecar = start(world, "s", pod(api, [secret()]), wait=False)
    sidecar.wait_log("failure", "namespace' (does not hold the name|is empty)", kind="kubernetes-secret")
    assert not api.requests


def test_a_label_that_somebody_changed(world, api):
    """And an annotation: both are mended."""
    world.plant("s")
    sidecar = start(world, "s", pod(api, [secret(labels={"team": "shop"}, annotations={"note": "x"})]))
    for group, name, wanted in (("labels", "team", "shop"), ("annotations", "note", "x")):
        since = sidecar.mark()
        api.secrets["db"].apply("kubectl", {"metadata": {group: {name: "theirs"}}}, True)
        poll(sidecar, 3)
        sidecar.wait_log("secret-written", "updated", since=since)
        assert getattr(api.secrets["db"], group)()[name] == wanted


def test_a_pull_secret_that_is_no_json(world, api):
    world.plant("s")
    entry = secret(data=(("s", ".dockerconfigjson"),), type="kubernetes.io/dockerconfigjson")
    init = start(world, "s", pod(api, [entry]), mode="init")
    assert init.code == 3 and init.find("failure", "file 's': it is no JSON object") and not api.requests


def test_a_secret_that_is_too_large(world, api):
    """Each file fits, all together do not."""
    names = [f"s{i}" for i in range(45)]
    for i, name in enumerate(names):
        world.fake.set(name, f"{i:05d}" + "x" * 24000)
    sidecar = start(world, ",".join(names), pod(api, [{"secretName": "db", "all": True}]), wait=False)
    sidecar.wait_log("failure", "its values have 1080225 bytes together", kind="kubernetes-secret")
    assert not api.requests


def test_a_secret_that_just_fits(world, api):
    names = [f"s{i}" for i in range(43)]
    for i, name in enumerate(names):
        world.fake.set(name, f"{i:05d}" + "x" * 24000)
    start(world, ",".join(names), pod(api, [{"secretName": "db", "all": True}]))
    assert sum(map(len, api.secrets["db"].data().values())) == 43 * 24005


@pytest.mark.parametrize("rights", [{"patch"}, {"create", "patch"}], ids=["patch", "both"])
def test_existing_that_does_not_exist(world, api, rights):
    """With the verb patch alone, which is all that the printed Role has, and with more."""
    api.rights = rights
    world.plant("s")
    sidecar = start(world, "s", pod(api, [secret(owner="existing")]), wait=False)
    told = sidecar.wait_log("failure", "it does not exist, and owner: existing makes none", kind="kubernetes-secret")
    assert "create" not in told["msg"] and not api.writes()


def test_no_proxy_is_asked(world, api):
    """Also where everything but the vault and the token endpoint is behind one."""
    value = world.plant("s")
    env = pod(api, [secret()], HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY=".vault.localhost,login.localhost,127.0.0.1")
    start(world, "s", env)
    assert api.secrets["db"].data() == {"password": value.encode()}


@pytest.mark.skipif(SANITIZED, reason="its allocator keeps what was freed, so it says nothing")
@pytest.mark.parametrize("interval", ["1h", "60s"], ids=["connections-closed", "connections-open"])
@pytest.mark.parametrize("looks", [False, True], ids=["written", "looked"])
def test_no_value_stays_in_memory(world, api, interval, looks):
    if os.geteuid():
        pytest.skip("reading another process's memory needs root")
    values = [*world.plant("a", "b"), "x" * 20000 + world.plant("unused")]
    world.fake.set("long", values[-1])
    secrets = [{"secretName": "db", "all": True}]
    sidecar = start(world, "a, b, long", pod(api, secrets, AKVSYNC_POLL_INTERVAL=interval))
    values.append(world.plant("a"))
    poll(sidecar)
    assert wait_until(lambda: api.secrets["db"].data()["a"] == values[-1].encode())
    if looks:
        poll(sidecar, 3)
    markers = [value[-24:] for value in values] + [base64.b64encode(value.encode()).decode()[-28:] for value in values]
    markers.append(api.token[-30:])
    left = lambda: [m for m in markers if in_memory(sidecar.pid, m)]  # noqa: E731
    assert wait_until(lambda: not left(), timeout=5), f"still in memory: {left()}"


# ---- configuration ----


def checked(world, api, **more):
    everything = world.env("s", **pod(api, None, **more)) | {"POD_UID": str(uuid.uuid4())}
    return subprocess.run([BINARY, "check"], env=everything, capture_output=True, text=True, check=False)


def test_the_switch_in_the_file(world, api):
    path = world.folder / "config.yaml"
    path.write_text("kubernetesSecrets: true\n")
    done = checked(world, api, AKVSYNC_CONFIG=str(path))
    assert done.returncode == 3 and "AKVSYNC_KUBERNETES_SECRETS" in done.stderr


def test_texts_of_yaml(world, api):
    """Numbers, booleans and nothing are texts in a label, as they are written."""
    world.plant("s")
    path = world.folder / "config.yaml"
    path.write_text(
        "objects: s\nkubernetesSecrets:\n- secretName: '1'\n  labels: {team: 1, on: true, off: no, none: , tilde: ~, half: 0.50}\n"
        "  annotations: {a: 1e3, b: '', c: \"x\\ny\", example.com/d: null}\n  data:\n  - {objectName: s, key: 1}\n"
    )
    start(world, None, pod(api, None, AKVSYNC_CONFIG=str(path)))
    made = api.secrets["1"]
    assert made.labels() == {OWN + "managed": "true", "team": "1", "on": "true", "off": "no", "none": "", "tilde": "", "half": "0.50"}
    others = {name: text for name, text in made.annotations().items() if not name.startswith(OWN)}
    assert others == {"a": "1e3", "b": "", "c": "x\ny", "example.com/d": ""} and set(made.data()) == {"1"}


def test_a_name_of_253_bytes(world, api):
    world.plant("s")
    name = "a" * 253
    start(world, "s", pod(api, [secret(name)]))
    assert api.secrets[name].owners()
