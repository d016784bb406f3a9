"""What each kind of object becomes: the rows of what the CSI provider writes, and those it fails at.

The one row of the provider that is left out is RC2-40, which OpenSSL 3 refuses and Key Vault never
makes: it is a clear error here.
"""

import base64
import re
import stat
import subprocess
from dataclasses import dataclass, field
from typing import Callable

import pki
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PublicFormat
from conftest import wait_until

P12, PEM_TYPE = "application/x-pkcs12", "application/x-pem-file"


@dataclass
class Row:
    name: str
    objects: str
    setup: Callable
    """Gets the fake vault; the expected files: path -> bytes, or a function of the bytes."""
    says: str | None = None
    """A refusal: a pattern for its message."""
    mode: int = 0o440
    warns: str | None = None
    env: dict = field(default_factory=dict)


def secret(value, expected=None, **properties):
    def setup(fake):
        fake.set("s", value, **properties)
        return {"s": value.encode() if expected is None else expected}

    return setup


def cert(make, expected, kind=P12):
    """A certificate 'web': make() gives a chain and its secret, expected(chain, secret) the files."""

    def setup(fake):
        chain, value = make()
        fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=kind)
        return expected(chain, value)

    return setup


def pfx(key=None, order=(2, 1, 0), ids=True, with_key=True, **options):
    def make():
        chain = pki.Chain(key() if key else None, ids)
        certificates = [chain.all[i] for i in order]
        return chain, pki.base64_pfx(chain.key if with_key else None, certificates, **options)

    return make


def pem(order=(0, 1, 2), key_last=False, key_pem=pki.key_pem, noise=b"", key=None):
    def make():
        chain = pki.Chain(key() if key else None)
        parts = [key_pem(chain.key), noise, pki.cert_pem(*[chain.all[i] for i in order])]
        return chain, b"".join(reversed(parts) if key_last else parts).decode()

    return make


def in_order(chain, _):
    return {"web": pki.key_pem(chain.key) + pki.cert_pem(*chain.all)}


def only(*indexes, key=True):
    def expected(chain, _):
        return {"web": (pki.key_pem(chain.key) if key else b"") + pki.cert_pem(*[chain.all[i] for i in indexes])}

    return expected


def as_is(_, value):
    return {"web": value.encode()}


def split(chain, _):
    certificates = pki.cert_pem(*chain.all)
    key = pki.key_pem(chain.key)
    return {"web": key + certificates, "web.crt": certificates, "web.key": key}


def tls(chain, _):
    return {
        "web/tls.crt": pki.cert_pem(chain.leaf, chain.between),
        "web/tls.key": pki.key_pem(chain.key),
        "web/ca.crt": pki.cert_pem(chain.root),
    }


def cross_signed():
    """The intermediate twice: signed by a root that is there, and by one that is not."""
    chain = pki.Chain()
    other_key = pki.ec_key()
    other_root = pki.certificate("other root", other_key, ca=True)
    chain.crossed = pki.certificate("between", chain.between_key, other_root, other_key, ca=True)
    value = pki.base64_pfx(chain.key, [chain.crossed, chain.root, chain.between, chain.leaf])
    return chain, value


def crossed_files(chain, _):
    return {"web": pki.key_pem(chain.key) + pki.cert_pem(*chain.all, chain.crossed)}


def laborious(last, **options):
    """As with many million iterations, of the MAC, which stands last, or of a part before it."""

    def make():
        chain = pki.Chain()
        der = pki.pkcs12(chain.key, chain.all, iterations=0x10000, **options)
        few, many = b"\x02\x03\x01\0\0", b"\x02\x03\x7f\xff\xff"
        at = der.rindex(few) if last else der.index(few)
        return chain, base64.b64encode(der[:at] + many + der[at + 5 :]).decode()

    return make


def stranger():
    """With a root that has nothing to do with it, in front."""
    chain = pki.Chain()
    chain.other = pki.certificate("stranger", pki.ec_key(), ca=True)
    return chain, pki.base64_pfx(chain.key, [chain.other, *reversed(chain.all)])


def stranger_tls(chain, value):
    return tls(chain, value) | {"web/tls.crt": pki.cert_pem(chain.leaf, chain.between, chain.other)}


def mismatched():
    chain = pki.Chain()
    return chain, pki.base64_pfx(pki.ec_key(), chain.all)


def jwk(key, hsm=False, e=None):
    """A key 's' and its PEM."""

    def setup(fake):
        from fakevault.keys_api import public_jwk

        public = key.public_key()
        made = public_jwk(public)
        if hsm:
            made["kty"] += "-HSM"
        if e:
            made["e"] = e
        fake.set_key("s", made)
        return {"s": public.public_bytes(pki.PEM, PublicFormat.SubjectPublicKeyInfo)}

    return setup


def symmetric(fake):
    fake.set_key("s", {"kty": "oct-HSM", "key_ops": ["encrypt", "decrypt"]})
    return {}


def ed25519(fake):
    """Key Vault has no such keys, but passes on what was imported with one."""
    chain = pki.Chain(pki.ed_key())
    value = pki.base64_pfx(chain.key, chain.all)
    fake.set("web", value, content_type=P12, managed=True)
    return in_order(chain, value)


def app_service(fake):
    """A PKCS#12 that was stored as an ordinary secret."""
    chain, value = pfx()()
    fake.set("web", value, content_type=P12)
    return tls(chain, value)


def certificate_object(expected):
    return cert(pfx(), expected)


def public_key_of(chain, _):
    return {"web": chain.key.public_key().public_bytes(pki.PEM, PublicFormat.SubjectPublicKeyInfo)}


def pinned(fake):
    old = fake.set("s", "old")
    fake.set("s", "new", version="f" * 32)
    fake.set("s", "newest", version="0" * 32)
    assert old
    return {"s": b"new"}


WEB = "[{objectName: web%s}]"
S = "[{objectName: s%s}]"

ROWS = [
    Row("plain", "s", secret("pass word\r\n\U0001f511")),
    Row("plain base64", S % ", objectEncoding: base64", secret("AAECAwD/\r\n/w==", b"\0\1\2\3\0\xff\xff")),
    Row("invalid UTF-8 after base64", S % ", objectEncoding: BASE64", secret("w6nDKA==", b"\xc3\xa9\xc3\x28")),
    Row("plain hex", S % ", objectEncoding: hex", secret("00fFc3", b"\0\xff\xc3")),
    Row("URL-safe base64", S % ", objectEncoding: base64", secret("_-8="), "not standard base64 at character 1"),
    Row("odd hex", S % ", objectEncoding: hex", secret("abc"), "not hexadecimal: odd number"),
    Row("NUL inside", "s", secret("a\0b\0", b"a\0b\0")),
    Row("25 KB", "s", secret("x" * 25600)),
    Row("25 KB that JSON escapes sixfold", "s", secret("\x01" * 25600)),
    Row("CRLF", "s", secret("one\r\ntwo\r\n")),
    Row("no line end", "s", secret("one\ntwo")),
    Row("empty", "s", secret("")),
    Row("longest name", "n" * 127, lambda f: f.set("n" * 127, "v") and {"n" * 127: b"v"}),
    Row("a PKCS#12 as a plain secret", "s", secret("MIIB", content_type=P12)),
    Row("filePermission", S % ", filePermission: 0600", secret("v"), mode=0o600),
    Row("filePermission without zero", S % ", filePermission: 644", secret("v"), mode=0o644),
    Row("pinned", S % f", objectVersion: {'f' * 32}", pinned),
    Row("latest is no version", S % ", objectVersion: latest", secret("v")),
    # The secret of a certificate, as PEM.
    Row("PEM", "web", cert(pem(), as_is, PEM_TYPE)),
    Row("PEM with text between", "web", cert(pem(noise=b"subject=CN = x\r\n"), as_is, PEM_TYPE)),
    Row("PEM asked for as pfx", WEB % ", objectFormat: pfx", cert(pem(), as_is, PEM_TYPE)),
    Row("PEM root first", "web", cert(pem(order=(2, 1, 0)), in_order, PEM_TYPE)),
    Row("PEM key last", "web", cert(pem(key_last=True), in_order, PEM_TYPE)),
    Row("PEM EC key", "web", cert(pem(key_pem=pki.key_pem_traditional), in_order, PEM_TYPE)),
    Row("PEM RSA key", "web", cert(pem(key_pem=pki.key_pem_traditional, key=pki.rsa_key), in_order, PEM_TYPE)),
    Row("PEM with base64", WEB % ", objectEncoding: base64", cert(pem(), as_is, PEM_TYPE), "does not fit a certificate in PEM"),
    # The secret of a certificate, as PKCS#12.
    Row("Key Vault's PKCS#12", "web", cert(pfx(), in_order)),
    Row("RSA", "web", cert(pfx(key=pki.rsa_key), in_order)),
    Row("empty password", "web", cert(pfx(password=""), in_order)),
    Row("leaf first", "web", cert(pfx(order=(0, 1, 2)), in_order)),
    Row("without key ids", "web", cert(pfx(ids=False, order=(1, 2, 0)), in_order)),
    Row("AES and SHA-256", "web", cert(pfx(key_pbe=pki.AES, cert_pbe=pki.AES, sha1=False, password=""), in_order)),
    Row("Ed25519", "web", ed25519),
    Row("no key", "web", cert(pfx(with_key=False), only(0, 1, 2, key=False)), warns="no-private-key"),
    Row("unencrypted key", "web", cert(pfx(key_pbe=pki.PLAIN), in_order)),
    Row("unencrypted", "web", cert(pfx(key_pbe=pki.PLAIN, cert_pbe=pki.PLAIN), in_order)),
    Row("intermediate missing", "web", cert(pfx(order=(0, 2)), only(0, 2))),
    Row("intermediate missing, root first", "web", cert(pfx(order=(2, 0)), only(0, 2))),
    Row("root missing", "web", cert(pfx(order=(1, 0)), only(0, 1))),
    Row("twice the same", "web", cert(pfx(order=(2, 1, 0, 1, 2)), in_order)),
    Row("cross-signed", "web", cert(cross_signed, crossed_files)),
    Row("key of another", "web", cert(mismatched, in_order), "private key fits none of its certificates"),
    Row("with a password", "web", cert(pfx(password="x"), in_order), "PKCS#12 has a password"),
    Row("many iterations of the MAC", "web", cert(laborious(True), in_order), "PKCS#12 asks for too many iterations"),
    Row("many iterations of the key", "web", cert(laborious(False), in_order), "PKCS#12 asks for too many iterations"),
    Row("many iterations of PBKDF2", "web", cert(laborious(False, key_pbe=pki.AES, cert_pbe=pki.AES), in_order),
        "PKCS#12 asks for too many iterations"),
    Row("no PKCS#12", "web", cert(lambda: (pki.Chain(), "AAAA"), in_order), "it is not a PKCS#12"),
    Row("pfx", WEB % ", objectFormat: pfx", cert(pfx(), as_is)),
    Row("PFX binary", WEB % ", objectFormat: PFX, objectEncoding: base64",
        cert(pfx(), lambda _, value: {"web": base64.b64decode(value)})),
    Row("strange content type", "web", cert(pfx(), as_is, "application/octet-stream"), "content type is neither"),
    # Layouts.
    Row("split", WEB % ", layout: split", cert(pfx(), split)),
    Row("split PEM", WEB % ", layout: split", cert(pem(), split, PEM_TYPE)),
    Row("kubernetes.io/tls", WEB % ", layout: kubernetes.io/tls", cert(pfx(), tls)),
    Row("kubernetes.io/tls, another root", WEB % ", layout: kubernetes.io/tls", cert(stranger, stranger_tls)),
    Row("kubernetes.io/tls, no key", WEB % ", layout: kubernetes.io/tls", cert(pfx(with_key=False), tls), "no private key"),
    Row("kubernetes.io/tls, plain secret", S % ", layout: kubernetes.io/tls", secret("v"), "needs the secret of a certificate"),
    Row("App Service certificate", WEB % ", layout: kubernetes.io/tls", app_service),
    # Keys.
    Row("key RSA", "key/s", jwk(pki.rsa_key())),
    Row("key RSA-HSM", "key/s", jwk(pki.rsa_key(), hsm=True, e="AAEAAQ")),
    Row("key P-256", "key/s", jwk(pki.ec_key())),
    Row("key EC-HSM", "key/s", jwk(pki.ec_key(ec.SECP384R1), hsm=True)),
    Row("key P-384", "key/s", jwk(pki.ec_key(ec.SECP384R1))),
    Row("key P-521", "key/s", jwk(pki.ec_key(ec.SECP521R1))),
    Row("key P-256K", "key/s", jwk(pki.ec_key(ec.SECP256K1))),
    Row("key oct-HSM", "key/s", symmetric, r"symmetric key \(oct-HSM\), which has no public part"),
    Row("key of a certificate", "key/web", certificate_object(public_key_of)),
    # Certificates.
    Row("cert", "cert/web", certificate_object(lambda chain, _: {"web": pki.cert_pem(chain.leaf)})),
    Row("cert alias", "cert/web=tls/web.pem",
        certificate_object(lambda chain, _: {"tls/web.pem": pki.cert_pem(chain.leaf)})),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row.name))
def test_row(world, row):
    expected = row.setup(world.fake)
    process = world.init(row.objects, **row.env)
    if row.says is not None:
        assert process.code == 3, process.text
        assert process.find("exit", row.says), process.text
        assert not world.files_bytes()
        return
    assert process.code == 0, process.text
    found = world.files_bytes()
    assert set(found) == set(expected)
    for path, content in expected.items():
        assert found[path] == content, path
        assert stat.S_IMODE((world.volume / path).stat().st_mode) == row.mode
        opened_by_openssl(world.volume / path, found[path])
    assert bool(process.find("no-private-key")) == (row.warns == "no-private-key")


def opened_by_openssl(path, content):
    """What is PEM can be read by the command that every administrator uses."""
    commands = {
        b"-----BEGIN PRIVATE KEY": ["pkey", "-noout"],
        b"-----BEGIN CERTIFICATE": ["x509", "-noout"],
        b"-----BEGIN PUBLIC KEY": ["pkey", "-pubin", "-noout"],
    }
    for start, arguments in commands.items():
        if start in content:
            subprocess.run(["openssl", *arguments, "-in", path], check=True, capture_output=True)


def test_rc2_40_is_a_clear_error(world):
    """Made by the legacy provider, which is not loaded here."""
    chain = pki.Chain()
    folder = world.folder
    (folder / "key").write_bytes(pki.key_pem(chain.key))
    (folder / "leaf").write_bytes(pki.cert_pem(chain.leaf))
    made = subprocess.run(
        ["openssl", "pkcs12", "-export", "-legacy", "-inkey", folder / "key", "-in", folder / "leaf", "-passout", "pass:"],
        capture_output=True, check=True,
    ).stdout
    world.fake.set_certificate("web", base64.b64encode(made).decode(), pki.cer(chain.leaf), content_type=P12)
    process = world.init("web")
    assert process.code == 3
    assert process.find("exit", "secret 'web': its PKCS#12 is encrypted with an algorithm that is out of use, such as RC2")


def openssl_pfx(path, password):
    run = subprocess.run(
        ["openssl", "pkcs12", "-in", path, "-nodes", "-passin", f"pass:{password}"], capture_output=True, check=False
    )
    return run.returncode, run.stdout


LOCKED = "[{objectName: web, objectFormat: pfx, pfxPasswordObject: pass, objectAlias: web.pfx}]"


def test_pfx_with_a_password_of_its_own(world):
    chain, value = pfx()()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    first = world.plant("pass")
    sidecar = world.sidecar(LOCKED)
    path = world.volume / "web.pfx"
    code, text = openssl_pfx(path, first)
    assert code == 0 and text.count(b"BEGIN CERTIFICATE") == 3 and b"BEGIN PRIVATE KEY" in text
    assert openssl_pfx(path, "")[0] != 0
    generation = world.generation()
    since = sidecar.mark()
    sidecar.poll()
    sidecar.wait_log("unchanged", since=since)
    assert world.generation() == generation, "made once, though each making has other bytes"
    second = world.plant("pass")
    sidecar.poll()
    assert wait_until(lambda: openssl_pfx(path, second)[0] == 0)
    assert openssl_pfx(path, first)[0] != 0


def test_pfx_without_a_key_is_told(world):
    chain, value = pfx(with_key=False)()
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    world.plant("pass")
    process = world.init(LOCKED)
    assert process.code == 0 and process.find("no-private-key")


def test_metadata(world):
    world.fake.set("s", "planted-value-of-s", content_type="text/plain", tags={"env": "prod"}, exp=4102444800)
    sidecar = world.sidecar("[{objectName: s, objectAlias: a/s, metadata: true}]")
    version = world.fake.secret("s")["current"]
    told = (world.volume / "a/s.json").read_text()
    assert f'"name":"s","type":"secret","version":"{version}"' in told
    assert '"expires":"2100-01-01T00:00:00Z"' in told and '"contentType":"text/plain"' in told
    assert told.endswith('"tags":{"env":"prod"}}\n') and "planted" not in told
    before = (world.volume / "a/s").stat().st_ino
    world.fake.update("s", tags={"env": "test"})
    sidecar.poll()
    assert wait_until(lambda: '"tags":{"env":"test"}' in (world.volume / "a/s.json").read_text())
    assert (world.volume / "a/s").stat().st_ino == before, "the value's file is not made again"
    assert "planted" not in (world.volume / "a/s.json").read_text()
