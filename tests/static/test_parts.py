"""What the static binary is made of: said truly, had from where it says, and given on as source."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import tarfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = re.search(r"newTag: (\S+)", (ROOT / "manifests/version/image.yaml").read_text())[1]
ARCHES = [
    pytest.param(arch, marks=pytest.mark.skipif(not (ROOT / f"build/static-{arch}/libgcc").exists(), reason="not built"))
    for arch in ("amd64", "arm64")
]


def run(*command, cwd=ROOT, check=True, **env):
    names = os.environ.keys() - {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    env = {name: os.environ[name] for name in names} | env
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=check)


def check_spdx(sbom):
    """What SPDX 2.3 requires of a document, a package and a relationship."""
    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert sbom["name"] and re.fullmatch(r"https://[^#\s]+", sbom["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Organization|Person): \S", who) for who in sbom["creationInfo"]["creators"])
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(ids) == len(set(ids))
    for package in sbom["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"] and package["versionInfo"] and package["downloadLocation"]
        assert package["licenseConcluded"] and package["licenseDeclared"] != "NOASSERTION"
        assert package["filesAnalyzed"] is False
        for reference in package.get("externalRefs", []):
            assert (reference["referenceCategory"], reference["referenceType"]) == ("PACKAGE-MANAGER", "purl")
            assert re.fullmatch(r"pkg:deb/debian/[a-z0-9.-]+@[\w.~%-]+\?arch=source&distro=debian-\d+", reference["referenceLocator"])
    for relation in sbom["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= {*ids, "SPDXRef-DOCUMENT"}
        assert relation["relationshipType"] in ("DESCRIBES", "STATIC_LINK", "OTHER")
    assert [r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "DESCRIBES"] == [
        "SPDXRef-akvsync"
    ]


@pytest.mark.parametrize("arch", ARCHES)
def test_the_list_of_parts_is_valid(arch):
    binary, image = (json.loads(run("scripts/sbom", *how, arch).stdout) for how in ([], ["--image"]))
    check_spdx(binary)
    check_spdx(image)
    assert binary["documentNamespace"] != image["documentNamespace"]
    parts = {package["name"]: package for package in binary["packages"]}
    # The certificates are the image's.
    assert {package["name"] for package in image["packages"]} - parts.keys() == {"ca-certificates"}
    locator = parts["libgcc"]["externalRefs"][0]["referenceLocator"]
    assert re.match(r"pkg:deb/debian/gcc-\d+(-cross)?@", locator)
    assert parts["curl"]["versionInfo"].replace("+", "%2B") in parts["curl"]["externalRefs"][0]["referenceLocator"]


def test_the_source_is_complete(tmp_path):
    """From a clone, since it is the source of a commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository")
    cache = os.environ.get("BUILD_CACHE", str(ROOT / "build/cache"))
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", ROOT, clone)
    done = run("make", "sources", cwd=clone, check=False, BUILD_CACHE=cache)
    assert done.returncode == 0, done.stdout + done.stderr
    top = tmp_path / f"akvsync-{VERSION}-sources"
    with tarfile.open(clone / f"build/{top.name}.tar") as archive:
        archive.extractall(tmp_path)
    for line in (top / "deps.lock").read_text().splitlines():
        name, _, _, digest = line.split()
        (description,) = (top / name).glob("*.dsc")
        assert hashlib.sha256(description.read_bytes()).hexdigest() == digest
        files = re.search(r"^Checksums-Sha256:\n((?: .*\n)+)", description.read_text(), re.M)[1]
        for entry in files.splitlines():
            digest, _, file = entry.split()
            assert hashlib.sha256((top / name / file).read_bytes()).hexdigest() == digest
    with tarfile.open(top / f"akvsync-{VERSION}.tar") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(run("git", "ls-files", cwd=clone).stdout.split("\n")) <= names
    (built_in,) = (clone / "build").glob("static-*/deps.lock")
    built_in.write_text(built_in.read_text().replace("\ncurl ", "\ncurl another-"))
    refused = run("scripts/sources", cwd=clone, check=False)
    assert refused.returncode == 1 and "--update" in refused.stderr
    (clone / "LICENSE").write_text("another")
    refused = run("scripts/sources", cwd=clone, check=False)
    assert refused.returncode == 1 and "commit first" in refused.stderr


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
