"""Named objects with versions, as secrets, keys and certificates are alike. Pure: no vault, no HTTP."""

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

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
    value: Any
    """A secret's text, a key's public JWK, or what a certificate shows besides its attributes."""
    created: int
    updated: int
    enabled: bool = True
    content_type: str | None = None
    nbf: int | None = None
    exp: int | None = None
    tags: dict[str, str] | None = None
    managed: bool = False
    """The key or secret belongs to a certificate."""
    exportable: bool = True
    """Of a key: may it leave the vault; of a certificate: does its policy say so."""
    policy: dict | None = None
    """Of a certificate: what its current version was issued by."""
    rotation_policy: dict | None = None
    """Of a key: when it is rotated, as its last version says."""


@dataclass
class Object:
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
    """A soft-deleted object."""

    item: Object
    deleted_at: int
    purge_at: int
    settled_at: float
    """Monotonic time at which the deletion has come through and the deleted object can be seen."""


class Collection:
    """The objects of one kind: Secret, Key or Certificate. Names are equal without regard to case."""

    def __init__(self, kind: str):
        self.kind = kind
        self._objects: dict[str, Object] = {}
        self._deleted: dict[str, Deleted] = {}

    def find(self, name: str) -> Object | None:
        return self._objects.get(name.lower())

    def get(self, name: str, version: str | None = None) -> tuple[Object, Version]:
        """The object and its asked or current version; 404 when there is none, or not yet again."""
        found = self.find(name)
        wanted = f"{name}/{version}" if version else name
        if found is None or found.settled_at > time.monotonic():
            raise errors.not_found(self.kind, wanted)
        if version and version not in found.versions:
            raise errors.not_found(self.kind, wanted)
        return found, found.versions[version] if version else found.current

    def all(self) -> list[Object]:
        """In the order of their names."""
        return [item for _, item in sorted(self._objects.items())]

    def versions(self, name: str) -> tuple[Object | None, list[Version]]:
        """All versions in the order of their ids; none for a name that does not exist."""
        found = self.find(name)
        if found is None:
            return None, []
        return found, [found.versions[version] for version in sorted(found.versions)]

    def put(self, name: str, value: Any, version: str | None = None, **more) -> tuple[Object, Version]:
        """Create a new version, which becomes the current one. `more` are fields of Version."""
        if version and not VERSION.fullmatch(version):
            raise errors.bad_parameter("The version is not 32 hexadecimal digits")
        check_properties(more)
        now = int(time.time())
        made = Version(version or uuid.uuid4().hex, value, created=now, updated=now)
        for key, item in more.items():
            setattr(made, key, item)
        item = self._objects.setdefault(name.lower(), Object(name))
        item.versions.pop(made.id, None)
        item.versions[made.id] = made
        return item, made

    def update(self, name: str, version: str | None, **changes) -> tuple[Object, Version]:
        """Change properties of one version; its value cannot change."""
        check_properties(changes)
        item, found = self.get(name, version)
        for key, change in changes.items():
            setattr(found, key, change)
        found.updated = int(time.time())
        return item, found

    def check_free(self, name: str) -> None:
        """Refuse a name that a deleted object still has."""
        self._check_settled(name)
        if name.lower() in self._deleted:
            raise errors.deleted_but_recoverable(self.kind, name)

    def delete(self, name: str, recoverable_days: int, settle_s: float) -> Deleted:
        self._check_settled(name)
        self.get(name)
        now = int(time.time())
        deleted = Deleted(
            self._objects.pop(name.lower()),
            deleted_at=now,
            purge_at=now + recoverable_days * 86400,
            settled_at=time.monotonic() + settle_s,
        )
        self._deleted[name.lower()] = deleted
        return deleted

    def deleted(self, name: str) -> Deleted:
        """The deleted object; 404 when there is none, or not yet."""
        deleted = self._deleted.get(name.lower())
        if deleted is None or deleted.settled_at > time.monotonic():
            raise errors.deleted_not_found(self.kind, name)
        return deleted

    def all_deleted(self) -> list[Deleted]:
        """Those whose deletion has come through, in the order of their names."""
        now = time.monotonic()
        return [item for _, item in sorted(self._deleted.items()) if item.settled_at <= now]

    def deleted_names(self) -> list[str]:
        """Of all deleted objects, also those whose deletion is under way."""
        return sorted(deleted.item.name for deleted in self._deleted.values())

    def purge(self, name: str) -> None:
        self._check_settled(name)
        self.deleted(name)
        del self._deleted[name.lower()]

    def recover(self, name: str, settle_s: float) -> Object:
        self._check_settled(name)
        item = self.deleted(name).item
        del self._deleted[name.lower()]
        item.settled_at = time.monotonic() + settle_s
        self._objects[name.lower()] = item
        return item

    def restore(self, item: Object) -> None:
        """Bring in an object from a backup, with all its versions."""
        self.check_free(item.name)
        if self.find(item.name) is not None:
            raise errors.already_exists(self.kind, item.name)
        self._objects[item.name.lower()] = item

    def _check_settled(self, name: str) -> None:
        now = time.monotonic()
        deleted, item = self._deleted.get(name.lower()), self.find(name)
        if deleted and deleted.settled_at > now:
            raise errors.being_deleted(self.kind, name)
        if item and item.settled_at > now:
            raise errors.being_recovered(self.kind, name)


def check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise errors.bad_parameter(f"The request URI contains an invalid name: {name}")


def check_value(value: object) -> None:
    """Refuse what cannot be the value of a secret."""
    if not isinstance(value, str) or len(value.encode()) > MAX_VALUE_BYTES:
        raise errors.invalid_property()


def check_properties(properties: dict) -> None:
    """Refuse properties of a version that the service refuses."""
    tags = properties.get("tags") or {}
    nbf, exp = properties.get("nbf"), properties.get("exp")
    fine = (
        isinstance(properties.get("enabled", True), bool)
        and all(item is None or type(item) is int for item in (nbf, exp))
        and (nbf is None or exp is None or nbf < exp)
        and _short(properties.get("content_type") or "", MAX_CONTENT_TYPE_CHARS)
        and isinstance(tags, dict)
        and len(tags) <= MAX_TAGS
        and all(_short(text, MAX_TAG_CHARS) for pair in tags.items() for text in pair)
    )
    if not fine:
        raise errors.invalid_property()


def _short(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most
