"""Kubernetes Secrets that akvsync writes, on a real API server: for an app by secretKeyRef, for another pod by a volume."""

import base64
import json
import subprocess
import sys
import time

import pytest
from conftest import ROOT, digest, kubectl, need, patch, plant, wait_for

sys.path.append(str(ROOT / "tests/e2e"))
import pki  # noqa: E402

SECRET = "shop-db"


def secrets(name, **more):
    return json.dumps([{"secretName": SECRET, "data": [{"objectName": name, "key": "password"}]} | more])


def deploy(place, variant, name, listed=None, patches=(), **variables):
    variables = {"AKVSYNC_POLL_INTERVAL": "1s"} | variables
    listed = listed or secrets(name)
    place.deploy("kubernetes-secrets", variant, patches, AKVSYNC_OBJECTS=name, AKVSYNC_SECRET_OBJECTS=listed, **variables)


def read(place, name=SECRET):
    found = place.kubectl("get", "secret", name, "--ignore-not-found", "--show-managed-fields", "-o", "json")
    return json.loads(found) if found else None


def data(place, name=SECRET):
    return {key: base64.b64decode(value) for key, value in read(place, name)["data"].items()}


def version(place):
    return read(place)["metadata"]["resourceVersion"]


class Watch:
    """What a watch of one Secret sees: ADDED, MODIFIED, DELETED."""

    def __init__(self, place):
        command = ["kubectl", "-n", place.name, "get", "secrets", f"--field-selector=metadata.name={SECRET}", "--watch"]
        self.file = place.folder / "watch"
        with self.file.open("w", encoding="ascii") as out:
            self.process = subprocess.Popen(
                [*command, "--output-watch-events", "-o", "jsonpath={.type}{\"\\n\"}"], stdout=out, stderr=subprocess.DEVNULL
            )

    def seen(self):
        return self.file.read_text().split()

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def watch(place):
    made = []

    def start():
        made.append(Watch(place))
        return made[-1]

    yield start
    for one in made:
        one.close()


def starts(place, value):
    wanted = {"DB_PASSWORD": digest(value)}
    return place.wait_event("app", "start", lambda e: e["env"] == wanted)


def polls(place):
    return len(place.events("akvsync", "unchanged"))


def wait_polls(place, count):
    before = polls(place)
    wait_for(f"{count} polls", lambda: polls(place) >= before + count, 240)


def managers(place):
    return [one["manager"] for one in read(place)["metadata"]["managedFields"]]


def test_an_app_takes_its_password_by_secret_key_ref(vault, place, variant, watch):
    """It starts at the first try; a rotation is one change, idle polls are none, and a Secret that is deleted comes back."""
    name = f"{place.name}-db"
    old = plant(vault, name)
    deploy(place, variant, name)
    pod = place.wait_ready()
    starts(place, old)
    assert place.status("app")["restartCount"] == 0
    told = place.kubectl("get", "events", "--field-selector", f"involvedObject.name={pod}", "-o", "jsonpath={.items[*].reason}")
    assert "Failed" not in told.split(), place.describe()
    made = read(place)
    assert made["metadata"]["labels"]["akvsync.dev/managed"] == "true"
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Pod", pod)
    token = ("exec", pod, "-c", "app", "--", "ls", "/var/run/secrets/kubernetes.io/serviceaccount")
    assert place.kubectl(*token, check=False).returncode, "the app has no token"

    before = version(place)
    wait_polls(place, 50)
    assert version(place) == before, "50 polls without news write nothing"
    print(f"resourceVersion {before} before and after {polls(place)} polls")

    seen = watch()
    wait_for("the watch", lambda: seen.seen() == ["ADDED"])
    began = time.monotonic()
    new = plant(vault, name)
    wait_for("the new value", lambda: data(place) == {"password": new.encode()})
    print(f"the Secret has the new value {time.monotonic() - began:.1f} s after the rotation, with polls a second apart")
    wait_polls(place, 8)
    assert seen.seen() == ["ADDED", "MODIFIED"] and version(place) != before, "one change"
    print(f"the watch saw {seen.seen()}")

    place.kubectl("delete", "secret", SECRET)
    wait_for("the Secret to come back", lambda: read(place))
    assert data(place) == {"password": new.encode()}
    wait_for("its owner", lambda: read(place)["metadata"].get("ownerReferences"))
    text = place.describe() + place.kubectl("get", "pods,events,configmaps", "-o", "yaml")
    assert old not in text and new not in text


def scale(place, replicas):
    place.kubectl("scale", "deployment/shop", f"--replicas={replicas}")
    def ready():
        status = json.loads(place.kubectl("get", "deployment/shop", "-o", "json"))["status"]
        return (status.get("readyReplicas", 0), status.get("replicas", 0)) == (replicas, replicas)
    wait_for(f"{replicas} ready pods", ready, 240)


def test_it_lives_as_long_as_a_pod(vault, place, variant, watch):
    name = f"{place.name}-db"
    value = plant(vault, name)
    quick = {"op": "add", "path": "/spec/template/spec/terminationGracePeriodSeconds", "value": 1}
    deploy(place, variant, name, patches=[patch("Deployment", quick, name="shop")])
    place.wait_ready()
    seen = watch()
    scale(place, 5)
    wait_for("five owners", lambda: len(read(place)["metadata"]["ownerReferences"]) == 5)
    scale(place, 1)
    # The garbage collector takes those that are gone from the owners.
    wait_for("one owner", lambda: len(read(place)["metadata"]["ownerReferences"]) == 1)
    time.sleep(5)
    assert len([one for one in managers(place) if one.startswith("akvsync-pod-")]) == 1
    assert data(place) == {"password": value.encode()}
    assert "DELETED" not in seen.seen()
    scale(place, 0)
    began = time.monotonic()
    wait_for("the Secret to go with the last pod", lambda: read(place) is None)
    print(f"gone {time.monotonic() - began:.1f} s after the last pod; the watch saw {seen.seen()}")
    assert seen.seen().count("DELETED") == 1
    scale(place, 1)
    wait_for("the Secret of the next pod", lambda: read(place))


def test_a_rollout_with_another_list_does_not_fight(vault, place, variant):
    name = f"{place.name}-db"
    plant(vault, name)
    no_env = {"op": "replace", "path": "/spec/template/spec/containers/0/env", "value": []}
    slow = [  # so that both pods stay
        {"op": "add", "path": "/spec/minReadySeconds", "value": 3600},
        {"op": "add", "path": "/spec/progressDeadlineSeconds", "value": 7200},
    ]
    patches = [patch("Deployment", no_env, *slow, name="shop")]
    deploy(place, variant, name, patches=patches)
    place.wait_ready()
    both = json.dumps([{"secretName": SECRET, "data": [{"objectName": name, "key": "new"}]}])
    deploy(place, variant, name, both, patches=patches)
    wait_for("the new list", lambda: set(data(place)) == {"new"})
    wait_for("its owners", lambda: len(read(place)["metadata"].get("ownerReferences", [])) == 2)
    before = version(place)
    time.sleep(10)  # both pods poll once a second
    assert version(place) == before and set(data(place)) == {"new"}
    # The rollout is undone, and the claim of the newer list goes with its pod.
    deploy(place, variant, name, patches=[patch("Deployment", no_env, name="shop")])
    wait_for("the list of before", lambda: set(data(place)) == {"password"})
    wait_for("its owner alone", lambda: len(read(place)["metadata"].get("ownerReferences", [])) == 1)


CONF = """
pid /tmp/nginx.pid; error_log /dev/stderr; daemon off;
events {}
http {
  access_log off; client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
  uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
  server { listen 8443 ssl; ssl_certificate /tls/tls.crt; ssl_certificate_key /tls/tls.key; }
}
"""
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}


def nginx(secret):
    """A pod that mounts the Secret, as an ingress controller or another app would."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "reader"},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "nginx",
                    "image": "apps:test",
                    "command": ["sh", "-c", f"printf '{CONF}' >/tmp/nginx.conf; exec nginx -c /tmp/nginx.conf"],
                    "volumeMounts": [{"name": "tls", "mountPath": "/tls"}],
                    "securityContext": RESTRICTED,
                }
            ],
            "volumes": [{"name": "tls", "secret": {"secretName": secret}}],
        },
    }


@pytest.mark.parametrize("form", ["pfx", "pem"])
def test_a_certificate_for_another_pod(vault, place, variant, form):
    name, chain = f"{place.name}-tls", pki.Chain()
    value = {
        "pfx": (pki.base64_pfx(chain.key, chain.all), "application/x-pkcs12"),
        "pem": ((pki.key_pem(chain.key) + pki.cert_pem(*chain.all)).decode(), "application/x-pem-file"),
    }[form]
    vault.set_certificate(name, value[0], pki.cer(chain.leaf), content_type=value[1])
    entry = {"secretName": "shop-tls", "type": "kubernetes.io/tls"}
    entry["data"] = [{"objectName": name, "key": "tls.crt"}, {"objectName": name, "key": "tls.key"}]
    no_env = {"op": "replace", "path": "/spec/template/spec/containers/0/env", "value": []}
    deploy(place, variant, name, json.dumps([entry]), patches=[patch("Deployment", no_env, name="shop")])
    place.wait_ready()
    made = data(place, "shop-tls")
    assert made == {"tls.crt": pki.cert_pem(*chain.all), "tls.key": pki.key_pem_traditional(chain.key)}
    for command in (["x509", "-noout", "-subject"], ["pkey", "-noout"]):
        part = made["tls.crt" if command[0] == "x509" else "tls.key"]
        assert subprocess.run(["openssl", *command], input=part, capture_output=True, check=False).returncode == 0
    place.kubectl("apply", "-f", "-", text=json.dumps(nginx("shop-tls")))
    address = wait_for("nginx's address", lambda: place.kubectl("get", "pod", "reader", "-o", "jsonpath={.status.podIP}"))
    place.kubectl("wait", "pod/reader", "--for=condition=Ready", "--timeout=120s", timeout=150)
    command = ["openssl", "s_client", "-connect", f"{address}:8443", "-showcerts"]

    def served():
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
        return done.stdout if "BEGIN CERTIFICATE" in done.stdout else None

    assert pki.cert_pem(chain.leaf).decode() in wait_for("nginx to serve it", served)


DOCKER = json.dumps({"auths": {"registry.example": {"auth": "cGxhbnRlZA=="}}})
TYPES = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson", DOCKER),
    "kubernetes.io/basic-auth": ("password", "planted-basic-auth-1"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey", "planted-ssh-auth-12"),
    "example.com/own": ("x", "planted-own-type-1"),
    "Opaque": ("password", "planted-opaque-1234"),
}


def test_each_type_and_what_others_wrote(vault, place, variant):
    listed, paths = [], []
    for number, (kind, (key, value)) in enumerate(TYPES.items()):
        paths.append(f"{place.name}-{number}")
        vault.set(paths[-1], value)
        name = SECRET if kind == "Opaque" else f"shop-{number}"
        listed.append({"secretName": name, "type": kind, "data": [{"objectName": paths[-1], "key": key}]})
    allowed = {"op": "replace", "path": "/rules/0/resourceNames", "value": [one["secretName"] for one in listed]}
    deploy(place, variant, ",".join(paths), json.dumps(listed), patches=[patch("Role", allowed, name="shop-secrets")])
    place.wait_ready()
    for one, (kind, (key, value)) in zip(listed, TYPES.items(), strict=True):
        assert data(place, one["secretName"]) == {key: value.encode()}
        assert read(place, one["secretName"])["type"] == kind
    place.kubectl("label", "secret", SECRET, "team=shop")
    place.kubectl("annotate", "secret", SECRET, "theirs=1")
    place.kubectl("patch", "secret", SECRET, "-p", json.dumps({"stringData": {"more": "x"}}))
    new = plant(vault, paths[-1])
    wait_for("the new value", lambda: data(place) == {"password": new.encode(), "more": b"x"})
    metadata = read(place)["metadata"]
    assert metadata["labels"] == {"akvsync.dev/managed": "true", "team": "shop"} and metadata["annotations"]["theirs"] == "1"


def test_a_pod_that_mounts_what_its_own_sidecar_makes(vault, place, variant):
    """It never starts, unless the volume is optional; then the file comes while the pod runs."""
    name = f"{place.name}-db"
    value = plant(vault, name)

    for optional in (False, True):
        volume = {"name": "own", "secret": {"secretName": SECRET, "optional": optional}}
        change = [
            {"op": "add", "path": "/spec/template/spec/volumes/-", "value": volume},
            {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts", "value": [{"name": "own", "mountPath": "/own"}]},
            {"op": "remove", "path": "/spec/template/spec/containers/0/env"},
            {"op": "add", "path": "/spec/strategy", "value": {"type": "Recreate"}},
        ]
        deploy(place, variant, name, patches=[patch("Deployment", *change, name="shop")])
        if not optional:
            wait_for("the cause", lambda: f'secret "{SECRET}" not found' in place.kubectl("describe", "pods"))
            assert read(place) is None
    wait_for("the pod with the optional volume", lambda: place.pod()["status"]["phase"] == "Running")
    place.wait_ready()
    wait_for("the file", lambda: place.exec("app", "cat", "/own/password", check=False).stdout == value)


def account(place):
    return f"--as=system:serviceaccount:{place.name}:shop"


def test_the_permissions_are_the_least(vault, place, variant):
    """Without them an incident names the verb; with them no other Secret can be read."""
    name = f"{place.name}-db"
    plant(vault, name)
    none = {"op": "replace", "path": "/rules/0/verbs", "value": ["create"]}
    only = {"op": "replace", "path": "/rules/0/resourceNames", "value": [SECRET]}
    deploy(place, variant, name, patches=[patch("Role", none, only, name="shop-secrets")])
    container = "akvsync-init" if variant == "classic" else "akvsync"
    place.wait_event(container, "failure", lambda e: 'needs the verb "patch"' in e["msg"])
    if variant != "classic":
        wait_for("the cause in describe", lambda: 'needs the verb "patch"' in place.kubectl("describe", "pods"))

    def permit(*verbs):
        change = [{"op": "replace", "path": "/rules/0/verbs", "value": verbs}]
        place.kubectl("patch", "role/shop-secrets", "--type=json", "-p", json.dumps(change))

    permit("patch")
    place.wait_event(container, "failure", lambda e: 'needs the verb "create"' in e["msg"])
    permit("create", "patch")
    place.wait_ready()
    place.kubectl("create", "secret", "generic", "another", "--from-literal=a=b")
    for question, answer in {
        ("patch", f"secrets/{SECRET}"): "yes", ("create", f"secrets/{SECRET}"): "yes",
        ("get", f"secrets/{SECRET}"): "no", ("list", "secrets"): "no", ("watch", "secrets"): "no",
        ("patch", "secrets/another"): "no", ("get", "secrets/another"): "no", ("create", "secrets"): "no",
        ("get", "pods"): "no",
    }.items():
        told = place.kubectl("auth", "can-i", *question, account(place), check=False)
        assert told.stdout.split()[0] == answer, question


def test_the_policy_confines_it(vault, place, variant):
    need(30, "ValidatingAdmissionPolicy works")
    name = f"{place.name}-db"
    value = plant(vault, name)
    kubectl("apply", "-k", str(ROOT / "manifests/secret-policy"))
    kubectl("label", "namespace", place.name, "akvsync.dev/confine-secrets=true", "--overwrite")
    every = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "every"}}
    every["rules"] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]
    place.kubectl("apply", "-f", "-", text=json.dumps(every))
    place.kubectl("create", "rolebinding", "every", "--role=every", f"--serviceaccount={place.name}:shop")
    place.kubectl("create", "secret", "generic", "another", "--from-literal=a=b")

    def write(secret, labels=True, kind="Opaque", **metadata):
        metadata |= {"name": secret, "labels": {"akvsync.dev/managed": "true"} if labels else {}}
        body = {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": metadata}
        return place.kubectl("apply", "--server-side", "-f", "-", account(place), text=json.dumps(body), check=False).stderr

    # The policy acts some moments after it was made.
    wait_for("the policy", lambda: "with the label akvsync.dev/managed" in write("no-label", labels=False))
    assert "is not akvsync's" in write("another")
    assert "would give access to the cluster" in write("token", kind="bootstrap.kubernetes.io/token")
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "1"}
    assert "only pods may own" in write("owned", ownerReferences=[owner])
    assert write("fine") == ""
    deploy(place, variant, name)
    place.wait_ready()
    assert data(place) == {"password": value.encode()}
    starts(place, value)
