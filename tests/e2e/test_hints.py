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
