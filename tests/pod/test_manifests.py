"""Every manifest renders and is valid, strictly, for the newest Kubernetes: also what old ones cannot run."""

import copy
import ipaddress
import json
import pathlib
import re
import subprocess

import podsecurity
import pytest
import yaml
from conftest import ROOT, TIMEOUT_S, VERSION, kubectl, kustomize, own_manifests

SCHEMA = pathlib.Path(__file__).with_name("schema")
MANIFESTS = ROOT / "manifests"
FOLDERS = {file.parent.relative_to(MANIFESTS): file.read_text() for file in MANIFESTS.rglob("kustomization.yaml")}
COMPONENTS = sorted(str(folder) for folder, text in FOLDERS.items() if "kind: Component" in text)
ENTRIES = sorted({str(folder) for folder in FOLDERS} - {*COMPONENTS, "version"})
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


KINDS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Pod": "v1",
}
SPELLINGS = {
    "blocks": yaml.safe_dump,
    "json": json.dumps,
    "one line": lambda workload: yaml.safe_dump(workload, default_flow_style=True, width=10**6),
}
CHOSEN = {"akvsync.io/inject": "true"}
ADD_ONS = ("pod-defaults", "signal", "projected-token", "config-file", "http-probes")


def workload(kind, labels=None, **spec):
    """The least of its kind, with what a pod's spec may have besides."""
    app = {"name": "app", "image": "app", "volumeMounts": [{"name": "akvsync", "mountPath": "/secrets"}]}
    spec = {"containers": [app]} | spec
    if kind != "Pod":
        spec = {"template": {"metadata": {"labels": {"app": "x"}}, "spec": spec}}
    if kind == "CronJob":
        spec = {"schedule": "* * * * *", "jobTemplate": {"spec": spec}}
    metadata = {"name": "x", "labels": {"app": "x"} | (labels or {})}
    return {"apiVersion": KINDS[kind], "kind": kind, "metadata": metadata, "spec": spec}


def render(folder, *workloads, components=(), spelling="blocks", **content):
    """What a user's kustomization makes of workloads: all documents, those of the workloads last."""
    if not (folder / "manifests").exists():
        own_manifests(folder, "native-sidecar")
    for number, one in enumerate(workloads):
        (folder / f"{number}.yaml").write_text(SPELLINGS[spelling](one))
    content.setdefault("configMapGenerator", [{"name": "akvsync", "literals": ["AKVSYNC_VAULT=shop-kv"]}])
    content["resources"] = [f"{number}.yaml" for number in range(len(workloads))] + content.get("resources", [])
    return kustomize(folder, components=[f"manifests/components/{name}" for name in components], **content)


def of_kind(text, *kinds):
    return [document for document in documents(text) if document["kind"] in kinds]


def pod_template(document):
    """The metadata and spec of a workload's pods."""
    while document["kind"] != "Pod" and "template" not in document["spec"]:
        document = {"kind": "Job", **document["spec"]["jobTemplate"]}
    return document if document["kind"] == "Pod" else document["spec"]["template"]


def containers(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]


def ours_expected(variant, kind):
    """Containers of ours, by name, in their order."""
    batch = kind in ("Job", "CronJob")
    if variant == "classic":
        return ["akvsync-init"] if batch else ["akvsync-init", "akvsync"]
    return ["akvsync-init", "akvsync"] if batch else ["akvsync"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_components_fit_any_workload(schema, tmp_path, kind, variant, spelling):
    own_init = {"initContainers": [{"name": "migrate", "image": "app"}]}
    one = workload(kind, CHOSEN, **own_init)
    rendered = render(tmp_path, one, components=[variant, *ADD_ONS], spelling=spelling)
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    (document,) = of_kind(rendered, kind)
    spec = pod_spec(document)
    ours = [c["name"] for c in containers(spec) if c["image"].startswith("akvsync:")]
    assert ours == ours_expected(variant, kind)
    assert [c["name"] for c in spec["initContainers"]][-1] == "migrate", "which finds the files"
    assert spec["containers"][0]["name"] == "app", "whose log and shell kubectl takes"
    assert spec["containers"][0]["volumeMounts"] == [{"name": "akvsync", "mountPath": "/secrets"}]
    assert spec["shareProcessNamespace"] is True
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["akvsync"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Mi"}
    sources = volumes["akvsync-config"]["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["configMap", "serviceAccountToken"]
    probed = [c for c in containers(spec) if "livenessProbe" in c]
    assert all("httpGet" in c[f"{name}Probe"] for c in probed for name in ("startup", "liveness"))
    (variables,) = of_kind(rendered, "ConfigMap")
    assert variables["data"] == {
        "AKVSYNC_VAULT": "shop-kv",
        "AKVSYNC_CONFIG": "/etc/akvsync/config.yaml",
        "AKVSYNC_LISTEN": ":8087",
    }
    for container in containers(spec):
        if container["name"] in ours:
            assert container["envFrom"] == [{"configMapRef": {"name": variables["metadata"]["name"]}}]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_label_chooses(tmp_path, kind, variant):
    """All else in the kustomization stays as it is, also what has the label with another value."""
    others = [workload(kind), workload(kind, {"akvsync.io/inject": "false"})]
    for number, one in enumerate(others):
        one["metadata"]["name"] = f"other-{number}"
    rendered = render(tmp_path, *others, workload(kind, CHOSEN), components=[variant, *ADD_ONS])
    found = {one["metadata"]["name"]: one for one in of_kind(rendered, kind)}
    assert "akvsync-config" in str(found["x"])
    assert [found["other-0"], found["other-1"]] == others


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_pod_sets_is_kept(tmp_path, kind, variant):
    """Such as the uid of PostgreSQL's image. Our containers are restricted by what they say themselves."""
    pod = {
        "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999, "runAsNonRoot": True},
        "enableServiceLinks": True,
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    one = workload(kind, CHOSEN, **pod)
    pod_template(one)["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "db"}
    (document,) = of_kind(render(tmp_path, one, components=[variant, "signal"]), kind)
    made = pod_template(document)
    for name in ("securityContext", "enableServiceLinks", "restartPolicy"):
        assert made["spec"][name] == pod[name]
    assert pod["volumes"][0] in made["spec"]["volumes"]
    assert made["metadata"]["annotations"] == {"kubectl.kubernetes.io/default-container": "db"}
    assert made["metadata"]["labels"]["app"] == "x"
    bare = {"containers": [c for c in containers(made["spec"]) if c["name"] != "app"]}
    assert_restricted(bare)


NAMED = """\
- { op: replace, path: /metadata/name, value: APP }
- { op: replace, path: /spec/podSelector/matchLabels, value: { app: APP } }
- { op: replace, path: /spec/egress/2/to/0/ipBlock/cidr, value: 10.0.1.ADDRESS/32 }
"""


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_apps_in_one_namespace(schema, tmp_path, variant):
    """Each with its own identity, policy and variables, applied one by one or as parts of one kustomization."""
    apart = []
    for number, app in enumerate(("shop", "web")):
        folder = tmp_path / app
        folder.mkdir()
        own_manifests(folder, variant)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": app}}
        account["metadata"]["annotations"] = {"azure.workload.identity/client-id": f"client-of-{app}"}
        (folder / "account.yaml").write_text(yaml.safe_dump(account))
        one = workload("Deployment", CHOSEN, serviceAccountName=app)
        one["metadata"]["name"] = app
        pod_template(one)["metadata"]["labels"]["app"] = app
        content = {
            "components": [variant],
            "resources": ["account.yaml", "manifests/network-policy"],
            "configMapGenerator": [{"name": "akvsync", "literals": [f"AKVSYNC_VAULT={app}-kv"]}],
            "patches": [
                {
                    "target": {"kind": "NetworkPolicy", "name": "akvsync"},
                    "patch": NAMED.replace("APP", app).replace("ADDRESS", str(number)),
                }
            ],
        }
        apart += documents(render(folder, one, **content))
        render(folder, one, namePrefix=f"{app}-", **content)
    together = kustomize(tmp_path, namespace="both", resources=["shop", "web"])
    told = check(schema, together)
    assert told.returncode == 0, told.stdout + told.stderr
    for every, prefix in ((apart, ""), (documents(together), "NAME-")):
        names = [(one["kind"], one["metadata"]["name"]) for one in every]
        assert len(set(names)) == len(names) == 8
        for app in ("shop", "web"):
            mine = [one for one in every if one["metadata"]["name"].startswith(prefix.replace("NAME", app))]
            of = {one["kind"]: one for one in mine if app in str(one)}
            pod = pod_template(of["Deployment"])
            assert pod["spec"]["serviceAccountName"] == of["ServiceAccount"]["metadata"]["name"]
            assert of["ServiceAccount"]["metadata"]["annotations"] == {
                "azure.workload.identity/client-id": f"client-of-{app}"
            }
            (variables,) = pod["spec"]["initContainers"][0]["envFrom"]
            assert variables["configMapRef"]["name"] == of["ConfigMap"]["metadata"]["name"]
            assert of["ConfigMap"]["data"] == {"AKVSYNC_VAULT": f"{app}-kv"}
            assert of["NetworkPolicy"]["spec"]["podSelector"] == {"matchLabels": {"app": app}}


@pytest.mark.parametrize("images", [None, "registry.example/akvsync", "localhost:5000/akvsync"])
def test_the_version_stands_in_one_place(tmp_path, images):
    """A user names the registry, and no tag."""
    content = {"images": [{"name": "akvsync", "newName": images}]} if images else {}
    (document,) = of_kind(render(tmp_path, workload("Pod", CHOSEN), components=VARIANTS[:1], **content), "Pod")
    assert document["spec"]["initContainers"][0]["image"] == f"{images or 'akvsync'}:{VERSION}"
    texts = [*MANIFESTS.rglob("*.yaml"), *ROOT.glob("docs/*.md")]
    assert [file.name for file in texts if VERSION in file.read_text()] == ["image.yaml"]


def test_patches_of_a_variant_have_no_comments():
    """Kustomize cannot put a comment into a workload that is written as JSON."""
    for file in MANIFESTS.glob("components/*/*.yaml"):
        texts = [file.read_text()]
        if file.name == "kustomization.yaml":
            texts = [one.get("patch", "") for one in yaml.safe_load(texts[0]).get("patches", [])]
        assert not any("#" in text for text in texts), file


def folded(text):
    """A patch of any depth as what it does to the pod."""
    patch = yaml.safe_load(text)
    if isinstance(patch, dict):
        pod = pod_template(patch)
        metadata = {key: value for key, value in pod.get("metadata", {}).items() if key != "name"}
        metadata.get("labels", {}).pop("akvsync.io/variant", None)
        return {"metadata": {key: value for key, value in metadata.items() if value}, "spec": pod["spec"]}
    return [one | {"path": re.sub("^/spec(/jobTemplate/spec)?(/template/spec)?", "", one["path"])} for one in patch]


@pytest.mark.parametrize("component", COMPONENTS)
def test_all_patches_say_the_same_at_each_depth(component):
    """Kustomize wants the pod's part once for each depth; none may be forgotten in a change."""
    folder = MANIFESTS / component
    content = yaml.safe_load((folder / "kustomization.yaml").read_text())
    said = {}
    for one in content.get("patches", []):
        text = one.get("patch") or (folder / one["path"]).read_text()
        for kind in KINDS.keys() & set(one["target"]["kind"].split("|")):
            said.setdefault(kind, []).append(folded(text))
    classes = (("Deployment", "StatefulSet", "DaemonSet", "Pod"), ("Job", "CronJob"))
    for kinds in classes:
        assert all(said.get(kind) == said.get(kinds[0]) for kind in kinds)
    if component.rpartition("/")[2] not in VARIANTS + ("http-probes",):
        assert said.get("Job") == said.get("Pod")


@pytest.mark.parametrize("variant", VARIANTS)
def test_probes_are_few(variant):
    """A command in a container costs the node's container runtime far more than akvsync itself. The startup probe
    gates what a readiness probe would; its period is short, since it ends, yet spares the kubelet's few events."""
    said = [
        container
        for file in (MANIFESTS / "components" / variant).glob("*.yaml")
        for container in probed(yaml.safe_load(file.read_text()))
    ]
    assert said
    for container in said:
        assert not container.get("readinessProbe")
        assert 2 <= container["startupProbe"]["periodSeconds"] <= 3
        assert container["livenessProbe"]["periodSeconds"] >= 120


def probed(what):
    """All in a document that has probes."""
    if isinstance(what, dict):
        if "livenessProbe" in what:
            yield what
        what = list(what.values())
    if isinstance(what, list):
        for one in what:
            yield from probed(one)


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
    for container in containers(pod):
        assert container["securityContext"].get("readOnlyRootFilesystem") is True, container["name"]


@pytest.mark.parametrize("entry", [*EXAMPLES, "local"])
def test_examples_are_restricted(entry):
    for document in documents(kubectl("kustomize", str(MANIFESTS / entry))):
        if document["kind"] in KINDS:
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


def blocks(page):
    """The YAML of a page, by the name in each block's first line."""
    found = re.findall(r"^```yaml\n# ([^\n]*)\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    return {name: yaml.safe_load(text) for name, text in found}


def within(part, whole):
    """Whether all that a part says is said by the whole; lists of a part are the first of a whole's."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and within(part[key], whole[key]) for key in part)
    if isinstance(part, list):
        return len(part) <= len(whole) and all(map(within, part, whole))
    return part == whole


def test_the_docs_show_the_nginx_of_the_examples():
    """Which the pods of the tests run."""
    folder = MANIFESTS / "examples/nginx-certificate"
    said = blocks("docs/kubernetes.md")
    example = {name: yaml.safe_load((folder / name).read_text()) for name in ("kustomization.yaml", "deployment.yaml")}
    shown = json.loads(json.dumps(said["kustomization.yaml"]).replace("akvsync/manifests/", "../../"))
    assert shown.pop("images") == [{"name": "akvsync", "newName": "registry.example/akvsync"}]
    assert shown | {"apiVersion": None, "kind": None} == example["kustomization.yaml"] | {"apiVersion": None, "kind": None}
    assert said["service-account.yaml"] == yaml.safe_load((folder / "service-account.yaml").read_text())
    assert within(said["deployment.yaml, in part"], example["deployment.yaml"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pasted_secretproviderclass_is_mounted_as_the_docs_say(schema, tmp_path, variant):
    said = blocks("docs/migrate-from-csi.md")
    own_manifests(tmp_path / "akvsync", variant)
    after = said["after"]
    one = workload("Deployment", after["metadata"]["labels"])
    one["spec"]["template"]["spec"] = after["spec"]
    (tmp_path / "deployment.yaml").write_text(yaml.safe_dump(one))
    (tmp_path / "secretproviderclass.yaml").write_text("kind: SecretProviderClass\n")
    content = json.loads(json.dumps(said["kustomization.yaml"]).replace("native-sidecar", variant))
    rendered = kustomize(tmp_path, **content)
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    (document,) = of_kind(rendered, "Deployment")
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind(rendered, "ConfigMap")}
    spec = pod_spec(document)
    (sources,) = [v["projected"]["sources"] for v in spec["volumes"] if v["name"] == "akvsync-config"]
    assert maps[sources[0]["configMap"]["name"]] == {"config.yaml": "kind: SecretProviderClass\n"}
    ours = next(c for c in containers(spec) if c["name"] == "akvsync")
    variables = maps[ours["envFrom"][0]["configMapRef"]["name"]]
    assert variables == {"AKVSYNC_POLL_INTERVAL": "2m", "AKVSYNC_CONFIG": "/etc/akvsync/config.yaml"}
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/mnt/secrets-store"
    before = next(c for c in said["before"]["spec"]["containers"])
    assert before["volumeMounts"][0]["mountPath"] == "/mnt/secrets-store"


@pytest.mark.parametrize("folder", ["service-account", "network-policy"])
def test_a_folder_of_its_own_may_be_used_from_outside(tmp_path, folder):
    own_manifests(tmp_path, "native-sidecar")
    (document,) = documents(kustomize(tmp_path, resources=[f"manifests/{folder}"]))
    assert document["metadata"]["name"] == "akvsync"
