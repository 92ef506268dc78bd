"""Hostile files: what cannot be read, what is too much, and names that climb out."""

from __future__ import annotations

import struct

from hostile.case import S1, S2, SECTION_1, Hostile
from support.zips import zipped


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
CASES = [
    unreadable("damaged UTF-16", {"A2S1.py": b"\xff\xfe" + S1.encode("utf-16-le")[:-1]}),
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
    Hostile("files", "a zip bomb", {"work.zip": lambda: zipped({"A2S1.py": b"#" * (200 << 20)})}, refused=True),
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
