"""A pasted SecretProviderClass makes the Secrets that the driver would have made: each field and each type."""

import textwrap

import pki
import pytest
from test_secret_objects import DOCKER, OWN, api, pod, start  # noqa: F401  # pylint: disable=unused-import

from fakevault.keys_api import public_jwk

CHAIN = pki.Chain(pki.rsa_key())
EC = pki.Chain()
PEM = pki.key_pem(CHAIN.key) + pki.cert_pem(*CHAIN.all)
SHAPES = {
    # What the driver documents and what public manifests hold: entry of secretObjects -> type, labels, annotations, data.
    "opaque": (
        "- secretName: app\n  type: Opaque\n  data:\n  - objectName: user\n    key: username\n  - key: password\n    objectName: pass\n",
        ("app", "Opaque", {}, {}, {"username": b"planted-user-of-shape", "password": b"planted-pass-of-shape"}),
    ),
    "quoted": (
        '- data:\n  - key: "USER"\n    objectName: "user"\n  secretName: "app-secrets"\n  type: "Opaque"\n',
        ("app-secrets", "Opaque", {}, {}, {"USER": b"planted-user-of-shape"}),
    ),
    "flow": ("- {secretName: app, type: Opaque, data: [{objectName: user, key: u}]}\n", ("app", "Opaque", {}, {}, {"u": b"planted-user-of-shape"})),
    "labels and annotations": (
        "- secretName: app\n  type: Opaque\n  labels:\n    environment: \"test\"\n    app.kubernetes.io/part-of: shop\n"
        "  annotations:\n    reloader.stakater.com/match: \"true\"\n  data:\n  - {objectName: user, key: u}\n",
        ("app", "Opaque", {"environment": "test", "app.kubernetes.io/part-of": "shop"}, {"reloader.stakater.com/match": "true"}, {"u": b"planted-user-of-shape"}),
    ),
    "one file, two keys": (
        "- secretName: app\n  type: Opaque\n  data:\n  - {objectName: user, key: a}\n  - {objectName: user, key: b}\n",
        ("app", "Opaque", {}, {}, {"a": b"planted-user-of-shape", "b": b"planted-user-of-shape"}),
    ),
    "alias and path": (
        "- secretName: app\n  type: Opaque\n  data:\n  - {objectName: db/pass.txt, key: pass}\n",
        ("app", "Opaque", {}, {}, {"pass": b"planted-pass-of-shape"}),
    ),
    "history": (
        "- secretName: app\n  type: Opaque\n  data:\n  - {objectName: old/0, key: now}\n",
        ("app", "Opaque", {}, {}, {"now": b"planted-user-of-shape"}),
    ),
    "tls, pem": (
        "- secretName: web\n  type: kubernetes.io/tls\n  data:\n  - {objectName: pem, key: tls.key}\n  - {objectName: pem, key: tls.crt}\n",
        ("web", "kubernetes.io/tls", {}, {}, {"tls.key": pki.key_pem_traditional(CHAIN.key), "tls.crt": pki.cert_pem(*CHAIN.all)}),
    ),
    "tls, pfx": (
        "- secretName: web\n  type: kubernetes.io/tls\n  data:\n  - {objectName: pfx, key: tls.key}\n  - {objectName: pfx, key: tls.crt}\n",
        ("web", "kubernetes.io/tls", {}, {}, {"tls.key": pki.key_pem_traditional(EC.key), "tls.crt": pki.cert_pem(*EC.all)}),
    ),
    "tls, opaque": (
        "- secretName: web\n  type: Opaque\n  data:\n  - {objectName: pem, key: tls.key}\n  - {objectName: pem, key: tls.crt}\n",
        ("web", "Opaque", {}, {}, {"tls.key": PEM, "tls.crt": PEM}),
    ),
    "docker": (
        "- secretName: pull\n  type: kubernetes.io/dockerconfigjson\n  data:\n  - {objectName: docker, key: .dockerconfigjson}\n",
        ("pull", "kubernetes.io/dockerconfigjson", {}, {}, {".dockerconfigjson": DOCKER.encode()}),
    ),
    "dockercfg": (
        "- secretName: pull\n  type: kubernetes.io/dockercfg\n  data:\n  - {objectName: docker, key: .dockercfg}\n",
        ("pull", "kubernetes.io/dockercfg", {}, {}, {".dockercfg": DOCKER.encode()}),
    ),
    "basic-auth": (
        "- secretName: b\n  type: kubernetes.io/basic-auth\n  data:\n  - {objectName: user, key: username}\n  - {objectName: pass, key: password}\n",
        ("b", "kubernetes.io/basic-auth", {}, {}, {"username": b"planted-user-of-shape", "password": b"planted-pass-of-shape"}),
    ),
    "ssh-auth": (
        "- secretName: ssh\n  type: kubernetes.io/ssh-auth\n  data:\n  - {objectName: user, key: ssh-privatekey}\n",
        ("ssh", "kubernetes.io/ssh-auth", {}, {}, {"ssh-privatekey": b"planted-user-of-shape"}),
    ),
    "a type of somebody's own": (
        "- secretName: x\n  type: example.com/x\n  data:\n  - {objectName: user, key: x}\n",
        ("x", "example.com/x", {}, {}, {"x": b"planted-user-of-shape"}),
    ),
    "key object": (
        "- secretName: k\n  type: Opaque\n  data:\n  - {objectName: signing, key: public}\n",
        ("k", "Opaque", {}, {}, "signing"),
    ),
    "cert object": (
        "- secretName: c\n  type: Opaque\n  data:\n  - {objectName: leaf, key: ca.crt}\n",
        ("c", "Opaque", {}, {}, {"ca.crt": pki.cert_pem(CHAIN.leaf)}),
    ),
}
OBJECTS = """
array:
  - |
    objectName: user
    objectType: secret
  - |
    objectName: pass
    objectType: secret
  - |
    objectName: pass
    objectType: secret
    objectAlias: db/pass.txt
  - |
    objectName: user
    objectType: secret
    objectAlias: old
    objectVersionHistory: 2
  - |
    objectName: pem
    objectType: secret
  - |
    objectName: pfx
    objectType: secret
    objectFormat: pem
  - |
    objectName: docker
    objectType: secret
  - |
    objectName: signing
    objectType: key
  - |
    objectName: pem
    objectType: cert
    objectAlias: leaf
"""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pasted_manifest_makes_what_the_driver_made(world, api, shape):
    """Compared field by field, besides each one's own labels and annotations."""
    entry, (name, kind, labels, annotations, data) = SHAPES[shape]
    fake = world.fake
    fake.set("user", "planted-user-of-shape")
    fake.set("pass", "planted-pass-of-shape")
    fake.set("docker", DOCKER)
    fake.set_certificate("pem", PEM.decode(), pki.cer(CHAIN.leaf), content_type="application/x-pem-file")
    fake.set_certificate("pfx", pki.base64_pfx(EC.key, EC.all), pki.cer(EC.leaf), content_type="application/x-pkcs12")
    fake.set_key("signing", public_jwk(CHAIN.key.public_key()))
    path, base = world.folder / "class.yaml", world.env(None)
    text = "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: shop}\n"
    text += "spec:\n  provider: azure\n  secretObjects:\n" + textwrap.indent(entry, "  ")
    text += f"  parameters:\n    keyvaultName: {base['AKVSYNC_VAULT']}\n    tenantID: {base['AZURE_TENANT_ID']}\n    objects: |\n" + textwrap.indent(OBJECTS, "      ")
    path.write_text(text)
    sidecar = start(world, None, pod(api, None, AKVSYNC_CONFIG=str(path)))
    made = api.secrets[name]
    if data == "signing":
        data = {"public": world.files_bytes()["signing"]}
        assert data["public"].startswith(b"-----BEGIN PUBLIC KEY-----\n")
    own = lambda pairs: {name: text for name, text in pairs.items() if not name.startswith(OWN)}  # noqa: E731
    assert (made.name, made.shown()["type"], own(made.labels()), own(made.annotations()), made.data()) == (name, kind, labels, annotations, data)
    assert not sidecar.find("failure") and not sidecar.find("ignored")
