"""The shipped manifests on a real cluster, which $KUBECONFIG names. Run by scripts/pod-test.

The fake vault runs as a pod and trusts the cluster's own service account tokens. Each test has a namespace
of its own, in which it deploys an example: the real files of manifests/, with stand-ins for the images of
the apps and the fake vault's addresses for Azure's.
"""

import functools
import hashlib
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from fakevault.admin_client import Admin

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/e2e"))
import landlock  # noqa: E402 pylint: disable=wrong-import-position

WORK = ROOT / "build/pod"
VERSION = re.search(r"newTag: (\S+)", (ROOT / "manifests/version/image.yaml").read_text())[1]
NAMESPACES = [f"pods-{number}" for number in range(56)]
TAKEN = WORK / "taken"
STAND_INS = ("mysql", "busybox", "shop", "nginxinc/nginx-unprivileged", "postgres")
ACCOUNTS = ("mysql", "nginx", "postgres", "report", "shop")
"""The service accounts of the examples."""
CLIENT = {
    "AKVSYNC_VAULT": "https://shop-kv.vault.svc.cluster.local",
    "AKVSYNC_LOG_LEVEL": "debug",
    "AZURE_AUTHORITY_HOST": "https://login.vault.svc.cluster.local/",
    "AZURE_TENANT_ID": "11111111-1111-1111-1111-111111111111",
    "AZURE_CLIENT_ID": "22222222-2222-2222-2222-222222222222",
    "AZURE_FEDERATED_TOKEN_FILE": "/etc/akvsync/azure-identity-token",
    "SSL_CERT_FILE": "/etc/akvsync/ca.pem",
    # The nodes of a cluster that is lent may have another kernel than this machine.
    "AKVSYNC_SANDBOX": "require" if os.environ.get("CLUSTER_NAMES") and landlock.abi() else "on",
}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
"""Which the API server sees to, since 1.23."""
TIMEOUT_S = 120
"""Of whatever a test waits for: far more than it takes, for the machine may be busy."""


def kubectl(*arguments, text=None, check=True, timeout=TIMEOUT_S):
    done = subprocess.run(
        ["kubectl", *arguments], input=text, capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr or done.stdout}")
    return done.stdout if check else done


def wait_for(what, true, timeout=TIMEOUT_S):
    """Waits until true() gives something true, and gives that."""
    end = time.monotonic() + timeout
    while not (found := true()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.2)
    return found


def images():
    return [{"name": name, "newName": "apps", "newTag": "test"} for name in STAND_INS]


@functools.cache
def release():
    """The cluster's, as the number behind "1."."""
    return int(json.loads(kubectl("get", "--raw", "/version"))["minor"].rstrip("+"))


def patch(kind, *operations, **selector):
    return {"target": {"kind": kind} | selector, "patch": json.dumps(operations)}


def kustomize(folder, **content):
    """Writes a kustomization (JSON is YAML); what it renders to."""
    (folder / "kustomization.yaml").write_text(
        json.dumps({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"} | content, indent=1)
    )
    return kubectl("kustomize", str(folder))


def own_manifests(folder, variant):
    """A copy of the manifests whose examples use one variant."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "manifests", folder / "manifests")
    for file in (folder / "manifests/examples").glob("*/kustomization.yaml"):
        file.write_text(file.read_text().replace("native-sidecar", variant))
    return folder


def clean_up_a_lent_cluster(config, rendered):
    """At the end, unless KEEP_PODS=1; and takes none where that would delete what is another's."""
    mine = ("vault", "shop", *NAMESPACES)
    get = ("get", "--ignore-not-found", "-o", "name")
    found = kubectl(*get, "namespaces", *mine) + kubectl(*get, "clusterroles,clusterrolebindings", "fakevault")
    if found := found.split():
        pytest.exit(f"the cluster has {', '.join(found)} already: the tests make and delete these", returncode=1)

    def clean():
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", text=rendered)
        kubectl("delete", "--ignore-not-found", "namespaces", *mine, timeout=5 * TIMEOUT_S)

    if os.environ.get("KEEP_PODS") != "1":
        config.add_cleanup(clean)


def pytest_configure(config):
    """Once, before the workers start: namespaces, the fake vault, the names of its Services."""
    if hasattr(config, "workerinput") or not os.environ.get("KUBECONFIG"):
        return
    shutil.rmtree(TAKEN, ignore_errors=True)
    TAKEN.mkdir(parents=True)
    folder = own_manifests(WORK / "local", "classic")
    # The last one is a namespace that no federated credential knows.
    extra = [f"--subject=system:serviceaccount:{name}:{account}" for name in NAMESPACES[:-1] for account in ACCOUNTS]
    extra += [f"--ca-namespace={name}" for name in NAMESPACES]
    add = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": value} for value in extra]
    rendered = kustomize(
        folder,
        resources=["manifests/local"],
        images=images(),
        patches=[patch("Deployment", *add, name="fakevault")],
    )
    if not os.environ.get("CLUSTER_NAMES"):
        clean_up_a_lent_cluster(config, rendered)
    documents = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}} for name in NAMESPACES
    ]
    kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))
    kubectl("apply", "-f", "-", text=rendered)
    if names := os.environ.get("CLUSTER_NAMES"):  # the cluster has no DNS of its own for Services
        for name in ("login", "shop-kv"):
            address = kubectl("-n", "vault", "get", "service", name, "-o", "jsonpath={.spec.clusterIP}")
            pathlib.Path(names, name).write_text(f"{address} {name}.vault.svc.cluster.local\n")
    kubectl("-n", "vault", "rollout", "status", "deployment/fakevault", "--timeout=120s", timeout=150)


def pytest_terminal_summary(terminalreporter):
    """What tests that passed have measured, which is all that they print."""
    for report in terminalreporter.getreports("passed"):
        for line in report.capstdout.splitlines():
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {line}")


class Forward:
    """A port of this machine that leads to the fake vault's admin interface."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["kubectl", "-n", "vault", "port-forward", "deployment/fakevault", ":8080"],
            stdout=subprocess.PIPE,
            text=True,
        )
        if not select.select([self.process.stdout], [], [], TIMEOUT_S)[0]:
            self.close()
            raise AssertionError("kubectl port-forward says nothing")
        self.port = re.search(r":(\d+) ->", self.process.stdout.readline())[1]

    def close(self):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def schema():
    """The checker, where it is installed; scripts/pod-test has done so, since a cluster has no network for it."""
    built = ROOT / "build/schema"
    command = [ROOT / "tests/npm-install", ROOT / "tests/pod/schema", built]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return built


@pytest.fixture(scope="session")
def vault():
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("needs a cluster: run scripts/pod-test")
    forward = Forward()
    yield Admin(f"http://127.0.0.1:{forward.port}", "shop-kv")
    forward.close()


def events(log, event=None):
    """The lines of JSON in a container's log, perhaps only those of one event."""
    lines = [line for line in log.splitlines() if line.startswith("{")]  # others are the kubelet's own words
    return [entry for entry in map(json.loads, lines) if event in (None, entry["event"])]


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def plant(vault, name, size=0):
    value = f"planted-{os.urandom(12).hex()}".ljust(size, "x")
    vault.set(name, value)
    return value


def rotate(vault, place, name, **options):
    """A new value, for which the sidecar is asked to poll."""
    value = plant(vault, name, **options)
    place.exec("akvsync", "/akvsync", "refresh")
    return value


def down(vault, *names):
    """Every request for these secrets fails as if the vault were down; what ends it."""
    rules = [vault.fault({"status": 503}, target="vault", path=f"/secrets/{name}*", times=-1) for name in names]
    return lambda: [vault.remove_fault(rule) for rule in rules]


class Place:
    """A namespace with one example in it."""

    def __init__(self, name):
        self.name, self.folder = name, WORK / name

    def kubectl(self, *arguments, **options):
        return kubectl("-n", self.name, *arguments, **options)

    def deploy(self, example, variant="classic", patches=(), config=None, components=(), **variables):
        """Applies an example of manifests/examples, perhaps with further components, or a configuration file."""
        components = [*components, *(["config-file"] if config else [])]
        own_manifests(self.folder, variant)
        literals = [f"{name}={value}" for name, value in (CLIENT | variables).items()]
        rendered = kustomize(
            self.folder,
            namespace=self.name,
            resources=[f"manifests/examples/{example}"],
            components=["manifests/local/client", *(f"manifests/components/{one}" for one in components)],
            configMapGenerator=[
                {"name": "akvsync", "behavior": "merge", "literals": literals},
                *([{"name": "akvsync-config", "literals": [f"config.yaml={config}"]}] if config else []),
            ],
            images=images(),
            patches=list(patches),
        )
        if release() < 21:
            rendered = rendered.replace("apiVersion: batch/v1\nkind: CronJob", "apiVersion: batch/v1beta1\nkind: CronJob")
        self.kubectl("apply", "-f", "-", text=rendered)
        return rendered

    def pod(self):
        """The pod, as soon as there is one."""

        def find():
            pods = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
            return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

        return wait_for(f"a pod in {self.name}", find)[0]

    def pod_name(self):
        return self.pod()["metadata"]["name"]

    def wait_ready(self):
        name = self.pod_name()
        done = self.kubectl(
            "wait", f"pod/{name}", "--for=condition=Ready", f"--timeout={TIMEOUT_S}s", check=False, timeout=150
        )
        assert done.returncode == 0, self.describe()
        return name

    def describe(self):
        """All that an operator could look at, for the report of a failure."""
        text = self.kubectl("describe", "pods")
        for container in ("akvsync-init", "akvsync", "app", "postgres"):
            text += f"\n--- {container}\n" + self.logs(container)
        return text

    def logs(self, container, *options):
        return self.kubectl("logs", self.pod_name(), "-c", container, *options, check=False).stdout

    def events(self, container, event=None):
        """What a container said, line by line of JSON."""
        return events(self.logs(container), event)

    def wait_event(self, container, event, true=lambda entry: True):
        """The first such line, as soon as there is one."""

        def find():
            return [entry for entry in self.events(container, event) if true(entry)]

        try:
            return wait_for(f"'{event}' of {container} in {self.name}", find)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.describe()}") from None

    def exec(self, container, *command, check=True):
        return self.kubectl("exec", self.pod_name(), "-c", container, "--", *command, check=check)

    def status(self, container):
        def find():
            status = self.pod()["status"]
            every = status.get("containerStatuses", []) + status.get("initContainerStatuses", [])
            return [one for one in every if one["name"] == container]

        return wait_for(f"the status of {container}", find)[0]

    def close(self):
        if os.environ.get("KEEP_PODS") != "1":
            self.kubectl("delete", "all,serviceaccounts,cronjobs", "--all", "--wait=false", "--grace-period=1")


def take_namespace():
    """One that no other test has, of whichever worker."""
    for name in NAMESPACES[:-1]:
        try:
            (TAKEN / name).touch(exist_ok=False)
            return name
        except FileExistsError:
            continue
    raise AssertionError("there are more tests than namespaces")


@pytest.fixture
def place(vault):  # pylint: disable=unused-argument
    made = Place(take_namespace())
    yield made
    made.close()


@pytest.fixture
def stranger(vault):  # pylint: disable=unused-argument
    """A place whose service account Entra does not know."""
    made = Place(NAMESPACES[-1])
    yield made
    made.close()


@pytest.fixture
def variant(vault):  # pylint: disable=unused-argument
    return "native-sidecar" if release() >= 29 else "classic"


def need(minor, feature):
    """Skips the test on a cluster that is too old for it."""
    if release() < minor:
        pytest.skip(f"{feature} from Kubernetes 1.{minor} on, this is 1.{release()}: KUBERNETES may name a newer one")


@pytest.fixture(scope="session")
def native():
    """Only where the cluster has native sidecars."""
    need(29, "native sidecars work")
