"""Workloads that kustomize renders with the components, and the check of what comes of them."""

import json
import subprocess

import podsecurity
import yaml
from conftest import ROOT, TIMEOUT_S, kustomize, own_manifests

MANIFESTS = ROOT / "manifests"
FOLDERS = {file.parent.relative_to(MANIFESTS): file.read_text() for file in MANIFESTS.rglob("kustomization.yaml")}
COMPONENTS = sorted(str(folder) for folder, text in FOLDERS.items() if "kind: Component" in text)
ENTRIES = sorted({str(folder) for folder in FOLDERS} - {*COMPONENTS, "version"})
EXAMPLES = [entry for entry in ENTRIES if entry.startswith("examples/")]
VARIANTS = ("native-sidecar", "classic")


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


def assert_restricted(pod):
    """The standard, and a root file system that nobody writes to, which it does not ask for."""
    assert not podsecurity.refused(pod)
    for container in containers(pod):
        assert container["securityContext"].get("readOnlyRootFilesystem") is True, container["name"]
