"""Every manifest renders and is valid, strictly, for the newest Kubernetes: also what old ones cannot run."""

import copy
import ipaddress
import pathlib
import re
import subprocess

import podsecurity
import pytest
import yaml
from conftest import ROOT, TIMEOUT_S, kubectl, kustomize, own_manifests

SCHEMA = pathlib.Path(__file__).with_name("schema")
MANIFESTS = ROOT / "manifests"
ENTRIES = sorted(
    str(file.parent.relative_to(MANIFESTS))
    for file in MANIFESTS.rglob("kustomization.yaml")
    if "kind: Component" not in file.read_text()
)
EXAMPLES = [entry for entry in ENTRIES if entry.startswith("examples/")]
VARIANTS = ("native-sidecar", "classic")


@pytest.fixture(scope="session")
def schema():
    """The checker, where it is installed; scripts/pod-test has done so, since a cluster has no network for it."""
    built = ROOT / "build/schema"
    run = subprocess.run([ROOT / "tests/npm-install", SCHEMA, built], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return built


def check(schema, text):
    return subprocess.run(
        ["node", "check.mjs"],
        cwd=schema,
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def pod_spec(document):
    spec = document["spec"]
    while "containers" not in spec:
        spec = spec.get("jobTemplate", spec)["spec"] if "jobTemplate" in spec else spec["template"]["spec"]
    return spec


@pytest.mark.parametrize("entry", ENTRIES)
def test_renders_and_fits_the_schema(schema, entry):
    rendered = kubectl("kustomize", str(MANIFESTS / entry))
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(documents(rendered))} documents, 0 problems" in told.stdout


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job", "CronJob", "Pod"])
def test_the_components_fit_any_workload(schema, tmp_path, kind, variant):
    template = {"spec": {"containers": [{"name": "app", "image": "app", "volumeMounts": []}]}}
    spec = template["spec"]
    if kind != "Pod":
        spec = {"template": template}
    if kind == "CronJob":
        spec = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
    version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Pod": "v1"}.get(kind, "batch/v1")
    workload = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    own_manifests(tmp_path, variant)
    (tmp_path / "app.yaml").write_text(yaml.safe_dump(workload))
    rendered = kustomize(
        tmp_path,
        resources=["app.yaml"],
        components=[f"manifests/components/{name}" for name in (variant, "signal", "projected-token")],
    )
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    (document,) = documents(rendered)
    spec = pod_spec(document)
    ours = [c for c in spec["initContainers"] + spec["containers"] if c["name"] != "app"]
    expected = ["akvsync"] if variant == "native-sidecar" else ["akvsync-init", "akvsync"]
    if variant == "classic" and kind in ("Job", "CronJob"):
        expected = ["akvsync-init"]
    assert [container["name"] for container in ours] == expected
    for container in ours:
        assert "azure-identity-token" in [mount["name"] for mount in container["volumeMounts"]]
    app = next(c for c in spec["containers"] if c["name"] == "app")
    assert app["volumeMounts"] == [], "the app gets neither token nor more files than it asks for"
    assert spec["shareProcessNamespace"] is True
    assert spec["volumes"][0] == {"name": "akvsync", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pod_is_ready_soon_after_its_first_set(variant):
    """The kubelet's first probe often comes too early, and the next one a period later."""
    patch = yaml.safe_load((MANIFESTS / "components" / variant / "workload.yaml").read_text())
    containers = [c for kind in ("initContainers", "containers") for c in patch["spec"]["template"]["spec"].get(kind, [])]
    (probe,) = [c["readinessProbe"] for c in containers if "readinessProbe" in c]
    assert probe["periodSeconds"] <= 10


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_patches_of_a_variant_say_the_same(variant):
    """Kustomize wants the pod's part once for each depth; none may be forgotten in a change."""
    folder = MANIFESTS / "components" / variant
    workload, job, cronjob, pod = (
        yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("workload", "job", "cronjob", "pod")
    )
    wanted = workload["spec"]["template"]
    for other in (job["spec"]["template"], cronjob["spec"]["jobTemplate"]["spec"]["template"], pod):
        spec = dict(wanted["spec"])
        if variant == "classic" and other is not pod:
            del spec["containers"]  # a Job would never end
        assert other["spec"] == spec
        labels = {k: v for k, v in other["metadata"]["labels"].items() if k != "akvsync.io/variant"}
        assert labels == wanted["metadata"]["labels"]
        assert other["metadata"]["annotations"] == wanted["metadata"]["annotations"]


RESTRICTED = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {"name": "app", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    ],
}
APP, OWN = "containers/0", "containers/0/securityContext"


def planted(path, value):
    """A restricted pod with something at a path in it."""
    pod = copy.deepcopy(RESTRICTED)
    *folders, name = path.split("/")
    place = pod
    for folder in folders:
        place = place[int(folder)] if folder.isdigit() else place.setdefault(folder, {})
    place[name] = value
    return pod


FORBIDDEN = [
    ("hostNetwork", "hostNetwork", True),
    ("hostPID", "hostPID", True),
    ("hostIPC", "hostIPC", True),
    ("volumes", "volumes", [{"name": "node", "hostPath": {"path": "/"}}]),
    ("volumes", "volumes", [{"name": "share", "nfs": {"server": "nas", "path": "/"}}]),
    ("sysctls", "securityContext/sysctls", [{"name": "kernel.msgmax", "value": "1"}]),
    ("hostPort", f"{APP}/ports", [{"containerPort": 80, "hostPort": 80}]),
    ("probed host", f"{APP}/startupProbe/httpGet/host", "169.254.169.254"),
    ("probed host", f"{APP}/readinessProbe/tcpSocket/host", "10.0.0.1"),
    ("probed host", f"{APP}/livenessProbe/httpGet/host", "10.0.0.1"),
    ("probed host", f"{APP}/lifecycle/postStart/httpGet/host", "10.0.0.1"),
    ("probed host", f"{APP}/lifecycle/preStop/tcpSocket/host", "10.0.0.1"),
    ("privileged", f"{OWN}/privileged", True),
    ("allowPrivilegeEscalation", f"{OWN}/allowPrivilegeEscalation", True),
    ("allowPrivilegeEscalation", OWN, {"capabilities": {"drop": ["ALL"]}}),
    ("capabilities.drop", f"{OWN}/capabilities", {}),
    ("capabilities.drop", f"{OWN}/capabilities/drop", ["NET_RAW"]),
    ("capabilities.add", f"{OWN}/capabilities/add", ["SYS_PTRACE"]),
    ("procMount", f"{OWN}/procMount", "Unmasked"),
    ("runAsUser", "securityContext/runAsUser", 0),
    ("runAsUser", f"{OWN}/runAsUser", 0),
    ("appArmorProfile", "securityContext/appArmorProfile/type", "Unconfined"),
    ("appArmorProfile", f"{OWN}/appArmorProfile/type", "Unconfined"),
    ("seLinuxOptions.type", f"{OWN}/seLinuxOptions/type", "spc_t"),
    ("seLinuxOptions", "securityContext/seLinuxOptions/user", "system_u"),
    ("seLinuxOptions", f"{OWN}/seLinuxOptions/role", "system_r"),
    ("hostProcess", f"{OWN}/windowsOptions/hostProcess", True),
    ("runAsNonRoot", "securityContext", {"seccompProfile": {"type": "RuntimeDefault"}}),
    ("runAsNonRoot", f"{OWN}/runAsNonRoot", False),
    ("seccompProfile", "securityContext", {"runAsNonRoot": True}),
    ("seccompProfile", "securityContext/seccompProfile/type", "Unconfined"),
    ("seccompProfile", f"{OWN}/seccompProfile", {"type": "Unconfined"}),
]


@pytest.mark.parametrize("kind", ["initContainers", "containers", "ephemeralContainers"])
@pytest.mark.parametrize("rule, path, value", FORBIDDEN)
def test_what_is_not_restricted_is_found(rule, path, value, kind):
    pod = planted(path, value)
    if kind != "containers":
        pod |= {kind: pod["containers"], "containers": RESTRICTED["containers"]}
    assert {found for _, found in podsecurity.refused(pod)} == {rule}


def test_each_rule_is_broken_once():
    assert {rule for rule, *_ in FORBIDDEN} == set(podsecurity.RULES)


@pytest.mark.parametrize(
    "path, value",
    [
        ("hostNetwork", False),
        ("volumes", [{"name": "files", "emptyDir": {}}, {"name": "claim", "persistentVolumeClaim": {}}]),
        ("securityContext/sysctls", [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]),
        ("securityContext/seccompProfile", {"type": "Localhost", "localhostProfile": "akvsync.json"}),
        ("securityContext/seLinuxOptions/level", "s0:c1,c2"),
        (f"{APP}/ports", [{"containerPort": 80}]),
        (f"{APP}/livenessProbe/httpGet/port", 80),
        (f"{OWN}/capabilities/add", ["NET_BIND_SERVICE"]),
        (f"{OWN}/appArmorProfile/type", "Localhost"),
        (f"{OWN}/seLinuxOptions/type", "container_t"),
        (f"{OWN}/runAsUser", 65532),
    ],
)
def test_what_is_restricted_is_let_pass(path, value):
    assert not podsecurity.refused(planted(path, value))


def assert_restricted(pod):
    """The standard, and a root file system that nobody writes to, which it does not ask for."""
    assert not podsecurity.refused(pod)
    for container in pod.get("initContainers", []) + pod["containers"]:
        assert container["securityContext"].get("readOnlyRootFilesystem") is True, container["name"]


@pytest.mark.parametrize("entry", [*EXAMPLES, "local"])
def test_examples_are_restricted(entry):
    for document in documents(kubectl("kustomize", str(MANIFESTS / entry))):
        if document["kind"] in ("Pod", "Deployment", "StatefulSet", "Job", "CronJob"):
            assert_restricted(pod_spec(document))


def test_the_pod_of_the_readme_is_valid_and_restricted(schema):
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    told = check(schema, text)
    assert told.returncode == 0, told.stdout
    (pod,) = documents(text)
    assert_restricted(pod["spec"])


@pytest.mark.parametrize("resolver", ["169.254.20.10", "169.254.10.10", "169.254.10.11"])
def test_the_policy_lets_the_node_s_resolver_be_asked(resolver):
    """Of NodeLocal DNSCache and of AKS's LocalDNS: no pod, so no selector finds it."""
    policy = yaml.safe_load((MANIFESTS / "base/network-policy.yaml").read_text())
    rule = policy["spec"]["egress"][0]
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    blocks = [ipaddress.ip_network(to["ipBlock"]["cidr"]) for to in rule["to"] if "ipBlock" in to]
    assert any(ipaddress.ip_address(resolver) in block for block in blocks)


def test_the_startup_probe_outlasts_the_first_sync():
    """A native sidecar that is still trying must not be killed for it: AKVSYNC_INIT_TIMEOUT is 2m."""
    patch = yaml.safe_load((MANIFESTS / "components/native-sidecar/workload.yaml").read_text())
    (sidecar,) = patch["spec"]["template"]["spec"]["initContainers"]
    probe = sidecar["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] > 120
    assert sidecar["restartPolicy"] == "Always"


@pytest.mark.parametrize(
    "right, wrong, says",
    [
        ("startupProbe:", "startupProb:", "startupProb: V1Container has no such field"),
        ("restartPolicy: Always", "restartPolicy: true", "restartPolicy: is a boolean, must be a string"),
        ("fsGroup: 65532", 'fsGroup: "65532"', "fsGroup: is a string, must be a number"),
        ("kind: StatefulSet", "kind: StatefullSet", "no description of V1StatefullSet"),
    ],
)
def test_the_check_finds_a_planted_mistake(schema, right, wrong, says):
    rendered = kubectl("kustomize", str(MANIFESTS / "examples/statefulset"))
    assert right in rendered
    told = check(schema, rendered.replace(right, wrong, 1))
    assert told.returncode == 1
    assert says in told.stdout
