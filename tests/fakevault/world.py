"""Everything the fake knows and a test may change: vaults, identities, tokens, faults, the journal."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import assertion
from .faults import Faults
from .identities import Identity
from .journal import Journal
from .jwts import SigningKey
from .tokens import Issued, TokenIssuer
from .vault import Vault

RENEW_AFTER = 0.8
"""Kubelet renews a token when so much of its lifetime is over."""


class World:
    def __init__(self, directory: Path, vault_names: list[str], layout: str | None):
        # RSA keys take a while: both are made at once, and only the cluster's is waited for.
        makers = ThreadPoolExecutor(2)
        entra_key = makers.submit(SigningKey.make)
        cluster_key = makers.submit(assertion.cluster_key, directory)
        makers.shutdown(wait=False)
        self._entra_key = entra_key.result
        self.directory = directory
        self.volume = assertion.TokenVolume.in_directory(directory, layout)
        self.port = 0
        self.identity_header = uuid.uuid4().hex
        """What proves to App Service's endpoint that a caller is the app."""
        self.tenant_id = str(uuid.uuid4())
        self.journal = Journal()
        self._vault_names = vault_names
        self._first_identity = Identity.default()
        self.cluster_key = cluster_key.result()
        self.clusters: dict = {self.cluster_key.kid: self.cluster_key}
        """Key id -> key of the token issuers that are trusted; see cluster.py for real ones."""
        self.reset()

    def reset(self) -> None:
        """Back to the start; tenant, client id, addresses and keys stay, so children may live on."""
        first = Identity.default()
        first.client_id = self._first_identity.client_id
        first.object_id = self._first_identity.object_id
        self.identities: dict[str, Identity] = {first.client_id: first}
        self.tenants = {self.tenant_id}
        self.vaults = {name: Vault(name, self.tenant_id) for name in self._vault_names}
        self.tokens = TokenIssuer(self._entra_key)
        self.faults = Faults()
        self.reject_assertions: int | None = None
        """AADSTS code with which every assertion is refused."""
        self.managed_tokens: dict[tuple[str, str], Issued] = {}
        """What the machine keeps of its identities' tokens: client id and audience -> token."""
        self.assertion_ids: dict[tuple[str, str], str] = {}
        """Client id and the id of an assertion that it signed -> the assertion."""
        self.assertions: set[str] = set()
        """Every assertion written or presented, for tests that look for leaks."""
        self.journal.clear()
        self.write_assertion("good")

    @property
    def default_identity(self) -> Identity:
        return next(iter(self.identities.values()))

    def write_assertion(self, kind: str, **claims) -> None:
        """Rotate the projected token to a new one of `kind` (see assertion.mint)."""
        token = assertion.mint(self.cluster_key, kind, **claims)
        self.assertions.add(token)
        self.volume.write(token)
        lifetime_s = claims.get("lifetime_s", assertion.LIFETIME_S)
        self._renew_at = time.monotonic() + RENEW_AFTER * lifetime_s if kind == "good" else None
        self._renew_claims = claims

    def renew_assertion(self) -> None:
        """Do what kubelet does as a good token ages. Call it now and then."""
        if self._renew_at is not None and time.monotonic() >= self._renew_at:
            self.write_assertion("good", **self._renew_claims)

    def markers(self) -> dict[str, list[str]]:
        """Every credential and value there was: what must not show up anywhere it does not belong."""
        values = {value for vault in self.vaults.values() for value in vault.values_seen}
        secrets = {s for identity in self.identities.values() for s in identity.client_secrets}
        return {
            "tokens": [issued.token for issued in self.tokens.issued.values()],
            "assertions": sorted(self.assertions - {""}),
            "client_secrets": sorted(secrets | {self.identity_header}),
            "values": sorted(values),
        }
