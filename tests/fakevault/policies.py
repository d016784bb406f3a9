"""Certificate policies: what may be asked for, and what the service fills in where nothing was said."""

import base64
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from . import vault_errors as errors
from .call import PEM_TYPE, PFX_TYPE
from .keys_api import CURVE_NAMES, HSM, make_key

ISSUERS = ("Self", "Unknown")
"""Those that need no issuer object in the vault."""
PARTS = ("key_props", "secret_props", "x509_props", "lifetime_actions", "issuer", "attributes")


def checked(policy: object) -> dict:
    """Refuse a policy that no certificate can be made by."""
    if not isinstance(policy, dict) or (policy.get("issuer") or {}).get("name") not in ISSUERS:
        raise errors.bad_parameter("Property policy has invalid value\r\n")
    if content_type(policy) not in (PEM_TYPE, PFX_TYPE):
        raise errors.bad_parameter("Property secret_props.contentType has invalid value\r\n")
    wanted = policy.get("key_props") or {}
    if wanted.get("exportable") and str(wanted.get("kty", "")).endswith(HSM):
        raise errors.bad_parameter("Private key is not exportable with the specified key type.")
    subject(policy)
    return policy


def content_type(policy: dict) -> str:
    return (policy.get("secret_props") or {}).get("contentType") or PFX_TYPE


def exportable(policy: dict) -> bool:
    wanted = policy.get("key_props") or {}
    return wanted.get("exportable", not str(wanted.get("kty", "")).endswith(HSM))


def new_key(policy: dict):
    """Of the kind that the policy names; RSA with 2048 bits where it names none."""
    return make_key({"kty": "RSA"} | (policy.get("key_props") or {}))


def months(policy: dict) -> int:
    return (policy.get("x509_props") or {}).get("validity_months") or 12


def dns_names(policy: dict) -> list[str]:
    return ((policy.get("x509_props") or {}).get("sans") or {}).get("dns_names") or []


def subject(policy: dict) -> x509.Name:
    """Empty is allowed where there are other names."""
    text = (policy.get("x509_props") or {}).get("subject") or ""
    if not text and dns_names(policy):
        return x509.Name([])
    try:
        # The service takes a space behind the comma, which RFC 4514 does not.
        found = x509.Name.from_rfc4514_string(re.sub(r",\s+", ",", text))
    except ValueError:
        found = None
    if not found:
        raise errors.bad_parameter("Property x509_props.subject has invalid value\r\n")
    return found


def complete(policy: dict | None, cer: str | None, created: int) -> dict:
    """The policy in full; `cer` is the certificate in base64, once there is one."""
    given = policy or {}
    issuer = given.get("issuer") or {"name": "Self"}
    renews = "EmailContacts" if issuer["name"] == "Unknown" else "AutoRenew"
    attributes = {"enabled": True, "created": created, "updated": created}
    return {
        "key_props": {"exportable": exportable(given), "reuse_key": False}
        | (_key_members(cer) if cer else {"kty": "RSA", "key_size": 2048})
        | _given(given, "key_props"),
        "secret_props": {"contentType": PFX_TYPE} | _given(given, "secret_props"),
        "x509_props": {
            "subject": "",
            "sans": {},
            "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
            "key_usage": ["digitalSignature", "keyEncipherment"],
            "validity_months": 12,
            "basic_constraints": {"ca": False},
        }
        | _given(given, "x509_props"),
        "lifetime_actions": given.get("lifetime_actions")
        or [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": renews}}],
        "issuer": issuer,
        "attributes": attributes | _given(given, "attributes"),
    }


def _given(policy: dict, part: str) -> dict:
    return {name: value for name, value in (policy.get(part) or {}).items() if value is not None}


def _key_members(cer: str) -> dict:
    """What a policy says of the key of a certificate."""
    key = x509.load_der_x509_certificate(base64.b64decode(cer)).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return {"kty": "RSA", "key_size": key.key_size}
    return {"kty": "EC", "key_size": key.key_size, "crv": CURVE_NAMES[key.curve.name]}
