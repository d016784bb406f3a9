"""An app that is notified over HTTP, at a port or a unix socket, perhaps with TLS."""

import http.server
import os
import socketserver
import ssl
import threading
import time


class Listener:
    """`requests` are those it got: method, path, headers, body.  `answer` decides what it says: a status, or seconds
    to wait first and a status."""

    def __init__(self, path=None, port=0, tls=None, answer=lambda count: 200):
        self.requests, self.answer, self.path = [], answer, path
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_all(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                answer = outer.answer(len(outer.requests))
                delay, status = answer if isinstance(answer, tuple) else (0, answer)
                time.sleep(delay)
                self.send_response(status)
                if status // 100 == 3:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "100000")
                self.end_headers()
                try:
                    self.wfile.write(b"x" * 100000)
                except OSError:
                    pass  # more than it wants to know

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_all

            def address_string(self):
                return "app"

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        server = socketserver.ThreadingUnixStreamServer if path else http.server.ThreadingHTTPServer
        self.server = server(str(path) if path else ("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path="/-/reload"):
        if self.path:
            return "http+unix://" + str(self.path).replace("/", "%2F") + path
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        if self.path and os.path.exists(self.path):
            os.unlink(self.path)
