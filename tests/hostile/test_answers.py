"""What a hostile vault or token endpoint answers: refused, bounded in time and bytes, and not repeated in any message."""

import base64
import json
import re
import time

import pki
import pytest
from conftest import PROMPT_S, wait_until
from test_health import ask
from test_formats import P12

VERSION = "0123456789abcdef0123456789abcdef"
OTHER_VERSION = "f" * 32
ALWAYS = -1
VALUE = "a-value-that-must-not-be-published"


def answer(world, path, body, **fault):
    """From now on requests for the path with a token get this answer; a fixed text, or an object."""
    action = {"status": 200} | ({"body": body, "content_type": "application/json"} if isinstance(body, str) else {"json": body})
    world.fake.fault(action | fault, target="vault", authenticated=True, path=path, times=ALWAYS)


def b64(number, size=None):
    size = size or (number.bit_length() + 7) // 8 or 1
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).rstrip(b"=").decode()


def refused(world, objects, says, **env):
    process = world.start("init", env=world.env(objects, AKVSYNC_INIT_TIMEOUT="2m", **env))
    wait_until(lambda: re.search(says, process.text) or process.popen.poll() is not None)
    assert process.stop()[0] not in (0, None), process.text
    assert re.search(says, process.text), process.text
    assert not world.files()
    return process


# Ids: the answer is of another vault, object or version

IDS = {
    "another vault": "https://other-kv.vault.localhost:{port}/secrets/a/{version}",
    "another vault, which ends alike": "https://notshop-kv.vault.localhost:{port}/secrets/a/{version}",
    "another vault, which begins alike": "https://shop-kv.vault.localhost.example:{port}/secrets/a/{version}",
    "the vault as a user": "https://shop-kv.vault.localhost:443@other.example/secrets/a/{version}",
    "the vault in the query": "https://other.example/?https://shop-kv.vault.localhost/secrets/a/{version}",
    "another object": "{vault}/secrets/b/{version}",
    "an object that begins alike": "{vault}/secrets/aa/{version}",
    "another kind": "{vault}/keys/a/{version}",
    "a folder before it": "{vault}/x/secrets/a/{version}",
    "a segment between": "{vault}/secrets/a/b/{version}",
    "no path": "https://shop-kv.vault.localhost:{port}",
    "a path alone": "/secrets/a/{version}",
    "no address": "a/{version}",
}


def filled(text, world):
    return text.format(vault=world.fake.vault_url, port=world.fake.port, version=VERSION)


@pytest.mark.parametrize("name", IDS)
def test_an_answer_of_another_object_is_not_published(world, name):
    answer(world, "/secrets/a", {"value": VALUE, "id": filled(IDS[name], world)})
    refused(world, "a", "secret 'a': garbled reply: (its id is of another|no version)")


@pytest.mark.parametrize("name", ["another vault", "another object", "a segment between"])
@pytest.mark.parametrize("kind", ["key", "cert"])
def test_the_same_of_keys_and_certificates(world, kind, name):
    plural = {"key": "keys", "cert": "certificates"}[kind]
    other = filled(IDS[name].replace("/secrets/", f"/{plural}/"), world)
    key = {"kid": other, "kty": "RSA", "n": b64(2**2047 + 1), "e": "AQAB"}
    answer(world, f"/{plural}/a", {"key": key} if kind == "key" else {"id": other, "cer": "MIIB"})
    refused(world, f"[{{objectName: a, objectType: {kind}}}]", "'a': garbled reply: its id is of another")


def test_a_pinned_version_is_the_one_that_was_asked_for(world):
    answer(world, f"/secrets/a/{VERSION}", {"value": VALUE, "id": f"{world.fake.vault_url}/secrets/a/{OTHER_VERSION}"})
    refused(world, f"[{{objectName: a, objectVersion: {VERSION}}}]", "secret 'a': garbled reply: its id is of another object")


@pytest.mark.parametrize("name", ["another vault", "another kind"])
def test_a_list_names_its_own_vault(world, name):
    """An object of a foreign list would be asked for by its name in this vault."""
    world.plant("a")
    other = filled(IDS[name], world).rpartition("/")[0]
    answer(world, "/secrets", {"value": [{"id": other, "attributes": {"enabled": True}}]})
    refused(world, "[{objectNamePattern: '*'}]", "list of secrets like '[*]': garbled reply: its id is of another")


def test_a_history_names_its_own_object(world):
    world.plant("a", "b")
    other = f"{world.fake.vault_url}/secrets/b/{VERSION}"
    answer(world, "/secrets/a/versions", {"value": [{"id": other, "attributes": {"enabled": True}}]})
    refused(world, "[{objectName: a, objectVersionHistory: 2}]", "garbled reply: its id is of another object")


@pytest.mark.parametrize("form", ["{upper}/secrets/A/{version}", "https://shop-kv.vault.localhost/SECRETS/a/{version}"])
def test_case_and_port_are_not_compared(world, form):
    """The service echoes the case of an object's creation, and a test vault its own port."""
    upper = world.fake.vault_url.replace("shop", "SHOP")
    answer(world, "/secrets/a", {"value": VALUE, "id": form.format(upper=upper, version=VERSION)})
    assert world.init("a").code == 0
    assert world.files() == {"a": VALUE}


def test_without_verification_any_host_may_answer(world):
    answer(world, "/secrets/a", {"value": VALUE, "id": f"https://gateway.example/secrets/a/{VERSION}"})
    assert world.init("a", AKVSYNC_VERIFY_CHALLENGE="false").code == 0
    assert world.files() == {"a": VALUE}


# Texts that are no texts

TEXTS = {
    "NUL in the id": '{{"value":"v","id":"{id}\\u0000"}}',
    "NUL in the content type": '{{"value":"v","contentType":"a\\u0000b","id":"{id}"}}',
    "NUL in a tag": '{{"value":"v","tags":{{"a":"b\\u0000"}},"id":"{id}"}}',
    "NUL in a key": '{{"value":"v","ta\\u0000gs":1,"id":"{id}"}}',
    "half a surrogate pair": '{{"value":"\\ud800","id":"{id}"}}',
    "nested without end": '{{"value":"v","id":"{id}","x":' + "[" * 100_000,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_none_is_refused(world, name):
    answer(world, "/secrets/a", TEXTS[name].format(id=f"{world.fake.vault_url}/secrets/a/{VERSION}"))
    refused(world, "a", "secret 'a': garbled reply")


@pytest.mark.parametrize("place", ["value", "contentType", "tags", "unknown"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_bytes_that_are_not_utf8_are_refused(raw_vault, place, bad):
    world, vault = raw_vault
    members = {"value": b"v", "contentType": b"text", "unknown": b"x"}
    if place != "tags":
        members[place] = b"x" + bad
    tags = b'{"t":"x' + (bad if place == "tags" else b"") + b'"}'
    pairs = b",".join(b'"%s":"%s"' % (name.encode(), value) for name, value in members.items())
    vault.body = b'{%s,"tags":%s,"id":"%s/secrets/a/%s"}' % (pairs, tags, vault.url.encode(), VERSION.encode())
    refused(world, "a", "secret 'a': garbled reply", **vault.env)


def test_a_list_that_is_not_utf8_is_refused(raw_vault):
    world, vault = raw_vault
    vault.body = b'{"value":[{"id":"%s/secrets/a","tags":{"t":"\xff"}}]}' % vault.url.encode()
    refused(world, "[{objectNamePattern: '*'}]", "list of secrets like '[*]': garbled reply: it is not UTF-8", **vault.env)


# Numbers that make no key

MODULUS = 2**2047 + 2**1000 + 1
P256_X = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"
P256_Y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"

KEYS = {
    "n is 0": {"kty": "RSA", "n": b64(0), "e": "AQAB"},
    "n is many zeros": {"kty": "RSA", "n": b64(0, 256), "e": "AQAB"},
    "n is 1": {"kty": "RSA", "n": b64(1), "e": "AQAB"},
    "n is even": {"kty": "RSA", "n": b64(MODULUS - 1), "e": "AQAB"},
    "n is less than e": {"kty": "RSA", "n": b64(17), "e": "AQAB"},
    "n of 32,000 bits": {"kty": "RSA", "n": b64(2**32000 + 1), "e": "AQAB"},
    "n is empty": {"kty": "RSA", "n": "", "e": "AQAB"},
    "n is missing": {"kty": "RSA", "e": "AQAB"},
    "n is a number": {"kty": "RSA", "n": 5, "e": "AQAB"},
    "e is 0": {"kty": "RSA", "n": b64(MODULUS), "e": b64(0)},
    "e is 1": {"kty": "RSA", "n": b64(MODULUS), "e": b64(1)},
    "e is even": {"kty": "RSA", "n": b64(MODULUS), "e": b64(65536)},
    "e is as long as n": {"kty": "RSA-HSM", "n": b64(MODULUS), "e": b64(MODULUS)},
    "e of 300 bits": {"kty": "RSA-HSM", "n": b64(MODULUS), "e": b64(2**300 + 1)},
    "x is 0": {"kty": "EC", "crv": "P-256", "x": b64(0, 32), "y": b64(0, 32)},
    "a point beside the curve": {"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_X},
    "a point of another curve": {"kty": "EC", "crv": "P-384", "x": P256_X, "y": P256_Y},
    "x is one byte too long": {"kty": "EC", "crv": "P-256", "x": "AT" + P256_X, "y": P256_Y},
    "x is of 4,000 bytes": {"kty": "EC", "crv": "P-256", "x": b64(2**32000 - 1), "y": P256_Y},
    "x is one byte": {"kty": "EC-HSM", "crv": "P-256", "x": b64(5), "y": P256_Y},
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_is_none_is_refused(world, name):
    key = {"kid": f"{world.fake.vault_url}/keys/a/{VERSION}"} | KEYS[name]
    answer(world, "/keys/a", {"key": key})
    refused(world, "[{objectName: a, objectType: key}]", "key 'a': garbled reply: the key's ")


# What an error repeats

JWT = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (
    b'{"typ":"JWT","alg":"RS256","x5t":"q-23fal"}', b'{"aud":"https://vault.azure.net","oid":"8f3a2b1c"}', bytes(range(3, 250, 3)))]

FIREWALL = {"code": "Forbidden", "innererror": {"code": "ForbiddenByFirewall"}}
PLACES = {
    "code": (400, lambda echo: {"error": {"code": echo, "message": echo}}),
    "inner code": (403, lambda echo: {"error": {"code": "Forbidden", "innererror": {"code": echo, "innererror": {"code": echo}}}}),
    "client address": (403, lambda echo: {"error": FIREWALL | {"message": "Client address: " + echo}}),
    "AKV code": (401, lambda echo: {"error": {"code": "Unauthorized", "message": "AKV" + echo}}),
}
ECHOES = {
    "a part of a token": JWT[0],
    "a token without signs": re.sub("[^A-Za-z0-9]", "", "".join(JWT))[:60],
    "hexadecimal": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    "digits": "31415926535897932384626",
    "a short piece": "eyJ0eXAiOi",
    "letters": "qwertzuiopasdfgh",
    "capitals": "QWERTZUIOPASDFGH",
}


def not_repeated(text, echo):
    pieces = {echo[at : at + 10] for at in range(0, max(1, len(echo) - 9))}
    assert not [piece for piece in pieces if piece in text], text


@pytest.mark.parametrize("what", ECHOES)
@pytest.mark.parametrize("place", PLACES)
def test_no_error_repeats_a_token(world, place, what):
    status, body = PLACES[place]
    echo = ECHOES[what]
    answer(world, "/secrets/a", body(echo), status=status)
    process = world.init("a", AKVSYNC_INIT_TIMEOUT="2s")
    assert process.code not in (0, None)
    assert re.search(f"secret 'a': {status}|vault .* does not accept", process.text), process.text
    not_repeated(process.text, echo)


@pytest.mark.parametrize("what", ["a part of a token", "a token without signs", "hexadecimal"])
@pytest.mark.parametrize("form", ["AADSTS70021: {}. More", "AADSTS70021: No match for '{}': x. More", "AADSTS70021: Seen {}.{} here"])
def test_no_refusal_of_a_token_repeats_one(world, form, what):
    echo = ECHOES[what]
    world.plant("a")
    world.fake.fault({"status": 401, "json": {"error": "invalid_client", "error_description": form.format(echo, echo)}},
                     target="login", times=ALWAYS)
    process = world.init("a", AKVSYNC_INIT_TIMEOUT="2s")
    assert process.find("exit", "AADSTS70021: .*[(]a token[)]")
    not_repeated(process.text, echo)


def test_what_a_refusal_names_is_shown(world):
    """The issuer, the subject and the application are what the operator compares."""
    issuer = "https://westeurope.oic.prod-aks.azure.com/11111111-2222-3333-4444-555555555555/99999999-2222-3333-4444-555555555555/"
    subject = "system:serviceaccount:a-namespace-with-a-very-long-name-of-team-4711:service-account-of-the-backend-2"
    said = f"AADSTS700213: No match for subject '{subject}' of issuer '{issuer}'"
    world.plant("a")
    world.fake.fault({"status": 401, "json": {"error_description": said + ". Trace"}}, target="login", times=ALWAYS)
    process = world.init("a", AKVSYNC_INIT_TIMEOUT="2s")
    assert said[:200] in process.find("exit")[0]["msg"]


@pytest.mark.parametrize("what", ["a part of a token", "a token without signs", "hexadecimal"])
def test_no_challenge_repeats_a_token(world, what):
    echo = ECHOES[what]
    world.plant("a")
    challenge = f'Bearer authorization="https://x/{echo}", resource="https://{echo}.example"'
    world.fake.fault({"status": 401, "www_authenticate": challenge}, target="vault", times=ALWAYS)
    process = world.init("a", AKVSYNC_INIT_TIMEOUT="2s")
    assert process.find("exit", "asks for a token for 'https://[(]a token[)].example'")
    not_repeated(process.text, echo)


# Work that a value asks for

BEARABLE, TOO_MUCH = 16_000, 600_000
"""Iterations of each of the three parts of a PKCS#12: within what is computed, and far beyond it."""
SPLIT = "[{objectNamePattern: 'w-*', layout: split}]"


def stores(world, iterations, count):
    chain = pki.Chain()
    made = pki.pkcs12(chain.key, chain.all, iterations=0x10000 if iterations == TOO_MUCH else iterations, sha1=False,
                      key_pbe=pki.AES, cert_pbe=pki.AES)
    if iterations == TOO_MUCH:  # to make them would take as long
        made = made.replace(b"\x02\x03\x01\0\0", b"\x02\x03" + TOO_MUCH.to_bytes(3, "big"))
    for i in range(count):
        world.fake.set(f"w-{i:03}", base64.b64encode(made).decode(), content_type=P12)


def test_a_store_that_asks_for_too_much_is_refused_at_once(world):
    stores(world, TOO_MUCH, 20)
    process = world.init(SPLIT, AKVSYNC_INIT_TIMEOUT="5s")
    assert process.code not in (0, None)
    assert process.find("failure", "secret 'w-000': its PKCS#12 asks for too many iterations")
    assert not process.find("failure", "in time")


def test_a_store_within_the_bound_is_opened(world):
    stores(world, BEARABLE, 1)
    assert world.init(SPLIT).code == 0
    assert set(world.files()) == {"w-000.crt", "w-000.key", "w-000"}


def test_the_deadline_holds_while_stores_are_opened(world):
    """Each of them is bearable; all of them take several times longer than there is time."""
    stores(world, BEARABLE, 400)
    process = world.init(SPLIT, AKVSYNC_INIT_TIMEOUT="4s")
    assert process.code not in (0, None)
    # A machine that is slow enough has not read them all by then.
    assert process.find("exit", "secret 'w-...': it has been read, but no time was left to make its files|no answer")


def test_a_sidecar_answers_and_stops_while_stores_are_opened(world):
    stores(world, BEARABLE, 400)
    sidecar = world.sidecar(SPLIT, wait=False)
    fetched = time.monotonic()
    while len(world.fake.journal(target="vault", status=200)) < 401 and time.monotonic() < fetched + 30:
        time.sleep(0.05)
    for _ in range(5):
        assert wait_until(lambda: ask(world, "probe", "live").returncode == 0)
    assert not sidecar.find("ready")
    assert sidecar.stop()[1] < PROMPT_S


# Lists without end


def endless(vault, items, pad=0):
    """Each page names one more; its items match nothing that is asked for here."""

    def reply(connection, path):
        number = int((re.search(r"page=(\d+)", path) or [0, "0"])[1])
        made = [{"id": f"{vault.url}/secrets/other-{number}-{i}", "attributes": {"enabled": True}} for i in range(items)]
        page = {"value": made, "nextLink": f"{vault.url}/secrets?api-version=7.4&page={number + 1}", "pad": "x" * pad}
        vault.reply(connection, 200, json.dumps(page).encode())

    vault.answer = reply


MIB = 1 << 20


@pytest.mark.parametrize(("items", "pad", "most"), [(0, 0, 2), (1, 0, 4), (3000, 0, 8), (1, 4_000_000, 24), (25, 100_000, 24)])
def test_an_endless_list_ends(raw_vault, items, pad, most):
    world, vault = raw_vault
    endless(vault, items, pad)
    sidecar = world.sidecar("[{objectNamePattern: 'a-*'}]", wait=False, AKVSYNC_POLL_INTERVAL="1h", **vault.env)
    told = sidecar.wait_log("failure", timeout=90)
    assert (told["kind"], bool(re.search("its pages have no end", told["msg"]))) == ("list", True)
    assert vault.sent < most * MIB
    assert ask(world, "probe", "live").returncode == 0
    assert len(sidecar.find("failure", kind="list")) == 1


def test_a_list_of_many_matches_is_looked_through_at_once(raw_vault):
    """More than there may be objects, over and over: one warning, and the loop goes on."""
    world, vault = raw_vault
    value = {"value": "v", "attributes": {"enabled": True}}
    items = [{"id": f"{vault.url}/secrets/a-{i % 9000}", "attributes": {"enabled": True}} for i in range(24_000)]
    pages = [items[at : at + 8000] for at in range(0, len(items), 8000)]

    def reply(connection, path):
        name, _, query = path.removeprefix("/secrets").partition("?")
        if name:
            page = value | {"id": f"{vault.url}/secrets{name}/{VERSION}"}
        else:
            number = int(query.rpartition("page=")[2]) if "page=" in query else 0
            following = f"{vault.url}/secrets?page={number + 1}" if number + 1 < len(pages) else None
            page = {"value": pages[number], "nextLink": following}
        vault.reply(connection, 200, json.dumps(page).encode())

    vault.answer = reply
    sidecar = world.sidecar("[{objectNamePattern: 'a-*'}]", wait=False, **vault.env)
    assert wait_until((world.volume / "..sock").is_socket)
    while not sidecar.find("ready"):
        assert ask(world, "probe", "live").returncode == 0
        assert sidecar.popen.poll() is None
    assert len(world.files()) == 1000
    assert [(told["level"], told["kind"]) for told in sidecar.find("failure")] == [("warn", "left-out")]
