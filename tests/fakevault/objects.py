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


class Collection:
    """The objects of one kind: Secret, Key or Certificate. Names are equal without regard to case."""

    def __init__(self, kind: str):
        self.kind = kind
        self._objects: dict[str, Object] = {}

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

    def take(self, name: str) -> Object:
        """Remove an object."""
        self.get(name)
        return self._objects.pop(name.lower())

    def give_back(self, item: Object) -> None:
        self._objects[item.name.lower()] = item


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
