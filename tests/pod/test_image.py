"""The image that the Dockerfile makes: small, nothing in it but what it says, a true list of parts; its builder."""

import datetime
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest
from conftest import ROOT, VERSION

ARCHIVE = ROOT / "build/pod/akvsync.oci"
DOC = "usr/share/doc/akvsync"
MAX_COMPRESSED = 4_000_000
MAX_BYTES = 9_000_000


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout.strip()


class Image:
    def __init__(self, path):
        with tarfile.open(path) as archive:
            self.blobs = {
                member.name.rpartition("/")[2]: archive.extractfile(member).read()
                for member in archive
                if member.isfile()
            }
        index = json.loads(self.blobs["index.json"])
        self.manifest = self.json(index["manifests"][0])
        self.config = self.json(self.manifest["config"])
        self.files, self.content = {}, {}
        for layer in self.manifest["layers"]:
            with tarfile.open(fileobj=io.BytesIO(self.blob(layer))) as tree:
                for member in tree:
                    self.files[member.name.lstrip("./")] = member
                    if member.isfile():
                        self.content[member.name.lstrip("./")] = tree.extractfile(member).read()

    def blob(self, descriptor):
        return self.blobs[descriptor["digest"].partition(":")[2]]

    def json(self, descriptor):
        return json.loads(self.blob(descriptor))


@pytest.fixture(scope="module")
def image():
    if not ARCHIVE.exists():
        pytest.skip("no image: run scripts/pod-test")
    return Image(ARCHIVE)


def test_is_small(image):
    compressed = sum(layer["size"] for layer in image.manifest["layers"])
    size = sum(len(content) for content in image.content.values())
    print(f"{size} bytes, {compressed} compressed")
    assert size <= MAX_BYTES
    assert compressed <= MAX_COMPRESSED


def test_holds_one_program_and_no_shell(image):
    programs = {name for name, member in image.files.items() if member.isfile() and member.mode & 0o111}
    assert programs == {"akvsync"}
    binary = image.files["akvsync"]
    assert (binary.uid, binary.gid, oct(binary.mode & 0o7777)) == (0, 0, "0o711")
    rest = {name for name, member in image.files.items() if member.isfile()} - {"akvsync"}
    assert "etc/ssl/certs/ca-certificates.crt" in rest
    assert all(name.startswith((f"{DOC}/", "etc/ssl/certs/", "usr/share/akvsync/")) for name in rest)
    assert image.content["usr/share/akvsync/akvsync"] == image.content["akvsync"], "what install copies"
    assert image.files["usr/share/akvsync/akvsync"].mode & 0o777 == 0o644
    assert not [member for member in image.files.values() if not (member.isfile() or member.isdir())]


def test_runs_as_nobody_in_particular(image):
    config = image.config["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/akvsync"]
    assert not config.get("Cmd")
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.vendor"] == "The akvsync authors"
    assert len(labels["org.opencontainers.image.revision"].partition("-")[0]) == 40


def test_lists_its_parts_truly(image):
    sbom = json.loads(image.content[f"{DOC}/sbom.spdx.json"])
    assert sbom["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"]: package for package in sbom["packages"]}
    lines = image.content[f"{DOC}/deps.lock"].decode().splitlines()
    built_in = [line.split() for line in lines if not line.startswith("#")]
    assert len(built_in) == 9
    for name, _, version, digest in built_in:
        assert packages[name]["versionInfo"] == version
        assert packages[name]["checksums"][0]["checksumValue"] == digest
        assert f"{DOC}/licenses/{name}" in image.content
    assert "ca-certificates" in packages
    purls = [ref["referenceLocator"] for package in packages.values() for ref in package.get("externalRefs", [])]
    assert purls and all(re.search(r"&distro=debian-1[2-9]$", purl) for purl in purls), purls
    created = datetime.datetime.fromisoformat(sbom["creationInfo"]["created"].replace("Z", "+00:00"))
    assert created.timestamp() == float(git("log", "-1", "--format=%ct")), "the date of the commit"
    binary = packages["akvsync"]["checksums"][0]["checksumValue"]
    assert binary == hashlib.sha256(image.content["akvsync"]).hexdigest()
    related = {r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "STATIC_LINK"}
    assert {f"SPDXRef-{name}" for name, *_ in built_in} <= related
    texts = {"LGPL-2.1": "LESSER GENERAL PUBLIC LICENSE", "GPL-3": "GENERAL PUBLIC LICENSE", "MPL-2.0": "Mozilla"}
    for name, says in (texts | {"libgcc": "GCC Runtime Library Exception"}).items():
        assert says.lower() in image.content[f"{DOC}/licenses/{name}"].decode().lower(), name
    notice = image.content[f"{DOC}/NOTICE"].decode()
    assert "libmicrohttpd" in notice and "relink" in notice


def test_the_parts_are_those_of_the_lock(image):
    """Else the mirror has moved on: run scripts/static --update."""
    lines = [line for line in (ROOT / "scripts/deps.lock").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in image.content[f"{DOC}/deps.lock"].decode().splitlines() if not line.startswith("#")] == lines


needs_buildah = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("buildah"), reason="builds an image, which needs root and buildah"
)


class Builder:
    """scripts/image with images of its own, for which no registry is asked but one that is not there."""

    def __init__(self, path):
        self.cache, self.context = path / "cache", path / "context"
        self.store = self.cache / "images/root"
        self.context.mkdir()
        (self.context / "file").write_text("content")

    def build(self, tag, *lines, base="localhost:1/base", output=None, **env):
        (self.context / "Dockerfile").write_text("\n".join((*lines, "COPY file /", "")))
        env = os.environ | {"BUILD_CACHE": str(self.cache), "BASE": base} | env
        command = [ROOT / "scripts/image", *(["--output", output] if output else []), tag, self.context]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def commit(self):
        """An empty one; returns its hash."""
        git = ["git", "-C", str(self.context), "-c", "user.name=Test", "-c", "user.email=test@localhost"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "add", "--all"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=test"], check=True)
        return subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def builder(tmp_path):
    yield Builder(tmp_path)
    subprocess.run(["umount", "--lazy", tmp_path / "cache/images/root/overlay"], capture_output=True, check=False)


@needs_buildah
@pytest.mark.parametrize("damage", ["overlay-layers/layers.json", "overlay/*/diff"])
def test_a_damaged_store_heals(builder, damage):
    first = builder.build("image:1", "FROM scratch")
    assert (first.returncode, first.stderr) == (0, "")
    for path in builder.store.glob(damage):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.write_text("[{")
    second = builder.build("image:2", "FROM scratch")
    assert second.returncode == 0, second.stderr
    assert "damaged" in second.stderr
    third = builder.build("image:3", "FROM scratch")
    assert (third.returncode, third.stderr) == (0, "")


@needs_buildah
def test_an_old_base_image_is_got_again(builder):
    on_base = ("ARG BASE", "FROM ${BASE}")
    assert builder.build("localhost:1/base", "FROM scratch").returncode == 0
    # When it was got nobody knows; and it cannot be had.
    done = builder.build("image:1", *on_base)
    assert done.returncode == 0, done.stderr
    assert "older than 30 days" in done.stderr and "using the old one" in done.stderr
    got = builder.cache / "images/base-localhost-1-base"
    got.touch()
    done = builder.build("image:2", *on_base)
    assert (done.returncode, done.stderr) == (0, "")
    os.utime(got, (0, 0))
    done = builder.build("image:3", *on_base)
    assert done.returncode == 0 and "older than 30 days" in done.stderr
    done = builder.build("image:4", *on_base, base="localhost:1/other")
    assert done.returncode == 1 and "cannot get the base image localhost:1/other" in done.stderr


@needs_buildah
def test_the_same_files_of_another_commit_are_labelled_with_that(builder, tmp_path):
    assert builder.build("image:1", "FROM scratch").returncode == 0
    for number in range(2):
        revision = builder.commit()
        archive = tmp_path / f"{number}.oci"
        assert builder.build("image:1", "FROM scratch", output=archive).returncode == 0
        assert Image(archive).config["config"]["Labels"]["org.opencontainers.image.revision"] == revision


@needs_buildah
@pytest.mark.parametrize(
    "remote, env, address",
    [
        ("git@host.example:team/akvsync.git", {}, "https://host.example/team/akvsync"),
        ("https://user:password@host.example/team/akvsync.git", {}, "https://host.example/team/akvsync"),
        ("ssh://git@host.example:2222/team/akvsync", {}, "https://host.example/team/akvsync"),
        ("/srv/git/akvsync", {}, None),
        ("/srv/git/akvsync", {"SOURCE_URL": "https://host.example/akvsync"}, "https://host.example/akvsync"),
    ],
)
def test_the_labels_name_where_it_comes_from(builder, tmp_path, remote, env, address):
    revision = builder.commit()
    subprocess.run(["git", "-C", builder.context, "remote", "add", "origin", remote], check=True)
    archive = tmp_path / "folder/that/is/not/there/image.oci"
    done = builder.build("image:1", "FROM scratch", output=archive, **env)
    assert done.returncode == 0, done.stderr
    labels = Image(archive).config["config"]["Labels"]
    assert labels.get("org.opencontainers.image.source") == address
    assert labels.get("org.opencontainers.image.url") == address
    documentation = address and f"{address}/tree/{revision}/docs"
    assert labels.get("org.opencontainers.image.documentation") == documentation
