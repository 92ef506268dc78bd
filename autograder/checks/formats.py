"""Reads every supported notebook or script format into cells, and tells the kind of a file from its name.

Notebooks (see :mod:`.notebook`), Jupytext percent scripts, ``nbconvert --to script`` output, Databricks' source files, Colab's
"Download .py" and plain modules all become a :class:`Document` of code and Markdown cells. To support another format, add it
to ``FORMATS``.
"""

from __future__ import annotations

import ast
import bisect
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .notebook import CODE, MARKDOWN, RAW, read_cells

__all__ = [
    "ARCHIVE",
    "CODE",
    "CODE_SUFFIXES",
    "FORMATS",
    "MARKDOWN",
    "NOTEBOOK",
    "PDF",
    "SCRIPT",
    "Cell",
    "Document",
    "Format",
    "Unreadable",
    "dedented",
    "is_notebook",
    "kind_of_file",
    "parse",
    "parses",
    "read",
    "uncomment_magics",
    "unparse",
]

NOTEBOOK, SCRIPT, ARCHIVE, PDF = ".ipynb", ".py", "archive", "pdf"
PERCENT = re.compile(r"^# %%", re.MULTILINE)
NBCONVERT = re.compile(r"^# In\[[\d ]*\]:", re.MULTILINE)
DATABRICKS = "# Databricks notebook source"
DATABRICKS_CELL = re.compile(r"^# COMMAND -{5,}\s*$")
DATABRICKS_MAGIC = re.compile(r"^# MAGIC ?")
COLAB_COMMENTED = "# Commented out IPython magic to ensure Python compatibility."
MAX_CELLS = 2000
COMMENTED_MAGIC = re.compile(r"^# %%(time|timeit|capture|prun)\b")


class Unreadable(Exception):
    """The file cannot be read at all; the message tells its author why."""


@dataclass(frozen=True)
class Cell:
    """One cell. ``line`` is the number of lines before it in the file (0 in a notebook, where each cell starts at line 1)."""

    kind: str
    source: str
    line: int = 0


@dataclass
class Document:
    """A submitted file as cells. ``numbered``: whether its locations are given by cell number."""

    name: str
    cells: list[Cell]
    format: str
    numbered: bool = False
    notes: list[str] = field(default_factory=list)

    def place(self, cell: int, line: int) -> str:
        """The location of a statement, by cell and line or by line only, depending on the format."""
        return f"cell {cell + 1}, line {line}" if self.numbered else f"line {line}"


@dataclass(frozen=True)
class Format:
    """A file format.

    ``suffixes``: file name suffixes; ``fits(name, text)``: whether a file seems to have this format; ``cells(name, text)``: its
    Document, or None to try the next format. ``cells`` may raise Unreadable.
    """

    suffixes: tuple[str, ...]
    fits: Callable[[str, str], bool]
    cells: Callable[[str, str], Document | None]


def kind_of_file(name: str) -> str:
    """``code``, ``archive``, ``pdf``, or '' for unsupported files, by the suffix of the name."""
    return KINDS.get(PurePosixPath(name).suffix.lower(), "")


def is_notebook(name: str) -> bool:
    """Whether the name has a notebook's suffix."""
    return name.lower().endswith(NOTEBOOK)


def read(name: str, data: bytes, limit: int) -> Document:
    """Read one file of at most ``limit`` bytes; raises Unreadable with a message for the student."""
    if len(data) > limit:
        raise Unreadable(
            f"{name} is {len(data) >> 20} MB, over the limit of {limit >> 20} MB; clear its outputs and save again"
        )
    if not data.strip():
        raise Unreadable(f"{name} is empty")
    text = uncomment_magics(_text(name, data))
    documents = (format.cells(name, text) for format in FORMATS if format.fits(name, text))
    document = next(document for document in documents if document is not None)
    _count_cells(name, len(document.cells))
    return document


def _count_cells(name: str, count: int) -> None:
    if count > MAX_CELLS:
        raise Unreadable(f"{name} has {count} cells, over the limit of {MAX_CELLS}; remove what is not yours and save again")


def _text(name: str, data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise Unreadable(f"{name} is not UTF-8 text; save or download it again as UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"{name} contains NUL bytes: it is not a Python script")
    return _with_newlines(text)


def _with_newlines(text: str) -> str:
    """The text with every line end that Python's parser counts turned into a newline, so that both count the same lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _looks_like_notebook(name: str, text: str) -> bool:
    """Whether a file is a notebook, by its name or, if it was renamed to .py, by its content."""
    return is_notebook(name) or (text.lstrip().startswith("{") and '"cells"' in text)


def _notebook(name: str, text: str) -> Document:
    try:
        sources, regular = read_cells(text)
    except ValueError as error:
        raise Unreadable(f"{name} {error}") from None
    notes = [] if regular else [f"{name} does not follow the notebook format; the readable part of it was graded"]
    # Raw cells are kept, but empty, so that "cell 7" is the seventh cell the student sees.
    cells = [
        Cell(CODE if kind == CODE else MARKDOWN, "" if kind == RAW else _with_newlines(source)) for kind, source in sources
    ]
    return Document(name, cells, "notebook", numbered=True, notes=notes)


def _percent(name: str, text: str) -> Document | None:
    """The cells of a percent script as read by Jupytext; None if it fails."""
    _count_cells(name, sum(1 for _ in PERCENT.finditer(text)))  # before it is read: Jupytext takes milliseconds for each
    try:
        import jupytext

        with warnings.catch_warnings():  # Jupytext and nbformat warn about what a student wrote, on the staff's terminal
            warnings.simplefilter("ignore")
            notebook = jupytext.reads(text, fmt="py:percent")
    except Exception:
        return None
    cells, position, places = [], 0, _places(text.split("\n"))
    for cell in notebook.cells:
        kind = CODE if cell.cell_type == "code" else MARKDOWN
        line = position
        if kind == CODE and cell.source:
            first = cell.source.split("\n", 1)[0]
            found = places.get(first, [])
            at = bisect.bisect_left(found, position)
            line = found[at] if at < len(found) else position
            position = line + cell.source.count("\n") + 1
        cells.append(Cell(kind, cell.source, line))
    return Document(name, cells, "percent script")


def _places(lines: list[str]) -> dict[str, list[int]]:
    """The indexes of each line, in order."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        places.setdefault(line, []).append(number)
    return places


def _nbconvert(name: str, text: str) -> Document:
    return Document(name, list(_nbconvert_cells(text)), "nbconvert script")


def _script(name: str, text: str) -> Document:
    return Document(name, [Cell(CODE, text)], "script")


def _nbconvert_cells(text: str) -> Iterator[Cell]:
    """Split at ``# In[n]:`` markers; the comments before a marker (its Markdown) stay in the previous cell."""
    start = 0
    lines = text.split("\n")
    for number, line in enumerate([*lines, "# In[ ]:"]):
        if NBCONVERT.match(line) and number > start:
            yield Cell(CODE, "\n".join(lines[start:number]), start)
            start = number


def _databricks(name: str, text: str) -> Document:
    lines, cells, start = text.split("\n"), [], 0
    for number, line in enumerate([*lines, "# COMMAND ----------"]):
        if DATABRICKS_CELL.match(line):
            cells.append(_databricks_cell(lines[start:number], start))
            start = number + 1
    return Document(name, cells, "Databricks source file")


def _databricks_cell(lines: list[str], start: int) -> Cell:
    """A cell of code, or what its ``# MAGIC`` lines hold: Markdown after ``%md``, another magic otherwise."""
    text = "\n".join(DATABRICKS_MAGIC.sub("", line) for line in lines)
    if not any(DATABRICKS_MAGIC.match(line) for line in lines):
        return Cell(CODE, text, start)
    magic, _, markdown = text.lstrip().partition("%md")
    return Cell(CODE, text, start) if magic else Cell(MARKDOWN, markdown.removeprefix("-sandbox").lstrip(), start)


def uncomment_magics(text: str) -> str:
    """Restore cells that Colab or Jupytext commented out because they begin with a magic such as ``%%time``.

    The number of lines does not change, so line numbers stay valid.
    """
    if "# %%" not in text and COLAB_COMMENTED not in text:
        return text
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if not COMMENTED_MAGIC.match(line):
            continue
        end = index + 1
        while end < len(lines) and lines[end].startswith("#") and not lines[end].startswith("# %%"):
            end += 1
        block = "\n".join(_uncomment(item) for item in lines[index + 1 : end])
        if block.strip() and parses(block):
            lines[index + 1 : end] = block.split("\n")
    return "\n".join(lines)


def _uncomment(line: str) -> str:
    return line[2:] if line.startswith("# ") else line[1:]


def parses(source: str) -> bool:
    """Whether Python can parse this; never raises."""
    return parse(source) is not None


def parse(source: str) -> ast.Module | None:
    """``ast.parse`` that returns None instead of raising, even for hostile nesting."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def unparse(node: ast.AST) -> str | None:
    """``ast.unparse`` that returns None instead of raising, for trees too deep or with numbers too long to be written."""
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return None


def dedented(source: str) -> str:
    """The source without its common indentation."""
    return textwrap.dedent(source)


# The first format that fits a file and returns a Document is used.
FORMATS = (
    Format((NOTEBOOK,), _looks_like_notebook, _notebook),
    Format((SCRIPT,), lambda _, text: text.startswith(DATABRICKS), _databricks),
    Format((SCRIPT,), lambda _, text: bool(NBCONVERT.search(text)), _nbconvert),
    Format((SCRIPT,), lambda _, text: bool(PERCENT.search(text)), _percent),
    Format((SCRIPT,), lambda *_: True, _script),
)
KINDS = {suffix: CODE for format in FORMATS for suffix in format.suffixes} | {".zip": ARCHIVE, ".pdf": PDF}
# For messages: ".ipynb, .py".
CODE_SUFFIXES = ", ".join(dict.fromkeys(suffix for format in FORMATS for suffix in format.suffixes))
