"""HTTP/2 in front of the fake: Debian's nghttpx (package nghttp2-proxy), as Azure's own front ends speak it."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = shutil.which("nghttpx") or "/usr/sbin/nghttpx"
START_TIMEOUT_S = 20


def available() -> bool:
    return Path(PROGRAM).exists()


class H2Front:
    """From `with` or start() to its end; the fake's certificate, its own port. `streams` is how many
    requests it lets be under way on one connection (SETTINGS_MAX_CONCURRENT_STREAMS)."""

    def __init__(self, fake, streams: int = 100):
        self._fake = fake
        self._streams = streams

    def start(self) -> "H2Front":
        # The port is free a moment before; another process may be quicker.
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as chooser:
                self.port: int = chooser.getsockname()[1]
            if self._launch():
                return self
        raise RuntimeError("nghttpx does not start")

    def _launch(self) -> bool:
        certificate = str(self._fake.directory / "tls.pem")
        self._process = subprocess.Popen(
            [
                PROGRAM, "--conf=/dev/null", f"--frontend=127.0.0.1,{self.port}", "--workers=1",
                f"--backend=127.0.0.1,{self._fake.port};;tls;proto=http/1.1", "--insecure", "--no-via",
                "--backend-connections-per-host=200", "--no-location-rewrite", "--log-level=FATAL",
                f"--frontend-http2-max-concurrent-streams={self._streams}",
                "--accesslog-file=/dev/null", "--errorlog-file=/dev/null", certificate, certificate,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        self.stop()
        return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def __enter__(self) -> "H2Front":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()
