"""Small pictures of attention weights and masks: bars for one query, two squares for a matrix; as SVG, and as text.

Each has token numbers, a scale and a description in words. Text and lines take the colour of the page around them, so that they
are seen on any background. NaN and infinity are drawn as such: hatched, with a sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

SHADES = " ░▒▓█"
SIZE, WIDE = 18, 30  # the side of a cell, and of one with its number inside
MOST_NUMBERS = 5  # tokens up to which cells hold their numbers
MOST_TOKENS = 24  # larger matrices are not drawn
BAR = 160
LIGHT, DARK = (247, 251, 255), (8, 48, 107)  # for 0 and for 1


@dataclass
class Picture:
    """An answer beside the right one, both (n,) for one query or (m, n): rows are query tokens, columns are key tokens.

    ``what``: what they are, such as "attention weights"; ``case``: for which call, if that is not obvious.
    """

    got: np.ndarray
    wanted: np.ndarray
    what: str = "attention weights"
    case: str = ""

    def title(self) -> str:
        return f"{self.what} for {self.case}" if self.case else self.what

    def words(self) -> str:
        """A phrase that names what is not a number, or else the largest difference."""
        return in_words(self.got, self.wanted, self.what)

    def text(self) -> list[str]:
        """Lines of text with the picture and its description."""
        return [*([f"{self.title()}:"] if self.case else []), *text(self.got, self.wanted), f"in words: {self.words()}."]

    def html(self) -> str:
        """The SVG with its description below."""
        drawn = svg(self.got, self.wanted, f"{self.title()}, yours and the right ones: {self.words()}.", self.what)
        caption = f"{escape(self.title()[:1].upper() + self.title()[1:])}. In words: {escape(self.words())}."
        return f'<div style="margin:.5em 0 .2em;overflow-x:auto">{drawn}</div><div style="font-size:92%">{caption}</div>'


def pictured(got: np.ndarray, wanted: np.ndarray, what: str, case: str = "", close: float = 1e-4) -> Picture | None:
    """The first query or matrix in which the answer is not the right one; None if there is none, or none that can be drawn."""
    if got.shape != wanted.shape or not got.size or max(got.shape[-2:]) > MOST_TOKENS:
        return None
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    for place in np.ndindex(got.shape[:-2]):
        if not np.allclose(got[place], wanted[place], rtol=0, atol=close):
            where = [f"{name} {i}" for name, i, n in zip(("batch", "head"), place, got.shape) if n > 1]
            return Picture(got[place], wanted[place], what, "; ".join(filter(None, [case, ", ".join(where)])))
    return None


def sign(value: float) -> str:
    """How a value is written that is not a number; '' for a number."""
    return "" if np.isfinite(value) else "NaN" if np.isnan(value) else "∞" if value > 0 else "−∞"


def in_words(got: np.ndarray, wanted: np.ndarray, what: str = "attention weights") -> str:
    """A phrase that names what is not a number, or else the largest difference."""
    left, right = np.atleast_2d(got).astype(np.float64), np.atleast_2d(wanted).astype(np.float64)
    odd = ~np.isfinite(left) & (left != right)
    difference = np.where(odd | (left == right), 0.0, np.nan_to_num(left) - np.nan_to_num(right))
    row, column = (int(i) for i in np.unravel_index((odd if odd.any() else np.abs(difference)).argmax(), left.shape))
    where = f"token {column}" if np.ndim(got) == 1 else f"row {row}, column {column}"
    if odd.any():
        return f"{where} is {sign(left[row, column])}"
    if what != "attention weights":
        return f"{where} is {left[row, column]:g} and should be {right[row, column]:g}"
    return f"{where} gets {'too much' if difference[row, column] > 0 else 'too little'} weight"


def text(got: np.ndarray, wanted: np.ndarray) -> list[str]:
    """Text lines: for a vector one bar per key token with the right weight, for a matrix two shaded squares."""
    if np.ndim(got) == 1:
        return [
            f"token {i}: {sign(w) or f'{w:4.2f}':>4} {'' if sign(w) else '█' * round(20 * min(max(float(w), 0), 1)):20}  "
            f"should be {t:4.2f}"
            for i, (w, t) in enumerate(zip(got, wanted))
        ]
    columns = "".join(f"{j:2d}" for j in range(got.shape[1]))
    rows = [f"{i:2d} {_shaded(a)}   {i:2d} {_shaded(b)}" for i, (a, b) in enumerate(zip(got, wanted))]
    width = len(columns) + 3
    return [
        f"{'yours':{width}}   wanted (dark: 1, light: 0; rows: query token, columns: key token)",
        f"   {columns}      {columns}",
        *rows,
    ]


def _shaded(row: np.ndarray) -> str:
    signs = {"NaN": "na", "∞": "+∞", "−∞": "-∞"}
    return "".join(signs.get(sign(x)) or SHADES[round(min(max(float(x), 0), 1) * (len(SHADES) - 1))] * 2 for x in row)


def svg(got: np.ndarray, wanted: np.ndarray, words: str, what: str = "attention weights") -> str:
    """The same as SVG, with ``words`` for whoever does not see it. Each value is a tooltip, too."""
    parts, width, height = bars(got, wanted) if np.ndim(got) == 1 else squares(got, wanted, what)
    return (
        f'<svg role="img" aria-label="{escape(words)}" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="currentColor" color="inherit">'
        f"<title>{escape(words)}</title>{''.join(parts)}</svg>"
    )


def label(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {more}>{escape(words)}</text>'


def bars(got: np.ndarray, wanted: np.ndarray) -> tuple[list[str], int, int]:
    """One bar for each key token, with a line where it should end; parts, width, height."""
    left, top, step = 78, 20, 22
    parts = [label(left, 11, "0", 'text-anchor="middle"'), label(left + BAR, 11, "1", 'text-anchor="middle"')]
    parts.append(label(left + BAR / 2, 11, "weight", 'text-anchor="middle"'))
    parts.append(label(left + BAR + 10, 11, "(line: should be)"))
    bottom = top + step * len(got)
    for i, (w, t) in enumerate(zip(got, wanted)):
        y = top + i * step
        long = BAR * min(max(float(np.nan_to_num(w, posinf=1.0, neginf=0.0)), 0), 1)
        parts.append(label(left - 6, y + 13, f"key token {i}", 'text-anchor="end"'))
        parts.append(
            f'<rect x="{left}" y="{y + 3}" width="{long:.1f}" height="13" fill="#3f8fc4" stroke="#888">'
            f"<title>{sign(w) or f'{w:.2f}'}, should be {t:.2f}</title></rect>"
        )
        if sign(w):
            parts.append(hatched(left, y + 3, BAR, 13))
        edge = left + BAR * min(max(float(t), 0), 1)
        parts.append(f'<path d="M{edge:.1f} {y}v19" stroke="#d55e00" stroke-width="3"/>')
        parts.append(label(left + BAR + 10, y + 13, f"{sign(w) or f'{w:.2f}'}, should be {t:.2f}"))
    parts.append(f'<path d="M{left} {top}v{bottom - top}m{BAR} 0v{top - bottom}" stroke="currentColor" stroke-opacity=".4"/>')
    return parts, left + BAR + 130, bottom + 4


def squares(got: np.ndarray, wanted: np.ndarray, what: str) -> tuple[list[str], int, int]:
    """Yours on the left, the right one beside it, and the scale; parts, width, height."""
    rows, columns = got.shape
    side = WIDE if columns <= MOST_NUMBERS else SIZE
    left, top = 36, 32
    second = left + columns * side + 52
    bottom, scale = top + rows * side, second + columns * side + 24
    parts = [
        *(label(x, 11, name, 'font-weight="bold"') for x, name in ((left, "yours"), (second, "wanted"))),
        *grid(got, left, top, side),
        *grid(wanted, second, top, side),
    ]
    for x in (left, second):
        parts += [label(x + (j + 0.5) * side, top - 5, str(j), 'text-anchor="middle" font-size="9"') for j in range(columns)]
        parts += [label(x - 4, top + (i + 0.6) * side, str(i), 'text-anchor="end" font-size="9"') for i in range(rows)]
        parts.append(label(x + columns * side / 2, bottom + 14, "key token", 'text-anchor="middle"'))
        turned = f'text-anchor="middle" transform="rotate(-90 {x - 20} {top + rows * side / 2:g})"'
        parts.append(label(x - 20, top + rows * side / 2, "query token", turned))
    parts.append(label(scale, 11, "mask" if what == "mask" else "weight"))
    for n in range(5):
        value = 1 - n / 4
        y = top + n * 14
        parts.append(f'<rect x="{scale}" y="{y}" width="14" height="14" fill="{shade(value)}" stroke="#888"/>')
        parts += [label(scale + 19, y + 11, f"{value:g}")] if n % 2 == 0 else []
    return parts, scale + 56, max(bottom + 20, top + 5 * 14 + 4)


def grid(matrix: np.ndarray, left: int, top: int, side: int) -> Iterator[str]:
    """The cells of a matrix."""
    for (i, j), value in np.ndenumerate(matrix):
        x, y, odd = left + j * side, top + i * side, sign(value)
        words = f"query {i}, key {j}: {odd or f'{value:.2f}'}"
        yield f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{"none" if odd else shade(value)}" stroke="#888">'
        yield f"<title>{words}</title></rect>"
        yield hatched(x, y, side, side) if odd else ""
        if within := inside(value, side == WIDE):
            ink = "currentColor" if odd else "#fff" if value > 0.5 else "#000"
            size = 7 if odd == "NaN" and side == SIZE else 10
            more = f'text-anchor="middle" font-size="{size}" fill="{ink}" pointer-events="none"'
            yield label(x + side / 2, y + side / 2 + 3.5, within, more)


def inside(value: float, wide: bool) -> str:
    """What a cell says: its number if there is room, a sign if it is not on the scale."""
    if sign(value) or wide:
        return sign(value) or f"{value:.2f}".replace("0.", ".")
    return "" if -0.005 <= value <= 1.005 else "+" if value > 1 else "−"


def hatched(x: float, y: float, width: float, height: float) -> str:
    """Slanted lines over a rectangle."""
    lines = []
    for start in np.arange(4, width + height, 6):
        x1, y1 = min(start, width), max(0.0, start - width)
        x2, y2 = max(0.0, start - height), min(start, height)
        lines.append(f"M{x + x1:g} {y + y1:g}L{x + x2:g} {y + y2:g}")
    return f'<path d="{"".join(lines)}" stroke="#d55e00" stroke-opacity=".6" pointer-events="none"/>'


def shade(value: float) -> str:
    """A colour between light (0) and dark blue (1)."""
    share = min(max(float(value), 0.0), 1.0)
    return f"rgb({','.join(str(round(a + share * (b - a))) for a, b in zip(LIGHT, DARK))})"
