"""The front door: from a request on a TLS connection to its site, past the scripted faults, into the journal."""

import asyncio
import contextlib
import itertools
import ssl
import time
import weakref

from . import login, managed, manager, vault_api, wire
from .faults import Action
from .http1 import Connection, Reply, Request, serve_connection
from .journal import ConnectionRecord, Entry
from .sites import BINDING_NAME, BINDING_PATH, Site, find_site
from .tokens import Bearer
from .world import World


class Front:
    def __init__(self, world: World, contexts: list[ssl.SSLContext]):
        self.world = world
        self._ids = itertools.count(1)
        self._server_names: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self._open: dict[int, Connection] = {}
        for context in contexts:
            context.sni_callback = self._remember_server_name

    def _remember_server_name(self, tls: ssl.SSLObject, name: str | None, _context) -> None:
        self._server_names[tls] = name

    async def connected(
        self, listener: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """A connection to the listener `azure` (vaults and Entra), `binding` or `local` (plain HTTP)."""
        connection = Connection(next(self._ids), reader, writer, listener=listener)
        tls = connection.tls
        connection.server_name = tls and self._server_names.get(tls)
        record = ConnectionRecord(
            connection.id,
            connection.server_name,
            tls and tls.version(),
            bool(tls and tls.session_reused),
            opened=time.time(),
        )
        journal = self.world.journal
        journal.connections[record.id] = record
        self._open[connection.id] = connection
        journal.changed()
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                await serve_connection(connection, self._handle)
        finally:
            writer.close()
            del self._open[connection.id]
            record.closed = time.time()
            journal.changed()

    def close_connections(self, reset: bool) -> int:
        """End all open connections, as a peer that restarts does."""
        for connection in self._open.values():
            if reset:
                connection.reset()
            else:
                connection.writer.close()
        return len(self._open)

    async def _handle(self, request: Request) -> bool:
        world, site = self.world, self._site(request)
        entry = self._entry(request, site)
        if site is None:
            return self._finish(entry, None, "refused")
        bearer = self._bearer(request, site)
        entry.bearer, entry.token_id = bearer.state, bearer.token_id
        rule = world.faults.strike(entry)
        action = rule.action if rule else None
        entry.fault = rule.id if rule else None
        world.journal.changed()
        try:
            if action and action.delay_ms:
                await asyncio.sleep(action.delay_ms / 1000)
            if action and action.never_answers:
                if action.hold:
                    self._finish(entry, None, "held")
                return self._finish(entry, None, await wire.withhold(request.connection, action))
            reply = self._reply(request, site, bearer, entry, action)
            outcome = await wire.deliver(request.connection, reply, action)
        except (ConnectionError, ssl.SSLError):
            return self._finish(entry, None, "gone")
        return self._finish(entry, reply.status, outcome)

    def _site(self, request: Request) -> Site | None:
        """The site of the request's host, if it exists and is the one the TLS handshake was for."""
        connection = request.connection
        if connection.listener == "local":
            kind = "app-service" if request.path.rstrip("/") == managed.APP_SERVICE_PATH else "imds"
            return Site(kind, "localhost", _own_port(request), "")
        if connection.listener == "binding":
            if connection.server_name != BINDING_NAME or not request.path.startswith(BINDING_PATH):
                return None
            return Site("binding", BINDING_NAME, _own_port(request), "vault.localhost")
        site = find_site(request.headers["host"])
        if site is None or (site.kind == "vault" and site.vault not in self.world.vaults):
            return None
        if request.connection.server_name not in (None, site.host):
            return None
        return site

    def _bearer(self, request: Request, site: Site) -> Bearer:
        if site.kind != "vault":
            return Bearer("none")
        tenant_id = self.world.vaults[site.vault].settings.tenant_id
        authorization = request.headers.get("authorization")
        return self.world.tokens.check(authorization, site.resource, tenant_id)

    def _reply(
        self, request: Request, site: Site, bearer: Bearer, entry: Entry, action: Action | None
    ) -> Reply:
        world = self.world
        if action and action.replaces_reply:
            authority = site.authority(world.port) if site.suffix else ""
            reply = wire.scripted_reply(action, site, authority, world.tenant_id)
        elif site.kind in ("imds", "app-service"):
            reply = managed.answer(world, request, site.kind, entry)
        elif site.kind == "manager":
            reply = manager.answer(world, request)
        elif site.kind in ("login", "binding"):
            reply = login.answer(world, request, site, entry)
        else:
            reply = vault_api.answer(world, request, site, bearer, entry)
        if action:
            wire.apply_headers(reply, action)
        return reply

    def _entry(self, request: Request, site: Site | None) -> Entry:
        connection, headers = request.connection, request.headers
        self.world.journal.connections[connection.id].requests += 1
        return self.world.journal.add(
            target=site.kind if site else "none",
            vault=site.vault if site else None,
            method=request.method,
            path=request.path,
            query=request.query,
            api_version=request.query.get("api-version"),
            connection=connection.id,
            tls_version=connection.tls and connection.tls.version(),
            tls_resumed=bool(connection.tls and connection.tls.session_reused),
            client_request_id=headers.get("x-ms-client-request-id") or headers.get("client-request-id"),
            user_agent=headers.get("user-agent"),
            cookie="cookie" in headers,
            via="via" in headers or "x-forwarded-for" in headers,
        )

    def _finish(self, entry: Entry, status: int | None, outcome: str) -> bool:
        """Note how the request ended; whether its connection goes on."""
        entry.status, entry.outcome = status, outcome
        self.world.journal.changed()
        return outcome == "answered"


def _own_port(request: Request) -> int:
    """The port that the request came to."""
    return request.connection.writer.get_extra_info("sockname")[1]
