"""What a person reads and for how many points: the nouns of the written half.

Loaded from the same ``rubric.toml`` as the autograded items: ``[[part]]``, ``[[chapter]]``, ``[[manual]]``, ``[writeup]``.
An assignment without them has no written half.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

PLACEHOLDER = "Write here"  # what stands in the templates where an answer goes


@dataclass(frozen=True)
class Manual:
    """One item that a person reads.

    ``heading``: what it is called in the write-up ('' for what is not asked there), found again by its first word or
    by the regular expression ``pattern``; ``asks``: the question, answered with a figure or table where ``figure`` is
    true; ``full``, ``half``, ``none``: what earns how much.
    """

    id: str
    points: dict[str, float]
    extra_credit: tuple[str, ...] = ()
    heading: str = ""
    asks: str = ""
    full: str = ""
    half: str = ""
    none: str = ""
    pattern: str = ""
    figure: bool = False


@dataclass(frozen=True)
class Part:
    """A part of the handout and its points, which its items have to sum to."""

    id: str
    title: str
    points: dict[str, float]
    extra_credit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A chapter of the write-up: the parts in it, how many pages are suggested."""

    title: str
    parts: tuple[str, ...]
    pages: int


@dataclass(frozen=True)
class Written:
    """The written half. ``rules``: how readers read; ``collaborators_percent``: what a missing statement costs overall."""

    parts: tuple[Part, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    items: tuple[Manual, ...] = ()
    rules: tuple[str, ...] = ()
    collaborators_percent: float = 0.0

    def part_of(self, id: str) -> Part | None:
        """The part that an item's id belongs to, by its leading numbers."""
        return next((p for p in self.parts if id == p.id or id.startswith(p.id + ".")), None)

    def of_part(self, part: str) -> list[Manual]:
        return [item for item in self.items if self.part_of(item.id).id == part]

    def of_chapter(self, chapter: Chapter) -> list[Manual]:
        """What is asked in a chapter of the write-up, in order."""
        return [item for part in chapter.parts for item in self.of_part(part) if item.heading]


def total(items: Iterable[Any], course: str) -> tuple[float, float]:
    """(regular, extra credit) points of any items that have ``points`` and ``extra_credit``."""
    found = {False: Fraction(0), True: Fraction(0)}
    for item in items:
        found[course in item.extra_credit] += Fraction(str(item.points[course]))
    return float(found[False]), float(found[True])
