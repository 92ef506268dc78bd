"""The smallest call on which an answer fails, as lines of code with what came back.

It is chosen from a ladder of small public cases, ordered by size, that come with the assignment: so nothing has to be known
here that computes a right result. The judge and the check cells run the same code. Needs numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case
from .compare import BLANK, MISSING, SKIPPED, Failure, name_of, shape_text
from .values import Map, unsendable

MOST_NUMBERS = 48  # of an array that is written out
SECONDS = 0.3  # how long a check in a notebook looks for it
EXCEPTION = "exception"  # the kind of what a worker reports if the answer raised, and neither hung nor ended the process
MOST_DIMENSIONS = 6
LONGEST = 300  # characters of a line


@dataclass
class Ladder:
    """What it takes to look for the smallest failing call of a question.

    ``cases``: its public ones, from the smallest; ``parameters``: what to call the arguments; ``attempt``: runs the question's
    tests on one case alone and returns what they raise, None if they pass; ``answer``: the function, on arrays; ``broken``: the
    rule ``broken_property`` for this question, on a case and a result; ``right``: whether right results may be shown.
    """

    name: str
    parameters: list[str]
    cases: list[Case]
    attempt: Callable[[Case], BaseException | None]
    answer: Callable[..., Any]
    broken: Callable[[Case, Any], str | None]
    right: bool = True


@dataclass
class Failing:
    """A call that fails: its case, and what came back or was raised."""

    case: Case
    result: Any
    error: BaseException | None


def smallest_call(ladder: Ladder, kind: str, ended: Callable[[], bool]) -> list[str]:
    """Lines that show the smallest call that fails, best in this way (see ``kind_of``); [] if none is known to fail.

    Once ``ended`` no other case is tried; each takes a few calls.
    """
    if kind in (BLANK, MISSING, SKIPPED):
        return []
    found = smallest_failing(ladder, kind, ended)
    return [] if found is None else lines_of(ladder, found)


def smallest_failing(ladder: Ladder, kind: str, ended: Callable[[], bool]) -> Failing | None:
    """The first case that fails in this way, otherwise the first one that fails in any; None without one."""
    first = None
    for case in ladder.cases:
        if ended():
            break
        failure = ladder.attempt(case)
        if failure is None or kind_of(failure) in (BLANK, MISSING, SKIPPED):
            continue
        found = seen_failing(case, ladder.answer)
        if found is not None and kind_of(failure) == kind:
            return found
        first = first or found
    return first


def seen_failing(case: Case, answer: Callable[..., Any]) -> Failing | None:
    """What this call gives; None if that equals what is expected, and so would explain nothing, or cannot be told."""
    try:
        result = case.call(answer)
    except Failure:
        return None
    except Exception as error:
        return Failing(case, None, error) if getattr(error, "kind", EXCEPTION) == EXCEPTION else None
    try:
        case.judge(result)
    except Failure:
        return Failing(case, result, None)
    return None


def by_size(*groups: list[Case]) -> list[Case]:
    """The cases of these groups, each from the smallest, without those that take float64: no points depend on them."""
    return [case for group in groups for case in sorted(group, key=numbers_in) if not is_precise(case)]


def numbers_in(case: Case) -> int:
    return sum(arg.size if isinstance(arg, np.ndarray) else 1 for arg in case.args)


def is_precise(case: Case) -> bool:
    return any(isinstance(arg, np.ndarray) and arg.dtype == np.float64 for arg in case.args)


def kind_of(error: BaseException) -> str:
    """The kind of a failure; for an exception of the answer's, its type, also as a worker reports it."""
    return error.kind if isinstance(error, Failure) else getattr(error, "type_name", "") or type(error).__name__


def lines_of(ladder: Ladder, found: Failing) -> list[str]:
    """The call as Python, and what came back as comments."""
    case = found.case
    named = list(zip(names_of(ladder.parameters, len(case.args)), case.args))
    lines = [assigned(name, value, case.layout == "chunk") for name, value in named if isinstance(value, np.ndarray)]
    shown = [name if isinstance(value, np.ndarray) else repr(value) for name, value in named]
    shown += [f"{key}={case.kwargs[key]!r}" for key in sorted(case.kwargs, key=[*ladder.parameters, *case.kwargs].index)]
    lines.append(f"{ladder.name}({', '.join(shown)})")
    return [*lines, *outcome(ladder, found)]


def outcome(ladder: Ladder, found: Failing) -> list[str]:
    """Comments: what was raised or returned, what is wrong with it, and the right result, if that may be shown."""
    expected = found.case.expected
    right = [f"# right: {told(expected)}"] if ladder.right and expected is not None else []
    if found.error is not None:
        return [one_line(f"# raises {kind_of(found.error)}", message_of(found.error)), *right]
    result = found.result
    if not isinstance(result, np.ndarray):
        return [f"# yours: {told(result)}", *right]
    if not isinstance(expected, np.ndarray):
        return [f"# yours: {written(result)}", *right]
    broken = ladder.broken(found.case, result)
    return [*compared(found.case, result, bool(right)), *([f"# {broken}"] if broken else [])]


def told(value: Any) -> str:
    """A result in one line: numbers as ``written``, text and what holds some as Python, of anything else only its type."""
    if isinstance(value, np.ndarray):
        return written(value)
    if type(value) in (int, float, bool):
        return written(np.array(value))
    if value is None or not isinstance(value, (str, list, Map)) or unsendable(value) or (isinstance(value, list) and not value):
        return name_of(value)
    text = " ".join(repr(value).split()) if not isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def compared(case: Case, result: np.ndarray, right: bool) -> list[str]:
    """Comments: the result and the right one; of many numbers, the first that is wrong."""
    expected = case.expected
    if result.size > MOST_NUMBERS and result.shape == expected.shape and (wrong := first_wrong(case, result)):
        place, got, want = wrong
        return [f"# yours: {place} is {got}", *([f"# right: {place} is {want}"] if right else [])]
    digits = next((n for n in range(4, 10) if written(result, n) != written(expected, n)), 9)
    lines = [f"# yours: {written(result, digits, expected.shape)}"]
    if right:
        lines.append(f"# right: {written(expected, digits, result.shape)}")
    return lines


def first_wrong(case: Case, result: np.ndarray) -> tuple[str, str, str] | None:
    """The first place where the result is not what is expected, with both numbers; None if there is none to tell."""
    got, want = result.astype(np.float64).ravel(), case.expected.astype(np.float64).ravel()
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((got == want) | (np.abs(got - want) <= case.tolerance)))
    for number in wrong[:1]:
        digits = next((n for n in range(4, 10) if decimal(got[number], n) != decimal(want[number], n)), 9)
        place = [int(index) for index in np.unravel_index(number, result.shape)]
        return f"{place}", decimal(got[number], digits), decimal(want[number], digits)
    return None


def names_of(parameters: list[str], count: int) -> list[str]:
    return [*parameters[:count], *(f"argument{number}" for number in range(len(parameters) + 1, count + 1))]


def assigned(name: str, value: np.ndarray, strided: bool) -> str:
    """A line that makes this array; ``strided``: as one third of a wider tensor, which is not contiguous."""
    if value.size > MOST_NUMBERS:
        return f"# {name}: shape {tuple(value.shape)}"
    tensor = f"torch.tensor({written(value)})"
    if strided:
        return f"{name} = torch.cat([{tensor}] * 3, dim=-1).chunk(3, dim=-1)[1]  # a view, not contiguous"
    return f"{name} = {tensor}"


def written(array: np.ndarray, digits: int = 4, beside: tuple[int, ...] | None = None) -> str:
    """The numbers as PyTorch writes them, in one line, with their shape if that of what stands ``beside`` them is another one.

    Of many numbers, or none, only the shape.
    """
    shape = shape_text(array.shape, array.shape if beside is None else beside)
    if not 0 < array.size <= MOST_NUMBERS or array.ndim > MOST_DIMENSIONS:
        return f"shape {shape}"
    if beside is not None and beside != array.shape:
        return f"{written(array, digits)}, of shape {shape}"
    number = str if array.dtype.kind in "biu" else lambda x: decimal(x, digits)
    return nested(array.tolist(), number)


def nested(value: Any, number: Callable[[Any], str]) -> str:
    return f"[{', '.join(nested(one, number) for one in value)}]" if isinstance(value, list) else number(value)


def decimal(value: float, digits: int) -> str:
    text = f"{value + 0.0:.{digits}g}"  # not -0.0
    return f"{text}." if text.lstrip("-").isdigit() else text


def message_of(error: BaseException) -> str:
    """An exception's message; also of one that a worker reports, or that cannot be turned into text."""
    try:
        return str(getattr(error, "message", error))
    except Exception:
        return ""


def one_line(what: str, message: str) -> str:
    text = " ".join(message[: 4 * LONGEST].split())
    line = f"{what}: {text}" if text else what
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def shapes_text(parameters: list[str], args: Iterable[Any], kwargs: dict[str, Any]) -> str:
    """The arguments of a call by their shapes: ``A (1, 10, 10), n_embd=6``."""
    values = [arg["$chunk"] if isinstance(arg, dict) and set(arg) == {"$chunk"} else arg for arg in args]
    pairs = [*zip(names_of(parameters, len(values)), values), *kwargs.items()]
    return ", ".join(f"{name} {tuple(v.shape)}" if isinstance(v, np.ndarray) else f"{name}={v!r}" for name, v in pairs)
