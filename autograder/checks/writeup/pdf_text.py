"""Extracts a PDF's text page by page: bytes on stdin, JSON on stdout. A separate program: a hostile PDF can hang or eat memory.

Run with limits by ``pages.read_pdf``, which does not trust its output. Needs pypdf.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pypdf

READ_PAGES = 60
PAGE_CHARACTERS = 20_000
SECONDS, MEMORY = 20, 1 << 30
# Marks the place of a picture in the text, on a separate line (U+FFFC, the object replacement character).
PICTURE = "\ufffc"
# In points. Smaller images are icons, lines shorter than LONG are fraction bars and underlines, and filled areas that are not
# THIN are backgrounds of text.
SMALL, LONG, THIN = 20, 40, 3
# Slanted lines and wide curves make a drawing; straight lines make tables, and narrow curves bullets and rounded corners.
SLANT, BEND = 1, 12
MANY = 4  # this many long lines in a form make it a picture, whatever their direction
LABEL, LABELS = 25, 500  # most characters in one axis label, and in all labels of a picture
MOST_OPERATORS = 200_000
FILLED = (b"f", b"F", b"f*")
PAINTED = (*FILLED, b"S", b"s", b"B", b"B*", b"b", b"b*")


def limit() -> None:
    """Limit processor time and memory and forbid writing files, if the system supports such limits."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline still applies
        return
    limits = {"CPU": SECONDS, "AS": MEMORY, "FSIZE": 0, "CORE": 0}
    for name, value in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS rejects some of them
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def describe(data: bytes, limited: bool = True) -> dict[str, Any]:
    """Return ``{"pages": count, "text": [str, …], "lines": [count, …]}``, or ``{"problem": one word}``; never raises.

    ``text``: the text of each page, with PICTURE in place of pictures; ``lines``: how many long lines each page draws.
    """
    try:
        import pypdf
    except ImportError:
        return {"problem": "pypdf"}
    logging.disable(logging.CRITICAL)
    if limited:
        limit()
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"problem": "encrypted"}
        count, text, lines = len(reader.pages), [], []
        for number in range(min(count, READ_PAGES)):
            words, drawn = page_of(reader, number, pypdf.errors.DependencyError)
            text.append(words[:PAGE_CHARACTERS])
            lines.append(drawn)
        return {"pages": count, "text": text, "lines": lines}
    except pypdf.errors.DependencyError:  # a cipher that pypdf needs another package for
        return {"problem": "encrypted"}
    except MemoryError:
        return {"problem": "memory"}
    except Exception:  # pypdf raises many kinds on damaged files
        return {"problem": "damaged"}


def page_of(reader: pypdf.PdfReader, number: int, fatal: type[Exception]) -> tuple[str, int]:
    """The text of a page with its PICTUREs, and its number of long lines; ("", 0) if the page is damaged."""
    sketch = Sketch()
    try:
        page = reader.pages[number]
        words = page.extract_text(
            visitor_operand_before=sketch.before, visitor_operand_after=sketch.after, visitor_text=sketch.write
        )
        return sketch.text(words), sketch.lines
    except (MemoryError, fatal):
        raise
    except Exception:
        pass
    try:  # the drawing is damaged or too complex: read the text only
        return reader.pages[number].extract_text() + f"\n{PICTURE}" * sketch.busy(), sketch.lines
    except (MemoryError, fatal):
        raise
    except Exception:
        return "", 0


class Label(str):
    """A piece of text that belongs to a picture."""

    __slots__ = ()


class Sketch:
    """Records what a page draws, through the callbacks that pypdf makes for each operator and each piece of text."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.operators = self.lines = 0
        self.opened: list[tuple[int, int, int]] = []  # for each open form: operators, lines and pieces before it
        self.new_path()

    def new_path(self) -> None:
        """Discard the current path and begin a new one."""
        self.points: list[tuple[float, float]] = []
        self.slanting = False

    def busy(self) -> bool:
        """Whether the page draws too much to look at all of it."""
        return self.operators >= MOST_OPERATORS

    def write(self, text: str, *_: Any) -> None:
        """Callback for a piece of text."""
        self.pieces.append(text)

    def text(self, words: str) -> str:
        """The pieces of text with pictures in between; if the pieces differ from ``words``, the words, then the pictures."""
        if "".join(piece for piece in self.pieces if piece != PICTURE) != words:
            return words + f"\n{PICTURE}" * self.pieces.count(PICTURE)
        shown = (piece for piece in self.pieces if not isinstance(piece, Label))
        return "".join(f"\n{PICTURE}\n" if piece == PICTURE else piece for piece in shown)

    def before(self, operator: bytes, operands: list[Any], matrix: list[float], _: Any) -> None:
        """Callback before an operator takes effect; raises OverflowError if the page draws too much."""
        self.operators += 1
        if self.busy():
            raise OverflowError("too much is drawn")
        try:
            self.draw(operator, operands, matrix)
        except (TypeError, ValueError, IndexError):  # a damaged operator draws nothing
            self.new_path()

    def draw(self, operator: bytes, operands: list[Any], matrix: list[float]) -> None:
        if operator == b"Do":
            self.opened.append((self.operators, self.lines, len(self.pieces)))
        elif operator == b"INLINE IMAGE":
            self.image(matrix)
        elif operator in (b"m", b"l", b"c", b"v", b"y"):
            self.line_to(operator, [float(x) for x in operands], matrix)
        elif operator == b"re":
            x, y, width, height = (float(x) for x in operands)
            self.points += [transformed(x, y, matrix), transformed(x + width, y + height, matrix)]
        elif operator in PAINTED:
            self.paint(stroked=operator not in FILLED)
            self.new_path()
        elif operator == b"n":
            self.new_path()

    def after(self, operator: bytes, operands: list[Any], matrix: list[float], _: Any) -> None:
        """Callback after an operator. An object without operators is an image; all that a form draws is one picture."""
        if operator != b"Do" or not self.opened:
            return
        operators, lines, pieces = self.opened.pop()
        if operators == self.operators:
            self.image(matrix)
        elif PICTURE in self.pieces[pieces:] or self.lines - lines >= MANY:
            words = [piece for piece in self.pieces[pieces:] if piece != PICTURE]
            self.pieces[pieces:] = [*(map(Label, words) if sum(map(len, words)) <= LABELS else words), PICTURE]

    def image(self, matrix: list[float]) -> None:
        if min(math.hypot(*matrix[:2]), math.hypot(*matrix[2:4])) >= SMALL:
            self.pieces.append(PICTURE)

    def drawing(self) -> None:
        """Record a path of a drawing; it belongs to the previous picture if there are only labels in between."""
        last = next((at for at in reversed(range(len(self.pieces))) if self.pieces[at] == PICTURE), -1)
        if last < 0 or any(len(line) > LABEL for line in "".join(self.pieces[last + 1 :]).split("\n")):
            self.pieces.append(PICTURE)

    def line_to(self, operator: bytes, numbers: list[float], matrix: list[float]) -> None:
        x, y = numbers[-2:]
        point = transformed(x, y, matrix)
        if operator != b"m" and self.points:
            least = SLANT if operator == b"l" else BEND
            self.slanting |= all(abs(new - old) >= least for new, old in zip(point, self.points[-1]))
        self.points.append(point)

    def paint(self, stroked: bool) -> None:
        """Record the current path: a long line, part of a drawing, or neither."""
        if not self.points:
            return
        wide, high = (max(axis) - min(axis) for axis in zip(*self.points))
        self.lines += max(wide, high) >= LONG and (stroked or min(wide, high) <= THIN)
        if self.slanting and max(wide, high) >= LONG and min(wide, high) >= 5:
            self.drawing()


def transformed(x: float, y: float, matrix: list[float]) -> tuple[float, float]:
    """The position of a point on the page."""
    return x * matrix[0] + y * matrix[2] + matrix[4], x * matrix[1] + y * matrix[3] + matrix[5]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe(sys.stdin.buffer.read())))
