"""Which version a file is of: two files of one certificate, and the tags of a version that stays."""

import json

import pki
import pytest
from conftest import wait_until

def renew(world):
    """A new version of the certificate 'web', with a key of its own."""
    chain = pki.Chain()
    value = pki.base64_pfx(chain.key, chain.all)
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type="application/x-pkcs12")
    return pki.cert_pem(chain.leaf)


def is_pair(files):
    return files["web.crt"] in files["web.pem"]


def renew_between(world, ask):
    """The certificate is renewed after the first of its files was read and before the second. `ask` makes
    the program read them."""
    late = world.fake.fault({"delay_ms": 1500}, target="vault", path="/*/web*", authenticated=True, after=1)
    mark = world.fake.mark()
    asked = ask()
    world.fake.wait_journal(1, since=mark, target="vault", path="/*/web*", status=200)
    newest = renew(world)
    answered = world.fake.journal(since=mark, target="vault", path="/*/web*", status=200)
    assert len(answered) == 1 and world.fake.fault_hits(late) <= 1, "the renewal came too late"
    return asked, newest


# Whichever is read first
ORDERS = pytest.mark.parametrize("objects", ["cert/web=web.crt, secret/web=web.pem", "secret/web=web.pem, cert/web=web.crt"])


@ORDERS
def test_a_certificate_and_its_key_are_of_one_version(world, objects):
    renew(world)
    sidecar = world.sidecar(objects)
    assert is_pair(world.files_bytes())
    renew(world)
    since = sidecar.mark()
    _, newest = renew_between(world, sidecar.poll)
    sidecar.wait_log("published", since=since)
    assert is_pair(world.files_bytes()), "the certificate does not belong to the key"
    sidecar.poll()
    assert wait_until(lambda: world.files_bytes()["web.crt"] == newest)
    assert is_pair(world.files_bytes())


@ORDERS
def test_a_first_set_has_a_certificate_and_its_key_of_one_version(world, objects):
    renew(world)
    process, _ = renew_between(world, lambda: world.start("init", env=world.env(objects)))
    assert process.wait() == 0
    assert is_pair(world.files_bytes()), "the certificate does not belong to the key"


@pytest.mark.parametrize("objects", ["cert/web=web.crt, key/web=web.pub", "key/web=web.pub, cert/web=web.crt"])
def test_a_public_key_and_its_certificate_are_of_one_version(world, objects):
    """The same for the third kind of object that a certificate stands for."""
    renew(world)
    sidecar = world.sidecar(objects)
    renew(world)
    since = sidecar.mark()
    renew_between(world, sidecar.poll)
    sidecar.wait_log("published", since=since)
    files = world.files_bytes()
    assert files["web.pub"] == public_key(files["web.crt"]), "the certificate does not belong to the key"


def public_key(certificate):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import PublicFormat

    key = x509.load_pem_x509_certificate(certificate).public_key()
    return key.public_bytes(pki.PEM, PublicFormat.SubjectPublicKeyInfo)


# Tags of a version that stays


def tags(world, path):
    return json.loads((world.volume / path).read_text()).get("tags")


def test_metadata_of_a_pinned_version_follows_its_tags(world):
    value = world.plant("s")
    version = world.fake.secret("s")["current"]
    world.plant("s")
    sidecar = world.sidecar(f"[{{objectName: s, objectVersion: {version}, metadata: true}}]")
    inode = (world.volume / "s").stat().st_ino
    for wanted in ({"env": "prod"}, {"env": "test"}):
        world.fake.update("s", version, tags=wanted)
        sidecar.poll()
        assert wait_until(lambda: tags(world, "s.json") == wanted), world.files()["s.json"]
    assert (world.volume / "s").stat().st_ino == inode and (world.volume / "s").read_text() == value


def test_metadata_of_a_pinned_version_follows_its_tags_after_a_restart(world):
    world.plant("s")
    version = world.fake.secret("s")["current"]
    objects = f"[{{objectName: s, objectVersion: {version}, metadata: true}}]"
    assert world.init(objects).code == 0
    world.fake.update("s", version, tags={"env": "prod"})
    world.sidecar(objects, wait=False)
    assert wait_until(lambda: tags(world, "s.json") == {"env": "prod"})


def test_metadata_of_a_history_follows_the_tags_of_older_versions(world):
    from test_lists import history, versions

    versions(world, "h", 3)
    older = world.fake.secret("h")["versions"][1]["id"]
    sidecar = world.sidecar(history(count=2, more=", metadata: true"))
    world.fake.update("h", older, tags={"env": "prod"})
    sidecar.poll()
    assert wait_until(lambda: tags(world, "h/1.json") == {"env": "prod"})
