"""One vault: its secrets with soft deletion, its keys and certificates, and what a test may set about it."""

import time
from dataclasses import dataclass

from . import vault_errors as errors
from .objects import Collection, Object, Version, check_value


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
    limit: int = 0
    """Requests within `limit_window_s`; what is beyond is answered 429. 0: no limit."""
    limit_window_s: float = 10
    extra_members: bool = False
    """Replies carry members that no client knows."""
    reorder_members: bool = False
    """Replies have their members in reverse order."""


@dataclass
class Deleted:
    """A soft-deleted secret."""

    secret: Object
    deleted_at: int
    purge_at: int
    settled_at: float
    """Monotonic time at which the deletion has come through and the deleted secret can be seen."""


class Vault:
    def __init__(self, name: str, tenant_id: str):
        self.name = name
        self.settings = Settings(tenant_id)
        self.secrets = Collection("Secret")
        self.keys = Collection("Key")
        self.certificates = Collection("Certificate")
        self.deleted: dict[str, Deleted] = {}
        """Secrets by name in lower case."""
        self._window = (0, 0)
        """Number of the current window of the limit, and the requests in it."""
        self.pending: dict[str, dict] = {}
        """Certificates being issued, by name in lower case (see issuing.py)."""
        self.values_seen: set[str] = set()
        """Every value there ever was, for tests that look for leaks."""

    def is_throttled(self) -> bool:
        """Count a request; whether it is one too many. What is refused does not count."""
        if not self.settings.limit:
            return False
        number = int(time.monotonic() / self.settings.limit_window_s)
        count = self._window[1] if self._window[0] == number else 0
        if count >= self.settings.limit:
            return True
        self._window = (number, count + 1)
        return False

    def put_secret(self, name: str, value: str, **more) -> tuple[Object, Version]:
        """Create a new, now current version of a secret (see Collection.put)."""
        self._check_settled(name)
        if name.lower() in self.deleted:
            raise errors.deleted_but_recoverable(name)
        check_value(value)
        self.values_seen.add(value)
        return self.secrets.put(name, value, **more)

    def put_certificate(self, name: str, *arguments, **more) -> Version:
        """See issuing.put_certificate."""
        from .issuing import put_certificate

        return put_certificate(self, name, *arguments, **more)

    def delete_secret(self, name: str) -> Deleted:
        self._check_settled(name)
        now = int(time.time())
        deleted = Deleted(
            self.secrets.take(name),
            deleted_at=now,
            purge_at=now + self.settings.recoverable_days * 86400,
            settled_at=time.monotonic() + self.settings.settle_s,
        )
        self.deleted[name.lower()] = deleted
        return deleted

    def deleted_secret(self, name: str) -> Deleted:
        deleted = self.deleted.get(name.lower())
        if deleted is None or deleted.settled_at > time.monotonic():
            raise errors.deleted_not_found(name)
        return deleted

    def deleted_secrets(self) -> list[Deleted]:
        now = time.monotonic()
        return [item for _, item in sorted(self.deleted.items()) if item.settled_at <= now]

    def purge_secret(self, name: str) -> None:
        self._check_settled(name)
        self.deleted_secret(name)
        del self.deleted[name.lower()]

    def recover_secret(self, name: str) -> Object:
        self._check_settled(name)
        secret = self.deleted_secret(name).secret
        del self.deleted[name.lower()]
        secret.settled_at = time.monotonic() + self.settings.settle_s
        self.secrets.give_back(secret)
        return secret

    def _check_settled(self, name: str) -> None:
        now = time.monotonic()
        deleted, secret = self.deleted.get(name.lower()), self.secrets.find(name)
        if deleted and deleted.settled_at > now:
            raise errors.being_deleted(name)
        if secret and secret.settled_at > now:
            raise errors.being_recovered(name)
