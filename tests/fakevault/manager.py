"""The management of subscriptions, as far as signing in with Azure's command line asks for it: there are none."""

import json

from .http1 import Reply, Request
from .sites import MANAGERS
from .world import World

KNOWN = ("/subscriptions", "/tenants")


def answer(world: World, request: Request) -> Reply:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    audiences = {f"https://{name}{slash}" for name in MANAGERS for slash in ("", "/")}
    issued = next((one for one in world.tokens.issued.values() if one.token == token), None)
    if scheme != "Bearer" or issued is None or issued.audience not in audiences:
        return _reply(401, {"error": {"code": "AuthenticationFailed", "message": "Authentication failed."}})
    if request.method != "GET" or request.path.rstrip("/") not in KNOWN:
        return _reply(404, {"error": {"code": "NotFound", "message": f"There is no {request.path} here."}})
    return _reply(200, {"value": []})


def _reply(status: int, body: dict) -> Reply:
    return Reply(status, [("Content-Type", "application/json; charset=utf-8")], json.dumps(body).encode())
