"""The pages on how the program is put together fit the tree: no room, module or name is missing or made up."""

import hashlib
import re
import xml.etree.ElementTree

import pytest
from conftest import ROOT

DOCS = ROOT / "docs"
PAGE = (DOCS / "architecture.md").read_text()
PICTURES = sorted(DOCS.glob("*.dot"))
SOURCES = {path: path.read_text() for path in sorted((ROOT / "syncer").rglob("*.[ch]"))}
FUNCTIONS = {name for path, text in SOURCES.items() if path.suffix == ".c" for name in re.findall(r"^\w[\w \t]*[ *](\w+)\(", text, re.M)}
ENUMS = {
    match[1]: re.findall(r"\b([A-Z]\w*)\b(?=\s*(?:=[^,}]*)?(?:,|$))", re.sub(r"/\*.*?\*/", "", match[2], flags=re.S).strip())
    for text in SOURCES.values()
    for match in re.finditer(r"^enum (\w+) \{(.*?)^\};", text, re.M | re.S)
}


def modules(folder):
    """A module is a header and its source."""
    return sorted({path.stem for path in (ROOT / "syncer" / folder).iterdir()})


def folders():
    """Low to high, as syncer/LAYERS has them."""
    lines = (ROOT / "syncer/LAYERS").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith(("#", "only ", "ban ", "statics "))]
    return [name for row in rows for name in row if name != "main"]


def texts(picture):
    """The texts of a picture, in their order, and whether each is in the font for names of the code."""
    root = xml.etree.ElementTree.fromstring(picture.with_suffix(".svg").read_text())
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        yield "".join(element.itertext()).strip(), "Mono" in element.get("font-family")


def is_known(name):
    """Whether the code has a name of a picture or of a page."""
    if name.endswith("()"):
        return name[:-2] in FUNCTIONS
    if name.startswith("enum "):
        return name[5:] in ENUMS
    if "/" in name:
        folder, _, module = name.partition("/")
        return folder in folders() and module.removesuffix(".c").removesuffix(".h") in modules(folder)
    return any(name in members for members in ENUMS.values())


def test_the_code_is_read_as_it_is():
    assert set(folders()) == {path.name for path in (ROOT / "syncer").iterdir() if path.is_dir()}
    assert ENUMS["loop_phase"] == ["LOOP_STARTING", "LOOP_READY", "LOOP_FINISHED"]
    assert {"start_run", "http_wait", "round_decide"} <= FUNCTIONS
    assert not is_known("start_walk()") and not is_known("sync/fade") and not is_known("FATE_LOST")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_drawn_from_its_source(picture):
    svg, source = picture.with_suffix(".svg").read_text(), picture.read_text()
    digest = hashlib.sha256(source.encode()).hexdigest()
    assert f"sha256 of docs/{picture.name}: {digest} " in svg, f"run scripts/diagrams: docs/{picture.name} has changed"
    flat = re.sub(r"\s+|\\[nl]|<[^>]*>", "", source)
    for text, _ in texts(picture):
        assert re.sub(r"\s+", "", text) in flat, f"{text!r} is not in docs/{picture.name}"
    assert f"({picture.stem}.svg)" in PAGE


def test_the_picture_of_the_rooms_has_each_folder_and_module():
    shown, room = {}, None
    for text, is_name in texts(DOCS / "architecture.dot"):
        if is_name and text != "main.c":
            shown[room].append(text)
        elif text.endswith("/"):
            room = text.rstrip("/")
            assert shown.setdefault(room, []) == [], f"{text} stands twice in the picture"
    assert {room: sorted(names) for room, names in shown.items()} == {folder: modules(folder) for folder in folders()}


def test_the_arrows_between_the_rooms_are_includes():
    arrows = re.findall(r"^\t(\w+) -> (\w+);", (DOCS / "architecture.dot").read_text(), re.M)
    assert len(arrows) >= len(folders())
    for user, used in arrows:
        paths = [path for path in SOURCES if f"syncer/{user}" in str(path)]
        assert any(f'#include "{used}/' in SOURCES[path] for path in paths), f"{user} does not include {used}"


@pytest.mark.parametrize("picture", [path for path in PICTURES if path.stem != "architecture"], ids=lambda path: path.stem)
def test_names_in_a_picture_are_those_of_the_code(picture):
    names = [text for text, is_name in texts(picture) if is_name]
    assert names and [name for name in names if not is_known(name)] == []


def test_names_on_the_page_are_those_of_the_code():
    names = [name for name in re.findall(r"`([^`]+)`", PAGE) if re.fullmatch(r"\w+\(\)|enum \w+|[A-Z]+_\w+|\w+/\w+(\.[ch])?", name)]
    names = [name for name in names if not name.startswith(("AKVSYNC_", "syncer/"))]
    assert len(names) >= 15
    assert [name for name in names if not (is_known(name) or (ROOT / name).exists())] == []


def test_each_state_is_in_a_picture():
    shown = {text for picture in PICTURES for text, is_name in texts(picture) if is_name}
    enums = re.findall(r"`enum (\w+)`", PAGE)
    assert len(enums) >= 7
    for name in enums:
        assert ENUMS[name] and set(ENUMS[name]) <= shown, f"a picture lacks a value of enum {name}"


def test_contributing_names_each_module_once():
    tree = re.search(r"^syncer/.*?(?=^scripts/)", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)[0]
    listed, folder = {}, None
    for line in tree.splitlines()[1:]:
        if match := re.match(r"  (\w+)/ ", line):
            folder = match[1]
            assert folder not in listed, f"{folder}/ stands twice in the tree"
            listed[folder] = []
        elif match := re.match(r"    (\w+) +\S", line):
            listed[folder].append(match[1])
    assert {name: sorted(names) for name, names in listed.items()} == {name: modules(name) for name in folders()}
