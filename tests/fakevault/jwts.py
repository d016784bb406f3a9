"""Signed JSON web tokens (RS256), made and checked; who may say what is decided elsewhere."""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .certs import write_private


class Malformed(ValueError):
    """The text is not a signed JSON web token."""


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


@dataclass(frozen=True)
class SigningKey:
    """An RSA key with the key id that its tokens name."""

    private: rsa.RSAPrivateKey
    kid: str

    @classmethod
    def make(cls) -> "SigningKey":
        return cls._with_kid(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def kept_in(cls, path: Path) -> "SigningKey":
        """The key in the file at `path`, made and written there when the file does not exist."""
        if path.exists():
            return cls._with_kid(serialization.load_pem_private_key(path.read_bytes(), None))
        key = cls.make()
        pem = key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        fresh = path.with_suffix(f".{os.getpid()}")
        write_private(fresh, pem)
        fresh.rename(path)
        return key

    @classmethod
    def _with_kid(cls, private: rsa.RSAPrivateKey) -> "SigningKey":
        der = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(private, b64url(hashlib.sha256(der).digest()[:20]))

    def jwk(self) -> dict:
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "n": b64url(numbers.n.to_bytes(256, "big")),
            "e": b64url(numbers.e.to_bytes(3, "big")),
        }

    def sign(self, claims: dict) -> str:
        header = {"typ": "JWT", "alg": "RS256", "kid": self.kid}
        signed = ".".join(b64url(json.dumps(part).encode()) for part in (header, claims))
        signature = self.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{b64url(signature)}"

    def signed(self, token: str) -> bool:
        """Whether this key made the signature of `token`, which must have three parts."""
        text, _, signature = token.rpartition(".")
        try:
            self.private.public_key().verify(
                unb64url(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True


def parse(token: str) -> tuple[dict, dict]:
    """Header and claims of a token, without a look at its signature."""
    parts = token.split(".")
    try:
        header, claims = (json.loads(unb64url(part)) for part in parts[:2])
        unb64url(parts[2])
    except (ValueError, IndexError) as error:
        raise Malformed("not a JSON web token") from error
    if len(parts) != 3 or not isinstance(header, dict) or not isinstance(claims, dict):
        raise Malformed("not a JSON web token")
    return header, claims
