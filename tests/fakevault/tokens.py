"""Access tokens: issued as Entra issues them, and checked as a vault checks them."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from .identities import Identity
from .jwts import Malformed, SigningKey, parse

VAULT_APP_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
"""Key Vault's own application id: the one audience accepted besides the resource."""


@dataclass
class TokenPolicy:
    """How tokens are issued from now on."""

    lifetime_s: int = 3600
    expires_in: int | None = None
    """What the reply claims, when it is not the truth."""
    expires_in_type: str = "int"
    """int or string."""
    expires_on_type: str = "string"
    """string, number or date: how App Service's endpoint writes it."""
    refresh_in: int | None = None
    claims: dict = field(default_factory=dict)
    """Claims that replace those of the token, to make one that a vault refuses."""


@dataclass
class Issued:
    id: str
    token: str
    client_id: str
    audience: str
    tenant_id: str
    issued_at: float
    expires_at: float
    revoked: bool = False

    def to_dict(self) -> dict:
        return vars(self)


@dataclass(frozen=True)
class Bearer:
    """What a vault makes of the Authorization header of a request."""

    state: str
    """ok none malformed signature issuer audience expired revoked"""
    token_id: str | None = None
    claims: dict = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.state == "ok"


class TokenIssuer:
    def __init__(self, key: Callable[[], SigningKey]):
        self._key = key
        self.policy = TokenPolicy()
        self.issued: dict[str, Issued] = {}
        """By id, oldest first."""

    def jwks(self) -> dict:
        return {"keys": [self._key().jwk()]}

    def issue(self, identity: Identity, tenant_id: str, audience: str) -> Issued:
        now = time.time()
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now) + self.policy.lifetime_s,
            "appid": identity.client_id,
            "appidacr": "2",
            "idtyp": "app",
            "oid": identity.object_id,
            "sub": identity.object_id,
            "tid": tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        } | self.policy.claims
        issued = Issued(
            id=claims["uti"],
            token=self._key().sign(claims),
            client_id=identity.client_id,
            audience=claims["aud"],
            tenant_id=tenant_id,
            issued_at=now,
            expires_at=claims["exp"],
        )
        self.issued[issued.id] = issued
        return issued

    def revoke_all(self) -> int:
        """From now on a vault says of every token issued so far that it has expired."""
        for issued in self.issued.values():
            issued.revoked = True
        return len(self.issued)

    def reply(self, issued: Issued) -> dict:
        """The body of a successful token reply."""
        expires_in: int | str = self.policy.lifetime_s - 1
        if self.policy.expires_in is not None:
            expires_in = self.policy.expires_in
        if self.policy.expires_in_type == "string":
            expires_in = str(expires_in)
        body = {"token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in}
        if self.policy.refresh_in is not None:
            body["refresh_in"] = self.policy.refresh_in
        return body | {"access_token": issued.token}

    def check(self, authorization: str | None, resource: str, tenant_id: str) -> Bearer:
        """Judge an Authorization header at a vault of `tenant_id` whose resource is `resource`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return Bearer("none")
        token = token.strip()
        try:
            _, claims = parse(token)
        except Malformed:
            return Bearer("malformed")
        return Bearer(self._judge(token, claims, resource, tenant_id), claims.get("uti"), claims)

    def _judge(self, token: str, claims: dict, resource: str, tenant_id: str) -> str:
        if not self._key().signed(token):
            return "signature"
        if claims["iss"] != f"https://sts.windows.net/{tenant_id}/":
            return "issuer"
        if claims["aud"] not in (resource, VAULT_APP_ID):
            return "audience"
        if not claims["nbf"] <= time.time() < claims["exp"]:
            return "expired"
        issued = self.issued.get(claims["uti"])
        if issued is None or issued.revoked:
            return "revoked"
        return "ok"
