"""What the static binary is made of: had from where it says."""

import hashlib
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command, cwd=ROOT, check=True, **env):
    names = os.environ.keys() - {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    env = {name: os.environ[name] for name in names} | env
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=check)


def test_unsigned_packages_are_refused_also_where_apt_is_lax(tmp_path):
    mirror = tmp_path / "debian"
    index = mirror / "dists/trixie/main/source/Sources"
    index.parent.mkdir(parents=True)
    description = b"Format: 3.0 (native)\nSource: musl\nVersion: 6\n"
    (mirror / "pool").mkdir()
    (mirror / "pool/musl_6.dsc").write_bytes(description)
    index.write_text(
        "Package: musl\nVersion: 6\nFormat: 3.0 (native)\nDirectory: pool\nChecksums-Sha256:\n"
        f" {hashlib.sha256(description).hexdigest()} {len(description)} musl_6.dsc\n\n"
    )
    listed = hashlib.sha256(index.read_bytes()).hexdigest(), index.stat().st_size
    (mirror / "dists/trixie/Release").write_text(
        "Origin: Debian\nSuite: trixie\nCodename: trixie\nComponents: main\nArchitectures: amd64 arm64\n"
        f"SHA256:\n {listed[0]} {listed[1]} main/source/Sources\n"
    )
    (tmp_path / "sources.list").write_text(f"deb-src [trusted=yes] file:{mirror}/ trixie main\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "lax.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list"; Dir::Etc::sourceparts "{tmp_path}/empty";\n'
        'Acquire::AllowInsecureRepositories "true"; Acquire::AllowDowngradeToInsecureRepositories "true";\n'
        'APT::Get::AllowUnauthenticated "true";\n'
    )
    done = run(
        "scripts/debian-source", "trixie", tmp_path / "out", "musl", check=False, APT_CONFIG=str(tmp_path / "lax.conf")
    )
    assert done.returncode == 1, done.stdout
    assert "is not signed" in done.stderr and not list(tmp_path.glob("out/musl/*"))
