"""Bring a reply to the client, whole or spoilt as a fault's action says."""

import asyncio
from email.utils import formatdate
from http import HTTPStatus
import json
import time

from . import vault_errors
from .faults import Action
from .http1 import Connection, Reply
from .login_errors import TABLE, LoginError
from .sites import Site

HTML = (
    "<!DOCTYPE html>\r\n<html><head><title>Service unavailable</title></head>\r\n"
    "<body><h2>Our services aren't available right now</h2></body></html>\r\n"
)
GARBAGE = '{"value":"broken off in the mid'
BLOCK = b"x" * 65536
JSON_TYPE = "application/json; charset=utf-8"


def scripted_reply(action: Action, site: Site, authority: str, tenant_id: str) -> Reply:
    """The reply that `action` describes, with the usual body of its status where it names none."""
    status = action.status or _usual_status(action)
    content_type, text = JSON_TYPE, ""
    headers = []
    if action.location is not None:
        headers.append(("Location", action.location))
    elif action.body is not None:
        content_type, text = "text/plain", action.body
    elif action.json is not None:
        text = json.dumps(action.json)
    elif action.html:
        content_type, text = "text/html", HTML
    elif action.garbage:
        text = GARBAGE
    elif not action.empty and not action.oversize_mib:
        text = json.dumps(_usual_body(status, action, site))
    if action.www_authenticate is not None:
        challenge = action.www_authenticate
        known = {"authority": authority, "tenant": tenant_id, "resource": site.resource}
        for name, value in known.items():
            challenge = challenge.replace("{%s}" % name, value)
        headers.append(("WWW-Authenticate", challenge))
    return Reply(status, [("Content-Type", content_type), *headers], text.encode())


def _usual_status(action: Action) -> int:
    if action.aadsts:
        return TABLE[action.aadsts][0][0] if action.aadsts in TABLE else 400
    if action.location is not None:
        return 302
    if action.www_authenticate is not None:
        return 401
    return 503 if action.html else 200


def _usual_body(status: int, action: Action, site: Site) -> dict:
    if site.kind == "vault":
        return vault_errors.of_status(status).body()
    if site.kind == "imds":
        return {"error": "invalid_request", "error_description": HTTPStatus(status).phrase}
    if site.kind == "app-service":
        return {"statusCode": status, "message": HTTPStatus(status).phrase}
    code = action.aadsts or (90055 if status == 429 else 90033 if status >= 500 else 900144)
    return LoginError(code).body()


def apply_headers(reply: Reply, action: Action) -> None:
    """Add to `reply` the headers that the action asks for."""
    if action.content_type is not None:
        rest = [pair for pair in reply.headers if pair[0].lower() != "content-type"]
        reply.headers[:] = [("Content-Type", action.content_type), *rest]
    if action.retry_after_s is not None:
        reply.headers.append(("Retry-After", str(action.retry_after_s)))
    if action.retry_after_date_in_s is not None:
        at = formatdate(time.time() + action.retry_after_date_in_s, usegmt=True)
        reply.headers.append(("Retry-After", at))
    if action.retry_after_ms is not None:
        reply.headers.append(("retry-after-ms", str(action.retry_after_ms)))
    if action.x_ms_retry_after_ms is not None:
        reply.headers.append(("x-ms-retry-after-ms", str(action.x_ms_retry_after_ms)))
    reply.headers.extend(action.headers.items())


async def withhold(connection: Connection, action: Action) -> str:
    """Carry out an action that never answers; the outcome for the journal."""
    if action.hold:
        await connection.wait_gone()
        return "held"
    if action.reset:
        connection.reset()
        return "reset"
    return "closed"


async def deliver(connection: Connection, reply: Reply, action: Action | None) -> str:
    """Send `reply`; the outcome for the journal. Only after `answered` is the connection usable."""
    if action is None:
        await connection.send(reply)
        return "answered"
    if action.oversize_mib:
        return await _send_oversize(connection, reply, action.oversize_mib * 1024 * 1024)
    if action.chunked:
        framing = ("Transfer-Encoding", "chunked")
    else:
        framing = ("Content-Length", str(len(reply.body)))
    stop = min(
        len(reply.body) if at is None else at for at in (action.truncate_after, action.reset_after)
    )
    await connection.write(reply.head(framing))
    await _send_body(connection, reply.body[:stop], action)
    if action.reset_after is not None:
        connection.reset()
        return "reset"
    if action.truncate_after is not None:
        return "truncated"
    if action.chunked:
        await connection.write(b"0\r\n\r\n")
    return "answered"


async def _send_body(connection: Connection, body: bytes, action: Action) -> None:
    size = action.slow.chunk_bytes if action.slow else max(len(body), 1)
    for start in range(0, len(body), size):
        part = body[start : start + size]
        await connection.write(b"%x\r\n%b\r\n" % (len(part), part) if action.chunked else part)
        if action.slow:
            await asyncio.sleep(action.slow.interval_ms / 1000)


async def _send_oversize(connection: Connection, reply: Reply, size: int) -> str:
    await connection.write(reply.head(("Transfer-Encoding", "chunked")))
    for _ in range(size // len(BLOCK)):
        await connection.write(b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK))
    await connection.write(b"0\r\n\r\n")
    return "answered"
