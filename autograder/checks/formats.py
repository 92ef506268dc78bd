"""Reads every supported notebook or script format into cells, and tells the kind of a file from its name.

Notebooks (:mod:`.notebook`), scripts with marked cells, Databricks' source files (:mod:`.markers`), marimo's apps
(:mod:`.marimo`), Quarto documents (:mod:`.fences`), Colab's "Download .py" and plain modules all become a :class:`Document` of
code, Markdown and raw cells. To support another format, add it to ``FORMATS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import marimo
from .document import Cell, Document, Unreadable, outdented, parse, parses, unparse
from .encodings import text_of
from .fences import fenced
from .markers import DATABRICKS, databricks, marked, outside_strings, uncomment_magics
from .naming import ARCHIVE, NOTEBOOK, PDF, SCRIPT, TEXT, kind_of_name
from .notebook import CODE, MARKDOWN, RAW, NotJson, cells_left, read_cells
from .remarks import CONFLICT, conflict_in, refuse_loss, tell_conflict

__all__ = [
    "ARCHIVE",
    "CODE",
    "CODE_SUFFIXES",
    "FORMATS",
    "MARKDOWN",
    "NOTEBOOK",
    "PDF",
    "RAW",
    "SCRIPT",
    "SUFFIXES",
    "TEXT",
    "Cell",
    "Document",
    "Format",
    "Unreadable",
    "is_notebook",
    "kind_of_file",
    "outdented",
    "outside_strings",
    "parse",
    "parses",
    "read",
    "uncomment_magics",
    "unparse",
]

QUARTO = (".qmd", ".rmd")
MAX_CELLS = 2000
OTHER_INDENT = re.compile(r"^[ \t]*[\u00a0\u2007\u202f\u3000][ \t\u00a0\u2007\u202f\u3000]*", re.MULTILINE)
PLAIN = dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000"), " ")


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
    """``code``, ``archive``, ``pdf``, ``text`` (code if it holds answers), or '' for unsupported files, by the name."""
    return kind_of_name(name, SUFFIXES)


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
    text, lossy = text_of(name, data)
    text = uncomment_magics(_with_newlines(text))
    documents = (format.cells(name, text) for format in FORMATS if format.fits(name, text))
    document = next(document for document in documents if document is not None)
    document.cells = [replace(cell, source=_with_plain_indents(cell.source)) for cell in document.cells]
    _count_cells(name, len(document.cells))
    if is_notebook(name) and not document.numbered:
        document.notes.append(f"{name} is a script, in spite of its name, and was read as one")
    if lossy:
        refuse_loss(document)
    if "<<<<<<<" in text:
        tell_conflict(document, text)
    return document


def _count_cells(name: str, count: int) -> None:
    if count > MAX_CELLS:
        raise Unreadable(f"{name} has {count} cells, over the limit of {MAX_CELLS}; remove what is not yours and save again")


def _with_newlines(text: str) -> str:
    """The text with every line end that Python's parser counts turned into a newline, so that both count the same lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _with_plain_indents(source: str) -> str:
    """The source with ordinary blanks at the beginning of lines, where copying from a page or a document leaves others."""
    return OTHER_INDENT.sub(lambda found: found[0].translate(PLAIN), source)


def _looks_like_notebook(name: str, text: str) -> bool:
    """Whether a file is a notebook, by its content and, as a script may bear a notebook's name, by its name."""
    start = text.lstrip()[:7]
    if is_notebook(name):
        return start.startswith(("{", "[", '"{', "<<<<<<<")) or '"cell_type"' in text
    return start.startswith(("{", "<<<<<<<")) and '"cells"' in text


def _notebook(name: str, text: str) -> Document:
    try:
        sources, regular = read_cells(text)
        problem = "" if regular else "does not follow the notebook format"
    except NotJson:
        if line := conflict_in(text):
            raise Unreadable(f"{name} is not valid JSON: line {line} begins {CONFLICT}") from None
        sources, problem = _cells_left(name, text), "is damaged or cut off (its JSON is not valid)"
    except ValueError as error:
        raise Unreadable(f"{name} {error}") from None
    notes = [f"{name} {problem}; the readable part of it was graded"] if problem else []
    cells = [Cell(kind, _with_newlines(source)) for kind, source in sources]
    return Document(name, cells, "notebook", numbered=True, notes=notes)


def _cells_left(name: str, text: str) -> list[tuple[str, str]]:
    try:
        return cells_left(text)
    except ValueError as error:
        raise Unreadable(f"{name} {error}") from None


def _script(name: str, text: str) -> Document:
    return Document(name, [Cell(CODE, text)], "script")


# The first format that fits a file and returns a Document is used.
FORMATS = (
    Format((NOTEBOOK,), _looks_like_notebook, _notebook),
    Format((SCRIPT,), lambda _, text: text.lstrip().startswith(DATABRICKS), databricks),
    Format(QUARTO, lambda name, _: name.lower().endswith(QUARTO), fenced),
    Format((SCRIPT,), marimo.is_app, marimo.app),
    Format((SCRIPT,), lambda *_: True, marked),
    Format((SCRIPT,), lambda *_: True, _script),
)
SUFFIXES = tuple(dict.fromkeys(suffix for format in FORMATS for suffix in format.suffixes))
CODE_SUFFIXES = ", ".join(SUFFIXES)  # for messages: ".ipynb, .py"
