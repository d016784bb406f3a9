"""Objects that expired, are not valid yet or are disabled: written as by the CSI provider, with a warning for each."""

import json
import subprocess
import time

import pki
import pytest
from conftest import BINARY, wait_until
from test_formats import P12, PEM_TYPE, as_is, cert, jwk, pem, pfx

PAST, FUTURE = 1_600_000_000, 4_102_444_800


def told(process, name, since=0):
    """What was said of the object: warnings, each with what it is about."""
    return process.find("not-valid", f"'{name}'", since=since)


def poll(sidecar):
    since = sidecar.mark()
    sidecar.poll()
    assert wait_until(lambda: sidecar.find("unchanged", since=since) or sidecar.find("published", since=since))
    return since


SECRETS = {
    "expired": ({"exp": PAST}, "secret 's' of vault '.*' expired on 2020-09-13T12:26:40Z; set a new version, or correct"),
    "early": ({"nbf": FUTURE}, "secret 's' of vault '.*' is not valid before 2100-01-01T00:00:00Z; wait, ask for an earlier"),
    "both": ({"nbf": PAST - 1, "exp": PAST}, "expired on 2020-09-13"),
    "fine": ({"nbf": PAST, "exp": FUTURE}, None),
    "neither": ({}, None),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret(world, name):
    properties, says = SECRETS[name]
    world.fake.set("s", "planted-value-of-s", **properties)
    process = world.init("s=a/s")
    assert process.code == 0 and world.files() == {"a/s": "planted-value-of-s"}
    found = told(process, "s")
    assert len(found) == (1 if says else 0)
    if says:
        assert process.find("not-valid", says), found
        assert (found[0]["level"], found[0]["what"], found[0]["kind"]) == ("warn", "a/s", "validity")
        assert found[0]["consequence"] == "its files are made all the same"


def test_it_is_told_once_when_it_begins_and_when_it_ends(world):
    world.plant("s", "t")
    world.fake.update("t", exp=PAST)
    sidecar = world.sidecar("s, t")
    assert len(told(sidecar, "t")) == 1 and not told(sidecar, "s")
    for _ in range(3):
        poll(sidecar)
    assert len(told(sidecar, "t")) == 1
    world.fake.update("t", exp=FUTURE)
    poll(sidecar)
    sidecar.wait_log("valid", "t is valid, after 4 rounds", what="t")


def test_an_object_that_expires_while_it_is_served(world):
    """The next poll says so."""
    world.plant("s")
    end = int(time.time()) + 3
    world.fake.update("s", exp=end)
    sidecar = world.sidecar("s")
    assert not told(sidecar, "s")
    assert wait_until(lambda: time.time() > end)
    poll(sidecar)
    sidecar.wait_log("not-valid", "secret 's' of vault '.*' expired on")


def test_a_vault_that_does_not_answer_says_nothing_of_it(world):
    world.plant("s")
    world.fake.update("s", exp=PAST)
    sidecar = world.sidecar("s", AKVSYNC_REQUEST_TIMEOUT="500ms")
    world.fake.fault({"status": 503}, target="vault", times=1000)
    sidecar.poll()
    sidecar.wait_log("failure", kind="vault")
    world.fake.clear_faults()
    sidecar.wait_log("recovered", kind="vault")
    assert len(told(sidecar, "s")) == 1 and not sidecar.find("valid") and not sidecar.find("withdrawn")


def test_a_pinned_version_is_told_when_it_is_fetched(world):
    """Later starts find its file and ask for nothing, so they have nothing to say; check --online does."""
    version = world.fake.set("s", "planted-pinned-value", exp=PAST)
    world.fake.set("s", "planted-newer-value")
    pinned = f"[{{objectName: s, objectVersion: {version}}}]"
    process = world.init(pinned)
    assert process.find("not-valid", f"secret 's' version {version} of vault '.*' expired on")
    assert not told(world.init(pinned), "s")
    assert check(world, pinned)[0]["warning"]


def test_of_a_history_the_newest_is_told_of(world):
    """That an older version expired is no news: it was replaced."""
    world.fake.set("s", "planted-old-value", exp=PAST)
    world.fake.set("s", "planted-new-value")
    history = "[{objectName: s, objectVersionHistory: 2}]"
    assert not told(world.init(history), "s")
    assert sorted(world.files().values()) == ["planted-new-value", "planted-old-value"]
    world.fake.update("s", exp=PAST)
    [warning] = [entry["warning"] for entry in check(world, history) if entry["warning"]]
    assert "; set a new version" in warning


OWN = {
    "PKCS#12": (pfx, P12, "{objectName: web}"),
    "PEM": (pem, PEM_TYPE, "{objectName: web}"),
    "layout": (pfx, P12, "{objectName: web, layout: kubernetes.io/tls}"),
    "cert": (pfx, P12, "{objectName: web, objectType: cert}"),
}


@pytest.mark.parametrize("days", [(-9, -2), (2, 9)], ids=["expired", "early"])
@pytest.mark.parametrize("name", OWN)
def test_the_dates_of_the_certificate_itself(world, name, days):
    """The attributes of an App Service Certificate's secret are not those of the certificate."""
    make, kind, entry = OWN[name]
    chain = pki.Chain(days=days)
    value = pki.base64_pfx(chain.key, chain.all) if make is pfx else (pki.key_pem(chain.key) + pki.cert_pem(*chain.all)).decode()
    if name == "cert":
        world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=kind, nbf=PAST, exp=FUTURE)
    else:
        world.fake.set("web", value, content_type=kind, managed=name != "layout")
    sidecar = world.sidecar(f"[{entry}]")
    says = "expired on 20.*; renew the certificate" if days[1] < 0 else "is not valid before 20"
    assert sidecar.find("not-valid", says) and len(told(sidecar, "web")) == 1
    poll(sidecar)
    assert len(told(sidecar, "web")) == 1 and not sidecar.find("valid")


DISABLED = {
    "key": ("keys", "s", lambda fake: jwk(pki.ec_key())(fake)),
    "cert": ("certificates", "web", lambda fake: {"web": pki.cert_pem(set_web(fake).leaf)}),
}


def set_web(fake):
    chain, value = pfx()()
    fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    return chain


@pytest.mark.parametrize("kind", DISABLED)
def test_disabled_keys_and_certificates_are_written(world, kind):
    """The vault gives them, and what they hold is public."""
    plural, name, setup = DISABLED[kind]
    files = setup(world.fake)
    world.fake.update(name, kind=plural, enabled=False)
    process = world.init(f"{kind}/{name}")
    assert process.code == 0 and world.files_bytes() == files
    assert process.find("not-valid", f"'{name}' of vault '.*' is disabled; enable it, or take it off the list")


def test_a_selection_leaves_disabled_ones_out(world):
    set_web(world.fake)
    world.fake.update("web", kind="certificates", enabled=False)
    process = world.init("[{objectNamePattern: 'w*', objectType: cert}]")
    assert process.code == 0 and not world.files()
    assert process.find("failure", "certificate 'web': it is disabled")


def test_a_certificate_that_is_not_issued_yet_is_refused(world):
    world.fake.set_certificate("web")
    process = world.init("cert/web", AKVSYNC_INIT_TIMEOUT="4s")
    assert process.code == 4 and process.find("exit", "the certificate is disabled, or not issued yet")


def check(world, objects):
    run = subprocess.run(
        [BINARY, "check", "--online", "--output", "json"], env=world.env(objects), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)["objects"]


def test_check_tells_of_them(world):
    world.plant("a", "b", "c")
    world.fake.update("a", exp=PAST)
    world.fake.update("b", nbf=FUTURE)
    cert(pfx(), as_is)(world.fake)
    world.fake.update("web", kind="certificates", enabled=False)
    found = {entry["object"]: (entry["read"], entry["warning"]) for entry in check(world, "a, b, c, cert/web")}
    assert found["secret 'c'"] == ("ok", None)
    for name, says in (("secret 'a'", "expired on"), ("secret 'b'", "not valid before"), ("certificate 'web'", "is disabled")):
        assert found[name][0] == "ok" and says in found[name][1]
    run = subprocess.run([BINARY, "check", "--online"], env=world.env("a"), capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "      warning: secret 'a' of vault '" in run.stdout
