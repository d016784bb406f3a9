"""Reading and changing certificates. A disabled one is answered all the same, unlike a disabled secret."""

import time

from . import policies, vault_errors as errors
from .call import Call, checked_version, json_body, properties
from .objects import Object, Version


def get_certificate(call: Call, name: str, version: str | None = None) -> dict:
    certificate, found = call.vault.certificates.get(name, checked_version(version))
    return bundle(call, certificate, found, version is None)


def bundle(call: Call, certificate: Object, found: Version, current: bool = True) -> dict:
    """One still in its first issuance has no value: no kid, sid, x5t and cer then. Only the current one shows its
    policy, and the operation that there was."""
    shown = {"id": call.identifier("certificates", certificate.name, found.id)}
    if found.value:
        for member, kind in (("kid", "keys"), ("sid", "secrets")):
            shown[member] = call.identifier(kind, certificate.name, found.id)
        shown |= found.value
    shown["attributes"] = call.attributes(found)
    if found.tags is not None:
        shown["tags"] = found.tags
    if current:
        base = call.identifier("certificates", certificate.name)
        shown["policy"] = _policy(base, found)
        if certificate.name.lower() in call.vault.pending:
            shown["pending"] = {"id": f"{base}/pending"}
    return shown


def update(call: Call, name: str, version: str | None = None) -> dict:
    """Whether it is enabled is so for its key and its secret, too."""
    given = json_body(call)
    changes = properties(given)
    for stated in ("nbf", "exp"):
        if changes.pop(stated, None) is not None:
            raise errors.bad_parameter(f"Property attributes.{stated} has invalid value\r\n")
    certificate, found = call.vault.certificates.get(name, checked_version(version))
    if given.get("policy"):
        changes["policy"] = _changed(found, given["policy"])
    call.vault.certificates.update(name, found.id, **changes)
    if "enabled" in changes:
        for kind in ("secrets", "keys"):
            call.vault.collection(kind).update(name, found.id, enabled=changes["enabled"])
    return bundle(call, certificate, found, version is None)


def get_policy(call: Call, name: str) -> dict:
    certificate, found = call.vault.certificates.get(name)
    return _policy(call.identifier("certificates", certificate.name), found)


def update_policy(call: Call, name: str) -> dict:
    _, found = call.vault.certificates.get(name)
    found.policy = _changed(found, json_body(call))
    return get_policy(call, name)


def _policy(base: str, found: Version) -> dict:
    cer = found.value and found.value["cer"]
    return {"id": f"{base}/policy", **policies.complete(found.policy, cer, found.created)}


def _changed(found: Version, given: dict) -> dict:
    """The policy of `found` with the parts that are given; what they do not name stays."""
    policy = policies.complete(found.policy, found.value and found.value["cer"], found.created)
    for part in policies.PARTS:
        new = given.get(part)
        if isinstance(new, dict):
            policy[part] = policy[part] | {name: value for name, value in new.items() if value is not None}
        elif new is not None:
            policy[part] = new
    policy["attributes"]["updated"] = int(time.time())
    return policies.checked(policy)


def list_certificates(call: Call) -> dict:
    """Those in their first issuance are listed on request."""
    pending = call.request.query.get("includePending", "").lower() == "true"
    return call.page(
        [one for one in call.vault.certificates.all() if pending or one.current.value],
        marker=lambda certificate: certificate.name.lower(),
        show=lambda certificate: item(call, certificate, certificate.current),
    )


def list_versions(call: Call, name: str) -> dict:
    certificate, versions = call.vault.certificates.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: item(call, certificate, version, version.id),
    )


def item(call: Call, certificate: Object, version: Version, shown_version: str = "") -> dict:
    shown = {"id": call.identifier("certificates", certificate.name, shown_version)}
    if version.value:
        shown["x5t"] = version.value["x5t"]
    shown["attributes"] = call.attributes(version)
    if version.tags is not None:
        shown["tags"] = version.tags
    return shown | {"subject": ""}
