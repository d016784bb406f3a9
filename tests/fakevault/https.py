"""A plain HTTPS client for the tests of the fake: nothing is retried, followed or hidden."""

import http.client
import json
import socket
import ssl
import urllib.parse
from dataclasses import dataclass

from .client import FakeVault
from .login import JWT_BEARER


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The innermost code of a vault's error."""
        error = self.json["error"]
        return error.get("innererror", error)["code"]

    @property
    def message(self) -> str:
        return self.json["error"]["message"]


class Connection(http.client.HTTPSConnection):
    """To a name of the fake's little world, at a loopback address; one connection, kept alive."""

    def __init__(self, fake: FakeVault, host: str, address: str = "127.0.0.1", **options):
        self.tls = ssl.create_default_context(cafile=str(fake.ca))
        super().__init__(host, options.pop("port", fake.port), timeout=20, context=self.tls)
        self.address = address
        self.session = options.pop("session", None)

    def connect(self) -> None:
        raw = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.tls.wrap_socket(raw, server_hostname=self.host, session=self.session)

    def ask(self, method: str, target: str, body=None, headers=None) -> Answer:
        if isinstance(body, dict):
            body = json.dumps(body)
            headers = {"Content-Type": "application/json", **(headers or {})}
        self.request(method, target, body, headers or {})
        response = self.getresponse()
        return Answer(response.status, response.headers, response.read())


class Caller:
    """A workload: gets a token with its assertion, then calls vaults with it."""

    def __init__(self, fake: FakeVault):
        self.fake = fake
        self.token = ""

    def login(self, target: str | None = None, **form: str | None) -> Answer:
        """Ask for a token; members that are None are left out."""
        full = {
            "client_id": self.fake.client_id,
            "scope": "https://vault.localhost/.default",
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self.fake.assertion_file.read_text(),
        } | form
        body = urllib.parse.urlencode({name: item for name, item in full.items() if item is not None})
        return Connection(self.fake, "login.localhost").ask(
            "POST",
            target or f"/{self.fake.tenant_id}/oauth2/v2.0/token",
            body,
            {"Content-Type": "application/x-www-form-urlencoded"},
        )

    def authenticate(self, **form: str | None) -> str:
        self.token = self.login(**form).json["access_token"]
        return self.token

    def vault(
        self, method: str, path: str, body=None, *, host="shop-kv.vault.localhost", version="7.6", **headers
    ) -> Answer:
        """One call of the data plane, on a connection of its own; `_` in header names means `-`."""
        mark = "&" if "?" in path else "?"
        target = f"{path}{mark}api-version={version}" if version else path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Authorization", f"Bearer {self.token or self.authenticate()}")
        connection = Connection(self.fake, host)
        try:
            return connection.ask(method, target, body, named)
        finally:
            connection.close()

    def get(self, path: str, **options) -> Answer:
        return self.vault("GET", path, **options)

    def pages(self, path: str, **options) -> list[list[dict]]:
        """All pages of a list, following its links."""
        pages = []
        while path:
            answer = self.get(path, **options).json
            pages.append(answer["value"])
            link = answer["nextLink"]
            path = link and link.split(f":{self.fake.port}")[1]
            options["version"] = None
        return pages
