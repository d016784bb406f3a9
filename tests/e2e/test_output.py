"""Commands that print: whoever reads their exit code learns when the output was lost."""

import subprocess

import pytest
from conftest import BINARY

LOCAL = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "db"}


@pytest.mark.parametrize("arguments", [["check"], ["check", "--output", "json"], ["help"], ["version"], ["check", "--help"]])
def test_output_that_cannot_be_written_exits_7(arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run([BINARY, *arguments], env=LOCAL, stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    assert run.returncode == 7, run.stderr
