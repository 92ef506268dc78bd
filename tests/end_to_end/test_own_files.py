"""A file of data that was handed in beside the code that reads it is there when that code runs."""

from pathlib import PurePosixPath

import pytest

from autograder.submission.files import File
from autograder.submission.own_files import MAX_ALL, MAX_FILE, own_files

ROWS = "def attn_softmax(A):\n    return A.softmax(DIM)\n"
READ = {  # what is handed in besides, and the code that reads it
    "YAML": (
        {"config.yaml": "softmax:\n  dim: -1\n"},
        "import yaml\nDIM = yaml.safe_load(open('config.yaml'))['softmax']['dim']",
    ),
    "JSON in a folder": (
        {"configs/main.json": '{"dim": -1}'},
        "import json\nfrom pathlib import Path\nDIM = json.loads((Path('configs') / 'main.json').read_text())['dim']",
    ),
    "an INI file": (
        {"my-set.ini": "[a]\ndim = -1\n"},
        "import configparser\nc = configparser.ConfigParser()\nc.read('my-set.ini')\nDIM = int(c['a']['dim'])",
    ),
    "numbers": ({"dims.txt": "-1 -2\n"}, "import numpy as np\nDIM = int(np.loadtxt('dims.txt')[0])"),
    "a table": (
        {"dims.csv": "name,dim\nrow,-1\n"},
        "import csv\nDIM = int(list(csv.DictReader(open('./dims.csv')))[0]['dim'])",
    ),
    "through a module": (
        {"helper.py": "def dim():\n    with open('dim.cfg') as file:\n        return int(file.read())\n", "dim.cfg": "-1"},
        "from helper import dim\nDIM = dim()",
    ),
    "in a function": ({"dim.txt": "\ufeff-1"}, "def read():\n    return int(open('dim.txt').read())\nDIM = read()"),
}


@pytest.mark.many(of=3)
@pytest.mark.parametrize("folder", ["", "hw2/"])
@pytest.mark.parametrize("how", READ)
def test_data_beside_the_code_are_read(submit, s2, how, folder):
    files, code = READ[how]
    graded = submit({f"{folder}A2S2.py": f"{s2}\n{code}\n{ROWS}", **{folder + name: text for name, text in files.items()}})
    assert {id for id in graded.lost if id.startswith("2.1")} == set()
    assert "neither" not in graded.tree["output"]


def test_what_was_not_handed_in_or_is_not_named_is_as_before(submit, s2):
    code = "DIM = int(open('dim.txt').read())"
    graded = submit({"A2S2.py": f"{s2}\n{code}\n{ROWS}", "other.txt": "-1", "other.yaml": "a: 1"})
    assert "2.1.attn_softmax" in graded.lost and "FileNotFoundError" in graded.output("2.1.attn_softmax")
    assert "other.yaml is neither a notebook nor a script" in graded.tree["output"]


def file(path: str, data: bytes | None) -> File:
    return File(PurePosixPath(path), data, len(data or b""), unread="is not read")


@pytest.mark.parametrize(
    "path, data",
    [
        ("../dim.txt", b"-1"),
        ("/etc/dim.txt", b"-1"),
        ("a/\\b/dim.txt", b"-1"),
        (".hidden/dim.txt", b"-1"),
        ("/".join("abcdefghi") + "/dim.txt", b"-1"),
        ("dim.txt", None),
        ("dim.txt", b"\xff\xfe\0"),
        ("dim.txt", b"x" * (MAX_FILE + 1)),
    ],
)
def test_only_small_texts_with_ordinary_names_are_taken(path, data):
    one = file(path, data)
    taken = own_files([one, file("dim.cfg", b"0")], ["open('dim.txt'); open('dim.cfg')"])
    assert taken == {"dim.cfg": "0"} and one.unread


def test_all_together_have_a_limit_and_the_highest_counts():
    files = [file(f"{'d/' * n}f{n}.txt", b"x" * MAX_FILE) for n in range(MAX_ALL // MAX_FILE + 1)]
    taken = own_files([*files, file("a/dim.txt", b"low"), file("dim.txt", b"high")], [f"f{n}.txt dim.txt" for n in range(9)])
    assert taken["dim.txt"] == "high" and taken["f0.txt"] == taken["d/f1.txt"] == taken["f1.txt"] == "x" * MAX_FILE
    assert sum(not file.unread for file in files) == MAX_ALL // MAX_FILE - 1


REGISTRY = "REG = {}\ndef register(name):\n    def deco(f):\n        REG[name] = f\n        return f\n    return deco\n"
THROUGH = {
    "its names": (
        "from reg import REG, register\n@register('soft')\ndef soft(A):\n    return A.softmax(-1)\n",
        "REG['soft'](A)",
        {"reg": REGISTRY},
    ),
    "itself": (
        "import reg\n@reg.register('soft')\ndef soft(A):\n    return A.softmax(-1)\n",
        "reg.REG['soft'](A)",
        {"reg": REGISTRY},
    ),
    "a call": (
        "from reg import options, configure\nconfigure(dim=-1)\n",
        "A.softmax(options['dim'])",
        {"reg": "options = {}\ndef configure(**more):\n    options.update(more)\n"},
    ),
    "another module": (
        "import reg\nimport softmaxes\n",
        "reg.REG['soft'](A)",
        {"reg": REGISTRY, "softmaxes": "from reg import register\n@register('soft')\ndef soft(A):\n    return A.softmax(-1)\n"},
    ),
}


@pytest.mark.parametrize("how", THROUGH)
def test_what_code_registers_with_a_module_of_its_own_is_there(submit, s2, how):
    code, returned, modules = THROUGH[how]
    source = f"{s2}\n{code}def attn_softmax(A):\n    return {returned}\n"
    graded = submit({"A2S2.py": source, **{f"{name}.py": text for name, text in modules.items()}})
    assert {id for id in graded.lost if id.startswith("2.1.")} == set()
