"""Making keys and certificates, as the service does: a certificate is issued a while after it was asked for."""

import base64
import datetime
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from . import vault_errors as errors
from .call import Call, json_body
from .keys_api import certificate_parts, get_certificate, get_key, public_jwk
from .objects import Version
from .pkcs12 import pkcs12

CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1, "P-256K": ec.SECP256K1}
RSA_SIZES = (2048, 3072, 4096)
PEM_TYPE, PFX_TYPE = "application/x-pem-file", "application/x-pkcs12"


class Accepted(dict):
    """The body of a reply with status 202: what was asked for is under way at `location`."""

    location = ""


def create_key(call: Call, name: str) -> dict:
    given = json_body(call)
    jwk = public_jwk(_make_key(given).public_key())
    jwk["kty"] = given["kty"]
    if "key_ops" in given:
        jwk["key_ops"] = given["key_ops"]
    attributes = given.get("attributes") or {}
    properties = {key: attributes[key] for key in ("enabled", "nbf", "exp") if key in attributes}
    call.vault.keys.put(name, jwk, tags=given.get("tags"), exportable=False, **properties)
    return get_key(call, name)


def create_certificate(call: Call, name: str) -> dict:
    """Only the issuer Self is known here, and it is done after the vault's settle time."""
    given = json_body(call)
    policy = given.get("policy")
    if not isinstance(policy, dict) or (policy.get("issuer") or {}).get("name") != "Self":
        raise errors.bad_parameter("Property policy has invalid value\r\n")
    key = _make_key(policy.get("key_props") or {})
    pending = {
        "key": key,
        "policy": policy,
        "tags": given.get("tags"),
        "request_id": uuid.uuid4().hex,
        "ready_at": time.monotonic() + call.vault.settings.settle_s,
        "version": uuid.uuid4().hex,
    }
    call.vault.pending[name.lower()] = pending
    if call.vault.certificates.find(name) is None:
        # A first one is listed at once, disabled, without kid, sid, x5t and cer.
        call.vault.put_certificate(name, version=pending["version"], enabled=False)
    reply = Accepted(_operation(call, name, pending))
    reply.location = f"{call.identifier('certificates', name)}/pending?request_id={pending['request_id']}"
    return reply


def get_pending(call: Call, name: str) -> dict:
    pending = call.vault.pending.get(name.lower())
    if pending is None:
        raise errors.VaultError(404, "PendingCertificateNotFound", f"Pending certificate not found: {name}")
    if pending["ready_at"] <= time.monotonic() and not pending.get("done"):
        _issue(call, name, pending)
        pending["done"] = True
    return _operation(call, name, pending)


def get_policy(call: Call, name: str) -> dict:
    return get_certificate(call, name)["policy"]


def import_certificate(call: Call, name: str) -> dict:
    """PEM only: the key first, then the certificates, as they come."""
    given = json_body(call)
    value = given.get("value") or ""
    try:
        leaf = x509.load_pem_x509_certificate(value[value.index("-----BEGIN CERTIFICATE") :].encode())
    except ValueError:
        raise errors.bad_parameter("The specified PEM X.509 certificate content is in an unexpected format.") from None
    policy = given.get("policy") or {"issuer": {"name": "Unknown"}, "secret_props": {"contentType": PEM_TYPE}}
    call.vault.put_certificate(name, value, _cer(leaf), content_type=PEM_TYPE, policy=policy, tags=given.get("tags"))
    return get_certificate(call, name)


def _operation(call: Call, name: str, pending: dict) -> dict:
    """As the service tells of an issuance under way."""
    base = call.identifier("certificates", name)
    done = pending.get("done", False)
    body = {
        "id": f"{base}/pending",
        "issuer": {"name": "Self"},
        "csr": _csr(pending),
        "cancellation_requested": False,
        "status": "completed" if done else "inProgress",
        "request_id": pending["request_id"],
    }
    if done:
        body["target"] = base
    else:
        body["status_details"] = (
            "Pending certificate created. Certificate request is in progress. This may take some time based on"
            " the issuer provider. Please check again later."
        )
    return body


def _make_key(properties: dict):
    kind = str(properties.get("kty", "")).removesuffix("-HSM")
    if kind == "RSA" and properties.get("key_size", 2048) in RSA_SIZES:
        return rsa.generate_private_key(public_exponent=65537, key_size=properties.get("key_size", 2048))
    if kind == "EC" and properties.get("crv", "P-256") in CURVES:
        return ec.generate_private_key(CURVES[properties.get("crv", "P-256")]())
    raise errors.bad_parameter("Property kty has invalid value\r\n")


def _subject(policy: dict) -> x509.Name:
    text = (policy.get("x509_props") or {}).get("subject") or ""
    if not text.startswith("CN="):
        raise errors.bad_parameter("Property x509_props.subject has invalid value\r\n")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[3:])])


def _csr(pending: dict) -> str:
    request = x509.CertificateSigningRequestBuilder().subject_name(_subject(pending["policy"]))
    return base64.b64encode(request.sign(pending["key"], hashes.SHA256()).public_bytes(serialization.Encoding.DER)).decode()


def _cer(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def _issue(call: Call, name: str, pending: dict) -> None:
    policy, key = pending["policy"], pending["key"]
    properties = policy.get("x509_props") or {}
    subject = _subject(policy)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=10))
        .not_valid_after(now + datetime.timedelta(days=30 * properties.get("validity_months", 12)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    names = (properties.get("sans") or {}).get("dns_names") or []
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternative, critical=False)
    leaf = builder.sign(key, hashes.SHA256())
    kind = (policy.get("secret_props") or {}).get("contentType") or PFX_TYPE
    call.vault.put_certificate(
        name,
        _secret(key, leaf, kind, (policy.get("key_props") or {}).get("exportable", True)),
        _cer(leaf),
        version=pending["version"],
        content_type=kind,
        policy=policy,
        tags=pending["tags"],
        enabled=True,
    )


def _secret(key, leaf: x509.Certificate, kind: str, exportable: bool) -> str:
    """Without an exportable key, the secret holds the certificate only."""
    if kind == PFX_TYPE:
        return base64.b64encode(pkcs12(key if exportable else None, [leaf])).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = leaf.public_bytes(serialization.Encoding.PEM)
    return ((private if exportable else b"") + public).decode()


def put_certificate(vault, name: str, value: str = "", cer: str | None = None, **properties) -> Version:
    """A certificate with the key and the secret that go with it, under one version.

    `cer` is the leaf in base64, `value` what the secret holds (PEM, or PFX in base64). Without `cer` the
    certificate is still being issued, and all three are disabled.
    """
    properties = {"content_type": PFX_TYPE, **properties}
    policy = properties.pop("policy", None)
    shown, jwk = None, {}
    if cer is None:
        properties["enabled"] = False
    else:
        shown, jwk, validity = certificate_parts(cer)
        properties = validity | properties
    _, made = vault.certificates.put(name, shown, policy=policy, **properties)
    properties["version"] = made.id
    vault.put_secret(name, value, managed=True, **properties)
    del properties["content_type"]
    vault.keys.put(name, jwk, managed=True, **properties)
    return made
