"""Decides whether a chapter has a figure or table, by the pictures, captions, drawn lines and rows of numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from .pages import Pages
from .pdf_text import PICTURE

NAME = r"(?:[Ff]ig(?:ure|\.)|FIG(?:URE|\.)|[Tt]ab(?:le|\.)|TAB(?:LE|\.))\s*\d+"
MENTION = re.compile(rf"\b{NAME}")
CAPTION = re.compile(rf"^\W{{0,3}}{NAME}(?:\.\d+)?\s*(?:[:.|–—-]|[A-Z]|$)")
NUMBER = re.compile(r"(?<!\S)[-+−±~≈(]*\d+(?:[.,]\d+)*(?:e[-−]?\d+)?[%)]?(?!\S)", re.IGNORECASE)
MOST_CELLS = 14
RULES = 2  # this many long lines on a page may be a table or a drawing


def judge_figure(pages: Pages, start: int, end: int, spare: list[int]) -> str:
    """Whether the chapter in lines ``start`` to ``end`` has a figure or table: "shown", "perhaps" or "".

    ``spare``: lines near the chapter whose figures may belong to it.
    """
    first, last = pages.page[start], pages.page[end - 1]
    lines = pages.lines[start:end]
    rules, rows = any(count >= RULES for count in pages.drawn[first : last + 1]), has_rows(lines)
    if figures_in(pages, range(start, end)) or (rules and rows):
        return "shown"
    unread = end == len(pages.lines) and pages.count > len(pages.drawn)
    hints = (rules, rows, unread, pages.scanned, any(map(MENTION.search, lines)), figures_in(pages, spare))
    return "perhaps" if any(hints) else ""


def figures_in(pages: Pages, lines: Sequence[int]) -> int:
    """The number of certain figures and tables in these lines; pages without text do not count, as they may be scans."""
    pictures = sum(PICTURE in pages.lines[at] and pages.page[at] not in pages.scanned for at in lines)
    return max(pictures, sum(bool(CAPTION.match(pages.lines[at])) for at in lines))


def has_rows(lines: list[str]) -> bool:
    """Whether two consecutive lines hold the same number of numbers, at least two."""
    counts = [len(NUMBER.findall(line)) if len(line.split()) <= MOST_CELLS else 0 for line in lines]
    return any(one == two >= 2 for one, two in pairwise(counts))


def may_show(pages: Pages, start: int, end: int) -> bool:
    """Whether the pages of these lines, or the next page, hold anything that may be a figure or a table."""
    near = range(pages.page[start], pages.page[end - 1] + 2)
    drawn = any(pages.drawn[page] >= RULES for page in near if page < len(pages.drawn))
    return drawn or any(PICTURE in line for line, page in zip(pages.lines, pages.page) if page in near)
