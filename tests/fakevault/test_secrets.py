"""The data plane of secrets: operations, their errors, paging, soft deletion."""

import time

import pytest

V1 = "f" * 32
V2 = "0" * 32


def test_get_by_name_with_slash_and_by_version(fake, caller):
    fake.set("db-password", "old", version=V1)
    fake.set("db-password", "new", version=V2, content_type="text/plain", tags={"env": "prod"})
    for path in ("/secrets/db-password", "/secrets/db-password/", "/secrets/DB-PASSWORD"):
        answer = caller.get(path)
        assert answer.status == 200
        assert answer.json["value"] == "new"
        assert answer.json["id"] == f"https://shop-kv.vault.localhost/secrets/db-password/{V2}"
        assert answer.json["tags"] == {"env": "prod"}
        assert answer.json["attributes"]["recoverableDays"] == 90
    assert caller.get(f"/secrets/db-password/{V1}").json["value"] == "old"
    assert caller.get("/secrets/db-password?api%2Dversion=2025-07-01", version=None).status == 200


def test_values_are_escaped_json(fake, caller):
    value = "a+b\r\n\x00é😀'<&>\"\\"
    fake.set("odd", value)
    answer = caller.get("/secrets/odd")
    assert answer.json["value"] == value
    assert b"\\u002B" in answer.body and b"\\ud83d\\ude00" in answer.body and b"\\u0000" in answer.body


@pytest.mark.parametrize(
    "version, text", [("7.99", "version (7.99) is not recognized"), (None, "api-version"), ("", "api-version")]
)
def test_api_version_is_checked(caller, version, text):
    path = "/secrets/x?api-version=" if version == "" else "/secrets/x"
    answer = caller.get(path, version=version)
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert text in answer.message


@pytest.mark.parametrize(
    "path, status, code",
    [
        ("/secrets/missing", 404, "SecretNotFound"),
        (f"/secrets/here/{V1}", 404, "SecretNotFound"),
        ("/secrets/bad_name", 400, "BadParameter"),
        ("/secrets/" + "x" * 128, 400, "BadParameter"),
        ("/secrets/here/0123", 400, "BadParameter"),
        ("/secrets/here/pending", 400, "BadParameter"),
        ("/unknown", 404, "NotFound"),
        ("/secrets?maxresults=26", 400, "BadParameter"),
        ("/secrets?maxresults=0", 400, "BadParameter"),
        ("/secrets?$skiptoken=nonsense", 400, "BadParameter"),
        ("/deletedsecrets/here", 404, "SecretNotFound"),
    ],
)
def test_refusals(fake, caller, path, status, code):
    fake.set("here", "v")
    answer = caller.get(path)
    assert (answer.status, answer.code) == (status, code)


def test_not_found_text_names_what_was_asked(caller):
    assert caller.get("/secrets/nope").message.startswith(
        "A secret with (name/id) nope was not found in this key vault. If you recently deleted"
    )
    assert "(name/id) nope/" + V1 in caller.get(f"/secrets/nope/{V1}").message
    assert caller.get("/deletedsecrets/nope").message == "Deleted Secret not found: nope"


def test_disabled_is_403_and_does_not_fall_back(fake, caller):
    fake.set("s", "one", version=V1)
    fake.set("s", "two", version=V2, enabled=False)
    answer = caller.get("/secrets/s")
    assert (answer.status, answer.code) == (403, "SecretDisabled")
    assert answer.message == "Operation get is not allowed on a disabled secret."
    assert caller.get(f"/secrets/s/{V1}").status == 200
    fake.enable("s")
    assert caller.get("/secrets/s").json["value"] == "two"


def test_expired_and_future_are_answered_and_times_may_be_large(fake, caller):
    fake.set("s", "v", exp=1000)
    assert caller.get("/secrets/s").json["attributes"]["exp"] == 1000
    fake.set("s", "v", nbf=2**41)
    assert caller.get("/secrets/s").json["attributes"]["nbf"] == 2**41


def test_put_makes_versions_and_replies_the_value(fake, caller):
    body = {
        "value": "v1",
        "contentType": "text/plain",
        "tags": {"a": "b"},
        "attributes": {"enabled": False, "exp": 2524611661},
        "unknown": 1,
    }
    answer = caller.vault("PUT", "/secrets/new", body)
    assert answer.status == 200
    assert answer.json["value"] == "v1"
    assert answer.json["attributes"]["enabled"] is False
    assert answer.json["attributes"]["exp"] == 2524611661
    assert caller.vault("PUT", "/secrets/new", {"value": "v2"}).status == 200
    assert len(fake.secret("new")["versions"]) == 2
    assert caller.get("/secrets/new").json["value"] == "v2"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": 5},
        {"value": "x" * 25601},
        {"value": "é" * 12801},
        {"value": "v", "contentType": "c" * 256},
        {"value": "v", "tags": {str(n): "" for n in range(16)}},
        {"value": "v", "tags": {"a": "b" * 513}},
        {"value": "v", "attributes": {"nbf": 20, "exp": 10}},
        {"value": "v", "attributes": {"exp": "soon"}},
        {"value": "v", "attributes": {"enabled": "yes"}},
        "not json",
    ],
)
def test_put_refuses_bad_properties(fake, caller, body):
    answer = caller.vault("PUT", "/secrets/new", body, Content_Type="application/json")
    assert (answer.status, answer.code) == (400, "BadParameter")
    assert fake.call("GET", "/vaults/shop-kv")["secrets"] == []


def test_largest_value_fits(caller):
    assert caller.vault("PUT", "/secrets/big", {"value": "é" * 12800}).status == 200


def test_patch_changes_metadata_only(fake, caller):
    fake.set("s", "v", version=V1, tags={"old": "1", "older": "2"}, content_type="text/plain")
    fake.set("s", "v2", version=V2)
    changes = {"attributes": {"enabled": False}, "tags": {"new": "1"}}
    answer = caller.vault("PATCH", f"/secrets/s/{V1}", changes)
    assert answer.status == 200
    assert "value" not in answer.json
    assert answer.json["tags"] == {"new": "1"}
    assert answer.json["contentType"] == "text/plain"
    assert fake.secret("s")["current"] == V2
    assert caller.get("/secrets/s").json["value"] == "v2"


LONG_S = 3600


def test_delete_and_recover_take_a_while(fake, caller):
    fake.vault_settings(settle_s=LONG_S)
    fake.set("s", "v")
    answer = caller.vault("DELETE", "/secrets/s")
    assert answer.status == 200
    assert answer.json["recoveryId"] == "https://shop-kv.vault.localhost/deletedsecrets/s"
    assert answer.json["scheduledPurgeDate"] - answer.json["deletedDate"] == 90 * 86400
    assert "value" not in answer.json
    assert caller.get("/secrets/s").code == "SecretNotFound"
    assert caller.get("/deletedsecrets/s").status == 404
    assert caller.vault("PUT", "/secrets/s", {"value": "w"}).code == "ObjectIsBeingDeleted"
    fake.vault_settings(settle_s=0)
    fake.set("t", "v")
    assert caller.vault("DELETE", "/secrets/t").status == 200
    fake.vault_settings(settle_s=LONG_S)
    assert caller.vault("POST", "/deletedsecrets/t/recover").status == 200
    assert caller.get("/secrets/t").status == 404


def test_delete_settles_then_recovers_or_purges(fake, caller):
    fake.set("s", "v")
    caller.vault("DELETE", "/secrets/s")
    _until(lambda: caller.get("/deletedsecrets/s").status == 200)
    answer = caller.vault("PUT", "/secrets/s", {"value": "w"})
    assert (answer.status, answer.code) == (409, "ObjectIsDeletedButRecoverable")
    assert [item["id"][-2:] for page in caller.pages("/deletedsecrets") for item in page] == ["/s"]
    answer = caller.vault("POST", "/deletedsecrets/s/recover")
    assert answer.status == 200 and "value" not in answer.json
    _until(lambda: caller.get("/secrets/s").status == 200)
    assert caller.get("/secrets/s").json["value"] == "v"
    caller.vault("DELETE", "/secrets/s")
    _until(lambda: caller.vault("DELETE", "/deletedsecrets/s").status == 204)
    assert caller.vault("PUT", "/secrets/s", {"value": "w"}).status == 200


def _until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_lists_have_pages_short_and_empty_ones_too(fake, caller):
    for number in range(30):
        fake.set(f"s{number:02d}", "v", enabled=number != 3, content_type="text/plain")
    pages = caller.pages("/secrets")
    assert [len(page) for page in pages] == [25, 0, 5]
    items = [item for page in pages for item in page]
    assert [item["id"] for item in items] == [
        f"https://shop-kv.vault.localhost/secrets/s{number:02d}" for number in range(30)
    ]
    assert items[3]["attributes"]["enabled"] is False
    assert not any("value" in item for item in items)
    fake.vault_settings(empty_pages=5)
    assert [len(page) for page in caller.pages("/secrets?maxresults=20")] == [20, 0, 0, 0, 0, 0, 10]
    fake.vault_settings(empty_pages=0)
    assert [len(page) for page in caller.pages("/secrets")] == [25, 5]


def test_next_link_is_spelt_as_the_real_one(fake, caller):
    fake.set("s", "v")
    link = caller.get("/secrets?maxresults=5").json["nextLink"]
    start = f"https://shop-kv.vault.localhost:{fake.port}/secrets?api-version=7.6&$skiptoken="
    assert link.startswith(start) and link.endswith("&maxresults=5")
    wrong = link.replace("/secrets", "/deletedsecrets").split(str(fake.port))[1]
    assert caller.get(wrong, version=None).status == 400


@pytest.mark.parametrize("how, end", [("null", {"nextLink": None}), ("empty", {"nextLink": ""}), ("absent", {})])
def test_last_page_has_three_spellings(fake, caller, how, end):
    fake.vault_settings(empty_pages=0, final_next_link=how)
    assert caller.get("/secrets").json == {"value": []} | end


def test_versions_are_sorted_by_their_hex(fake, caller):
    order = [V1, "5" * 32, V2, "a" * 32]
    for version in order:
        fake.set("s", "v", version=version)
    items = [item for page in caller.pages("/secrets/s/versions") for item in page]
    assert [item["id"][-32:] for item in items] == sorted(order)
    assert not any(caller.pages("/secrets/none/versions"))
    assert caller.get("/secrets/s").json["id"].endswith("a" * 32)


def test_replies_may_have_unknown_and_reordered_members(fake, caller):
    fake.set("s", "v", tags={"a": "b"})
    plain = caller.get("/secrets/s").json
    fake.vault_settings(extra_members=True, reorder_members=True)
    odd = caller.get("/secrets/s").json
    assert odd["futureNumber"] == odd["attributes"]["futureNumber"] == 9007199254740993
    assert [name for name in odd if name in plain] == list(reversed(plain))
    assert odd["value"] == "v"


def test_response_headers(fake, caller):
    fake.set("s", "v")
    answer = caller.get("/secrets/s", x_ms_client_request_id="6d3e0c0b-2f0c-4a57-9d0e-5a1f7f3c2b11")
    headers = answer.headers
    assert headers["x-ms-client-request-id"] == "6d3e0c0b-2f0c-4a57-9d0e-5a1f7f3c2b11"
    assert len(headers["x-ms-request-id"]) == 36
    assert headers["x-ms-keyvault-region"] == "westeurope"
    assert "addr=127.0.0.1" in headers["x-ms-keyvault-network-info"]
    assert headers["x-ms-keyvault-rbac-assignment-id"]
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    assert "ETag" not in headers and "x-ms-client-request-id" not in caller.get("/secrets/s").headers


def test_wrong_method(caller):
    assert caller.vault("POST", "/secrets/s", {"value": "v"}).status == 405
