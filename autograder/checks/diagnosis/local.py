"""Diagnosis in a notebook: the same as the grader's, on the notebook's own functions.

Functions with edits run with a copy of the notebook's names; nothing that they do is left behind (see ``checks.untouched``).
"""

from __future__ import annotations

import contextlib
import inspect
import io
import linecache
import sys
import textwrap
import traceback
import types
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..case import Case
from ..values import on_arrays
from .edits import edits
from .findings import RULE, Call, Finding
from .raised import raised
from .repair import asked, repairing
from .signatures import signature
from .templates import template
from .trying import Trial, survivors

MOST = 250  # edits: a tenth of a second or two


def known(name: str, names: dict[str, Any], cases: Sequence[Case], rules: Any, tensor: bool) -> list[Finding]:
    """What is known about the function ``name`` of a notebook that fails some of these cases; [] if nothing is."""
    function = names.get(name)
    cases = [case for case in cases if not case.layout and isinstance(case.expected, np.ndarray)]
    if not isinstance(function, types.FunctionType) or not cases:
        return []
    found: list[Finding | None] = []
    calls, errors = called(function, cases, tensor)
    if errors:
        found.append(of_exception(function, errors[-1]))
    found += [signature(calls), repair(name, function, names, cases, calls, rules, tensor)]
    return [one for one in found if one]


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
        numeric = got if isinstance(got, np.ndarray) and got.dtype.kind in "biuf" else None
        calls.append(Call(dict(zip(parameters, case.args)) | case.kwargs, numeric, case.expected, case.label, case.tolerance))
    return calls, errors


def of_exception(function: Any, error: Exception) -> Finding | None:
    """What an exception means, with the line of the function, counted from its ``def``, that raised it."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == function.__code__.co_filename]
    line = own[-1].lineno if own else None
    code = linecache.getline(function.__code__.co_filename, line) if line else ""
    first = function.__code__.co_firstlineno
    return raised(type(error).__name__, str(error), code, line - first + 1 if line else None)


def repair(
    name: str, function: Any, names: dict[str, Any], cases: Sequence[Case], calls: list[Call], rules: Any, tensor: bool
) -> Finding | None:
    """The question about the line that an edit of the function has to change."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None
    candidates = edits(source, [template(*one) for one in rules.EDITS], rules.STATEMENTS, MOST)
    ordered = [case for _, case in sorted(zip(calls, cases), key=lambda pair: pair[0].right)]
    trials = [Trial(partial(list, case.args), partial(dict, case.kwargs), case.expected, case.tolerance) for case in ordered]

    def define(code: Any) -> Any:
        copy = dict(names)
        exec(code, copy)
        return on_arrays(copy[name], tensor)

    with quietly():
        working = set(survivors([edit.code for edit in candidates], define, trials, lambda result: result))
    best = repairing([edit for number, edit in enumerate(candidates) if number in working], lambda edit: True)
    return asked(best, rules.CONCEPTS, f"line {best.line} of `{name}`") if best else None


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without prints and warnings, on one of torch's threads: on a busy machine several take a thousand times longer."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


def of_value(id: str, value: Any, case: Case, rules: Any, context: dict[str, Any]) -> list[Finding]:
    """What the assignment's rules say about a wrong value."""
    told = rules.reason(id, value, case, context)
    return [Finding(RULE, *told)] if told else []
