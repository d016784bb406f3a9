"""Debian's servers serve TLS from the files and follow a rotation, each by the target that suits it, while a client
connects again and again: no connection fails."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pki
import pytest
from conftest import wait_until
from listener import Listener
from test_nginx import CONFIG as NGINX_CONFIG
from test_nginx import free_port, issue

OBJECTS = "[{objectName: web, layout: kubernetes.io/tls}]"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def program(name, package):
    path = shutil.which(name, path=PATH)
    if path is None:
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        path = str(found[-1]) if found else None
    if path is None:
        pytest.skip(f"install Debian's {package}")
    return path


class Client:
    """Connects again and again; `seen` are the certificates it got, `failures` why it got none."""

    def __init__(self, port, chains, greet=lambda raw: None):
        self.port, self.greet = port, greet
        self.context = ssl.create_default_context(cadata="".join(pki.cert_pem(chain.root).decode() for chain in chains))
        self.context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self.seen, self.failures, self.count = [], [], 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def once(self):
        with socket.create_connection(("127.0.0.1", self.port), 20) as raw:
            self.greet(raw)
            with self.context.wrap_socket(raw, server_hostname="localhost") as tls:
                return tls.getpeercert(binary_form=True)

    def answers(self):
        try:
            return bool(self.once())
        except OSError:
            return False

    def run(self):
        while not self.ends.is_set():
            try:
                certificate = self.once()
            except OSError as error:
                self.failures.append(repr(error))
                continue
            self.count += 1
            if not self.seen or self.seen[-1] != certificate:
                self.seen.append(certificate)

    def stop(self):
        self.ends.set()
        self.thread.join()


def follow(world, start, target, greet=lambda raw: None, **more):
    """Starts the server behind the first set, rotates, and waits until the client got the new certificate."""
    chains = [issue(world, pki.ec_key())]
    sidecar = world.sidecar(OBJECTS, AKVSYNC_NOTIFY=target, **more)
    server, port = start()
    chains.append(pki.Chain())
    client = Client(port, chains, greet)
    try:
        assert wait_until(lambda: client.answers() or server.poll() is not None), "it does not answer"
        assert server.poll() is None
        client.thread.start()
        assert wait_until(lambda: client.count > 20)
        value = pki.base64_pfx(chains[1].key, list(reversed(chains[1].all)))
        world.fake.set_certificate("web", value, pki.cer(chains[1].leaf), content_type="application/x-pkcs12")
        sidecar.poll()
        sidecar.wait_log("notified")
        der = [chain.leaf.public_bytes(pki.DER) for chain in chains]
        assert wait_until(lambda: client.seen[-1] == der[1]), "it does not serve the new certificate"
        after = client.count
        assert wait_until(lambda: client.count > after + 50)
        client.stop()
        assert not client.failures, f"{len(client.failures)} of {client.count}: {client.failures[:3]}"
        # Workers of before may serve a few connections more while those of the new configuration start.
        assert client.seen[0] == der[0] and set(client.seen) == set(der)
    finally:
        client.ends.set()
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    return sidecar


@pytest.mark.parametrize("way", ["signal", "exec"])
def test_nginx(world, way):
    nginx, folder = program("nginx", "nginx-light"), world.folder
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX_CONFIG.format(folder=folder, port=port, volume=world.volume))
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    target = {
        "signal": f"signal=HUP,pidfile={folder}/nginx.pid",
        "exec": f"exec={' '.join(command)} -s reload",
    }[way]
    follow(world, lambda: (subprocess.Popen(command, stderr=subprocess.DEVNULL), port), target)


def test_nginx_refuses_a_key_that_does_not_fit(world):
    """nginx -t as a precheck, with the files of the new set: the old certificate stays in service."""
    nginx, folder = program("nginx", "nginx-light"), world.folder
    check = folder / "check"
    (folder / "check.conf").write_text(NGINX_CONFIG.format(folder=folder, port=free_port(), volume="NEW"))
    check.write_text(
        f'#!/bin/sh\nsed "s|NEW|$AKVSYNC_NEW_DIR|" {folder}/check.conf >{folder}/new.conf &&\n'
        f"exec {nginx} -t -q -p {folder} -c {folder}/new.conf\n"
    )
    check.chmod(0o755)
    issue(world, pki.ec_key())
    sidecar = world.sidecar(
        "web=web/tls.crt, fits=web/tls.key, root=web/ca.crt", wait=False, AKVSYNC_NOTIFY=f"precheck=exec {check}"
    )
    chain = pki.Chain()
    pem = {"web": pki.cert_pem(*chain.all), "fits": pki.key_pem(chain.key), "root": pki.cert_pem(chain.root)}
    for name, text in pem.items():
        world.fake.set(name, text.decode())
    sidecar.wait_log("ready")
    before = world.files()
    world.fake.set("fits", pki.key_pem(pki.ec_key()).decode())
    sidecar.poll()
    sidecar.wait_log("set-vetoed", "key values mismatch|ended with code 1")
    assert world.files() == before


HAPROXY_CONFIG = """\
global
    stats socket {folder}/admin.sock mode 600 level admin expose-fd listeners
    ssl-load-extra-files key
    ssl-load-extra-del-ext
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind 127.0.0.1:{port} ssl crt {volume}/web/tls.crt
    http-request return status 200
"""


def test_haproxy(world):
    haproxy, folder, port = program("haproxy", "haproxy"), world.folder, free_port()
    (folder / "haproxy.cfg").write_text(HAPROXY_CONFIG.format(folder=folder, port=port, volume=world.volume))
    command = [haproxy, "-W", "-db", "-f", folder / "haproxy.cfg", "-p", folder / "haproxy.pid"]
    follow(
        world,
        lambda: (subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL), port),
        f"signal=USR2,pidfile={folder}/haproxy.pid",
    )


def ask_for_tls(raw):
    """PostgreSQL's SSLRequest."""
    raw.sendall(struct.pack("!ii", 8, 80877103))
    if raw.recv(1) != b"S":
        raise OSError("no TLS")


def test_postgresql(world):
    postgres, initdb = program("postgres", "postgresql"), program("initdb", "postgresql")
    if os.geteuid():
        pytest.skip("needs root: the key belongs to root, and PostgreSQL does not run as root")
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("there is no user 'postgres'")
    port, data = free_port(), world.volume.parent / f"{world.volume.name}-pg"
    data.mkdir()
    os.chown(data, user.pw_uid, user.pw_gid)
    os.chown(world.volume, 0, user.pw_gid)
    as_postgres = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "ssl": "on", "fsync": "off",
        "ssl_cert_file": world.volume / "web/tls.crt", "ssl_key_file": world.volume / "web/tls.key",
    }

    def start():
        subprocess.run([*as_postgres, initdb, "-A", "trust", "-N", "-D", data / "db"], check=True, **quiet)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return subprocess.Popen([*as_postgres, postgres, "-D", data / "db", *options], **quiet), port

    try:
        follow(world, start, f"signal=HUP,pidfile={data}/db/postmaster.pid", greet=ask_for_tls)
    finally:
        shutil.rmtree(data)


def test_redis(world):
    """Nothing but its own client makes it read a certificate again."""
    server, client = program("redis-server", "redis-server"), program("redis-cli", "redis-tools")
    plain, port, files = free_port(), free_port(), f"{world.volume}/web"
    options = {
        "port": plain, "tls-port": port, "bind": "127.0.0.1", "tls-auth-clients": "no", "save": "", "dir": world.folder,
        "tls-cert-file": f"{files}/tls.crt", "tls-key-file": f"{files}/tls.key",
    }
    command = [server, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    follow(
        world,
        lambda: (subprocess.Popen(command, stdout=subprocess.DEVNULL), port),
        f"exec={client} -e -p {plain} CONFIG SET tls-cert-file {files}/tls.crt tls-key-file {files}/tls.key",
    )


def test_redis_that_says_no_is_a_failure(world):
    """redis-cli -e ends with a code when the server answers with an error."""
    client = program("redis-cli", "redis-tools")
    world.plant("s")
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"exec={client} -e -p {free_port()} PING")
    world.plant("s")
    sidecar.poll()
    sidecar.wait_log("notify-failed", "ended with code 1; it said: Could not connect")


def test_an_app_like_spring_boot(world):
    """POST /actuator/refresh reads the files anew: what is served afterwards is new."""
    world.plant("s")
    served = []
    listener = Listener(answer=lambda _: (served.append(world.files()["s"]), 200)[1])
    sidecar = world.sidecar("s", AKVSYNC_NOTIFY=f"http=POST {listener.url('/actuator/refresh')}")
    new = world.plant("s")
    sidecar.poll()
    sidecar.wait_log("notified", status=200)
    assert served == [new] and listener.requests[0][:2] == ("POST", "/actuator/refresh")
    listener.stop()
