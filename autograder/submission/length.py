"""How much of a document's code is read: ends and lines that are too long are cut off."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from autograder.checks.formats import CODE, Cell

if TYPE_CHECKING:
    from autograder.submission.statements import Parsed

# A text counts once, unless it may hold code in braces; on a line that only gives it a name it holds none.
WORD = re.compile(r"""^\w+ = (?:"[^"\\\n]*"|'[^'\\\n]*')$|\w+|"[^"\n{]*"|'[^'\n{]*'|[^\w\s]""", re.MULTILINE)
# A tree of Python takes a hundred times the memory of its text: half a kilobyte for each word and sign.
MAX_WORDS, MAX_CELL_WORDS = 60_000, 40_000
MAX_LINE_WORDS = 4000
MAX_CODE = 4 << 20  # characters


def within_limits(parsed: Parsed) -> Iterator[Cell]:
    """The cells, with the ends of code that is too long cut off; the document keeps what is left, and no Markdown."""
    words, characters, document = MAX_WORDS, MAX_CODE, parsed.document
    count = sum(len(cell.source) for cell in document.cells if cell.kind == CODE) > MAX_CELL_WORDS
    for number, whole in enumerate(document.cells):
        kept = whole.source[: max(characters, 0)] if whole.kind == CODE else ""
        cell = document.cells[number] = replace(whole, source=kept)
        if cell.kind != CODE:
            yield whole
            continue
        parsed.cut = parsed.cut or len(kept) < len(whole.source)
        if count and _exceeds(cell.source, min(words, MAX_CELL_WORDS)):
            cell = replace(cell, source=_without_long_lines(parsed, number, cell))
        end = _end_of(cell.source, min(words, MAX_CELL_WORDS), len(kept) - (len(kept) < len(whole.source)))
        if end < len(cell.source):
            parsed.note(
                f"{document.name} holds too much code, and not all was read: a cell may have {MAX_CELL_WORDS} words and signs, "
                f"a file {MAX_WORDS} and {MAX_CODE} characters"
            )
            cell = replace(cell, source=cell.source[:end])
        words -= sum(1 for _ in WORD.finditer(cell.source)) if count else 0
        characters -= len(kept)
        yield cell


def _exceeds(source: str, words: int) -> bool:
    return next(itertools.islice(WORD.finditer(source), max(words, 0), None), None) is not None


def _without_long_lines(parsed: Parsed, number: int, cell: Cell) -> str:
    """The source of a cell that is too long, without the lines that are too long by themselves."""
    lines = cell.source.split("\n")
    for at, line in enumerate(lines):
        if len(line) > MAX_LINE_WORDS and _exceeds(line, MAX_LINE_WORDS):
            lines[at] = ""
            parsed.leave_out(number, cell.line + at + 1, f"has over {MAX_LINE_WORDS} words and signs in one line")
    return "\n".join(lines)


def _end_of(source: str, words: int, characters: int) -> int:
    """Where to cut a source so that no more than so many words and characters remain, all lines whole."""
    if len(source) <= min(words, characters):
        return len(source)
    last = next(itertools.islice(WORD.finditer(source), max(words, 0), None), None)
    end = min(last.start() if last else len(source), max(characters, 0))
    return len(source) if end >= len(source) else source.rfind("\n", 0, end) + 1
