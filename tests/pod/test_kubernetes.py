"""Which Kubernetes the pod tests run on, and whether it is there."""

import os
import subprocess

import pytest
from conftest import ROOT, TIMEOUT_S


def run(script, *arguments, **env):
    command = [ROOT / "scripts" / script, *arguments]
    return subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def test_an_unknown_release_is_an_error():
    done = run("pod-test", "--check", KUBERNETES="1.99")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'1.99'" in done.stderr and "1.36" in done.stderr


SERVER = ["kube-proxy", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"]
BUILT = [
    ("1.20", "kubernetes-1.20", SERVER),
    ("1.34", "kubernetes-1.34.4", SERVER),
    ("1.36", "kubernetes-1.36.3-containerd-2.2.9", [*SERVER, "containerd", "containerd-shim-runc-v2"]),
]


@pytest.mark.parametrize("release, name, programs", BUILT, ids=[row[0] for row in BUILT])
def test_it_is_built_when_every_program_is_there(tmp_path, release, name, programs):
    folder = tmp_path / name
    folder.mkdir()
    for program in programs:
        assert run("build-kubernetes", "--built", release, BUILD_CACHE=str(tmp_path)).returncode == 1
        (folder / program).touch(mode=0o755)
    assert run("build-kubernetes", "--built", release, BUILD_CACHE=str(tmp_path)).returncode == 0
    done = run("build-kubernetes", release, BUILD_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{folder}\n")
