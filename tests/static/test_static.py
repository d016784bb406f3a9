"""The static binary of 'make static' ($TEST_BIN), and the one for arm64 ($TEST_BIN_ARM64) under qemu."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

from fakevault.client import FakeVault

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
BINARY = pathlib.Path(os.environ.get("TEST_BIN", ROOT / "build/static-amd64/akvsync"))
ARM64 = pathlib.Path(os.environ.get("TEST_BIN_ARM64", ROOT / "build/static-arm64/akvsync"))
QEMU = shutil.which("qemu-aarch64-static")
MAX_BYTES = 4_500_000

needs_arm64 = pytest.mark.skipif(
    not (ARM64.exists() and QEMU), reason="needs 'make static ARCH=arm64' and qemu-user-static"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("binary", [BINARY, pytest.param(ARM64, marks=needs_arm64)], ids=["native", "arm64"])
def test_is_static_small_and_hardened(binary):
    kind = output("file", "-b", str(binary))
    assert "static-pie linked" in kind and "stripped" in kind and "not stripped" not in kind
    size = binary.stat().st_size
    print(f"{binary.name}: {size} bytes")
    assert size <= MAX_BYTES
    segments = output("readelf", "-lW", str(binary))
    assert "INTERP" not in segments
    assert re.search(r"GNU_STACK.* RW ", segments), "the stack is not executable"
    assert "GNU_RELRO" in segments
    assert not re.search(r"LOAD.* RWE ", segments), "nothing is writable and executable"
    assert "BIND_NOW" in output("readelf", "-dW", str(binary))


def test_exec_takes_little_memory_beside_an_app(tmp_path):
    (tmp_path / "..set").mkdir()
    for number in range(100):
        (tmp_path / f"..set/secret-{number}").write_text("x" * 1000)
    (tmp_path / "..data").symlink_to("..set")
    env = {"PATH": os.environ["PATH"], "AKVSYNC_DIR": str(tmp_path)}
    command = [BINARY, "exec", "--all", "--", "sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)  # the app may be ready before the values are wiped
        rollup = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        process.terminate()
    dirty = int(re.search(r"Private_Dirty: +(\d+)", rollup)[1])
    print(f"{dirty} kB of private memory")
    assert dirty <= 1000


def test_tells_nothing_of_the_machine_that_built_it():
    data = BINARY.read_bytes()
    for path in (str(ROOT), os.environ.get("BUILD_CACHE", "build/cache"), "/tmp/"):
        assert path.encode() not in data, path


def test_another_build_elsewhere_gives_the_same_bytes(tmp_path):
    """The libraries are taken from the cache; docs/build.md says how to compare them as well."""
    files = output("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard").split("\n")
    for name in filter(None, files):
        target = tmp_path / "elsewhere" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, target)
    env = os.environ | {"BUILD_CACHE": os.environ.get("BUILD_CACHE", str(ROOT / "build/cache"))}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        env.pop(name, None)
    run = subprocess.run(
        ["make", "static"], cwd=tmp_path / "elsewhere", env=env, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    (other,) = (tmp_path / "elsewhere/build").glob("static-*/akvsync")
    sums = {hashlib.sha256(file.read_bytes()).hexdigest() for file in (BINARY, other)}
    assert len(sums) == 1, sums


def in_pod_network(tmp_path, how):
    command = ["unshare", "--mount", "--net", sys.executable, str(HERE / "in_pod_network.py")]
    run = subprocess.run([*command, BINARY, tmp_path, how], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@needs_root
def test_names_are_searched_for_as_in_a_pod(tmp_path):
    """ndots:5: the cluster's domains come first, then the name itself."""
    told = in_pod_network(tmp_path, "plain")
    assert told["code"] == 0, told["log"]
    for host in ("login.microsoftonline.com", "shop-kv.vault.azure.net"):
        asked = [name for name in told["names"] if name.startswith(host)]
        domains = [".shop.svc.cluster.local", ".svc.cluster.local", ".cluster.local", ""]
        assert asked == [host + domain for domain in domains]


@needs_root
def test_a_truncated_reply_is_asked_for_over_tcp(tmp_path):
    told = in_pod_network(tmp_path, "truncated")
    assert told["code"] == 0, told["log"]
    assert told["transports"] == ["tcp", "udp"]


@needs_root
def test_stops_at_once_while_a_name_server_is_silent(tmp_path):
    told = in_pod_network(tmp_path, "silent")
    assert told["code"] == 143
    print(f"stopped after {told['stopped_after'] * 1000:.0f} ms")
    assert told["stopped_after"] < 4


@needs_arm64
def test_arm64_signs_its_return_addresses():
    paciasp = bytes.fromhex("3f2303d5")
    assert ARM64.read_bytes().count(paciasp) > 1000


@needs_arm64
def test_arm64_runs(tmp_path):
    run = [QEMU, str(ARM64)]
    assert output(*run, "version").strip() == re.search(r"newTag: (\S+)", (ROOT / "manifests/version/image.yaml").read_text())[1]
    (tmp_path / "volume").mkdir()
    with FakeVault(tmp_path / "fake") as fake:
        fake.set("db", "a value for arm64")
        env = fake.env(
            AKVSYNC_OBJECTS="db", AKVSYNC_DIR=str(tmp_path / "volume"), AKVSYNC_TERMINATION_LOG="/dev/null"
        )
        checked = subprocess.run([*run, "check"], env=env, capture_output=True, text=True, timeout=120, check=False)
        done = subprocess.run([*run, "init"], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stderr
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "volume/db").read_text() == "a value for arm64"
