"""What a test function is handed as ``check``: the calls to make, the assignment's own rules, and a way to say no.

Judge and check cells run the very same code. Needs numpy only.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .compare import MISSING, Failure, compare, is_blank


@dataclass
class Case:
    """One call of a student's function and what should come back; ``facts`` judge what a probe observes."""

    args: list
    kwargs: dict
    expected: Any
    tolerance: float = 1e-4
    label: str = ""
    layout: str = ""
    facts: dict = field(default_factory=dict)

    def call(self, function: Callable) -> Any:
        """Call the student's function (a missing one raises Failure)."""
        if function is None:
            raise Failure(MISSING, "the function is not defined")
        args = [{"$chunk": a} if self.layout == "chunk" and isinstance(a, np.ndarray) else a for a in self.args]
        return function(*args, **self.kwargs)

    def judge(self, answer: Any, what: str = "the result") -> Any:
        """Compare what the function gives, or the value itself, with what is expected; raises Failure."""
        result = self.call(answer) if answer is None or callable(answer) else answer
        if self.label and not is_blank(result):
            what = f"{what} ({self.label})"
        return compare(result, self.expected, self.tolerance, what)


@dataclass
class Check:
    """What a test function sees as ``check``: its cases, the assignment's own formulas, notes and failures."""

    tree: dict
    rules: types.ModuleType
    group: str = "own"
    notes: list[str] = field(default_factory=list)

    def cases(self, id: str, group: str = "") -> list[Case]:
        """The calls of question ``id`` in a group of inputs (default: this run's group)."""
        return [Case(**case) for case in self.tree[id].get(group or self.group, [])]

    def judge(self, id: str, answer: Any, what: str = "the result") -> None:
        """Hold the answer, a function or a value, against every case of the question; raises Failure.

        A function is tried on the cases of the group ``float64`` too, which cost no points.
        """
        for case in self.cases(id):
            case.judge(answer, what)
        for case in self.cases(id, "float64"):
            try:
                result = case.judge(answer)
            except Exception:
                self.note("float64 inputs do not work yet (no points depend on it): is a dtype fixed somewhere?")
                return
            if result.dtype == np.float32:
                self.note("float64 inputs come back as float32 (no points depend on it)")

    def note(self, text: str) -> None:
        """Tell the student something that costs no points."""
        if text not in self.notes:
            self.notes.append(text)

    def fail(self, kind: str, text: str, **data: Any) -> None:
        """Refuse an answer."""
        raise Failure(kind, text, data)
