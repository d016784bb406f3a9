"""The managed identity endpoints are as strict as the real ones; so is a vault's limit."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest


def ask(url, headers, **query):
    """Status and body of a plain GET."""
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(query)}", headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def imds(fake):
    fake.update_identity(managed="user", resource_id="/subscriptions/1/x")
    resource = "https://vault.localhost"

    def get(headers=None, **query):
        full = {"api-version": "2018-02-01", "resource": resource} | query
        return ask(fake.imds + "/metadata/identity/oauth2/token", {"Metadata": "true"} if headers is None else headers, **full)

    return get


def test_imds_numbers_are_strings(imds):
    status, body = imds()
    assert status == 200 and body["token_type"] == "Bearer"
    assert all(isinstance(body[name], str) for name in ("expires_in", "expires_on", "ext_expires_in", "not_before"))


@pytest.mark.parametrize(
    "headers", [{}, {"Metadata": "True"}, {"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}], ids=["none", "case", "proxy"]
)
def test_imds_refuses_what_may_come_from_elsewhere(imds, headers):
    assert imds(headers)[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        {"client_id": "a", "object_id": "b"},
        {"client_id": "33333333-3333-3333-3333-333333333333"},
        {"resource": "https://vault.example"},
        {"api-version": "2016-01-01"},
    ],
    ids=["two", "unknown", "resource", "version"],
)
def test_imds_refuses(imds, query):
    assert imds(**query)[0] == 400


def test_imds_wants_to_know_which(fake, imds):
    fake.add_identity(managed="user")
    assert "Multiple user assigned identities" in imds()[1]["error_description"]
    assert imds(client_id=fake.client_id)[0] == 200


def test_app_service_wants_its_header(fake, imds):
    endpoint = fake.app_service["IDENTITY_ENDPOINT"]
    query = {"api-version": "2019-08-01", "resource": "https://vault.localhost"}
    status, body = ask(endpoint, {"X-IDENTITY-HEADER": fake.app_service["IDENTITY_HEADER"]}, **query)
    assert status == 200 and "expires_in" not in body
    assert ask(endpoint, {"X-IDENTITY-HEADER": "wrong"}, **query) == (
        401,
        {"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong"},
    )


def test_a_limit_counts_what_it_lets_through(fake, caller):
    fake.set("s", "value")
    caller.authenticate()
    fake.vault_settings(limit=3, limit_window_s=3600)
    answers = [caller.get("/secrets/s") for _ in range(5)]
    # The window may turn in between; then more get through.
    assert [answer.status for answer in answers].count(429) >= 1
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.code == "Throttled" and "Retry-After" not in refused.headers


def test_a_managed_hsm_holds_keys_only(fake, caller):
    host = "shop-kv.managedhsm.localhost"
    caller.authenticate(scope="https://managedhsm.localhost/.default")
    assert caller.get("/secrets/s", host=host).status == 400
    assert caller.get("/keys/k", host=host).code == "KeyNotFound"
    assert caller.get("/keys/k").status == 401, "its token is not for a vault"
