"""Points of single test functions, ``[question.claims]`` in the rubric: what a question is worth in parts."""

from __future__ import annotations

import ast
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.strict import refuse_unknown, typed
from autograder.core.text import clean


def claims_of(entry: dict[str, Any], points: dict[str, float], where: str) -> dict[str, dict[str, float]]:
    """Test function -> course -> points. Raises GraderError unless they add up to the question's ``points``, by course."""
    table = entry.get("claims", {})
    if not isinstance(table, dict):
        raise GraderError(f"{where}: claims should be a table of test functions and their points")
    claims = {name: _by_course(value, points, f"{where}: claims.{clean(name)}") for name, value in table.items()}
    for course in points if claims else ():
        whole = sum(Fraction(str(claim[course])) for claim in claims.values())
        if whole != Fraction(str(points[course])):
            raise GraderError(
                f"{where}: its claims sum to {float(whole):g} in course {course}, the question has {points[course]:g} points"
            )
    return claims


def _by_course(value: Any, courses: dict[str, float], where: str) -> dict[str, float]:
    """Points by course, from a single number for all courses or a table."""
    table = value if isinstance(value, dict) else dict.fromkeys(courses, value)
    refuse_unknown(table, courses, where, "course")
    if missing := [course for course in courses if course not in table]:
        raise GraderError(f"{where}: points of course {missing[0]} are missing")
    by_course = {course: typed(float, number, where) for course, number in table.items()}
    if any(number < 0 for number in by_course.values()):
        raise GraderError(f"{where}: points should not be negative")
    return by_course


def check_claims(file: Path, question: Question, where: str) -> None:
    """Raise GraderError unless the question claims nothing, or exactly what the test functions in its file are called."""
    try:
        body = ast.parse(file.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return  # loading the tests says so
    tests = [node.name for node in body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    refuse_unknown(question.claims, tests, f"{where}: claims", "test function")
    if question.claims and (missing := [name for name in tests if name not in question.claims]):
        raise GraderError(f"{where}: claims: points of {missing[0]} are missing")
