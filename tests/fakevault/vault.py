"""One vault: its secrets, keys and certificates, and what a test may set about it."""

import time
from dataclasses import dataclass

from .objects import Collection, Deleted, Object, Version, check_value

KINDS = ("secrets", "keys", "certificates")


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


class Vault:
    def __init__(self, name: str, tenant_id: str):
        self.name = name
        self.settings = Settings(tenant_id)
        self.secrets = Collection("Secret")
        self.keys = Collection("Key")
        self.certificates = Collection("Certificate")
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

    def collection(self, kind: str) -> Collection:
        """Of one of KINDS."""
        return getattr(self, kind)

    def put_secret(self, name: str, value: str, **more) -> tuple[Object, Version]:
        """Create a new, now current version of a secret (see Collection.put)."""
        self.secrets.check_free(name)
        check_value(value)
        self.values_seen.add(value)
        return self.secrets.put(name, value, **more)

    def put_certificate(self, name: str, *arguments, **more) -> Version:
        """See issuing.put_certificate."""
        from .issuing import put_certificate

        return put_certificate(self, name, *arguments, **more)

    def delete(self, kind: str, name: str) -> Deleted:
        settings = self.settings
        found = [
            self.collection(one).delete(name, settings.recoverable_days, settings.settle_s)
            for one in self._together(kind)
        ]
        self.pending.pop(name.lower(), None)
        return found[0]

    def purge(self, kind: str, name: str) -> None:
        for one in self._together(kind):
            self.collection(one).purge(name)

    def recover(self, kind: str, name: str) -> Object:
        settle_s = self.settings.settle_s
        return [self.collection(one).recover(name, settle_s) for one in self._together(kind)][0]

    def restore(self, objects: dict[str, Object]) -> None:
        """Bring in the objects of a backup, by kind."""
        for kind, item in objects.items():
            self.collection(kind).restore(item)

    def objects_with(self, kind: str, name: str) -> dict[str, Object]:
        """The object, and of a certificate its key and secret, too, by kind."""
        return {one: self.collection(one).get(name)[0] for one in self._together(kind)}

    @staticmethod
    def _together(kind: str) -> tuple[str, ...]:
        """A certificate lives and dies with the key and the secret of its name."""
        return ("certificates", "secrets", "keys") if kind == "certificates" else (kind,)
