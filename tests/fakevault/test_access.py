"""Who gets in: the challenge, bearer tokens, permissions, host names."""

import http.client
import re

import pytest

from .https import Connection


def test_anonymous_gets_the_challenge_whatever_it_asks(fake, caller):
    fake.set("s", "v")
    for path in ("/secrets/s", "/secrets/missing", "/nothing", "/secrets/bad_name"):
        answer = caller.get(path, Authorization="", version=None)
        assert (answer.status, answer.code) == (401, "Unauthorized")
        assert answer.headers["WWW-Authenticate"] == (
            f'Bearer authorization="https://login.localhost:{fake.port}/{fake.tenant_id}",'
            ' resource="https://vault.localhost"'
        )
        assert answer.message == "AKV10000: Request is missing a Bearer, PoP, or MTLS_POP token."


def test_anonymous_requests_do_nothing(fake, caller):
    fake.set("s", "v")
    for method in ("PUT", "PATCH", "DELETE"):
        assert caller.vault(method, "/secrets/s", {"value": "w"}, Authorization="").status == 401
    assert len(fake.secret("s")["versions"]) == 1


def test_a_resource_has_no_port(fake, caller):
    connection = Connection(fake, "shop-kv.vault.localhost")
    host = {"Host": "shop-kv.vault.localhost:1234"}
    answer = connection.ask("GET", "/secrets/s", headers=host)
    assert 'resource="https://vault.localhost"' in answer.headers["WWW-Authenticate"]
    assert f'authorization="https://login.localhost:{fake.port}/' in answer.headers["WWW-Authenticate"]
    refused = caller.login(scope="https://vault.localhost:1234/.default").json
    assert (refused["error"], refused["error_codes"]) == ("invalid_resource", [500011])
    bearer = {"Authorization": f"Bearer {caller.authenticate()}"}
    assert connection.ask("GET", "/secrets?api-version=7.6", headers=bearer | host).status == 200


def test_real_names_are_known_too(fake, caller):
    fake.set("s", "v")
    caller.authenticate(scope="https://vault.azure.net/.default")
    answer = Connection(fake, "shop-kv.vault.azure.net").ask(
        "GET",
        "/secrets/s?api-version=7.6",
        headers={"Authorization": f"Bearer {caller.token}", "Host": "shop-kv.vault.azure.net"},
    )
    assert answer.json["id"].startswith("https://shop-kv.vault.azure.net/secrets/s/")


def _text(fake, caller, pattern):
    answer = caller.get("/secrets/s")
    assert (answer.status, answer.code) == (401, "Unauthorized")
    assert "WWW-Authenticate" in answer.headers
    assert re.search(pattern, answer.message), answer.message


@pytest.mark.parametrize(
    "scope",
    [
        "https://vault.localhost//.default",
        "https://shop-kv.vault.localhost/.default",
        "https://vault.azure.net/.default",
    ],
)
def test_wrong_audience(fake, caller, scope):
    caller.authenticate(scope=scope)
    expected = "https://vault.localhost or cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
    _text(fake, caller, rf"^AKV10022: Invalid audience. Expected {expected}, found: https://")


def test_the_vaults_application_id_is_an_audience(fake, caller):
    fake.set("s", "v")
    caller.authenticate(scope="cfa8b339-82a2-471a-a3c9-0fc0be7a4093/.default")
    assert caller.get("/secrets/s").status == 200


def test_vault_of_another_tenant(fake, caller):
    other = "22222222-2222-2222-2222-222222222222"
    fake.vault_settings(tenant_id=other)
    answer = caller.get("/secrets/s", Authorization="")
    assert f"/{other}" in answer.headers["WWW-Authenticate"]
    found = f"found https://sts.windows.net/{fake.tenant_id}/"
    _text(fake, caller, rf"^AKV10032: Invalid issuer. Expected one of https://sts.*/{other}/, {found}")


def test_revoked_and_expired_tokens(fake, caller):
    fake.set("s", "v")
    assert caller.get("/secrets/s").status == 200
    assert fake.revoke_tokens() == 1
    _text(fake, caller, r"^\[TokenExpired\] Error validating token: 'S2S12086'.")
    caller.authenticate()
    assert caller.get("/secrets/s").status == 200
    fake.token_policy(lifetime_s=-1)
    caller.authenticate()
    _text(fake, caller, r"^\[TokenExpired\]")


def test_forged_and_malformed_tokens(fake, caller):
    good = caller.authenticate()
    head, claims, signature = good.split(".")
    caller.token = f"{head}.{claims}.{signature[:-6]}AAAAAA"
    _text(fake, caller, "^AKV10046")
    caller.token = fake.assertion_file.read_text()
    _text(fake, caller, "^AKV10046")
    for token in ("x", "a.b.c", good + ".x"):
        caller.token = token
        _text(fake, caller, "S2S")


def test_forbidden_by_rbac_comes_before_existence(fake, caller):
    fake.revoke("get")
    for name in ("missing", "s"):
        answer = caller.get(f"/secrets/{name}")
        assert (answer.status, answer.code) == (403, "ForbiddenByRbac")
        lines = answer.message.split("\r\n")
        assert lines[0] == "Caller is not authorized to perform action on resource."
        assert lines[2].startswith(f"Caller: appid={fake.client_id};oid=")
        assert lines[3] == "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'"
        assert lines[4].endswith(f"/vaults/shop-kv/secrets/{name}'")
        assert lines[-2:] == ["Vault: shop-kv;location=westeurope", ""]
    assert caller.get("/secrets").status == 200
    fake.grant("get")
    assert caller.get("/secrets/missing").status == 404


def test_access_policies_say_it_otherwise(fake, caller):
    fake.vault_settings(authorization="policy")
    fake.revoke("list")
    answer = caller.get("/secrets")
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert "does not have secrets list permission on key vault 'shop-kv;" in answer.message
    assert "x-ms-keyvault-rbac-assignment-id" not in caller.get("/secrets/s").headers


def test_permissions_by_name_and_by_vault(fake, caller):
    for vault in ("shop-kv", "other-kv"):
        fake.set("open", "v", vault=vault)
        fake.set("closed", "v", vault=vault)
    for _ in range(2):
        fake.revoke("get", name="closed")
        assert caller.get("/secrets/open").status == 200
        assert caller.get("/secrets/Closed").status == 403
        fake.grant("get", name="closed")
        assert caller.get("/secrets/closed").status == 200
    fake.revoke("get", vault="other-kv")
    assert caller.get("/secrets/open", host="other-kv.vault.localhost").status == 403
    assert caller.get("/secrets/open").status == 200


@pytest.mark.parametrize(
    ("version", "status"),
    [
        *((version, 200) for version in ("2016-10-01", "7.0", "7.4", "7.6-preview.2", "2025-07-01")),
        *((version, 200) for version in ("2026-03-01-preview", "2026-04-01", "2026-07-01-preview")),
        *((version, 400) for version in ("7.6-preview.3", "7.7", "7", "2025-07-02", "2026-04-01-preview", "latest")),
    ],
)
def test_versions_of_the_interface(fake, caller, version, status):
    fake.set("s", "v")
    answer = caller.get("/secrets/s", version=version)
    assert answer.status == status
    if status != 200:
        assert answer.json["error"] == {
            "code": "BadParameter",
            "message": f"The specified version ({version}) is not recognized. Consider using the latest"
            " supported version (2026-04-01).",
        }
    assert caller.get("/secrets/s", version=None).code == "BadParameter"


def test_another_identity(fake, caller):
    fake.set("s", "v")
    federation = {"subject": "system:serviceaccount:demo:another"}
    other = fake.add_identity(federations=[federation], grants=[{"permission": "get", "name": "o*"}])
    fake.write_assertion("wrong-subject")
    caller.authenticate(client_id=other["client_id"])
    assert caller.get("/secrets/s").code == "ForbiddenByRbac"
    assert caller.get("/secrets/other").code == "SecretNotFound"


@pytest.mark.parametrize(
    "host",
    ["localhost", "unknown-kv.vault.localhost", "a.shop-kv.vault.localhost", "vault.localhost", "example.org"],
)
def test_unknown_hosts_are_not_answered(fake, host):
    connection = Connection(fake, "127.0.0.1")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.ask("GET", "/secrets/s", headers={"Host": host})
    entry = fake.journal()[-1]
    assert (entry["target"], entry["outcome"], entry["status"]) == ("none", "refused", None)


def test_host_must_fit_the_tls_server_name(fake):
    connection = Connection(fake, "shop-kv.vault.localhost")
    with pytest.raises(http.client.RemoteDisconnected):
        connection.ask("GET", "/secrets/s", headers={"Host": f"other-kv.vault.localhost:{fake.port}"})


def test_keys_and_certificates_answer_even_when_disabled(fake, caller):
    cer = (
        "MIIBrTCCAVOgAwIBAgIIASNFZ4mrze8wCgYIKoZIzj0EAwIwHjEcMBoGA1UEAwwTdmVjdG9yLmV4YW1wbGUudGVzdDAe"
        "Fw0yNDAxMDEwMDAwMDBaFw00OTEyMzEyMzU5NTlaMB4xHDAaBgNVBAMME3ZlY3Rvci5leGFtcGxlLnRlc3QwWTATBgcq"
        "hkjOPQIBBggqhkjOPQMBBwNCAATczzcPwhXqoZsVA/ytXDyjyGbifRQTCR1QwoDV7NADQwqqsQMw+lFBshYC+TOFYdFD"
        "+krcdoSrOgu1hSqU9B5Xo3sweTAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMB4G"
        "A1UdEQQXMBWCE3ZlY3Rvci5leGFtcGxlLnRlc3QwCQYDVR0TBAIwADAdBgNVHQ4EFgQUqNiCq8NDizl9lM0+I+3t/9TW"
        "jV8wCgYIKoZIzj0EAwIDSAAwRQIhAKh9OAm9EzXPgtxLKjLbSqGbLaTvC7iSD3UFaXBSAlwNAiBGDodYory1VePPtpfy"
        "un0OFBRCWah9Ondh2rUqHueH9Q=="
    )
    version = fake.set_certificate("vector", "PEM", cer, content_type="application/x-pem-file")
    certificate = caller.get("/certificates/vector").json
    assert certificate["x5t"] == "3U4D3FztkMnDF84kstzvUVxqFAE"
    assert certificate["attributes"]["exp"] == 2524607999
    assert certificate["sid"].endswith(f"/secrets/vector/{version}") and "policy" in certificate
    assert "policy" not in caller.get(f"/certificates/vector/{version}").json
    key = caller.get("/keys/vector/").json["key"]
    assert (key["kty"], key["crv"]) == ("EC", "P-256")
    assert key["x"] == "3M83D8IV6qGbFQP8rVw8o8hm4n0UEwkdUMKA1ezQA0M"
    assert key["y"] == "CqqxAzD6UUGyFgL5M4Vh0UP6Stx2hKs6C7WFKpT0Hlc"
    secret = caller.get("/secrets/vector").json
    assert secret["managed"] is True and secret["kid"] == key["kid"]
    for kind in ("secrets", "keys", "certificates"):
        fake.update("vector", kind=kind, enabled=False)
        assert [item["attributes"]["enabled"] for item in caller.pages(f"/{kind}")[0]] == [False]
        assert caller.get(f"/{kind}/vector").status == (403 if kind == "secrets" else 200)
    fake.revoke("certificates/get")
    assert "certificates/read" in caller.get("/certificates/vector").message


def test_certificate_in_issuance_and_bare_key(fake, caller):
    fake.set_certificate("slow")
    assert "cer" not in caller.get("/certificates/slow").json
    assert caller.get("/secrets/slow").code == "SecretDisabled"
    fake.set_key("signing", {"kty": "RSA", "n": "xyz", "e": "AAEAAQ"})
    answer = caller.get("/keys/signing").json
    assert answer["key"]["e"] == "AAEAAQ" and answer["attributes"]["exportable"] is False
    assert caller.get("/keys/none").code == "KeyNotFound"
