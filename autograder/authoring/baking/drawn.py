"""What the assignment's ``draw`` returned: checked, completed with what the solutions return, and the same when drawn again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import types
from collections.abc import Callable
from typing import Any

from autograder.authoring.baking.solution import Solution
from autograder.checks.case import Case
from autograder.checks.values import on_arrays, stored, unsendable
from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.strict import refuse_unknown
from autograder.core.text import clean

Cases = dict[str, dict[str, list[dict[str, Any]]]]  # question id -> group -> cases, each with the fields of checks.case.Case


def drawn(hook: str, what: str, again: bool, draw: Callable[[], Any]) -> Any:
    """What this hook of the inputs returns. With ``again`` it is called twice; raises GraderError if that gives something else.

    References would be others each time they are baked, and the same submission would be judged in several ways.
    ``what``: what it returns by key, as in "cases for", to name the first that differs.
    """
    once = draw()
    differs = _difference(once, draw(), what) if again else ""
    if differs:
        raise GraderError(
            f"inputs: {hook}() gives other {differs} each time it is called with the same seed: "
            "take every random number from a generator that is made of it, such as default_rng(seed)"
        )
    return once


def _difference(once: Any, again: Any, what: str) -> str:
    """What differs between two results of a hook, '' if nothing does."""
    if what and isinstance(once, dict) and isinstance(again, dict):
        return next((f"{what} {clean(str(key))}" for key in once if _text(once[key]) != _text(again.get(key))), "")
    return "results" if _text(once) != _text(again) else ""


def _text(tree: Any) -> str:
    """Equal for equal trees; '' for what cannot be stored, which is refused elsewhere."""
    try:
        return json.dumps(stored(tree, lambda array: [str(array.dtype), list(array.shape), array.tobytes().hex()]))
    except TypeError:
        return ""


def _exact(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function's result on float32 arrays, computed in float64 and rounded once: the same digits on every processor."""
    import numpy as np

    single = [isinstance(a, np.ndarray) and a.dtype == np.float32 for a in args]
    if not any(single):
        return function(*args, **kwargs)
    result = function(*(a.astype(np.float64) if one else a for a, one in zip(args, single)), **kwargs)
    return result.astype(np.float32) if isinstance(result, np.ndarray) and result.dtype == np.float64 else result


def check_drawn(tree: Any, assignment: Assignment) -> None:
    """Raise GraderError unless draw() returned cases for every question.

    Cases that lack ``expected`` get None; those that lack ``tolerance``, their section's.
    """
    where = "inputs: draw()"
    if not isinstance(tree, dict) or not all(isinstance(groups, dict) for groups in tree.values()):
        raise GraderError(f"{where} should return a dict: question -> group -> list of cases")
    refuse_unknown(tree, [q.id for q in assignment.questions], where, "question")
    for id, groups in tree.items():
        for cases in groups.values():
            for case in cases if isinstance(cases, list) else ():
                _check_case(case, f"inputs: a case of {id}").setdefault("tolerance", assignment.question(id).section.tolerance)
    for question in assignment.questions:
        _check_groups(tree, question, where)


def _check_groups(tree: dict[str, Any], question: Question, where: str) -> None:
    if question.probe and question.sentence:  # nothing to draw: the probe works on its section's world
        plain = {"args": [], "kwargs": {}, "tolerance": question.section.tolerance}
        tree.setdefault(question.id, {group: [_check_case(dict(plain), where)] for group in ("own", "fresh")})
    if question.id not in tree:
        raise GraderError(f"{where} has no cases for {question.id}")
    groups = tree[question.id]
    for group in ("own", "fresh") if question.prerequisites else ("own",):
        if not isinstance(groups.get(group), list) or not groups[group]:
            raise GraderError(f"{where} has no cases for {question.id} in its group {group!r}")


def _check_case(case: Any, where: str) -> Any:
    if not isinstance(case, dict):
        raise GraderError(f"{where} should be a dict, not {clean(repr(case))}")
    refuse_unknown(case, [*(field.name for field in dataclasses.fields(Case)), "function"], where, "key")
    if "args" not in case:
        raise GraderError(f"{where}: the key 'args' is missing")
    case |= {"args": as_sent(case["args"]), "kwargs": as_sent(case.get("kwargs", {}))}
    case.setdefault("expected", None)
    return case


def as_sent(value: Any) -> Any:
    """Arguments as answers get them: a tuple travels as a list, so that the solutions see one, too."""
    if isinstance(value, (list, tuple)):
        return [as_sent(part) for part in value]
    return {key: as_sent(part) for key, part in value.items()} if isinstance(value, dict) else value


def filled(tree: Any, solution: Solution, names: dict[str, Any], rules: types.ModuleType) -> Cases:
    """Check what draw() returned and compute what is ``expected``, in place.

    That is for each case that names a ``function`` of the solution, and for each case of a probe.
    """
    check_drawn(tree, solution.assignment)
    cases: Cases = tree
    for id, groups in cases.items():
        for case in itertools.chain(*groups.values()):
            function = case.pop("function", None)
            if function:
                where = f"inputs: a case of {id}"
                fitting = [name for name, value in names.items() if callable(value)]
                refuse_unknown([function], names, where, "function of the solutions called", fitting)
                try:
                    case["expected"] = _exact(on_arrays(names[function]), case["args"], case["kwargs"])
                except (Exception, SystemExit) as error:
                    raise GraderError(
                        f"{where}: the solutions' {function} raised {type(error).__name__}: {clean(str(error), 160)}"
                    ) from error
            _refuse_unsendable(case, f"inputs: a case of {id}", function)
    for question in (q for q in solution.assignment.questions if q.probe):
        answer = solution.answer(question, solution.scope(question.section))
        for case in itertools.chain(*cases[question.id].values()):
            case["expected"] = answer() if question.sentence else rules.signature(question.id, answer(), Case(**case))
    return cases


def _refuse_unsendable(case: dict[str, Any], where: str, function: str | None) -> None:
    """Raise GraderError if a case holds what cannot travel to a worker, or its result what cannot travel back."""
    kinds = "only None, truth values, numbers, text, lists, tuples, dicts, and arrays or tensors of numbers travel"
    if kind := unsendable(case["expected"]):
        whose = f"the solutions' {function} returns" if function else "it expects"
        raise GraderError(f"{where}: {whose} something of type {clean(kind)}; {kinds}")
    try:
        stored([case["args"], case["kwargs"]], lambda array: array)
    except TypeError as error:
        raise GraderError(f"{where}: its arguments {clean(str(error), 80)}; {kinds}") from None
