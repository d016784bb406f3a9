"""The fake as a pod: it trusts the service account tokens of the real cluster that it runs in.

As Entra does with a federated identity credential, it fetches the issuer's keys from its discovery
document. The fake itself goes on listening on loopback; a forwarder opens its port to other pods. Those
have to trust its certificate: it is published as the ConfigMap `fakevault-ca` of each namespace named.
"""

import asyncio
import json
import os
import signal
import ssl
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .client import FakeVault
from .identities import Federation, Identity
from .jwts import unb64url

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
CA_CONFIG_MAP = "fakevault-ca"


@dataclass(frozen=True)
class PublicKey:
    """A key of a cluster's token issuer."""

    public: rsa.RSAPublicKey

    @classmethod
    def from_jwk(cls, jwk: dict) -> "PublicKey":
        e, n = (int.from_bytes(unb64url(jwk[name]), "big") for name in "en")
        return cls(rsa.RSAPublicNumbers(e, n).public_key())

    def signed(self, token: str) -> bool:
        text, _, signature = token.rpartition(".")
        try:
            self.public.verify(unb64url(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def join(world: Any, tenant_id: str, client_id: str, issuer: str, subjects: list[str], keys: list[dict]) -> dict:
    """Let the service accounts `subjects` of a cluster in as an identity that may do all."""
    world.clusters = {key["kid"]: PublicKey.from_jwk(key) for key in keys}
    world.tenants.add(tenant_id)
    for vault in world.vaults.values():
        vault.settings.tenant_id = tenant_id
    identity = Identity.default()
    identity.client_id = client_id
    identity.federations = [Federation(issuer=issuer, subject=subject) for subject in subjects]
    world.identities[client_id] = identity
    return identity.to_dict()


class Api:
    """The API server, asked with the pod's own account."""

    def __init__(self) -> None:
        host, port = (os.environ[f"KUBERNETES_SERVICE_{name}"] for name in ("HOST", "PORT"))
        self.url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self.tls = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            self.url + path,
            json.dumps(body).encode() if body else None,
            {
                "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        with urllib.request.urlopen(request, context=self.tls, timeout=10) as reply:
            return json.load(reply)

    def publish_ca(self, namespace: str, ca: str) -> None:
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": CA_CONFIG_MAP},
            "data": {"ca.pem": ca},
        }
        try:
            self.call("POST", path, body)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
            self.call("PUT", f"{path}/{CA_CONFIG_MAP}", body)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _forward(listen: int, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(connected, None, listen)
    async with server:
        await stop.wait()


def run(options: Any) -> None:
    """Serve until the pod ends."""
    api = Api()
    discovery = api.call("GET", "/.well-known/openid-configuration")
    keys = api.call("GET", "/openid/v1/jwks")["keys"]
    vaults = tuple(options.vault or ["shop-kv"])
    with tempfile.TemporaryDirectory() as directory:
        with FakeVault(directory, vaults=vaults, admin_port=options.admin_port) as fake:
            joined = fake.call(
                "PUT",
                "/cluster",
                {
                    "tenant_id": options.tenant_id,
                    "client_id": options.client_id,
                    "issuer": discovery["issuer"],
                    "subjects": options.subject,
                    "keys": keys,
                },
            )
            for secret in options.secret or []:
                name, _, value = secret.partition("=")
                fake.set(name, value)
            for namespace in options.ca_namespace or []:
                api.publish_ca(namespace, fake.ca.read_text())
            print(json.dumps(joined), flush=True)
            asyncio.run(_forward(options.port, fake.port))
