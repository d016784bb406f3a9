"""Microsoft's JavaScript SDK, installed outside the source tree."""

import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build/conformance"


def install(*scripts: pathlib.Path) -> pathlib.Path:
    """The folder with its modules, and with copies of the scripts of this folder and of these."""
    run = subprocess.run([HERE.parent / "npm-install", HERE, BUILT], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"cannot install the SDK:\n{run.stdout}{run.stderr}")
    for path in scripts:
        shutil.copy(path, BUILT)
    return BUILT
