"""A headless Chromium that is driven over its DevTools pipe. Standard library only."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WAIT_S = 60


class Browser:
    """One tab, from `with` to its end."""

    def __enter__(self):
        # Its children may write a little longer than it lives.
        # pylint: disable-next=consider-using-with
        self.folder = tempfile.TemporaryDirectory(prefix="akvsync-browser-", ignore_cleanup_errors=True)
        theirs_in, self.to = os.pipe()
        self.come, theirs_out = os.pipe()
        arguments = (
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
            f"--user-data-dir={self.folder.name}", "about:blank",
        )

        def place():
            """The pipe's ends are expected at 3 and 4; both may be in the way of the other."""
            first, second = os.dup(theirs_in), os.dup(theirs_out)
            high = [os.dup2(fd, 100 + number) for number, fd in enumerate((first, second))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=place
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.count, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.session = None
        with contextlib.suppress(OSError, RuntimeError):
            self.call("Browser.close")
        os.close(self.to)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.come)
        self.folder.cleanup()

    def _next(self):
        """The next message."""
        while b"\0" not in self.rest:
            piece = os.read(self.come, 1 << 20)
            if not piece:
                raise RuntimeError("the browser has ended")
            self.rest += piece
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        """A command's result."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.count:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url, width, height=900, dark=False):
        """Loads a page as a screen of this size shows it."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        end = time.monotonic() + WAIT_S
        while not self.seen("Page.loadEventFired") and time.monotonic() < end:
            self.events.append(self._next())

    def seen(self, method):
        """What was told of the page that is open."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def ask(self, expression):
        """The value of an expression, as the page has it."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def picture(self, form="png"):
        """The whole page; form: png, webp."""
        quality = {} if form == "png" else {"quality": 20}
        return base64.b64decode(self.call("Page.captureScreenshot", format=form, captureBeyondViewport=True, **quality)["data"])
