"""Diagnosis in a notebook: the same as the grader's, on the notebook's own functions.

Functions with edits run with a copy of the notebook's names; nothing that they do is left behind (see ``checks.untouched``).
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import textwrap
import types
import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ..case import Case
from ..compare import same
from ..deadline import used_up
from ..raised import message
from ..values import on_arrays
from .composition import composition, unused
from .edits import edits
from .findings import RANDOM, Call, Finding, call_of, comparable
from .keeping import KEPT, may_keep
from .raised import of_exception
from .repair import asked, leads_away, repairing
from .signatures import signature
from .templates import template
from .trying import Trial, survivors

MOST, SECONDS = 250, 0.2  # edits, and how long they are tried


def known(
    name: str, names: dict[str, Any], cases: Sequence[Case], rules: Any, tensor: bool, id: str = "", told: str = ""
) -> list[Finding]:
    """What is known about the function ``name`` of a notebook that fails some of these cases; [] if nothing is.

    ``id``: the question; ``told``: what is said of it already, with the message of an
    exception that it raised.
    """
    function = names.get(name)
    cases = comparable(cases)
    if not isinstance(function, types.FunctionType) or not cases:
        return []
    source = source_of(function)
    with quietly():
        calls, errors = called(function, cases, tensor)
        if keeps(name, source, names, cases, calls, tensor):
            return [KEPT]
        shown = next((error for error in errors if message(error) in told), None)
        found = [of_exception(names, shown)] if shown else []
        found += [unused(name, source, rules.SPARE.get(id, ())), composition(name, source, rules.STEPS.get(id, ()))]
        found.append(of_chance(function, cases, calls, tensor) or signature(calls, source))
        question = repair(name, source, names, cases, calls, rules, tensor)
    sure = [one for one in found if one]
    return [*sure, question] if question and not leads_away(question, sure) else sure


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


def keeps(name: str, source: str, names: dict[str, Any], cases: Sequence[Case], calls: list[Call], tensor: bool) -> bool:
    """Whether the largest call that is wrong is right when it is the first of the function, defined anew."""
    wrong = [(call.size, number) for number, call in enumerate(calls) if not call.right]
    if not wrong or len(wrong) == len(calls) or not may_keep(source):
        return False
    copy = dict(names)
    try:
        exec(source, copy)
        anew = copy[name]
    except Exception:  # a function made inside another one, or under another name, cannot be made again by itself
        return False
    return called(anew, [cases[max(wrong)[1]]], tensor)[0][0].right


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

    codes = [edit.code for edit in candidates]
    found = survivors(codes, define, [trials], lambda result: result, used_up(SECONDS))
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
