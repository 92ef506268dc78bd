"""What the tests share that were taken over from Otter Assign. Travels with the notebooks, so it holds nothing secret.

Tests reach this module as ``check.rules``. It may import the standard library, numpy and ``autograder.checks``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from autograder.checks.compare import BLANK, MISSING, Failure, is_blank

UNREADABLE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


@contextlib.contextmanager
def asserted(says: str, hidden: bool = False, **answers: Any) -> Iterator[None]:
    """Within it, a failed assertion rejects the answers, and so does one that the test cannot work with.

    ``says``: what students read then; a ``hidden`` test says nothing more.
    """
    for name, answer in answers.items():
        if answer is None:
            raise Failure(MISSING, f"{name} is not defined")
        if is_blank(answer):
            raise Failure(BLANK, f"got None instead of {name}")
    try:
        yield
    except Failure:
        raise
    except AssertionError as error:
        text = str(error)
        raise Failure("rule", f"{says}: {text}" if text and not hidden else says) from None
    except UNREADABLE as error:
        if not _arose_in_test(error):  # a student's own exception is shown as such
            raise
        raise Failure("kind", f"{says}: the answer is of another kind than the test works with") from None


def _arose_in_test(error: BaseException) -> bool:
    """Whether the test itself, or numpy called by it, raised this: frames are this one, the test's, and what it called."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return all(frame.f_globals.get("__name__", "").partition(".")[0] == "numpy" for frame in frames[2:])
