"""What a person reads and for how many points: the nouns, and the check that all sums are the handout's.

Loaded from the same ``rubric.toml`` as the autograded items: ``[[part]]``, ``[[chapter]]``, ``[[manual]]``, ``[writeup]``.
An assignment without them has no written half.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Iterable


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


def build(rubric: dict, courses: tuple[str, ...]) -> Written:
    """The written half of a loaded ``rubric.toml``; raises KeyError or TypeError where an entry is malformed."""
    head = rubric.get("writeup", {})
    return Written(
        parts=tuple(Part(**_scored(entry, courses)) for entry in rubric.get("part", ())),
        chapters=tuple(Chapter(**{**entry, "parts": tuple(entry["parts"])}) for entry in rubric.get("chapter", ())),
        items=tuple(Manual(**_scored(entry, courses)) for entry in rubric.get("manual", ())),
        rules=tuple(head.get("rules", ())),
        collaborators_percent=float(head.get("collaborators_percent", 0)),
    )


def _scored(entry: dict, courses: tuple[str, ...]) -> dict[str, Any]:
    points = entry["points"]
    points = points if isinstance(points, dict) else dict.fromkeys(courses, points)
    return {**entry, "points": {c: float(points[c]) for c in courses}, "extra_credit": tuple(entry.get("extra_credit", ()))}


def total(items: Iterable, course: str) -> tuple[float, float]:
    """(regular, extra credit) points of any items that have ``points`` and ``extra_credit``."""
    found = {False: Fraction(0), True: Fraction(0)}
    for item in items:
        found[course in item.extra_credit] += Fraction(str(item.points[course]))
    return float(found[False]), float(found[True])


def check_sums(questions: Iterable, written: Written, courses: tuple[str, ...], totals: dict) -> None:
    """Raise ValueError, one line, unless every part and the whole sum to what the handout promises."""
    items = [*questions, *written.items]
    ids = [item.id for item in items]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} occurs twice")
    for id in ids if written.parts else ():
        if written.part_of(id) is None:
            raise ValueError(f"{id} belongs to no [[part]]")
    for course in courses:
        for part in written.parts:
            found, wanted = total([i for i in items if written.part_of(i.id) is part], course), total([part], course)
            if found != wanted:
                raise ValueError(f"course {course}: the items of part {part.id} sum to {_said(found)}, "
                                  f"[[part]] says {_said(wanted)}")
        if course in totals:
            found, wanted = total(items, course), tuple(map(float, totals[course]))
            if found != wanted:
                raise ValueError(f"the items of course {course} sum to {_said(found)}, [totals] says {_said(wanted)}")


def _said(points: tuple[float, ...]) -> str:
    return f"{points[0]:g}" + (f" + {points[1]:g} extra credit" if points[1] else "")
