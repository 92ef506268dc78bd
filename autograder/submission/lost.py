"""What a document holds but does not run, and why: code that Python refuses, and code in text or under another magic."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.core.watch import watch

MAX_LOST = 200  # per document
GAP = r"(?:[^\S\n]|[\u200b-\u200d\u2060\ufeff])"  # what looks like a blank, Python's or not
BLANKS = " \t\u00a0\u200b\u200c\u200d\u2060\ufeff"
BINDS = re.compile(
    rf"^{GAP}*((?:\w+{GAP}*,{GAP}*)*\w+){GAP}*(?::[^=\n]*|\[[^]\n]*\]{GAP}*)?[-+*/@]?=(?!=)|^{GAP}*(?:async{GAP}+)?(?:def|class){GAP}+(\w+)",
    re.MULTILINE,
)
IMPORTS = re.compile(rf"^{GAP}*(?:from{GAP}+[\w.]+{GAP}+)?import{GAP}+([^\n#(]+)", re.MULTILINE)
LINE = re.compile(r"\bline (\d+)")
DETECTED = re.compile(r" \(detected at line \d+\)")


@dataclass(frozen=True)
class Lost:
    """Code that is not run: its cell and line, ``why`` as a clause, and the names that it seems to bind."""

    cell: int
    line: int
    why: str
    names: frozenset[str] = frozenset()


def names_in(text: str) -> dict[str, int]:
    """The names that a text seems to bind, each with the number of lines before it."""
    found: dict[str, int] = {}
    for number, match in _numbered(BINDS, text):
        for name in match[1].split(",") if match[1] else [match[2]]:
            found.setdefault(name.strip(BLANKS), number)
    for number, match in _numbered(IMPORTS, text):
        for words in map(str.split, match[1].split(",")):
            if words:
                found.setdefault(words[-1] if "as" in words else words[0].split(".")[0], number)
    return found


def _numbered(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """The matches, each with the number of lines before it; the text is counted once."""
    number, last = 0, 0
    for match in pattern.finditer(text):
        number += text.count("\n", last, match.start())
        last = match.start()
        yield number, match


def refusal(source: str, before: int) -> tuple[int, str]:
    """(line, words) of the error with which Python refuses a source; ``before``: lines before it. (0, '') if it does not."""
    if watch.at("parse", source):
        return 0, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        words = LINE.sub(lambda found: f"line {int(found[1]) + before}", DETECTED.sub("", error.msg or ""))
        return before + max(error.lineno or 1, 1), words
    except (ValueError, RecursionError, MemoryError):
        return 0, ""
    return 0, ""
