"""The manual, the pages and the sources say the same of events, metrics, commands and the rest; completion works in real shells."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest
from conftest import BINARY, DEADLINE_S, ROOT

OPERATE = (ROOT / "docs/operate.md").read_text()
SHELLS = ("bash", "zsh", "fish")


def run(*arguments, **options):
    env = options.pop("env", {})
    return subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, timeout=30, check=False, **options)


def joined(text):
    return " ".join(text.split())


def sections(text):
    """The manual as a terminal shows it: section -> what stands before its terms, and each term with its text."""
    found = {}
    for block in re.split(r"\n(?=[A-Z][A-Z ]*\n)", text)[1:]:
        name, _, rest = block.partition("\n")
        parts = re.split(r"^    (?=\S)(.*)\n((?:        .*\n|\n(?=        ))+)", rest, flags=re.M)
        found[name] = joined(parts[0]), [(term, joined(body)) for term, body in zip(parts[1::3], parts[2::3])]
    return found


MANUAL = run("man").stdout
MAN = sections(MANUAL)


def plain(markdown):
    """What a reader sees, in a page and in the manual alike."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("\\|", "|")


def page_section(page, title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]


def rows(text):
    """The cells of a table's rows, without its head."""
    cells = [[plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")]
    return [tuple(row) for row in cells[2:]]


def same(page, manual):
    """Row by row, so that a failure names the row that differs."""
    for written, known in zip(page, manual):
        assert written == known, "a row of the page differs from that of the program"
    assert len(page) == len(manual), f"only on one side: {page[len(manual):] or manual[len(page):]}"


def events():
    """name, kind, levels, fields, meaning, what to do."""
    for term, text in MAN["EVENTS OF THE LOG"][1]:
        name, kind, levels = re.fullmatch(r"([a-z0-9-]+)(?:, kind ([a-z-]+))? \(([a-z, ]+)\)", term).groups()
        meaning, action, fields = re.fullmatch(r"(.*?) What to do: (.*?)(?: Fields: (.*))?", text).groups()
        yield name, kind, levels, fields or "", meaning, action


EVENTS = list(events())


# ---- the pages ----


def test_events_of_the_page():
    known = [(f"{name}, kind {kind}" if kind else name, meaning, action, levels, fields) for name, kind, levels, fields, meaning, action in EVENTS]
    assert len(known) >= 60
    same(rows(page_section(OPERATE, "Events of the log")), known)


def test_metrics_of_the_page():
    known = []
    for term, text in MAN["METRICS"][1]:
        name, kind = term.split(" ")
        meaning, bad = re.fullmatch(r"(.*?) Bad: (.*)", text).groups()
        known.append((name, kind, meaning, bad))
    assert len(known) >= 35
    same(rows(page_section(OPERATE, "Metrics")), known)


def test_commands_of_the_page():
    helps = dict(re.findall(r"^  ([a-z]+) +(\S.*)$", run("help").stdout.partition("Everything")[0], re.M))
    known = [(term, helps[term.split()[1]]) for term, _ in MAN["COMMANDS"][1]]
    assert [term.split()[1] for term, _ in known] == list(helps)
    same(rows(page_section(OPERATE, "Commands")), known)


@pytest.mark.parametrize("title", ["Signals", "Files on the volume", "Endpoints"])
def test_other_tables_of_the_page(title):
    same(rows(page_section(OPERATE, title)), MAN[title.split()[0].upper()][1])


@pytest.mark.parametrize("title", ["Events of the log", "Metrics", "Endpoints"])
def test_what_stands_before_the_tables(title):
    section = MAN[title.upper()][0]
    assert section and section in joined(plain(page_section(OPERATE, title)))


def test_exit_codes_of_the_readme():
    table = (ROOT / "README.md").read_text().partition("| exit code |")[2].partition("\n\n")[0]
    same(rows("| exit code |" + table), MAN["EXIT STATUS"][1])


def test_variables_are_those_of_the_help():
    listed = re.findall(r"^  (\S+)\n      (.*)$", run("help").stdout, re.M)
    assert len(listed) >= 50
    same(listed, MAN["ENVIRONMENT"][1])


def test_each_option_of_a_command_is_in_the_manual():
    for term, text in MAN["COMMANDS"][1]:
        command = term.split()[1]
        usage = run(command, "--help").stdout
        assert usage.startswith(f"usage: {term}\n")
        for option, help_text in re.findall(r"^  (--\S+.*)\n      (.*)$", usage, re.M):
            assert f"{option}: {help_text}" in text


# ---- the sources ----


def balanced(text, start):
    """The arguments of a call, from behind its '(': split at commas that stand outside of brackets and strings."""
    arguments, depth, at = [""], 0, start
    while True:
        token = re.compile(r'"(?:\\.|[^"\\])*"|.', re.S).match(text, at)[0]
        at += len(token)
        if token == ")" and depth == 0:
            return arguments
        depth += (token in "([{") - (token in ")]}")
        if token == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += token


def calls():
    """Each event that the sources log: name, the levels that stand there, its fields."""
    for path in sorted((ROOT / "syncer").rglob("*.c")):
        text = path.read_text()
        for call in re.finditer(r"\b(?:log_event|write_line)\((?=\s*(?!enum))", text):
            level, event, fields = balanced(text, call.end())[:3]
            names = re.findall(r'"([a-z-]+)"', event)
            # Where one call logs two events, each has its own level.
            levels = re.findall(r"LOG_(DEBUG|INFO|WARN|ERROR)\b", level) if len(names) == 1 else ()
            for name in names:
                yield name, set(levels), set(re.findall(r'log_(?:str|int|raw)\(\s*"(\w+)"', fields))


def tellings():
    """Each kind of incident: kind, the event at its beginning and at its end."""
    text = (ROOT / "syncer/report/incident.c").read_text()
    table = re.search(r"\} tellings\[\] = \{(.*?)^\};", text, re.M | re.S)[1]
    found = re.findall(r'\[INCIDENT_\w+\] = \{\s*(?:true|false),\s*"([^"]+)",\s*(?:NULL|"[^"]+"),\s*"([^"]+)",\s*"([^"]+)"', table)
    assert len(found) == table.count("[INCIDENT_") >= 16
    return found


def test_each_event_that_is_logged_is_in_the_table_and_each_row_is_logged():
    logged = {name for name, _, _ in calls()} | {event for _, *ends in tellings() for event in ends}
    assert len(logged) >= 50
    assert logged == {name for name, *_ in EVENTS}


def test_each_kind_of_incident_has_a_row():
    """A metric, the status and the log name the kind: the page says of each what to do."""
    keys = {(name, kind) for name, kind, *_ in EVENTS}
    for kind, begins, ends in tellings():
        assert (begins, kind) in keys
        assert (ends, kind) in keys or (ends, None) in keys
    assert {kind for _, kind in keys if kind} == {kind for kind, *_ in tellings()}


def test_levels_and_fields_of_each_event_are_those_of_the_sources():
    incidents = {event for _, *ends in tellings() for event in ends}
    levels, fields = {}, {}
    for name, said, named in calls():
        levels.setdefault(name, set()).update(said)
        fields.setdefault(name, set()).update(named)
    for name, _, told, listed, *_ in EVENTS:
        assert {level.lower() for level in levels.get(name, ())} <= set(told.split(", ")), name
        if name not in incidents | {"withdrawn"}:
            assert set(listed.split(", ")) - {""} == fields[name], name


def test_events_stand_in_the_order_of_their_names():
    keys = [(name, kind or "") for name, kind, *_ in EVENTS]
    assert keys == sorted(set(keys))


# ---- what is printed ----


def test_the_manual_fits_a_terminal():
    assert MANUAL.isascii() and "\t" not in MANUAL
    assert max(map(len, MANUAL.splitlines())) <= 100
    assert all(line == line.rstrip() for line in MANUAL.splitlines())


@pytest.mark.parametrize("arguments", [["man"], ["man", "--format", "roff"], *(["completion", shell] for shell in SHELLS)])
def test_nothing_of_the_environment_is_printed(arguments):
    env = {name: f"planted-in-{name}" for name in ("AKVSYNC_VAULT", "AZURE_CLIENT_SECRET", "AKVSYNC_NOTIFY", "IDENTITY_HEADER", "AKVSYNC_NO_SUCH")}
    told = run(*arguments, env=env)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == run(*arguments).stdout and "planted" not in told.stdout


@pytest.mark.parametrize("arguments", [["man"], ["man", "--format", "roff"], *(["completion", shell] for shell in SHELLS)])
def test_output_that_cannot_be_written_exits_7(arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        assert subprocess.run([BINARY, *arguments], env={}, stdout=full, stderr=subprocess.PIPE, timeout=30, check=False).returncode == 7
    assert subprocess.run(["sh", "-c", '"$0" "$@" >&-', BINARY, *arguments], stderr=subprocess.PIPE, timeout=30, check=False).returncode == 7


@pytest.mark.parametrize(
    "arguments",
    [
        ["completion"], ["completion", "tcsh"], ["completion", ""], ["completion", "bash", "zsh"], ["completion", "--shell"],
        ["man", "init"], ["man", "--format"], ["man", "--format", "html"], ["man", "--format="], ["man", "--format", "roff", "x"], ["man", "roff"],
    ],
)
def test_other_arguments_exit_2(arguments):
    told = run(*arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert f"Try 'akvsync {arguments[0]} --help'" in told.stderr


def test_formats_of_the_manual():
    assert run("man", "--format", "text").stdout == run("man", "--format=text").stdout == MANUAL
    assert run("man", "--format=roff").stdout == run("man", "--format", "roff").stdout != MANUAL


@pytest.mark.parametrize("checker", [["mandoc", "-Tlint"], ["groff", "-man", "-ww", "-z"]], ids=lambda checker: checker[0])
def test_the_page_is_a_valid_manual_page(checker):
    if not shutil.which(checker[0]) or (checker[0] == "groff" and not os.path.isdir("/usr/share/groff/current/tmac")):
        pytest.skip(f"needs {checker[0]}")
    page = run("man", "--format", "roff").stdout
    said = subprocess.run(checker, input=page, capture_output=True, text=True, timeout=60, check=False)
    # A page with no date is the same for the same source.
    complaints = [line for line in (said.stdout + said.stderr).splitlines() if "missing date" not in line]
    assert complaints == []


def test_the_page_has_the_words_of_the_manual(tmp_path):
    if not shutil.which("mandoc"):
        pytest.skip("needs mandoc")
    (tmp_path / "akvsync.1").write_text(run("man", "--format", "roff").stdout)
    shown = subprocess.run(["mandoc", "-Tascii", "-O", "width=400", tmp_path / "akvsync.1"], capture_output=True, text=True, timeout=60, check=True).stdout
    shown = joined(re.sub(r".\x08", "", shown))
    for name in ("EXIT STATUS", "SIGNALS", "FILES", "ENDPOINTS", "EVENTS OF THE LOG", "METRICS"):
        for term, text in MAN[name][1]:
            assert f"{term} {text}" in shown


# ---- completion ----


def bash_offers(*words):
    """What bash offers for the last word."""
    line = " ".join(words)
    script = (
        "set -u; shopt -s extglob; source /dev/stdin; "
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}; COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; "
        'spec=$(complete -p akvsync); [[ $spec == *"-F _akvsync akvsync" ]] || exit 9; _akvsync akvsync "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; '
        'printf "%s\\n" "${COMPREPLY[@]-}"'
    )
    told = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script], input=run("completion", "bash").stdout, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT,
    )
    assert (told.returncode, told.stderr) == (0, ""), told
    return sorted(set(told.stdout.split()))


COMMANDS = [term.split()[1] for term, _ in MAN["COMMANDS"][1]]
OFFERS = [
    (["akvsync", "che"], ["check"]),
    (["akvsync", "in"], ["init", "install"]),
    (["akvsync", "check", "--out"], ["--output"]),
    (["akvsync", "check", "--output", ""], ["json", "text"]),
    (["akvsync", "check", "--online", "--output", "j"], ["json"]),
    (["akvsync", "check", "READ"], ["README.md"]),
    (["akvsync", "check", "docs/oper"], ["docs/operate.md"]),
    (["akvsync", "probe", ""], ["--help", "--wait", "live", "ready", "startup"]),
    (["akvsync", "probe", "startup", "--wait", ""], []),
    (["akvsync", "completion", ""], ["--help", "bash", "fish", "zsh"]),
    (["akvsync", "help", "ch"], ["check"]),
    (["akvsync", "install", "synce"], ["syncer"]),
    (["akvsync", "man", "--format", ""], ["roff", "text"]),
    (["akvsync", "man", "--format", "=", ""], ["roff", "text"]),
    (["akvsync", "man", "--format", "="], ["roff", "text"]),
    (["akvsync", "exec", "--on-change", ""], ["exit", "ignore", "restart", "signal:"]),
    (["akvsync", "exec", "--on-change", "=", "re"], ["restart"]),
    (["akvsync", "exec", "--trim", ""], ["newline"]),
    (["akvsync", "exec", "--", "printen"], ["printenv"]),
    (["akvsync", "exec", "--grace", "5s", "--", "cat", "README"], ["README.md"]),
    (["akvsync", "exec", "--", "cat", "--on-change", "resta"], []),
    (["akvsync", "init", "x"], []),
    (["akvsync", "no-such", ""], []),
]


@pytest.mark.parametrize("words, offered", OFFERS, ids=lambda value: " ".join(value) if value and value[0] == "akvsync" else "")
def test_bash_completes(words, offered):
    assert bash_offers(*words) == offered


def test_bash_completes_each_command_and_option():
    assert bash_offers("akvsync", "") == sorted(COMMANDS)
    for command in COMMANDS:
        options = re.findall(r"^  (--[a-z-]+)", run(command, "--help").stdout, re.M)
        assert sorted({*options, "--help"}) == [word for word in bash_offers("akvsync", command, "--") if word != "--"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_of_its_shell(shell):
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    said = subprocess.run([shell, "-n", "/dev/stdin"], input=run("completion", shell).stdout, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "line, offered",
    [
        ("akvsync che", {"check"}),
        ("akvsync ", set(COMMANDS)),
        ("akvsync check --output ", {"text", "json"}),
        ("akvsync check --on", {"--online"}),
        ("akvsync probe st", {"startup"}),
        ("akvsync exec --on-change ", {"restart", "signal:", "exit", "ignore"}),
        ("akvsync check READM", {"README.md"}),
        ("akvsync help vers", {"version"}),
    ],
)
def test_fish_completes(tmp_path, line, offered):
    if not shutil.which("fish"):
        pytest.skip("needs fish")
    (tmp_path / "akvsync.fish").write_text(run("completion", "fish").stdout)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    script = f"source {tmp_path}/akvsync.fish; complete -C {line!r}"
    told = subprocess.run(["fish", "--no-config", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout
    assert {entry.split("\t")[0] for entry in told.splitlines()} == offered


def zsh_line(tmp_path, typed, expected):
    """The line of an interactive zsh after the tab key."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(shutil.which("zsh"), ["zsh", "-f", "-i"], {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "PS1": "> "})
    shown = ""

    def until(text):
        nonlocal shown
        end = time.monotonic() + DEADLINE_S
        while text not in shown and time.monotonic() < end:
            if select.select([fd], [], [], 0.2)[0]:
                shown += os.read(fd, 65536).decode()
        assert text in shown, shown

    try:
        os.write(fd, f"autoload -U compinit && compinit -D -u && source {tmp_path}/_akvsync && echo rea''dy\n".encode())
        until("ready")
        shown = ""
        os.write(fd, typed.encode() + b"\t")
        until(expected)
    finally:
        os.close(fd)
        os.waitpid(pid, 0)


@pytest.mark.parametrize(
    "typed, expected",
    [
        ("akvsync che", "check "),
        ("akvsync check --onl", "--online "),
        ("akvsync check --output j", "json "),
        ("akvsync probe sta", "startup "),
        ("akvsync exec --on-change res", "restart "),
        ("akvsync exec -- printen", "printenv "),
        ("akvsync exec --grace 5s -- cat READM", "README.md "),
        ("akvsync completion f", "fish "),
    ],
)
def test_zsh_completes(tmp_path, typed, expected):
    if not shutil.which("zsh"):
        pytest.skip("needs zsh")
    (tmp_path / "_akvsync").write_text(run("completion", "zsh").stdout)
    zsh_line(tmp_path, typed, expected)


def test_the_manual_fits_a_terminal():
    assert max(map(len, run("man").stdout.splitlines())) <= 80
