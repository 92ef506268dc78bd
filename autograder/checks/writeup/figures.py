"""Does a chapter have a figure or table? Told by pictures where they stand in the text, captions, lines, rows of numbers."""

from __future__ import annotations

import re

from .pdf_text import PICTURE
from .reading import Pages

NAME = r"(?:[Ff]ig(?:ure|\.)|FIG(?:URE|\.)|[Tt]ab(?:le|\.)|TAB(?:LE|\.))\s*\d+"
MENTION = re.compile(rf"\b{NAME}")
CAPTION = re.compile(rf"^\W{{0,3}}{NAME}(?:\.\d+)?\s*(?:[:.|–—-]|[A-Z]|$)")
NUMBER = re.compile(r"(?<!\S)[-+−±~≈(]*\d+(?:[.,]\d+)*(?:e[-−]?\d+)?[%)]?(?!\S)", re.IGNORECASE)
MOST_CELLS = 14
RULES = 2  # long lines on a page: perhaps a table or a drawing


def judge_figure(pages: Pages, start: int, end: int, spare: list[int]) -> str:
    """ "shown", "perhaps" or "" for the lines of a chapter; ``spare``: lines around it whose figures can be this chapter's."""
    first, last = pages.page[start], pages.page[end - 1]
    lines = pages.lines[start:end]
    rules, rows = any(count >= RULES for count in pages.drawn[first : last + 1]), has_rows(lines)
    if figures_in(pages, range(start, end)) or (rules and rows):
        return "shown"
    unread = end == len(pages.lines) and pages.count > len(pages.drawn)
    mentioned = any(MENTION.search(line) for line in lines)
    return "perhaps" if rules or rows or unread or pages.scanned or mentioned or figures_in(pages, spare) else ""


def figures_in(pages: Pages, lines: range | list[int]) -> int:
    """How many figures and tables surely stand in these lines; a page without text may be a scan."""
    pictures = sum(PICTURE in pages.lines[at] and pages.page[at] not in pages.scanned for at in lines)
    return max(pictures, sum(bool(CAPTION.match(pages.lines[at])) for at in lines))


def has_rows(lines: list[str]) -> bool:
    """Two lines of as many numbers, one after the other."""
    counts = [len(NUMBER.findall(line)) if len(line.split()) <= MOST_CELLS else 0 for line in lines]
    return any(one == next >= 2 for one, next in zip(counts, counts[1:]))


def may_show(pages: Pages, start: int, end: int) -> bool:
    """Whether the pages of these lines, or the next one, hold anything that may be a figure or a table."""
    near = range(pages.page[start], pages.page[end - 1] + 2)
    drawn = any(pages.drawn[page] >= RULES for page in near if page < len(pages.drawn))
    return drawn or any(PICTURE in line for line, page in zip(pages.lines, pages.page) if page in near)
