"""The secrets of one vault: names, versions and soft deletion. No HTTP and no permissions here."""

import re
import time
import uuid
from dataclasses import dataclass, field

from . import vault_errors as errors

MAX_VALUE_BYTES = 25 * 1024
MAX_TAGS = 15
MAX_TAG_CHARS = 512
MAX_CONTENT_TYPE_CHARS = 255
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
VERSION = re.compile(r"[0-9a-f]{32}")


@dataclass
class Version:
    id: str
    value: str
    created: int
    updated: int
    enabled: bool = True
    content_type: str | None = None
    nbf: int | None = None
    exp: int | None = None
    tags: dict[str, str] | None = None
    managed: bool = False
    """The secret belongs to a certificate."""


@dataclass
class Secret:
    name: str
    versions: dict[str, Version] = field(default_factory=dict)
    """In the order of creation: the last one is the current version."""
    settled_at: float = 0.0
    """Monotonic time at which a recovery has come through."""

    @property
    def current(self) -> Version:
        return next(reversed(self.versions.values()))


@dataclass
class Deleted:
    secret: Secret
    deleted_at: int
    purge_at: int
    settled_at: float
    """Monotonic time at which the deletion has come through and the deleted secret can be seen."""


@dataclass
class Settings:
    """What a test may change about a vault."""

    tenant_id: str
    authorization: str = "rbac"
    """rbac, or policy for a vault with access policies"""
    recoverable_days: int = 90
    settle_s: float = 0.2
    """How long a deletion or a recovery takes to come through (the real service: seconds)."""
    empty_pages: int = 1
    """Empty pages with a nextLink that follow the first page of a list."""
    final_next_link: str = "null"
    """How a last page says so: null, absent or empty."""
    page_size: int = 25
    extra_members: bool = False
    """Replies carry members that no client knows."""
    reorder_members: bool = False
    """Replies have their members in reverse order."""


class Vault:
    def __init__(self, name: str, tenant_id: str):
        self.name = name
        self.settings = Settings(tenant_id)
        self.secrets: dict[str, Secret] = {}
        """By name in lower case."""
        self.deleted: dict[str, Deleted] = {}
        self.values_seen: set[str] = set()
        """Every value there ever was, for tests that look for leaks."""

    def secret(self, name: str, version: str | None = None) -> tuple[Secret, Version]:
        """The secret and the asked or current version; 404 when there is none, or not yet again."""
        secret = self.secrets.get(name.lower())
        wanted = f"{name}/{version}" if version else name
        if secret is None or secret.settled_at > time.monotonic():
            raise errors.not_found("Secret", wanted)
        found = secret.versions.get(version) if version else secret.current
        if found is None:
            raise errors.not_found("Secret", wanted)
        return secret, found

    def versions(self, name: str) -> tuple[Secret | None, list[Version]]:
        """All versions in the order of their ids; none for a name that does not exist."""
        secret = self.secrets.get(name.lower())
        if secret is None:
            return None, []
        return secret, [secret.versions[version] for version in sorted(secret.versions)]

    def put(self, name: str, value: str, version: str | None = None, **more) -> tuple[Secret, Version]:
        """Create a new version, which becomes the current one. `more` are fields of Version."""
        self._check_settled(name)
        if name.lower() in self.deleted:
            raise errors.deleted_but_recoverable(name)
        if version and not VERSION.fullmatch(version):
            raise errors.bad_parameter("The version is not 32 hexadecimal digits")
        check_properties({"value": value, **more})
        now = int(time.time())
        made = Version(version or uuid.uuid4().hex, value, created=now, updated=now)
        for key, item in more.items():
            setattr(made, key, item)
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        secret.versions.pop(made.id, None)
        secret.versions[made.id] = made
        self.values_seen.add(value)
        return secret, made

    def update(self, name: str, version: str | None, **changes) -> tuple[Secret, Version]:
        """Change properties of one version; its value cannot change."""
        check_properties(changes)
        secret, found = self.secret(name, version)
        for key, item in changes.items():
            setattr(found, key, item)
        found.updated = int(time.time())
        return secret, found

    def delete(self, name: str) -> Deleted:
        self._check_settled(name)
        secret, _ = self.secret(name)
        now = int(time.time())
        deleted = Deleted(
            self.secrets.pop(name.lower()),
            deleted_at=now,
            purge_at=now + self.settings.recoverable_days * 86400,
            settled_at=time.monotonic() + self.settings.settle_s,
        )
        self.deleted[secret.name.lower()] = deleted
        return deleted

    def deleted_secret(self, name: str) -> Deleted:
        deleted = self.deleted.get(name.lower())
        if deleted is None or deleted.settled_at > time.monotonic():
            raise errors.deleted_not_found(name)
        return deleted

    def deleted_secrets(self) -> list[Deleted]:
        now = time.monotonic()
        return [item for _, item in sorted(self.deleted.items()) if item.settled_at <= now]

    def purge(self, name: str) -> None:
        self._check_settled(name)
        self.deleted_secret(name)
        del self.deleted[name.lower()]

    def recover(self, name: str) -> Secret:
        self._check_settled(name)
        secret = self.deleted_secret(name).secret
        del self.deleted[name.lower()]
        secret.settled_at = time.monotonic() + self.settings.settle_s
        self.secrets[name.lower()] = secret
        return secret

    def _check_settled(self, name: str) -> None:
        now = time.monotonic()
        deleted, secret = self.deleted.get(name.lower()), self.secrets.get(name.lower())
        if deleted and deleted.settled_at > now:
            raise errors.being_deleted(name)
        if secret and secret.settled_at > now:
            raise errors.being_recovered(name)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise errors.bad_parameter(f"The request URI contains an invalid name: {name}")


def check_properties(properties: dict) -> None:
    """Refuse properties of a version that the service refuses."""
    value, tags = properties.get("value", ""), properties.get("tags") or {}
    nbf, exp = properties.get("nbf"), properties.get("exp")
    fine = (
        isinstance(value, str)
        and len(value.encode()) <= MAX_VALUE_BYTES
        and isinstance(properties.get("enabled", True), bool)
        and all(item is None or type(item) is int for item in (nbf, exp))
        and (nbf is None or exp is None or nbf < exp)
        and _short(properties.get("content_type") or "", MAX_CONTENT_TYPE_CHARS)
        and isinstance(tags, dict)
        and len(tags) <= MAX_TAGS
        and all(_short(text, MAX_TAG_CHARS) for pair in tags.items() for text in pair)
    )
    if not fine:
        raise errors.bad_parameter("Property has invalid value\r\n")


def _short(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most
