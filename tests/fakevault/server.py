"""The running fake: its listeners, its ready line, and its end."""

import asyncio
import contextlib
import ctypes
import functools
import json
import os
import signal
import ssl
from dataclasses import dataclass
from pathlib import Path

from .admin import Admin
from .certs import server_context
from .front import Front
from .http1 import MAX_HEAD
from .loopback import listen_loopback
from .managed import APP_SERVICE_PATH
from .sites import BINDING_NAME, BINDING_PATH
from .world import World

PR_SET_PDEATHSIG = 1
RENEWAL_CHECK_S = 30
TLS_GOODBYE_S = 0.1
"""How long a connection that we close waits for the client to say goodbye, too."""


@dataclass
class Options:
    directory: Path
    vaults: list[str]
    layout: str
    port: int = 0
    admin_port: int = 0
    die_with_parent: bool = False


def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT."""
    if options.die_with_parent:
        die_with_parent()
    options.directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(options))


def die_with_parent() -> None:
    """Have the kernel end this process when its parent is gone, also when the parent was killed."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


async def _serve(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    world = World(options.directory, options.vaults, options.layout)
    contexts = {
        "azure": server_context(options.directory),
        "binding": server_context(options.directory / "binding", (BINDING_NAME,)),
    }
    front = Front(world, list(contexts.values()))
    ports = {"azure": await _listen(front, "azure", options.port, contexts["azure"])}
    world.port = ports["azure"]
    ports["binding"] = await _listen(front, "binding", 0, contexts["binding"])
    ports["local"] = await _listen(front, "local", 0, None)
    admin_socket, *others = listen_loopback(options.admin_port)
    for sock in others:
        sock.close()
    info = ready_line(world, admin_socket.getsockname()[1], ports)
    admin = Admin(world, front, info)
    await asyncio.start_server(admin.connected, sock=admin_socket, limit=MAX_HEAD)
    print(json.dumps(info), flush=True)
    while not stop.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), RENEWAL_CHECK_S)
        world.renew_assertion()


async def _listen(front: Front, listener: str, port: int, context: ssl.SSLContext | None) -> int:
    """Serve a listener on loopback; its port."""
    sockets = listen_loopback(port)
    for sock in sockets:
        await asyncio.start_server(
            functools.partial(front.connected, listener),
            sock=sock,
            ssl=context,
            ssl_shutdown_timeout=TLS_GOODBYE_S if context else None,
            limit=MAX_HEAD,
        )
    return sockets[0].getsockname()[1]


def ready_line(world: World, admin_port: int, ports: dict[str, int]) -> dict:
    """What a client of this server has to know."""
    vault_url = f"https://{next(iter(world.vaults))}.vault.localhost:{world.port}"
    authority = f"https://login.localhost:{world.port}/"
    ca = str(world.directory / "ca.pem")
    client_id = world.default_identity.client_id
    return {
        "vault_url": vault_url,
        "authority": authority,
        "admin": f"http://127.0.0.1:{admin_port}",
        "ca": ca,
        "tenant_id": world.tenant_id,
        "client_id": client_id,
        "assertion_file": str(world.volume.path),
        "env": {
            "AZURE_CLIENT_ID": client_id,
            "AZURE_TENANT_ID": world.tenant_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(world.volume.path),
            "AZURE_AUTHORITY_HOST": authority,
            "SSL_CERT_FILE": ca,
            "AKVSYNC_VAULT": vault_url,
        },
        "imds": f"http://127.0.0.1:{ports['local']}",
        "app_service": {
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{ports['local']}{APP_SERVICE_PATH}",
            "IDENTITY_HEADER": world.identity_header,
        },
        "binding": {
            "AZURE_KUBERNETES_TOKEN_PROXY": f"https://127.0.0.1:{ports['binding']}{BINDING_PATH}",
            "AZURE_KUBERNETES_SNI_NAME": BINDING_NAME,
            "AZURE_KUBERNETES_CA_FILE": str(world.directory / "binding/ca.pem"),
        },
    }
