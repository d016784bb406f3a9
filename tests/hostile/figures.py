"""How much a long test does, and what it found, for the report of `make hostile`."""

import json
import os
import pathlib


def amount(name, otherwise):
    """A number from the environment, such as HOSTILE_KILLS."""
    return int(os.environ.get(name) or otherwise)


def report(suite, what, figure, bound, holds):
    """One figure and its bound; fails the test when it does not hold."""
    folder = os.environ.get("HOSTILE_REPORT")
    if folder:
        path = pathlib.Path(folder) / f"{suite}.jsonl"
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"suite": suite, "what": what, "figure": figure, "bound": bound, "holds": bool(holds)}) + "\n")
    assert holds, f"{suite}: {what}: {figure}, not {bound}"
