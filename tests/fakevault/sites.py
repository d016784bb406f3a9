"""Which service a host name stands for. Any name that does not exist in this little world is refused."""

from dataclasses import dataclass

CLOUDS = {
    "vault.localhost": "login.localhost",
    "managedhsm.localhost": "login.localhost",
    "vault.azure.net": "login.microsoftonline.com",
    "managedhsm.azure.net": "login.microsoftonline.com",
    "vault.usgovcloudapi.net": "login.microsoftonline.us",
    "managedhsm.usgovcloudapi.net": "login.microsoftonline.us",
    "vault.azure.cn": "login.partner.microsoftonline.cn",
    "managedhsm.azure.cn": "login.partner.microsoftonline.cn",
    "vault.sovcloud-api.fr": "login.sovcloud-identity.fr",
    # Of Services in a namespace called vault: names that any cluster's DNS knows.
    "vault.svc.cluster.local": "login.vault.svc.cluster.local",
}
"""Suffix of the names of vaults, or of Managed HSMs -> host of the token endpoint."""
BINDING_NAME = "token-proxy.binding.localhost"
"""What the certificate of an identity binding's token proxy is for."""
BINDING_PATH = "/proxy"


@dataclass(frozen=True)
class Site:
    kind: str
    """vault login binding imds app-service"""
    host: str
    """Host name without the port."""
    port: int
    """Port that the client sees (there may be a proxy in front), 443 when the Host header has none."""
    suffix: str
    """Suffix of the vaults' names in the cloud of this site."""
    vault: str = ""

    @property
    def hsm(self) -> bool:
        """A Managed HSM, which holds keys only."""
        return self.suffix.startswith("managedhsm.")

    @property
    def netloc(self) -> str:
        return _netloc(self.host, self.port)

    @property
    def resource(self) -> str:
        """What a token for this vault must have as its audience, whatever port it is reached by."""
        return f"https://{self.suffix}"

    def authority(self, own_port: int) -> str:
        """The token endpoint's address; the fake's own one has the port that it listens on."""
        host = CLOUDS[self.suffix]
        return f"https://{host}:{own_port}" if self.suffix.endswith(".localhost") else f"https://{host}"


def find_site(host_header: str) -> Site | None:
    host, _, port_text = host_header.lower().partition(":")
    if port_text and not port_text.isdecimal():
        return None
    port = int(port_text or 443)
    for suffix, login_host in CLOUDS.items():
        if host == login_host:
            return Site("login", host, port, suffix)
    vault, _, suffix = host.partition(".")
    if suffix in CLOUDS and vault:
        return Site("vault", host, port, suffix, vault)
    return None


def _netloc(host: str, port: int) -> str:
    return host if port == 443 else f"{host}:{port}"
