"""What a document's author is told about its text as a whole: letters that were lost, merge conflicts that git left in it."""

from __future__ import annotations

import re

from .document import Document, Unreadable, parses
from .encodings import AS_UTF8, MAX_PARSED, line_that_matters
from .notebook import CODE

MARKERS = tuple(re.compile(rf"^{sign}{{7}}(?: .*)?$", re.MULTILINE) for sign in "<=>")
CONFLICT = "a merge conflict that git left: keep one of its two versions and remove the lines <<<<<<<, ======= and >>>>>>>"


def refuse_loss(document: Document) -> None:
    """Tell that letters were lost in decoding. Raises Unreadable if they may matter."""
    for number, cell in enumerate(document.cells):
        if cell.kind == CODE and (line := line_that_matters(cell.source)):
            place = document.place(number, cell.line + line)
            raise Unreadable(f"{document.name} is not UTF-8 text, and {place} holds a letter that cannot be read; {AS_UTF8}")
    document.notes.append(f"{document.name} is not UTF-8 text; only comments and messages hold letters that cannot be read")


def conflict_in(text: str) -> int:
    """The line (from 1) at which a merge conflict begins; 0 if there is none."""
    start, first = 0, 0
    for marker in MARKERS:
        found = marker.search(text, start)
        if not found:
            return 0
        first, start = first or text.count("\n", 0, found.start()) + 1, found.end()
    return first


def tell_conflict(document: Document, text: str) -> None:
    """Tell where the first merge conflict is, if a cell (of a script: all of it) is no Python with it."""
    pieces = [cell.source if cell.kind == CODE else "" for cell in document.cells] if document.numbered else [text]
    for number, source in enumerate(pieces):
        if (line := conflict_in(source)) and len(source) <= MAX_PARSED and not parses(source):
            document.notes.append(f"{document.name}, {document.place(number, line)} begins {CONFLICT}")
            return
