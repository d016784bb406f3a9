"""The test CA, its intermediate and the TLS certificate of the fake (EC keys: quick to make).

As at Azure, the root signs an intermediate only, and the server sends its own certificate with that of
the intermediate. All live in the server's directory and are used again by a server started there later,
so a client that trusts ca.pem (the root) or intermediate.pem trusts it across a restart. The keys of both
are not kept.
"""

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .sites import CLOUDS, MANAGERS

DNS_NAMES = (*(f"*.{suffix}" for suffix in CLOUDS), *sorted(set(CLOUDS.values())), *MANAGERS)


def server_context(directory: Path, names: tuple[str, ...] = DNS_NAMES) -> ssl.SSLContext:
    """A server context for the certificate in `directory`, which is made when it is not there."""
    chain = directory / "tls.pem"
    if not (chain.exists() and (directory / "ca.pem").exists()):
        directory.mkdir(parents=True, exist_ok=True)
        _make(directory, names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain)
    context.set_alpn_protocols(["http/1.1"])
    return context


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def _make(directory: Path, dns_names: tuple[str, ...]) -> None:
    ca_key, between_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca_name, between_name, leaf_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"fakevault{role}")])
        for role in (" test CA", " intermediate CA", "")
    )
    ca = _authority(ca_name, ca_name, ca_key, ca_key, path_length=1)
    between = _authority(between_name, ca_name, between_key, ca_key, path_length=0)
    names = [x509.DNSName(name) for name in dns_names]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    leaf = (
        _builder(leaf_name, between_name, key.public_key(), between_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(between_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "ca.pem").write_bytes(ca.public_bytes(pem))
    (directory / "intermediate.pem").write_bytes(between.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(directory / "tls.pem", private + leaf.public_bytes(pem) + between.public_bytes(pem))


def _authority(name, issuer, key, issuer_key, path_length: int) -> x509.Certificate:
    return (
        _builder(name, issuer, key.public_key(), issuer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _builder(subject, issuer, public_key, issuer_key) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _key_usage(certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
