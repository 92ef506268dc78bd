"""Tries edits of a function on calls whose right results are known, in the process where the function lives.

Runs in a worker and in notebooks alike, and imports nothing.
Edited code that loops without end is stopped after so many of its own instructions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

STEPS = 200_000  # instructions of edited code that one edit may run
EDITED = "<edited>"


@dataclass
class Trial:
    """A call with its right result, an array; ``args`` and ``kwargs`` make fresh arguments each time."""

    args: Callable[[], list[Any]]
    kwargs: Callable[[], dict[str, Any]]
    wanted: Any
    tolerance: float


class TooLong(BaseException):
    """Raised inside edited code; not an Exception, so that `except Exception` does not catch it."""


def survivors(
    codes: Sequence[str],
    define: Callable[[Any], Callable[..., Any]],
    groups: Sequence[Sequence[Trial]],
    plain: Callable[[Any], Any],
    done: Callable[[int], bool | None] = lambda number: None,
) -> list[list[int]]:
    """(number of a code, number of a group) wherever every trial of the group gives its right result with the code.

    ``define``: compiled code -> the function that it defines; ``plain``: a result -> an array; ``done`` is told each number,
    and ends the search with True.
    """
    found = []
    for number, code in enumerate(codes):
        found += [[number, group] for group in all_right(code, define, groups, plain)]
        if done(number):
            break
    return found


def all_right(
    code: str, define: Callable[[Any], Callable[..., Any]], groups: Sequence[Sequence[Trial]], plain: Callable[[Any], Any]
) -> list[int]:
    """The numbers of the groups whose trials are all right with this code."""
    left, right = [STEPS], []
    try:
        function = counted(counted(define, left)(compile(code, EDITED, "exec", dont_inherit=True)), left)
    except (Exception, TooLong):
        return []
    for number, trials in enumerate(groups):
        try:
            if all(is_right(plain(function(*trial.args(), **trial.kwargs())), trial) for trial in trials):
                right.append(number)
        except Exception:
            continue
        except TooLong:
            break
    return right


def counted(function: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    """The function, whose edited code may run ``left`` more instructions: raises TooLong after that."""

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != EDITED:
            return None
        frame.f_trace_opcodes = True  # a loop on one line has no other events
        left[0] -= 1
        if left[0] < 0:
            raise TooLong
        return count

    def run(*args: Any, **kwargs: Any) -> Any:
        before = sys.gettrace()
        sys.settrace(count)
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(before)

    return run


def is_right(got: Any, trial: Trial) -> bool:
    """Whether a result is the array that a trial wants, of the same type and shape, within its tolerance.

    NumPy is there where arrays are; a worker without it imports none.
    """
    wanted, np = trial.wanted, sys.modules["numpy"]
    if not isinstance(got, np.ndarray) or got.dtype != wanted.dtype or got.shape != wanted.shape:
        return False
    return bool(np.allclose(got, wanted, rtol=trial.tolerance, atol=trial.tolerance, equal_nan=True))
