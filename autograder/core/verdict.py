"""The verdict on one question."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.core.assignment import Question

PASSED, FAILED, MISSING, NOT_RUN = "passed", "failed", "not submitted", "not run"


NOT_YET = "not graded yet"  # begins the reason if no worker could be started


@dataclass
class Verdict:
    """The judge's result for one question, before it is formatted for Gradescope."""

    question: Question
    status: str = NOT_RUN
    reason: str = "not run yet"
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def score(self, course: str) -> float:
        return self.question.points[course] if self.status == PASSED else 0.0


def not_yet(question: Question) -> Verdict:
    """The verdict on an item for which no worker could be started."""
    reason = f"{NOT_YET}: no worker process started. That is no fault of the submission; it has to be graded again"
    return Verdict(question, NOT_RUN, reason, tags=["grader"])
