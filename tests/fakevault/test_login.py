"""The token endpoint: what it grants, and every refusal with its number, status and shape."""

import datetime
import json
import re
import time
import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .client_assertion import PSS
from .https import Caller, Connection
from .jwts import b64url, parse


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


@pytest.fixture
def application(fake):
    """Signs assertions: `application(header, key=…, **claims)` is what a sign-in with one answers."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    certificate = builder.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256())
    fake.update_identity(certificates=[certificate.public_bytes(serialization.Encoding.PEM).decode()])
    prints = {"x5t": b64url(certificate.fingerprint(hashes.SHA1()))}
    prints["x5t#S256"] = b64url(certificate.fingerprint(hashes.SHA256()))
    caller = Caller(fake)

    def sign(algorithm, names, **claims):
        start = int(time.time())
        claims = {
            "aud": f"https://login.localhost:{fake.port}/{fake.tenant_id}/oauth2/v2.0/token",
            "iss": fake.client_id,
            "sub": fake.client_id,
            "jti": str(uuid.uuid4()),
            "nbf": start,
            "exp": start + 600,
        } | claims
        header = {"alg": algorithm} | {name: prints[name] for name in names}
        text = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
        form = PSS if algorithm == "PS256" else padding.PKCS1v15()
        return f"{text}.{b64url(key.sign(text.encode(), form, hashes.SHA256()))}"

    def login(*arguments, **claims):
        return caller.login(client_assertion=sign(*arguments, **claims)).json

    login.sign, login.send = sign, lambda assertion: caller.login(client_assertion=assertion).json
    return login


@pytest.mark.parametrize(
    ("algorithm", "thumbprints", "refusal"),
    [
        ("PS256", ("x5t#S256",), None),
        ("RS256", ("x5t",), None),
        ("RS256", ("x5t#S256",), 50027),
        ("PS256", ("x5t",), 50027),
        ("PS256", ("x5t", "x5t#S256"), 50027),
        ("RS256", ("x5t", "x5t#S256"), 50027),
        ("ES256", ("x5t",), 50027),
        ("PS256", (), 5002723),
    ],
)
def test_two_pairs_of_algorithm_and_thumbprint_are_documented(application, algorithm, thumbprints, refusal):
    body = application(algorithm, thumbprints)
    assert body.get("error_codes") == (refusal and [refusal]), body


def test_the_id_of_an_assertion_is_its_own(application):
    first = application.sign("PS256", ("x5t#S256",), jti="one")
    assert "access_token" in application.send(first) and "access_token" in application.send(first)
    assert application("PS256", ("x5t#S256",), jti="one")["error_codes"] == [50027]
    assert "access_token" in application("PS256", ("x5t#S256",), jti="two")


def test_times_of_an_assertion(application):
    now = time.time()
    pair = ("RS256", ("x5t",))
    assert "access_token" in application(*pair, iat=now + 0.5, exp=now + 600.5)
    assert application(*pair, exp=str(int(now + 600)))["error_codes"] == [50027]
    assert application(*pair, nbf=int(now) - 5000, exp=int(now) - 1000)["error_codes"] == [700024]
