"""Certificates of applications, for the tests of identities: made here, registered with the fake."""

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Credential:
    """A private key and its certificate, perhaps signed by a root, or by one that the root signed."""

    key: object
    certificate: x509.Certificate
    root: x509.Certificate | None = None
    between: x509.Certificate | None = None

    @classmethod
    def make(cls, days=30, kind="rsa", rooted=False, between=False, padding=0):
        """Valid until `days` from now, which may be negative; with so many bytes that mean nothing."""
        key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
        if not rooted:
            return cls(key, cls._sign(key.public_key(), "app", key, "app", days))
        root_key = rsa.generate_private_key(65537, 2048)
        root = cls._sign(root_key.public_key(), "root", root_key, "root", 30)
        if not between:
            return cls(key, cls._sign(key.public_key(), "app", root_key, "root", days, padding), root)
        between_key = rsa.generate_private_key(65537, 2048)
        middle = cls._sign(between_key.public_key(), "between", root_key, "root", 30)
        return cls(key, cls._sign(key.public_key(), "app", between_key, "between", days), root, middle)

    @staticmethod
    def _sign(public, subject, key, issuer, days, padding=0):
        now = datetime.datetime.now(datetime.timezone.utc)
        extra = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(padding))
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(extra, critical=False)
            .sign(key, hashes.SHA256())
        )

    @property
    def public_pem(self):
        return self.certificate.public_bytes(PEM).decode()

    @property
    def root_pem(self):
        return self.root.public_bytes(PEM).decode()

    @property
    def key_pem(self):
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def pem(self, password="", certificates=None):
        """The key, then certificates: its own and the root's, unless others are given."""
        lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        text = self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock)
        chain = [self.certificate, *([self.root] if self.root else [])] if certificates is None else certificates
        # The key's own certificate need not come first.
        return text + b"".join(certificate.public_bytes(PEM) for certificate in reversed(chain))

    def pem_leaf_first(self):
        """As some readers want it."""
        chain = [self.root, self.certificate] if self.root else [self.certificate]
        return self.pem(certificates=chain)

    def pfx(self, password=""):
        lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        return pkcs12.serialize_key_and_certificates(
            b"app", self.key, self.certificate, [self.root] if self.root else None, lock
        )
