"""What a start finds: changes while it waits for the volume, and a volume it cannot look at."""

import contextlib
import ctypes
import fcntl
import os
import select

import pytest
from conftest import DEADLINE_S, wait_until
from test_config import ConfigMap

IN_CLOSE_NOWRITE = 0x10


@contextlib.contextmanager
def held(volume):
    """Another process holds the volume's lock, as a predecessor that is ending does."""
    lock = os.open(volume, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def reading(path):
    """Waits at its end until someone has read the file."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC)
    try:
        assert libc.inotify_add_watch(fd, os.fsencode(path), IN_CLOSE_NOWRITE) >= 0, os.strerror(ctypes.get_errno())
        yield
        assert select.select([fd], [], [], DEADLINE_S)[0], f"nobody has read {path}"
    finally:
        os.close(fd)


def test_a_config_map_that_is_swapped_while_the_start_waits(world):
    a, b = world.plant("a", "b")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    env = world.env(None, AKVSYNC_CONFIG=config.path)
    with held(world.volume):
        with reading(config.path):
            sidecar = world.start("sidecar", env=env)
        config.write("objects: a, b\n")
    world.wait_files({"a": a, "b": b})
    # From then on it is watched as ever.
    config.write("objects: b\n")
    world.wait_files({"b": b})
    assert sidecar.stop()[0] == 0


def test_a_plain_file_that_is_edited_while_the_start_waits(world):
    a, b = world.plant("a", "b")
    path = world.folder / "config.yaml"
    path.write_text("objects: a\n")
    with held(world.volume):
        with reading(path):
            world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=str(path)))
        path.write_text("objects: a, b\n")
    world.wait_files({"a": a, "b": b})


def test_a_list_that_is_replaced_while_the_start_waits_for_a_volume_with_a_set(world):
    """The set of an earlier start fits the list that was read first."""
    a, b = world.plant("a", "b")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    env = world.env(None, AKVSYNC_CONFIG=config.path)
    assert world.start("init", env=env).wait() == 0
    with held(world.volume):
        with reading(config.path):
            world.start("sidecar", env=env)
        config.write("objects: a, b\n")
    world.wait_files({"a": a, "b": b})


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "AKVSYNC_EXTRA_CA_FILE"])
def test_certificates_that_are_replaced_while_the_start_waits(world, variable):
    """The authority of the vault's certificate is not among those that were read first."""
    import pki

    s = world.plant("s")
    other = pki.cert_pem(pki.Chain().root)
    system = world.folder / "system.pem"
    system.write_bytes(other)
    trusted = world.folder / "trusted.pem"
    trusted.write_bytes(other)
    env = world.env("s") | {"SSL_CERT_FILE": str(system)} | {variable: str(trusted)}
    with held(world.volume):
        with reading(trusted):
            sidecar = world.start("sidecar", env=env)
        new = world.folder / "new.pem"
        new.write_bytes(world.fake.ca.read_bytes())
        os.replace(new, trusted)
    world.wait_files({"s": s}, timeout=120)
    sidecar.wait_log("ready")


@pytest.mark.parametrize("limit", [6, 8, 9])
def test_a_start_that_cannot_look_at_the_set_leaves_it_alone(world, limit):
    """Too few descriptors: what cannot be looked at does not count as not there."""
    value = world.plant("a")
    assert world.init("a").code == 0
    generation = world.generation()
    world.fake.fault({"status": 503}, target="vault", times=-1)
    sidecar = world.sidecar("a", wait=False, wrapper=("prlimit", f"--nofile={limit}"), AKVSYNC_RETAIN="1s")
    assert wait_until(lambda: sidecar.popen.poll() is not None or sidecar.find("failure", "503"))
    if sidecar.popen.poll() is not None:
        assert sidecar.wait() == 7 and sidecar.find("exit", "Too many open files|No file descriptors available")
    sidecar.stop()
    world.sidecar("a", wait=False, AKVSYNC_RETAIN="1s").wait_log("failure", "503")
    assert (world.generation(), world.files()) == (generation, {"a": value})


@pytest.mark.parametrize("command", ["init", "sidecar"])
def test_a_stop_while_the_start_waits_is_no_failure(world, command):
    world.plant("a")
    config = ConfigMap(world.folder / "config", "objects: a\n")
    with held(world.volume):
        with reading(config.path):
            process = world.start(command, env=world.env(None, AKVSYNC_CONFIG=config.path))
        assert process.stop()[0] == 143
    assert not process.find("exit")
    assert "another process" not in world.termination_log.read_text()


def delays(world, uid):
    """How long a start waits before it asks for a token again, and again."""
    process = world.start("init", env=world.env("a", AKVSYNC_INIT_TIMEOUT="30s") | {"POD_UID": uid})
    found = [process.wait_log("retry", failures=number)["in_ms"] for number in (1, 2)]
    process.stop()
    return found


def test_each_pod_has_a_rhythm_of_its_own(world):
    """Pods that start together do not come back together; one pod's restarts are alike."""
    world.plant("a")
    world.fake.fault({"status": 503}, target="login", times=-1)
    assert delays(world, "pod-one") == delays(world, "pod-one") != delays(world, "pod-two")
