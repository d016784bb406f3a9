"""The marker scan: nothing that the sidecar shows of itself holds a value, a part of one, or a digest of one."""

import base64
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import time

import pki
import pytest
from conftest import BINARY, wait_until
from credentials import Credential
from leaks import leaks
from listener import Listener
from test_config import ConfigMap
from test_listen import IPV4, free_port
from test_status import on_terminal

from fakevault.client import ConnectProxy

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SOCKET = ("/startup", "/ready", "/live", "/status", "/metrics", "/nothing")
PORT = ("/startupz", "/readyz", "/healthz", "/status", "/metrics", "/", "/nothing")
COMMANDS = (["status"], ["status", "--output", "json"], ["probe", "startup"], ["probe", "ready"], ["probe", "live"], ["man"], ["refresh"])
ALWAYS = -1


def unguessable(words="planted"):
    """A value that stands nowhere by chance."""
    return f"{os.urandom(6).hex()}-{words}-{os.urandom(9).hex()}"


def raw(connect, path, accept="*/*"):
    """A whole answer, with its head."""
    with connect() as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n".encode())
        return b"".join(iter(lambda: sock.recv(65536), b"")).decode()


@contextlib.contextmanager
def on_volume(world):
    folder = os.open(world.volume, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"/proc/self/fd/{folder}/..sock")
            yield sock
    finally:
        os.close(folder)


def shown(world, port):
    """{where: what} of all that a sidecar shows of itself, as it is now: documents are made once a second."""
    time.sleep(1.1)
    found = {}
    for accept in ("*/*", OPENMETRICS):
        for path in PORT:
            found[f"port {path} {accept}"] = raw(lambda: socket.create_connection((IPV4, port)), path, accept)
        for path in SOCKET:
            found[f"socket {path} {accept}"] = raw(lambda: on_volume(world), path, accept)
    for command in COMMANDS:
        run = subprocess.run(
            [BINARY, *command], env={"AKVSYNC_DIR": str(world.volume)}, capture_output=True, text=True, timeout=30, check=False
        )
        found[" ".join(command)] = run.stdout + run.stderr
    found["status on a terminal"] = on_terminal(world.volume, columns=500).text
    return found


def assert_shows_nothing(world, port, planted=()):
    """All values, tokens and assertions that there were, and what a test planted besides."""
    documents = shown(world, port)
    values = [*world.fake.markers(values=True), *planted]
    assert values
    found = {where: told for where, text in documents.items() if (told := leaks(text, values))}
    assert not found, found
    return documents


def sidecar_at(world, objects, wait=True, **more):
    port = free_port()
    return port, world.sidecar(objects, wait=wait, AKVSYNC_LISTEN=f"{IPV4}:{port}", **more)


def test_the_scan_finds_what_it_looks_for():
    value = unguessable()
    data = value.encode()
    for text in (
        value, value[3:15], value.encode().hex(), base64.b64encode(data).decode(), hashlib.sha256(data).hexdigest(),
        hashlib.sha256(data).hexdigest()[:12].upper(), base64.b64encode(hashlib.md5(data).digest()).decode(),
    ):
        assert leaks(f"x {text} y", [value]), text
    assert not leaks(f"{value[:11]} {value[20:31]}", [value]) and not leaks("-----BEGIN PRIVATE KEY-----", ["-----BEGIN PRIVATE KEY-----\nnever-there-at-all"])


def issue(world, name, kind):
    """A certificate with its key; all that is secret of it."""
    chain = pki.Chain()
    key = pki.key_pem(chain.key).decode()
    if kind == "pem":
        value, content = key + pki.cert_pem(*chain.all).decode(), "application/x-pem-file"
    else:
        value, content = pki.base64_pfx(chain.key, chain.all), "application/x-pkcs12"
    world.fake.set_certificate(name, value, pki.cer(chain.leaf), content_type=content)
    return [key, value]


def everything(world):
    """Objects of all kinds, with variables and values that they make."""
    leaf = {name: unguessable(name) for name in ("user", "word", "deep")}
    world.fake.set("json", json.dumps({"user": leaf["user"], "word": leaf["word"], "in": [{"deep": leaf["deep"]}]}))
    planted = [*leaf.values(), *issue(world, "web", "pem"), *issue(world, "mail", "pfx")]
    for name in ("plain", "store-word"):
        planted.append(world.plant(name))
    binary = os.urandom(40)
    world.fake.set("binary", base64.b64encode(binary).decode())
    listed = [
        {"objectName": "plain", "objectType": "secret"},
        {"objectName": "binary", "objectType": "secret", "objectEncoding": "base64"},
        {"objectName": "json", "objectType": "secret", "extract": "all"},
        {"objectName": "json", "objectType": "secret", "objectAlias": "part", "jmesPath": [{"path": "in[0].deep", "objectAlias": "deep-one"}]},
        {"objectName": "web", "objectType": "secret", "objectAlias": "web.pem"},
        {"objectName": "web", "objectType": "cert", "objectAlias": "web.crt"},
        {"objectName": "web", "objectType": "key", "objectAlias": "web.pub"},
        {"objectName": "mail", "objectType": "secret", "objectAlias": "mail.p12", "objectFormat": "pkcs12", "passwordObject": "store-word"},
        {"objectName": "mail", "objectType": "secret", "objectAlias": "mail.trust", "objectFormat": "truststore", "passwordObject": "store-word"},
        {"objectName": "mail", "objectType": "secret", "objectAlias": "mail.pem"},
    ]
    (world.folder / "env").mkdir()
    more = {
        "AKVSYNC_TEMPLATES": json.dumps([{"path": "url", "text": "postgres://u:{{plain|url}}@db"}]),
        "AKVSYNC_ENV_FILES": json.dumps([{"path": str(world.folder / "env/app.env"), "variables": {"PASSWORD": "plain"}}]),
    }
    return json.dumps(listed), more, [*planted, binary.hex(), base64.b64encode(binary).decode()]


def test_values_of_all_kinds(world):
    objects, more, planted = everything(world)
    header, query = unguessable("header"), unguessable("query")
    app = Listener(answer=lambda count: 500)
    (world.folder / "headers").write_text(f"Authorization: Bearer {header}-of-the-file\n")
    target = (
        f"header=Authorization: Bearer {header},header-file={world.folder}/headers,"
        f"http=POST http://127.0.0.1:{app.port}/reload?token={query}&b={query}"
    )
    try:
        port, sidecar = sidecar_at(world, objects, AKVSYNC_NOTIFY=target, **more)
        planted += [header, query]
        documents = assert_shows_nothing(world, port, planted)
        assert "extract" not in documents["port / */*"] and "mail.trust" in documents["port / */*"]
        # Each gets another version, and the app does not take it.
        mark = sidecar.mark()
        planted += [*issue(world, "web", "pem"), *issue(world, "mail", "pfx"), world.plant("plain"), world.plant("store-word")]
        world.fake.set("json", json.dumps({"user": unguessable(), "word": unguessable(), "in": [{"deep": unguessable()}]}))
        sidecar.poll()
        sidecar.wait_log("notify-failed", since=mark)
        assert any(header in request[2].get("Authorization", "") for request in app.requests)
        documents = assert_shows_nothing(world, port, planted)
        assert "http=POST http://127.0.0.1" in documents["port /status */*"]
        # And each is broken.
        for name in ("json", "web", "mail", "binary"):
            world.fake.set(name, unguessable("neither-json-nor-pem-nor-base64{\"user\": "), content_type="application/x-pem-file")
        mark = sidecar.mark()
        sidecar.poll()
        sidecar.wait_log("failure", since=mark)
        assert_shows_nothing(world, port, planted)
    finally:
        app.stop()


def echoes(secrets):
    """Answers of a vault or a login that say what they were told, in all the places that akvsync reads."""
    said = " ".join(secrets)
    one = secrets[0]
    return {
        "message": {"status": 403, "json": {"error": {"code": "Forbidden", "message": said, "innererror": {"code": "ForbiddenByRbac", "message": said}}}},
        "code": {"status": 400, "json": {"error": {"code": said, "message": said}}},
        "inner code": {"status": 403, "json": {"error": {"code": "Forbidden", "innererror": {"code": said}}}},
        "html": {"status": 502, "body": f"<html>{said}</html>", "content_type": "text/html"},
        "not json": {"status": 200, "body": said},
        "cut json": {"status": 200, "body": f'{{"value": "{one}", "id": "'},
        "strange id": {"status": 200, "json": {"value": one, "id": f"https://x/secrets/{one}/{one}"}},
        "strange version": {"status": 200, "json": {"value": one, "id": f"https://shop-kv.vault.localhost/secrets/a/{one}"}},
        "redirect": {"status": 302, "location": f"https://elsewhere.example/{one}?{one}"},
        "challenge": {"status": 401, "www_authenticate": f'Bearer authorization="https://login.localhost/{one}", resource="https://vault.elsewhere.example", error="{one}", claims="{one}"'},
        "request id": {"status": 403, "json": {"error": {"code": "Forbidden", "message": said}}, "headers": {"x-ms-request-id": one, "x-ms-keyvault-rbac-cache": said}},
        "retry-after": {"status": 429, "headers": {"Retry-After": one, "x-ms-retry-after-ms": one}},
        "entra": {"status": 401, "json": {"error": one, "error_description": f"AADSTS7000215: Invalid client secret {said} is provided.", "error_codes": [7000215], "correlation_id": one, "trace_id": one}},
        "entra without a number": {"status": 400, "json": {"error": said, "error_description": said, "error_uri": said}},
    }


ECHOES = list(echoes(["x"]))


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("target", ["vault", "login"])
def test_a_server_that_says_what_it_was_told(world, target, echo):
    """Its words may stand in a message: never the value, the token or the assertion that it repeats."""
    world.plant("a", "b")
    port, sidecar = sidecar_at(world, "a, b")
    value = world.plant("a")
    tokens = [token["token"] for token in world.fake.tokens()]
    assertion = world.fake.assertion_file.read_text()
    secrets = [value, *tokens] if target == "vault" else [assertion]
    mark = sidecar.mark()
    if target == "login":
        world.fake.revoke_tokens()
    world.fake.fault(echoes(secrets)[echo], target=target, times=ALWAYS)
    sidecar.poll()
    sidecar.wait_log("failure", since=mark)
    assert_shows_nothing(world, port, [value, assertion, *tokens])


@pytest.mark.parametrize("good", [True, False], ids=["accepted", "refused"])
def test_a_client_secret(world, good):
    world.plant("a")
    word = unguessable("client")
    world.fake.update_identity(client_secrets={word: False}, federations=[])
    port, sidecar = sidecar_at(world, "a", AZURE_CLIENT_SECRET=word)
    if not good:
        mark = sidecar.mark()
        world.fake.update_identity(client_secrets={unguessable(): False}, federations=[])
        world.fake.revoke_tokens()
        sidecar.poll()
        sidecar.wait_log("failure", since=mark)
    assert_shows_nothing(world, port, [word])


@pytest.mark.parametrize("given", ["AZURE_CLIENT_SECRET", "AKVSYNC_CLIENT_SECRET_FILE"])
def test_an_entra_that_says_a_client_secret(world, given):
    world.plant("a")
    word = unguessable("client")
    world.fake.update_identity(client_secrets={word: False}, federations=[])
    path = world.folder / "word"
    path.write_text(word + "\n")
    port, sidecar = sidecar_at(world, "a", **{given: str(path) if given.endswith("FILE") else word})
    mark = sidecar.mark()
    world.fake.revoke_tokens()
    world.fake.fault(echoes([word])["entra"], target="login", times=ALWAYS)
    sidecar.poll()
    sidecar.wait_log("failure", since=mark)
    assert_shows_nothing(world, port, [word])


@pytest.mark.parametrize("fits", [True, False], ids=["fits", "does-not-fit"])
def test_a_certificate_with_a_password(world, fits):
    world.plant("a")
    credential, word = Credential.make(), unguessable("password")
    world.fake.update_identity(certificates=[credential.public_pem], federations=[])
    path = world.folder / "app.pfx"
    path.write_bytes(credential.pfx(word))
    given = word if fits else unguessable("wrong")
    port, sidecar = sidecar_at(
        world, "a", wait=fits, AZURE_CLIENT_CERTIFICATE_PATH=str(path), AZURE_CLIENT_CERTIFICATE_PASSWORD=given
    )
    if not fits:
        sidecar.wait_log("failure", "does not fit")
    key = pki.key_pem(credential.key).decode()
    assert_shows_nothing(world, port, [word, given, key, path.read_bytes().hex()])


@pytest.mark.parametrize("works", [True, False], ids=["accepted", "refused"])
def test_a_proxy_with_a_password(world, works):
    world.plant("a")
    word, name = unguessable("proxy"), unguessable("user")
    with ConnectProxy(world.fake.port, user=f"{name}:{word}" if works else "other:other") as proxy:
        port, sidecar = sidecar_at(
            world, "a", wait=works, HTTPS_PROXY=f"http://{name}:{word}@127.0.0.1:{proxy.port}", AKVSYNC_VAULT="shop-kv",
            AZURE_AUTHORITY_HOST="",
        )
        if not works:
            sidecar.wait_log("failure", "407")
        assert_shows_nothing(world, port, [word, name])


REFUSED = {
    "notify with a user": "notify: http=POST http://{0}:{0}@127.0.0.1/reload\n",
    "header of nothing": "notify: 'header=Authorization: {0}'\n",
    "query and typo": "notify: htp=POST http://127.0.0.1/?{0}\n",
    "secret in place of an id": "clientId: {0}\n",
    "unknown name": "clientSecret: {0}\n",
    "not YAML": "notify: [http=POST http://127.0.0.1/?{0}\n",
    "poll interval": "pollInterval: {0}\n",
    "template": "templates:\n- path: x\n  text: '{{{{ {0}'\n",
    "template of a value": "templates:\n- path: x\n  text: 'word {0} {{{{nothing}}}}'\n",
}


@pytest.mark.parametrize("row", REFUSED)
def test_a_refused_configuration(world, row):
    """Somebody has put a password where it does not belong."""
    world.plant("a")
    word = unguessable()
    config = ConfigMap(world.folder / "config", "objects: a\n")
    port = free_port()
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=config.path, AKVSYNC_LISTEN=f"{IPV4}:{port}"))
    sidecar.wait_log("ready")
    mark = sidecar.mark()
    config.write("objects: a\n" + REFUSED[row].format(word))
    assert wait_until(lambda: sidecar.find("configuration-refused", since=mark) or sidecar.find("configuration-applied", since=mark) or sidecar.find("configuration-read", since=mark))
    documents = assert_shows_nothing(world, port, [word])
    if sidecar.find("configuration-refused", since=mark):
        assert '"kind":"configuration"' in documents["port /status */*"]
