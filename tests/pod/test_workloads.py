"""Three real workloads in restricted namespaces, with the components as docs/kubernetes.md takes them: they
rotate, they lose the vault, and `kubectl describe pod` says why a pod does not start."""

import datetime
import json
import re
import sys
import time

import pytest
from conftest import ROOT, TIMEOUT_S, digest, down, events, patch, plant, release, wait_for

sys.path.append(str(ROOT / "tests/e2e"))
import pki  # noqa: E402

NATIVE_LIMIT_S = 10
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
CAUSES = [(NO_ANSWER, "no answer in time"), (FORBIDDEN, "403 ForbiddenByRbac")]


@pytest.fixture
def variant(vault):  # pylint: disable=unused-argument
    return "native-sidecar" if release() >= 29 else "classic"


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
    """When akvsync in a pod first said so in its log."""
    log = place.kubectl("logs", pod, "-c", container, check=False).stdout
    found = [entry for entry in events(log) if re.search(says, entry.get("msg", ""))]
    return found and datetime.datetime.fromisoformat(found[0]["ts"].replace("Z", "+00:00")).timestamp()


def assert_told(place, pod, container, says):
    """That `kubectl describe pod` names a cause, at most 10 s after akvsync knew it; classic: when init has ended."""
    since = wait_for(f"'{says}' in the log of {pod}", lambda: knew(place, pod, container, says))
    wait_for(f"'{says}' in the description of {pod}", lambda: says in place.kubectl("describe", "pod", pod))
    took = time.time() - since
    print(f"'{says}' in kubectl describe {took:.1f} s after akvsync knew it")
    if container == "akvsync":
        assert took <= NATIVE_LIMIT_S, place.kubectl("describe", "pod", pod)


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


def run_now(place, name):
    """A run of the CronJob, as its schedule would start it."""
    place.kubectl("create", "job", name, "--from=cronjob/report")
    return f"job/{name}"


def active(place):
    return place.kubectl("get", "cronjob/report", "-o", "jsonpath={.status.active[*].name}").split()


def wait_job(place, job, condition):
    place.kubectl("wait", job, f"--for=condition={condition}", f"--timeout={TIMEOUT_S}s", timeout=150)


def ends(place, job):
    """The exit codes of starts in the pods of a job."""
    pods = json.loads(place.kubectl("get", "pods", "-l", f"job-name={job.partition('/')[2]}", "-o", "json"))["items"]
    found = [one for pod in pods for one in pod["status"].get("initContainerStatuses", [])]
    found = [one.get(key, {}).get("terminated") for one in found for key in ("state", "lastState")]
    return [one["exitCode"] for one in found if one]


LOSSES = [({"status": 503}, "503", 6), (FORBIDDEN, "403 ForbiddenByRbac", 4)]


@pytest.mark.parametrize("restart", ["Never", "OnFailure"])
def test_a_cronjob_makes_its_report_and_fails_without_the_vault(vault, place, variant, restart):
    """By akvsync's exit code; then the next run is free to start, also where runs may not overlap."""
    name = f"{place.name}-db"
    plant(vault, name)
    path = "/spec/jobTemplate/spec"
    place.deploy(
        "cronjob",
        variant,
        patches=[
            patch(
                "CronJob",
                {"op": "replace", "path": f"{path}/template/spec/restartPolicy", "value": restart},
                {"op": "replace", "path": f"{path}/backoffLimit", "value": 1},
            )
        ],
        AKVSYNC_OBJECTS=f"{name}=db-password",
        AKVSYNC_INIT_TIMEOUT="5s",
    )
    job = run_now(place, "first")
    wait_job(place, job, "Complete")
    assert place.kubectl("logs", job, "-c", "app").strip() == "made the report"
    for number, (fault, says, code) in enumerate(LOSSES):
        rule = vault.fault(fault, target="vault", path=f"/secrets/{name}*", times=-1)
        job = run_now(place, f"lost-{number}")
        wait_for("the run in the status of the CronJob", lambda: active(place))
        wait_for(f"'{says}' in the description", lambda: says in place.kubectl("describe", "pods"))
        wait_for(f"exit code {code}", lambda: code in ends(place, job))
        wait_job(place, job, "Failed")
        wait_for("the CronJob without a run", lambda: not active(place))
        vault.remove_fault(rule)
    job = run_now(place, "last")
    wait_job(place, job, "Complete")


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
