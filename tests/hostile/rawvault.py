"""A vault that sends whatever bytes a test says, over TLS with the certificate of the fake, whose tokens it takes."""

import re
import socket
import ssl
import threading

REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found"}


class RawVault:
    """Each connection runs serve(connection) in a thread of its own, until it returns or the client goes away."""

    def __init__(self, fake, serve=None, protocols=("http/1.1",)):
        self.serve = serve or self.serve_http1
        self.body = b"{}"
        self.sent = self.connections = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(fake.directory / "tls.pem")
        self._context.set_alpn_protocols(list(protocols))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"https://shop-kv.vault.localhost:{self._listener.getsockname()[1]}"
        self.env = {"AKVSYNC_VAULT": self.url}
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(plain,), daemon=True).start()

    def _run(self, plain):
        self._open.add(plain)
        try:
            with self._context.wrap_socket(plain, server_side=True) as connection:
                self._open.add(connection)
                self.serve(connection)
        except OSError:
            pass  # the client has enough

    def send(self, connection, data):
        connection.sendall(data)
        self.sent += len(data)

    def serve_http1(self, connection):
        """401 without a token, else what answer() says."""
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                path, head = line.split()[1].decode(), b""
                while (more := lines.readline()) not in (b"\r\n", b""):
                    head += more
                if not re.search(rb"(?im)^authorization: *bearer", head):
                    self.reply(connection, 401, b"{}", CHALLENGE)
                else:
                    self.answer(connection, path)

    def answer(self, connection, path):
        self.reply(connection, 200, self.body)

    def reply(self, connection, status, body, *headers):
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        self.send(connection, "\r\n".join([*lines, "", ""]).encode() + body)

    def close(self):
        # A blocked accept() is not ended by close() alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


CHALLENGE = (
    'WWW-Authenticate: Bearer authorization="https://login.localhost/common", '
    'resource="https://vault.localhost"'
)
