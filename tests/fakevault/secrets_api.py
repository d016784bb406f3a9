"""The operations on secrets: from a call to the body of its reply. Permissions are settled before."""

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from . import vault_errors as errors
from .call import PEM_TYPE, PFX_TYPE, Call, checked_version, json_body, properties
from .objects import Object, Version


def get(call: Call, name: str, version: str | None = None) -> dict:
    secret, found = call.vault.secrets.get(name, checked_version(version))
    if not found.enabled:
        raise errors.disabled()
    shown = bundle(call, secret, found)
    wanted = call.request.query.get("outContentType")
    if wanted and call.has("2025-06-01-preview"):
        return {"value": _as_pem(wanted, found)} | shown | {"contentType": PEM_TYPE}
    return {"value": found.value} | shown


def put(call: Call, name: str) -> dict:
    given = json_body(call)
    call.check_unmanaged("secrets", name, "set")
    secret, made = call.vault.put_secret(name, given.get("value"), **_properties(given))
    return {"value": made.value} | bundle(call, secret, made)


def patch(call: Call, name: str, version: str | None = None) -> dict:
    changes = _properties(json_body(call))
    secret, changed = call.vault.secrets.update(name, checked_version(version), **changes)
    return bundle(call, secret, changed)


def list_secrets(call: Call) -> dict:
    return call.page(
        call.vault.secrets.all(),
        marker=lambda secret: secret.name.lower(),
        show=lambda secret: item(call, secret, secret.current),
    )


def list_versions(call: Call, name: str) -> dict:
    secret, versions = call.vault.secrets.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: item(call, secret, version, version.id),
    )


def item(call: Call, secret: Object, version: Version, shown_version: str = "") -> dict:
    """What lists say of a secret, and every bundle too: all but its value."""
    shown: dict = {}
    if version.content_type is not None:
        shown["contentType"] = version.content_type
    shown["id"] = call.identifier("secrets", secret.name, shown_version)
    if version.managed:
        shown["managed"] = True
    shown["attributes"] = call.attributes(version)
    if version.tags is not None:
        shown["tags"] = version.tags
    return shown


def bundle(call: Call, secret: Object, version: Version) -> dict:
    """All but the value."""
    shown = item(call, secret, version, version.id)
    if version.managed:
        shown["kid"] = call.identifier("keys", secret.name, version.id)
    return shown


def _properties(given: dict) -> dict:
    found = properties(given)
    if "contentType" in given:
        found["content_type"] = given["contentType"]
    return found


def _as_pem(wanted: str, version: Version) -> str:
    """The key and certificates of a PKCS#12 as PEM: the one change of form that the service makes."""
    if wanted != PEM_TYPE or version.content_type != PFX_TYPE:
        given = {PFX_TYPE: "PFX", PEM_TYPE: "PEM"}
        raise errors.bad_parameter(
            f"The '{given.get(version.content_type, 'Unsupported')}' to '{given.get(wanted, 'Unsupported')}'"
            " transformation is not supported. Only PFX to PEM transformation is supported."
        )
    key, leaf, others = load_key_and_certificates(base64.b64decode(version.value), b"")
    pem = serialization.Encoding.PEM
    pieces = [one.public_bytes(pem) for one in [leaf, *others] if one is not None]
    if key is not None:
        plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pieces.insert(0, key.private_bytes(pem, *plain))
    return b"".join(pieces).decode()
