"""Microsoft's JavaScript SDK, installed outside the source tree; once for each content of the lock file."""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "build/conformance"
PACKAGE = ("package.json", "package-lock.json", ".npmrc")


def install(*scripts: pathlib.Path) -> pathlib.Path:
    """The folder with its modules, and with copies of our scripts: modules are found above who imports them."""
    BUILT.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in PACKAGE)).hexdigest()
    done = BUILT / "installed"
    with open(BUILT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            for name in PACKAGE:
                shutil.copy(HERE / name, BUILT)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            run = subprocess.run(command, cwd=BUILT, capture_output=True, text=True)
            if run.returncode != 0:
                raise RuntimeError(f"cannot install the SDK:\n{run.stdout}{run.stderr}")
            done.write_text(wanted)
        for path in [*HERE.glob("*.mjs"), *scripts]:
            shutil.copy(path, BUILT)
    return BUILT
