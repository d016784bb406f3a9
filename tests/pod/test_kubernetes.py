"""Which Kubernetes the pod tests run on, and whether it is there."""

import os
import subprocess

from conftest import ROOT, TIMEOUT_S


def run(script, *arguments, **env):
    command = [ROOT / "scripts" / script, *arguments]
    return subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def test_an_unknown_release_is_an_error():
    done = run("pod-test", "--check", KUBERNETES="1.99")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'1.99'" in done.stderr and "1.34" in done.stderr


def test_it_is_built_when_every_program_is_there(tmp_path):
    folder = tmp_path / "kubernetes-1.20"
    folder.mkdir()
    for name in ("kube-proxy", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"):
        assert run("build-kubernetes", "--built", "1.20", BUILD_CACHE=str(tmp_path)).returncode == 1
        (folder / name).touch(mode=0o755)
    assert run("build-kubernetes", "--built", "1.20", BUILD_CACHE=str(tmp_path)).returncode == 0
    done = run("build-kubernetes", "1.20", BUILD_CACHE=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{folder}\n")
