"""Quarto's and R Markdown's documents: Markdown with code between fences, of which ``{python}`` is run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .document import Cell, Document, outdented
from .notebook import CODE, MARKDOWN, RAW

FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`\n]*)$")
PYTHON = re.compile(r"\{\s*python[\s,}]|\{code-cell\}", re.IGNORECASE)


def fenced(name: str, text: str) -> Document:
    """The text, and the code that is run, in order; other blocks are kept as raw cells."""
    return Document(name, list(_cells(text.split("\n"))), "Quarto document")


def _cells(lines: list[str]) -> Iterator[Cell]:
    start, closing, kind, indent = 0, "", MARKDOWN, 0
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if not fence or (closing and not (fence[2].startswith(closing) and not fence[3].strip())):
            continue
        yield _cell(kind, lines[start:number], start, indent)
        start = number + 1
        if closing:
            closing, kind, indent = "", MARKDOWN, 0
        else:
            closing, kind, indent = fence[2], CODE if PYTHON.match(fence[3]) else RAW, len(fence[1])
    yield _cell(kind, lines[start:], start, indent)


def _cell(kind: str, lines: list[str], start: int, indent: int) -> Cell:
    return Cell(kind, outdented(lines, indent), start)
