"""The token endpoint: what it grants, and every refusal with its number, status and shape."""

import json
import re

import pytest

from .https import Caller, Connection
from .jwts import parse


def refused(answer, code, status, error):
    body = answer.json
    assert (body["error_codes"], answer.status, body["error"]) == ([code], status, error)
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert re.search(r"Trace ID: \S+ Correlation ID: \S+ Timestamp: [0-9: Z-]+$", body["error_description"])
    assert set(body) == {
        *("error", "error_description", "error_codes", "timestamp", "trace_id"),
        *("correlation_id", "error_uri"),
    }


def test_a_good_assertion_gets_a_token(fake, caller):
    answer = caller.login()
    assert answer.status == 200
    assert answer.json["token_type"] == "Bearer" and answer.json["expires_in"] == 3599
    _, claims = parse(answer.json["access_token"])
    assert claims["aud"] == "https://vault.localhost"
    assert claims["iss"] == f"https://sts.windows.net/{fake.tenant_id}/"
    assert claims["appid"] == fake.client_id
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["x-ms-ests-server"] and len(answer.headers.get_all("Set-Cookie")) == 2
    assert fake.tokens()[0]["token"] == answer.json["access_token"]


def test_unknown_members_query_and_oidc_scopes_are_ignored(fake, caller):
    target = f"/{fake.tenant_id}/oauth2/v2.0/token?client-request-id=1"
    scope = "https://vault.localhost/.default openid offline_access profile"
    assert caller.login(target, scope=scope, claims="{}", client_info="1").status == 200


@pytest.mark.parametrize(
    "kind, code, status, error",
    [
        ("expired", 700024, 401, "invalid_client"),
        ("not-yet-valid", 700024, 401, "invalid_client"),
        ("long-lived", 70023, 401, "invalid_client"),
        ("wrong-issuer", 700211, 401, "invalid_client"),
        ("wrong-subject", 700213, 401, "invalid_client"),
        ("wrong-audience", 700212, 401, "invalid_client"),
        ("wrong-key", 50013, 401, "invalid_client"),
        ("garbage", 50027, 400, "invalid_request"),
        ("empty", 7000218, 401, "invalid_client"),
    ],
)
def test_bad_assertions(fake, caller, kind, code, status, error):
    fake.write_assertion(kind)
    refused(caller.login(), code, status, error)
    entry = fake.journal(target="login")[-1]
    assert entry["login"]["aadsts"] == code and entry["status"] == status
    fake.write_assertion("good")
    assert caller.login().status == 200


def test_subject_is_named_in_the_refusal(fake, caller):
    fake.write_assertion("wrong-subject")
    assert "subject 'system:serviceaccount:demo:another'" in caller.login().json["error_description"]


@pytest.mark.parametrize(
    "form, code, status, error",
    [
        ({"client_id": "33333333-3333-3333-3333-333333333333"}, 700016, 400, "unauthorized_client"),
        ({"client_id": None}, 900144, 400, "invalid_request"),
        ({"grant_type": None}, 900144, 400, "invalid_request"),
        ({"grant_type": "password"}, 70003, 400, "unsupported_grant_type"),
        ({"scope": None}, 900144, 400, "invalid_request"),
        ({"scope": "https://vault.azure.net"}, 1002012, 400, "invalid_scope"),
        ({"scope": "a/.default b/.default"}, 70011, 400, "invalid_scope"),
        ({"scope": "https://example.org/.default"}, 500011, 400, "invalid_resource"),
        ({"resource": "https://vault.azure.net"}, 901002, 400, "invalid_request"),
        ({"client_assertion_type": None}, 900144, 400, "invalid_request"),
        ({"client_assertion": None}, 7000218, 401, "invalid_client"),
        (
            {"client_assertion": None, "client_assertion_type": None},
            *(7000216, 401, "invalid_client"),
        ),
    ],
)
def test_bad_forms(caller, form, code, status, error):
    refused(caller.login(**form), code, status, error)


@pytest.mark.parametrize(
    "tenant, code",
    [
        ("22222222-2222-2222-2222-222222222222", 90002),
        ("contoso.example", 90002),
        ("not_a_tenant", 900023),
        ("common", 50059),
    ],
)
def test_bad_tenants(caller, tenant, code):
    refused(caller.login(f"/{tenant}/oauth2/v2.0/token"), code, 400, "invalid_request")


def test_not_a_form_and_not_a_post(fake):
    connection = Connection(fake, "login.localhost")
    target = f"/{fake.tenant_id}/oauth2/v2.0/token"
    refused(connection.ask("POST", target, {"grant_type": "x"}), 900144, 400, "invalid_request")
    refused(connection.ask("GET", target), 900561, 400, "invalid_request")


def test_client_secrets(fake, caller):
    fake.update_identity(client_secrets={"s3cr3t~+/": False, "old": True})
    bare = {"client_assertion": None, "client_assertion_type": None}
    assert caller.login(**bare, client_secret="s3cr3t~+/").status == 200
    refused(caller.login(**bare, client_secret="s3cr3t~ /"), 7000215, 401, "invalid_client")
    refused(caller.login(**bare, client_secret="old"), 7000222, 401, "invalid_client")
    assert "s3cr3t~+/" in fake.markers()
    assert "s3cr3t" not in json.dumps([fake.identities(), fake.journal()])


def test_identity_without_federation_or_disabled(fake, caller):
    fake.update_identity(federations=[])
    refused(caller.login(), 70021, 401, "invalid_client")
    fake.update_identity(enabled=False)
    refused(caller.login(), 7000112, 401, "unauthorized_client")


def test_scripted_refusal_of_assertions(fake, caller):
    fake.reject_assertions(90061)
    refused(caller.login(), 90061, 400, "invalid_request")
    fake.reject_assertions(None)
    assert caller.login().status == 200


def test_token_policy(fake, caller):
    fake.token_policy(lifetime_s=1000, expires_in_type="string", refresh_in=500)
    body = caller.login().json
    assert (body["expires_in"], body["refresh_in"]) == ("999", 500)
    fake.token_policy(expires_in=5, expires_in_type="int", claims={"aud": "https://elsewhere"})
    body = caller.login().json
    assert body["expires_in"] == 5
    assert parse(body["access_token"])[1]["aud"] == "https://elsewhere"


def test_discovery(fake):
    connection = Connection(fake, "login.localhost")
    answer = connection.ask("GET", f"/{fake.tenant_id}/v2.0/.well-known/openid-configuration")
    base = f"https://login.localhost:{fake.port}/{fake.tenant_id}"
    assert answer.json["issuer"] == f"{base}/v2.0"
    assert answer.json["token_endpoint"] == f"{base}/oauth2/v2.0/token"
    keys = connection.ask("GET", answer.json["jwks_uri"].split(str(fake.port))[1]).json["keys"]
    token = Caller(fake).authenticate()
    assert keys[0]["kid"] == parse(token)[0]["kid"]
    target = f"/common/discovery/instance?api-version=1.1&authorization_endpoint={base}/x"
    assert connection.ask("GET", target).json["tenant_discovery_endpoint"].startswith(base)
    unknown = "/33333333-3333-3333-3333-333333333333/v2.0/.well-known/openid-configuration"
    assert connection.ask("GET", unknown).json["error"] == "invalid_tenant"
