"""PKCS#12 as Key Vault makes it: 3DES and SHA-1, and no password, which is not the empty one.

Through the library itself, since neither the openssl command nor Python's cryptography can.
"""

import ctypes
import ctypes.util

from cryptography.hazmat.primitives import serialization

DER = serialization.Encoding.DER
TRIPLE_DES = 146
"""NID of pbeWithSHA1And3-KeyTripleDES-CBC."""
AES = 0
"""OpenSSL's present default: PBES2 with AES-256-CBC."""
PLAIN = -1

_crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
for _name in ("d2i_AutoPrivateKey", "d2i_X509", "OPENSSL_sk_new_null", "PKCS12_create", "EVP_sha1", "EVP_sha256"):
    getattr(_crypto, _name).restype = ctypes.c_void_p


def _d2i(function, der):
    start = ctypes.c_char_p(der)
    found = function(None, ctypes.byref(start), ctypes.c_long(len(der)))
    assert found
    return ctypes.c_void_p(found)


def _x509(one):
    return _d2i(_crypto.d2i_X509, one.public_bytes(DER))


def pkcs12(
    key, certificates, *, password=None, key_pbe=TRIPLE_DES, cert_pbe=TRIPLE_DES, sha1=True, iterations=2000
):
    """DER. The key may be DER as well. password None is no password, as Key Vault's, and not the empty one. Order is kept."""
    others = ctypes.c_void_p(_crypto.OPENSSL_sk_new_null())
    for one in certificates:
        _crypto.OPENSSL_sk_push(others, _x509(one))
    pkey = None
    if key is not None:
        der = key
        if not isinstance(key, bytes):
            der = key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pkey = _d2i(_crypto.d2i_AutoPrivateKey, der)
    text = None if password is None else password.encode()
    made = _crypto.PKCS12_create(text, None, pkey, None, others, key_pbe, cert_pbe, iterations, -1, 0)
    assert made
    made = ctypes.c_void_p(made)
    digest = ctypes.c_void_p(_crypto.EVP_sha1() if sha1 else _crypto.EVP_sha256())
    assert _crypto.PKCS12_set_mac(made, text, -1 if text else 0, None, 0, iterations, digest) == 1
    size = _crypto.i2d_PKCS12(made, None)
    buffer = ctypes.create_string_buffer(size)
    assert _crypto.i2d_PKCS12(made, ctypes.byref(ctypes.c_void_p(ctypes.addressof(buffer)))) == size
    return buffer.raw
