#!/usr/bin/python3
"""Changes the program a little, one change at a time, and asks whether a test notices.

usage: mutate.py [-j N] [--all] [--list] [WORD…]

Each FOLDER.toml beside this file has the mutants of syncer/FOLDER.  A mutant that no named test notices has
survived: a test is missing.  Exit 1 for a survivor, for a stale row (its old text is not in the file exactly
once), for one that does not compile, and for a named test that fails without any mutant.  A WORD picks the
mutants whose file or name holds it.  --all shows which unit tests would have noticed a survivor.

Each worker has a copy of the tree under build/mutants, which may change meanwhile.  A mutant costs the build of what it changes and the
tests that it names.  A test that hangs counts as one that noticed.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib

BUILD = "build/release"
TEST_TIMEOUT_S = 240
MAKE_TIMEOUT_S = 600
PYTEST_FAILED = 1  # its exit code when a test failed; others mean that it did not run as asked
PYTEST_STOPPED = 2  # also when a test failed and others, beside it, were stopped for that


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One row of a table."""

    file: str  # such as "deliver/publish.c"
    name: str  # what the program no longer does, or does wrongly
    old: str
    new: str
    tests: tuple  # in the order in which they are asked; the first that notices ends it

    def pattern(self):
        """The old text; white space of one kind stands for any other, so that formatting does not count."""
        return re.compile(r"\s+".join(re.escape(word) for word in self.old.split()))

    def apply(self, text):
        """The text of the file with the change; None: the row is stale."""
        if len(self.pattern().findall(text)) != 1:
            return None
        return self.pattern().sub(lambda _: self.new, text)


@dataclasses.dataclass(frozen=True)
class Test:
    """A named test: "[VARIABLE=value …] test_NAME", or "test_NAME.py [arguments of pytest]"."""

    text: str

    def words(self):
        return [word for word in shlex.split(self.text) if not re.match(r"[A-Z_]+=", word)]

    def environment(self):
        return dict(word.split("=", 1) for word in shlex.split(self.text) if re.match(r"[A-Z_]+=", word))

    def is_python(self):
        return self.words()[0].endswith(".py")

    def source(self):
        name = self.words()[0]
        return f"tests/e2e/{name}" if self.is_python() else f"tests/unit/{name}.c"

    def target(self):
        """What make has to build for it."""
        return f"{BUILD}/akvsync" if self.is_python() else f"{BUILD}/tests/{self.words()[0]}"

    def command(self):
        if not self.is_python():
            return [self.target()]
        # A whole file waits more than it computes; its exit code says more without -x.
        how = ["-x"] if "-k" in self.words() else ["-n", "4"]
        return ["/usr/bin/python3", "-m", "pytest", "-q", *how, "-p", "no:cacheprovider", self.source(), *self.words()[1:]]


def load(folder):
    """The mutants of all tables, in the order of the files and rows."""
    mutants = []
    for path in sorted(folder.glob("*.toml")):
        for file, rows in tomllib.loads(path.read_text()).items():
            default = [f"test_{pathlib.Path(file).stem}"]
            for row in rows:
                unknown = set(row) - {"name", "old", "new", "tests"}
                if unknown:
                    raise SystemExit(f"{path.name}: {row.get('name')}: unknown: {', '.join(sorted(unknown))}")
                mutants.append(Mutant(f"{path.stem}/{file}", row["name"], row["old"], row["new"], tuple(row.get("tests", default))))
    return mutants


RUNNING = set()
"""The numbers of the processes, each the first of a group, that are under way."""


def stop_all_when_stopped():
    """SIGINT, SIGTERM and SIGHUP end what is under way, too: a mutant may loop for ever."""

    def stop(number, _):
        for pid in list(RUNNING):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        os._exit(128 + number)  # the threads would wait for the next process

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def run(command, cwd, timeout, environment=None):
    """The exit code and the output; None for a code: it was stopped since it took too long."""
    with subprocess.Popen(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, start_new_session=True, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:
        RUNNING.add(process.pid)
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, process.communicate()[0]
        finally:
            RUNNING.discard(process.pid)


def copy_tree(root, place):
    """Copies what is built and tested; the rest is only linked to."""
    shutil.rmtree(place, ignore_errors=True)
    for name in ("syncer", "tests", BUILD):
        if (root / name).exists():
            ignored = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(root / name, place / name, symlinks=True, ignore=ignored)
    for path in root.iterdir():
        if path.name not in ("syncer", "tests", "build", ".git"):
            (place / path.name).symlink_to(path.resolve())


class Worker:
    """A copy of the tree, built once.  What a mutant built is replaced by what was built without it."""

    def __init__(self, root, place):
        self.root, self.place = root, place  # root: without a mutant, and built
        copy_tree(root, place)
        self.built = self.look()

    def look(self):
        folder = self.place / BUILD
        return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}

    def make(self, *targets):
        return run(["make", "-s", *targets], self.place, MAKE_TIMEOUT_S)

    def ask(self, test, timeout):
        """How the test noticed; None: it passed.  Raises RuntimeError when it could not be asked."""
        code, output = self.make(test.target())
        if code != 0:
            raise RuntimeError(f"does not compile:\n{output}")
        code, output = run(test.command(), self.place, timeout, {"TEST_BIN": str(self.place / BUILD / "akvsync"), **test.environment()})
        if code is None:
            return f"{test.text} (hangs)"
        stopped = code == PYTEST_STOPPED and re.search("^FAILED ", output, re.MULTILINE)
        unread = re.search(r"^ERROR [^:\s]+( |$)", output, re.MULTILINE)  # a file, not a test in it
        if test.is_python() and (unread or code not in (0, PYTEST_FAILED)) and not stopped:
            raise RuntimeError(f"'{test.text}' does not run:\n{output}")
        return test.text if code else None

    def restore(self):
        """Puts back what was built without a mutant, with its times, so that make has nothing to do."""
        for path, stamp in self.look().items():
            if path not in self.built:
                (self.place / BUILD / path).unlink()
            elif stamp != self.built[path]:
                shutil.copy2(self.root / BUILD / path, self.place / BUILD / path)

    def judge(self, mutant, ask_all, timeout):
        """What became of a mutant: a word, and what there is to say of it."""
        source = self.place / "syncer" / mutant.file
        before = self.root / "syncer" / mutant.file
        changed = mutant.apply(before.read_text()) if before.exists() else None
        if changed is None:
            return "STALE", "its old text is not there exactly once"
        source.write_text(changed)
        try:
            for test in mutant.tests:
                noticed = self.ask(Test(test), timeout)
                if noticed:
                    return "killed", f"by {noticed}"
            return "SURVIVED", self.others(mutant, timeout) if ask_all else f"{', '.join(mutant.tests)} passed"
        except RuntimeError as error:
            return "ERROR", str(error)
        finally:
            shutil.copy2(before, source)
            self.restore()

    def others(self, mutant, timeout):
        """Which other unit tests notice it."""
        names = sorted(path.stem for path in (self.place / "tests/unit").glob("test_*.c"))
        names = [name for name in names if name not in mutant.tests and name != "test_model"]
        return "noticed by others: " + (", ".join(name for name in names if self.ask(Test(name), timeout)) or "none")


class Run:
    """All workers, and the words that they bring."""

    def __init__(self, root, jobs, timeout=TEST_TIMEOUT_S, tell=print):
        self.root, self.jobs, self.timeout, self.tell = root, jobs, timeout, tell
        self.free, self.lock = queue.Queue(), None

    def prepare(self, mutants):
        """Builds what the tests need, makes the workers, and checks that the tests pass without a mutant."""
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        targets = {Test(test).target() for test in tests} | {f"{BUILD}/akvsync"}
        place = self.root / "build/mutants"
        place.mkdir(parents=True, exist_ok=True)
        self.lock = open(place / "lock", "w", encoding="ascii")  # pylint: disable=consider-using-with
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run uses {place}") from None
        tree = place / "tree"
        copy_tree(self.root, tree)
        code, output = run(["make", "-s", f"-j{self.jobs}", *sorted(targets)], tree, None)
        if code != 0:
            raise SystemExit(f"the tree does not build without a mutant:\n{output}")
        for number in range(self.jobs):
            self.free.put(Worker(tree, place / str(number)))
        return ["ERROR" for noticed in self.each(tests, self.try_test) if noticed]

    def each(self, items, act):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(act, items))

    def with_worker(self, act):
        worker = self.free.get()
        try:
            return act(worker)
        finally:
            self.free.put(worker)

    def try_test(self, test):
        def ask(worker):
            try:
                return worker.ask(Test(test), self.timeout)
            except RuntimeError as error:
                return str(error)
        began = time.monotonic()
        noticed = self.with_worker(ask)
        self.tell(f"        {'FAILS' if noticed else 'passes':8} without a mutant: {test} ({time.monotonic() - began:.1f} s)")
        return noticed

    def go(self, mutants, ask_all=False):
        """Judges the mutants.  The words of all, in their order."""
        done = iter(range(1, len(mutants) + 1))

        def one(mutant):
            began = time.monotonic()
            word, why = self.with_worker(lambda worker: worker.judge(mutant, ask_all, self.timeout))
            took = time.monotonic() - began
            self.tell(f"{next(done):3}/{len(mutants)} {word:8} {mutant.file}: {mutant.name}: {why} ({took:.1f} s)")
            return word

        return self.each(mutants, one)


def main(root, arguments, tell=print):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="N", help="workers")
    parser.add_argument("--all", action="store_true", help="ask all unit tests about a survivor")
    parser.add_argument("--list", action="store_true", help="only name the mutants")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only mutants whose file or name holds one")
    options = parser.parse_args(arguments)
    mutants = load(root / "tests/mutants")
    mutants = [m for m in mutants if not options.words or any(word in f"{m.file}: {m.name}" for word in options.words)]
    if options.list:
        for mutant in mutants:
            tell(f"{mutant.file}: {mutant.name}: {', '.join(mutant.tests)}")
        return 0
    began = time.monotonic()
    runner = Run(root, options.j, tell=tell)
    words = runner.prepare(mutants) + runner.go(mutants, options.all)
    count = {word: words.count(word) for word in ("killed", "SURVIVED", "STALE", "ERROR")}
    tell(f"{len(mutants)} mutants in {time.monotonic() - began:.0f} s: {count['killed']} killed, {count['SURVIVED']} survived, "
         f"{count['STALE']} stale, {count['ERROR']} errors")
    return 0 if mutants and count["killed"] == len(words) else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    stop_all_when_stopped()
    sys.exit(main(pathlib.Path(__file__).resolve().parents[2], sys.argv[1:]))
