"""What each kind of object becomes: the rows of what the CSI provider writes, and those it fails at.

The one row of the provider that is left out is RC2-40, which OpenSSL 3 refuses and Key Vault never
makes: it is a clear error here.
"""

import base64
import pathlib
import re
import stat
import subprocess
import tempfile
import warnings
from dataclasses import dataclass, field
from typing import Callable

import pki
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat, PublicFormat
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


def secret_of(make, kind):
    """A plain secret that holds the same."""

    def setup(fake):
        fake.set("s", make()[1], content_type=kind)
        return {}

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


def spoilt(change):
    """PEM in its order, and what became of its text on the way into the vault."""

    def make():
        chain, value = pem()()
        return chain, change(value)

    return make


def blocks(*makers, key=None):
    """PEM of any blocks: functions of the chain."""

    def make():
        chain = pki.Chain(key() if key else None)
        return chain, b"".join(one(chain) for one in makers).decode()

    return make


def key_of(chain):
    return pki.key_pem(chain.key)


def sec1_of(chain):
    return pki.key_pem_traditional(chain.key)


def locked_key_of(chain):
    return chain.key.private_bytes(pki.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


def other_key(_):
    return pki.key_pem(pki.ec_key())


def all_of(chain):
    return pki.cert_pem(*chain.all)


def reversed_of(chain):
    return pki.cert_pem(*reversed(chain.all))


def parameters(_):
    return subprocess.run(["openssl", "ecparam", "-name", "prime256v1"], capture_output=True, check=True).stdout


def bag(chain):
    return b"Bag Attributes\n    friendlyName: web\nKey Attributes: <No Attributes>\n"


def made_of(*makers, path="web"):
    """Functions of the chain whose bytes follow each other in a file."""
    return lambda chain, _: {path: b"".join(one(chain) for one in makers)}


def split_of(key, *all_):
    def expected(chain, value):
        made = {"web": b"".join(one(chain) for one in all_) if all_ else value.encode()}
        return made | {"web.crt": pki.cert_pem(*chain.all), "web.key": b"".join(one(chain) for one in key)}

    return expected


def odd_point(*options):
    """A PKCS#12 whose EC key was stored with its public point in another form, or without it."""

    def make():
        chain = pki.Chain()
        command = ["openssl", "ec", *options, "-outform", "DER"]
        der = subprocess.run(command, input=sec1_of(chain), capture_output=True, check=True).stdout
        return chain, pki.base64_pfx(der, chain.all)

    return make


def negative_serial(make):
    """The leaf has the serial number -5, which no issuer gives but some old ones gave."""

    def made():
        chain = pki.Chain()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "key").write_bytes(key_of(chain) + pki.key_pem(chain.between_key))
            (path / "ca").write_bytes(pki.key_pem(chain.between_key) + pki.cert_pem(chain.between))
            for command in (
                ["req", "-new", "-key", "key", "-subj", "/CN=localhost", "-out", "request"],
                ["x509", "-req", "-in", "request", "-CA", "ca", "-CAkey", "ca", "-set_serial", "-5", "-out", "leaf"],
            ):
                subprocess.run(["openssl", *command], cwd=path, capture_output=True, check=True)
            # This library warns of such a number, but reads it.
            with warnings.catch_warnings(action="ignore"):
                chain.leaf = x509.load_pem_x509_certificate((path / "leaf").read_bytes())
        return chain, make(chain)

    return made


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
    Row("hex with a final line end", S % ", objectEncoding: hex", secret("00fF\n", b"\0\xff")),
    Row("hex in lines", S % ", objectEncoding: hex", secret("00\r\nfF\r\n", b"\0\xff")),
    Row("hex with blanks", S % ", objectEncoding: hex", secret("00 ff"),
        "not hexadecimal at character 3; the entry says objectEncoding hex: correct it, or the value in the vault"),
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
    Row("PEM key last", "web", cert(pem(key_last=True), as_is, PEM_TYPE)),
    Row("PEM key between", "web", cert(blocks(lambda c: pki.cert_pem(c.leaf), key_of, lambda c: pki.cert_pem(c.between)), as_is, PEM_TYPE)),
    Row("PEM EC key", "web", cert(pem(key_pem=pki.key_pem_traditional), as_is, PEM_TYPE)),
    Row("PEM RSA key", "web", cert(pem(key_pem=pki.key_pem_traditional, key=pki.rsa_key), as_is, PEM_TYPE)),
    Row("PEM EC key, root first", "web", cert(blocks(sec1_of, reversed_of), made_of(sec1_of, all_of), PEM_TYPE)),
    Row("PEM RSA key, root first", "web", cert(blocks(reversed_of, sec1_of, key=pki.rsa_key), made_of(sec1_of, all_of), PEM_TYPE)),
    Row("PEM EC PARAMETERS", "web", cert(blocks(parameters, sec1_of, all_of), as_is, PEM_TYPE)),
    Row("PEM EC PARAMETERS, root first", "web",
        cert(blocks(parameters, sec1_of, reversed_of), made_of(parameters, sec1_of, all_of), PEM_TYPE)),
    Row("PEM Bag Attributes", "web", cert(blocks(bag, key_of, bag, all_of, bag), as_is, PEM_TYPE)),
    Row("PEM Bag Attributes, root first", "web", cert(blocks(bag, key_of, bag, reversed_of), in_order, PEM_TYPE)),
    Row("PEM CRLF", "web", cert(spoilt(lambda text: text.replace("\n", "\r\n")), as_is, PEM_TYPE)),
    Row("PEM without a final line end", "web", cert(spoilt(str.rstrip), as_is, PEM_TYPE)),
    Row("PEM of 25 KB", "web", cert(spoilt(lambda text: "x" * (25599 - len(text)) + "\n" + text), as_is, PEM_TYPE)),
    Row("PEM intermediate missing", "web", cert(pem(order=(0, 2)), as_is, PEM_TYPE)),
    Row("PEM intermediate missing, root first", "web", cert(pem(order=(2, 0)), only(0, 2), PEM_TYPE)),
    Row("PEM twice the same", "web", cert(pem(order=(0, 1, 1, 2)), in_order, PEM_TYPE)),
    Row("PEM no key", "web", cert(blocks(all_of), as_is, PEM_TYPE), warns="no-private-key"),
    Row("PEM no content type", "web", cert(pem(), as_is, "")),
    Row("PEM with several keys", "web", cert(blocks(key_of, other_key, all_of), as_is, PEM_TYPE), warns="unread-pem"),
    Row("PEM with the key of another", "web", cert(blocks(other_key, all_of), as_is, PEM_TYPE), warns="unread-pem"),
    Row("PEM with an encrypted key", "web", cert(blocks(locked_key_of, all_of), as_is, PEM_TYPE), warns="unread-pem"),
    Row("PEM without certificates", "web", cert(blocks(key_of), as_is, PEM_TYPE), warns="unread-pem"),
    Row("PEM with a byte order mark", "web", cert(spoilt(lambda text: "\ufeff" + text), as_is, PEM_TYPE)),
    Row("PEM without line ends", "web", cert(spoilt(lambda text: text.replace("\n", " ")), as_is, PEM_TYPE), "lost its line ends; store it from its file"),
    Row("PEM with \\n", "web", cert(spoilt(lambda text: text.replace("\n", "\\n")), as_is, PEM_TYPE), r"the two characters \\n in place of each line end"),
    Row("PEM indented", "web", cert(spoilt(lambda text: re.sub("(?m)^", "  ", text)), as_is, PEM_TYPE), "something in front of -----BEGIN"),
    Row("PEM in base64", "web", cert(spoilt(lambda text: base64.b64encode(text.encode()).decode()), as_is, PEM_TYPE), "encoded in base64 once more"),
    Row("PEM cut", "web", cert(spoilt(lambda text: text[:-100]), as_is, PEM_TYPE), "its PEM is damaged; store it from its file"),
    Row("PEM with a negative serial number", "web",
        cert(negative_serial(lambda c: (key_of(c) + reversed_of(c)).decode()), in_order, PEM_TYPE)),
    Row("PEM with base64", WEB % ", objectEncoding: base64", cert(pem(), as_is, PEM_TYPE), "does not fit a certificate in PEM"),
    # The secret of a certificate, as PKCS#12.
    Row("RSA 4096", "web", cert(pfx(key=lambda: rsa.generate_private_key(65537, 4096)), in_order)),
    Row("P-384", "web", cert(pfx(key=lambda: pki.ec_key(ec.SECP384R1)), in_order)),
    Row("P-521", "web", cert(pfx(key=lambda: pki.ec_key(ec.SECP521R1)), in_order)),
    Row("EC key without its public point", "web", cert(odd_point("-no_public"), in_order)),
    Row("EC key with a compressed point", "web", cert(odd_point("-conv_form", "compressed"), in_order)),
    Row("negative serial number", "web", cert(negative_serial(lambda c: pki.base64_pfx(c.key, reversed(c.all))), in_order)),
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
    Row("split PEM EC key", WEB % ", layout: split",
        cert(blocks(parameters, sec1_of, all_of), split_of([parameters, sec1_of]), PEM_TYPE)),
    Row("split PEM with several keys", WEB % ", layout: split", cert(blocks(key_of, other_key, all_of), split, PEM_TYPE),
        "it holds more than one private key"),
    Row("layout of PEM without its content type", S % ", layout: split", secret_of(pem(), None),
        "looks like PEM: give it that type, such as with az keyvault secret set-attributes --content-type application/x-pem-file"),
    Row("layout of PEM of another content type", S % ", layout: kubernetes.io/tls", secret_of(pem(), "text/plain"),
        "looks like PEM: give it that type"),
    Row("layout of a plain secret", S % ", layout: split", secret("x"),
        "layout split needs the secret of a certificate, which this is not, or a secret with the content type application/x-pkcs12 or"),
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
    for event in ("no-private-key", "unread-pem"):
        assert bool(process.find(event)) == (row.warns == event)


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


def test_200_secrets_of_25_kib(world):
    """Five megabytes, more than the CSI driver takes from its provider in one message."""
    values = {f"s{i}": f"{i:05}" * 5120 for i in range(200)}
    for name, value in values.items():
        world.fake.set(name, value)
    process = world.init(",".join(values))
    assert process.code == 0, process.text
    assert world.files() == values
