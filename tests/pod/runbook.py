"""The ten likeliest pages, as docs/operate.md has them. The tests that bring them about take all words from there."""

import pathlib
import re
from dataclasses import dataclass

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/operate.md").read_text()
BLANKS = ("ADDRESS", "CLIENT", "HOST", "NAME", "PROCESS", "SUBJECT", "TARGET", "TIME", "VAULT")
"""What stands in a line for what differs from pod to pod."""


def pattern(line):
    """That finds a line in what the program prints."""
    blank = re.compile(rf"(?<=[ '])({'|'.join(BLANKS)})(?=[' ;:,])")
    return re.compile("".join(re.escape(part) if not at % 2 else r"[^\s']+" for at, part in enumerate(blank.split(line))))


@dataclass(frozen=True)
class Entry:
    """One page."""

    title: str
    hints: tuple
    """Pieces of the line by which the table tells it from the others."""
    alerts: frozenset
    """That fire."""
    where: str
    """In `kubectl describe`: message, startup, readiness; status: nowhere, but in `akvsync status`."""
    line: str

    @property
    def says(self):
        return pattern(self.line)


def anchor(title):
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")


def section(title):
    return re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)[1]


def entries():
    """In the order of the page's table."""
    found = []
    for row in re.findall(r"^\| (.*) \|$", section("The ten likeliest pages"), re.M)[1:]:
        hints, link, alerts, where = row.split(" | ")
        title, target = re.fullmatch(r"\[(.*)\]\(#(.*)\)", link).groups()
        assert target == anchor(title), row
        named = re.findall(r"\[`(\w+)`\]\(#(\w+)\)", alerts)
        assert named and all(name.lower() == target for name, target in named), row
        (line,) = re.findall(r"^```\n(.*)\n```$", section(title), re.M)
        hints = tuple(re.findall(r"`([^`]+)`", hints))
        found.append(Entry(title, hints, frozenset(name for name, _ in named), where, line))
    return found
