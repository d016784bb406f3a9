"""The command line: what each command takes, and what it says when it is given something else."""

import subprocess

import pytest
from conftest import BINARY

WRONG = {
    "probe": "'probe' takes startup|ready|live",
    "probe redy": "'probe' takes startup|ready|live, not 'redy'",
    "probe startup 5s": "not '5s'",
    "probe startup --wait": "--wait takes DURATION",
    "probe startup --wait=": "--wait takes DURATION, not ''",
    "probe startup --wait 5": "--wait takes a duration up to 1m such as 5s, not '5'",
    "probe startup --wait 61s": "not '61s'",
    "probe startup --wait=5s x": "not 'x'",
    "probe startup --waits 5s": "'probe' takes no --waits; did you mean --wait?",
    "probe ready --wait 5s": "only startup takes --wait",
    "refresh now": "'refresh' takes no argument, not 'now'",
    "refresh --all": "'refresh' takes no --all",
    "status x": "'status' takes no argument, not 'x'",
    "status --output": "--output takes text|json",
    "status --output yaml": "--output takes text|json, not 'yaml'",
    "status --output=": "--output takes text|json, not ''",
    "status --output=tex": "not 'tex'",
    "status --output=text|json": "not 'text|json'",
    "status --watch=5": "--watch takes no value, not '5'",
    "check --offline": "'check' takes no --offline; did you mean --online?",
    "check --output xml": "--output takes text|json, not 'xml'",
    "check a b": "'check' takes [FILE], not 'b'",
    "check --online --ouptut=json": "'check' takes no --ouptut; did you mean --output?",
    "man --format html": "--format takes text|roff, not 'html'",
    "man x": "'man' takes no argument, not 'x'",
    "completion": "'completion' takes bash|zsh|fish",
    "completion tcsh": "'completion' takes bash|zsh|fish, not 'tcsh'",
    "install": "'install' takes DIR",
    "install --force /tmp": "'install' takes no --force",
    "install /tmp /": "'install' takes DIR, not '/'",
    "install -- --force /tmp": "'install' takes DIR, not '/tmp'",
    "status -- --watch": "'status' takes no argument, not '--watch'",
    "completion --": "'completion' takes bash|zsh|fish",
    "check -": "'check' takes no -",
    "version 2": "'version' takes no argument, not '2'",
    "version --all": "'version' takes no --all",
    "help status now": "'help' takes [COMMAND], not 'now'",
    "help --all": "'help' takes no --all",
}


def run(*arguments, **env):
    return subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_said_with_what_is_taken(line):
    told = run(*line.split())
    assert told.returncode == 2 and not told.stdout
    said, help_line = told.stderr.splitlines()
    assert WRONG[line] in said and said.startswith("akvsync: ")
    assert help_line == f"Try 'akvsync {line.split()[0]} --help'."


def test_what_a_terminal_obeys_is_not_shown():
    for arguments in (("status", "\x1b[2J"), ("status", "--\x1b[2J"), ("status", "--output", "\x1b[2J"), ("probe", "\x1b[2J"), ("\x1b[2J",)):
        told = run(*arguments)
        assert told.returncode == 2 and "\x1b" not in told.stderr and "?[2J" in told.stderr


def test_a_value_stands_behind_a_space_or_an_equals_sign():
    assert run("man", "--format=roff").stdout == run("man", "--format", "roff").stdout != run("man").stdout
    for arguments in (("--output=json",), ("--output", "json")):
        assert run("check", *arguments, AKVSYNC_VAULT="v", AKVSYNC_OBJECTS="a").stdout.startswith("{")


def test_two_dashes_end_the_options(tmp_path):
    (tmp_path / "--online").write_text("vault: shop-kv\nobjects: [{objectName: a}]\n")
    told = subprocess.run([BINARY, "check", "--output=json", "--", "--online"], cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0 and told.stdout.startswith("{"), told.stderr
    assert run("man", "--").returncode == run("help", "--", "man").returncode == 0


def test_of_an_option_that_stands_twice_the_last_one_counts():
    assert run("man", "--format", "roff", "--format=text").stdout == run("man").stdout
    told = run("check", "--pods", "3", "--pods", "5", AKVSYNC_VAULT="shop-kv", AKVSYNC_OBJECTS="a")
    assert told.returncode == 0 and "Cost of 5 pods" in told.stdout
