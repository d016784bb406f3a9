"""The ten likeliest pages of docs/operate.md: the program prints each line as it stands there, and each page is whole.

tests/pod/test_operate.py brings them about in real pods, and looks at the alerts as well.
"""

import os
import re
import signal
import time

import pytest
from conftest import wait_until
from test_health import ask

from pod.runbook import PAGE, anchor, entries, section

ENTRIES = entries()
FIREWALL = {
    "code": "Forbidden",
    "message": "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n",
    "innererror": {"code": "ForbiddenByFirewall"},
}
ALONE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
"""A container that shares its processes with no other one."""
NO_IDENTITY = {name: "" for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")}
VARIABLES = {
    "The configuration has a mistake": {"AKVSYNC_POLL_INTERVAL": "5"},
    "The pod has no workload identity": NO_IDENTITY | {"KUBERNETES_SERVICE_HOST": "10.0.0.1"},
    "The vault cannot be reached": {"AKVSYNC_VAULT": "https://shop-kv.invalid"},
    "The app is not notified": {"AKVSYNC_NOTIFY": "signal=HUP,process=shop"},
}
BEFORE = {
    "The federated credential does not fit": lambda fake: fake.write_assertion("wrong-subject"),
    "The identity has no role": lambda fake: fake.revoke("get", name="db"),
    "An object is not there": lambda fake: (fake.vault_settings(settle_s=0), fake.delete("db")),
    "The vault's firewall refuses": lambda fake: fake.fault(
        {"status": 403, "json": {"error": FIREWALL}}, target="vault", authenticated=True, times=-1
    ),
    "The vault throttles": lambda fake: fake.fault({"status": 429}, target="vault", authenticated=True, times=-1),
    "An object has expired": lambda fake: fake.update("db", exp=int(time.time()) - 86400),
}


def start(world, title):
    return world.sidecar("db", wait=False, **VARIABLES.get(title, {}))


def start_alone(world, title):
    """Signals go to no process outside."""
    if os.geteuid():
        pytest.skip("a namespace for processes needs root")
    sidecar = world.sidecar("db", wrapper=ALONE, **VARIABLES[title])
    world.plant("db")
    assert ask(world, "refresh").returncode == 0
    return sidecar


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: anchor(entry.title))
def test_the_line_is_what_the_program_prints(world, entry):
    world.plant("db")
    BEFORE.get(entry.title, lambda fake: None)(world.fake)
    alone = entry.title == "The app is not notified"
    sidecar = (start_alone if alone else start)(world, entry.title)
    assert wait_until(lambda: any(entry.says.fullmatch(one["msg"]) for one in sidecar.entries)), sidecar.text
    sidecar.stop(signal.SIGKILL if alone else signal.SIGTERM)  # unshare itself ignores SIGTERM


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: anchor(entry.title))
def test_a_page_is_whole(entry):
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", section(entry.title), re.M) == ["Cause", "Fix", "Mended"]
    first = ".+".join(map(re.escape, entry.hints[0].split("…")))
    assert re.search(first, entry.line), "the table knows it by the line"
    others = [one for one in ENTRIES if one is not entry and re.search(first, one.line)]
    assert not others, "and takes no other for it"
    for hint in entry.hints[1:]:
        assert hint in section(entry.title)


def test_the_pages_stand_first():
    assert len(ENTRIES) == 10
    sections = re.findall(r"^## (.*)$", PAGE, re.M)
    assert sections[:2] == ["The ten likeliest pages", "The alerts"]
    parts = re.findall(r"^### (.*)$", PAGE.partition("\n## The alerts")[0], re.M)
    assert parts == [*(entry.title for entry in ENTRIES), "A pod that runs is left in service"]
