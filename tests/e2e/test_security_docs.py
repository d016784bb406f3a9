"""SECURITY.md: each statement is a row with the tests that prove it, and these tests are there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
ROWS = [line.strip("| ").split(" | ")[-1] for line in re.findall(r"^\|(?!---).*\|$", PAGE, re.MULTILINE)]
TESTS = set()
for _file in (ROOT / "tests").rglob("test_*"):
    TESTS |= set(re.findall(r"^def (test_\w+)\(", _file.read_text(), re.MULTILINE)) if _file.suffix == ".py" else set()
    TESTS |= set(re.findall(r"^static void (test_\w+)\(void \*\*", _file.read_text(), re.MULTILINE)) if _file.suffix == ".c" else set()


def test_each_statement_stands_in_a_row():
    assert len(ROWS) > 40
    for part in PAGE.split("\n## ")[2:]:
        assert "\n|---|" in part


@pytest.mark.parametrize("row", [row for row in ROWS if row not in ("proven by", "not a claim")])
def test_its_tests_are_there(row):
    names = re.findall(r"`(test_\w+)`", row)
    assert names and not re.sub(r"`test_\w+`", "", row).strip(), "the last column holds names of tests only"
    assert set(names) <= TESTS
