"""Scripted faults: which requests a rule hits, and what is to happen to them (carried out in wire.py)."""

import itertools
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from .journal import Entry


@dataclass
class Match:
    target: str = "any"
    """vault login binding imds app-service any"""
    vault: str = "*"
    method: str = "*"
    path: str = "*"
    """A pattern for the decoded path without a trailing slash."""
    authenticated: bool | str = "any"
    """Whether the request carries a bearer that the vault accepts."""

    def fits(self, entry: Entry) -> bool:
        return (
            self.target in ("any", entry.target)
            and fnmatchcase(entry.vault or "", self.vault)
            and fnmatchcase(entry.method, self.method)
            and fnmatchcase(entry.path.rstrip("/") or "/", self.path)
            and self.authenticated in ("any", entry.authenticated)
        )


@dataclass
class Slow:
    chunk_bytes: int
    interval_ms: int


@dataclass
class Action:
    """What happens. Members that describe a reply replace the real one, and the operation is not run."""

    delay_ms: int = 0

    status: int | None = None
    body: str | None = None
    json: Any = None
    html: bool = False
    empty: bool = False
    garbage: bool = False
    """A body that breaks off in the middle of its JSON, with a fitting length."""
    aadsts: int | None = None
    """The error of the token endpoint with this number."""
    location: str | None = None
    www_authenticate: str | None = None
    """A challenge; {authority}, {tenant} and {resource} are filled in."""
    oversize_mib: int = 0
    """So much body, streamed in chunks until the client goes away."""

    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None
    retry_after_s: int | None = None
    retry_after_date_in_s: int | None = None
    retry_after_ms: int | None = None
    x_ms_retry_after_ms: int | None = None

    slow: Slow | None = None
    chunked: bool = False
    truncate_after: int | None = None
    """Close the connection after so many bytes of the body."""
    reset_after: int | None = None
    """The same with a TCP reset."""
    reset: bool = False
    """Reset the connection instead of a reply."""
    close: bool = False
    hold: bool = False
    """Never answer."""

    def __post_init__(self) -> None:
        if isinstance(self.slow, dict):
            self.slow = Slow(**self.slow)

    @property
    def replaces_reply(self) -> bool:
        return (
            self.html or self.empty or self.garbage or self.oversize_mib > 0
            or any(
                item is not None
                for item in (self.status, self.body, self.json, self.aadsts, self.location,
                             self.www_authenticate)
            )
        )

    @property
    def never_answers(self) -> bool:
        return self.reset or self.close or self.hold


@dataclass
class Rule:
    id: str
    match: Match
    action: Action
    times: int = 1
    """How often it strikes; -1 for always."""
    after: int = 0
    """Matching requests to let pass first."""
    seen: int = 0
    hits: int = 0

    def strikes(self, entry: Entry) -> bool:
        if self.hits == self.times or not self.match.fits(entry):
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.hits += 1
        return True

    def to_dict(self) -> dict:
        """The rule without what was left at its default."""
        full = asdict(self)
        for part, default in (("match", Match()), ("action", Action())):
            plain = asdict(default)
            full[part] = {name: item for name, item in full[part].items() if item != plain[name]}
        return full


class Faults:
    """The rules in order; the first that strikes decides."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._ids = itertools.count(1)

    def add(self, spec: dict) -> Rule:
        _check_members("fault", spec, Rule, {"seen", "hits"})
        _check_members("match", spec.get("match", {}), Match)
        _check_members("action", spec.get("action", {}), Action)
        rule = Rule(
            id=spec.get("id") or f"fault-{next(self._ids)}",
            match=Match(**spec.get("match", {})),
            action=Action(**spec["action"]),
            times=spec.get("times", 1),
            after=spec.get("after", 0),
        )
        if any(other.id == rule.id for other in self.rules):
            raise ValueError(f"there is a fault {rule.id} already")
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: str) -> None:
        rest = [rule for rule in self.rules if rule.id != rule_id]
        if len(rest) == len(self.rules):
            raise ValueError(f"there is no fault {rule_id}")
        self.rules = rest

    def strike(self, entry: Entry) -> Rule | None:
        return next((rule for rule in self.rules if rule.strikes(entry)), None)


def _check_members(what: str, spec: dict, model: type, but: frozenset | set = frozenset()) -> None:
    unknown = set(spec) - {member.name for member in fields(model)} | set(spec) & set(but)
    if unknown:
        raise ValueError(f"a {what} has no member {', '.join(sorted(unknown))}")
