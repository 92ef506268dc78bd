"""Points in ``rubric.toml``: of one item by course, and whether those of all items add up to what the rubric says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.strict import nearest, refuse_twice, refuse_unknown, typed
from autograder.core.written import Manual, Part, Written, total


def points_of(entry: dict[str, Any], courses: tuple[str, ...], where: str) -> dict[str, float]:
    """Course -> points, from a single number for all courses or a table."""
    if "points" not in entry:
        raise GraderError(f"{where}: the key 'points' is missing")
    points = entry["points"]
    if not isinstance(points, dict):
        points = dict.fromkeys(courses, points)
    refuse_unknown(points, courses, f"{where}: points", "course")
    if missing := [course for course in courses if course not in points]:
        raise GraderError(f"{where}: points of course {missing[0]} are missing")
    by_course = {course: typed(float, value, f"{where}: points") for course, value in points.items()}
    if any(value < 0 for value in by_course.values()):
        raise GraderError(f"{where}: points should not be negative")
    return by_course


def check_sums(questions: Iterable[Question], written: Written, courses: tuple[str, ...], totals: Any) -> None:
    """Raise GraderError unless the points of every part and of the whole add up to what the rubric says."""
    where = "rubric.toml"
    items: list[Question | Manual] = [*questions, *written.items]
    refuse_twice((item.id for item in items), where, "item")
    for item in items if written.parts else ():
        if written.part_of(item.id) is None:
            raise GraderError(f"{where}: {item.id} belongs to no [[part]]{nearest(item.id, [p.id for p in written.parts])}")
    wanted = typed(dict[str, tuple[float, ...]], totals, f"{where}: [totals]")
    refuse_unknown(wanted, courses, f"{where}: [totals]", "course")
    for course in courses:
        for part in written.parts:
            _check_part_sum([item for item in items if written.part_of(item.id) is part], part, course)
        if course in wanted:
            _check_total(items, wanted[course], course)


def _check_part_sum(items: Sequence[Question | Manual], part: Part, course: str) -> None:
    points, wanted = total(items, course), total([part], course)
    if points != wanted:
        raise GraderError(
            f"rubric.toml: course {course}: the items of part {part.id} sum to {_sum_text(points)}, "
            f"[[part]] says {_sum_text(wanted)}"
        )


def _check_total(items: Sequence[Question | Manual], wanted: tuple[float, ...], course: str) -> None:
    points = total(items, course)
    if len(wanted) != 2:
        raise GraderError(f"rubric.toml: [totals] {course} should be [regular points, extra credit]")
    if points != wanted:
        raise GraderError(
            f"rubric.toml: the items of course {course} sum to {_sum_text(points)}, [totals] says {_sum_text(wanted)}"
        )


def _sum_text(points: tuple[float, ...]) -> str:
    return f"{points[0]:g}" + (f" + {points[1]:g} extra credit" if points[1] else "")
