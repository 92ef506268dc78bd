"""The verdict on one question."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.core.assignment import Question

PASSED, FAILED, MISSING, NOT_RUN = "passed", "failed", "not submitted", "not run"


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
