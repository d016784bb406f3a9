"""How much memory a configuration takes: its peak does not follow what a vault holds, and a value stays no longer than
until files have been made of it.

Bytes alone are bounds here, never times: a peak is what the kernel says of it.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import uuid

import pytest
from conftest import BINARY, ROOT, SANITIZED, wait_until
from test_idle import writable_memory

from fakevault.h2front import H2Front, available

COUNT = 300
NAMES = [f"s{i:03}" for i in range(COUNT)]
VALUE_BYTES = 25 * 1024
"""The largest that a vault takes."""
CHANGED = COUNT * VALUE_BYTES
UNDER_WAY = 9 << 20
"""What is under way at a time: up to 100 answers, and what TLS and HTTP have of them."""
MEBIBYTE = 1 << 20

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's own memory says nothing")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the memory of another process is root's to see")


def value(name, size=VALUE_BYTES):
    """With a marker of its name every 512 bytes."""
    piece = f"<{name}.{os.urandom(8).hex()}>"
    return (piece + "x" * (512 - len(piece))) * (size // 512)


def plant(world, names=NAMES, form="{}"):
    room = VALUE_BYTES - len(form.replace("{}", ""))
    values = {name: form.replace("{}", value(name, room)) for name in names}
    for name, text in values.items():
        world.fake.set(name, text)
    return values


@pytest.fixture(params=["http/1.1", pytest.param("h2", marks=pytest.mark.skipif(not available(), reason="no nghttpx"))])
def wire(world, request):
    """The variables for a vault that speaks this protocol."""
    with contextlib.ExitStack() as stack:
        yield {} if request.param == "http/1.1" else {
            "AKVSYNC_VAULT": world.fake.url("shop-kv", stack.enter_context(H2Front(world.fake)).port)
        }


def status(pid, field):
    return int(re.search(rf"{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) << 10


def peak(pid):
    return status(pid, "VmHWM")


def polled(sidecar, event):
    """The peak of one more poll."""
    pathlib.Path(f"/proc/{sidecar.pid}/clear_refs").write_text("5")
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log(event, since=since)
    return peak(sidecar.pid)


@needs_root
def test_the_peak_does_not_follow_what_the_vault_holds(world, wire, tmp_path, record_property):
    world.plant("base")
    empty = tmp_path / "empty"
    empty.mkdir(mode=0o2755)
    small = world.sidecar("base", **wire, AKVSYNC_DIR=str(empty))
    base = peak(small.pid)
    small.stop()
    values = plant(world)
    sidecar = world.sidecar(",".join(NAMES), **wire)
    over = {"first": peak(sidecar.pid) - base, "idle": polled(sidecar, "unchanged") - base}
    values |= plant(world, NAMES[:1])
    over["one"] = polled(sidecar, "published") - base
    values |= plant(world)
    over["all"] = polled(sidecar, "published") - base
    assert world.files() == values
    record_property("over the base", over)
    print(f"base {base}, over it {over}")
    assert over["first"] <= 1.3 * CHANGED and over["all"] <= 1.3 * CHANGED, over
    assert max(over.values()) <= UNDER_WAY, over


FORMS = {
    "plain": ("{}", "{{objectName: {}}}"),
    "with metadata": ("{}", "{{objectName: {}, metadata: true}}"),
    "a value of JSON": ('{"k":"{}"}', "{{objectName: {0}, objectAlias: j-{0}, jmesPath: [{{path: k, objectAlias: {0}}}]}}"),
    "each value of JSON": ('{"k":"{}"}', "{{objectName: {0}, objectAlias: {0}, extract: all, excludeObjectName: true}}"),
}


@needs_root
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("turn", ["first set", "nothing new", "all new"])
def test_no_value_waits_in_memory_for_an_object_that_does_not_answer(world, form, turn):
    """One of fifty never answers; what becomes of the set is still open."""
    names = NAMES[:50]
    text, entry = FORMS[form]
    entries = "[" + ", ".join(entry.format(name) for name in names) + "]"
    plant(world, names, text)
    sidecar = world.sidecar(entries, AKVSYNC_REQUEST_TIMEOUT="1m") if turn != "first set" else None
    if turn == "all new":
        plant(world, names, text)
    mark = world.fake.mark()
    rule = world.fake.fault({"hold": True}, target="vault", path=f"/secrets/{names[-1]}*", authenticated=True, times=-1)
    if sidecar is None:
        sidecar = world.sidecar(entries, wait=False, AKVSYNC_REQUEST_TIMEOUT="1m")
    else:
        sidecar.poll()
    answered = lambda: len(world.fake.journal(target="vault", status=200, since=mark, authenticated=True))  # noqa: E731
    assert wait_until(lambda: answered() >= len(names) - 1)
    left = set()

    def none_left():
        found = set(re.findall(rb"<(s\d{3})\.", b"".join(writable_memory(sidecar.pid))))
        left.clear()
        left.update(found)
        return not found

    assert wait_until(none_left, 10), f"values of {len(left)} objects are in memory"
    assert len(list(world.volume.glob("..2*"))) == (0 if turn == "first set" else 1), "no set was made yet"
    world.fake.remove_fault(rule)


def test_what_waits_on_the_volume_is_nobody_elses(world):
    """New values lie in a directory that only the uid of akvsync may enter, and go with the round."""
    names = NAMES[:5]
    plant(world, names)
    sidecar = world.sidecar(",".join(names), AKVSYNC_REQUEST_TIMEOUT="2s")
    old = world.files()
    plant(world, names)
    world.fake.fault({"hold": True}, target="vault", path=f"/secrets/{names[-1]}*", authenticated=True, times=1)
    sidecar.poll()
    waiting = lambda: [len(os.listdir(path)) for path in world.volume.glob("..tmp.*") if path.is_dir()]  # noqa: E731
    assert wait_until(lambda: waiting() == [len(names) - 1])
    assert [path.stat().st_mode & 0o7777 for path in world.volume.glob("..tmp.*")] == [0o2700]
    assert world.files() == old
    assert wait_until(lambda: world.files() != old and not waiting())


def test_a_killed_round_leaves_no_value_behind(world):
    names = NAMES[:5]
    plant(world, names)
    world.fake.fault({"hold": True}, target="vault", path=f"/secrets/{names[-1]}*", authenticated=True, times=1)
    sidecar = world.sidecar(",".join(names), wait=False)
    assert wait_until(lambda: any(len(os.listdir(path)) == len(names) - 1 for path in world.volume.glob("..tmp.*")))
    sidecar.popen.kill()
    sidecar.wait()
    world.fake.clear_faults()
    assert world.init(",".join(names)).code == 0
    assert not list(world.volume.glob("..tmp.*")) and len(world.files()) == len(names)


def test_a_volume_without_room_for_what_waits_says_so(world, small_volume):
    """256 KiB have room for a set of six full values, not for a second one; the old set stays, and an idle poll works."""
    names = NAMES[:6]
    values = plant(world, names)
    sidecar = world.sidecar(",".join(names), AKVSYNC_DIR=str(small_volume), AKVSYNC_RETAIN="1s")
    plant(world, names)
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("failure", "No space left on device.*sizeLimit", since=since)
    assert {name: (small_volume / name).read_text() for name in names} == values
    assert wait_until(lambda: not [path for path in small_volume.glob("..tmp.*") if path.is_dir()])
    for name, text in values.items():
        world.fake.set(name, text)
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("recovered", since=since)


def limit_of_manifests():
    """The memory limit that the components give, in bytes."""
    found = set()
    for path in (ROOT / "manifests/components").rglob("*.yaml"):
        found |= set(re.findall(r"limits: \{ memory: (\d+)Mi \}", path.read_text()))
    assert len(found) == 1
    return int(found.pop()) * MEBIBYTE


@contextlib.contextmanager
def memory_limited(limit):
    """A group of processes with this limit on memory, tmpfs included: the command that enters it, and its peak; where
    none can be made, a limit on the data of the process alone."""
    for root, limit_file, peak_file in (
        ("/sys/fs/cgroup", "memory.max", "memory.peak"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
    ):
        group = pathlib.Path(root, f"akvsync-test-{uuid.uuid4().hex[:12]}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if not (group / limit_file).exists():
                continue
            (group / limit_file).write_text(str(limit))
            enter = ("sh", "-c", f'echo $$ >{group}/cgroup.procs && exec "$@"', "sh")
            yield enter, lambda path=group / peak_file: int(path.read_text()) if path.exists() else 0
            return
        finally:
            assert wait_until(lambda path=group: removed(path), 10)
    yield ("prlimit", f"--data={limit}"), lambda: 0


def removed(group):
    """Its processes have ended, and the pages of a tmpfs that are left go to the group above."""
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()


@needs_root
def test_the_limit_of_the_manifests_is_enough_for_300_full_values(world, wire, record_property):
    values = plant(world)
    with memory_limited(limit_of_manifests()) as (enter, highest):
        sidecar = world.sidecar(",".join(NAMES), wrapper=enter, **wire)
        for _ in range(3):
            polled(sidecar, "unchanged")
        for _ in range(2):
            values |= plant(world)
            polled(sidecar, "published")
        assert world.files() == values
        record_property("highest", highest())
        print(f"at most {highest() / MEBIBYTE:.1f} MiB of {limit_of_manifests() / MEBIBYTE:.0f}")
        assert sidecar.stop()[0] == 0


# What `check` says of it

PROCESS = 24
"""Mi, of the process itself."""


def told(env, *arguments, wrapper=()):
    """`check`, in both reports."""
    command = [*wrapper, BINARY, "check", *arguments]
    text, made = (subprocess.run([*command, *more], env=env, capture_output=True, text=True, check=False)
                  for more in ((), ("--output", "json")))
    memory = json.loads(made.stdout)["memory"]
    assert f"sizeLimit of the emptyDir            {memory['sizeLimit']} " in text.stdout
    assert f"memory limit of akvsync's container  {memory['limit']} " in text.stdout
    return memory, text.stdout


def mebibytes(amount):
    assert re.fullmatch(r"\d+Mi", amount)
    return int(amount[:-2])


@pytest.mark.parametrize(
    ("objects", "templates", "files", "size"),
    [
        ("a", None, 1, 1),
        (",".join(NAMES), None, COUNT, 17),
        ("[{objectName: a, layout: kubernetes.io/tls, metadata: true}]", None, 4, 1),
        ("[" + ",".join(f"{{objectName: {name}, objectVersionHistory: 3}}" for name in NAMES[:100]) + "]", None, COUNT, 17),
        ("a,b", f'[{{path: t, text: "{"{{a}}{{b}}" * 20}"}}]', 3, 3),
        ("a", f'[{{path: t, text: "{"{{a}}" * 50}"}}]', 2, 3),
    ],
    ids=["one", "300", "files-of-a-layout", "histories", "template", "template-of-the-most"],
)
def test_check_tells_what_a_configuration_needs(objects, templates, files, size):
    env = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": objects, "AKVSYNC_TEMPLATES": templates}
    memory, _ = told({name: text for name, text in env.items() if text is not None})
    assert (memory["files"], memory["more"]) == (files, False)
    assert mebibytes(memory["sizeLimit"]) == size, "two sets"
    assert mebibytes(memory["limit"]) == size + PROCESS, "the volume counts as memory of the container"


def test_check_says_when_only_the_vault_knows(world):
    """--online counts the files that are selected, and tells what they take now."""
    for name in NAMES[:20]:
        world.fake.set(name, "x" * 5000)
    env = world.env("[{objectNamePattern: 's*'}]")
    memory, text = told(env)
    assert (memory["files"], memory["more"], memory["setNow"]) == (0, True, None)
    assert "only the vault knows" in text
    memory, text = told(env, "--online")
    assert (memory["files"], memory["more"], memory["setNow"]) == (20, False, "160Ki")
    assert "one set takes 160Ki" in text


@needs_root
def test_check_warns_of_what_is_too_small_where_it_runs(small_volume, tmp_path):
    env = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": "a", "AKVSYNC_DIR": str(small_volume)}
    memory, text = told(env)
    assert memory["tooSmallVolume"] == "256Ki" and "AKVSYNC_DIR has only 256Ki" in text
    files = tmp_path / "cgroup"
    files.mkdir()
    wrapper = ("unshare", "--mount", "sh", "-c", f'mount --bind {files} /sys/fs/cgroup && exec "$@"', "sh")
    for name, limit, warns in (
        ("memory.max", "max", None), ("memory.max", str(25 * MEBIBYTE), None), ("memory.max", str(20 * MEBIBYTE), "20Mi"),
        ("memory/memory.limit_in_bytes", "9223372036854771712", None), ("memory/memory.limit_in_bytes", "1048576", "1Mi"),
    ):
        for old in files.rglob("memory.*"):
            old.unlink()
        (files / name).parent.mkdir(exist_ok=True)
        (files / name).write_text(f"{limit}\n")
        memory, text = told(env, wrapper=wrapper)
        assert memory["tooSmallLimit"] == warns
        assert ("this container has only" in text) == (warns is not None)


def test_check_keeps_no_values(world):
    """It has no volume where they could wait, so it drops them."""
    plant(world)
    process = world.start("check", "--online", env=world.env(",".join(NAMES)), wrapper=("prlimit", f"--data={30 * MEBIBYTE}"))
    assert process.wait() == 0, process.text


def test_manifests_and_docs_say_what_check_says():
    """The limits of the components have room for the process and the volume, and pages repeat the figures."""
    sizes = {
        int(size)
        for path in [*(ROOT / "manifests/components").rglob("*.yaml"), ROOT / "README.md"]
        for size in re.findall(r"medium: Memory, sizeLimit: (\d+)Mi", path.read_text())
    }
    limit = limit_of_manifests() // MEBIBYTE
    assert len(sizes) == 1
    (size,) = sizes
    assert size + PROCESS <= limit
    page = (ROOT / "docs/kubernetes.md").read_text()
    assert f"its limit, {limit} Mi, covers the volume, {size} Mi, and the process, {PROCESS} Mi" in page
    environment, shown = re.search(r"^\$ (AKVSYNC_VAULT=.*) akvsync check\n…\n(.*?)```", page, re.M | re.S).groups()
    env = {name: quoted or plain for name, quoted, plain in re.findall(r"(\w+)=(?:'([^']*)'|(\S+))", environment)}
    assert shown in told(env)[1]
    most = int(re.search(rf"{size} Mi hold about (\d+) values", page)[1])
    for count, fits in ((most, True), (most + 5, False)):
        names = ",".join(f"s{i}" for i in range(count))
        memory, _ = told({"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_OBJECTS": names})
        assert (mebibytes(memory["sizeLimit"]) <= size) == fits
