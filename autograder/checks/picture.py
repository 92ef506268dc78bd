"""Small pictures of attention weights: bars for one query, a heatmap for a matrix, as SVG where possible and text elsewhere.

Every picture comes with a description in words, as the SVG's title and below the text.
"""

from __future__ import annotations

from html import escape

import numpy as np

SHADES = " ░▒▓█"


def text(got: np.ndarray, wanted: np.ndarray) -> list[str]:
    """Text lines: for a vector one bar per token with the expected weight, for a matrix two shaded squares."""
    got, wanted = np.nan_to_num(np.atleast_1d(got)), np.nan_to_num(np.atleast_1d(wanted))
    if got.ndim == 1:
        return [
            f"token {i}: {w:4.2f} {'█' * round(20 * float(w)):20}  should be {t:4.2f}"
            for i, (w, t) in enumerate(zip(got, wanted))
        ]
    rows = [f"{_shaded(a)}   {_shaded(b)}" for a, b in zip(got, wanted)]
    width = 2 * got.shape[1]
    return [f"{'yours':{width}}   wanted (dark: much weight)", *rows]


def _shaded(row: np.ndarray) -> str:
    levels = np.clip(np.round(np.clip(row, 0, 1) * (len(SHADES) - 1)), 0, len(SHADES) - 1).astype(int)
    return "".join(SHADES[level] * 2 for level in levels)


def svg(got: np.ndarray, wanted: np.ndarray, words: str, size: int = 18) -> str:
    """The same as SVG: yours on the left, the expected weights on the right; darker is heavier, with the weight as tooltip."""
    left, right = np.nan_to_num(np.atleast_2d(got)), np.nan_to_num(np.atleast_2d(wanted))
    rows, columns = left.shape
    gap, top = columns * size + 24, 18
    parts = [f'<text x="0" y="12" font-size="11">yours</text><text x="{gap}" y="12" font-size="11">wanted</text>']
    for offset, matrix in ((0, left), (gap, right)):
        for i in range(rows):
            for j in range(columns):
                weight = float(np.clip(matrix[i, j], 0, 1))
                shade = round(255 * (1 - weight))
                parts.append(
                    f'<rect x="{offset + j * size}" y="{top + i * size}" width="{size}" height="{size}" stroke="#999" '
                    f'fill="rgb({shade},{shade},{shade})"><title>{weight:.2f}</title></rect>'
                )
    return (
        f'<svg role="img" xmlns="http://www.w3.org/2000/svg" width="{gap + columns * size + 2}" '
        f'height="{top + rows * size + 2}" fill="currentColor"><title>{escape(words)}</title>{"".join(parts)}</svg>'
    )


def in_words(got: np.ndarray, wanted: np.ndarray) -> str:
    """A phrase that names the largest difference."""
    difference = np.nan_to_num(np.atleast_2d(got)) - np.nan_to_num(np.atleast_2d(wanted))
    row, column = np.unravel_index(np.abs(difference).argmax(), difference.shape)
    where = f"token {column}" if np.ndim(got) == 1 else f"row {row}, column {column}"
    return f"{where} gets {'too much' if difference[row, column] > 0 else 'too little'} weight"


def show(got: np.ndarray, wanted: np.ndarray) -> None:
    """Display the picture in a notebook, or print it elsewhere."""
    words = in_words(got, wanted)
    try:
        from IPython import get_ipython
        from IPython.display import SVG, display

        if get_ipython() is not None:
            image = svg(got, wanted, f"Attention weights, yours and expected: {words}.")
            display(SVG(image))  # type: ignore[no-untyped-call]  # IPython has no annotations
            print(f"   in words: {words}.")
            return
    except ImportError:
        pass
    for line in text(got, wanted):
        print(f"   {line}")
    print(f"   in words: {words}.")
