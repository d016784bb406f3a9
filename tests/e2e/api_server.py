"""A strict stand-in for a cluster's API server, as far as Secrets by server-side apply go.

It keeps which field manager owns which field, checks permissions per verb and name, validates
types as Kubernetes does, and gives a new resourceVersion only when something changes. Its
statuses, messages and causes are those that Kubernetes 1.36 answered; `release` is for what
1.20 says otherwise.
"""

import base64
import copy
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse
import uuid

import pki
from cryptography.hazmat.primitives import serialization

NAMESPACE = "shop"
NEEDED = {
    "kubernetes.io/tls": ({"tls.crt", "tls.key"}, all),
    "kubernetes.io/basic-auth": ({"username", "password"}, any),
    "kubernetes.io/ssh-auth": ({"ssh-privatekey"}, all),
    "kubernetes.io/dockerconfigjson": ({".dockerconfigjson"}, all),
}


class Refused(Exception):
    def __init__(self, code, reason, message, details=None):
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code,
        } | ({"details": details} if details else {})


def invalid(name, *causes):
    """422 for (field, reason, message)."""
    told = [f"{field}: {message}" for field, _, message in causes]
    listed = [{"reason": reason, "message": message, "field": field} for field, reason, message in causes]
    message = f'Secret "{name}" is invalid: ' + (told[0] if len(told) == 1 else f"[{', '.join(told)}]")
    return Refused(422, "Invalid", message, {"name": name, "kind": "Secret", "causes": listed})


def forbidden(name, why):
    return Refused(403, "Forbidden", f'secrets "{name}" is forbidden: {why}', {"name": name, "kind": "secrets"})


def denied_by_policy(name, why):
    """What a ValidatingAdmissionPolicy without a reason of its own makes of it."""
    why = f"ValidatingAdmissionPolicy 'confine' with binding 'confine' denied request: {why}"
    return Refused(422, "Invalid", forbidden(name, why).body["message"], {"name": name, "kind": "secrets", "causes": [{"message": why}]})


def fields(body):
    """What a body says of each field: path -> value."""
    said = {("type",): body["type"]} if "type" in body else {}
    for group in ("labels", "annotations"):
        for name, value in body["metadata"].get(group, {}).items():
            assert isinstance(value, str)
            said["metadata", group, name] = value
    for owner in body["metadata"].get("ownerReferences", []):
        assert set(owner) == {"apiVersion", "kind", "name", "uid"}
        said["metadata", "ownerReferences", owner["uid"]] = owner
    for key, value in body.get("data", {}).items():
        base64.b64decode(value, validate=True)
        said["data", key] = value
    return said


def tree(owned):
    """Paths as Kubernetes writes them."""
    root = {}
    for path in sorted(owned):
        *folders, last = path
        place = root
        for folder in folders:
            place = place.setdefault(f"f:{folder}", {})
        place[f'k:{{"uid":"{last}"}}' if "ownerReferences" in folders else f"f:{last}"] = {}
    return root


class Secret:
    def __init__(self, name):
        self.name, self.uid, self.version = name, str(uuid.uuid4()), 0
        self.values, self.managers, self.immutable = {}, {}, False

    def shown(self):
        metadata = {
            "name": self.name, "namespace": NAMESPACE, "uid": self.uid, "resourceVersion": str(self.version),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [
                {"manager": name, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": tree(owned)}
                for name, owned in self.managers.items()
            ],
        }
        result = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "type": "Opaque"}
        for path, value in self.values.items():
            if path == ("type",):
                result["type"] = value
            elif path[0] == "data":
                result.setdefault("data", {})[path[1]] = value
            elif path[1] == "ownerReferences":
                metadata.setdefault("ownerReferences", []).append(value)
            else:
                metadata.setdefault(path[1], {})[path[2]] = value
        if self.immutable:
            result["immutable"] = True
        return result

    def data(self):
        return {path[1]: base64.b64decode(value) for path, value in self.values.items() if path[0] == "data"}

    def labels(self):
        return self.shown()["metadata"].get("labels", {})

    def annotations(self):
        return self.shown()["metadata"].get("annotations", {})

    def owners(self):
        return [path[2] for path in self.values if path[1:2] == ("ownerReferences",)]

    def apply(self, manager, body, force):
        said, before = fields(body), self.managers.get(manager, set())
        for path, value in said.items():
            others = [name for name, owned in self.managers.items() if name != manager and path in owned]
            if not force and others and self.values.get(path) != value:
                why, field = f'conflict with "{others[0]}" using v1', "." + ".".join(path)
                cause = {"reason": "FieldManagerConflict", "message": why, "field": field}
                raise Refused(409, "Conflict", f"Apply failed with 1 conflict: {why}: {field}", {"causes": [cause]})
            for name in others if self.values.get(path) != value else []:
                self.managers[name].discard(path)
        self.values.update(said)
        for path in before - set(said):
            if not any(path in owned for name, owned in self.managers.items() if name != manager):
                self.values.pop(path, None)
        self.managers[manager] = set(said)
        self.managers = {name: owned for name, owned in self.managers.items() if owned}
        return self

    def check(self, before):
        kind, wrong = self.values.get(("type",), "Opaque"), []
        if before is not None and kind != before.values.get(("type",), "Opaque"):
            wrong.append(("type", "FieldValueInvalid", f'Invalid value: "{kind}": field is immutable'))
        if before is not None and before.immutable and self.data() != before.data():
            wrong.append(("data", "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set"))
        if sum(map(len, self.data().values())) > 1024 * 1024:
            wrong.append(("data", "FieldValueTooLong", "Too long: may not be more than 1048576 bytes"))
        keys, how = NEEDED.get(kind, (set(), all))
        if not how(self.has(kind, key) for key in keys):
            missing = sorted(key for key in keys if not self.has(kind, key))
            wrong += [(f"data[{key}]", "FieldValueRequired", "Required value") for key in missing]
        if wrong:
            raise invalid(self.name, *wrong)

    def has(self, kind, key):
        """An empty SSH key is as bad as none."""
        return bool(self.data().get(key)) if kind == "kubernetes.io/ssh-auth" else key in self.data()


class ApiServer:
    """`rights`: the verbs that the pod has on each Secret; `faults`: what the next requests get instead:
    a status, (status, headers), (status, headers, body), "hang", "cut", or a function of (server, request) before the usual answer.
    `admission`: a function of (Secret before or None, Secret after) that raises what it refuses."""

    def __init__(self, folder):
        self.release, self.admission = 36, lambda before, after: None
        self.folder = folder
        self.token = "kubernetes-token-" + uuid.uuid4().hex
        self.rights = {"create", "patch"}
        self.secrets, self.requests, self.faults, self.always = {}, [], [], None
        self.always_of = {}  # what each request for a Secret gets instead
        self.events = []
        self.clock = 100
        self.lock = threading.Lock()
        self.root_key = pki.ec_key()
        self.root = pki.certificate("cluster", self.root_key, ca=True)
        key = pki.ec_key()
        leaf = pki.certificate("kubernetes", key, self.root, self.root_key)
        self.credentials = folder / "serviceaccount"
        self.credentials.mkdir()
        (self.credentials / "namespace").write_text(NAMESPACE)
        self.give_token()
        self.give_ca(self.root)
        (folder / "server.pem").write_bytes(
            pki.cert_pem(leaf)
            + key.private_bytes(pki.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def give_token(self, token=None):
        new = self.credentials / "token.new"
        new.write_text(token or self.token)
        new.rename(self.credentials / "token")

    def give_ca(self, certificate):
        (self.credentials / "ca.crt").write_bytes(pki.cert_pem(certificate))

    def env(self, secrets, **more):
        return {
            "AKVSYNC_KUBERNETES_SECRETS": "true",
            "AKVSYNC_SECRET_OBJECTS": json.dumps(secrets) if secrets is not None else None,
            "AKVSYNC_KUBERNETES_CREDENTIALS": str(self.credentials),
            "KUBERNETES_SERVICE_HOST": "localhost",
            "KUBERNETES_SERVICE_PORT": str(self.server.server_address[1]),
            "POD_NAME": "web-1",
        } | more

    def put(self, name, values, kind="Opaque", labels=None, manager="kubectl", immutable=False):
        """A Secret that somebody else made."""
        body = {"metadata": {"labels": labels or {}}, "type": kind, "data": {k: base64.b64encode(v).decode() for k, v in values.items()}}
        secret = Secret(name).apply(manager, body, True)
        secret.immutable = immutable
        self._keep(secret)
        return secret

    def delete(self, name):
        with self.lock:
            del self.secrets[name]
            self.events.append(("DELETED", name))

    def collect(self, uid):
        """What the garbage collector does after the end of a pod: its entries among the owners go,
        and a Secret that had no other owner."""
        with self.lock:
            for secret in [s for s in self.secrets.values() if uid in s.owners()]:
                if secret.owners() == [uid]:
                    del self.secrets[secret.name]
                    self.events.append(("DELETED", secret.name))
                    continue
                path = ("metadata", "ownerReferences", uid)
                del secret.values[path]
                for owned in secret.managers.values():
                    owned.discard(path)
                secret.managers = {name: owned for name, owned in secret.managers.items() if owned}
                self._keep(secret)

    def _keep(self, secret):
        self.clock += 1
        secret.version = self.clock
        self.events.append(("MODIFIED" if secret.name in self.secrets else "ADDED", secret.name))
        self.secrets[secret.name] = secret

    def writes(self):
        return [request for request in self.requests if "dryRun" not in request["query"]]

    def _refuse_right(self, verb, name):
        if verb in self.rights or f"{verb} {name}" in self.rights:
            return
        if verb == "create" and self.release <= 20:
            raise forbidden(name, "")
        raise forbidden(name, f'User "system:serviceaccount:{NAMESPACE}:web" cannot {verb} resource "secrets" in API group "" '
                              f'in the namespace "{NAMESPACE}"')

    def patch(self, request):
        query, name = request["query"], request["name"]
        assert set(query) <= {"fieldManager", "force", "dryRun"} and 0 < len(query["fieldManager"]) <= 128
        body = json.loads(request["body"])
        assert body["apiVersion"] == "v1" and body["kind"] == "Secret" and body["metadata"]["name"] == name
        self._refuse_right("patch", name)
        before, uid = self.secrets.get(name), body["metadata"].get("uid")
        if before is None and uid:
            raise Refused(409, "Conflict", f'Operation cannot be fulfilled on secrets "{name}": uid mismatch: the provided object '
                          f"specified uid {uid}, and no existing object was found", {"name": name, "kind": "secrets"})
        if before is None:
            self._refuse_right("create", name)
        after = copy.deepcopy(before) if before else Secret(name)
        after.apply(query["fieldManager"], body, query.get("force") == "true")
        if uid and before.uid != uid:
            wrong = ("metadata.uid", "FieldValueInvalid", f'Invalid value: "{uid}": field is immutable')
            raise invalid(name, wrong, wrong)
        after.check(before)
        self.admission(before, after)
        unchanged = before and (after.values, after.managers) == (before.values, before.managers)
        if "dryRun" not in query and not unchanged:
            self._keep(after)
        shown = after.shown()
        if before is None and "dryRun" in query:
            del shown["metadata"]["resourceVersion"]
            if not any(after.managers.values()):
                del shown["metadata"]["managedFields"]
        return (200 if before else 201), shown

    def _handler(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PATCH(self):
                url = urllib.parse.urlsplit(self.path)
                found = re.fullmatch(rf"/api/v1/namespaces/{NAMESPACE}/secrets/([a-z0-9.-]+)", url.path)
                request = {
                    "name": found and found[1],
                    "query": dict(urllib.parse.parse_qsl(url.query)),
                    "body": self.rfile.read(int(self.headers["Content-Length"])),
                    "headers": dict(self.headers),
                }
                with outer.lock:
                    outer.requests.append(request)
                    fault = outer.faults.pop(0) if outer.faults else outer.always
                    if request["name"] in outer.always_of:
                        fault = outer.always_of[request["name"]]
                if fault == "hang":
                    time.sleep(120)
                if fault == "cut":
                    self.connection.close()
                    return
                if callable(fault):
                    fault(outer, request)
                    fault = None
                if fault is not None:
                    status, headers, *text = fault if isinstance(fault, tuple) else (fault, {})
                    body = Refused(status, "Scripted", "a message " + request["body"].decode()).body
                    self.reply(status, text[0] if text else body, headers)
                    return
                self.answer(request)

            def answer(self, request):
                assert request["headers"]["Content-Type"] == "application/apply-patch+yaml"
                assert request["headers"]["Accept"] == "application/json"
                if request["headers"].get("Authorization") != f"Bearer {outer.token}":
                    self.reply(401, Refused(401, "Unauthorized", "Unauthorized").body)
                    return
                try:
                    with outer.lock:
                        status, body = outer.patch(request)
                except Refused as refused:
                    status, body = refused.code, refused.body
                self.reply(status, body)

            def reply(self, status, body, headers=None):
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        return Handler
