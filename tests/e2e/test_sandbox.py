"""The sandbox: what the program says of it, what it refuses, and what a changed configuration may need."""

import json
import os
import shutil
import subprocess

import pytest
from conftest import BINARY, SANITIZED, wait_until
from landlock import OLDER_KERNEL, abi, compiled
from test_config import ConfigMap
from test_health import is_static


def preload(world, source):
    """The acts of code that is not akvsync's."""
    if is_static(BINARY) or SANITIZED:
        pytest.skip("nothing is loaded into a static binary, nor before a sanitizer")
    return {"LD_PRELOAD": compiled(source, world.folder)}


def kernel_of(world, number):
    if number > abi():
        pytest.skip("this machine's kernel is older")
    return preload(world, f"#define ABI {number}\n{OLDER_KERNEL}")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_kernels_with_an_older_landlock(world, number):
    value = world.plant("db")
    touched = world.folder / "touched"
    env = world.env("db, db=sub/other", AKVSYNC_SANDBOX="require", AKVSYNC_NOTIFY=f"on=first,touch={touched}")
    process = world.start("sidecar", env=env | kernel_of(world, number))
    process.wait_log("ready")
    assert f"Landlock ABI {number}: files" in process.find("sandbox")[0]["msg"]
    assert ("TCP ports" in process.find("sandbox")[0]["msg"]) == (number >= 4)
    assert wait_until(touched.exists)
    new = world.plant("db")
    process.poll()
    world.wait_files({"db": new, "sub/other": new})
    assert new != value


def test_a_kernel_without_landlock(world):
    world.plant("db")
    older = kernel_of(world, 0)
    process = world.start("init", env=world.env("db", AKVSYNC_SANDBOX="on") | older)
    assert process.wait() == 0
    assert "no Landlock: the kernel has none; seccomp: calls" in process.find("sandbox")[0]["msg"]
    process = world.start("init", env=world.env("db", AKVSYNC_SANDBOX="require") | older)
    assert process.wait() == 7
    told = process.find("exit")[0]["msg"]
    assert "AKVSYNC_SANDBOX=require" in told and "Landlock: the kernel has none" in told and "set AKVSYNC_SANDBOX=on" in told


def test_off_says_so(world):
    world.plant("db")
    process = world.init("db", AKVSYNC_SANDBOX="off")
    assert process.code == 0 and process.find("sandbox")[0]["msg"] == "sandbox: off"


STRANGER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <string.h>
static int said;
__attribute__((constructor)) static void begin(void)
{
	said = open(SAID, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}
int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	int (*real)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
	char *argv[] = { "/bin/sh", "-c", "echo taken over", NULL };
	execv(argv[0], argv);
	dprintf(said, "execv: %s\\n", strerror(errno));
	open("/etc/passwd", O_RDONLY);
	dprintf(said, "open: %s\\n", strerror(errno));
	return real(from_fd, from, to_fd, to);
}
"""


def test_a_refused_call_is_named_in_the_log(world):
    """Once, however often it is made."""
    world.plant("db")
    said = world.folder / "said"
    process = world.start("sidecar", env=world.env("db") | preload(world, f'#define SAID "{said}"\n' + STRANGER))
    process.wait_log("ready")
    refused = process.wait_log("sandbox-refused")
    assert refused["call"] == "execve" and "'execve'" in refused["msg"] and refused["level"] == "warn"
    assert set(said.read_text().splitlines()) == {"execv: Operation not permitted", "open: Permission denied"}
    world.plant("db")
    since = process.mark()
    process.poll()
    process.wait_log("published", since=since)
    assert len(said.read_text().splitlines()) > 2 and len(process.find("sandbox-refused")) == 1


def test_a_directory_that_is_missing_opens_no_other(world):
    """Nor does its nearest one that is there, when that is the root."""
    world.plant("db")
    said = world.folder / "said"
    stranger = STRANGER.replace("/etc/passwd", "/etc/hostname")
    env = world.env("db", AKVSYNC_NOTIFY="touch=/no-such-directory/file", AKVSYNC_SANDBOX="require")
    process = world.start("sidecar", env=env | preload(world, f'#define SAID "{said}"\n' + stranger))
    process.wait_log("ready")
    assert "open: Permission denied" in said.read_text()


def mounted(folder, name, text):
    """A mounted ConfigMap or projected volume as the kubelet makes it; the file is in a directory of it."""
    made = folder / f"..{name}"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "secret").write_text(text)
    os.symlink(made.name, folder / "..data_tmp")
    os.rename(folder / "..data_tmp", folder / "..data")


@pytest.mark.parametrize("way", ["a directory of the volume", "a link from elsewhere"])
def test_a_mounted_file_that_rotates(world, way):
    """Its directory has another name then."""
    volume, elsewhere = world.folder / "mounted", world.folder / "elsewhere"
    volume.mkdir()
    elsewhere.mkdir()
    mounted(volume, 1, world.fake.assertion_file.read_text())
    os.symlink("..data/sub", volume / "sub")
    os.symlink(volume / "sub" / "secret", elsewhere / "secret")
    path = (volume / "sub" if way.startswith("a directory") else elsewhere) / "secret"
    world.plant("db")
    sidecar = world.sidecar("db", AZURE_FEDERATED_TOKEN_FILE=str(path), AKVSYNC_SANDBOX="require")
    mounted(volume, 2, world.fake.assertion_file.read_text())
    world.fake.revoke_tokens()
    value = world.plant("db")
    sidecar.poll()
    world.wait_files({"db": value})


def test_status_shows_it(world):
    world.plant("db")
    sidecar = world.sidecar("db")
    told = subprocess.run(
        [BINARY, "status", "--output", "json"], env={"AKVSYNC_DIR": str(world.volume)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(told.stdout)["sandbox"] in sidecar.find("sandbox")[0]["msg"]


@pytest.mark.parametrize("command", ["init", "check"])
def test_no_configuration_of_openssl_is_read(world, command):
    """It could load code into the process. Who opens this one waits for ever."""
    world.plant("db")
    os.mkfifo(world.folder / "openssl.cnf")
    process = world.start(command, env=world.env("db", OPENSSL_CONF=str(world.folder / "openssl.cnf")))
    assert process.wait() == 0


PROGRAM = shutil.which("true")


def test_programs_run_in_it(world):
    world.plant("db")
    sidecar = world.sidecar("db", AKVSYNC_NOTIFY=f"on=first,exec={PROGRAM}", AKVSYNC_SANDBOX="require")
    sidecar.wait_log("notified")
    assert "no Landlock: the configuration runs programs; seccomp" in sidecar.find("sandbox")[0]["msg"]


NEEDS = {
    "a directory": ("notify: 'touch={folder}/elsewhere/file'\n", "it uses '{folder}/elsewhere'"),
    "a program": (f"notify: 'exec={PROGRAM}'\n", "it runs a program"),
    "a port": ("notify: 'http=GET http://127.0.0.1:8/'\n", "it connects to port 8"),
}


@pytest.mark.parametrize("row", NEEDS)
def test_a_changed_file_that_needs_more_is_refused(world, row):
    world.plant("db")
    text = f"vault: {world.fake.url('shop-kv')}\nobjects: [{{objectName: db}}]\n"
    map_ = ConfigMap(world.folder / "map", text)
    (world.folder / "elsewhere").mkdir()
    sidecar = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=map_.path))
    sidecar.wait_log("ready")
    more, refusal = (part.format(folder=world.folder) for part in NEEDS[row])
    map_.write(text + more)
    refused = sidecar.wait_log("configuration-refused")
    assert refusal in refused["msg"] and "needs a restart" in refused["msg"]
    # The restart takes it.
    sidecar.stop()
    again = world.start("sidecar", env=world.env(None, AKVSYNC_CONFIG=map_.path))
    again.wait_log("resume")
