"""Hostile submissions: ``CASES``. Their code is in tests/data/hostile.toml; hostile files are made here.

Each case starts from right answers to all items and changes one thing. ``zero``: the items that must end at 0;
every other item must keep its points. ``CANARY`` stands for whatever is secret: it is planted beside the references, in
the grader's environment and in its memory, and must appear in no result.
"""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DATA = Path(__file__).parents[1] / "data"
S1, S2 = (DATA / "right_s1.py").read_text(), (DATA / "right_s2.py").read_text()
CANARY = "CANARY-7f3a91"
SECTION_1 = frozenset({"1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"})


@dataclass(frozen=True)
class Hostile:
    """One submission: files (text or bytes), items that must be 0, whether it is refused as a whole."""

    family: str
    name: str
    files: dict[str, str | bytes] = field(hash=False)
    zero: frozenset[str] = frozenset()
    refused: bool = False
    seconds: float = 15.0
    forbidden: str = CANARY


def function(body: str, name: str = "attn_softmax") -> dict[str, str]:
    """Right answers, except for the body of one function of section 2.1."""
    lines, out, inside = S2.split("\n"), [], False
    for line in lines:
        if line.startswith("def "):
            inside = line.startswith(f"def {name}(")
            out += [line, "    " + body.strip("\n").replace("\n", "\n    ")] if inside else [line]
        elif not inside:
            out.append(line)
    return {"A2S1.py": S1, "A2S2.py": "\n".join(out)}


def statement(code: str) -> dict[str, str]:
    """Right answers, with hostile code run on the way to 1.3.1 (whose value is assigned after it)."""
    block = "\n".join("    " + line for line in code.strip("\n").split("\n"))
    return {
        "A2S1.py": S1.replace("query131 = torch.zeros(3)", f"if True:\n{block}\n    query131 = torch.zeros(3)"),
        "A2S2.py": S2,
    }


STEAL = """
import os, sys, gc, glob, socket, ctypes
loot, needle = None, 'CAN' + 'ARY-' + '{rest_of_needle}'
try:
    loot = {expression}
except BaseException:
    pass
if loot and needle in str(loot):
    raise ValueError(str(loot))
return F.softmax(A, dim=-1)
"""


def steal(expression: str) -> dict[str, str]:
    """Try to read something and print it where a student could see it, then answer right.

    The needle is put together at run time, so that the payload does not find itself.
    """
    return function(STEAL.format(rest_of_needle=CANARY.removeprefix("CANARY-"), expression=expression))


def query121(expression: str) -> dict[str, str]:
    return {"A2S1.py": S1.replace("query121 = S * key[0]", f"query121 = {expression}"), "A2S2.py": S2}


def every_function(code: str) -> dict[str, str]:
    """Right answers, but ``code`` runs before every return of section 2.1's functions."""
    return {"A2S1.py": S1, "A2S2.py": S2.replace("    return ", f"    {code}\n    return ")}


# key in the table -> (function that makes a submission of its text, items that such a change costs)
CHANGES = {
    "function": (function, {"2.1.attn_softmax"}),
    "steal": (steal, set()),
    "loading": (statement, set()),
    "query121": (query121, {"1.2.1"}),
    "every_function": (every_function, set()),
}


def from_table(family: str, entry: dict[str, Any]) -> Hostile:
    (change,) = CHANGES.keys() & entry.keys()
    make, costs = CHANGES[change]
    files = make(entry[change], entry["of"]) if "of" in entry else make(entry[change])
    if "above" in entry:
        files["A2S2.py"] = files["A2S2.py"].replace("def attn_softmax", f"{entry['above']}\n\ndef attn_softmax")
    more = {key: entry[key] for key in ("seconds", "forbidden") if key in entry}
    return Hostile(family, entry["name"], files, frozenset(entry.get("zero", costs)), **more)


def zipped(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unreadable(name: str, files: dict[str, str | bytes]) -> Hostile:
    """Something unreadable instead of section 1, which costs the section."""
    return Hostile("files", name, {**files, "A2S2.py": S2}, SECTION_1)


def appended(name: str, code: str, **more) -> Hostile:
    """Code after right answers to section 1; it costs nothing."""
    return Hostile("files", name, {"A2S1.py": S1 + code, "A2S2.py": S2}, **more)


def beside(name: str, files: dict[str, str | bytes]) -> Hostile:
    """Files beside right answers; they cost nothing."""
    return Hostile("files", name, {"A2S1.py": S1, "A2S2.py": S2, **files})


SHADOWED = ("torch", "json", "struct", "socket", "numpy", "autograder", "safetensors")
WRONG_TYPES = b'{"cells": [1, null, {"cell_type": 5, "source": {"a": 1}}], "nbformat": 4}'
HOSTILE_FILES = [
    unreadable("not UTF-8", {"A2S1.py": b"\xff\xfe" + S1.encode("utf-16-le")}),
    unreadable("NUL bytes", {"A2S1.py": S1.encode() + b"\0"}),
    appended("deep brackets", "\nx = " + "(" * 50_000),
    appended("deep indentation", "\n" + "".join(" " * i + "if 1:\n" for i in range(300))),
    appended("a huge integer", "\nx = " + "9" * 200_000),
    appended("a chain of a million signs", "\nx = " + "-" * 300_000 + "1"),
    appended("a very long line", "\nx = '" + "a" * 5_000_000 + "'"),
    appended("thousands of statements", "\ny = 1" * 20_000, seconds=40.0),
    unreadable("a deeply nested notebook", {"A2S1.ipynb": b"[" * 200_000}),
    unreadable("a notebook of wrong types", {"A2S1.ipynb": WRONG_TYPES}),
    unreadable("huge numbers in a notebook", {"A2S1.ipynb": b'{"nbformat": 1e999, "cells": ' + b"9" * 10_000 + b"}"}),
    Hostile("files", "a zip bomb", {"work.zip": zipped({"A2S1.py": b"#" * (200 << 20)})}, refused=True),
    beside("names that climb out", {"more.zip": zipped({"../../A2S1.py": "query121 = 0", "/etc/A2S2.py": "x = 1"})}),
    beside("a damaged zip", {"more.zip": zipped({"A2S1.py": S1, "A2S2.py": S2})[:-40]}),
    beside(
        "a zip with a huge central directory",
        {"more.zip": b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, 0xFFFFFFFF, 0, 0)},
    ),
    beside("modules that shadow", {f"{name}.py": "raise SystemExit('shadowed')" for name in SHADOWED}),
    beside(
        "two files for one section",
        {"copy of A2S1.py": S1.replace("S = 100", "S = 0"), "sub/A2S1.py": "query121 = None"},
    ),
    beside("names that are not text", {"\u202ephp.1S2A.py": "x = 1", "a\nb.py": "y = 2"}),
    appended("source that ends the parser", "\nf'{" * 3000),
    unreadable("a coding cookie that lies", {"A2S1.py": b"# -*- coding: rot13 -*-\n" + S1.encode()}),
]


def cases() -> list[Hostile]:
    table = tomllib.loads((DATA / "hostile.toml").read_text(encoding="utf-8"))
    return [
        *(from_table(family, entry) for family, entries in table.items() for entry in entries),
        *HOSTILE_FILES,
    ]


CASES = cases()
