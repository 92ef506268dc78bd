"""The written half of an assignment: the items that a person grades, and their points.

Loaded from ``[[part]]``, ``[[chapter]]``, ``[[manual]]`` and ``[writeup]`` in ``rubric.toml``. An assignment without them has
no written half.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

PLACEHOLDER = "Write here"  # marks the place of each answer in the templates
VOID = "void"  # what graders write for an answer that makes an autograded item ineligible


@dataclass(frozen=True)
class Manual:
    """One item that a person grades.

    ``heading`` is its heading in the write-up ('' if it is not part of it), recognised by its first word or by the regular
    expression ``pattern``. ``asks`` is the question; with ``figure`` the answer needs a figure or table. ``full``, ``half``
    and ``none`` say what earns full, half and no credit. ``void`` says when an answer makes the autograded item ``voids``
    ineligible for points, too: graders mark it ``VOID`` in the sheet.
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
    voids: str = ""
    void: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the handout; the points of its items must add up to its own."""

    id: str
    title: str
    points: dict[str, float]
    extra_credit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A chapter of the write-up: the parts it covers and its suggested number of pages."""

    title: str
    parts: tuple[str, ...]
    pages: int


@dataclass(frozen=True)
class Written:
    """The written half.

    ``rules`` are instructions for graders; ``collaborators_percent`` is what a missing collaborators statement costs, as a
    percentage of the whole score.
    """

    parts: tuple[Part, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    items: tuple[Manual, ...] = ()
    rules: tuple[str, ...] = ()
    collaborators_percent: float = 0.0

    def part_of(self, id: str) -> Part | None:
        """The part that an item belongs to by the leading numbers of its id, or None."""
        return next((p for p in self.parts if id == p.id or id.startswith(p.id + ".")), None)

    def of_part(self, part: str) -> list[Manual]:
        """The items of the part with this id, in order."""
        return [item for item in self.items if (owner := self.part_of(item.id)) and owner.id == part]

    def of_chapter(self, chapter: Chapter) -> list[Manual]:
        """The items answered in a chapter of the write-up, in order."""
        return [item for part in chapter.parts for item in self.of_part(part) if item.heading]


def total(items: Iterable[Any], course: str) -> tuple[float, float]:
    """Return (regular, extra credit) points of items, which need the attributes ``points`` and ``extra_credit``."""
    sums = {False: Fraction(0), True: Fraction(0)}
    for item in items:
        sums[course in item.extra_credit] += Fraction(str(item.points[course]))
    return float(sums[False]), float(sums[True])
