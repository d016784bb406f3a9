"""The command line: serve, and every admin call that is handy in a shell."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import assertion, cluster, connectproxy, tcpproxy
from .admin_client import Admin, AdminError
from .identities import PERMISSIONS
from .server import Options, serve

TARGETS = ("vault", "login", "binding", "imds", "app-service", "any")
DESCRIPTION = """\
A strict fake of Azure Key Vault and Entra, on loopback only.

examples:
  fakevault serve --dir /tmp/fake                  prints one line of JSON when it is ready
  export FAKEVAULT_ADMIN=http://127.0.0.1:PORT     "admin" in that line
  echo -n s3cr3t | fakevault set db-password       the value comes from standard input or --value
  fakevault rotate db-password
  fakevault fault '{"status": 429, "retry_after_s": 2}' --target vault --times 3
  fakevault journal --target vault --status 200
  fakevault assertion --kind expired
"""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        result = options.run(options)
    except (AdminError, OSError, ValueError) as error:
        print(f"fakevault: {error}", file=sys.stderr)
        return 1
    if result is not None:
        print(json.dumps(result, indent=1))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fakevault",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_proxy(commands)
    _add_connect_proxy(commands)
    _add_in_cluster(commands)
    _add_secret_commands(commands)
    _add_identity_commands(commands)
    _add_fault_commands(commands)
    return parser


def _command(commands, name: str, run, help: str, admin: bool = True) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help)
    parser.set_defaults(run=run)
    if admin:
        parser.add_argument(
            "--admin",
            metavar="URL",
            default=os.environ.get("FAKEVAULT_ADMIN"),
            help="address of the admin interface (default: $FAKEVAULT_ADMIN)",
        )
    return parser


def _admin(options: argparse.Namespace) -> Admin:
    if not options.admin:
        raise ValueError("say --admin URL or set FAKEVAULT_ADMIN")
    return Admin(options.admin, getattr(options, "vault", None))


def _add_serve(commands) -> None:
    parser = _command(commands, "serve", _serve, "run the fake until SIGTERM", admin=False)
    parser.add_argument("--dir", type=Path, required=True, help="certificates, keys and the token")
    parser.add_argument("--port", type=int, default=0, help="TLS port (default: any free one)")
    parser.add_argument("--admin-port", type=int, default=0, help="port of the admin interface")
    parser.add_argument("--vault", action="append", metavar="NAME", help="default: shop-kv; may repeat")
    parser.add_argument("--layout", choices=assertion.LAYOUTS, default="flat", help="of the token volume")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent ends")


def _serve(options: argparse.Namespace) -> None:
    serve(
        Options(
            directory=options.dir.absolute(),
            vaults=[name.lower() for name in options.vault or ["shop-kv"]],
            layout=options.layout,
            port=options.port,
            admin_port=options.admin_port,
            die_with_parent=options.die_with_parent,
        )
    )


def _add_proxy(commands) -> None:
    parser = _command(
        commands, "proxy", _proxy, "forward a port, with latency or losses on command", admin=False
    )
    parser.add_argument("--to", type=int, required=True, metavar="PORT")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent ends")


def _proxy(options: argparse.Namespace) -> None:
    tcpproxy.run(options.to, options.port, options.control_port, options.die_with_parent)


def _add_connect_proxy(commands) -> None:
    parser = _command(commands, "connect-proxy", _connect_proxy, "an HTTP proxy for HTTPS", admin=False)
    parser.add_argument("--to", type=int, required=True, metavar="PORT", help="what port 443 of any host is")
    parser.add_argument("--user", default="", metavar="NAME:PASSWORD", help="asked for when given")
    parser.add_argument("--refuse", default="", metavar="HOST", help="is not connected to")
    parser.add_argument("--status", type=int, default=403, help="what that is answered with")
    parser.add_argument("--header", action="append", default=[], metavar="LINE", help="of each answer; may repeat")
    parser.add_argument("--tls-dir", type=Path, help="speak TLS, with the certificate made there")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent ends")


def _connect_proxy(options: argparse.Namespace) -> None:
    proxy = connectproxy.ConnectProxy(options.to, options.user, options.refuse, options.status, tuple(options.header))
    connectproxy.run(proxy, options.tls_dir, options.die_with_parent)


def _add_in_cluster(commands) -> None:
    parser = _command(commands, "in-cluster", cluster.run, "run as a pod, see cluster.py", admin=False)
    parser.add_argument("--port", type=int, default=8443, help="open to other pods")
    parser.add_argument("--admin-port", type=int, default=8080, help="on loopback")
    parser.add_argument("--vault", action="append", metavar="NAME", help="default: shop-kv; may repeat")
    for name in ("tenant-id", "client-id"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--subject", action="append", required=True, help="system:serviceaccount:…; may repeat")
    parser.add_argument("--secret", action="append", metavar="NAME=VALUE", help="may repeat")
    parser.add_argument("--ca-namespace", action="append", help="gets the ConfigMap fakevault-ca; may repeat")


def _add_secret_commands(commands) -> None:
    def secret(name: str, run, help: str) -> argparse.ArgumentParser:
        parser = _command(commands, name, run, help)
        parser.add_argument("name", help="of the secret")
        parser.add_argument("--vault", help="default: the first vault of the server")
        return parser

    parser = secret("set", _set, "create a new version of a secret")
    parser.add_argument("--value", help="default: all of standard input")
    parser.add_argument("--content-type")
    parser.add_argument("--disabled", action="store_true")
    parser.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--exp", type=int, metavar="SECONDS", help="Unix time of the expiry")
    parser.add_argument("--version", help="32 hexadecimal digits (default: random)")
    parser = secret("rotate", _rotate, "create a new version like the current one")
    parser.add_argument("--value", help="default: a made-up one")
    for name, enabled in (("enable", True), ("disable", False)):
        parser = secret(name, _update, f"{name} a version")
        parser.set_defaults(enabled=enabled)
        parser.add_argument("--version", help="default: the current one")
    secret("show", lambda o: _admin(o).secret(o.name), "versions and properties, no values")
    secret("delete", lambda o: _admin(o).delete(o.name), "soft-delete a secret")
    secret("recover", lambda o: {"version": _admin(o).recover(o.name)}, "recover a deleted secret")
    secret("purge", lambda o: _admin(o).purge(o.name), "purge a deleted secret")


def _set(options: argparse.Namespace) -> dict:
    value = sys.stdin.read() if options.value is None else options.value
    properties = {
        "content_type": options.content_type,
        "exp": options.exp,
        "version": options.version,
        "tags": dict(tag.split("=", 1) for tag in options.tag) or None,
    }
    version = _admin(options).set(options.name, value, enabled=not options.disabled, **properties)
    return {"version": version}


def _rotate(options: argparse.Namespace) -> dict:
    return {"version": _admin(options).rotate(options.name, options.value)}


def _update(options: argparse.Namespace) -> dict:
    return {
        "version": _admin(options).update(options.name, options.version, enabled=options.enabled)
    }


def _add_identity_commands(commands) -> None:
    for name in ("grant", "revoke"):
        parser = _command(commands, name, _permissions, f"{name} permissions on objects")
        parser.set_defaults(verb=name)
        parser.add_argument(
            "permission",
            nargs="+",
            choices=PERMISSIONS,
            metavar="PERMISSION",
            help="get or list of secrets, keys/get, certificates/get and the like",
        )
        parser.add_argument("--identity", default="default", metavar="CLIENT_ID")
        parser.add_argument("--on-vault", default="*", metavar="PATTERN")
        parser.add_argument(
            "--on-name",
            default="*",
            metavar="PATTERN",
            help="of objects; a revoke ends by a grant with the same pattern",
        )
    _command(commands, "identities", lambda o: _admin(o).identities(), "list the identities")
    _command(
        commands,
        "revoke-tokens",
        lambda o: {"revoked": _admin(o).revoke_tokens()},
        "answer 401 to all tokens issued so far",
    )
    parser = _command(commands, "token-policy", _token_policy, "how tokens are issued from now on")
    parser.add_argument("--lifetime-s", type=int)
    parser.add_argument("--expires-in", type=int, help="what replies claim, if not the truth")
    parser.add_argument("--expires-in-type", choices=("int", "string"))
    parser.add_argument("--refresh-in", type=int)
    parser = _command(commands, "reject-assertions", _reject, "refuse every assertion with a code")
    parser.add_argument("code", help="AADSTS number, or none to accept good ones again")
    parser = _command(commands, "assertion", _assertion, "rotate the projected token as kubelet does")
    parser.add_argument("--kind", choices=assertion.KINDS, default="good")
    for name in ("issuer", "subject", "audience"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--lifetime-s", type=int)
    parser.add_argument("--dir", type=Path, help="write it in a server's directory, without the server")
    parser.add_argument("--layout", choices=assertion.LAYOUTS, help="with --dir (default: as it is)")


def _permissions(options: argparse.Namespace) -> dict:
    change = getattr(_admin(options), options.verb)
    return change(
        *options.permission, identity=options.identity, vault=options.on_vault, name=options.on_name
    )


def _given(options: argparse.Namespace, *names: str) -> dict:
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _token_policy(options: argparse.Namespace) -> dict:
    names = ("lifetime_s", "expires_in", "expires_in_type", "refresh_in")
    return _admin(options).token_policy(**_given(options, *names))


def _reject(options: argparse.Namespace) -> None:
    _admin(options).reject_assertions(None if options.code == "none" else int(options.code))


def _assertion(options: argparse.Namespace) -> None:
    claims = _given(options, "issuer", "subject", "audience", "lifetime_s")
    if options.dir is None:
        _admin(options).write_assertion(options.kind, **claims)
        return
    options.dir.mkdir(parents=True, exist_ok=True)
    key = assertion.cluster_key(options.dir)
    volume = assertion.TokenVolume.in_directory(options.dir, options.layout)
    volume.write(assertion.mint(key, options.kind, **claims))


def _add_fault_commands(commands) -> None:
    parser = _command(commands, "fault", _fault, "add a rule (faults.py describes its members)")
    parser.add_argument("action", type=json.loads, help="JSON, such as '{\"status\": 503}'")
    parser.add_argument("--target", choices=TARGETS, default="any")
    parser.add_argument("--on-vault", default="*", metavar="PATTERN")
    parser.add_argument("--method", default="*")
    parser.add_argument("--path", default="*", metavar="PATTERN")
    parser.add_argument("--authenticated", choices=("true", "false", "any"), default="any")
    parser.add_argument("--times", type=int, default=1, help="-1 for always")
    parser.add_argument("--after", type=int, default=0, help="matching requests to let pass first")
    _command(commands, "faults", lambda o: _admin(o).faults(), "list the rules and their hits")
    _command(commands, "clear-faults", lambda o: _admin(o).clear_faults(), "remove all rules")
    parser = _command(commands, "journal", _journal, "what was asked")
    for name in ("target", "vault", "method", "path", "status", "authenticated", "since"):
        parser.add_argument(f"--{name}", dest=f"filter_{name}")
    parser.add_argument("--wait", type=int, metavar="N", help="until N entries fit (10 s)")
    _command(commands, "connections", lambda o: _admin(o).connections(), "counts and records")
    _command(commands, "reset", lambda o: _admin(o).reset(), "back to the start")


def _fault(options: argparse.Namespace) -> dict:
    authenticated = {"true": True, "false": False, "any": "any"}[options.authenticated]
    rule_id = _admin(options).fault(
        options.action,
        times=options.times,
        after=options.after,
        target=options.target,
        vault=options.on_vault,
        method=options.method,
        path=options.path,
        authenticated=authenticated,
    )
    return {"id": rule_id}


def _journal(options: argparse.Namespace) -> list:
    filters = {
        name.removeprefix("filter_"): value
        for name, value in vars(options).items()
        if name.startswith("filter_")
    }
    if options.wait:
        try:
            return _admin(options).wait_journal(options.wait, **filters)
        except AssertionError as error:
            raise ValueError(error) from None
    return _admin(options).journal(**filters)
