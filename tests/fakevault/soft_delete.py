"""Deletion, recovery and backup: the operations that secrets, keys and certificates share."""

import base64
import json
from dataclasses import asdict

from . import certificates_api, keys_api, secrets_api, vault_errors as errors
from .call import Call, json_body
from .objects import Deleted, Object, Version, check_name

SHOWN = {"secrets": secrets_api, "keys": keys_api, "certificates": certificates_api}
"""Kind -> the module whose bundle() shows an object, and whose item() shows it in a list."""


def routes(kind: str, prefix: str) -> list[tuple]:
    """The rows of vault_api.ROUTES for a kind; `prefix` is that of its permissions."""
    deleted = f"deleted{kind}"

    def of_kind(operation):
        return lambda call, **arguments: operation(call, kind, **arguments)

    return [
        ("DELETE", (kind, "{name}"), f"{prefix}delete", of_kind(_delete)),
        ("GET", (deleted,), f"{prefix}list", of_kind(_list_deleted)),
        ("GET", (deleted, "{name}"), f"{prefix}get", of_kind(_get_deleted)),
        ("DELETE", (deleted, "{name}"), f"{prefix}purge", of_kind(_purge)),
        ("POST", (deleted, "{name}", "recover"), f"{prefix}recover", of_kind(_recover)),
        ("POST", (kind, "{name}", "backup"), f"{prefix}backup", of_kind(_backup)),
        ("POST", (kind, "restore"), f"{prefix}restore", of_kind(_restore)),
    ]


def _delete(call: Call, kind: str, name: str) -> dict:
    call.check_unmanaged(kind, name, "delete")
    return _deleted_bundle(call, kind, call.vault.delete(kind, name))


def _get_deleted(call: Call, kind: str, name: str) -> dict:
    return _deleted_bundle(call, kind, call.vault.collection(kind).deleted(name))


def _list_deleted(call: Call, kind: str) -> dict:
    return call.page(
        call.vault.collection(kind).all_deleted(),
        marker=lambda deleted: deleted.item.name.lower(),
        show=lambda deleted: _deletion(call, kind, deleted)
        | SHOWN[kind].item(call, deleted.item, deleted.item.current),
    )


def _purge(call: Call, kind: str, name: str) -> None:
    _check_own(kind, call.vault.collection(kind).deleted(name).item, "purge")
    call.vault.purge(kind, name)


def _recover(call: Call, kind: str, name: str) -> dict:
    _check_own(kind, call.vault.collection(kind).deleted(name).item, "recover")
    item = call.vault.recover(kind, name)
    return SHOWN[kind].bundle(call, item, item.current)


def _backup(call: Call, kind: str, name: str) -> dict:
    """The real blob is encrypted; what a client sees of either is base64 for URLs."""
    call.check_unmanaged(kind, name, "backup")
    objects = {one: asdict(item) for one, item in call.vault.objects_with(kind, name).items()}
    blob = base64.urlsafe_b64encode(json.dumps({"kind": kind, "objects": objects}).encode())
    return {"value": blob.rstrip(b"=").decode()}


def _restore(call: Call, kind: str) -> dict:
    blob = json_body(call).get("value")
    try:
        backup = json.loads(base64.urlsafe_b64decode(blob + "=" * (-len(blob) % 4)))
        if backup["kind"] != kind:
            raise ValueError("of another kind")
        objects = {one: _object(fields) for one, fields in backup["objects"].items()}
    except (ValueError, TypeError, KeyError):
        raise errors.bad_parameter("Backup blob is corrupt or was not made by this operation.") from None
    call.vault.restore(objects)
    item = objects[kind]
    return SHOWN[kind].bundle(call, item, item.current)


def _object(fields: dict) -> Object:
    check_name(fields["name"])
    versions = {version: Version(**members) for version, members in fields["versions"].items()}
    return Object(fields["name"], versions)


def _check_own(kind: str, item: Object, operation: str) -> None:
    if item.current.managed:
        raise errors.managed({"secrets": "Secret", "keys": "Key"}[kind], operation)


def _deletion(call: Call, kind: str, deleted: Deleted) -> dict:
    return {
        "recoveryId": call.identifier(f"deleted{kind}", deleted.item.name),
        "deletedDate": deleted.deleted_at,
        "scheduledPurgeDate": deleted.purge_at,
    }


def _deleted_bundle(call: Call, kind: str, deleted: Deleted) -> dict:
    shown = SHOWN[kind].bundle(call, deleted.item, deleted.item.current)
    return _deletion(call, kind, deleted) | shown
