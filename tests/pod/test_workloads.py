"""Three real workloads in restricted namespaces, with the components as docs/kubernetes.md takes them: they
rotate, they lose the vault, and `kubectl describe pod` says why a pod does not start."""

import datetime
import json
import sys
import time
from functools import partial

import pytest
import yaml
from conftest import ROOT, TIMEOUT_S, digest, down, events, kubectl, patch, plant, wait_for

sys.path.append(str(ROOT / "tests/e2e"))
import pki  # noqa: E402

LIMIT_S = 10
CERTIFICATE = """
import socket, ssl, struct
peer = socket.create_connection(("127.0.0.1", PORT))
if PORT == 5432:
    peer.sendall(struct.pack("!ii", 8, 80877103))  # PostgreSQL's SSLRequest
    assert peer.recv(1) == b"S"
context = ssl._create_unverified_context()
print(ssl.DER_cert_to_PEM_cert(context.wrap_socket(peer).getpeercert(True)), end="")
"""
NO_ANSWER = {"hold": True}
FORBIDDEN = {
    "status": 403,
    "json": {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}},
}
CAUSES = [(NO_ANSWER, "no answer from"), (FORBIDDEN, "403 ForbiddenByRbac")]


def renew(vault, name):
    """A new certificate with its key, as PEM; the certificate."""
    chain = pki.Chain()
    pem = pki.key_pem(chain.key) + pki.cert_pem(*chain.all)
    vault.set_certificate(name, pem.decode(), pki.cer(chain.leaf), content_type="application/x-pem-file")
    return pki.cert_pem(chain.leaf).decode()


def newest(place):
    pods = json.loads(place.kubectl("get", "pods", "-o", "json"))["items"]
    return max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])["metadata"]["name"]


def knew(place, pod, container, says):
    """When akvsync in a pod first said in its log that it fails for this."""
    log = place.kubectl("logs", pod, "-c", container, check=False).stdout
    found = [entry for entry in events(log, "failure") if says in entry["msg"]]
    return found and datetime.datetime.fromisoformat(found[0]["ts"].replace("Z", "+00:00")).timestamp()


def assert_told(place, pod, container, says):
    """That `kubectl describe pod` names a cause, at most 10 s after akvsync knew it; classic: when init has ended."""
    since = wait_for(f"'{says}' in the log of {pod}", lambda: knew(place, pod, container, says))
    wait_for(f"'{says}' in the description of {pod}", lambda: says in place.kubectl("describe", "pod", pod))
    took = time.time() - since
    print(f"'{says}' in kubectl describe {took:.1f} s after akvsync knew it")
    if container == "akvsync":
        assert took <= LIMIT_S, place.kubectl("describe", "pod", pod)


def lose_the_vault(vault, place, workload, name, variant):
    """One more pod, which cannot start; the one that runs stays ready. In the end the new one starts as well."""
    first = place.pod_name()
    container = "akvsync" if variant == "native-sidecar" else "akvsync-init"
    rules = [vault.fault(CAUSES[0][0], target="vault", path=f"/secrets/{name}*", times=-1)]
    place.kubectl("scale", workload, "--replicas=2")
    pod = wait_for("the new pod", lambda: (one := newest(place)) != first and one)
    for number, (fault, says) in enumerate(CAUSES):
        if number:
            rules.append(vault.fault(fault, target="vault", path=f"/secrets/{name}*", times=-1))
            vault.remove_fault(rules[-2])
        assert_told(place, pod, container, says)
    assert "True" in place.kubectl("get", "pod", first, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")
    vault.remove_fault(rules[-1])
    place.kubectl("wait", f"pod/{pod}", "--for=condition=Ready", f"--timeout={TIMEOUT_S}s", timeout=150)


def one_replica(kind):
    return patch(kind, {"op": "add", "path": "/spec/replicas", "value": 1})


def serves(place, container, port):
    return place.exec(container, "python3", "-c", CERTIFICATE.replace("PORT", str(port)), check=False).stdout


def test_nginx_serves_a_renewed_certificate(vault, place, variant):
    name = f"{place.name}-web"
    first = renew(vault, name)
    place.deploy(
        "nginx-certificate",
        variant,
        patches=[one_replica("Deployment")],
        AKVSYNC_OBJECTS=f"{name}=tls/web.pem",
        AKVSYNC_INIT_TIMEOUT="2m" if variant == "native-sidecar" else "15s",
    )
    place.wait_ready()
    assert serves(place, "app", 8443) == first
    second = renew(vault, name)
    place.exec("akvsync", "/akvsync", "refresh")
    wait_for("nginx with the new certificate", lambda: serves(place, "app", 8443) == second)
    assert place.status("app")["restartCount"] == 0
    lose_the_vault(vault, place, "deployment/nginx", name, variant)


NO_CLAIM = patch(
    "StatefulSet",
    {"op": "remove", "path": "/spec/volumeClaimTemplates"},
    {"op": "add", "path": "/spec/template/spec/volumes/-", "value": {"name": "data", "emptyDir": {}}},
)
"""The cluster of the tests provides no volumes."""


def test_postgresql_serves_a_renewed_certificate(vault, place, variant):
    """Under its own uid, and with a key that it accepts: it would refuse to start with one that its group may read."""
    name, password = f"{place.name}-tls", f"{place.name}-password"
    first = renew(vault, name)
    plant(vault, password)
    objects = [
        {"objectName": password, "objectAlias": "postgres-password"},
        {"objectName": name, "objectAlias": "tls/server.pem", "filePermission": "0400"},
    ]
    place.deploy(
        "postgresql",
        variant,
        patches=[one_replica("StatefulSet"), NO_CLAIM],
        AKVSYNC_OBJECTS=json.dumps(objects),
        AKVSYNC_INIT_TIMEOUT="2m" if variant == "native-sidecar" else "15s",
    )
    place.wait_ready()
    assert place.exec("postgres", "stat", "-L", "-c", "%a %u", "/secrets/tls/server.pem").strip() == "400 999"
    assert serves(place, "postgres", 5432) == first
    second = renew(vault, name)
    place.exec("akvsync", "/akvsync", "refresh")
    wait_for("PostgreSQL with the new certificate", lambda: serves(place, "postgres", 5432) == second)
    assert place.status("postgres")["restartCount"] == 0
    lose_the_vault(vault, place, "statefulset/postgres", name, variant)


def wait_job(place, job, condition):
    place.kubectl("wait", job, f"--for=condition={condition}", f"--timeout={TIMEOUT_S}s", timeout=150)


def run_now(place, name):
    """A run of the CronJob, which "kubectl create job --from" makes of those of a new API alone."""
    job = json.loads(place.kubectl("get", "cronjob/report", "-o", "json"))["spec"]["jobTemplate"]
    job |= {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
    place.kubectl("apply", "-f", "-", text=json.dumps(job))


def jobs(place, condition):
    """The names of the jobs that have ended so."""
    found = json.loads(place.kubectl("get", "jobs", "-o", "json"))["items"]
    return [job["metadata"]["name"] for job in found if condition in str(job["status"].get("conditions"))]


def exit_codes(place):
    """Of all starts in the pods of jobs."""
    pods = json.loads(place.kubectl("get", "pods", "-o", "json"))["items"]
    every = [one for pod in pods for one in pod["status"].get("initContainerStatuses", [])]
    ends = [one.get(key, {}).get("terminated") for one in every for key in ("state", "lastState")]
    return {end["exitCode"] for end in ends if end}


def report(vault, place, variant, restart, schedule, backoff_limit):
    """The CronJob of the examples with its secret."""
    name = f"{place.name}-db"
    plant(vault, name)
    path = "/spec/jobTemplate/spec"
    changes = {"/spec/schedule": schedule, f"{path}/backoffLimit": backoff_limit}
    changes[f"{path}/template/spec/restartPolicy"] = restart
    operations = [{"op": "replace", "path": where, "value": value} for where, value in changes.items()]
    lost = partial(vault.fault, target="vault", path=f"/secrets/{name}*", times=-1)
    rendered = partial(place.deploy, "cronjob", variant, patches=[patch("CronJob", *operations)])
    return lost, partial(rendered, AKVSYNC_OBJECTS=f"{name}=db-password", AKVSYNC_INIT_TIMEOUT="5s")


def assert_failed(place, says, code):
    """By akvsync's exit code, which `kubectl describe pod` explains."""
    wait_for(f"exit code {code}", lambda: code in exit_codes(place))
    since = time.monotonic()
    wait_for(f"'{says}' in the description", lambda: says in place.kubectl("describe", "pods"))
    print(f"'{says}' in kubectl describe {time.monotonic() - since:.1f} s after the start ended")
    assert time.monotonic() - since <= LIMIT_S
    return wait_for("a failed job", lambda: jobs(place, "Failed"))


def test_a_scheduled_run_fails_without_the_vault_and_the_next_one_is_free(vault, place, variant):
    """Runs may not overlap: one that never ended would be the last."""
    lost, deploy = report(vault, place, variant, "Never", "* * * * *", 0)
    rule = lost(CAUSES[1][0])
    deploy()
    assert_failed(place, CAUSES[1][1], 4)
    vault.remove_fault(rule)
    (job, *_) = wait_for("the next run", lambda: jobs(place, "Complete"))
    assert place.kubectl("logs", f"job/{job}", "-c", "app").strip() == "made the report"


def test_a_run_that_is_started_again_in_its_pod_fails_as_well(vault, place, variant):
    """The Job then deletes the pod, so it is looked at between two starts."""
    lost, deploy = report(vault, place, variant, "OnFailure", "0 3 * * *", 2)
    deploy()
    run_now(place, "first")
    wait_job(place, "job/first", "Complete")
    lost({"status": 503})
    run_now(place, "lost")
    assert assert_failed(place, "503", 6) == ["lost"]


@pytest.mark.parametrize("form", ["classic", "native-sidecar"])
def test_a_job_completes(vault, place, form, request):
    if form == "native-sidecar":
        request.getfixturevalue("native")
    name = f"{place.name}-db"
    plant(vault, name)
    place.deploy("job", form, AKVSYNC_OBJECTS=f"{name}=db-password")
    wait_job(place, "job/report", "Complete")
    assert place.logs("app").strip() == "made the report"
    if form == "native-sidecar":
        assert place.wait_event("akvsync", "stop"), "it ended by SIGTERM, after the app"


@pytest.mark.usefixtures("native")
def test_a_native_pod_is_ready_soon_after_its_first_set(vault, place):
    """The startup probe is all that it waits for."""
    name = f"{place.name}-db"
    value = plant(vault, name)
    heal = down(vault, name)
    place.deploy("statefulset", "native-sidecar", patches=[one_replica("StatefulSet")], AKVSYNC_OBJECTS=f"{name}=db")
    place.wait_event("akvsync", "failure", lambda e: "503" in e["msg"])
    heal()
    place.wait_event("akvsync", "published")
    since = time.monotonic()
    place.wait_ready()
    print(f"ready {time.monotonic() - since:.1f} s after the first set")
    assert place.wait_event("app", "start")["files"] == {"db": digest(value)}


PASTED = """
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: { name: shop }
spec:
  provider: azure
  parameters:
    keyvaultName: another
    objects: |
      array:
      - |
        objectName: NAME
        objectType: secret
        objectAlias: pasted/db
"""


def test_a_pasted_secretproviderclass_configures_a_pod(vault, place, variant):
    name = f"{place.name}-db"
    value = plant(vault, name)
    place.deploy(
        "statefulset",
        variant,
        patches=[one_replica("StatefulSet")],
        config=PASTED.replace("NAME", name),
        AKVSYNC_OBJECTS="",
    )
    place.wait_ready()
    assert place.wait_event("app", "start")["files"] == {"pasted/db": digest(value)}


def test_a_workload_without_the_label_is_refused(place):
    """A forgotten label makes no pod without secrets."""
    job = kubectl("kustomize", str(ROOT / "manifests/examples/job"))
    (made,) = [one for one in yaml.safe_load_all(job) if one["kind"] == "Job"]
    plain = yaml.safe_load((ROOT / "manifests/examples/job/app.yaml").read_text())
    for one, refused in ((made, False), (plain, True)):
        told = place.kubectl("apply", "--dry-run=server", "-f", "-", text=json.dumps(one), check=False).stderr
        assert ('volumeMounts[0].name: Not found: "akvsync"' in told) == refused, told
