"""Identities: who may ask for a token and what it may then do. Grants and denials are patterns."""

import uuid
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from . import assertion
from .vault_errors import RBAC_ACTIONS

PERMISSIONS = tuple(RBAC_ACTIONS)


@dataclass(frozen=True)
class Federation:
    """A federated identity credential. Compared exactly, with regard to case."""

    issuer: str = assertion.ISSUER
    subject: str = assertion.SUBJECT
    audience: str = assertion.AUDIENCE


@dataclass(frozen=True)
class Rule:
    """One permission on the objects of vaults, both named by patterns."""

    permission: str
    vault: str = "*"
    name: str = "*"

    def covers(self, permission: str, vault: str, name: str) -> bool:
        return (
            self.permission == permission
            and fnmatchcase(vault, self.vault)
            and fnmatchcase(name.lower(), self.name.lower())
        )


@dataclass
class Identity:
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    enabled: bool = True
    federations: list[Federation] = field(default_factory=list)
    client_secrets: dict[str, bool] = field(default_factory=dict)
    """Secret -> whether it has expired."""
    certificates: list[str] = field(default_factory=list)
    """PEM of the certificates that are registered with the application."""
    certificate_roots: list[str] = field(default_factory=list)
    """PEM of the roots whose certificates are trusted by subject name and issuer (x5c)."""
    managed: str = ""
    """Assigned to the machine: "system", "user", or not at all."""
    resource_id: str = ""
    """Of a managed identity."""
    bindings: list[Federation] = field(default_factory=list)
    """What an AKS identity binding's token proxy accepts."""
    grants: list[Rule] = field(default_factory=list)
    denials: list[Rule] = field(default_factory=list)

    @classmethod
    def default(cls) -> "Identity":
        """The identity of the demo workload, with every permission."""
        return cls(
            federations=[Federation()],
            bindings=[Federation(audience=assertion.BINDING_AUDIENCE)],
            grants=[Rule(p) for p in PERMISSIONS],
        )

    def may(self, permission: str, vault: str, name: str = "") -> bool:
        """Whether the identity has `permission` on object `name` (for a list, on the whole vault)."""

        def covered(rules: list[Rule]) -> bool:
            return any(rule.covers(permission, vault, name) for rule in rules)

        return covered(self.grants) and not covered(self.denials)

    def grant(self, rule: Rule) -> None:
        """Add a permission; a denial of exactly the same extent goes."""
        if rule in self.denials:
            self.denials.remove(rule)
        if rule not in self.grants:
            self.grants.append(rule)

    def revoke(self, rule: Rule) -> None:
        """Take a permission back: the very grant when there is one, and by a denial what others still give."""
        had = rule in self.grants
        if had:
            self.grants.remove(rule)
        wider = self.may(rule.permission, rule.vault, rule.name)
        if rule not in self.denials and (wider or not had):
            self.denials.append(rule)

    def to_dict(self) -> dict:
        """What may be shown: everything but the client secrets."""
        return {
            "client_id": self.client_id,
            "object_id": self.object_id,
            "enabled": self.enabled,
            "federations": [vars(federation) for federation in self.federations],
            "client_secrets": len(self.client_secrets),
            "certificates": len(self.certificates),
            "managed": self.managed,
            "resource_id": self.resource_id,
            "grants": [vars(rule) for rule in self.grants],
            "denials": [vars(rule) for rule in self.denials],
        }
