"""Reads every supported notebook or script format into cells, and tells the kind of a file from its name.

Notebooks (:mod:`.notebook`), scripts with marked cells, Databricks' source files (:mod:`.markers`), marimo's apps
(:mod:`.marimo`), Quarto documents (:mod:`.fences`), Colab's "Download .py" and plain modules all become a :class:`Document` of
code, Markdown and raw cells. To support another format, add it to ``FORMATS``.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from . import marimo
from .document import Cell, Document, Unreadable, dedented, parse, parses
from .fences import fenced
from .markers import DATABRICKS, databricks, marked, outside_strings, uncomment_magics
from .notebook import CODE, MARKDOWN, RAW, read_cells

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
    "Cell",
    "Document",
    "Format",
    "Unreadable",
    "dedented",
    "is_notebook",
    "kind_of_file",
    "outside_strings",
    "parse",
    "parses",
    "read",
    "uncomment_magics",
]

NOTEBOOK, SCRIPT, ARCHIVE, PDF = ".ipynb", ".py", "archive", "pdf"
QUARTO = (".qmd", ".rmd")
MAX_CELLS = 2000


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
    except (SyntaxError, UnicodeDecodeError, LookupError):
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
    cells = [Cell(kind, _with_newlines(source)) for kind, source in sources]
    return Document(name, cells, "notebook", numbered=True, notes=notes)


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
KINDS = {suffix: CODE for format in FORMATS for suffix in format.suffixes} | {".zip": ARCHIVE, ".pdf": PDF}
# For messages: ".ipynb, .py".
CODE_SUFFIXES = ", ".join(dict.fromkeys(suffix for format in FORMATS for suffix in format.suffixes))
