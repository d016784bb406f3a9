"""Certificates, keys and PKCS#12 files as Key Vault gives them, and as other tools make them."""

import base64
import datetime
import itertools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from fakevault.pkcs12 import AES, PLAIN, pkcs12  # noqa: F401

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER
SERIAL = itertools.count(1000)


def ec_key(curve=ec.SECP256R1):
    return ec.generate_private_key(curve())


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def ed_key():
    return ed25519.Ed25519PrivateKey.generate()


def certificate(subject, key, issuer=None, issuer_key=None, ca=False, ids=True, days=(-1, 30)):
    """Signed by the issuer, or by itself; valid from and to so many days from now. Without ids, only names and
    signatures link them."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(next(SERIAL))
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    if ids:
        signer = (issuer_key or key).public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    signing_key = issuer_key or key
    return builder.sign(signing_key, None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


class Chain:
    """A root, an intermediate and a leaf with its key."""

    def __init__(self, key=None, ids=True, days=(-1, 30)):
        self.key = key or ec_key()
        self.root_key, self.between_key = ec_key(), ec_key()
        self.root = certificate("root", self.root_key, ca=True, ids=ids)
        self.between = certificate("between", self.between_key, self.root, self.root_key, ca=True, ids=ids)
        self.leaf = certificate("localhost", self.key, self.between, self.between_key, ids=ids, days=days)

    @property
    def all(self):
        return [self.leaf, self.between, self.root]


def key_pem(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def key_pem_traditional(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def cert_pem(*certificates):
    return b"".join(one.public_bytes(PEM) for one in certificates)


def cer(certificate_):
    return base64.b64encode(certificate_.public_bytes(DER)).decode()


def base64_pfx(*arguments, **options):
    return base64.b64encode(pkcs12(*arguments, **options)).decode()
