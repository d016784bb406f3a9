"""The operations on secrets: from a call to the body of its reply. Permissions are settled before."""

from . import vault_errors as errors
from .call import Call, checked_version, json_body
from .objects import Object, Version
from .vault import Deleted


def get(call: Call, name: str, version: str | None = None) -> dict:
    secret, found = call.vault.secrets.get(name, checked_version(version))
    if not found.enabled:
        raise errors.disabled()
    return _bundle(call, secret, found, with_value=True)


def put(call: Call, name: str) -> dict:
    given = json_body(call)
    secret, made = call.vault.put_secret(name, given.get("value"), **_properties(given))
    return _bundle(call, secret, made, with_value=True)


def patch(call: Call, name: str, version: str | None = None) -> dict:
    changes = _properties(json_body(call))
    secret, changed = call.vault.secrets.update(name, checked_version(version), **changes)
    return _bundle(call, secret, changed)


def delete(call: Call, name: str) -> dict:
    return _deleted_bundle(call, call.vault.delete_secret(name))


def get_deleted(call: Call, name: str) -> dict:
    return _deleted_bundle(call, call.vault.deleted_secret(name))


def purge(call: Call, name: str) -> None:
    call.vault.purge_secret(name)


def recover(call: Call, name: str) -> dict:
    secret = call.vault.recover_secret(name)
    return _bundle(call, secret, secret.current)


def list_secrets(call: Call) -> dict:
    return call.page(
        call.vault.secrets.all(),
        marker=lambda secret: secret.name.lower(),
        show=lambda secret: _item(call, secret, secret.current),
    )


def list_versions(call: Call, name: str) -> dict:
    secret, versions = call.vault.secrets.versions(name)
    return call.page(
        versions,
        marker=lambda version: version.id,
        show=lambda version: _item(call, secret, version, version.id),
    )


def list_deleted(call: Call) -> dict:
    return call.page(
        call.vault.deleted_secrets(),
        marker=lambda deleted: deleted.secret.name.lower(),
        show=lambda deleted: _deletion(call, deleted)
        | _item(call, deleted.secret, deleted.secret.current),
    )


def _properties(given: dict) -> dict:
    """The properties of a version that a body names, under the names of objects.Version."""
    attributes = given.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise errors.invalid_property()
    found = {name: attributes[name] for name in ("enabled", "nbf", "exp") if name in attributes}
    if "contentType" in given:
        found["content_type"] = given["contentType"]
    if "tags" in given:
        found["tags"] = given["tags"]
    return found


def _item(call: Call, secret: Object, version: Version, shown_version: str = "") -> dict:
    """What lists say of a secret, and every bundle too: all but its value."""
    item: dict = {}
    if version.content_type is not None:
        item["contentType"] = version.content_type
    item["id"] = call.identifier("secrets", secret.name, shown_version)
    if version.managed:
        item["managed"] = True
    item["attributes"] = call.attributes(version)
    if version.tags is not None:
        item["tags"] = version.tags
    return item


def _bundle(call: Call, secret: Object, version: Version, with_value: bool = False) -> dict:
    bundle = {"value": version.value} if with_value else {}
    bundle |= _item(call, secret, version, version.id)
    if version.managed:
        bundle["kid"] = call.identifier("keys", secret.name, version.id)
    return bundle


def _deletion(call: Call, deleted: Deleted) -> dict:
    return {
        "recoveryId": call.identifier("deletedsecrets", deleted.secret.name),
        "deletedDate": deleted.deleted_at,
        "scheduledPurgeDate": deleted.purge_at,
    }


def _deleted_bundle(call: Call, deleted: Deleted) -> dict:
    return _deletion(call, deleted) | _bundle(call, deleted.secret, deleted.secret.current)
