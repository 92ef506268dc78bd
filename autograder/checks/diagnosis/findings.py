"""What diagnosis works on, the calls of an answer on public inputs, and what it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..case import Case
from ..compare import numeric, same

BANK, RULE, REPAIR = "bank", "rule", "repair"
QUANTITY = re.compile(r"(\w+)[ =](\d+)\b")
CODE = re.compile(r"\w*[\d_(\[]|\w+\.\w|\w+ ?=")  # how what is no plain word begins
RATIOS = {"n_embd / n_heads": ("n_embd", "n_heads")}


@dataclass(frozen=True)
class Finding:
    """Something known about a wrong answer: ``by`` bank, rule or repair; the ``concept`` behind it; one or two sentences.

    ``line``: that of the student's cell or function, if it is known; ``place``: the same in words.
    """

    by: str
    concept: str
    says: str
    line: int | None = None
    place: str = ""

    def sentence(self) -> str:
        """What is known, as a whole sentence."""
        return ended(begun(self.says)) if self.says else ""

    def tree(self) -> dict[str, Any]:
        """For results.json: ``{"by", "concept"}``, and ``"line"`` and ``"place"`` where there is one."""
        where = {} if self.line is None else {"line": self.line, "place": self.place}
        return {"by": self.by, "concept": self.concept, **where}


RANDOM = Finding(RULE, "randomness", "The same call gives something else each time: something in it is random")


@dataclass
class Call:
    """One call on public inputs. ``args``: what was handed over, arrays and plain values, by parameter where that is known.

    ``got``: a numeric array, or None if there is none; ``wanted``: an array of any shape; ``label``: what the case is called.
    """

    args: dict[str, Any]
    got: np.ndarray | None
    wanted: np.ndarray
    label: str = ""
    tolerance: float = 1e-4
    quantities: dict[str, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.quantities = {name: float(number) for name, number in QUANTITY.findall(self.label)}
        for name, value in self.args.items():
            if isinstance(value, (bool, int, float)):
                self.quantities.setdefault(name, float(value))
        for name, (above, below) in RATIOS.items():
            if self.quantities.get(below) and above in self.quantities:
                self.quantities[name] = self.quantities[above] / self.quantities[below]

    @property
    def right(self) -> bool:
        return same(self.got, self.wanted, self.tolerance)

    @property
    def size(self) -> int:
        """How many numbers the right result has."""
        return int(self.wanted.size)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        return {name: value for name, value in self.args.items() if isinstance(value, np.ndarray)}


def comparable(cases: Iterable[Case]) -> list[Case]:
    """The cases whose results can be held against an array, with inputs in the usual layout."""
    return [case for case in cases if not case.layout and isinstance(case.expected, np.ndarray)]


def call_of(case: Case, parameters: Iterable[str], got: Any) -> Call:
    """The call of a case, its arguments under these names, with what came back."""
    args = dict(zip(parameters, case.args)) | case.kwargs
    return Call(args, numeric(got), case.expected, case.label, case.tolerance)


def pairs(wrong: list[Call]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(got, wanted) of calls that have a result."""
    for call in wrong:
        if call.got is not None:
            yield call.got, call.wanted


def distinct(wrong: list[Call]) -> bool:
    """Whether the right results have more than a few different numbers, so that agreement says something."""
    return all(len(np.unique(call.wanted)) > 2 for call in wrong)


Relation = Callable[[list[Call]], "tuple[str, str] | None"]  # calls that are wrong -> (concept, sentence)


def ended(text: str) -> str:
    """The text as a whole sentence."""
    return text if text[-1:] in ".?!" else f"{text}."


def begun(text: str) -> str:
    """The text with a capital letter, unless it begins with a name in code, such as ``m_key``, which keeps its letters."""
    return text if CODE.match(text) else f"{text[:1].upper()}{text[1:]}"


def joined(text: str, findings: Sequence[Finding]) -> str:
    """The text, and what is known after it, as sentences."""
    for finding in findings:
        if finding.says:
            text = f"{ended(text)} {begun(finding.says)}"
    return text


def same_shape(relation: Relation) -> Relation:
    """The relation, of results that have the right shape only."""

    def only(wrong: list[Call]) -> tuple[str, str] | None:
        return None if any(got.shape != want.shape for got, want in pairs(wrong)) else relation(wrong)

    return only
