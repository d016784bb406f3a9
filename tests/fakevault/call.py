"""One authenticated call of the data plane, and what the bodies of secrets, keys and certificates share."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from . import vault_errors as errors, versions
from .http1 import Request
from .objects import VERSION, Version
from .sites import Site
from .vault import Vault

MAX_PAGE = 25
PEM_TYPE, PFX_TYPE = "application/x-pem-file", "application/x-pkcs12"
T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    vault: Vault
    site: Site
    request: Request

    def identifier(self, kind: str, name: str, version: str = "") -> str:
        """Identifiers never carry a port, whatever port the request came to."""
        return f"https://{self.site.host}/{kind}/{name}" + (f"/{version}" if version else "")

    def has(self, since: str) -> bool:
        """Whether the interface that the caller wants has what came with the version `since`."""
        return versions.has(self.request.query["api-version"], since)

    def check_unmanaged(self, kind: str, name: str, operation: str) -> None:
        """Refuse to do to the key or the secret of a certificate what is done to that alone."""
        collection = self.vault.collection(kind)
        found = collection.find(name)
        if found and found.current.managed:
            raise errors.managed(collection.kind, operation)

    def attributes(self, version: Version, **more) -> dict:
        days = self.vault.settings.recoverable_days
        level = "Recoverable+Purgeable" if days == 90 else "CustomizedRecoverable+Purgeable"
        times = {"nbf": version.nbf, "exp": version.exp}
        return {
            "enabled": version.enabled,
            **{name: at for name, at in times.items() if at is not None},
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": level,
            "recoverableDays": days,
            **more,
        }

    def page(
        self, items: list[T], marker: Callable[[T], str], show: Callable[[T], dict]
    ) -> dict:
        """One page of `items`, which are sorted by their `marker`.

        After the first page come as many empty ones as the vault's settings say: the real service
        does that, and a client that stops at an empty page loses the rest.
        """
        settings = self.vault.settings
        size = min(self._max_results(), settings.page_size)
        after, empty_pages = self._read_skiptoken()
        if empty_pages is None:
            empty_pages = settings.empty_pages
        elif empty_pages > 0:
            return self._with_next_link([], after, empty_pages - 1)
        rest = [item for item in items if marker(item) > after]
        page = [show(item) for item in rest[:size]]
        if len(rest) > size or empty_pages > 0:
            last = marker(rest[:size][-1]) if rest else ""
            return self._with_next_link(page, last, empty_pages)
        ends = {"null": {"nextLink": None}, "empty": {"nextLink": ""}, "absent": {}}
        return {"value": page} | ends[settings.final_next_link]

    def _max_results(self) -> int:
        text = self.request.query.get("maxresults", str(MAX_PAGE))
        if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
            raise errors.bad_parameter(f"maxresults must be between 1 and {MAX_PAGE}.")
        return int(text)

    def _read_skiptoken(self) -> tuple[str, int | None]:
        """Marker of the last item sent, and empty pages still owed (None: this is the first page)."""
        token = self.request.query.get("$skiptoken")
        if token is None:
            return "", None
        try:
            state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if state["TargetLocation"] != self.request.path:
                raise ValueError("a token for another list")
            return state["NextMarker"], state["EmptyPages"]
        except (ValueError, KeyError, TypeError):
            raise errors.bad_parameter("The skiptoken is invalid.") from None

    def _with_next_link(self, page: list[dict], marker: str, empty_pages: int) -> dict:
        """The link has the port spelt out, and its $ unescaped, as the real ones have."""
        request = self.request
        state = {
            "NextMarker": marker,
            "TargetLocation": request.path,
            "EmptyPages": empty_pages,
        }
        token = base64.urlsafe_b64encode(json.dumps(state).encode()).rstrip(b"=").decode()
        link = f"https://{self.site.host}:{self.site.port}{request.path}"
        link += f"?api-version={request.query['api-version']}&$skiptoken={token}"
        if "maxresults" in request.query:
            link += f"&maxresults={request.query['maxresults']}"
        return {"value": page, "nextLink": link}


def checked_version(version: str | None) -> str | None:
    """A version of a URL as the store knows it."""
    if version is None:
        return None
    if not VERSION.fullmatch(version.lower()):
        raise errors.bad_parameter(f"The request URI contains an invalid version: {version}")
    return version.lower()


def properties(given: dict) -> dict:
    """The properties of a version that a body names, under the names of objects.Version."""
    attributes = given.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise errors.invalid_property()
    found = {name: attributes[name] for name in ("enabled", "nbf", "exp") if name in attributes}
    if "tags" in given:
        found["tags"] = given["tags"]
    return found


def json_body(call: Call) -> dict:
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        body = json.loads(call.request.body) if content_type == "application/json" else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise errors.bad_parameter("The request body is not a JSON object")
    return body
