"""Each refusal that users meet gets a sentence with the fix, and the page that explains it names it."""

import re

import pytest
from conftest import ROOT

ALWAYS = -1
PAGE = (ROOT / "docs/troubleshooting.md").read_text()


def table(path, pattern):
    """Rows of a table in the source: what is refused -> the hint."""
    text = (ROOT / path).read_text()
    text = re.sub(r'"\s*\n\s*"', "", text)
    return {code: hint for code, hint in re.findall(pattern, text)}


ENTRA = table("syncer/azure/aadsts.c", r'\{ (\d+), ERR_\w+,\s*"((?:\\.|[^"\\])+)" \}')
VAULT = table("syncer/azure/refusal.c", r'\{ "(\w+)", ERR_\w+,\s*"((?:\\.|[^"\\])+)" \}')


def test_the_tables_are_read():
    assert len(ENTRA) >= 28 and len(VAULT) >= 11


@pytest.mark.parametrize("code", ENTRA)
def test_entra_s_refusals_are_explained(code):
    numbers = re.findall(r"\b\d{5,7}\b", PAGE)
    assert code in numbers or (code.startswith("900") and "900xx" in PAGE), f"the page does not tell of {code}"


@pytest.mark.parametrize("code", VAULT)
def test_the_vault_s_refusals_are_explained(code):
    name = re.sub(r"^(Key|Certificate)NotFound$", "SecretNotFound", code)
    assert re.search(rf"\b{name}\b", PAGE), f"the page does not tell of {code}"


@pytest.mark.parametrize("part", range(4))
def test_every_hint_reaches_the_user(world, part):
    """Entra answers with one code after the other; each message holds the code and its hint."""
    world.plant("s")
    for code in list(ENTRA)[part::4]:
        body = {"error_codes": [int(code)], "error_description": f"AADSTS{code}: What it saw. More."}
        rule = world.fake.fault({"status": 400, "json": body}, target="login", times=ALWAYS)
        sidecar = world.sidecar("s", wait=False)
        # What passes by itself is told of only when it lasts.
        event = "retry" if "passing" in ENTRA[code] or code in ("90055", "90061") else "failure"
        told = sidecar.wait_log(event, f"AADSTS{code}: What it saw")
        assert ENTRA[code] in told["msg"]
        sidecar.stop()
        world.fake.remove_fault(rule)


def test_entra_that_hangs_is_not_the_vault(world):
    """Cut short before its own time-out, too."""
    world.plant("s")
    world.fake.fault({"hold": True}, target="login", times=ALWAYS)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 6
    assert "cannot get a token: no answer in time from 'login.localhost" in process.find("exit")[-1]["msg"]


FIREWALL = {"error": {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}, "message": "Client address is not "
            "authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\nCaller: appid=1\r\nVault: shop-kv;"}}
NO_VAULT = "this is no answer of a Key Vault: is a proxy, a firewall or a gateway answering for it"
REFUSALS = {
    "a firewall that names the address": ({"status": 403, "json": FIREWALL}, 4, "firewall of vault 'shop-kv' does not admit 203.0.113.7; add"),
    "403 of another": ({"status": 403, "html": True}, 4, NO_VAULT),
    "403 without a body": ({"status": 403, "empty": True}, 4, NO_VAULT),
    "404 of another": ({"status": 404, "html": True}, 5, NO_VAULT),
    "405 of another": ({"status": 405, "html": True}, 3, NO_VAULT),
    "404 with an unknown code": ({"status": 404, "json": {"error": {"code": "Strange", "message": "x"}}}, 5, "404 Strange; check the name"),
    "403 with an unknown code": ({"status": 403, "json": {"error": {"code": "Strange", "message": "x"}}}, 4,
                                 "403 Strange; identity {client} may not read it: check its role"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_cause_and_fix(world, name):
    action, code, hint = REFUSALS[name]
    world.plant("s")
    world.fake.fault(action, target="vault", authenticated=True, times=ALWAYS)
    process = world.init("s", AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == code
    assert hint.format(client=world.fake.client_id) in process.find("exit")[-1]["msg"]


def test_matches_that_vanish_make_one_warning(world):
    values = dict(zip(("app-a", "app-b", "app-c", "app-d"), world.plant("app-a", "app-b", "app-c", "app-d")))
    world.fake.vault_settings(settle_s=0)
    sidecar = world.sidecar("[{objectNamePattern: 'app-*', metadata: true}]")
    world.fake.delete("app-a")
    world.fake.delete("app-c")
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    (told,) = sidecar.find("failure", since=since)
    assert told["msg"] == ("list of secrets like 'app-*': it no longer has secret 'app-a' and 1 more; deleted, or have the tags changed?")
    assert (told["level"], told["kind"], told["consequence"]) == ("warn", "gone", "the last good files stay")
    assert set(world.files()) == {name + end for name in values for end in ("", ".json")}
    world.fake.recover("app-a")
    world.fake.recover("app-c")
    sidecar.poll()
    sidecar.wait_log("recovered", kind="gone", since=since)
