"""What the fake was asked: one entry a request, and the connections they came by. Never a secret value or token.

Tests wait here for events instead of sleeping.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

T = TypeVar("T")


def fingerprint(text: str) -> str:
    """Stands for a credential in the journal: equal text, equal fingerprint."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class Entry:
    seq: int
    target: str
    """vault login binding imds app-service none"""
    vault: str | None
    method: str
    path: str
    query: dict[str, str]
    connection: int
    tls_version: str | None
    tls_resumed: bool
    client_request_id: str | None
    user_agent: str | None
    cookie: bool
    via: bool
    """Whether it says that it came through an HTTP proxy."""
    api_version: str | None = None
    bearer: str = "none"
    """What the vault made of the bearer: ok none malformed signature issuer audience expired revoked"""
    token_id: str | None = None
    login: dict[str, Any] = field(default_factory=dict)
    """Of a token request: client_id, scope, credential, assertion (a fingerprint), aadsts, token_id."""
    fault: str | None = None
    status: int | None = None
    outcome: str = "open"
    """open, then answered truncated reset closed held gone (the client went first) refused"""
    monotonic: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)

    @property
    def authenticated(self) -> bool:
        return self.bearer == "ok"

    def to_dict(self) -> dict:
        named = {name: getattr(self, name) for name in self.__slots__}
        return named | {"authenticated": self.authenticated}

    def fits(self, filters: dict[str, str]) -> bool:
        """Whether every filter holds: `since` is a seq, `path` a pattern, any other an exact value."""
        for name, wanted in filters.items():
            if name == "since":
                fits = self.seq > int(wanted)
            elif name == "path":
                fits = fnmatchcase(self.path, wanted)
            else:
                value = getattr(self, name)
                fits = str(value).lower() == str(wanted).lower()
            if not fits:
                return False
        return True


@dataclass
class ConnectionRecord:
    id: int
    server_name: str | None
    tls_version: str | None
    tls_resumed: bool
    opened: float
    closed: float | None = None
    requests: int = 0


class Journal:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.connections: dict[int, ConnectionRecord] = {}
        self._seq = 0
        self._changed = asyncio.Event()

    def add(self, **fields: Any) -> Entry:
        self._seq += 1
        entry = Entry(seq=self._seq, **fields)
        self.entries.append(entry)
        return entry

    @property
    def last_seq(self) -> int:
        return self._seq

    def changed(self) -> None:
        """Wake all who wait. Call after every change to an entry or a connection."""
        self._changed.set()
        self._changed = asyncio.Event()

    def clear(self) -> None:
        """Forget the entries and the closed connections; numbers go on."""
        self.entries.clear()
        self.connections = {n: c for n, c in self.connections.items() if c.closed is None}
        self.changed()

    def select(self, filters: dict[str, str]) -> list[Entry]:
        unknown = set(filters) - set(Entry.__slots__) - {"since", "authenticated"}
        if unknown:
            raise ValueError(f"the journal has no field {', '.join(sorted(unknown))}")
        return [entry for entry in self.entries if entry.fits(filters)]

    def connection_counts(self) -> dict[str, int]:
        closed = sum(1 for record in self.connections.values() if record.closed is not None)
        total = len(self.connections)
        return {"opened": total, "closed": closed, "open": total - closed}

    async def wait(self, look: Callable[[], T | None], timeout_s: float) -> T | None:
        """The first result of `look` that is not None; None when the time is over."""
        deadline = time.monotonic() + timeout_s
        while (found := look()) is None:
            try:
                await asyncio.wait_for(self._changed.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:
                return look()
        return found
