"""The ``check`` argument of test functions: the cases to try, the assignment's rules, and a way to reject an answer.

The judge and the check cells run the same code. Needs numpy only.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from .compare import MISSING, Failure, is_blank, match

STATE = "state between calls"  # the concept of what is right only when it is called first
OTHER_DEVICE = "is not on the expected device"  # how torch names a tensor on another device than the one without data
NO_NUMPY = "Can't call numpy() on Tensor that requires grad"  # torch's words
UNTRAINED = "(no points depend on it), so nothing before it can be trained"
CUT_BY = ".detach(), .item(), .data, NumPy, no_grad or a new tensor made of numbers cuts it off"


@dataclass
class Case:
    """One call of a student's function with its expected result; ``facts`` are what a probe's observations should match.

    ``layout``: of the arrays among the arguments: "chunk", "elsewhere" (see ``values.make_decoder``),
    "traced" (see ``traced.make_tracer``; floats alone are, ``facts`` has their names) or '', the usual one.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    expected: Any
    tolerance: float = 0.0
    label: str = ""
    layout: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def call(self, function: Callable[..., Any] | None) -> Any:
        """Call the student's function; raises Failure if it is missing."""
        if function is None:
            raise Failure(MISSING, "the function is not defined")
        layout, kinds = f"${self.layout}", "f" if self.layout == "traced" else "biuf"
        args = [{layout: a} if self.layout and isinstance(a, np.ndarray) and a.dtype.kind in kinds else a for a in self.args]
        return function(*args, **self.kwargs)

    def judge(self, answer: Any, what: str = "the result") -> Any:
        """Compare the function's result, or the value itself, with the expected one; returns it or raises Failure."""
        result = self.call(answer) if answer is None or callable(answer) else answer
        if self.label and not is_blank(result):
            what = f"{what} ({self.label})"
        return match(result, self.expected, self.tolerance, what)


@dataclass
class Check:
    """What a test function receives as ``check``.

    ``tree``: question id -> group of inputs -> cases; ``rules``: the assignment's module of rules; ``group``: the group in use;
    ``notes``: remarks to the student that cost no points; ``doubts``: those of them about what departs from the handout and
    costs points only if it does not fit the student's other functions; ``flags``: what staff should look at.
    """

    tree: dict[str, Any]
    rules: types.ModuleType
    group: str = "own"
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def cases(self, id: str, group: str = "") -> list[Case]:
        """The cases of question ``id`` in a group of inputs (default: the current group)."""
        return [Case(**case) for case in self.tree[id].get(group or self.group, [])]

    def judge(self, id: str, answer: Any, what: str = "the result") -> None:
        """Check the answer (a function, a value or a probe) against every case of the question; raises Failure.

        Those in the group ``again``, which are among its own, are called a second time. The cases in the groups ``float64`` and
        ``traced`` are tried too, but only lead to notes.
        """
        for case in self.cases(id):
            self.same_dtype(case.judge(answer, what), case.expected, what)
        for case in self.cases(id, "again") if self.group == "own" else []:
            self.repeat(case, answer, what)
        for case in self.cases(id, "float64"):
            try:
                result = case.judge(answer)
            except Exception:
                self.note("float64 inputs do not work yet (no points depend on it): is a dtype fixed somewhere?")
                break
            if isinstance(result, np.ndarray) and result.dtype == np.float32:
                self.note("float64 inputs come back as float32 (no points depend on it)")
        self.trace(id, answer)

    def repeat(self, case: Case, answer: Any, what: str) -> None:
        """Reject an answer that was right for this case, but is not when it is called again."""
        try:
            case.judge(answer, what)
        except Failure as failure:
            self.fail(
                "rule",
                f"it is right the first time, but when the same is called once more, {failure}: is something kept from call to "
                "call, and changed in place?",
                concept=STATE,
            )

    def trace(self, id: str, answer: Any) -> None:
        """Note a function that changes its arguments, or whose result no longer depends on them where it comes to gradients.

        Not in the group ``fresh``, where a judge's helpers stand in the place of its own, through which no gradient flows.
        """
        for case in self.cases(id, "traced") if self.group == "own" else []:
            try:
                seen = case.call(answer)
                changed, cut = (
                    [f"`{name}`" for name, so in zip(case.facts["names"], seen[what], strict=True) if so is True]
                    for what in ("changed", "cut")
                )
            except Exception as error:
                changed, cut = [], []
                if NO_NUMPY in str(getattr(error, "message", error)):
                    self.note(f"no gradient flows through this {UNTRAINED}: NumPy raises for tensors that have one")
            if changed:
                self.note(
                    f"it changes its argument {' and '.join(changed)} in place (no points depend on it), and whoever calls it "
                    "has other numbers in that afterwards: an operation that makes a new tensor leaves it alone"
                )
            if cut:
                self.note(f"no gradient flows from the result to {' and '.join(cut)} {UNTRAINED}: {CUT_BY}")

    def follows(self, case: Case, answer: Any) -> None:
        """Note an answer that mixes its arguments with tensors that are not on their device."""
        try:
            case.call(answer)
        except Exception as error:
            if OTHER_DEVICE in str(getattr(error, "message", error)):
                self.note(
                    "this works on the CPU alone (no points depend on it): it makes a tensor that stays there, such as a mask, "
                    "while its arguments may be on a GPU. There it needs .to(…) with their device"
                )

    def note(self, text: str) -> None:
        """Tell the student something that costs no points."""
        if text not in self.notes:
            self.notes.append(text)

    def doubt(self, text: str) -> None:
        """Note a departure from the handout that costs points only if it does not fit the student's other functions."""
        self.note(text)
        self.doubts.append(text)

    def flag(self, text: str) -> None:
        """Tell staff something that costs no points."""
        if text not in self.flags:
            self.flags.append(text)

    def same_dtype(self, result: Any, expected: Any, what: str) -> None:
        """Doubt a result in another precision than is expected."""
        kinds = [a.dtype.name for a in (result, expected) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        if len(set(kinds)) == 2:
            self.doubt(f"{what}: {kinds[0]}, expected {kinds[1]}; torch refuses matrix products of the two")

    def fail(self, kind: str, text: str, **data: Any) -> NoReturn:
        """Reject an answer: raise Failure."""
        raise Failure(kind, text, data)
