"""The clients that try the fake, installed outside the source tree."""

import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
MISSING = 3
"""The code with which `install` says that a client cannot be had here."""


class Missing(Exception):
    """What a client needs is not here: a tool, or a network."""


def folder_of(kind: str) -> pathlib.Path:
    """Of a client: js, python, go or az."""
    run = subprocess.run([HERE / "install", kind], capture_output=True, text=True)
    if run.returncode == MISSING:
        raise Missing(run.stderr.splitlines()[-1])
    if run.returncode != 0:
        raise RuntimeError(f"cannot install the client:\n{run.stdout}{run.stderr}")
    return pathlib.Path(run.stdout.strip())


def install(*scripts: pathlib.Path) -> pathlib.Path:
    """The folder with the JavaScript SDK's modules, and with copies of the scripts of this folder and of these."""
    built = folder_of("js")
    for path in scripts:
        shutil.copy(path, built)
    return built
