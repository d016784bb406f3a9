"""What a user of a pod sees: the app gets its secrets first, then news; faults say what they are."""

import hashlib
import json
import os
import re
import subprocess
import time

import pytest
from conftest import CLIENT, NAMESPACES, TIMEOUT_S, digest, down, events, kubectl, patch, plant, rotate, wait_for


def one_replica(name):
    return patch("StatefulSet", {"op": "replace", "path": "/spec/replicas", "value": 1}, name=name)


def shop(place, *objects, patches=(), **variables):
    """The StatefulSet of the examples with objects of this test."""
    place.deploy(
        "statefulset",
        patches=[one_replica("shop"), *patches],
        AKVSYNC_OBJECTS=", ".join(objects),
        **({"AKVSYNC_NOTIFY_SPLAY": "0s"} | variables),
    )


def started(place):
    """Waits until the app has read its files and listens to signals: Ready says only that its process exists."""
    place.wait_ready()
    return place.wait_event("app", "start")


def no_gap(place):
    assert not place.events("app", "gap"), "the app saw a file vanish or empty"


def test_classic_pod_has_its_secret_before_the_app_starts(vault, place):
    value = plant(vault, "MYSQL-DB-PASSWORDD")
    place.deploy("mysql")
    start = started(place)
    assert start["files"] == {"MYSQL-DB-PASSWORDD": digest(value)}
    init, app = place.status("akvsync-init"), place.status("app")
    assert init["state"]["terminated"]["exitCode"] == 0
    assert init["state"]["terminated"].get("message") is None, "the termination log is empty after success"
    assert init["state"]["terminated"]["finishedAt"] <= app["state"]["running"]["startedAt"]
    assert place.exec("app", "stat", "-f", "-c", "%T", "/secrets").strip() == "tmpfs"
    found = place.exec("app", "stat", "-L", "-c", "%a %u %g", "/secrets/MYSQL-DB-PASSWORDD").strip()
    assert found == "440 65532 65532"
    refused = place.exec("app", "sh", "-c", "echo x >/secrets/new", check=False)
    assert "Read-only" in refused.stderr, "the app's mount is read-only"


def test_rotation_reaches_the_app_without_a_gap(vault, place):
    name = f"{place.name}-db"
    plant(vault, name)
    shop(place, f"{name}=db", "api-key=keys/api")
    started(place)
    for number in range(5):
        value = rotate(vault, place, name)
        place.wait_event("app", "changed", lambda e: e["files"]["db"] == digest(value))
        place.wait_event("app", "reload", lambda e: e["files"]["db"] == digest(value))
        assert len(place.events("app", "reload")) == number + 1, "one signal a swap"
    no_gap(place)


def test_a_wrong_subject_shows_cause_and_fix_in_describe(vault, stranger):
    stranger.deploy("mysql", AKVSYNC_INIT_TIMEOUT="15s")
    wait_for(
        "a failed init container",
        lambda: stranger.status("akvsync-init").get("lastState", {}).get("terminated")
        or stranger.status("akvsync-init")["state"].get("terminated"),
    )
    told = stranger.kubectl("describe", "pods")
    lines = re.findall(r"Message: +(.*)", told)  # one for each start so far, each with its own request id
    assert lines
    for line in lines:
        assert "AADSTS700213" in line
        assert f"system:serviceaccount:{NAMESPACES[-1]}:mysql" in line, "the subject to put into the credential"
    assert re.search(r"Exit Code: +4", told)


def test_vault_down_at_start_then_heals(vault, place):
    name = f"{place.name}-db"
    value = plant(vault, name)
    heal = down(vault, name)
    shop(place, f"{name}=db", AKVSYNC_INIT_TIMEOUT="10m")
    place.wait_event("akvsync-init", "failure", lambda e: "503" in e["msg"])
    vault.wait_journal(timeout=TIMEOUT_S, since=vault.mark(), path=f"/secrets/{name}*", status=503)
    assert "running" in place.status("akvsync-init")["state"], "it keeps trying"
    heal()
    assert started(place)["files"] == {"db": digest(value)}
    assert place.status("akvsync-init")["restartCount"] == 0


PROBED_OFTEN = {
    "exec": {"command": ["/akvsync", "probe", "ready"]},
    "periodSeconds": 1,
    "timeoutSeconds": TIMEOUT_S,
}


def readiness(place):
    (ready,) = [one for one in place.pod()["status"]["conditions"] if one["type"] == "Ready"]
    return ready["status"], ready["lastTransitionTime"]


class Faulty:
    """A vault that answers every request of the pod with an error."""

    says = "503"
    patches = ()

    def __init__(self, vault, place):
        self.vault, self.name = vault, f"{place.name}-db"

    def cut(self):
        self.heal = down(self.vault, self.name)

    def close(self):
        pass


class Unreachable:
    """The pod has an address of its own for the vault, a Service, behind which there can be nobody."""

    says = "cannot connect to '.*': (Network unreachable|Connection refused|.*timed out)|no answer from"

    def __init__(self, _vault, place):
        self.service = place.name
        self.kubectl("expose", "deployment/fakevault", f"--name={self.service}", "--port=443", "--target-port=https")
        address = self.kubectl("get", "service", self.service, "-o", "jsonpath={.spec.clusterIP}")
        alias = {"ip": address, "hostnames": [CLIENT["AKVSYNC_VAULT"].removeprefix("https://")]}
        add = {"op": "add", "path": "/spec/template/spec/hostAliases", "value": [alias]}
        self.patches = [patch("StatefulSet", add, name="shop")]

    def kubectl(self, *arguments):
        return kubectl("-n", "vault", *arguments)

    def lead_to(self, app):
        self.kubectl("patch", "service", self.service, "-p", json.dumps({"spec": {"selector": {"app": app}}}))

    def cut(self):
        self.lead_to("nobody")

    def heal(self):
        self.lead_to("fakevault")

    def close(self):
        self.kubectl("delete", "service", self.service)


@pytest.fixture(params=[Faulty, Unreachable], ids=["answers-503", "cannot-be-reached"])
def trouble(request, vault, place):
    made = request.param(vault, place)
    yield made
    made.close()


def refreshed(place):
    place.exec("akvsync", "/akvsync", "refresh")
    return place


def test_vault_down_later_leaves_files_and_readiness(vault, place, trouble):
    name = f"{place.name}-db"
    old = plant(vault, name)
    probe = {"op": "add", "path": "/spec/template/spec/containers/1/readinessProbe", "value": PROBED_OFTEN}
    shop(place, f"{name}=db", patches=[patch("StatefulSet", probe, name="shop"), *trouble.patches])
    assert started(place)["files"] == {"db": digest(old)}
    ready = readiness(place)
    trouble.cut()
    told = lambda: [e["msg"] for e in refreshed(place).events("akvsync", "failure")]  # noqa: E731
    (first, *_) = wait_for("a failure", told)
    assert re.search(trouble.says, first), first
    new = plant(vault, name)
    retries = len(place.events("akvsync", "retry"))
    wait_for("a try since", lambda: len(refreshed(place).events("akvsync", "retry")) > retries)
    for _ in range(8):
        assert place.exec("akvsync", "/akvsync", "probe", "ready").startswith("ok; but:")
    assert not place.events("app", "changed")
    trouble.heal()
    changed = lambda: refreshed(place).events("app", "changed")  # noqa: E731
    (after,) = wait_for("the new value", changed)
    assert after["files"] == {"db": digest(new)}
    place.wait_event("akvsync", "recovered")
    assert readiness(place) == ready, "ready since then, without a break"
    no_gap(place)


KILL = """
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if open(f"/proc/{pid}/cmdline").read().split("\\0")[:2] == ["/akvsync", "sidecar"]:
            os.kill(int(pid), signal.SIGKILL)
    except OSError:
        pass
"""


def test_a_killed_sidecar_restarts_and_nobody_notices(vault, place):
    name = f"{place.name}-db"
    plant(vault, name)
    shop(place, f"{name}=db")
    started(place)
    value = rotate(vault, place, name)
    place.wait_event("app", "reload", lambda e: e["files"]["db"] == digest(value))
    place.wait_event("akvsync", "notified")  # from here on it remembers
    place.exec("app", "python3", "-c", KILL)
    wait_for("the restart", lambda: place.status("akvsync")["restartCount"] == 1)
    place.wait_event("akvsync", "resume")
    place.wait_event("akvsync", "unchanged")
    again = rotate(vault, place, name)
    place.wait_event("app", "reload", lambda e: e["files"]["db"] == digest(again))
    place.wait_event("akvsync", "notified")
    assert len(place.events("app", "reload")) == 2, "one signal a set, none more after the restart"
    no_gap(place)


def test_deletion_ends_soon_after_sigterm(vault, place):
    """By the word of the app, which gets its SIGTERM at the same time and sees the sidecar's process. When the
    kubelet then tells of their ends, and the API forgets the pod, is Kubernetes' own affair."""
    name = f"{place.name}-db"
    plant(vault, name)
    shop(place, f"{name}=db")
    pod = place.wait_ready()
    place.wait_event("akvsync", "resume")
    place.wait_event("app", "start")
    said = place.folder / "said"
    command = ["kubectl", "-n", place.name, "logs", "-f", pod, "-c", "app"]
    with open(said, "wb") as log, subprocess.Popen(command, stdout=log) as follow:
        try:
            place.kubectl("delete", "statefulset/shop", "--wait=false")
            told = lambda event: events(said.read_text().rpartition("\n")[0], event)  # noqa: E731
            (alone,) = wait_for("the sidecar's end", lambda: told("alone"))
            (term,) = told("term")
        finally:
            follow.terminate()
    took = alone["ts"] - term["ts"]
    print(f"akvsync ended {took:.3f} s after SIGTERM")
    assert took <= 2


SMALL_VOLUME = {
    "target": {"kind": "StatefulSet"},
    "patch": """
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: shop }
spec: { template: { spec: { volumes: [{ name: akvsync, emptyDir: { sizeLimit: 48Ki } }] } } }
""",
}


def test_a_volume_that_is_too_small_says_so_and_keeps_the_set(vault, place):
    name = f"{place.name}-db"
    old = plant(vault, name, size=24000)
    shop(place, f"{name}=db", patches=[SMALL_VOLUME])
    assert started(place)["files"] == {"db": digest(old)}
    rotate(vault, place, name, size=24000)
    told = place.wait_event("akvsync", "failure", lambda e: "No space left" in e["msg"])
    assert "sizeLimit" in told["msg"], told["msg"]
    assert not place.events("app", "changed")
    no_gap(place)


def uids(**context):
    path = "/spec/template/spec/securityContext"
    operations = [{"op": "replace", "path": f"{path}/{key}", "value": value} for key, value in context.items()]
    return patch("StatefulSet", *operations, name="shop")


@pytest.mark.parametrize(
    "context, group",
    [
        ({"runAsUser": 1000650000, "runAsGroup": 0, "fsGroup": 1000650000}, 1000650000),
        ({"runAsGroup": 3000, "fsGroup": 2000}, 2000),
    ],
    ids=["any-uid-with-gid-0", "runAsGroup-is-not-fsGroup"],
)
def test_users_and_groups(vault, place, context, group):
    name = f"{place.name}-db"
    plant(vault, name)
    shop(place, f"{name}=sub/db", patches=[uids(**context)])
    start = started(place)
    value = rotate(vault, place, name)
    reload = place.wait_event("app", "reload")
    assert reload["files"] == {"sub/db": digest(value)}
    owner = context.get("runAsUser", 65532)
    found = place.exec("app", "stat", "-L", "-c", "%a %u %g", "/secrets/sub/db").strip()
    assert found == f"440 {owner} {group}"
    assert (start["uid"], start["gid"]) == (owner, context["runAsGroup"])
    assert group in start["groups"]


PEEK = """
import json, os
found = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        if open(f"/proc/{pid}/cmdline").read().split("\\0")[:2] != ["/akvsync", "sidecar"]:
            continue
    except OSError:
        continue  # a probe's, which has ended
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status"))
    found = {name: status[name].strip() for name in ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "VmRSS")}
    found["refused"] = []
    for name, look in {
        "root": lambda: os.listdir(f"/proc/{pid}/root/"),
        "mem": lambda: open(f"/proc/{pid}/mem", "rb").close(),
        "environ": lambda: open(f"/proc/{pid}/environ", "rb").read(),
        "fd": lambda: os.listdir(f"/proc/{pid}/fd"),
    }.items():
        try:
            look()
        except PermissionError:
            found["refused"].append(name)
print(json.dumps(found))
"""


def test_the_app_cannot_look_into_the_sidecar(vault, place):
    """Same uid, one process namespace: the worst case. And what the sidecar itself may, and needs."""
    names = [f"{place.name}-{number}" for number in range(10)]
    for name in names:
        plant(vault, name)
    shop(place, *names)
    started(place)
    rotate(vault, place, names[0])
    place.wait_event("app", "reload")
    found = json.loads(place.exec("app", "python3", "-c", PEEK))
    assert found["refused"] == ["root", "mem", "environ", "fd"]
    assert found["Uid"].split()[1] == "65532"
    assert int(found["CapEff"], 16) == int(found["CapBnd"], 16) == 0
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    rss_kb = int(found["VmRSS"].split()[0])
    group_kb = cgroup_kb(place.status("akvsync")["containerID"].partition("//")[2])
    print(f"10 objects: VmRSS {rss_kb} kB, cgroup {group_kb} kB")
    assert rss_kb <= 6144
    if group_kb is None:
        assert "CLUSTER_NAMES" not in os.environ, "the node is this machine: its cgroup is here"
        print("the cgroup is not seen: the node is another machine")
    else:
        assert group_kb <= 6144


def cgroup_kb(container, root="/sys/fs/cgroup"):
    """Memory of a container's cgroup, version 1 or 2, files of its set included; None when it is not here."""
    files = [f"{root}/*{container}*/{name}" for name in ("memory.usage_in_bytes", "memory.current")]
    command = ["find", str(root), "-path", files[0], "-o", "-path", files[1]]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    if not found:
        return None
    with open(min(found, key=len), encoding="ascii") as file:  # not of a cgroup in it
        return int(file.read()) // 1024


@pytest.mark.parametrize(
    "path",
    [
        "memory/k8s.io/{}/memory.usage_in_bytes",
        "kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope/memory.current",
    ],
    ids=["v1", "v2"],
)
def test_a_cgroup_of_either_version_is_found(tmp_path, path):
    file = tmp_path / path.format("c0ffee")
    for folder, size_kb in (file.parent, 3000), (file.parent / "inner", 1), (file.parents[1] / "other", 2):
        folder.mkdir(parents=True)
        (folder / file.name).write_text(f"{size_kb * 1024}\n")
    assert cgroup_kb("c0ffee", tmp_path) == 3000
    assert cgroup_kb("decaf", tmp_path) is None


def test_the_native_form_s_gate(vault, place):
    """What a kubelet does with a native sidecar, by hand: it starts, its startup probe is asked until it
    passes, then the app starts. Here the kubelet asks it for an ordinary container as well."""
    name = f"{place.name}-db"
    value = plant(vault, name)
    heal = down(vault, name)
    path = "/spec/template/spec"
    gate = "until [ -e /gate/open ]; do sleep 0.1; done; exec shop"
    place.deploy(
        "statefulset",
        "native-sidecar",
        patches=[
            one_replica("shop"),
            patch(
                "StatefulSet",
                {"op": "remove", "path": f"{path}/initContainers/0/restartPolicy"},
                {"op": "move", "from": f"{path}/initContainers/0", "path": f"{path}/containers/-"},
                {"op": "add", "path": f"{path}/containers/0/command", "value": ["sh", "-c", gate]},
                {"op": "add", "path": f"{path}/volumes/-", "value": {"name": "gate", "emptyDir": {}}},
                {
                    "op": "add",
                    "path": f"{path}/containers/0/volumeMounts/-",
                    "value": {"name": "gate", "mountPath": "/gate"},
                },
                name="shop",
            ),
        ],
        AKVSYNC_OBJECTS=f"{name}=db",
    )
    place.wait_event("akvsync", "failure", lambda e: "503" in e["msg"])
    told = place.exec("akvsync", "/akvsync", "probe", "startup", check=False)
    assert told.returncode != 0 and "503" in told.stderr
    assert not place.status("akvsync").get("started"), "the kubelet's own probe agrees"
    heal()
    probe = ("akvsync", "/akvsync", "probe", "startup")
    wait_for("the startup probe", lambda: place.exec(*probe, check=False).returncode == 0)
    place.exec("app", "touch", "/gate/open")
    assert place.wait_event("app", "start")["files"] == {"db": digest(value)}
    wait_for("the kubelet's probe", lambda: place.status("akvsync").get("started"))
    assert place.status("akvsync")["restartCount"] == 0
    place.wait_ready()
    no_gap(place)


@pytest.mark.usefixtures("native")
def test_a_native_sidecar_lets_the_app_start_and_keeps_its_files_fresh(vault, place):
    name = f"{place.name}-db"
    value = plant(vault, name)
    heal = down(vault, name)
    place.deploy("statefulset", "native-sidecar", patches=[one_replica("shop")], AKVSYNC_OBJECTS=f"{name}=db")
    place.wait_event("akvsync", "failure", lambda e: "503" in e["msg"])
    assert "waiting" in place.status("app")["state"], "the app waits for the first full set"
    heal()
    place.wait_ready()
    assert place.wait_event("app", "start")["files"] == {"db": digest(value)}
    value = rotate(vault, place, name)
    place.wait_event("app", "reload", lambda e: e["files"]["db"] == digest(value))
    assert place.status("akvsync")["restartCount"] == 0
    no_gap(place)


def test_the_local_overlay_works(vault):
    """kubectl apply -k manifests/local, as it was applied before the first test."""
    assert CLIENT["AZURE_CLIENT_ID"] in kubectl("-n", "vault", "get", "deployment/fakevault", "-o", "yaml")
    kubectl("-n", "shop", "rollout", "status", "deployment/shop", f"--timeout={TIMEOUT_S}s", timeout=150)
    said = lambda: kubectl("-n", "shop", "logs", "deployment/shop", "-c", "app")  # noqa: E731
    wait_for("the app's first word", lambda: "db-password is now" in said())
    value = plant(vault, "db-password")
    wanted = hashlib.sha256(value.encode()).hexdigest()
    wait_for("the new value", lambda: wanted in said())
