"""The verdict on one question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from autograder.core.assignment import Question

PASSED, FAILED, MISSING, NOT_RUN = "passed", "failed", "not submitted", "not run"


NO_FILE = "nothing to grade: no file was submitted"
NOT_YET = "not graded yet"  # begins the reason if no worker could be started


@dataclass
class Verdict:
    """The judge's result for one question, before it is formatted for Gradescope.

    ``bare``: the reason without what is known of the cause, where something is; ``held``: the claims that a failed answer
    keeps, each with points of its own; ``call``: the smallest public call on which it fails, as lines of code and comments.
    """

    question: Question
    status: str = NOT_RUN
    reason: str = "not run yet"
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    call: list[str] = field(default_factory=list)
    seconds: float = 0.0
    bare: str = ""

    def score(self, course: str) -> float:
        """The points in a course: all of them, those of the claims that hold, or none."""
        if self.status == PASSED:
            return self.question.points[course]
        claims = self.question.claims
        held = self.held if self.status == FAILED else []
        return float(sum(Fraction(str(claims[name][course])) for name in dict.fromkeys(held) if name in claims))

    def partly(self, course: str) -> bool:
        """Whether some of the points in a course are earned, but not all."""
        return self.status == FAILED and self.score(course) > 0


Amend = Callable[[list[Verdict], list[str]], tuple[list[Verdict], list[str]]]  # verdicts and notes -> what is shown of them


def as_they_are(verdicts: list[Verdict], notes: list[str]) -> tuple[list[Verdict], list[str]]:
    return verdicts, notes


def not_yet(question: Question) -> Verdict:
    """The verdict on an item for which no worker could be started."""
    reason = f"{NOT_YET}: no worker process started. That is no fault of the submission; it has to be graded again"
    return Verdict(question, NOT_RUN, reason, tags=["grader"])


def late(question: Question) -> Verdict:
    """The verdict on an item that the deadline of the whole submission cut off or left out."""
    return Verdict(
        question,
        NOT_RUN,
        "not run: the time for the whole submission was up before it; does some code take very long, or hang?",
        tags=["time"],
    )
