"""Diagnosis in a notebook: the same as the grader's, on the notebook's own functions.

Functions with edits run with a copy of the notebook's names; nothing that they do is left behind (see ``checks.untouched``).
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import textwrap
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ..case import Case
from ..compare import same
from ..raised import message
from ..values import on_arrays
from .composition import composition, unused
from .edits import edits
from .findings import RANDOM, Call, Finding, call_of, comparable
from .raised import of_exception
from .repair import asked, repairing
from .signatures import signature
from .templates import template
from .trying import Trial, survivors

MOST, SECONDS = 250, 0.2  # edits, and how long they are tried


def known(
    name: str, names: dict[str, Any], cases: Sequence[Case], rules: Any, tensor: bool, steps: Sequence[str] = (), told: str = ""
) -> list[Finding]:
    """What is known about the function ``name`` of a notebook that fails some of these cases; [] if nothing is.

    ``steps``: the functions that it should call, in order; ``told``: what is said of it already, with the message of an
    exception that it raised.
    """
    function = names.get(name)
    cases = comparable(cases)
    if not isinstance(function, types.FunctionType) or not cases:
        return []
    source = source_of(function)
    with quietly():
        calls, errors = called(function, cases, tensor)
        shown = next((error for error in errors if message(error) in told), None)
        found = [of_exception(names, shown)] if shown else []
        found += [unused(name, source), composition(name, source, steps)]
        found.append(of_chance(function, cases, calls, tensor) or signature(calls, source))
        found.append(repair(name, source, names, cases, calls, rules, tensor))
    return [one for one in found if one]


def source_of(function: Any) -> str:
    """The source of a function, '' if it is not known."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return ""


def of_chance(function: Any, cases: Sequence[Case], calls: list[Call], tensor: bool) -> Finding | None:
    """That a wrong call gives something else when it is made again."""
    for case, call in reversed(list(zip(cases, calls))):
        if call.got is not None and not call.right:
            again = called(function, [case], tensor)[0][0]
            return RANDOM if again.got is not None and not same(again.got, call.got) else None
    return None


def called(function: Any, cases: Sequence[Case], tensor: bool) -> tuple[list[Call], list[Exception]]:
    """The results of a function in these cases, and what it raised."""
    wrapped = on_arrays(function, tensor)
    calls: list[Call] = []
    errors: list[Exception] = []
    parameters = list(inspect.signature(function).parameters)
    for case in cases:
        try:
            got = case.call(wrapped)
        except Exception as error:
            errors.append(error)
            got = None
        calls.append(call_of(case, parameters, got))
    return calls, errors


def repair(
    name: str, source: str, names: dict[str, Any], cases: Sequence[Case], calls: list[Call], rules: Any, tensor: bool
) -> Finding | None:
    """The question about the line that an edit of the function has to change."""
    candidates = edits(source, [template(*one) for one in rules.EDITS], rules.STATEMENTS, MOST)
    ordered = [case for _, case in sorted(zip(calls, cases), key=lambda pair: (pair[0].right, pair[0].size))]
    trials = [Trial(partial(list, one.args), partial(dict, one.kwargs), one.expected, one.tolerance) for one in ordered]

    def define(code: Any) -> Any:
        copy = dict(names)
        exec(code, copy)
        return on_arrays(copy[name], tensor)

    end = time.monotonic() + SECONDS
    codes = [edit.code for edit in candidates]
    found = survivors(codes, define, [trials], lambda result: result, lambda number: time.monotonic() > end)
    working = {number for number, _ in found}
    best = repairing([edit for number, edit in enumerate(candidates) if number in working], lambda edit: True)
    return asked(best, rules.CONCEPTS, f"line {best.line} of `{name}`") if best else None


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without warnings, which are slow to write, and on one of torch's threads: on a busy machine several are far slower."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)
