"""Reading keys and certificates. A disabled one is answered all the same, unlike a disabled secret."""

import base64
import calendar
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .call import Call, checked_version
from .jwts import b64url
from .objects import Object, Version

CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "P-256K"}
KEY_OPS = {
    "RSA": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
    "EC": ["sign", "verify"],
}


def certificate_parts(cer: str) -> tuple[dict, dict, dict]:
    """Of a certificate in base64: what its bundle shows, its key as a JWK, and its validity."""
    der = base64.b64decode(cer, validate=True)
    certificate = x509.load_der_x509_certificate(der)
    shown = {"x5t": b64url(hashlib.sha1(der).digest()), "cer": cer}
    validity = {
        "nbf": calendar.timegm(certificate.not_valid_before.utctimetuple()),
        "exp": calendar.timegm(certificate.not_valid_after.utctimetuple()),
    }
    return shown, public_jwk(certificate.public_key()), validity


def public_jwk(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict:
    numbers = key.public_numbers()
    if isinstance(key, rsa.RSAPublicKey):
        kind, members = "RSA", {"n": (numbers.n, key.key_size), "e": (numbers.e, 24)}
        curve = {}
    else:
        kind, members = "EC", {"x": (numbers.x, key.key_size), "y": (numbers.y, key.key_size)}
        curve = {"crv": CURVES[key.curve.name]}
    encoded = {
        name: b64url(number.to_bytes((bits + 7) // 8, "big")) for name, (number, bits) in members.items()
    }
    return {"kty": kind, "key_ops": KEY_OPS[kind], **curve, **encoded}


def get_key(call: Call, name: str, version: str | None = None) -> dict:
    key, found = call.vault.keys.get(name, checked_version(version))
    kid = call.identifier("keys", key.name, found.id)
    exportable = {} if found.managed else {"exportable": found.exportable}
    attributes = call.attributes(found, **exportable, hsmPlatform="0")
    return {"key": {"kid": kid, **found.value}, "attributes": attributes, **_flags(found)}


def list_keys(call: Call) -> dict:
    return call.page(
        call.vault.keys.all(),
        marker=lambda key: key.name.lower(),
        show=lambda key: _key_item(call, key, key.current),
    )


def list_key_versions(call: Call, name: str) -> dict:
    key, versions = call.vault.keys.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: _key_item(call, key, version, version.id),
    )


def get_certificate(call: Call, name: str, version: str | None = None) -> dict:
    """A certificate still in its first issuance has no value: no kid, sid, x5t and cer then."""
    certificate, found = call.vault.certificates.get(name, checked_version(version))
    bundle = {"id": call.identifier("certificates", certificate.name, found.id)}
    if found.value:
        for member, kind in (("kid", "keys"), ("sid", "secrets")):
            bundle[member] = call.identifier(kind, certificate.name, found.id)
        bundle |= found.value
    bundle["attributes"] = call.attributes(found)
    if found.tags is not None:
        bundle["tags"] = found.tags
    if version is None:
        base = call.identifier("certificates", certificate.name)
        bundle["policy"] = _policy(call, base, found)
        bundle["pending"] = {"id": f"{base}/pending"}
    return bundle


def _policy(call: Call, base: str, found: Version) -> dict:
    """The policy in full, with what was not said filled in as the service does."""
    given = found.policy or {}
    key = found.value and public_members(found.value["cer"])
    return {
        "id": f"{base}/policy",
        "key_props": {"exportable": found.exportable, "reuse_key": False} | (key or {}) | given.get("key_props", {}),
        "secret_props": {"contentType": found.content_type} | given.get("secret_props", {}),
        "x509_props": {
            "subject": "",
            "sans": {},
            "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
            "key_usage": ["digitalSignature", "keyEncipherment"],
            "validity_months": 12,
            "basic_constraints": {"ca": False},
        }
        | given.get("x509_props", {}),
        "lifetime_actions": given.get("lifetime_actions")
        or [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
        "issuer": given.get("issuer") or {"name": "Self"},
        "attributes": {"enabled": True, "created": found.created, "updated": found.created},
    }


def public_members(cer: str) -> dict:
    """What a policy says of the key of a certificate."""
    key = x509.load_der_x509_certificate(base64.b64decode(cer)).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return {"kty": "RSA", "key_size": key.key_size}
    return {"kty": "EC", "key_size": key.key_size, "crv": CURVES[key.curve.name]}


def list_certificates(call: Call) -> dict:
    return call.page(
        call.vault.certificates.all(),
        marker=lambda certificate: certificate.name.lower(),
        show=lambda certificate: _certificate_item(call, certificate, certificate.current),
    )


def list_certificate_versions(call: Call, name: str) -> dict:
    certificate, versions = call.vault.certificates.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: _certificate_item(call, certificate, version, version.id),
    )


def _key_item(call: Call, key: Object, version: Version, shown_version: str = "") -> dict:
    kid = call.identifier("keys", key.name, shown_version)
    return {"kid": kid, "attributes": call.attributes(version), **_flags(version)}


def _certificate_item(
    call: Call, certificate: Object, version: Version, shown_version: str = ""
) -> dict:
    item = {"id": call.identifier("certificates", certificate.name, shown_version)}
    if version.value:
        item["x5t"] = version.value["x5t"]
    item["attributes"] = call.attributes(version)
    return item | _flags(version) | {"subject": ""}


def _flags(version: Version) -> dict:
    flags: dict = {}
    if version.tags is not None:
        flags["tags"] = version.tags
    if version.managed:
        flags["managed"] = True
    return flags
