"""The projected service account token of a pod: made like the API server makes it, written like kubelet.

Kubelet swaps the whole volume by one rename of the `..data` symlink: a program that watches the file
itself sees nothing. Older workload identity webhooks use the flat layout, newer ones the nested:

    flat     M/azure-identity-token -> ..data/azure-identity-token
    nested   M/token -> ..data/token          (the file is M/token/azure-identity-token)

Not modelled: the file modes that kubelet chooses from the pod's security context; files are 0644.
"""

import os
import random
import shutil
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

from .jwts import SigningKey

ISSUER = "https://oidc.localhost/demo-cluster/"
AUDIENCE = "api://AzureADTokenExchange"
BINDING_AUDIENCE = "api://AKSIdentityBinding"
SUBJECT = "system:serviceaccount:demo:web"
LIFETIME_S = 3600

FILE = "azure-identity-token"
LAYOUTS = {"flat": Path(FILE), "nested": Path("token") / FILE}
"""Layout -> path of the token inside the volume."""

KINDS = (
    "good",
    "expired",
    "not-yet-valid",
    "long-lived",
    "wrong-issuer",
    "wrong-subject",
    "wrong-audience",
    "wrong-key",
    "garbage",
    "empty",
)


def mint(
    key: SigningKey,
    kind: str = "good",
    *,
    issuer: str = ISSUER,
    subject: str = SUBJECT,
    audience: str = AUDIENCE,
    lifetime_s: int = LIFETIME_S,
) -> str:
    """A token of one of KINDS; anything but `good` is refused by the token endpoint."""
    if kind == "empty":
        return ""
    if kind == "garbage":
        return "this is not a token " + uuid.uuid4().hex
    start = int(time.time())
    if kind == "expired":
        start -= lifetime_s + 60
    elif kind == "not-yet-valid":
        start += 600
    elif kind == "long-lived":
        lifetime_s = 365 * 24 * 3600
    elif kind == "wrong-issuer":
        issuer = "https://oidc.localhost/another-cluster/"
    elif kind == "wrong-subject":
        subject = "system:serviceaccount:demo:another"
    elif kind == "wrong-audience":
        audience = "api://another-audience"
    elif kind == "wrong-key":
        key = SigningKey.make()
    elif kind != "good":
        raise ValueError(f"unknown kind of assertion: {kind}")
    namespace, account = (subject.split(":") + ["", ""])[2:4]
    return key.sign(
        {
            "aud": [audience],
            "exp": start + lifetime_s,
            "iat": start,
            "iss": issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": namespace,
                "pod": {"name": "web-0", "uid": str(uuid.uuid4())},
                "serviceaccount": {"name": account, "uid": str(uuid.uuid4())},
            },
            "nbf": start,
            "sub": subject,
        }
    )


def cluster_key(directory: Path) -> SigningKey:
    """The key of the cluster's token issuer, kept in the server's directory."""
    return SigningKey.kept_in(directory / "cluster.key")


class TokenVolume:
    """The mounted volume that holds the token."""

    def __init__(self, mount: Path, layout: str):
        self.mount = mount
        self.layout = layout

    @classmethod
    def in_directory(cls, directory: Path, layout: str | None) -> "TokenVolume":
        """The volume of a server's directory; without `layout`, in the one already there."""
        mount = directory / "wi"
        if layout is None:
            layout = "nested" if (mount / "token").is_symlink() else "flat"
        return cls(mount, layout)

    @property
    def path(self) -> Path:
        """The file a program reads."""
        return self.mount / LAYOUTS[self.layout]

    def write(self, token: str) -> None:
        """Publish `token`, as kubelet's atomic writer does."""
        self.mount.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(timezone.utc).strftime("..%Y_%m_%d_%H_%M_%S.")
        fresh = self.mount / f"{stamp}{random.randrange(10**9):09d}"
        inside = LAYOUTS[self.layout]
        (fresh / inside).parent.mkdir(parents=True)
        fresh.chmod(0o755)
        (fresh / inside).write_text(token)
        (fresh / inside).chmod(0o644)
        data = self.mount / "..data"
        old = self.mount / os.readlink(data) if data.is_symlink() else None
        swap = self.mount / "..data_tmp"
        swap.symlink_to(fresh.name)
        swap.rename(data)
        visible = self.mount / inside.parts[0]
        if not visible.is_symlink():
            visible.symlink_to(Path("..data") / inside.parts[0])
        if old:
            shutil.rmtree(old)
