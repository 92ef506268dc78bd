"""Final grades to Canvas: who would get which score, and, only if told so, sending them. Nothing else of ours uses a network.

What Canvas answers is untrusted text. A grade is sent only to the one student whom it names; the token comes from the
environment and is neither printed nor written.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.text import clean, some_of
from autograder.written.grades import FEW
from autograder.written.totals import Grade

TOKEN = "CANVAS_TOKEN"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_STUDENTS = 50_000
REFUSED = f"Canvas refuses the token in {TOKEN}, or does not allow this to its owner: create a new one (Account, Settings)"
# What canvasapi and requests raise, by the name of the class, where that says what to do.
KNOWN = {
    "SSLError": "Canvas cannot be reached safely: the certificate of the address (--url) is not valid",
    "ConnectionError": "Canvas cannot be reached at {url}: is --url right, and is this machine online?",
    "Timeout": "Canvas does not answer: try again later",
    "ResourceDoesNotExist": "Canvas has no such course or assignment, or does not show it to the owner of this token: are "
    "--course and --assignment the numbers in its address?",
    "InvalidAccessToken": REFUSED,
    "Unauthorized": REFUSED,
    "Forbidden": REFUSED,
}
PATIENCE_SECONDS = 300.0  # for Canvas to enter the grades


@dataclass(frozen=True)
class Change:
    """A score to send. ``old``: what Canvas has, '' for nothing."""

    user: int
    label: str
    old: str
    new: str


@dataclass
class Plan:
    """What a push would do. ``problems``: a line for each row whose person gets nothing, with the reason.

    ``rowless``: the students on Canvas without a row; ``out_of``: the most that a student's row is out of, or None;
    ``less``: how many of the students' rows are out of less than that; ``others``: how many rows are left out for their course;
    ``over``: the people of the students' rows who have more points than there are.
    """

    changes: list[Change] = field(default_factory=list)
    same: int = 0
    problems: list[str] = field(default_factory=list)
    rowless: list[str] = field(default_factory=list)
    out_of: float | None = None
    less: Counter[float] = field(default_factory=Counter)
    others: int = 0
    over: list[str] = field(default_factory=list)

    def lines(self, name: str) -> list[str]:
        """What is to change, all of it, and who gets nothing and why; ``name``: the file's."""
        changes = [f"{change.label}: {change.old or 'nothing'} -> {change.new}" for change in self.changes]
        lost = [f"not sent: {line}" for line in self.problems]
        rowless = [f"no row in {clean(name)}: {student}" for student in self.rowless]
        over = [f"more points than there are: {some_of(self.over, FEW)}: is that right?"] if self.over else []
        return [*over, *changes, *lost, *rowless, *self._other_courses()]

    def _other_courses(self) -> list[str]:
        """A question where people of two courses, which are out of other points, are on one assignment."""
        if self.out_of is None or not self.less:
            return []
        some = [f"{n} {'person is' if n == 1 else 'people are'} out of {points:g}" for points, n in self.less.items()]
        asked = f"and the others out of {self.out_of:g}: the points are sent as they are, not scaled: is that right?"
        return [f"{', '.join(some)}, {asked} (--only sends one course's)"]


class Canvas:
    """One assignment on Canvas. Every method raises GraderError, one line, if Canvas does not answer as it should."""

    def __init__(self, url: str, course: int, assignment: int):
        self.url = safe_url(url)
        token = os.environ.get(TOKEN, "").strip()
        if not token:
            raise GraderError(f"no token: create one on Canvas (Account, Settings) and put it into the environment as {TOKEN}")
        try:
            from canvasapi import Canvas as Client
        except ImportError:
            raise GraderError("`canvas` needs canvasapi: pip install 'autograder[canvas]'") from None
        with _answered(self.url):
            self.site: Any = Client(self.url, token).get_course(course)
            self.assignment: Any = self.site.get_assignment(assignment)

    @property
    def points(self) -> float | None:
        """What the assignment is out of on Canvas; None if it has no points."""
        points: Any = getattr(self.assignment, "points_possible", None)
        return float(points) if type(points) in (int, float) and math.isfinite(points) else None

    def title(self) -> str:
        """The assignment and its course by their names on Canvas, with what staff should see before they send."""
        name, course = (
            clean(str(getattr(one, "name", None) or f"number {one.id}"), 100) for one in (self.assignment, self.site)
        )
        kind = getattr(self.assignment, "grading_type", "points")
        said = ["no points" if self.points is None else f"{self.points:g} points"]
        said += [f"graded as {clean(str(kind), 30)}"] * (kind != "points")
        said += ["not published"] * (getattr(self.assignment, "published", True) is False)
        return f"{name} ({', '.join(said)}) in {course}"

    def students(self) -> list[tuple[int, str, frozenset[str]]]:
        """(Canvas's number, name, what identifies them in lower case) of each student."""
        found = []
        with _answered(self.url):
            for user in self.site.get_users(enrollment_type=["student"]):
                texts = [getattr(user, name, None) for name in ("sis_user_id", "login_id", "email")]
                keys = frozenset(text.strip().casefold() for text in texts if isinstance(text, str) and text.strip())
                found.append((int(user.id), clean(str(getattr(user, "name", user.id)), 80), keys))
                if len(found) > MAX_STUDENTS:
                    raise GraderError(f"Canvas lists over {MAX_STUDENTS} students")
        return found

    def scores(self) -> dict[int, str]:
        """Canvas's number of each student who has a score -> the score."""
        with _answered(self.url):
            rows: list[tuple[int, Any]] = [
                (int(s.user_id), getattr(s, "score", None)) for s in self.assignment.get_submissions()
            ]
        return {user: f"{score:g}" for user, score in rows if type(score) in (int, float) and math.isfinite(score)}

    def send(self, changes: Iterable[Change], pause: float = 1.0) -> None:
        """Enter the scores and wait until Canvas has done so. ``pause``: seconds between two questions whether it has."""
        data = {change.user: {"posted_grade": change.new} for change in changes}
        end = time.monotonic() + PATIENCE_SECONDS
        with _answered(self.url):
            progress = self.assignment.submissions_bulk_update(grade_data=data)
            while progress.workflow_state not in ("completed", "failed"):
                if time.monotonic() > end:
                    raise GraderError("Canvas is still entering the scores: look there in a while, then run this again")
                time.sleep(pause)
                progress = progress.query()
        if progress.workflow_state == "failed":
            raise GraderError(f"Canvas could not enter the scores: {clean(str(getattr(progress, 'message', '')), 160)}")


@contextlib.contextmanager
def _answered(url: str) -> Iterator[None]:
    """Turn what canvasapi and requests raise into one line."""
    try:
        yield
    except GraderError:
        raise
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if said := next((said for kind, said in KNOWN.items() if kind in kinds), ""):
            raise GraderError(said.format(url=url)) from None
        token = os.environ.get(TOKEN, "").strip()
        said = clean(str(error).replace(token, "…") if token else str(error), 160)
        raise GraderError(f"Canvas did not answer as expected, {type(error).__name__}: {said}") from None


def safe_url(url: str) -> str:
    """The address of a Canvas. Raises GraderError unless it is https, or on this machine."""
    parts = urllib.parse.urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise GraderError(f"{clean(url, 100)} is not an https address: the token would travel in the clear")
    if not parts.hostname or parts.username:
        raise GraderError(f"{clean(url, 100)} is no address of a Canvas, such as https://canvas.example.edu")
    return f"{parts.scheme}://{parts.netloc}"


def planned(
    grades: list[Grade], students: list[tuple[int, str, frozenset[str]]], scores: dict[int, str], only: str = ""
) -> Plan:
    """Who would get what. Who matches nobody, or two, or shares a student with another row, gets nothing.

    ``only``: the course whose rows count, '' for all. Raises GraderError if there is none.
    """
    matches = _matches(grades, students)
    taken = Counter(user for grade, users in matches if not grade.problem for user in users)
    plan = Plan(rowless=_rowless(students, matches))
    whole, matches = len(matches), _of_course(matches, only)
    plan.others = whole - len(matches)
    plan.out_of, plan.less = _out_of([grade for grade, users in matches if users])
    for grade, users in matches:
        user = next(iter(users), 0)
        if problem := grade.problem or _why_not(users, taken):
            plan.problems.append(f"{grade.label}: {problem}")
        elif scores.get(user) == grade.points:
            plan.same += 1
        else:
            plan.changes.append(Change(user, grade.label, scores.get(user, ""), grade.points))
        plan.over += [grade.over()] if users and grade.over() else []
    return plan


def _of_course(matches: list[tuple[Grade, set[int]]], only: str) -> list[tuple[Grade, set[int]]]:
    """Those of one course, or all. Raises GraderError if there is none of it."""
    of_course = [match for match in matches if not only or match[0].course.casefold() == only.casefold()]
    if only and not of_course:
        known = ", ".join(sorted({clean(grade.course, 30) for grade, _ in matches if grade.course})) or "none"
        raise GraderError(f"no row is of the course {clean(only, 30)}: --only takes what is in the column course ({known})")
    return of_course


def _rowless(students: list[tuple[int, str, frozenset[str]]], matches: list[tuple[Grade, set[int]]]) -> list[str]:
    """The names of the students whom no grade fits."""
    found = set().union(*(users for _, users in matches))
    return [name for user, name, _ in students if user not in found]


def _out_of(grades: list[Grade]) -> tuple[float | None, Counter[float]]:
    """(the most that some grade is out of or None, how many there are for each lower number)."""
    points = Counter(grade.out_of for grade in grades if grade.out_of is not None)
    most = max(points, default=None)
    return most, Counter({out_of: count for out_of, count in points.items() if out_of != most})


def _matches(grades: list[Grade], students: list[tuple[int, str, frozenset[str]]]) -> list[tuple[Grade, set[int]]]:
    """Each grade with Canvas's numbers of the students whom it fits."""
    index: dict[str, set[int]] = {}
    for user, _, keys in students:
        for key in keys:
            index.setdefault(key, set()).add(user)
    return [(grade, set().union(*(index.get(key, ()) for key in grade.keys))) for grade in grades]


def other_points(plan: Plan, possible: float | None, meant: float | None, name: str) -> str:
    """A question if the assignment's points on Canvas (``possible``) are not what the rows of the file ``name`` are out of.

    ``meant``: the points that staff say the assignment has there, None if they say nothing.
    """
    there = "has no points" if possible is None else f"is out of {possible:g} points"
    if meant is not None and meant != possible:
        return f"the assignment {there} on Canvas, and --points says {meant:g}: is it this one?"
    if possible == plan.out_of or plan.out_of is None or meant is not None:
        return ""
    advice = "" if possible is None else f"; if it is, say so with --points {possible:g}"
    return f"the assignment {there} on Canvas, and {clean(name)} is out of {plan.out_of:g}: is it this one?{advice}"


def _why_not(users: set[int], taken: Counter[int]) -> str:
    """Why none of these students gets the grade; '' if the only one does. ``taken``: how many grades name each."""
    if len(users) == 1:
        return "another row names the same student on Canvas" if taken[next(iter(users))] > 1 else ""
    return f"{len(users) or 'no'} student{'s' * (len(users) > 1)} with this address or number on Canvas"
