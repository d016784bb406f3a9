"""Keys are made, imported, rotated, changed, deleted and brought back as in a real vault."""

import base64

import pytest

from .jwts import SigningKey, b64url
from .https import until


def private_jwk(without=()):
    numbers = SigningKey.make().private.private_numbers()
    members = {"n": numbers.public_numbers.n, "e": 65537, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    jwk = {name: b64url(value.to_bytes((value.bit_length() + 7) // 8, "big")) for name, value in members.items()}
    return {"kty": "RSA"} | {name: value for name, value in jwk.items() if name not in without}


@pytest.mark.parametrize(
    ("kty", "version", "platform"),
    [
        ("RSA", "7.6", "0"),
        ("EC", "7.5", "0"),
        ("EC-HSM", "2026-01-01-preview", "2"),
        ("EC", "7.4", None),
        ("EC-HSM", "7.3", None),
    ],
)
def test_hsm_platform_came_with_a_version(caller, kty, version, platform):
    made = caller.vault("POST", "/keys/k/create", {"kty": kty}, version=version).json
    assert made["attributes"].get("hsmPlatform") == platform and made["key"]["kty"] == kty
    assert made["attributes"]["exportable"] is False
    assert "exportable" not in caller.get("/keys").json["value"][0]["attributes"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kty": "oct"},
        {"kty": "RSA", "key_size": 1024},
        {"kty": "EC", "crv": "P-1"},
        {"kty": "EC", "key_ops": ["fly"]},
        {"kty": "EC", "attributes": {"exportable": True}},
        {"kty": "EC", "attributes": {"nbf": 2, "exp": 1}},
    ],
    ids=str,
)
def test_no_key_is_made(caller, body):
    answer = caller.vault("POST", "/keys/k/create", body)
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert caller.get("/keys/k").status == 404


def test_an_import_keeps_the_public_key_only(caller):
    jwk = private_jwk()
    got = caller.vault("PUT", "/keys/k", {"key": jwk, "Hsm": True, "attributes": {"enabled": False}}).json
    assert got["key"]["kty"] == "RSA-HSM" and got["key"]["n"] == jwk["n"] and "d" not in got["key"]
    assert got["attributes"]["enabled"] is False
    for missing in ("d", "n", "e"):
        answer = caller.vault("PUT", "/keys/k", {"key": private_jwk({missing})})
        assert (answer.status, answer.code) == (400, "BadParameter")


def test_a_rotation_makes_a_key_of_the_same_kind(caller):
    created = {"kty": "EC", "crv": "P-384", "key_ops": ["sign"], "tags": {"a": "b"}}
    old = caller.vault("POST", "/keys/k/create", created).json
    policy = {"lifetimeActions": [], "attributes": {"expiryTime": "P30D"}}
    kept = caller.vault("PUT", "/keys/k/rotationpolicy", policy).json
    assert kept["attributes"]["expiryTime"] == "P30D"
    assert [action["action"]["type"] for action in kept["lifetimeActions"]] == ["Notify"]
    new = caller.vault("POST", "/keys/k/rotate").json
    assert new["key"]["kid"] != old["key"]["kid"] and new["key"]["x"] != old["key"]["x"]
    same = ("kty", "crv", "key_ops")
    assert [new["key"][name] for name in same] == [old["key"][name] for name in same]
    assert new["tags"] == {"a": "b"}
    assert new["attributes"]["exp"] - new["attributes"]["created"] == pytest.approx(30 * 86400, abs=2)
    changed = caller.vault("PATCH", "/keys/k", {"key_ops": ["verify"], "attributes": {"enabled": False}}).json
    assert changed["key"]["key_ops"] == ["verify"] and changed["key"]["kid"] == new["key"]["kid"]
    assert caller.vault("PUT", "/keys/k/rotationpolicy", {"attributes": {"expiryTime": "soon"}}).status == 400


def test_deleted_keys_come_back(caller):
    made = caller.vault("POST", "/keys/k/create", {"kty": "EC"}).json
    backup = caller.vault("POST", "/keys/k/backup").json
    assert caller.vault("POST", "/keys/restore", backup).code == "Conflict"
    deleted = caller.vault("DELETE", "/keys/k").json
    assert deleted["recoveryId"].endswith("/deletedkeys/k") and deleted["key"] == made["key"]
    assert caller.vault("POST", "/keys/k/create", {"kty": "EC"}).code == "ObjectIsBeingDeleted"
    until(lambda: caller.get("/deletedkeys/k").status == 200)
    assert caller.vault("POST", "/keys/k/create", {"kty": "EC"}).code == "ObjectIsDeletedButRecoverable"
    listed = caller.get("/deletedkeys").json["value"][0]
    assert listed["kid"].endswith("/keys/k") and {"deletedDate", "scheduledPurgeDate"} <= set(listed)
    assert caller.vault("POST", "/deletedkeys/k/recover").json["key"] == made["key"]
    until(lambda: caller.vault("DELETE", "/keys/k").status == 200)
    until(lambda: caller.vault("DELETE", "/deletedkeys/k").status == 204)
    assert caller.get("/deletedkeys/k").message == "Deleted Key not found: k"
    assert caller.vault("POST", "/keys/restore", backup).json["key"] == made["key"]
    spoilt = base64.urlsafe_b64encode(b"{}").decode()
    for blob in (spoilt, "", "?", None, backup["value"][:-8]):
        assert caller.vault("POST", "/keys/restore", {"value": blob}).status == 400
    assert caller.vault("POST", "/secrets/restore", backup).status == 400


def test_a_managed_hsm_says_so(fake, caller):
    host = "shop-kv.managedhsm.localhost"
    caller.authenticate(scope="https://managedhsm.localhost/.default")
    made = caller.vault("POST", "/keys/k/create", {"kty": "EC"}, host=host).json
    assert made["key"]["kty"] == "EC-HSM" and "hsmPlatform" not in made["attributes"]
    assert caller.vault("DELETE", "/keys/k", host=host).status == 200
    until(lambda: caller.get("/deletedkeys/k", host=host).status == 200)
