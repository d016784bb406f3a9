"""The assertion that an application signs with its certificate: verified as Entra does."""

import base64
import binascii
import calendar
import hashlib
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from .identities import Identity
from .jwts import b64url, unb64url
from .login_errors import LoginError

MAX_LIFETIME_S = 24 * 3600
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
PADDINGS = {"RS256": padding.PKCS1v15(), "PS256": PSS}


def check(identity: Identity, assertion: str, header: dict, claims: dict, audience: str) -> None:
    """LoginError unless a certificate of `identity` signed it, for `audience`, now."""
    certificate = _certificate(identity, header)
    algorithm = PADDINGS.get(header.get("alg"))
    if algorithm is None:
        raise LoginError(50027)
    text, _, signature = assertion.rpartition(".")
    try:
        certificate.public_key().verify(unb64url(signature), text.encode(), algorithm, hashes.SHA256())
    except InvalidSignature:
        raise LoginError(700027, "The signature is not valid") from None
    now = time.time()
    # The library's times are UTC without a zone.
    if calendar.timegm(certificate.not_valid_before.timetuple()) > now:
        raise LoginError(700027, "The key used is not yet valid")
    if calendar.timegm(certificate.not_valid_after.timetuple()) < now:
        raise LoginError(700027, "The key used is expired")
    if claims.get("sub") != identity.client_id or not claims.get("jti"):
        raise LoginError(50027)
    if claims.get("aud") != audience:
        raise LoginError(700023)
    if not all(isinstance(claims.get(name), int) for name in ("nbf", "exp")):
        raise LoginError(50027)
    if claims["exp"] - claims["nbf"] > MAX_LIFETIME_S:
        raise LoginError(700024, "The assertion lives too long.")


def _certificate(identity: Identity, header: dict) -> x509.Certificate:
    """The registered certificate that the header names, or one of its chain that a registered root signed."""
    for pem in identity.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if _names(header, certificate):
            return certificate
    if identity.certificate_roots and "x5c" in header:
        return _chained(identity, header)
    raise LoginError(700027, "The key was not found")


def _names(header: dict, certificate: x509.Certificate) -> bool:
    der = certificate.public_bytes(serialization.Encoding.DER)
    given = header.get("x5t#S256")
    if given is not None:
        return given.rstrip("=").replace("+", "-").replace("/", "_") == b64url(hashlib.sha256(der).digest())
    return header.get("x5t") == b64url(hashlib.sha1(der).digest())


def _chained(identity: Identity, header: dict) -> x509.Certificate:
    try:
        chain = [x509.load_der_x509_certificate(base64.b64decode(item, validate=True)) for item in header["x5c"]]
    except (ValueError, TypeError, binascii.Error):
        raise LoginError(50027) from None
    roots = [x509.load_pem_x509_certificate(pem.encode()) for pem in identity.certificate_roots]
    if not chain or not _names(header, chain[0]):
        raise LoginError(700027, "The thumbprint is not that of the chain's first certificate")
    for certificate, issuer in zip(chain, [*chain[1:], *roots]):
        if not _signed(certificate, issuer):
            raise LoginError(700027, "The chain is broken")
    return chain[0]


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        issuer.public_key().verify(
            certificate.signature,
            certificate.tbs_certificate_bytes,
            padding.PKCS1v15(),
            certificate.signature_hash_algorithm,
        )
    except InvalidSignature:
        return False
    return True
