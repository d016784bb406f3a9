"""The operator's walk: each of the ten likeliest pages of docs/operate.md is brought about in a real pod.

The pod then says the page's line wherever somebody who is paged would look: `kubectl describe`, `kubectl logs` and
`akvsync status`; and the page's alerts fire, and no others: those of manifests/monitoring, in a real Prometheus.
"""

import contextlib
import re
import select
import subprocess
import time
from dataclasses import dataclass, field
from typing import Callable

import pytest
import yaml
from conftest import CLIENT, TIMEOUT_S, patch, plant, wait_for
from monitoring.prometheus import MISSING, Prometheus
from runbook import anchor, entries, section
from test_pods import one_replica

PORT = 8087
POD = "shop-0"
POLL_S = 2
FIREWALL = {
    "code": "Forbidden",
    "message": "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n"
    "Caller: appid=22222222\r\nVault: shop-kv;location=westeurope",
    "innererror": {"code": "ForbiddenByFirewall"},
}


def shop_patch(operation, path, **value):
    return patch("StatefulSet", {"op": operation, "path": f"/spec/template/spec/{path}"} | value, name="shop")


def no_role(vault, name):
    vault.revoke("get", identity=CLIENT["AZURE_CLIENT_ID"], name=name)


def refused_by_firewall(vault, name):
    answer = {"status": 403, "json": {"error": FIREWALL}}
    vault.fault(answer, target="vault", path=f"/secrets/{name}*", times=-1)


def throttled(vault, name):
    vault.fault({"status": 429, "retry_after_s": 1}, target="vault", path=f"/secrets/{name}*", times=-1)


def expired(vault, name):
    vault.update(name, exp=int(time.time()) - 86400)


@dataclass
class Fault:
    """What brings a page about. The pod wants one secret, as the file "db"."""

    told: tuple
    """What the texts of the alerts have: the thing, its cause and the fix."""
    variables: dict = field(default_factory=dict)
    patches: tuple = ()
    before: Callable = plant
    """What to do with the secret before the pod is there,"""
    later: Callable | None = None
    """and once its app runs. None: the app does not start."""
    ends: bool = False
    """The container ends at once, with exit code 3, whichever the form."""


DOWN = ("POD", "describe pod", "last state")
"""Where no sidecar runs, nobody but the pod's description knows more."""
FAULTS = {
    "The configuration has a mistake": Fault(DOWN, variables={"AKVSYNC_POLL_INTERVAL": "5"}, ends=True),
    "The pod has no workload identity": Fault(
        DOWN,
        variables={"AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": "", "AZURE_FEDERATED_TOKEN_FILE": ""},
        ends=True,
    ),
    "The federated credential does not fit": Fault(
        ("Entra refuses the identity", "correct the client id or the federated credential", "object 'db'"),
        patches=(shop_patch("replace", "serviceAccountName", value="default"),),
    ),
    "The identity has no role": Fault(
        ("object 'db'", "has no role", "grant the role"),
        before=lambda vault, name: (plant(vault, name), no_role(vault, name)),
    ),
    "An object is not there": Fault(
        ("object 'db'", "does not exist in the vault", "correct its name"), before=lambda vault, name: None
    ),
    "The vault cannot be reached": Fault(
        ("vault 'shop-kb' (unavailable)", "the network between it and the pod"),
        variables={"AKVSYNC_VAULT": "https://shop-kb.vault.svc.cluster.local"},
    ),
    "The vault's firewall refuses": Fault(
        ("object 'db'", "the firewall of the vault does not admit", "admit the address"), later=refused_by_firewall
    ),
    "The vault throttles": Fault(
        ("Vault 'shop-kv' refuses", "more requests than the vault's limit", "lengthen AKVSYNC_POLL_INTERVAL"),
        later=throttled,
    ),
    "An object has expired": Fault(("NAME", "has expired", "make a new version"), later=expired),
    "The app is not notified": Fault(
        ("signal=HUP,process=shop", "is not there", "correct AKVSYNC_NOTIFY"),
        patches=(shop_patch("remove", "shareProcessNamespace"),),
        later=plant,
    ),
}


def readiness(variant):
    """The variables and the patches by which a pod leaves its Service, as the page shows them."""
    page = section("A pod that runs is left in service")
    text = re.search(r"^```yaml\n(# kustomization.yaml, in part: readiness\n.*?)^```", page, re.M | re.S)[1]
    if variant == "classic":
        text = text.replace("initContainers: # containers, in the classic form", "containers:")
    shown = yaml.safe_load(text.replace("periodSeconds: 30", "periodSeconds: 3"))  # of few events, some have the cause
    (one,) = shown["configMapGenerator"]
    return dict(literal.split("=") for literal in one["literals"]), shown["patches"]


@contextlib.contextmanager
def proxy():
    """A port of this machine that leads to the API server, and by it to each pod, whatever the network is like."""
    with subprocess.Popen(["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert select.select([process.stdout], [], [], TIMEOUT_S)[0], "kubectl proxy says nothing"
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()


@contextlib.contextmanager
def watched(place):
    """A Prometheus that scrapes the pod. Its alerts fire at once: docs/monitoring.md says how long they really wait."""
    if MISSING:
        yield None
        return
    with proxy() as port:
        path = f"/api/v1/namespaces/{place.name}/pods/{POD}:{PORT}/proxy/metrics"
        labels = {"__metrics_path__": path, "instance": f"{POD}:{PORT}", "namespace": place.name, "pod": POD}
        with Prometheus(place.folder / "prometheus", [(port, labels)]) as server:
            yield server


@dataclass
class Walk:
    """One pod, and the page that it is to make."""

    place: object
    entry: object
    fault: Fault
    container: str
    """Which says the line; the sidecar runs where that is the sidecar."""
    where: str

    def sees(self, what, look, told):
        """Waits until one who looks is told."""
        try:
            return wait_for(f"'{self.entry.line}' in {what} of {self.place.name}", lambda: told(look()))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{look()}\n{self.place.describe()}") from None

    def description(self):
        return self.place.kubectl("describe", "pod", POD)

    def in_the_description(self):
        if self.where == "status":
            assert not self.entry.says.search(self.description())
            return
        before = {
            "message": r"Last State: +Terminated\n +Reason: +Error\n +Message: +",
            "startup": r"Startup probe failed: akvsync: ",
            "readiness": r"Readiness probe failed: akvsync: .*",
        }[self.where]
        self.sees("the description", self.description, re.compile(before + self.entry.says.pattern).search)
        if self.where == "message":
            assert re.search(rf"Exit Code: +{3 if self.fault.ends else '[456]'}\n", self.description())

    def in_the_log(self):
        """As the whole message of a line."""
        look = lambda: [one["msg"] for one in self.place.events(self.container)]  # noqa: E731
        self.sees("the log", look, lambda messages: any(map(self.entry.says.fullmatch, messages)))

    def in_the_status(self):
        look = lambda: self.place.exec("akvsync", "/akvsync", "status", check=False).stdout  # noqa: E731
        told = self.sees("the status", look, self.entry.says.search)
        assert told.string.startswith("akvsync ")

    def in_the_alerts(self, server, alerts):
        """These fire, and no others, also when what fails has failed for longer than AkvsyncStale waits."""
        age = f"time() - akvsync_failing_since_timestamp_seconds > {3 * POLL_S + 2}"
        if alerts != {"AkvsyncDown"}:
            self.sees("Prometheus", lambda: server.now(age), bool)
        names = lambda found: {labels["alertname"] for labels, _ in found}  # noqa: E731
        fired = self.sees("the alerts", server.alerts, lambda found: names(found) == alerts and found)
        texts = " ".join(f"{one['summary']} {one['description']}" for _, one in fired)
        for word in DOWN if alerts == {"AkvsyncDown"} else self.fault.told:
            assert word.replace("POD", POD).replace("NAME", f"{self.place.name}-db") in texts, texts


def deploy(place, variant, entry, fault, name):
    variables = {
        "AKVSYNC_OBJECTS": f"{name}=db",
        "AKVSYNC_POLL_INTERVAL": f"{POLL_S}s",
        "AKVSYNC_INIT_TIMEOUT": "15s",
        "AKVSYNC_NOTIFY_SPLAY": "0s",
    } | fault.variables
    patches = [one_replica("shop"), *fault.patches]
    if entry.where == "readiness":
        more, ready = readiness(variant)
        variables |= {one: f"{3 * POLL_S}s" for one in more}
        patches += ready
    place.deploy("statefulset", variant, components=["metrics"], patches=patches, **variables)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: anchor(entry.title))
def test_page(vault, place, variant, entry):
    fault, name = FAULTS[entry.title], f"{place.name}-db"
    fault.before(vault, name)
    deploy(place, variant, entry, fault, name)
    runs = fault.later or (variant == "native-sidecar" and not fault.ends)
    init = variant == "classic" and not fault.later
    walk = Walk(place, entry, fault, "akvsync-init" if init else "akvsync", "message" if init else entry.where)
    with watched(place) as server:
        if fault.later:
            place.wait_ready()
            fault.later(vault, name)
        walk.in_the_description()
        walk.in_the_log()
        if runs:
            walk.in_the_status()
        if server is None:
            print(f"no alerts are looked at: {MISSING}")
        else:
            walk.in_the_alerts(server, entry.alerts if runs else {"AkvsyncDown"})


def test_each_page_is_brought_about():
    assert [entry.title for entry in entries()] == list(FAULTS)
