"""Certificates are issued, merged, imported, changed, deleted and brought back as in a real vault."""

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    load_key_and_certificates,
    serialize_key_and_certificates,
)

from .https import until

EC = {"kty": "EC", "crv": "P-256"}
SELF = {"issuer": {"name": "Self"}, "key_props": EC, "x509_props": {"subject": "CN=web.example.test"}}
PEM, PFX = "application/x-pem-file", "application/x-pkcs12"
NEW = {"kty": "EC"}


def issued(caller, name, **body):
    """The certificate, when it is there."""
    assert caller.vault("POST", f"/certificates/{name}/create", {"policy": SELF} | body).status == 202
    until(lambda: caller.get(f"/certificates/{name}/pending").json["status"] == "completed")
    return caller.get(f"/certificates/{name}").json


def signed(public, key, subject="app"):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    return builder.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def pair():
    """A key, its certificate, and another certificate of the chain."""
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    return key, signed(key.public_key(), key), signed(other.public_key(), other, "root")


def as_pem(key, *certificates):
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pieces = [key.private_bytes(serialization.Encoding.PEM, *plain)] if key else []
    return b"".join(pieces + [one.public_bytes(serialization.Encoding.PEM) for one in certificates])


def as_pfx(key, leaf, *others, password=b""):
    form = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return serialize_key_and_certificates(None, key, leaf, list(others), form)


def b64(data):
    return base64.b64encode(data).decode()


def test_members_of_bytes_are_not_escaped(fake, caller):
    """A client that reads base64 as it stands gets it."""
    with_plus = without = 0
    for number in range(40):
        answer = caller.vault("POST", f"/certificates/c{number}/create", {"policy": SELF})
        assert b"\\u002B" not in answer.body
        with_plus += b"+" in answer.body.partition(b'"csr":"')[2].partition(b'"')[0]
        if with_plus:
            break
        without += 1
    assert with_plus, f"{without} requests without a plus"
    fake.set("escaped", '"cer":"+"', tags={"a": '"csr":"+'})
    body = caller.get("/secrets/escaped").body
    assert rb'"value":"\"cer\":\"\u002B\""' in body and rb'"tags":{"a":"\"csr\":\"\u002B"}' in body


def test_a_policy_gets_its_defaults(caller):
    policy = {"issuer": {"name": "Self"}, "x509_props": {"subject": "CN=a, O=b"}}
    shown = issued(caller, "c", policy=policy)["policy"]
    assert shown["key_props"] == {"exportable": True, "kty": "RSA", "key_size": 2048, "reuse_key": False}
    assert shown["secret_props"] == {"contentType": PFX}
    assert shown["x509_props"]["subject"] == "CN=a, O=b" and shown["x509_props"]["validity_months"] == 12
    again = caller.vault("POST", "/certificates/c/create", {})
    assert again.status == 202, "a later version is made by the policy that there is"
    assert again.headers["Location"].partition("?")[2].startswith("api-version=7.6&request_id=")


@pytest.mark.parametrize(
    "policy",
    [
        None,
        {},
        SELF | {"issuer": {"name": "DigiCert"}},
        SELF | {"x509_props": {}},
        SELF | {"x509_props": {"subject": "web"}},
        SELF | {"key_props": {"kty": "oct"}},
        SELF | {"key_props": {"kty": "RSA-HSM", "exportable": True}},
        SELF | {"secret_props": {"contentType": "text/plain"}},
    ],
    ids=str,
)
def test_no_certificate_is_made(caller, policy):
    answer = caller.vault("POST", "/certificates/c/create", {"policy": policy})
    assert (answer.status, answer.code) == (400, "BadParameter")
    for kind in ("certificates", "secrets", "keys"):
        assert caller.get(f"/{kind}/c").status == 404


def test_disabled_from_the_start(caller, pair):
    assert issued(caller, "c", attributes={"enabled": False})["attributes"]["enabled"] is False
    body = {"value": b64(as_pfx(*pair[:2])), "attributes": {"enabled": False}}
    assert caller.vault("POST", "/certificates/d/import", body).json["attributes"]["enabled"] is False
    for name in ("c", "d"):
        assert caller.get(f"/secrets/{name}").code == "SecretDisabled"
        assert caller.get(f"/keys/{name}").json["attributes"]["enabled"] is False
        caller.vault("PATCH", f"/certificates/{name}", {"attributes": {"enabled": True}})
        assert caller.get(f"/secrets/{name}").status == 200
        assert caller.get(f"/keys/{name}").json["attributes"]["enabled"] is True


def test_another_issuer_is_waited_for(caller):
    policy = SELF | {"issuer": {"name": "Unknown"}, "secret_props": {"contentType": PEM}}
    operation = caller.vault("POST", "/certificates/c/create", {"policy": policy, "tags": {"a": "b"}}).json
    assert operation["status"] == "inProgress" and "Merge" in operation["status_details"]
    shown = caller.get("/certificates/c").json
    assert "cer" not in shown and shown["attributes"]["enabled"] is False and shown["attributes"]["exp"]
    assert shown["pending"]["id"].endswith("/certificates/c/pending")
    assert caller.get("/certificates").json["value"] == []
    assert len(caller.get("/certificates?includePending=true").json["value"]) == 1
    assert caller.get("/secrets/c").code == "SecretDisabled"
    request = x509.load_der_x509_csr(base64.b64decode(operation["csr"]))
    key = ec.generate_private_key(ec.SECP256R1())
    wrong, right = signed(key.public_key(), key), signed(request.public_key(), key)
    for x5c in ([], ["?"], [b64(wrong.public_bytes(serialization.Encoding.DER))], None):
        assert caller.vault("POST", "/certificates/c/pending/merge", {"x5c": x5c}).status == 400
    chain = [b64(one.public_bytes(serialization.Encoding.DER)) for one in (right, wrong)]
    merged = caller.vault("POST", "/certificates/c/pending/merge", {"x5c": chain})
    assert merged.status == 201 and merged.json["cer"] == chain[0] and merged.json["tags"] == {"a": "b"}
    value = caller.get("/secrets/c").json["value"]
    assert value.startswith("-----BEGIN PRIVATE KEY") and value.count("BEGIN CERTIFICATE") == 2
    assert caller.vault("POST", "/certificates/c/pending/merge", {"x5c": chain}).status == 409


def test_an_operation_is_cancelled_and_deleted(caller):
    caller.vault("POST", "/certificates/c/create", {"policy": SELF})
    cancelled = caller.vault("PATCH", "/certificates/c/pending", {"cancellation_requested": True}).json
    assert cancelled["cancellation_requested"] is True
    assert caller.get("/certificates/c/pending").json["status"] == "cancelled"
    assert caller.vault("DELETE", "/certificates/c/pending").status == 200
    answer = caller.get("/certificates/c/pending")
    assert (answer.status, answer.code) == (404, "PendingCertificateNotFound")
    assert "pending" not in caller.get("/certificates/c").json


def test_imports(caller, pair):
    key, leaf, root = pair
    pem = {"secret_props": {"contentType": PEM}}
    locked = pem | {"key_props": {"exportable": False}}
    text = as_pem(key, root, leaf)
    der = b64(leaf.public_bytes(serialization.Encoding.DER))
    for name, body in {
        "text": {"value": text.decode(), "policy": pem},
        "coded": {"value": b64(text)},
        "pfx": {"value": b64(as_pfx(key, leaf, root, password=b"word")), "pwd": "word"},
        "plain": {"value": b64(as_pfx(key, leaf)), "policy": {"secret_props": {"contentType": PFX}}},
    }.items():
        got = caller.vault("POST", f"/certificates/{name}/import", body).json
        secret = caller.get(f"/secrets/{name}").json
        assert got["cer"] == der and got["policy"]["issuer"] == {"name": "Unknown"} and "pending" not in got
        assert got["policy"]["x509_props"]["subject"] == "CN=app" and secret["managed"] is True
        if name in ("text", "coded"):
            assert (secret["contentType"], secret["value"]) == (PEM, text.decode())
        else:
            found, own, _ = load_key_and_certificates(base64.b64decode(secret["value"]), b"")
            assert secret["contentType"] == PFX and own == leaf
            assert found.public_key().public_numbers() == key.public_key().public_numbers()
    caller.vault("POST", "/certificates/locked/import", {"value": text.decode(), "policy": locked})
    assert "PRIVATE KEY" not in caller.get("/secrets/locked").json["value"]


def test_imports_that_are_refused(caller, pair):
    key, leaf, root = pair
    pem = {"secret_props": {"contentType": PEM}}
    for body in (
        {},
        {"value": "?"},
        {"value": as_pem(key, leaf).decode(), "policy": {"secret_props": {"contentType": PFX}}},
        {"value": as_pem(None, leaf).decode(), "policy": pem},
        {"value": as_pem(key).decode(), "policy": pem},
        {"value": as_pem(key, root).decode(), "policy": pem},
        {"value": b64(as_pfx(key, leaf)), "policy": pem},
        {"value": b64(as_pfx(key, leaf, password=b"word"))},
        {"value": b64(as_pfx(key, leaf, password=b"word")), "pwd": "other"},
        {"value": b64(as_pfx(None, leaf))},
    ):
        answer = caller.vault("POST", "/certificates/c/import", body)
        assert (answer.status, answer.code) == (400, "BadParameter"), body
    assert caller.get("/certificates/c").status == 404


def test_a_policy_changes_in_parts(caller):
    issued(caller, "c")
    for method, path, body in (
        ("PATCH", "/certificates/c/policy", {"x509_props": {"validity_months": 6}}),
        ("PATCH", "/certificates/c", {"policy": {"key_props": {"exportable": False}}, "tags": {"a": "b"}}),
    ):
        assert caller.vault(method, path, body).status == 200
    shown = caller.get("/certificates/c").json
    assert shown["tags"] == {"a": "b"} and shown["policy"] == caller.get("/certificates/c/policy").json
    assert shown["policy"]["x509_props"]["validity_months"] == 6
    assert shown["policy"]["x509_props"]["subject"] == "CN=web.example.test"
    assert shown["policy"]["key_props"]["exportable"] is False
    assert caller.vault("PATCH", "/certificates/c/policy", {"issuer": {"name": "none"}}).status == 400
    assert caller.vault("PATCH", "/certificates/c", {"attributes": {"exp": 1}}).status == 400


def test_key_and_secret_go_with_their_certificate(caller):
    made = issued(caller, "c")
    for kind, code in (("secrets", "SecretManagedByKeyVault"), ("keys", "KeyManagedByKeyVault")):
        for method, path, body in (
            ("DELETE", f"/{kind}/c", None),
            ("POST", f"/{kind}/c/backup", None),
            *([("PUT", "/secrets/c", {"value": "x"})] if kind == "secrets" else []),
            *([("POST", "/keys/c/create", NEW), ("POST", "/keys/c/rotate", None)] if kind == "keys" else []),
        ):
            answer = caller.vault(method, path, body)
            assert (answer.status, answer.code) == (403, code), path
    backup = caller.vault("POST", "/certificates/c/backup").json
    deleted = caller.vault("DELETE", "/certificates/c").json
    assert deleted["recoveryId"].endswith("/deletedcertificates/c") and deleted["policy"]["issuer"]
    until(lambda: caller.get("/deletedcertificates/c").status == 200)
    assert caller.vault("POST", "/certificates/c/create", {"policy": SELF}).code == "ObjectIsDeletedButRecoverable"
    for kind in ("certificates", "secrets", "keys"):
        assert caller.get(f"/{kind}/c").status == 404
        assert len(caller.get(f"/deleted{kind}").json["value"]) == 1
    assert caller.vault("POST", "/deletedsecrets/c/recover").code == "SecretManagedByKeyVault"
    assert caller.vault("POST", "/deletedcertificates/c/recover").json["id"] == made["id"]
    until(lambda: caller.get("/secrets/c").status == 200)
    until(lambda: caller.vault("DELETE", "/certificates/c").status == 200)
    until(lambda: caller.vault("DELETE", "/deletedcertificates/c").status == 204)
    assert caller.get("/deletedkeys/c").status == 404
    assert caller.vault("POST", "/certificates/restore", backup).json["cer"] == made["cer"]
    assert caller.get("/secrets/c").json["kid"] == made["kid"]


def test_a_pfx_is_turned_into_pem_on_request(fake, caller):
    issued(caller, "c")
    fake.set("s", "value")
    as_text = "outContentType=application/x-pem-file"
    got = caller.get(f"/secrets/c?{as_text}", version="2025-07-01").json
    assert got["value"].startswith("-----BEGIN PRIVATE KEY") and got["contentType"] == PEM
    assert caller.get(f"/secrets/c?{as_text}", version="7.6").json["contentType"] == PFX
    refused = caller.get(f"/secrets/s?{as_text}", version="2025-07-01")
    assert refused.message.startswith("The 'Unsupported' to 'PEM' transformation is not supported.")
