"""The page of a sidecar: valid HTML whatever the names are, and in a real Chromium nothing but itself."""

import html.parser
import re

import pytest
from browser import PROGRAM, Browser
from sidecar import broken, get, well

VOID = {"meta", "br"}
NARROW = 400
LONG = "a-secret-with-a-name-of-as-many-letters-as-a-vault-allows-" + "x" * 69


class Strict(html.parser.HTMLParser):
    """Refuses what is not closed, what is closed twice, and what a page of ours never has."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.tags = [], "", set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert name in {"lang", "charset", "name", "content", "class", "title", "href"}, (tag, name)
            assert name != "href" or value in {"/status", "/metrics"}, value
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text += data


def parsed(text):
    page = Strict()
    page.feed(text)
    page.close()
    assert text.startswith("<!doctype html>\n<html lang=") and page.open == [], page.open
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "b", "br", "small", "code", "time", "div", "dl", "dt", "dd",
        "table", "thead", "tbody", "tr", "th", "td", "a",
    }, page.tags
    assert not re.search(r"url\(|@import|https?:", re.search("<style>(.*?)</style>", text, re.S)[1])
    return page


HOSTILE = ["<script>alert(1)</script>", "a&b\"c'd", "</td></table><img src=x onerror=alert(1)>", "\u202egnp.exe", "x" * 200]


@pytest.fixture(name="pages", scope="module")
def two_pages(tmp_path_factory):
    """{name: port} of a sidecar that is well, and of a broken one with hostile names of files."""
    named = [f"db-password/{name}" for name in HOSTILE]
    with well(tmp_path_factory.mktemp("well")) as first, broken(tmp_path_factory.mktemp("broken"), [LONG], named) as second:
        yield {"well": first, "broken": second}


@pytest.mark.parametrize("which", ["well", "broken"])
def test_is_valid(pages, which):
    headers, text = get(pages[which], "/")
    page = parsed(text)
    assert headers["Content-Type"] == "text/html; charset=utf-8" and headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src ")
    if which == "well":
        assert "\u2713 All is well: nobody is needed" in page.text and len(text) < 6000
        return
    assert re.search(r"\u00d7 This needs a person: \d+ things fail", page.text)
    for told in (*HOSTILE, LONG, "403 ForbiddenByRbac", "grant \"Key Vault Secrets User\"", "404 SecretNotFound", "429 Throttled", "nginx-that-is-not-there", "in 3 days"):
        assert told in page.text, told
    assert re.search(r"for \d+ seconds?, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; \d+ times?", page.text)


@pytest.fixture(name="browser", scope="module")
def chromium():
    if PROGRAM is None:
        pytest.skip("there is no Chromium")
    with Browser() as running:
        yield running


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1200, NARROW])
@pytest.mark.parametrize("which", ["well", "broken"])
def test_in_a_browser(pages, browser, which, width, dark):
    url = f"http://127.0.0.1:{pages[which]}/"
    browser.open(url, width, dark=dark)
    assert [asked["request"]["url"] for asked in browser.seen("Network.requestWillBeSent")] == [url]
    assert not browser.seen("Log.entryAdded") and not browser.seen("Runtime.exceptionThrown")
    assert browser.ask("document.documentElement.scrollWidth") <= width, "it has to be scrolled sideways"
    first = browser.ask("document.querySelector('h1').textContent")
    assert first.startswith("\u2713 All is well" if which == "well" else "\u00d7 This needs a person")
    assert browser.ask("document.title").startswith(first[0])
    back = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", back)[:3])) < 200) == dark, back
