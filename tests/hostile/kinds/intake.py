"""Submissions that are hostile while they are read, before anything of them runs: what they do costs the part that does it."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zipfile
from io import BytesIO

from hostile.case import S1, S2, S3, Hostile
from support.zips import tarred, zipped


def beside(name: str, code: str, above: bool = False, seconds: float = 15.0) -> Hostile:
    """Right answers with code below or above those of section 1."""
    text = f"{code}\n{S1}" if above else f"{S1}\n{code}\n"
    return Hostile("intake", name, {"A2S1.py": text, "A2S2.py": S2}, seconds=seconds)


def files(name: str, more: dict[str, str | bytes], seconds: float = 15.0) -> Hostile:
    """Right answers with other files next to them."""
    return Hostile("intake", name, {"A2S1.py": S1, "A2S2.py": S2, **more}, seconds=seconds)


def section3(name: str, code: str) -> Hostile:
    return Hostile("intake", name, {"A2S3.py": f"{S3}\n{code}\n"}, sections=("A2S3",), seconds=60.0)


def notebook(*sources: str, **more: object) -> str:
    """A notebook with these code cells."""
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None} for text in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **more})


def in_notebook(name: str, *sources: str) -> Hostile:
    """Right answers to section 1 in a cell of a notebook, with hostile cells."""
    return Hostile("intake", name, {"A2S1.ipynb": notebook(S1, *sources), "A2S2.py": S2})


def stored(members: dict[str, str]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def many(text: str, count: int) -> str:
    return "".join(text.format(i, i + 1) for i in range(count))


def nested(depth: int) -> bytes:
    """A file in so many zips, one in the other."""
    data = b"x = 1"
    for number in range(depth):
        data = zipped({f"{number}.zip" if number else "a.py": data})
    return data


def large() -> bytes:
    return zipped({f"{n}.py": CODE + b"#" + os.urandom(40_000).hex().encode() for n in range(10)})


def zips() -> bytes:
    return zipped({f"{k}.zip": zipped({"a.py": CODE}) for k in range(9)})


def tars() -> bytes:
    return tarred({f"{k}.bin": "" for k in range(8000)})


CODE = b"a = 1\n" * 1_000_000
LYING = bytearray(zipped({"more.py": "x = 1\n" * 1000}))
AT = LYING.rindex(b"PK\1\2")
LYING[AT + 24 : AT + 28] = struct.pack("<I", 3)  # the directory says: three bytes
CELL = "@app.cell\ndef _(a{1}):\n    a{0} = a{1}\n    return (a{0},)\n\n\n"
MARIMO = "import marimo\napp = marimo.App()\n\n\n"
HUGE = "0x" + "f" * 6000  # Python refuses to write it in base 10
SAME = S1.replace("query121 = S * key[0]", f"query121 = S * key[0] if {HUGE} else 0")
NUMBER = {"py": SAME, "ipynb": notebook(SAME)}
IMPORTS = "".join(f"try:\n    import m{n}\nexcept ImportError: pass\n" for n in range(7))
MODULES = {f"m{n}.py": f"y = {n}\n" + "#\1\1\n" * 400_000 for n in range(7)}
OPEN = '{"cells": [' + "[]," * 700_000 + '"' + '\\"' * 1_500_000
CASES = [
    files("a number of 6,000 digits in two files", {f"A2S1.{kind}": NUMBER[kind] for kind in NUMBER}),
    beside("numbers of 6,000 digits in all places", f"import a, b\nsys.modules[{HUGE}] = [f(-{HUGE}j) for x in {HUGE}]"),
    beside("imports from a name of 900,000 letters", f"from {'a' * 900_000} import " + many("b{0}, ", 4000).rstrip(", ")),
    section3("a call of main with 6,000 digits", f"def g():\n    for i in [{HUGE}]: main({HUGE})"),
    files(
        "modules of comments without end", {f"m{n}.py": "# \U0001f600\n" * 500_000 + "y = 1" for n in range(7)}, seconds=25.0
    ),
    Hostile("intake", "modules without end, all imported", {"A2S1.py": IMPORTS + S1, "A2S2.py": IMPORTS + S2, **MODULES}),
    files("notebooks with an open text", {f"more{n}.ipynb": OPEN + " " * n for n in range(4)}),
    files("files in an encoding that refuses", {f"m{n}.py": "# coding: undefined\nx = 1\n" for n in range(30)}),
    beside("a condition of 2,500 terms", "if " + "+".join("1" * 2500) + ": pass", above=True),
    beside("a sum of 20,000 terms in one line", "x = " + "+".join("1" * 20_000), above=True),
    beside("a sum over many lines", "x = (0\n" + "+ 1\n" * 2500 + ")", above=True),
    beside("a chain of attributes", "x = a" + ".b" * 1800),
    beside("subscripts upon subscripts", "x = a" + "[0]" * 1200, above=True),
    beside("calls upon calls", "x = f" + "()" * 1500),
    beside("lambdas in lambdas", "x = " + "lambda: " * 1500 + "1", above=True),
    beside("one elif after another", "if a: pass\n" + "elif a: pass\n" * 3000),
    beside("thousands of decorators", "@a\n" * 10_000 + "def f(): pass"),
    beside("thousands of clauses in a comprehension", "x = [0 " + "for i in i " * 300 + "]"),
    beside("a match of thousands of cases", "match x:\n" + many("    case {0}: a{0} = {0}\n", 3000)),
    beside("a class of thousands of methods", "class A:\n" + many("    def f{0}(s): pass\n", 3000), seconds=25.0),
    beside("functions that call the next, each with a global", many("def f{0}():\n    global g{0}\n    g{0} = f{1}()\n", 1500)),
    beside("a million lines", "a\n" * 1_000_000, seconds=25.0),
    beside("statements in one line", "a;" * 300_000),
    beside("a number of a million digits in a heading", "# 1.1." + "1" * 1_000_000),
    beside("percent cells without end", "# %%\na\n" * 1900, seconds=60.0),
    beside("thousands of open brackets and quotes", "x = (\n'''\n" * 4000, seconds=25.0),
    files("a marimo app whose cells each read the next one's name", {"more.py": MARIMO + many(CELL, 1900)}),
    files(
        "a marimo app that is nested deeply",
        {"more.py": f"{MARIMO}@app.cell\ndef _():\n    x = {'-' * 100_000}1\n    return\n"},
    ),
    files("a Quarto document of fences", {"more.qmd": "```{python}\n" * 300_000}),
    files("markers behind strings without end", {"more.py": '# %%\n"""\n' * 1900 + "'\\\n" * 500_000}),
    files("a line of escaped quotes above a marker", {"more.py": '"\\\n' + '\\"' * 1_000_000 + "\n# %%\na"}),
    in_notebook("lines that only IPython reads, without end", *[",f a\nx = 1\n" * 400] * 500),
    in_notebook("magics with options without end", *["%time " + "-a " * 2000 + "\n%time " + "b " * 2000] * 100),
    in_notebook("prompts and strings", ">>> '''\n" * 100_000, "In [1]: (\n" * 50_000),
    files("percent cells over the limit", {"more.py": "# %%\na\n" * 20_000}),
    files("a notebook of empty lists", {"more.ipynb": '{"cells": [' + "[]," * 6_000_000 + "[]]}"}),
    files("three zips of a bomb each", dict.fromkeys(["0.zip", "1.zip", "2.zip"], large), seconds=30.0),
    files("a zip of thousands of entries", {"more.zip": lambda: stored({f"{n}": "" for n in range(25_000)})}),
    files("a zip that lies about its sizes", {"more.zip": bytes(LYING)}),
    files("hundreds of files of code", {f"m{n}.py": "a = 1\n" * 2000 for n in range(300)}, seconds=30.0),
    files("archives in archives without end", {"more.zip": lambda: nested(60)}),
    files("zips of zips of zips", dict.fromkeys([f"{n}.zip" for n in range(9)], zips)),
    files(
        "a packed tar of a bomb", {"more.tgz": lambda: gzip.compress(tarred({"a.bin": bytes(200 << 20)}, "w"), 1)}, seconds=25.0
    ),
    files("tars of thousands of entries", dict.fromkeys([f"{n}.tgz" for n in range(4)], tars)),
    files("a gzip of empty members", {"more.tar.gz": gzip.compress(b"") * 300_000}, seconds=25.0),
    files(
        "a tar that lies about its sizes",
        {"more.tar": tarred({"a.py": "x = 1\n"}, "w").replace(b"00000000006", b"77777777777")},
    ),
    files("a tar whose names are megabytes", {"more.tgz": tarred({"a" * 3_000_000: "x"})}),
    files("names that climb out of a tar", {"more.tgz": tarred({"../../A2S1.py": "query121 = 0", "/etc/A2S2.py": "x = 1"})}),
    files("hundreds of texts with answers' names", {f"m{n}.txt": "query121 = (\n" * 2000 for n in range(300)}, seconds=30.0),
    files("merge conflicts without end", {"more.py": "<<<<<<< a\n" * 200_000 + "=======\n" * 200_000}),
    files("letters of another encoding without end", {"more.py": b"# \xe9\nprint('\xe9')\n" * 100_000}, seconds=25.0),
    files("a million lines of UTF-16", {"more.py": ("a\n" * 1_000_000).encode("utf-16")}, seconds=25.0),
    in_notebook("magics around magics", "%%time\n" * 50_000 + "x = 1"),
    in_notebook("broken cells without end", *["x = (\n" * 80 + "elif\n  y\n" * 20] * 500),
    section3("a program that calls itself thousands of times", "def g():\n" + "    a = 1\n" * 3000 + "    main()\n" * 3000),
    section3("calls in comprehensions", "def g():\n    return [" + ",\n".join(["[main(i) for i in a]"] * 800) + "]"),
]
