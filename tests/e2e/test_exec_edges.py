"""`exec` at the edges: what others do to its log, its volume, its terminal and its processes."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import BINARY, wait_until
from test_exec import is_alive, stage  # noqa: F401  pylint: disable=unused-import
from volume import QUICK

# ---- signals ----


def test_who_reads_the_log_may_go_away(stage):
    """A write to a closed pipe raises SIGPIPE in exec, which is no signal from outside."""
    stage.volume.publish({"secret": "1"})
    read, write = os.pipe()
    process = stage.app("plain", "restart", stderr=write)
    os.close(write)
    os.close(read)
    for i in range(2, 4):
        stage.volume.publish({"secret": str(i)})
        stage.wait("start", count=i)
    process.popen.terminate()
    assert process.wait() == 0


# ---- variables ----


def test_more_mistakes_than_a_line_of_the_log_takes(stage):
    stage.volume.publish({})
    assert stage.run("true", env={f"V{i}": f"akvsync:{'x' * 200}{i}" for i in range(3000)})[0] == 5
    (entry,) = stage.running[-1].find("exit", "3000 variables cannot be set")
    assert len(entry["faults"]) > 1000 and "V1999" in entry["faults"][1999]
