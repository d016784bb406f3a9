"""The runner tells survivors, stale rows and errors from mutants that a test notices; the tables fit the code."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

import mutate
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = mutate.load(ROOT / "tests/mutants")

MAKEFILE = """
build/release/tests/%: tests/unit/%.c syncer/base/one.c
\t@mkdir -p $(@D) && cc -o $@ $^
build/release/akvsync:
\t@mkdir -p $(@D) && touch $@
"""
ONE = "int one(int a) { return a > 0 ? a : 0; }\n"
TEST = "int one(int a); int main(void) { return one(1) != 1 || one(-1) != 0; }\n"
SLEEPS = """
#include <stdlib.h>
#include <unistd.h>
int one(int a);
int main(void) {
	if (one(0)) { if (system("touch ../sleeps")) return 0; sleep(60); }
	return getenv("FAIL") != NULL;
}
"""

ROWS = {
    "killed": ("the condition is turned around", "a > 0", "a < 0", None),
    "killed by a hang": ("zero becomes one", "a : 0", "a : 1", ["test_sleeps"]),
    "survived": ("the border moves", "a > 0", "a >= 0", None),
    "stale": ("the text is gone", "a > 1", "a < 1", None),
    "twice": ("the text is there twice", "a", "b", None),
    "wrong": ("it does not compile", "a > 0", "a >", None),
}


@pytest.fixture(name="tree")
def small_tree(tmp_path):
    for name, text in {"Makefile": MAKEFILE, "syncer/base/one.c": ONE, "tests/unit/test_one.c": TEST, "tests/unit/test_sleeps.c": SLEEPS}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "tests/mutants").mkdir()
    return tmp_path


def table(tree, *names):
    rows = ""
    for name in names:
        what, old, new, tests = ROWS[name]
        rows += f'[["one.c"]]\nname = "{what}"\nold = "{old}"\nnew = "{new}"\n' + (f"tests = {tests}\n" if tests else "")
    (tree / "tests/mutants/base.toml").write_text(rows)


def words(tree, mutants, **options):
    lines = []
    run = mutate.Run(tree, 2, tell=lines.append, **options)
    bad = run.prepare(mutants)
    return run.go(mutants), lines, bad


def test_each_outcome_is_told_from_the_others(tree):
    table(tree, *ROWS)
    got, lines, bad = words(tree, mutate.load(tree / "tests/mutants"), timeout=2)
    assert got == ["killed", "killed", "SURVIVED", "STALE", "STALE", "ERROR"]
    assert not bad and sum("/6 " in line for line in lines) == len(ROWS)
    assert any("hangs" in line for line in lines) and any("does not compile" in line for line in lines)
    assert (tree / "syncer/base/one.c").read_text() == ONE


@pytest.mark.parametrize("names, code", [(["killed"], 0), (["killed", "survived"], 1), (["stale"], 1), (["wrong"], 1), ([], 1)])
def test_the_exit_code(tree, names, code):
    table(tree, *names)
    assert mutate.main(tree, ["-j1"], tell=lambda line: None) == code


def test_a_test_that_always_fails_kills_nothing(tree):
    (tree / "tests/mutants/base.toml").write_text('[["one.c"]]\nname = "x"\nold = "a > 0"\nnew = "a < 0"\ntests = ["FAIL=1 test_sleeps"]\n')
    lines = []
    assert mutate.main(tree, ["-j1"], tell=lines.append) == 1
    assert "FAILS" in lines[0] and "without a mutant" in lines[0]


@pytest.mark.parametrize(
    "text, passes",
    [
        ("def test_passes():\n    pass\n", True),
        ("import pytest\n@pytest.mark.parametrize('i', range(20))\ndef test_fails(i):\n    assert i < 0\n", False),
        ("def test_is_no_python(:\n", None),
    ],
    ids=["passes", "fails", "is no Python"],
)
@pytest.mark.parametrize("arguments", ["", " -k test"], ids=["several at once", "one by one"])
def test_tests_in_python(tree, text, arguments, passes):
    path = tree / "tests/e2e/test_many.py"
    path.parent.mkdir()
    path.write_text(text)
    test = mutate.Test(f"test_many.py{arguments}")
    worker = mutate.Worker(tree, tree / "build/mutants/0")
    if passes is None:
        with pytest.raises(RuntimeError):
            worker.ask(test, 60)
    else:
        assert worker.ask(test, 60) == (None if passes else test.text)


def runs_below(tree):
    """The programs that run in a folder below this one."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry / "cwd").startswith(f"{tree}/build/mutants/"):
                found.append(os.readlink(entry / "exe"))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_stopped_leaves_no_process(tree, number):
    table(tree, "killed by a hang")
    code = "import mutate, pathlib, sys; mutate.stop_all_when_stopped(); mutate.main(pathlib.Path(sys.argv[1]), ['-j1'])"
    with subprocess.Popen(["/usr/bin/python3", "-c", code, tree], cwd=pathlib.Path(mutate.__file__).parent) as process:
        end = time.monotonic() + 60
        while not (tree / "build/mutants/sleeps").exists():
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        runs = runs_below(tree)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
    end = time.monotonic() + 10
    while runs_below(tree) and time.monotonic() < end:
        time.sleep(0.05)
    assert runs and not runs_below(tree)


def chooses_nothing(test):
    """A word behind -k that is nowhere in the file chooses no test of it, as when that has moved."""
    words = test.words()
    if "-k" not in words:
        return False
    chosen = set(re.findall(r"\w+", words[words.index("-k") + 1])) - {"and", "or", "not"}
    text = (ROOT / test.source()).read_text()
    return not all(re.search(word, text) for word in chosen)


def unfit(mutant):
    """What is wrong with a row; None: nothing."""
    path = ROOT / "syncer" / mutant.file
    if not path.exists():
        return "there is no such file"
    changed = mutant.apply(path.read_text())
    if changed is None:
        return "stale: its old text is not in the file exactly once"
    if changed == path.read_text():
        return "it changes nothing"
    tests = [mutate.Test(test) for test in mutant.tests]
    missing = [test for test in tests if not (ROOT / test.source()).exists() or chooses_nothing(test)]
    return f"there is no {missing[0].text}" if missing else None if tests else "it names no test"


def test_the_rows_fit_the_code():
    assert [f"{m.file}: {m.name}: {unfit(m)}" for m in MUTANTS if unfit(m)] == []


def test_every_folder_has_mutants():
    assert {m.file.split("/")[0] for m in MUTANTS} == {path.name for path in (ROOT / "syncer").iterdir() if path.is_dir()}
    assert len(MUTANTS) >= 60
    assert len({(m.file, m.name) for m in MUTANTS}) == len(MUTANTS)
