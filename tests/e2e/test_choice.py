"""Which version stands in for a current one that is disabled, not valid yet, or has expired."""

import json
import time

import pki
import pytest
from conftest import wait_until
from test_check import as_json
from test_formats import P12, jwk
from test_lists import versions
from test_validity import FUTURE, PAST, poll, told

ENABLED = "[{objectName: s, objectVersion: newest-enabled}]"
VALID = "[{objectName: s, version: newest-valid}]"


def ids(world, name="s", kind="secrets"):
    return [one["id"] for one in world.fake.call("GET", f"/vaults/shop-kv/{kind}/{name}")["versions"]]


def asked(world, since=None):
    """The requests that were answered or refused with a token, without those that the token itself needs."""
    found = world.fake.journal(since=since, target="vault", authenticated=True)
    return [entry["path"] for entry in found]


SPELLINGS = {
    "objectVersion": "[{objectName: s, objectVersion: newest-enabled}]",
    "version": "[{objectName: s, version: Newest-Enabled}]",
    "pasted": "array:\n- |\n  objectName: s\n  objectType: secret\n  objectVersion: newest-enabled\n",
}


@pytest.mark.parametrize("row", SPELLINGS)
def test_the_newest_enabled_version(world, row):
    values = versions(world, "s", 4)
    for i in (3, 2):
        world.fake.disable("s", ids(world)[i])
    process = world.init(SPELLINGS[row])
    assert process.code == 0, process.text
    assert world.files() == {"s": values[1]}
    assert process.find("not-valid", f"secret 's' version {ids(world)[1]} of vault 'shop-kv' stands in for the current version, which is disabled")


def test_one_request_while_the_current_version_is_enabled(world):
    versions(world, "s", 3)
    sidecar = world.sidecar(ENABLED)
    mark = world.fake.mark()
    poll(sidecar)
    assert asked(world, mark) == ["/secrets/s"]
    world.fake.disable("s")
    mark = world.fake.mark()
    poll(sidecar)
    # The last page of a list is often empty.
    assert list(dict.fromkeys(asked(world, mark))) == ["/secrets/s", "/secrets/s/versions", f"/secrets/s/{ids(world)[1]}"]
    assert asked(world, mark).count("/secrets/s") == 1


def test_it_follows_what_is_enabled_and_disabled(world):
    values = versions(world, "s", 3)
    sidecar = world.sidecar(ENABLED)
    assert world.files() == {"s": values[2]}
    for disable, left in ((2, 1), (1, 0)):
        world.fake.disable("s", ids(world)[disable])
        poll(sidecar)
        world.wait_files({"s": values[left]})
        assert len(told(sidecar, "s")) == 1 + (left == 0), "a change of the version is told, a repeat is not"
        poll(sidecar)
    # All are disabled: the last good file stays.
    world.fake.disable("s", ids(world)[0])
    sidecar.poll()
    sidecar.wait_log("failure", "secret 's' of vault 'shop-kv': its current version is disabled, and none of its 3 versions is enabled; enable one")
    assert world.files() == {"s": values[0]}
    world.fake.enable("s", ids(world)[2])
    sidecar.poll()
    world.wait_files({"s": values[2]})
    sidecar.wait_log("valid")


def test_over_pages(world):
    values = versions(world, "s", 60)
    for one in ids(world)[2:]:
        world.fake.disable("s", one)
    world.fake.vault_settings(empty_pages=2, final_next_link="absent")
    assert world.init(ENABLED).code == 0
    assert world.files() == {"s": values[1]}


def test_of_one_second_it_is_always_the_same(world):
    versions(world, "s", 6, step=0)
    world.fake.disable("s")
    sidecar = world.sidecar(ENABLED)
    first = world.files()
    for _ in range(3):
        poll(sidecar)
        assert world.files() == first


def test_without_any_enabled_version(world):
    versions(world, "s", 2)
    for one in ids(world):
        world.fake.disable("s", one)
    process = world.init(ENABLED, AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code == 4
    assert process.find("exit", "none of its 2 versions is enabled")
    assert world.init("[{objectName: s, objectVersion: newest-enabled, optional: true}]").code == 0
    assert not world.files()


def test_it_needs_the_right_to_list(world):
    versions(world, "s", 2)
    world.fake.disable("s")
    world.fake.revoke("list")
    process = world.init(ENABLED, AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code == 4
    assert process.find(
        "exit",
        "secret 's': its current version is disabled, and no other one can be chosen: versions of secret 's': 403 ForbiddenByRbac; identity .* may not list them; "
        'grant "Key Vault Secrets User"',
    )


def test_it_is_not_asked_for_again_for_other_failures(world):
    """A secret that is missing, or may not be read, has no other versions."""
    world.fake.revoke("get")
    versions(world, "s", 2)
    process = world.init(ENABLED, AKVSYNC_INIT_TIMEOUT="3s")
    assert process.code == 4
    assert "/secrets/s/versions" not in asked(world)


def test_the_list_that_does_not_come(world):
    values = versions(world, "s", 2)
    sidecar = world.sidecar(ENABLED)
    world.fake.disable("s")
    fault = world.fake.fault({"status": 503}, times=100, target="vault", path="/secrets/s/versions")
    sidecar.poll()
    sidecar.wait_log("failure", "503")
    assert world.files() == {"s": values[1]}
    world.fake.remove_fault(fault)
    sidecar.poll()
    world.wait_files({"s": values[0]})


VALIDITY = {
    # what the three versions have, oldest first; the one that is used
    "current": ([{}, {}, {"nbf": PAST, "exp": FUTURE}], 2),
    "not yet": ([{}, {}, {"nbf": FUTURE}], 1),
    "expired": ([{}, {"exp": FUTURE}, {"exp": PAST}], 1),
    "both": ([{}, {"nbf": FUTURE}, {"exp": PAST}], 0),
    "disabled": ([{"exp": FUTURE}, {"exp": PAST}, {"enabled": False}], 0),
    "none": ([{"nbf": FUTURE}, {"enabled": False}, {"exp": PAST}], None),
}


@pytest.mark.parametrize("row", VALIDITY)
def test_the_newest_valid_version(world, row):
    properties, used = VALIDITY[row]
    values = versions(world, "s", 3)
    for one, change in zip(ids(world), properties):
        if change:
            world.fake.update("s", one, **change)
    process = world.init(VALID, AKVSYNC_INIT_TIMEOUT="5s")
    if used is None:
        assert process.code == 4
        assert process.find("exit", "its current version is expired, and none of its 3 versions is enabled and valid now")
        return
    assert process.code == 0, process.text
    assert world.files() == {"s": values[used]}
    assert bool(told(process, "s")) == (used != 2)


def test_dates_do_not_count_for_the_newest_enabled(world):
    values = versions(world, "s", 2)
    world.fake.update("s", exp=PAST)
    process = world.init(ENABLED)
    assert process.code == 0 and world.files() == {"s": values[1]}
    assert process.find("not-valid", "secret 's' of vault 'shop-kv' expired on")


def test_a_version_takes_over_at_its_time(world):
    values = versions(world, "s", 2)
    world.fake.update("s", nbf=int(time.time()) + 4)
    sidecar = world.sidecar(VALID, AKVSYNC_POLL_INTERVAL="1s")
    assert world.files() == {"s": values[0]}
    world.wait_files({"s": values[1]})
    assert sidecar.find("published")


def test_keys(world):
    first = jwk(pki.ec_key())(world.fake)["s"]
    second = jwk(pki.ec_key())(world.fake)["s"]
    objects = "[{objectName: s, objectType: key, objectVersion: newest-enabled}]"
    sidecar = world.sidecar(objects)
    assert world.files_bytes() == {"s": second}
    world.fake.update("s", kind="keys", enabled=False)
    poll(sidecar)
    assert wait_until(lambda: world.files_bytes() == {"s": first})
    assert "/keys/s/versions" in asked(world)


def test_certificates_and_their_keys(world):
    chains = []
    for _ in range(2):
        chain = pki.Chain()
        world.fake.set_certificate("web", pki.base64_pfx(chain.key, chain.all), pki.cer(chain.leaf), content_type=P12)
        chains.append(chain)
    objects = json.dumps(
        [
            {"objectName": "web", "objectType": kind, "objectAlias": alias, "objectVersion": "newest-enabled"}
            for kind, alias in (("cert", "web.crt"), ("secret", "web.pem"))
        ]
    )
    for kind in ("certificates", "secrets"):
        world.fake.update("web", kind=kind, enabled=False)
    process = world.init(objects)
    assert process.code == 0, process.text
    files = world.files_bytes()
    assert files["web.crt"] == pki.cert_pem(chains[0].leaf) and files["web.crt"] in files["web.pem"]


def test_a_json_value_of_a_version_that_stands_in(world):
    world.fake.set("s", '{"a": "planted-old-version"}', created=1_700_000_000)
    world.fake.set("s", '{"a": "planted-new-version"}', created=1_700_000_001)
    world.fake.disable("s")
    assert world.init("[{objectName: s, objectVersion: newest-enabled, extract: all, excludeObjectName: true}]").code == 0
    assert world.files() == {"a": "planted-old-version"}


def test_check_shows_the_version(world):
    versions(world, "s", 2)
    world.fake.disable("s")
    _, report = as_json(world.env(ENABLED))
    assert report["objects"][0]["version"] == "newest-enabled"
    code, report = as_json(world.env(ENABLED), "--online")
    assert code == 0
    assert report["objects"][0]["version"] == ids(world)[0]
    assert "stands in for the current version" in report["objects"][0]["warning"]
