"""The versions of the data plane's interface, oldest first: what a request may name, and what it then gets."""

from . import vault_errors as errors

API_VERSIONS = (
    "2016-10-01",
    "7.0",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.6-preview.2",
    "7.6",
    "2025-06-01-preview",
    "2025-07-01",
    "2026-01-01-preview",
    "2026-03-01-preview",
    "2026-04-01",
    "2026-05-01-preview",
    "2026-07-01-preview",
)
LATEST = "2026-04-01"
"""The newest that is no preview."""


def check(version: str | None) -> None:
    """Refuse a version that the service does not know; there is none that is meant when none is named."""
    if not version:
        raise errors.bad_parameter("api-version must be specified")
    if version not in API_VERSIONS:
        raise errors.bad_parameter(
            f"The specified version ({version}) is not recognized. Consider using the latest"
            f" supported version ({LATEST})."
        )


def has(version: str, since: str) -> bool:
    """Whether `version` has what came with `since`."""
    return API_VERSIONS.index(version) >= API_VERSIONS.index(since)
