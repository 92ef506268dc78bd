"""Scripts whose cells begin at comments: ``# %%``, ``# In[1]:``, ``# <codecell>``, ``# COMMAND ----------``.

A marker counts only where Python sees a comment: inside a string it is text. Where the strings of a file do not end, its lines
decide. All work is linear in the length of the file.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator

from .document import Cell, Document, parse, parses
from .notebook import CODE, MARKDOWN, RAW

PERCENT = re.compile(r"^#[ \t]*%%+(?=[\s\[]|\Z)(?P<title>.*)", re.MULTILINE)
NBCONVERT = re.compile(r"^# In ?\[[\d *]*\]:", re.MULTILINE)
NAMED = re.compile(r"^#[ \t]*<(?P<kind>code|markdown|html|raw)cell>", re.MULTILINE)
MARKER = re.compile("|".join(re.sub(r"\?P<\w+>", "", p.pattern) for p in (PERCENT, NBCONVERT, NAMED)), re.MULTILINE)
KIND = re.compile(r"\[(markdown|md|raw)\]|^\s*(md)\s*$")
DATABRICKS = "# Databricks notebook source"
DATABRICKS_CELL = re.compile(r"^# COMMAND -{5,}[ \t]*$", re.MULTILINE)
DATABRICKS_MAGIC = re.compile(r"^# MAGIC ?", re.MULTILINE)
DATABRICKS_TITLE = re.compile(r"^# DBTITLE \d+,")
OTHER_LANGUAGE = re.compile(r"%(sql|sh|scala|r|fs|bash|html|javascript)\b")
COLAB_COMMENTED = "# Commented out IPython magic to ensure Python compatibility."
COMMENTED_CELL = re.compile(r"^# %%(?:time|timeit|capture|prun)\b", re.MULTILINE)
COMMENTED_LINE = re.compile(r"^# %(?:time|prun)[ \t].*=", re.MULTILINE)
ANY_MAGIC = re.compile(r"^[ \t]*[!%].*$", re.MULTILINE)

TOKEN = re.compile(r"""#[^\n]*|"{3}|'{3}|"(?:[^"\\\n]+|\\.)*"?|'(?:[^'\\\n]+|\\.)*'?""", re.DOTALL)
CLOSING = {quotes: re.compile(rf"\\.|{quotes}", re.DOTALL) for quotes in ('"""', "'''")}
OVER_LINES = re.compile(r"\"\"\"|'''|\\\n")
MAX_RESTARTS = 10  # strings that do not end and hide markers, after which all markers count


def outside_strings(text: str, offsets: list[int]) -> list[int]:
    """Those of these offsets that do not stand inside a string.

    A string that swallows markers up to the end of the text has no end of its own (the author forgot it): its markers count.
    """
    if not offsets or not OVER_LINES.search(text):
        return offsets
    kept: list[int] = []
    start = index = 0
    for _ in range(MAX_RESTARTS):
        seen, hidden = _seen(text, offsets, start, index)
        kept += seen
        if hidden < 0:
            return kept
        kept.append(offsets[hidden])
        start, index = offsets[hidden], hidden + 1
    return kept + offsets[index:]


def _seen(text: str, offsets: list[int], start: int, index: int) -> tuple[list[int], int]:
    """(those from ``index`` on outside of strings, the index of the first that a string without an end hides or -1)."""
    seen: list[int] = []
    hidden = -1
    for begin, end in _strings(text, start):
        outside = bisect.bisect_left(offsets, begin, index)
        if outside > index:
            seen += offsets[index:outside]
            hidden = -1
        index = len(offsets) if end < 0 else bisect.bisect_left(offsets, end, outside)
        if hidden < 0 and index > outside:
            hidden = outside
        if end < 0:
            return seen, hidden
    return seen + offsets[index:], -1


def _strings(text: str, start: int) -> Iterator[tuple[int, int]]:
    """(begin, end) of each string of more than one line; -1 as the end of one that does not end."""
    while token := TOKEN.search(text, start):
        start = token.end()
        if closing := CLOSING.get(token[0]):
            start = next((found.end() for found in closing.finditer(text, start) if found[0] == token[0]), -1)
            yield token.start(), start
            if start < 0:
                return
        elif token[0][0] != "#" and "\n" in token[0]:
            yield token.start(), start


def lines_of(text: str, marker: re.Pattern[str]) -> list[int]:
    """The indexes of the lines at which a marker stands that Python sees as a comment."""
    numbers, number, last = [], 0, 0
    for offset in outside_strings(text, [found.start() for found in marker.finditer(text)]):
        number += text.count("\n", last, offset)
        last = offset
        numbers.append(number)
    return numbers


def _parts(lines: list[str], starts: list[int]) -> Iterator[tuple[int, int]]:
    """(first line, line after the last one) of what stands before the first marker and of each cell."""
    if "".join(lines[: starts[0]]).strip():
        yield 0, starts[0]
    yield from zip(starts, [*starts[1:], len(lines)])


def marked(name: str, text: str) -> Document | None:
    """A percent script (VS Code, Spyder, Jupytext) or what ``nbconvert --to script`` wrote; None without a marker."""
    starts = lines_of(text, MARKER)
    if not starts:
        return None
    lines = text.split("\n")
    cells = [cell for start, end in _parts(lines, starts) for cell in _marked_cells(lines[start:end], start)]
    return Document(name, cells, "nbconvert script" if NBCONVERT.match(lines[starts[0]]) else "percent script")


def _marked_cells(lines: list[str], start: int) -> Iterator[Cell]:
    """The cell under a marker; nbconvert leaves the comments before a marker, its Markdown, in the cell before."""
    kind = _kind(lines[0])
    if kind == RAW:
        yield Cell(RAW, "\n".join(lines[1:]), start + 1)
    elif kind == MARKDOWN:
        yield from _markdown(lines[1:], start + 1)
    elif body := _uncommented_magic(lines):
        yield Cell(CODE, body, start + 1)
    else:
        yield Cell(CODE, "\n".join(lines), start)


def _kind(marker: str) -> str:
    if named := NAMED.match(marker):
        return {"code": CODE, "raw": RAW}.get(named["kind"], MARKDOWN)
    percent = PERCENT.match(marker)
    kind = KIND.search(percent["title"]) if percent else None
    return CODE if not kind else RAW if kind[1] == "raw" else MARKDOWN


def _markdown(lines: list[str], start: int) -> Iterator[Cell]:
    """Markdown as comments or as one string; what follows it is code, as it is for Python."""
    end = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    markdown = [_uncomment(line) for line in lines[:end]]
    code = "\n".join(lines[end:])
    tree = parse(code) if code.lstrip("rR").startswith(('"', "'")) else None
    if tree and (string := string_of(tree.body[0])) is not None:
        markdown += string.split("\n")
        end += tree.body[0].end_lineno or 0
        code = "\n".join(lines[end:])
    yield Cell(MARKDOWN, "\n".join(markdown), start)
    if code.strip():
        yield Cell(CODE, code, start + end)


def string_of(node: object) -> str | None:
    """The text of a statement that is nothing but a string."""
    value = getattr(getattr(node, "value", None), "value", None)
    return value if isinstance(value, str) and type(node).__name__ == "Expr" else None


def _uncommented_magic(lines: list[str]) -> str:
    """The code of a cell that is all comments because it begins with a magic (``# %%writefile x.py``); '' for others."""
    if len(lines) > 1 and lines[1].startswith("# %%") and all(line[:1] in ("#", "") for line in lines):
        return "\n".join(map(_uncomment, lines[1:]))
    return ""


def databricks(name: str, text: str) -> Document:
    """Databricks' source format: what is not Python stands behind ``# MAGIC``."""
    lines, magics = text.split("\n"), set(lines_of(text, DATABRICKS_MAGIC))
    ends = [*lines_of(text, DATABRICKS_CELL), len(lines)]
    starts = [0, *(end + 1 for end in ends)]
    cells = [_databricks_cell(lines[start:end], start, magics) for start, end in zip(starts, ends)]
    return Document(name, cells, "Databricks source file")


def _databricks_cell(lines: list[str], start: int, magics: set[int]) -> Cell:
    """A cell of code, or what its ``# MAGIC`` lines hold: Markdown after ``%md``, another magic otherwise."""
    lines = [DATABRICKS_TITLE.sub("# ", line) for line in lines]
    held = [DATABRICKS_MAGIC.sub("", line) if start + n in magics else line for n, line in enumerate(lines)]
    first = next((n for n in range(len(lines)) if start + n in magics), -1)
    if first < 0 or any(line.strip() and line[0] != "#" for line in lines[:first]):
        return Cell(CODE, "\n".join(held), start)
    return _databricks_magic(held, first, start)


def _databricks_magic(held: list[str], first: int, start: int) -> Cell:
    """A cell without its ``# MAGIC``; ``first``: the line at which that begins, below the cell's title."""
    title, text = "\n".join(held[:first]), "\n".join(held[first:])
    magic = text.lstrip()
    above = text[: len(text) - len(magic)].count("\n") + first
    if magic.startswith("%md"):
        return Cell(MARKDOWN, magic[3:].removeprefix("-sandbox").lstrip(" "), start + above)
    if magic.startswith("%python"):
        return Cell(CODE, "\n".join([*([title] if first else []), _blank(text, "%python")]), start)
    return Cell(CODE, f"%{magic}", start + above) if OTHER_LANGUAGE.match(magic) else Cell(CODE, "\n".join(held), start)


def _blank(text: str, word: str) -> str:
    """The text without the first ``word``, as many lines as before."""
    before, _, after = text.partition(word)
    return before + after.lstrip(" ")


def uncomment_magics(text: str) -> str:
    """Restore code that Colab or Jupytext commented out because it begins with a magic such as ``%%time``.

    The number of lines does not change, so line numbers stay valid.
    """
    if "# %" not in text:
        return text
    lines = text.split("\n")
    for index in lines_of(text, COMMENTED_CELL):
        end = index + 1
        while end < len(lines) and lines[end].startswith("#") and not lines[end].startswith("# %%"):
            end += 1
        block = "\n".join(map(_uncomment, lines[index + 1 : end]))
        if block.strip() and parses(ANY_MAGIC.sub("pass", block)):
            lines[index + 1 : end] = block.split("\n")
    if COLAB_COMMENTED in text or MARKER.search(text) or "jupytext:" in text[:2000]:
        for index in lines_of(text, COMMENTED_LINE):
            lines[index] = _uncomment(lines[index])
    return "\n".join(lines)


def _uncomment(line: str) -> str:
    return line[2:] if line.startswith("# ") else line.removeprefix("#")
