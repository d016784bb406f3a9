"""Debian's nginx serves TLS from the files, and presents the rotated certificate after a rotation."""

import shutil
import socket
import ssl
import subprocess

import pki
import pytest
from conftest import wait_until
from test_formats import P12

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")

CONFIG = """\
daemon off;
master_process on;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {volume}/web/tls.crt;
        ssl_certificate_key {volume}/web/tls.key;
        ssl_trusted_certificate {volume}/web/ca.crt;
        return 200 "served";
    }}
}}
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def presented(port, root):
    """The certificate that a client gets which trusts the root only; None: no connection."""
    context = ssl.create_default_context(cadata=pki.cert_pem(root).decode())
    # Newer Pythons ask for key identifiers, which the certificates of these tests need not have.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
            return tls.getpeercert(binary_form=True)
    except OSError:
        return None


def issue(world, key):
    chain = pki.Chain(key)
    # Root first, as an integrated CA's PKCS#12 comes.
    value = pki.base64_pfx(chain.key, list(reversed(chain.all)))
    world.fake.set_certificate("web", value, pki.cer(chain.leaf), content_type=P12)
    return chain


@pytest.mark.parametrize("make_key", [pki.ec_key, pki.rsa_key], ids=["ec", "rsa"])
def test_nginx_presents_the_rotated_certificate(world, make_key):
    assert NGINX, "install nginx"
    first = issue(world, make_key())
    folder, port = world.folder, free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, volume=world.volume))
    sidecar = world.sidecar(
        "[{objectName: web, layout: kubernetes.io/tls}]", AKVSYNC_NOTIFY=f"signal=HUP,pidfile={folder}/nginx.pid"
    )
    nginx = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.PIPE, text=True)
    try:
        der = first.leaf.public_bytes(pki.DER)
        assert wait_until(lambda: presented(port, first.root) == der or nginx.poll() is not None), "not served"
        assert nginx.poll() is None, nginx.stderr.read()
        second = issue(world, make_key())
        sidecar.poll()
        sidecar.wait_log("notified")
        der = second.leaf.public_bytes(pki.DER)
        assert wait_until(lambda: presented(port, second.root) == der), (folder / "error.log").read_text()
    finally:
        nginx.terminate()
        nginx.wait(20)
        nginx.stderr.close()
