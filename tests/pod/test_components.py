"""The components change the workloads that they are meant for, however these are written, and nothing else."""

import copy
import json
import re

import pytest
import yaml
from conftest import ROOT, VERSION, kustomize, own_manifests
from rendered import (
    CHOSEN,
    COMPONENTS,
    KINDS,
    MANIFESTS,
    SPELLINGS,
    VARIANTS,
    assert_restricted,
    check,
    containers,
    documents,
    of_kind,
    pod_spec,
    pod_template,
    render,
    workload,
)

ADD_ONS = ("pod-defaults", "signal", "projected-token", "config-file", "http-probes", "metrics", "scrape-annotations",
           "kubernetes-secrets")


OF_EACH_CONTAINER = ("config-file", "http-probes", "metrics", "kubernetes-secrets")
"""Which say something of akvsync-init, too, where there is one."""


def ours_expected(variant, kind):
    """Containers of ours, by name, in their order."""
    batch = kind in ("Job", "CronJob")
    if variant == "classic":
        return ["akvsync-init"] if batch else ["akvsync-init", "akvsync"]
    return ["akvsync-init", "akvsync"] if batch else ["akvsync"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_components_fit_any_workload(schema, tmp_path, variant, spelling):
    own_init = {"initContainers": [{"name": "migrate", "image": "app"}]}
    every = [workload(kind, CHOSEN, **own_init) for kind in KINDS]
    rendered = render(tmp_path, *every, components=[variant, *ADD_ONS], spelling=spelling)
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    (variables,) = of_kind(rendered, "ConfigMap")
    assert variables["data"] == {"AKVSYNC_VAULT": "shop-kv"}
    for kind in KINDS:
        (document,) = of_kind(rendered, kind)
        assert_fits(pod_spec(document), ours_expected(variant, kind), variables["metadata"]["name"])


def assert_fits(spec, expected, variables):
    """That a pod has our containers, and its own where they were."""
    ours = [c for c in containers(spec) if c["image"].startswith("akvsync:")]
    assert [container["name"] for container in ours] == expected
    assert [c["name"] for c in spec["initContainers"]][-1] == "migrate", "which finds the files"
    assert spec["containers"][0]["name"] == "app", "whose log and shell kubectl takes"
    assert spec["containers"][0]["volumeMounts"] == [{"name": "akvsync", "mountPath": "/secrets"}]
    assert spec["shareProcessNamespace"] is True
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["akvsync"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "8Mi"}
    sources = volumes["akvsync-config"]["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["configMap", "serviceAccountToken"]
    sources = volumes["akvsync-kubernetes"]["projected"]["sources"]
    assert [next(iter(source)) for source in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]
    assert "audience" not in sources[0]["serviceAccountToken"], "the API server's own is the default"
    holders = [c["name"] for c in containers(spec) if "akvsync-kubernetes" in [m["name"] for m in c.get("volumeMounts", [])]]
    assert holders == expected, "the token is for ours alone"
    for container in ours:
        assert container["envFrom"] == [{"configMapRef": {"name": variables}}]
        added = values(container)
        assert added.pop("AKVSYNC_CONFIG") == "/etc/akvsync/config.yaml"
        assert added.pop("AKVSYNC_KUBERNETES_SECRETS") == "true"
        assert {"POD_NAME", "POD_UID"} <= {one["name"] for one in container["env"] if "valueFrom" in one}
        if container["name"] == "akvsync":
            assert added.pop("AKVSYNC_LISTEN") == ":8087"
            assert container["ports"] == [{"name": "akvsync", "containerPort": 8087}]
            for name in ("startup", "liveness"):
                assert container[f"{name}Probe"].keys() & {"exec", "httpGet"} == {"httpGet"}
        assert added == {}


def values(container):
    """The variables of a container whose values stand there."""
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_component_of_the_users_may_stand_between(tmp_path, variant):
    """One that adds containers of its own before and behind ours: these get none of our probes and variables."""
    early = {"initContainers": [{"name": "early", "image": "app"}]}
    between = own_manifests(tmp_path, variant) / "between"
    between.mkdir()
    late = [{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "late", "image": "app"}}]
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    kustomization["patches"] = [
        {"target": {"kind": "Deployment"}, "patch": json.dumps(one)} for one in (workload("Deployment", **early), late)
    ]
    (between / "kustomization.yaml").write_text(json.dumps(kustomization))
    components = [variant, "../../between", "config-file", "http-probes"]
    rendered = render(tmp_path, workload("Deployment", CHOSEN), components=components)
    spec = pod_spec(of_kind(rendered, "Deployment")[0])
    for container in containers(spec):
        if container["name"] in ("app", "early", "late"):
            assert not container.keys() & {"env", "startupProbe", "livenessProbe"}, container["name"]
    ours = next(one for one in containers(spec) if one["name"] == "akvsync")
    assert "httpGet" in ours["startupProbe"]
    assert values(ours) == {"AKVSYNC_CONFIG": "/etc/akvsync/config.yaml", "AKVSYNC_LISTEN": ":8087"}
    assert spec["initContainers"][0]["name"].startswith("akvsync")
    assert spec["containers"][0]["name"] == "app"


@pytest.mark.parametrize("component", COMPONENTS)
def test_components_do_without_what_older_kustomizes_cannot(component):
    """In kustomize 5.0, that of kubectl 1.30, a component cannot change a ConfigMap that the user's kustomization
    generates, and an index from the end of a list is no more than a place to add to."""
    folder = MANIFESTS / component
    assert "Generator" not in (folder / "kustomization.yaml").read_text()
    assert not [file for file in folder.glob("*.yaml") if "/-1" in file.read_text()]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_prometheus_looks_for_is_there(schema, tmp_path, variant):
    """The PodMonitor finds each sidecar by a label and a port, the plain configuration by annotations."""
    every = [workload(kind, CHOSEN) for kind in KINDS]
    rendered = render(tmp_path, *every, components=[variant, "metrics", "scrape-annotations"])
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    monitor = yaml.safe_load((MANIFESTS / "monitoring/pod-monitor.yaml").read_text())["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    for document in of_kind(rendered, *KINDS):
        made = pod_template(document)
        ports = {c["name"]: c["ports"] for c in containers(made["spec"]) if "ports" in c}
        annotations = made["metadata"].get("annotations", {})
        if variant == "classic" and document["kind"] in ("Job", "CronJob"):
            assert not ports and not annotations, "it has no sidecar there"
            continue
        assert monitor["selector"]["matchLabels"].items() <= made["metadata"]["labels"].items()
        assert ports == {"akvsync": [{"name": endpoint["port"], "containerPort": 8087}]}
        sidecar = next(c for c in containers(made["spec"]) if c["name"] == "akvsync")
        assert values(sidecar) == {"AKVSYNC_LISTEN": ":8087"}
        assert "exec" in sidecar["livenessProbe"], "probes stay as they are"
        scrape = {"scrape": "true", "port": "8087", "path": endpoint["path"]}
        assert annotations == {f"prometheus.io/{name}": value for name, value in scrape.items()}
        assert made["spec"]["containers"][0]["name"] == "app"


CROWDED = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: { kind: KIND }
  patch: |-
    - { op: add, path: POD/initContainers/0, value: { name: mesh-init, image: mesh } }
    - { op: add, path: POD/containers/-, value: { name: mesh, image: mesh } }
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_probes_over_http_come_to_no_other_container(tmp_path, variant, kind):
    """Wherever another component puts containers of its own, before or behind."""
    if variant == "classic" and kind in ("Job", "CronJob"):
        pytest.skip("it has no sidecar there")
    own_manifests(tmp_path, variant)
    path = {"Pod": "/spec", "CronJob": "/spec/jobTemplate/spec/template/spec"}.get(kind, "/spec/template/spec")
    mesh = tmp_path / "manifests/components/mesh"
    mesh.mkdir()
    (mesh / "kustomization.yaml").write_text(CROWDED.replace("KIND", kind).replace("POD", path))
    one = workload(kind, CHOSEN)
    for components in ([variant, "mesh", "http-probes"], [variant, "http-probes", "mesh"]):
        (document,) = of_kind(render(tmp_path, one, components=components), kind)
        assert [c["name"] for c in containers(pod_spec(document)) if "httpGet" in str(c)] == ["akvsync"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_program_is_put_into_the_pod(schema, tmp_path, variant):
    """For `exec`: by a restricted container that needs neither the variables nor the files."""
    every = [workload(kind, labels) for kind in KINDS for labels in (CHOSEN, {})]
    for number, one in enumerate(every):
        one["metadata"]["name"] = f"x-{number}"
    rendered = render(tmp_path, *every, components=[variant, "exec", "pod-defaults"])
    assert check(schema, rendered).returncode == 0
    for document in of_kind(rendered, *KINDS):
        spec = pod_spec(document)
        found = [c for c in spec.get("initContainers", []) if c["name"] == "akvsync-install"]
        assert len(found) == ("akvsync.io/inject" in document["metadata"]["labels"])
        for container in found:
            assert container["image"] == f"akvsync:{VERSION}" and container["args"] == ["install", "/opt/akvsync"]
            assert container["volumeMounts"] == [{"name": "akvsync-exec", "mountPath": "/opt/akvsync"}]
            assert "restartPolicy" not in container and "env" not in container and "envFrom" not in container
            assert {"name": "akvsync-exec", "emptyDir": {"sizeLimit": "16Mi"}} in spec["volumes"]
            assert_restricted({"containers": [container], "securityContext": spec["securityContext"]})


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_label_chooses(tmp_path, variant):
    """All else in the kustomization stays as it is, also what has the label with another value."""
    others = [workload(kind, labels) for kind in KINDS for labels in ({}, {"akvsync.io/inject": "false"})]
    for number, one in enumerate(others):
        one["metadata"]["name"] = f"other-{number}"
    chosen = [workload(kind, CHOSEN) for kind in KINDS]
    rendered = render(tmp_path, *others, *chosen, components=[variant, *ADD_ONS])
    found = {(one["kind"], one["metadata"]["name"]): one for one in of_kind(rendered, *KINDS)}
    assert all("akvsync-config" in str(found[kind, "x"]) for kind in KINDS)
    assert [found[one["kind"], one["metadata"]["name"]] for one in others] == others


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_the_pod_sets_is_kept(tmp_path, variant):
    """Such as the uid of PostgreSQL's image. Our containers are restricted by what they say themselves."""
    pod = {
        "securityContext": {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999, "runAsNonRoot": True},
        "enableServiceLinks": True,
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "data", "emptyDir": {}}],
    }
    annotations = {"kubectl.kubernetes.io/default-container": "db"}
    every = [workload(kind, CHOSEN, **copy.deepcopy(pod)) for kind in KINDS]
    for one in every:
        pod_template(one)["metadata"]["annotations"] = dict(annotations)
    rendered = render(tmp_path, *every, components=[variant, "signal"])
    for kind in KINDS:
        (document,) = of_kind(rendered, kind)
        made = pod_template(document)
        for name in ("securityContext", "enableServiceLinks", "restartPolicy"):
            assert made["spec"][name] == pod[name]
        assert pod["volumes"][0] in made["spec"]["volumes"]
        assert made["metadata"]["annotations"] == annotations
        assert made["metadata"]["labels"]["app"] == "x"
        assert_restricted({"containers": [c for c in containers(made["spec"]) if c["name"] != "app"]})


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
        return {"metadata": {key: value for key, value in metadata.items() if value}, "spec": pod.get("spec", {})}
    places = [{key: one[key] for key in ("path", "from") if key in one} for one in patch]
    shallow = [{key: re.sub("^/spec(/jobTemplate/spec)?(/template/spec)?", "", place[key]) for key in place} for place in places]
    return [one | place for one, place in zip(patch, shallow, strict=True)]


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
    if component.rpartition("/")[2] not in (*VARIANTS, *OF_EACH_CONTAINER):
        assert said.get("Job") == said.get("Pod")


EVENTS_OF_A_POD = 25
"""So many at once, then one in five minutes, is what a kubelet tells of a pod."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_probes_are_few(variant):
    """A command in a container costs the node's container runtime far more than akvsync itself. The startup probe
    gates what a readiness probe would. It waits for a yes, so that the app starts at once, and it fails less often
    than the kubelet has events for a pod: each new cause is shown until the kubelet ends the start."""
    said = [
        container
        for file in (MANIFESTS / "components" / variant).glob("*.yaml")
        for container in probed(yaml.safe_load(file.read_text()))
    ]
    assert said
    for container in said:
        assert not container.get("readinessProbe")
        startup = container["startupProbe"]
        wait = int(startup["exec"]["command"][-1].removesuffix("s"))
        assert startup["exec"]["command"][-3:-1] == ["startup", "--wait"]
        assert startup["periodSeconds"] - 2 <= wait < startup["periodSeconds"] < 10
        assert startup["timeoutSeconds"] >= wait + 5, "a probe that is ended by the kubelet says nothing"
        assert startup["failureThreshold"] < EVENTS_OF_A_POD - 5
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
    pod_template(one).update(after["spec"]["template"])
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
    assert variables | values(ours) == {"AKVSYNC_POLL_INTERVAL": "2m", "AKVSYNC_CONFIG": "/etc/akvsync/config.yaml"}
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/mnt/secrets-store"
    assert pod_template(document)["metadata"]["annotations"] == pod_template(after)["metadata"]["annotations"]
    assert ours["image"] == f"registry.example/akvsync:{VERSION}"
    (before,) = pod_spec(said["before"])["containers"]
    assert before["volumeMounts"][0]["mountPath"] == "/mnt/secrets-store"


def test_monitoring_is_added_as_the_docs_say(schema, tmp_path):
    said = blocks("docs/monitoring.md")
    own_manifests(tmp_path / "akvsync", "native-sidecar")
    part = json.loads(json.dumps(said["kustomization.yaml, in part"]))
    (tmp_path / "app.yaml").write_text(yaml.safe_dump(workload("Deployment", CHOSEN)))
    rendered = kustomize(tmp_path, resources=["app.yaml"], **part)
    (pod,) = [pod_template(one) for one in of_kind(rendered, "Deployment")]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "8087"
    policy = said["network-policy.yaml"]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert policy["ingress"][0]["ports"] == [{"port": pod["spec"]["initContainers"][0]["ports"][0]["containerPort"]}]
    once = said["monitoring/kustomization.yaml"]
    rendered = kustomize(tmp_path, **once)
    told = check(schema, rendered)
    assert told.returncode == 0, told.stdout + told.stderr
    (pairs,) = [one["pairs"] for one in once["labels"]]
    assert {one["kind"] for one in documents(rendered)} == {"PodMonitor", "PrometheusRule", "ConfigMap"}
    for one in documents(rendered):
        assert one["metadata"]["namespace"] == "monitoring" and pairs.items() <= one["metadata"]["labels"].items()
    (rule,) = of_kind(rendered, "PrometheusRule")
    assert rule["spec"]["groups"][0]["rules"][0] | {"annotations": 0, "labels": 0, "expr": 0} == {
        "alert": "AkvsyncStale", "for": "5m", "annotations": 0, "labels": 0, "expr": 0
    }


@pytest.mark.parametrize("folder", ["service-account", "network-policy"])
def test_a_folder_of_its_own_may_be_used_from_outside(tmp_path, folder):
    own_manifests(tmp_path, "native-sidecar")
    (document,) = documents(kustomize(tmp_path, resources=[f"manifests/{folder}"]))
    assert document["metadata"]["name"] == "akvsync"
