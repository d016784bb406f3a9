"""What a secret value may look like where it must not be: whole, in part, encoded, or as a digest."""

import base64
import hashlib
import re
import urllib.parse
import zlib

PART = 12
"""So many bytes in a row of a value count as a leak."""
PEM_LINES = re.compile(r"-----(?:BEGIN|END) [A-Z ]+-----|\s+")


def _forms(data):
    """Encodings of bytes, by name."""
    plain = base64.b64encode(data).decode()
    yield "hex", data.hex()
    yield "base64", plain.rstrip("=")
    yield "base64url", plain.rstrip("=").replace("+", "-").replace("/", "_")


def _digests(data):
    for name in ("md5", "sha1", "sha256", "sha384", "sha512"):
        digest = hashlib.new(name, data).digest()
        for form, text in _forms(digest):
            yield f"{name} {form}", text
            yield f"{name} {form}, its start", text[:PART]
    yield "crc32", f"{zlib.crc32(data):08x}"


def _parts(text):
    return {text[at : at + PART] for at in range(len(text) - PART + 1)}


class Haystack:
    """A text that somebody could read."""

    def __init__(self, text):
        self.text, self.lower, self.parts = text, text.lower(), _parts(text)

    def leaks_of(self, value):
        """Names of what is found of a value."""
        data = value if isinstance(value, bytes) else value.encode()
        text = PEM_LINES.sub("", data.decode(errors="replace"))
        if len(text) >= PART:
            for part in sorted(_parts(text) & self.parts):
                yield f"a part: {part!r}"
        elif text in self.text:
            yield f"all of it: {text!r}"
        if urllib.parse.quote(text, safe="") != text and urllib.parse.quote(text, safe="") in self.text:
            yield "as in a URL"
        for name, form in _forms(data):
            if len(form) >= PART and (form[:PART] in self.text or form[-PART:] in self.text):
                yield name
        for name, digest in _digests(data):
            if digest in self.text or (set(digest) <= set("0123456789abcdef") and digest in self.lower):
                yield name


def leaks(text, values):
    """Each leak of each value in a text, for an assertion; values shorter than 8 letters stand anywhere by chance."""
    hay = Haystack(text)
    return [(value[:40], leak) for value in values if len(value) >= 8 for leak in hay.leaks_of(value)]
