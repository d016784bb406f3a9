"""The operations on keys. A disabled one is answered all the same, unlike a disabled secret."""

import re
import time

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import vault_errors as errors
from .call import Call, checked_version, json_body, properties
from .jwts import b64url, unb64url
from .objects import Object, Version

CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1, "P-256K": ec.SECP256K1}
CURVE_NAMES = {curve.name: name for name, curve in CURVES.items()}
RSA_SIZES = (2048, 3072, 4096)
KEY_OPS = {
    "RSA": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
    "EC": ["sign", "verify"],
}
ALL_OPS = {*KEY_OPS["RSA"], "import", "export", "deriveKey"}
PRIVATE_MEMBERS = {"RSA": ("n", "e", "d"), "EC": ("x", "y", "d")}
HSM = "-HSM"
NOTICE = {"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}
"""What every rotation policy has."""
DAYS = {"D": 1, "M": 30, "Y": 365}


def make_key(given: dict) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    kind = str(given.get("kty", "")).removesuffix(HSM)
    if kind == "RSA":
        size = given.get("key_size") or 2048
        if size in RSA_SIZES:
            return rsa.generate_private_key(public_exponent=65537, key_size=size)
        raise errors.bad_parameter("Property key_size has invalid value\r\n")
    if kind == "EC":
        curve = given.get("crv") or "P-256"
        if curve in CURVES:
            return ec.generate_private_key(CURVES[curve]())
        raise errors.bad_parameter("Property crv has invalid value\r\n")
    raise errors.bad_parameter("Property kty has invalid value\r\n")


def public_jwk(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict:
    numbers = key.public_numbers()
    if isinstance(key, rsa.RSAPublicKey):
        kind, members = "RSA", {"n": (numbers.n, key.key_size), "e": (numbers.e, 24)}
        curve = {}
    else:
        kind, members = "EC", {"x": (numbers.x, key.key_size), "y": (numbers.y, key.key_size)}
        curve = {"crv": CURVE_NAMES[key.curve.name]}
    encoded = {
        name: b64url(number.to_bytes((bits + 7) // 8, "big")) for name, (number, bits) in members.items()
    }
    return {"kty": kind, "key_ops": KEY_OPS[kind], **curve, **encoded}


def create(call: Call, name: str) -> dict:
    given = json_body(call)
    jwk = public_jwk(make_key(given).public_key())
    hsm = call.site.hsm or given["kty"].endswith(HSM)
    return _put(call, name, given, jwk, hsm, given.get("key_ops"))


def import_key(call: Call, name: str) -> dict:
    """Of the private key, nothing is kept but that it was there."""
    given = json_body(call)
    jwk = given.get("key")
    kind = str(jwk.get("kty", "")).removesuffix(HSM) if isinstance(jwk, dict) else ""
    if kind not in PRIVATE_MEMBERS:
        raise errors.bad_parameter("Property kty has invalid value\r\n")
    for member in PRIVATE_MEMBERS[kind]:
        try:
            unb64url(jwk[member])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise errors.bad_parameter(f"Property {member} has invalid value\r\n") from None
    if kind == "EC" and jwk.get("crv") not in CURVES:
        raise errors.bad_parameter("Property crv has invalid value\r\n")
    public = {"kty": kind, "key_ops": KEY_OPS[kind]}
    public |= {member: jwk[member] for member in ("crv", "x", "y", "n", "e") if member in jwk}
    hsm = call.site.hsm or given.get("Hsm") is True or jwk["kty"].endswith(HSM)
    return _put(call, name, given, public, hsm, jwk.get("key_ops"))


def _put(call: Call, name: str, given: dict, jwk: dict, hsm: bool, key_ops: list | None) -> dict:
    call.check_unmanaged("keys", name, "set")
    call.vault.keys.check_free(name)
    exportable = (given.get("attributes") or {}).get("exportable", False)
    if exportable and not given.get("release_policy"):
        raise errors.bad_parameter("Exportable keys must have release policy.")
    jwk["kty"] += HSM if hsm else ""
    if key_ops:
        jwk["key_ops"] = _checked_ops(key_ops)
    key, made = call.vault.keys.put(name, jwk, exportable=exportable, **properties(given))
    return bundle(call, key, made)


def _checked_ops(key_ops: object) -> list:
    if not isinstance(key_ops, list) or not set(key_ops) <= ALL_OPS:
        raise errors.bad_parameter("Property key_ops has invalid value\r\n")
    return key_ops


def update(call: Call, name: str, version: str | None = None) -> dict:
    given = json_body(call)
    changes = properties(given)
    _, found = call.vault.keys.get(name, checked_version(version))
    if "key_ops" in given:
        changes["value"] = found.value | {"key_ops": _checked_ops(given["key_ops"])}
    key, changed = call.vault.keys.update(name, found.id, **changes)
    return bundle(call, key, changed)


def rotate(call: Call, name: str) -> dict:
    """A new version of the same kind, which expires when the rotation policy says so."""
    call.check_unmanaged("keys", name, "rotate")
    key, old = call.vault.keys.get(name)
    kind = {"kty": old.value["kty"], "crv": old.value.get("crv")}
    if "n" in old.value:
        kind["key_size"] = len(unb64url(old.value["n"]).lstrip(b"\0")) * 8
    jwk = public_jwk(make_key(kind).public_key()) | {"kty": old.value["kty"], "key_ops": old.value["key_ops"]}
    kept = {"tags": old.tags, "exportable": old.exportable, "rotation_policy": old.rotation_policy}
    lives = ((old.rotation_policy or {}).get("attributes") or {}).get("expiryTime")
    if lives:
        kept["exp"] = int(time.time()) + _seconds(lives)
    _, made = call.vault.keys.put(key.name, jwk, **kept)
    return bundle(call, key, made)


def get_rotation_policy(call: Call, name: str) -> dict:
    key, found = call.vault.keys.get(name)
    policy = found.rotation_policy or {"lifetimeActions": [NOTICE], "attributes": {}}
    return {"id": call.identifier("keys", key.name) + "/rotationpolicy", **policy}


def set_rotation_policy(call: Call, name: str) -> dict:
    given = json_body(call)
    _, found = call.vault.keys.get(name)
    actions = given.get("lifetimeActions") or []
    kinds = {action["action"]["type"].lower(): action for action in actions}
    if not set(kinds) <= {"rotate", "notify"}:
        raise errors.invalid_property()
    attributes = {name: value for name, value in (given.get("attributes") or {}).items() if name == "expiryTime"}
    for text in attributes.values():
        _seconds(text)
    now = int(time.time())
    made = (found.rotation_policy or {}).get("attributes", {}).get("created", now)
    found.rotation_policy = {
        "lifetimeActions": [*actions, *([] if "notify" in kinds else [NOTICE])],
        "attributes": attributes | {"created": made, "updated": now},
    }
    return get_rotation_policy(call, name)


def _seconds(duration: str) -> int:
    """Of an ISO 8601 duration in days, months or years."""
    found = re.fullmatch(r"P(\d+)([DMY])", str(duration))
    if not found:
        raise errors.invalid_property()
    return int(found[1]) * DAYS[found[2]] * 86400


def get_key(call: Call, name: str, version: str | None = None) -> dict:
    return bundle(call, *call.vault.keys.get(name, checked_version(version)))


def list_keys(call: Call) -> dict:
    return call.page(
        call.vault.keys.all(),
        marker=lambda key: key.name.lower(),
        show=lambda key: item(call, key, key.current),
    )


def list_versions(call: Call, name: str) -> dict:
    key, versions = call.vault.keys.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: item(call, key, version, version.id),
    )


def bundle(call: Call, key: Object, found: Version) -> dict:
    kid = call.identifier("keys", key.name, found.id)
    more = {} if found.managed else {"exportable": found.exportable}
    if call.has("7.5") and not call.site.hsm:
        more["hsmPlatform"] = "2" if found.value.get("kty", "").endswith(HSM) else "0"
    return {"key": {"kid": kid, **found.value}, "attributes": call.attributes(found, **more), **_flags(found)}


def item(call: Call, key: Object, version: Version, shown_version: str = "") -> dict:
    kid = call.identifier("keys", key.name, shown_version)
    return {"kid": kid, "attributes": call.attributes(version), **_flags(version)}


def _flags(version: Version) -> dict:
    flags: dict = {}
    if version.tags is not None:
        flags["tags"] = version.tags
    if version.managed:
        flags["managed"] = True
    return flags
