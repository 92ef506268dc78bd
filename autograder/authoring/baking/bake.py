"""Baking, trusted, at build time: run the solution on drawn inputs and keep inputs and outputs as arrays.

The file holds ``HIDDEN_SETS`` hidden sets and one public set, but no code and no seed. Sets are independent of each other
and are baked in parallel.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import io
import itertools
import multiprocessing
import sys
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import BankEntry, load_bank, same_answer
from autograder.authoring.baking.freshness import derived, fingerprint
from autograder.authoring.baking.solution import Solution, import_all, run
from autograder.checks.case import Case
from autograder.checks.diagnose import alike, outputs_of
from autograder.checks.values import on_arrays
from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.processors import processors
from autograder.core.references import packed
from autograder.core.strict import refuse_unknown
from autograder.core.text import clean
from autograder.core.trusted import INPUTS, blamed, load_part, load_rules
from autograder.submission.sections import Submission, take_in

HIDDEN_SETS = 8
SIZES = "the sizes of all hidden sets"

Cases = dict[str, dict[str, list[dict[str, Any]]]]  # question id -> group -> cases, each with the fields of checks.case.Case


@dataclass
class BakeContext:
    """What all sets are baked from. ``inputs``, ``rules``: the assignment's modules of these names."""

    assignment: Assignment
    submission: Submission
    mistakes: list[BankEntry]
    inputs: types.ModuleType
    rules: types.ModuleType
    seed: int


@dataclass
class BakedSet:
    """One set: its tree, the mistakes' outputs that probes observed (public set only), the solution's numerical error."""

    tree: dict[str, Any]
    observed: dict[str, Any]
    noise: dict[str, float]


def bake(assignment: Assignment, solutions: Path, seed: int, log: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """All that a grader needs: ``{"fingerprint", "choice", "sets": [packed tree, …], "public": tree, "says", "noise"}``.

    A tree has ``cases`` (question id -> group -> list of cases, see ``checks.case``), ``worlds`` (section -> what its probes
    work on) and ``bank`` (question id -> mistake -> group -> outputs); the public one also ``parameters`` (question id -> what
    the solution calls them). ``choice``: the key that chooses a set; ``says``: question id -> mistake -> message for its
    author; ``noise``: question id -> the solution's numerical error. Raises GraderError if the solution fails or disagrees
    with the assignment's ``second_opinion``.
    """
    mistakes = load_bank(assignment)["mistake"]
    submission = take_in(assignment, solutions)
    inputs, rules = load_part(assignment.folder, INPUTS), load_rules(assignment)
    missing = [s.id for s in assignment.sections if submission.sections[s.id].parsed is None]
    if missing:
        raise GraderError(f"the solutions in {solutions} lack {', '.join(missing)}")
    context = BakeContext(assignment, submission, mistakes, inputs, rules, seed)
    sets: list[BakedSet] = []
    for baked in _in_parallel(context, range(HIDDEN_SETS + 1)):
        sets.append(baked)
        log(f"baked {len(sets)} of {HIDDEN_SETS + 1} sets of inputs")
    for baked in sets:
        baked.tree["bank"] |= sets[-1].observed
    return {
        "fingerprint": fingerprint(assignment, solutions, seed),
        "choice": derived(seed, "which hidden set").hex(),
        "sets": [packed(baked.tree) for baked in sets[:-1]],
        "public": sets[-1].tree,
        "says": _messages(assignment, mistakes),
        "noise": {id: max(baked.noise.get(id, 0.0) for baked in sets) for id in sets[0].noise},
    }


def _messages(assignment: Assignment, mistakes: list[BankEntry]) -> dict[str, dict[str, str]]:
    """Question id -> mistake -> message for its author."""
    messages: dict[str, dict[str, str]] = {}
    for mistake in mistakes:
        for question in same_answer(assignment, mistake["item"]):
            messages.setdefault(question.id, {})[mistake["id"]] = mistake["says"]
    return messages


_context: list[BakeContext] = []  # how forked processes get the context


def _in_parallel(context: BakeContext, numbers: Iterable[int]) -> Iterable[BakedSet]:
    """Bake the sets, in order, on all processors; one after the other where processes cannot be forked."""
    jobs = processors()
    if jobs == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (bake_set(context, number) for number in numbers)
        return
    import_all(context.assignment)  # once, before forking
    _context[:] = [context]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_bake_forked, numbers)


def _bake_forked(number: int) -> BakedSet:
    return bake_set(_context[0], number)


def bake_set(context: BakeContext, number: int) -> BakedSet:
    """Bake one set; the last one is public. What the solution prints is discarded."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        return _bake_set(context, number)


def _bake_set(context: BakeContext, number: int) -> BakedSet:
    assignment, inputs, rules, public = context.assignment, context.inputs, context.rules, number == HIDDEN_SETS
    seed = None if public else _number(context.seed, f"hidden set {number}")
    with blamed(assignment.folder):
        sizes = _sizes(context, public)
        worlds = inputs.worlds(seed, public=public, **sizes) if hasattr(inputs, "worlds") else {}
    with Solution(assignment, context.submission, worlds, rules) as solution:
        names, stages = solution.names(), {"stages": solution.stages} if worlds else {}
        with blamed(assignment.folder):
            drawn = inputs.draw(seed, public=public, names=names, **stages, **sizes)
        cases = _fill(drawn, solution, names, rules)
        _ask_second_opinion(context, cases)
        called, probed = _split(context)
        tree = {"cases": cases, "worlds": worlds, "bank": mistake_outputs(solution, cases, called, names, rules)}
        if not public:
            return BakedSet(tree, {}, noise(cases, names, assignment))
        tree["parameters"] = _parameters(assignment, names)
        # Probes observe the same in every world, so the public set's observations serve all sets.
        return BakedSet(tree, mistake_outputs(solution, cases, probed, names, rules), {})


def _parameters(assignment: Assignment, names: dict[str, Any]) -> dict[str, list[str]]:
    """Question id -> what the solution calls the parameters of its answer, if that is a function to call."""
    functions = [question for question in assignment.questions if not question.value and not question.probe]
    return {question.id: list(inspect.signature(names[question.names[0]]).parameters) for question in functions}


def _sizes(context: BakeContext, public: bool) -> dict[str, Any]:
    """What ``sizes`` draws, if the assignment has it: the same for all hidden sets, so that none is easier than another."""
    if not hasattr(context.inputs, "sizes"):
        return {}
    return {"sizes": context.inputs.sizes(None if public else _number(context.seed, SIZES), public=public)}


def _number(seed: int, purpose: str) -> int:
    """A seed for one purpose."""
    return int.from_bytes(derived(seed, purpose)[:8], "little")


def _ask_second_opinion(context: BakeContext, cases: Cases) -> None:
    """Raise GraderError if the assignment has a ``second_opinion`` and it disagrees with the solution."""
    with blamed(context.assignment.folder):
        problem = context.inputs.second_opinion(cases) if hasattr(context.inputs, "second_opinion") else ""
    if problem:
        raise GraderError(f"the solution disagrees with the second opinion: {problem}")


def _split(context: BakeContext) -> tuple[list[BankEntry], list[BankEntry]]:
    """(mistakes found by calls, mistakes found by probes and recognised under their own name)."""
    called, probed = [], []
    for mistake in context.mistakes:
        if not context.assignment.question(mistake["item"]).probe:
            called.append(mistake)
        elif "same_as" not in mistake:
            probed.append(mistake)
    return called, probed


def mistake_outputs(
    solution: Solution, cases: Cases, mistakes: list[BankEntry], names: dict[str, Any], rules: types.ModuleType
) -> dict[str, dict[str, Any]]:
    """Run every mistake on the same inputs: question id -> mistake -> group -> outputs, None where the mistake raises."""
    bank: dict[str, dict[str, Any]] = {}
    for mistake in mistakes:
        for question in same_answer(solution.assignment, mistake["item"]):
            outputs = _outputs(solution, question, mistake, cases[question.id], names, rules)
            # A mistake that gives correct answers here (a wrong mask where none is asked for) explains no wrong one.
            if question.value or mistake["item"] == question.id or not _is_right(outputs["own"], cases[question.id]["own"]):
                bank.setdefault(question.id, {})[mistake["id"]] = outputs
    return bank


def _outputs(
    solution: Solution,
    question: Question,
    mistake: BankEntry,
    groups: dict[str, list[dict[str, Any]]],
    names: dict[str, Any],
    rules: types.ModuleType,
) -> dict[str, list[Any]]:
    """Group -> a mistake's outputs on the cases of a question."""
    scope = solution.scope(question.section) if question.probe else dict(names)
    run(mistake["code"], f"bank: mistake {mistake['id']!r} of {mistake['item']}", scope)
    answer = solution.answer(question, scope)
    if question.probe:
        answer = functools.cache(answer)  # the groups of a probe differ in what is judged, not in what is observed
    signature = functools.partial(rules.signature, question.id)
    return {
        group: outputs_of(answer, [Case(**case) for case in groups[group]], signature)
        for group in groups
        if group in ("own", "fresh")
    }


def _is_right(outputs: list[Any], cases: list[dict[str, Any]]) -> bool:
    """Whether all outputs agree with what is expected, as far as both are known."""
    return all(
        alike(output, case["expected"])
        for output, case in zip(outputs, cases)
        if output is not None and case["expected"] is not None
    )


def noise(cases: Cases, names: dict[str, Any], assignment: Assignment) -> dict[str, float]:
    """Question id -> the solution's largest difference between float32 and float64, and between numbers of threads."""
    largest: dict[str, float] = {}
    torch = sys.modules.get("torch")
    if torch is None:
        return largest
    import numpy as np

    for id, groups in cases.items():
        question = assignment.question(id)
        for case in [] if question.value or question.probe else groups["own"]:
            function = on_arrays(names[question.names[0]])
            precise = [a.astype(np.float64) if isinstance(a, np.ndarray) else a for a in case["args"]]
            outputs = [function(*precise, **case["kwargs"])]
            for threads in (2, 1):
                torch.set_num_threads(threads)
                outputs.append(function(*case["args"], **case["kwargs"]))
            for output in outputs:
                with np.errstate(invalid="ignore"):
                    error = np.where(output == case["expected"], 0.0, np.abs(output - case["expected"])).max()
                largest[id] = max(largest.get(id, 0.0), float(error))
    return largest


def _exact(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The function's result on float32 arrays, computed in float64 and rounded once: the same digits on every processor."""
    import numpy as np

    single = [isinstance(a, np.ndarray) and a.dtype == np.float32 for a in args]
    if not any(single):
        return function(*args, **kwargs)
    result = function(*(a.astype(np.float64) if one else a for a, one in zip(args, single)), **kwargs)
    return result.astype(np.float32) if isinstance(result, np.ndarray) and result.dtype == np.float64 else result


def _check_drawn(tree: Any, assignment: Assignment) -> None:
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
    if missing := [key for key in ("args", "kwargs") if key not in case]:
        raise GraderError(f"{where}: the key {missing[0]!r} is missing")
    case.setdefault("expected", None)
    return case


def _fill(tree: Any, solution: Solution, names: dict[str, Any], rules: types.ModuleType) -> Cases:
    """Check what draw() returned and compute what is ``expected``, in place.

    That is for each case that names a ``function`` of the solution, and for each case of a probe.
    """
    _check_drawn(tree, solution.assignment)
    cases: Cases = tree
    for id, groups in cases.items():
        for case in itertools.chain(*groups.values()):
            function = case.pop("function", None)
            if function:
                where = f"inputs: a case of {id}"
                refuse_unknown([function], names, where, "function of the solutions called")
                try:
                    case["expected"] = _exact(on_arrays(names[function]), case["args"], case["kwargs"])
                except (Exception, SystemExit) as error:
                    raise GraderError(
                        f"{where}: the solutions' {function} raised {type(error).__name__}: {clean(str(error), 160)}"
                    ) from error
    for question in (q for q in solution.assignment.questions if q.probe):
        answer = solution.answer(question, solution.scope(question.section))
        for case in itertools.chain(*cases[question.id].values()):
            case["expected"] = answer() if question.sentence else rules.signature(question.id, answer(), Case(**case))
    return cases
