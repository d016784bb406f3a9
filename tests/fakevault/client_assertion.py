"""The assertion that an application signs with its certificate: verified as Entra does."""

import base64
import binascii
import calendar
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .identities import Identity
from .jwts import b64url, unb64url
from .login_errors import LoginError

MAX_LIFETIME_S = 24 * 3600
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
SCHEMES = {
    ("PS256", "x5t#S256"): (PSS, hashes.SHA256),
    ("RS256", "x5t"): (padding.PKCS1v15(), hashes.SHA1),
}
"""Algorithm and name of the thumbprint, the two pairs that are documented -> padding, and hash of the thumbprint."""


def check(identity: Identity, assertion: str, header: dict, claims: dict, audience: str) -> None:
    """LoginError unless a certificate of `identity` signed it, for `audience`, now."""
    thumbprints = [name for name in ("x5t", "x5t#S256") if name in header]
    if not thumbprints:
        raise LoginError(5002723)
    scheme = SCHEMES.get((header.get("alg"), thumbprints[0])) if len(thumbprints) == 1 else None
    if scheme is None:
        raise LoginError(50027)
    algorithm, digest = scheme
    certificate = _certificate(identity, header, thumbprints[0], digest())
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
    start, end = validity(claims)
    if end - start > MAX_LIFETIME_S:
        raise LoginError(700024, "The assertion lives too long.")


def validity(claims: dict) -> tuple[float, float]:
    """From when to when. Microsoft's client for Python leaves nbf out, and counts parts of seconds."""
    start, end = claims.get("nbf", claims.get("iat")), claims.get("exp")
    if type(start) not in (int, float) or type(end) not in (int, float):
        raise LoginError(50027)
    return start, end


def _certificate(
    identity: Identity, header: dict, name: str, digest: hashes.HashAlgorithm
) -> x509.Certificate:
    """The registered certificate that the header names, or one of its chain that a registered root signed."""

    def is_named(certificate: x509.Certificate) -> bool:
        given = str(header[name]).rstrip("=").replace("+", "-").replace("/", "_")
        return given == b64url(certificate.fingerprint(digest))

    chain = _chain(header["x5c"]) if "x5c" in header else []
    if chain and not is_named(chain[0]):
        raise LoginError(700027, "The thumbprint is not that of the chain's first certificate")
    for pem in identity.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if is_named(certificate):
            return certificate
    if identity.certificate_roots and chain:
        return _chained(identity, chain)
    raise LoginError(700027, "The key was not found")


def _chain(given: object) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(item, validate=True)) for item in given]
    except (ValueError, TypeError, binascii.Error):
        raise LoginError(50027) from None


def _chained(identity: Identity, chain: list[x509.Certificate]) -> x509.Certificate:
    roots = [x509.load_pem_x509_certificate(pem.encode()) for pem in identity.certificate_roots]
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
