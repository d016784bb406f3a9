"""Emulators of Key Vault: stand-ins that answer as the emulators do which docs/emulators.md tells of.

They are not the emulators: they have their hosts, challenges, statuses and types, as their documentation and source say.
"""

import http.server
import json
import re
import secrets
import ssl
import threading

import pki
import pytest
from conftest import ROOT
from test_formats import P12

PAGE = (ROOT / "docs/emulators.md").read_text()
WORKLOAD = {"AZURE_FEDERATED_TOKEN_FILE": "", "AZURE_AUTHORITY_HOST": "", "AZURE_CLIENT_ID": "", "AZURE_TENANT_ID": ""}


class Emulator:
    """A vault at https://localhost:PORT, and what gives tokens."""

    challenge = ""

    def __init__(self, folder):
        self.chain = pki.Chain(key=pki.rsa_key())
        self.ca = folder / "emulator.pem"
        self.ca.write_bytes(pki.cert_pem(self.chain.leaf))
        key = folder / "key.pem"
        key.write_bytes(pki.key_pem(self.chain.key) + pki.cert_pem(self.chain.leaf, self.chain.between))
        self.ca.write_bytes(pki.cert_pem(self.chain.root))
        self.objects, self.asked = {}, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key)
        self.vault, self.plain = self._serve(context), self._serve(None)

    def _serve(self, context):
        emulator = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                status, headers, reply = emulator.answer(self.command, self.path, self.headers, body)
                data = json.dumps(reply).encode() if reply is not None else b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.vault, self.plain):
            server.shutdown()
            server.server_close()

    @property
    def port(self):
        return self.vault.server_address[1]

    def answer(self, method, path, headers, body):
        path, _, query = path.partition("?")
        if "token" in path:
            return self.token(method, path, query, headers, body)
        host = headers["Host"]
        if not headers.get("Authorization", "").startswith("Bearer "):
            return 401, {"WWW-Authenticate": self.challenge.format(host=host, path=path)}, None
        self.asked.append(path)
        if path not in self.objects:
            return 404, {}, {"error": {"code": "NotFoundException", "message": "Entity not found."}}
        return 200, {}, self.objects[path](f"https://{host}")

    def set(self, name, value):
        version = secrets.token_hex(16)
        self.objects[f"/secrets/{name}"] = lambda base: {
            "id": f"{base}/secrets/{name}/{version}", "value": value, "contentType": None, "managed": False,
            "attributes": {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable"}, "tags": {},
        }

    def set_certificate(self, name):
        version = secrets.token_hex(16)
        chain = pki.Chain(key=pki.rsa_key())
        self.objects[f"/secrets/{name}"] = lambda base: {
            "id": f"{base}/secrets/{name}/{version}", "kid": f"{base}/keys/{name}/{version}", "contentType": P12,
            "value": pki.base64_pfx(chain.key, [chain.leaf]), "attributes": {"enabled": True}, "managed": True,
        }
        self.objects[f"/certificates/{name}"] = lambda base: {
            "id": f"{base}/certificates/{name}/{version}", "cer": pki.cer(chain.leaf), "attributes": {"enabled": True},
        }
        numbers = chain.key.public_key().public_numbers()

        def member(number):
            size = (number.bit_length() + 7) // 8
            return pki.base64.urlsafe_b64encode(number.to_bytes(size, "big")).decode().rstrip("=")

        self.objects[f"/keys/{name}"] = lambda base: {
            "key": {"kid": f"{base}/keys/{name}/{version}", "kty": "RSA", "n": member(numbers.n), "e": member(numbers.e)},
            "attributes": {"enabled": True},
        }
        return chain


class LowkeyVault(Emulator):
    """The challenge names the vault itself; tokens come from a simulated managed identity, with numbers for times."""

    challenge = 'Bearer resource="https://{host}", authorization_uri="https://{host}{path}"'
    heading = "lowkey-vault"

    def token(self, method, path, query, *_):
        if (method, path) != ("GET", "/metadata/identity/oauth2/token") or "resource=" not in query:
            return 404, {}, None
        return 200, {"WWW-Authenticate": "Basic realm=assumed-identity"}, {
            "resource": "https://vault.azure.net", "access_token": "a.b.c", "refresh_token": "a.b.c", "expires_in": 48 * 3600,
            "expires_on": 4102444800, "token_type": 1,
        }


class JamesGould(Emulator):
    """The challenge names both a scope of its own and Azure's resource; the vault itself gives tokens, as Entra does."""

    challenge = ('Bearer authorization="https://localhost:5000{path}", scope="https://{host}/.default", '
                 'resource="https://vault.azure.net"')
    heading = "james-gould"

    def token(self, method, path, query, headers, body):
        if method != "POST" or not path.endswith("/oauth2/v2.0/token") or "client_secret=" not in body:
            return 404, {}, None
        return 200, {}, {"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": "a.b.c"}


def blocks(heading):
    """The environments that the page shows for an emulator."""
    section = re.search(rf"^## [^\n]*{heading}.*?(?=^## |\Z)", PAGE, re.M | re.S)[0]
    found = re.findall(r"```env\n(.*?)```", section, re.S)
    assert found, f"the page shows no environment for {heading}"
    return [dict(line.split("=", 1) for line in block.split()) for block in found]


CASES = [(kind, env) for kind in (LowkeyVault, JamesGould) for env in blocks(kind.heading)]


@pytest.fixture
def emulator(request, tmp_path):
    kind, env = request.param
    running = kind(tmp_path)
    env = {
        name: re.sub(r"(?<=localhost:)(\d+)", lambda port: str(running.plain.server_address[1] if port[1] == "8080" else running.port), value)
        for name, value in env.items()
    }
    env["AKVSYNC_EXTRA_CA_FILE"] = str(running.ca)
    running.env = WORKLOAD | env
    yield running
    running.close()


EVERY = pytest.mark.parametrize("emulator", CASES, ids=lambda case: case[0].__name__, indirect=True)
OBJECTS = "[{objectName: s}, {objectName: web, layout: split}, {objectName: web, objectType: key, objectAlias: k}, " \
          "{objectName: web, objectType: cert, objectAlias: c}]"


@EVERY
def test_secrets_keys_and_certificates(world, emulator):
    emulator.set("s", "planted-in-an-emulator")
    emulator.set_certificate("web")
    process = world.init(OBJECTS, **emulator.env)
    assert process.code == 0, process.text
    files = world.files()
    assert files["s"] == "planted-in-an-emulator"
    assert files["c"].startswith("-----BEGIN CERTIFICATE-----") and files["k"].startswith("-----BEGIN PUBLIC KEY-----")
    assert files["web.key"].startswith("-----BEGIN PRIVATE KEY-----") and files["web.crt"] == files["c"]


@EVERY
def test_a_rotation(world, emulator):
    emulator.set("s", "planted-before")
    sidecar = world.sidecar("s", **emulator.env)
    emulator.set("s", "planted-after")
    sidecar.poll()
    world.wait_files({"s": "planted-after"})


@EVERY
def test_what_is_not_there(world, emulator):
    process = world.init("s", **emulator.env)
    assert process.code == 5
    assert "404 NotFoundException; check the name" in process.find("exit")[0]["msg"]


@EVERY
def test_without_the_switch_it_is_named(world, emulator):
    process = world.init("s", **(emulator.env | {"AKVSYNC_VERIFY_CHALLENGE": "true"}))
    assert process.code == 3 and "needs AKVSYNC_VERIFY_CHALLENGE=false" in process.find("exit")[0]["msg"]
    assert not emulator.asked


@EVERY
def test_a_host_with_a_domain_needs_it_too(world, emulator):
    """The challenge is for another domain than the vault's."""
    emulator.env["AKVSYNC_VAULT"] = f"https://demo.localhost:{emulator.port}"
    del emulator.env["AKVSYNC_VERIFY_CHALLENGE"]
    process = world.init("s", **emulator.env)
    assert process.code in (3, 6)  # 6: the certificate of the stand-in is for localhost
    if process.code == 3:
        assert "AKVSYNC_VERIFY_CHALLENGE=false" in process.find("exit")[0]["msg"]
    assert not emulator.asked
