"""Twice the text costs twice the work, or is refused: no input of a user or a vault is read in quadratic time.

Nothing is timed against a bound: the work for a text is compared with that for one four times as long, in one run.
"""

import json
import resource
import subprocess
import time

import pytest
from conftest import BINARY
from test_answers import VERSION, answer

FEW, TIMES = 10_000, 4
LINEAR = 2.5
"""Times what linear work would take: 4 becomes 10, and quadratic work 16."""
FLOOR_S = 0.05
"""What a start takes, and how exactly it can be told."""


def spread(form, count):
    return "".join(form.format(i=i) for i in range(count))


def shared(text):
    return {"text": f"objects: a\n{text}"}


CONFIGURATIONS = {
    "keys of a map": lambda n: shared("x:\n" + spread("  k{i}: 1\n", n)),
    "keys of settings": lambda n: shared(spread("k{i}: 1\n", n)),
    "keys of many maps": lambda n: shared("x:\n" + ("- {" + spread("k{i}: 1,", 990) + "}\n") * (n // 1000)),
    "merge keys": lambda n: shared("x: {" + spread("<<: {{a{i}: 1}},", n // 4) + "}\n"),
    "a merged list": lambda n: shared("x:\n  <<: [" + spread("{{a{i}: 1}},", n // 4) + "]\n"),
    "merged keys": lambda n: shared("b: &b {" + spread("k{i}: 1,", 900) + "}\nx:\n" + "- {<<: *b, y: 1}\n" * (n // 1000)),
    "aliases": lambda n: shared("b: &b 1\nx:\n" + "- *b\n" * n),
    "documents": lambda n: {"text": spread("---\nkind: K{i}\n", n // 4)},
    "manifests": lambda n: {"text": spread("---\nkind: SecretProviderClass\nmetadata: {{name: n{i}}}\n", n // 10)},
    "brackets": lambda n: shared("x: " + "[" * n + "]" * n + "\n"),
    "lines of a text": lambda n: shared("x: >\n" + "  a\n" * n),
    "comments": lambda n: shared("# c\n" * n),
    "notify entries": lambda n: shared("notify:\n" + spread("- touch=/tmp/{i}\n", n)),
    "equal notify entries": lambda n: shared("notify:\n" + "- touch=/tmp/x\n" * n),
    "notify options": lambda n: shared("notify:\n- " + spread("on=p{i},", n) + "touch=/x\n"),
    "notify headers": lambda n: shared("notify:\n- " + spread("header=X{i}:1,", n) + "http=http://localhost:1/\n"),
    "notify addresses": lambda n: shared("notify:\n- http=" + "http://u@h/" * n + "\n"),
    "objects": lambda n: {"text": "objects:\n" + spread("- objectName: a{i}\n", n // 4)},
    "equal objects": lambda n: {"text": "objects:\n" + "- objectName: a\n" * (n // 4)},
    "parts of an object": lambda n: {"text": "objects:\n- objectName: a\n  jmesPath:\n"
                                             + spread("  - {{path: x{i}, objectAlias: y{i}}}\n", n // 4)},
    "places of a template": lambda n: shared('templates: [{path: t, text: "' + "{{ a }}" * n + '"}]\n'),
    "braces of a template": lambda n: shared('templates: [{path: t, text: "' + "{{" * n + '"}]\n'),
    "templates": lambda n: shared("templates:\n" + spread("- {{path: t{i}, text: x}}\n", n // 4)),
    "variables of an env file": lambda n: shared("envFiles:\n- path: /e\n  variables:\n" + spread("    V{i}: a\n", n)),
    "the environment": lambda n: {"env": {"AKVSYNC_OBJECTS": "a"} | {f"V{i}": "x" for i in range(n // 2)}},
    "service links": lambda n: {"env": {"AKVSYNC_OBJECTS": "a"} | {f"AKVSYNC_V{i}_PORT": "x" for i in range(n // 2)}},
    "entries of NO_PROXY": lambda n: {"env": {"AKVSYNC_OBJECTS": "a", "HTTPS_PROXY": "http://x:1",
                                              "NO_PROXY": spread("h{i},", n // 4)}},
}


def work_of(command, env):
    """Seconds of the processor, the least of three runs."""
    least = 1e9
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(command, env=env, capture_output=True, check=False, timeout=300)
        least = min(least, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    return least


def grows_linearly(work):
    few, many = work(FEW), work(FEW * TIMES)
    assert many < (few + FLOOR_S) * TIMES * LINEAR, f"{few:.3f} s become {many:.3f} s"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration(tmp_path, name):
    def work(count):
        made = CONFIGURATIONS[name](count)
        env = {"AKVSYNC_VAULT": "shop-kv", "AKVSYNC_DIR": str(tmp_path)} | made.get("env", {})
        if "text" in made:
            (tmp_path / "c.yaml").write_text(made["text"])
            env["AKVSYNC_CONFIG"] = str(tmp_path / "c.yaml")
        return work_of([BINARY, "check"], env)

    grows_linearly(work)


VALUES = {
    "keys": lambda n: json.dumps({f"k{i}": i for i in range(n // 5)}),
    "equal keys": lambda n: "{" + '"k":1,' * (n // 5) + '"k":1}',
    "escaped keys": lambda n: "{" + spread('"\\u006b{i}":1,', n // 10) + '"x":1}',
    "arrays": lambda n: "[" * n + "]" * n,
    "escapes": lambda n: '{"k0":"' + "\\n" * n + '"}',
    "backslashes": lambda n: '{"k0":"' + "\\\\" * n + '"}',
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value(world, name):
    """As the value of a secret, and in place of the whole answer."""

    def work(count):
        text = VALUES[name](count)
        world.fake.clear_faults()
        answer(world, "/secrets/a", {"value": text, "id": f"{world.fake.vault_url}/secrets/a/{VERSION}"})
        answer(world, "/secrets/b", text)
        env = world.env("- {objectName: a, jmesPath: [{path: k0, objectAlias: x}]}\n- {objectName: b, optional: true}",
                        AKVSYNC_INIT_TIMEOUT="1s")
        return work_of([BINARY, "init"], env)

    grows_linearly(work)


def test_a_template_that_takes_the_same_again_and_again_is_refused(world):
    """Each place trims a large value to nothing, so that what is made stays small."""
    answer(world, "/secrets/a", {"value": " " * 120_000, "id": f"{world.fake.vault_url}/secrets/a/{VERSION}"})
    (world.folder / "c.yaml").write_text(
        json.dumps({"objects": [{"objectName": "a"}], "templates": [{"path": "t", "text": "{{a|trim}}" * 5_000}]}))
    process = world.init(None, AKVSYNC_CONFIG=str(world.folder / "c.yaml"), AKVSYNC_INIT_TIMEOUT="1m")
    assert process.code == 3, process.text[-1500:]
    assert process.find("exit", "makes more than"), process.text[-1500:]
