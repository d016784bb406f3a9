"""Making certificates, as the service does: one is issued a while after it was asked for, or merged, or imported."""

import base64
import binascii
import calendar
import datetime
import hashlib
import time
import uuid

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from . import policies, vault_errors as errors
from .call import PEM_TYPE, PFX_TYPE, Call, json_body, properties
from .certificates_api import get_certificate
from .jwts import b64url
from .keys_api import HSM, public_jwk
from .objects import Version
from .pkcs12 import pkcs12

STARTED = (
    "Pending certificate created. Certificate request is in progress. This may take some time based on"
    " the issuer provider. Please check again later."
)
WANTS_MERGE = "Pending certificate created. Please Perform Merge to complete the request."
UNREADABLE = {
    PEM_TYPE: "The specified PEM X.509 certificate content is in an unexpected format. Please check if"
    " certificate is in valid PEM format.",
    PFX_TYPE: "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is"
    " in valid PKCS#12 format.",
}
MISMATCH = (
    "The public key of the end-entity certificate in the specified X.509 certificate content does not match the"
    " public part of the specified private key. Please check if certificate is valid."
)
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


class Accepted(dict):
    """The body of a reply with status 202: what was asked for is under way at `location`."""

    status, location = 202, ""


class Created(dict):
    """The body of a reply with status 201."""

    status = 201


def create_certificate(call: Call, name: str) -> dict:
    """The issuer Self is done after the vault's settle time; Unknown waits for a merge."""
    given = json_body(call)
    vault = call.vault
    vault.certificates.check_free(name)
    found = vault.certificates.find(name)
    policy = policies.checked(given.get("policy") or (found and found.current.policy))
    pending = {
        "key": policies.new_key(policy),
        "policy": policy,
        "request_id": uuid.uuid4().hex,
        "ready_at": time.monotonic() + vault.settings.settle_s,
        "version": uuid.uuid4().hex,
        "properties": _enabled_and_tags(given),
        "status": "inProgress",
    }
    if found is None:
        # A first one is there at once, disabled, without kid, sid, x5t and cer.
        start = int(time.time()) - 600
        times = {"nbf": start, "exp": start + policies.months(policy) * 30 * 86400}
        tags = {"tags": given["tags"]} if "tags" in given else {}
        vault.put_certificate(name, version=pending["version"], policy=policy, **times, **tags)
    vault.pending[name.lower()] = pending
    reply = Accepted(_operation(call, name, pending))
    reply.location = (
        f"{call.identifier('certificates', name)}/pending?api-version={call.request.query['api-version']}"
        f"&request_id={pending['request_id']}"
    )
    return reply


def get_pending(call: Call, name: str) -> dict:
    pending = _pending(call, name)
    if pending["status"] == "inProgress" and _issuer(pending) == "Self":
        if pending.get("cancelled"):
            pending["status"] = "cancelled"
        elif pending["ready_at"] <= time.monotonic():
            _issue(call, name, pending)
    return _operation(call, name, pending)


def update_pending(call: Call, name: str) -> dict:
    pending = _pending(call, name)
    if json_body(call).get("cancellation_requested") is not True or pending["status"] != "inProgress":
        raise errors.bad_parameter("Property cancellation_requested has invalid value\r\n")
    pending["cancelled"] = True
    return _operation(call, name, pending)


def delete_pending(call: Call, name: str) -> dict:
    operation = _operation(call, name, _pending(call, name))
    del call.vault.pending[name.lower()]
    return operation


def merge(call: Call, name: str) -> dict:
    """The certificate that another issuer made for the key of the pending one; leaf first."""
    given = json_body(call)
    pending = _pending(call, name)
    try:
        chain = [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in given["x5c"]]
        leaf = chain[0]
    except (ValueError, TypeError, KeyError, IndexError):
        raise errors.bad_parameter("Property x5c has invalid value\r\n") from None
    if pending["status"] != "inProgress":
        raise errors.VaultError(409, "Conflict", f"The certificate {name} is not waiting for a merge.")
    if leaf.public_key().public_numbers() != pending["key"].public_key().public_numbers():
        raise errors.bad_parameter(MISMATCH)
    _finish(call, name, pending, [leaf, *chain[1:]], _enabled_and_tags(given))
    return Created(get_certificate(call, name))


def import_certificate(call: Call, name: str) -> dict:
    """PEM, as it is or in base64, or a PKCS#12 in base64 with its password, with the private key. What the policy
    says of the form must be true; Azure's command line says nothing. A PEM's text is kept; a PKCS#12 is made
    anew, without a password."""
    given = json_body(call)
    call.vault.certificates.check_free(name)
    policy = given.get("policy") or {}
    stated = (policy.get("secret_props") or {}).get("contentType")
    value, kind = _decoded(str(given.get("value") or ""))
    if stated is not None and stated != kind:
        raise errors.bad_parameter(UNREADABLE.get(stated, "Property secret_props.contentType has invalid value\r\n"))
    key, certificates = _opened(value, kind, given.get("pwd"))
    matching = [
        one for one in certificates if one.public_key().public_numbers() == key.public_key().public_numbers()
    ]
    if not matching:
        raise errors.bad_parameter(MISMATCH)
    leaf = matching[0]
    exported = policies.exportable(policy)
    if kind == PEM_TYPE and exported:
        text = value.decode()
    else:
        text = _secret(key if exported else None, certificates, kind)
    told = {"subject": leaf.subject.rfc4514_string()} | (policy.get("x509_props") or {})
    policy = {"issuer": {"name": "Unknown"}} | policy
    policy |= {"x509_props": told, "secret_props": {"contentType": kind}}
    more = _enabled_and_tags(given)
    call.vault.put_certificate(name, text, _cer(leaf), content_type=kind, policy=policy, **more)
    call.vault.pending.pop(name.lower(), None)
    return get_certificate(call, name)


def _enabled_and_tags(given: dict) -> dict:
    return {name: value for name, value in properties(given).items() if name in ("enabled", "tags")}


def _decoded(value: str) -> tuple[bytes, str]:
    if "-----BEGIN" in value:
        return value.encode(), PEM_TYPE
    try:
        data = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise errors.bad_parameter(UNREADABLE[PFX_TYPE]) from None
    return data, PEM_TYPE if b"-----BEGIN" in data else PFX_TYPE


def _opened(value: bytes, kind: str, password: str | None):
    """The private key, and all certificates in their order."""
    try:
        if kind == PFX_TYPE:
            key, leaf, others = load_key_and_certificates(value, (password or "").encode())
            certificates = [one for one in (leaf, *others) if one is not None]
        else:
            key = serialization.load_pem_private_key(_block(value, b"PRIVATE KEY"), (password or "").encode() or None)
            certificates = _certificates(value)
    except (ValueError, TypeError):
        raise errors.bad_parameter(UNREADABLE[kind]) from None
    if key is None or not certificates:
        raise errors.bad_parameter(UNREADABLE[kind])
    return key, certificates


def _block(pem: bytes, kind: bytes) -> bytes:
    """The first block whose name ends with `kind`; ValueError when there is none."""
    end = pem.index(kind + b"-----")
    start = pem.rindex(b"-----BEGIN", 0, end)
    return pem[start : pem.index(b"-----", pem.index(b"-----END", end) + 8) + 5] + b"\n"


def _certificates(pem: bytes) -> list[x509.Certificate]:
    found = []
    while b"-----BEGIN CERTIFICATE-----" in pem:
        pem = pem[pem.index(b"-----BEGIN CERTIFICATE-----") :]
        found.append(x509.load_pem_x509_certificate(pem))
        pem = pem[10:]
    return found


def _pending(call: Call, name: str) -> dict:
    pending = call.vault.pending.get(name.lower())
    if pending is None:
        raise errors.VaultError(404, "PendingCertificateNotFound", f"Pending certificate not found: {name}")
    return pending


def _issuer(pending: dict) -> str:
    return pending["policy"]["issuer"]["name"]


def _operation(call: Call, name: str, pending: dict) -> dict:
    """As the service tells of an issuance under way."""
    base = call.identifier("certificates", name)
    body = {
        "id": f"{base}/pending",
        "issuer": {"name": _issuer(pending)},
        "csr": _csr(pending),
        "cancellation_requested": pending.get("cancelled", False),
        "status": pending["status"],
        "request_id": pending["request_id"],
    }
    if pending["status"] == "completed":
        body["target"] = base
    elif pending["status"] == "inProgress":
        body["status_details"] = STARTED if _issuer(pending) == "Self" else WANTS_MERGE
    return body


def _csr(pending: dict) -> str:
    if "csr" not in pending:
        request = x509.CertificateSigningRequestBuilder().subject_name(policies.subject(pending["policy"]))
        names = [x509.DNSName(one) for one in policies.dns_names(pending["policy"])]
        if names:
            request = request.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pending["csr"] = base64.b64encode(request.sign(pending["key"], hashes.SHA256()).public_bytes(DER)).decode()
    return pending["csr"]


def _cer(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(DER)).decode()


def _issue(call: Call, name: str, pending: dict) -> None:
    policy, key = pending["policy"], pending["key"]
    subject = policies.subject(policy)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=10))
        .not_valid_after(now + datetime.timedelta(days=30 * policies.months(policy)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    names = [x509.DNSName(one) for one in policies.dns_names(policy)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not list(subject))
    _finish(call, name, pending, [builder.sign(key, hashes.SHA256())], pending["properties"])


def _finish(call: Call, name: str, pending: dict, chain: list[x509.Certificate], properties: dict) -> None:
    policy = pending["policy"]
    kind = policies.content_type(policy)
    call.vault.put_certificate(
        name,
        _secret(pending["key"] if policies.exportable(policy) else None, chain, kind),
        _cer(chain[0]),
        version=pending["version"],
        content_type=kind,
        policy=policy,
        **({"enabled": True} | pending["properties"] | properties),
    )
    pending["status"] = "completed"


def _secret(key, chain: list[x509.Certificate], kind: str) -> str:
    """Without a key, which is not exportable then, the secret holds the certificates only."""
    if kind == PFX_TYPE:
        return base64.b64encode(pkcs12(key, chain)).decode()
    private = [key.private_bytes(PEM, *PKCS8)] if key is not None else []
    return b"".join([*private, *(one.public_bytes(PEM) for one in chain)]).decode()


def certificate_parts(cer: str) -> tuple[dict, dict, dict]:
    """Of a certificate in base64: what its bundle shows, its key as a JWK, and its validity."""
    der = base64.b64decode(cer, validate=True)
    certificate = x509.load_der_x509_certificate(der)
    shown = {"x5t": b64url(hashlib.sha1(der).digest()), "cer": cer}
    validity = {
        "nbf": calendar.timegm(certificate.not_valid_before.utctimetuple()),
        "exp": calendar.timegm(certificate.not_valid_after.utctimetuple()),
    }
    return shown, public_jwk(certificate.public_key()), validity


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
        if str(((policy or {}).get("key_props") or {}).get("kty", "")).endswith(HSM):
            jwk["kty"] += HSM
    if policy is None:
        policy = {"secret_props": {"contentType": properties["content_type"]}}
        policy["key_props"] = {"exportable": properties.get("exportable", True)}
    _, made = vault.certificates.put(name, shown, policy=policy, **properties)
    properties["version"] = made.id
    vault.put_secret(name, value, managed=True, **properties)
    del properties["content_type"]
    vault.keys.put(name, jwk, managed=True, **properties)
    return made
