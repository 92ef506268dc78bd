"""A PDF's text, page by page: bytes on stdin, JSON on stdout. A program of its own: a hostile PDF can hang or eat memory.

Run with limits by ``reading.read_pdf``, which believes nothing of what comes back. Needs pypdf.
"""

from __future__ import annotations

import io
import json
import logging
import math
import sys

READ_PAGES = 60
PAGE_CHARACTERS = 20_000
SECONDS, MEMORY = 20, 1 << 30
# In the text, on a line of its own where a picture stands (U+FFFC, the object replacement character).
PICTURE = "\ufffc"
# Points: smaller images are icons; lines shorter than LONG belong to fractions and words underlined; areas that are filled
# and not THIN lie behind text.
SMALL, LONG, THIN = 20, 40, 3
# Slanting lines and wide bends make a drawing; upright lines make tables, narrow bends bullets and rounded corners.
SLANT, BEND = 1, 12
MANY = 4  # long lines of a form that make it a picture however they run
LABEL, LABELS = 25, 500  # characters at most of an axis's numbers and names: of one, and of all those of a picture
MOST_OPERATORS = 200_000
FILLED = (b"f", b"F", b"f*")
PAINTED = (*FILLED, b"S", b"s", b"B", b"B*", b"b", b"b*")


def limit() -> None:
    """Processor time and memory, and no files written, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline still holds
        return
    limits = {"CPU": SECONDS, "AS": MEMORY, "FSIZE": 0, "CORE": 0}
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        except (ValueError, OSError):  # macOS refuses some of them
            pass


def describe(data: bytes, limited: bool = True) -> dict:
    """``{"pages": count, "text": [str, …], "lines": [count, …]}``, or ``{"problem": one word}``; never raises.

    ``text``: with a PICTURE wherever one stands; ``lines``: how many long lines each page draws.
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
    except pypdf.errors.DependencyError:  # a cipher that pypdf alone does not know
        return {"problem": "encrypted"}
    except MemoryError:
        return {"problem": "memory"}
    except Exception:  # pypdf raises many kinds on damaged files
        return {"problem": "damaged"}


def page_of(reader, number: int, fatal: type) -> tuple[str, int]:
    """Text with its PICTUREs, and the number of long lines, of a page; a damaged one has none."""
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
    try:  # without a look at what is drawn: too much of it, or damaged
        return reader.pages[number].extract_text() + f"\n{PICTURE}" * sketch.busy(), sketch.lines
    except (MemoryError, fatal):
        raise
    except Exception:
        return "", 0


class Label(str):
    """A piece of text that belongs to a picture."""


class Sketch:
    """What a page draws, noted while pypdf goes through its operators and hands out its text piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.operators = self.lines = 0
        self.opened: list[tuple[int, int, int]] = []  # of each form being drawn: operators, lines and pieces before it
        self.forget()

    def forget(self) -> None:
        """Begin a new path."""
        self.points: list[tuple[float, float]] = []
        self.slanting = False

    def busy(self) -> bool:
        return self.operators >= MOST_OPERATORS

    def write(self, text: str, *_) -> None:
        self.pieces.append(text)

    def text(self, words: str) -> str:
        """The pieces with their pictures between them, or, where they are not all the words, the pictures below the words."""
        if "".join(piece for piece in self.pieces if piece != PICTURE) != words:
            return words + f"\n{PICTURE}" * self.pieces.count(PICTURE)
        shown = (piece for piece in self.pieces if not isinstance(piece, Label))
        return "".join(f"\n{PICTURE}\n" if piece == PICTURE else piece for piece in shown)

    def before(self, operator: bytes, operands: list, matrix: list, _) -> None:
        self.operators += 1
        if self.busy():
            raise OverflowError("too much is drawn")
        try:
            self.draw(operator, operands, matrix)
        except (TypeError, ValueError, IndexError):  # a damaged operator draws nothing
            self.forget()

    def draw(self, operator: bytes, operands: list, matrix: list) -> None:
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
            self.forget()
        elif operator == b"n":
            self.forget()

    def after(self, operator: bytes, operands: list, matrix: list, _) -> None:
        """An image has no operators of its own; what a form draws counts as one picture."""
        if operator != b"Do" or not self.opened:
            return
        operators, lines, pieces = self.opened.pop()
        if operators == self.operators:
            self.image(matrix)
        elif PICTURE in self.pieces[pieces:] or self.lines - lines >= MANY:
            words = [piece for piece in self.pieces[pieces:] if piece != PICTURE]
            self.pieces[pieces:] = [*(map(Label, words) if sum(map(len, words)) <= LABELS else words), PICTURE]

    def image(self, matrix: list) -> None:
        if min(math.hypot(*matrix[:2]), math.hypot(*matrix[2:4])) >= SMALL:
            self.pieces.append(PICTURE)

    def drawing(self) -> None:
        """A path of a drawing: of the last one, if only labels stand between."""
        last = max((at for at, piece in enumerate(self.pieces) if piece == PICTURE), default=-1)
        if last < 0 or any(len(line) > LABEL for line in "".join(self.pieces[last + 1 :]).split("\n")):
            self.pieces.append(PICTURE)

    def line_to(self, operator: bytes, numbers: list[float], matrix: list) -> None:
        point = transformed(*numbers[-2:], matrix)
        if operator != b"m" and self.points:
            least = SLANT if operator == b"l" else BEND
            self.slanting |= all(abs(new - old) >= least for new, old in zip(point, self.points[-1]))
        self.points.append(point)

    def paint(self, stroked: bool) -> None:
        if not self.points:
            return
        wide, high = (max(axis) - min(axis) for axis in zip(*self.points))
        self.lines += max(wide, high) >= LONG and (stroked or min(wide, high) <= THIN)
        if self.slanting and max(wide, high) >= LONG and min(wide, high) >= 5:
            self.drawing()


def transformed(x: float, y: float, matrix: list) -> tuple[float, float]:
    """A point on the page."""
    return x * matrix[0] + y * matrix[2] + matrix[4], x * matrix[1] + y * matrix[3] + matrix[5]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe(sys.stdin.buffer.read())))
