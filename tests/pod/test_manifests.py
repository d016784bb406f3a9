"""Every manifest renders and is valid, strictly, for the newest Kubernetes: also what old ones cannot run."""

import copy
import ipaddress
import re

import podsecurity
import pytest
import yaml
from conftest import ROOT, kubectl
from rendered import ENTRIES, EXAMPLES, KINDS, MANIFESTS, assert_restricted, check, documents, pod_spec


@pytest.mark.parametrize("entry", ENTRIES)
def test_renders_and_fits_the_schema(schema, entry):
    rendered = kubectl("kustomize", str(MANIFESTS / entry))
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"{len(documents(rendered))} documents, 0 problems" in told.stdout


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


@pytest.mark.parametrize("entry", [*EXAMPLES, "local"])
def test_examples_are_restricted(entry):
    for document in documents(kubectl("kustomize", str(MANIFESTS / entry))):
        if document["kind"] in KINDS:
            assert_restricted(pod_spec(document))


def test_the_restart_of_all_containers_is_asked_for_by_the_code_that_akvsync_ends_with():
    rendered = documents(kubectl("kustomize", str(MANIFESTS / "examples/restart-all-containers")))
    (workload,) = [document for document in rendered if document["kind"] == "Deployment"]
    (variables,) = [document["data"] for document in rendered if document["kind"] == "ConfigMap"]
    (sidecar,) = pod_spec(workload)["initContainers"]
    (rule,) = sidecar["restartPolicyRules"]
    assert sidecar["restartPolicy"] == "Always", "the API wants it beside rules"
    assert rule["action"] == "RestartAllContainers" and rule["exitCodes"]["operator"] == "In"
    assert [variables["AKVSYNC_NOTIFY"]] == [f"exit={code}" for code in rule["exitCodes"]["values"]]
    assert {mount["mountPath"] for mount in sidecar["volumeMounts"]} >= {"/secrets", "/env"}
    (page,) = [block for block in yaml_blocks("docs/notify.md") if "restartPolicyRules" in block]
    assert yaml.safe_load(page)["initContainers"][0]["restartPolicyRules"] == [rule]


def yaml_blocks(page):
    return re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


def added(base, more):
    """As kubectl adds a part to a manifest: maps by key, lists of named things by name, or by mount path."""
    if isinstance(base, dict) and isinstance(more, dict):
        return base | {key: added(base[key], value) if key in base else value for key, value in more.items()}
    if not isinstance(base, list) or not all(isinstance(one, dict) for one in [*base, *more]):
        return more

    def name(one):
        return one.get("mountPath", one.get("name"))

    merged = {name(one): one for one in base}
    for one in more:
        merged[name(one)] = added(merged.get(name(one), {}), one)
    return list(merged.values())


def test_the_pods_of_the_readme_are_valid_and_restricted(schema):
    """The whole one, and that with the part for an app with environment variables."""
    whole, part = yaml_blocks("README.md")
    (pod,) = documents(whole)
    for one in (pod, added(pod, yaml.safe_load(part))):
        told = check(schema, yaml.safe_dump(one))
        assert told.returncode == 0, told.stdout
        assert_restricted(one["spec"])
    (app,) = one["spec"]["containers"]
    assert app["command"][:3] == ["/opt/akvsync/akvsync", "exec", "--"]
    volumes = {volume["name"] for volume in one["spec"]["volumes"]}
    assert {mount["name"] for mount in app["volumeMounts"]} == volumes == {"akvsync", "akvsync-exec"}


@pytest.mark.parametrize("resolver", ["169.254.20.10", "169.254.10.10", "169.254.10.11"])
def test_the_policy_lets_the_node_s_resolver_be_asked(resolver):
    """Of NodeLocal DNSCache and of AKS's LocalDNS: no pod, so no selector finds it."""
    policy = yaml.safe_load((MANIFESTS / "network-policy/network-policy.yaml").read_text())
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


def test_the_dashboard_comes_as_grafana_s_sidecar_wants_it():
    (found,) = [one for one in documents(kubectl("kustomize", str(MANIFESTS / "monitoring"))) if one["kind"] == "ConfigMap"]
    assert found["metadata"]["labels"] == {"grafana_dashboard": "1"} and found["metadata"]["name"] == "akvsync-dashboard"
    assert found["data"] == {"akvsync.json": (MANIFESTS / "monitoring/dashboard.json").read_text()}


@pytest.mark.parametrize(
    "right, wrong, says",
    [
        ("interval: 30s", "interval: 30", "interval: is a number, must be a string"),
        ("podMetricsEndpoints:", "podMetricEndpoints:", "podMetricEndpoints: PodMonitorSpec has no such field"),
        ("runbook_url: docs", "runbook_url: [docs]", "runbook_url: is a list, must be a string"),
        ("for: 2m", "fore: 2m", "fore: Rule has no such field"),
    ],
)
def test_the_check_finds_a_planted_mistake_of_monitoring(schema, right, wrong, says):
    rendered = kubectl("kustomize", str(MANIFESTS / "monitoring"))
    assert right in rendered
    end = rendered.index(right) + len(right) if "[" not in wrong else rendered.index("\n", rendered.index(right))
    told = check(schema, rendered[: rendered.index(right)] + wrong + rendered[end:])
    assert told.returncode == 1
    assert says in told.stdout


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
