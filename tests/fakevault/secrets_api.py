"""The operations on secrets: from a call to the body of its reply. Permissions are settled before."""

import base64
import json
from typing import TYPE_CHECKING, TypeVar
from collections.abc import Callable

from . import vault_errors as errors
from .store import VERSION, Deleted, Secret, Version

if TYPE_CHECKING:
    from .vault_api import Call

MAX_PAGE = 25
T = TypeVar("T")


def get(call: "Call", name: str, version: str | None = None) -> dict:
    secret, found = call.vault.secret(name, _checked(version))
    if not found.enabled:
        raise errors.disabled()
    return _bundle(call, secret, found, with_value=True)


def put(call: "Call", name: str) -> dict:
    given = _json_body(call)
    if not isinstance(given.get("value"), str):
        raise errors.bad_parameter("Property has invalid value\r\n")
    secret, made = call.vault.put(name, given["value"], **_properties(given))
    return _bundle(call, secret, made, with_value=True)


def patch(call: "Call", name: str, version: str | None = None) -> dict:
    secret, changed = call.vault.update(name, _checked(version), **_properties(_json_body(call)))
    return _bundle(call, secret, changed)


def delete(call: "Call", name: str) -> dict:
    return _deleted_bundle(call, call.vault.delete(name))


def get_deleted(call: "Call", name: str) -> dict:
    return _deleted_bundle(call, call.vault.deleted_secret(name))


def purge(call: "Call", name: str) -> None:
    call.vault.purge(name)


def recover(call: "Call", name: str) -> dict:
    secret = call.vault.recover(name)
    return _bundle(call, secret, secret.current)


def list_secrets(call: "Call") -> dict:
    secrets = [secret for _, secret in sorted(call.vault.secrets.items())]
    return _page(
        call,
        secrets,
        marker=lambda secret: secret.name.lower(),
        item=lambda secret: _list_item(call, secret, secret.current),
    )


def list_versions(call: "Call", name: str) -> dict:
    secret, versions = call.vault.versions(name)
    return _page(
        call,
        versions,
        marker=lambda version: version.id,
        item=lambda version: _list_item(call, secret, version, with_version=True),
    )


def list_deleted(call: "Call") -> dict:
    return _page(
        call,
        call.vault.deleted_secrets(),
        marker=lambda deleted: deleted.secret.name.lower(),
        item=lambda deleted: _deletion(call, deleted)
        | _list_item(call, deleted.secret, deleted.secret.current),
    )


def _checked(version: str | None) -> str | None:
    if version is None:
        return None
    if not VERSION.fullmatch(version.lower()):
        raise errors.bad_parameter(f"The request URI contains an invalid version: {version}")
    return version.lower()


def _json_body(call: "Call") -> dict:
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        body = json.loads(call.request.body) if content_type == "application/json" else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.bad_parameter("The request body is not a JSON object")
    return body


def _properties(given: dict) -> dict:
    """The properties of a version that a body names, under the names of store.Version."""
    attributes = given.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise errors.bad_parameter("Property has invalid value\r\n")
    found = {name: attributes[name] for name in ("enabled", "nbf", "exp") if name in attributes}
    if "contentType" in given:
        found["content_type"] = given["contentType"]
    if "tags" in given:
        found["tags"] = given["tags"]
    return found


def _identifier(call: "Call", kind: str, name: str, version: str = "") -> str:
    """Identifiers never carry a port, whatever port the request came to."""
    return f"https://{call.site.host}/{kind}/{name}" + (f"/{version}" if version else "")


def _attributes(call: "Call", version: Version) -> dict:
    days = call.vault.settings.recoverable_days
    level = "Recoverable+Purgeable" if days == 90 else "CustomizedRecoverable+Purgeable"
    times = {"nbf": version.nbf, "exp": version.exp}
    return {
        "enabled": version.enabled,
        **{name: at for name, at in times.items() if at is not None},
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": level,
        "recoverableDays": days,
    }


def _list_item(
    call: "Call", secret: Secret, version: Version, with_version: bool = False
) -> dict:
    """What lists say of a secret, and every bundle too: all but its value."""
    item: dict = {}
    if version.content_type is not None:
        item["contentType"] = version.content_type
    item["id"] = _identifier(call, "secrets", secret.name, version.id if with_version else "")
    if version.managed:
        item["managed"] = True
    item["attributes"] = _attributes(call, version)
    if version.tags is not None:
        item["tags"] = version.tags
    return item


def _bundle(
    call: "Call", secret: Secret, version: Version, with_value: bool = False
) -> dict:
    bundle = {"value": version.value} if with_value else {}
    bundle |= _list_item(call, secret, version, with_version=True)
    if version.managed:
        bundle["kid"] = _identifier(call, "keys", secret.name, version.id)
    return bundle


def _deletion(call: "Call", deleted: Deleted) -> dict:
    return {
        "recoveryId": _identifier(call, "deletedsecrets", deleted.secret.name),
        "deletedDate": deleted.deleted_at,
        "scheduledPurgeDate": deleted.purge_at,
    }


def _deleted_bundle(call: "Call", deleted: Deleted) -> dict:
    return _deletion(call, deleted) | _bundle(call, deleted.secret, deleted.secret.current)


def _page(
    call: "Call", items: list[T], marker: Callable[[T], str], item: Callable[[T], dict]
) -> dict:
    """One page of `items`, which are sorted by their `marker`.

    After the first page come as many empty ones as the vault's settings say: the real service does
    that, and a client that stops at an empty page loses the rest.
    """
    size = min(_max_results(call), call.vault.settings.page_size)
    after, empty_pages = _read_skiptoken(call)
    if empty_pages is None:
        empty_pages = call.vault.settings.empty_pages
    elif empty_pages > 0:
        return _with_next_link(call, [], after, empty_pages - 1)
    rest = [one for one in items if after is None or marker(one) > after]
    page = [item(one) for one in rest[:size]]
    if len(rest) > size or empty_pages > 0:
        last = marker(rest[:size][-1]) if rest else ""
        return _with_next_link(call, page, last, empty_pages)
    ends = {"null": {"nextLink": None}, "empty": {"nextLink": ""}, "absent": {}}
    return {"value": page} | ends[call.vault.settings.final_next_link]


def _max_results(call: "Call") -> int:
    text = call.request.query.get("maxresults", str(MAX_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise errors.bad_parameter(f"maxresults must be between 1 and {MAX_PAGE}.")
    return int(text)


def _read_skiptoken(call: "Call") -> tuple[str | None, int | None]:
    """Marker of the last item sent, and empty pages still owed; both None on a first page."""
    token = call.request.query.get("$skiptoken")
    if token is None:
        return None, None
    try:
        padded = token + "=" * (-len(token) % 4)
        state = json.loads(base64.urlsafe_b64decode(padded))
        if state["TargetLocation"] != call.request.path:
            raise ValueError
        return state["NextMarker"], state["EmptyPages"]
    except (ValueError, KeyError, TypeError):
        raise errors.bad_parameter("The skiptoken is invalid.") from None


def _with_next_link(call: "Call", page: list[dict], marker: str | None, empty_pages: int) -> dict:
    query = call.request.query
    state = {
        "NextMarker": marker,
        "TargetLocation": call.request.path,
        "EmptyPages": empty_pages,
    }
    token = base64.urlsafe_b64encode(json.dumps(state).encode()).rstrip(b"=").decode()
    link = f"https://{call.site.host}:{call.site.port}{call.request.path}"
    link += f"?api-version={query['api-version']}&$skiptoken={token}"
    if "maxresults" in query:
        link += f"&maxresults={query['maxresults']}"
    return {"value": page, "nextLink": link}
