"""Build time, trusted: run the solution on drawn inputs and keep inputs and outputs as arrays.

The file it writes holds ``HIDDEN_SETS`` hidden sets and one public set; no code and no seed. Sets do not depend on each
other and are baked side by side, in processes of ours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import multiprocessing
import sys
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import load_bank, same_answer
from autograder.authoring.baking.freshness import fingerprint
from autograder.authoring.baking.solution import Solution, import_all, run
from autograder.checks.case import Case
from autograder.checks.diagnose import alike, outputs_of
from autograder.checks.values import on_arrays
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.processors import processors
from autograder.core.references import packed
from autograder.core.strict import refuse_unknown
from autograder.core.text import clean
from autograder.core.trusted import INPUTS, blamed, load_part, load_rules
from autograder.submission.sections import Submission, take_in

HIDDEN_SETS = 8


@dataclass
class Kitchen:
    """What every set is made from. ``inputs``: the assignment's own module, ``rules``: its verdict rules."""

    assignment: Assignment
    submission: Submission
    mistakes: list[dict[str, Any]]
    inputs: types.ModuleType
    rules: types.ModuleType
    seed: int


@dataclass
class Baked:
    """One set: its tree, the symptoms that probes saw (the public set's only), the solution's numerical error."""

    tree: dict[str, Any]
    observed: dict[str, Any]
    noise: dict[str, float]


def bake(assignment: Assignment, solutions: Path, seed: int, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """All that a grader needs: ``{"fingerprint", "sets": [packed tree, …], "public": tree, "says", "noise"}``.

    A tree has ``cases`` (question id -> group -> list of cases, see ``checks.case``), ``worlds`` (section -> what its probes
    work on) and ``bank`` (question id -> mistake -> group -> outputs). ``says``: what the author of a mistake reads; ``noise``:
    the solution's own numerical error. Raises GraderError when the solution fails or disagrees with the assignment's own second
    opinion.
    """
    mistakes = load_bank(assignment)["mistake"]
    kitchen = Kitchen(
        assignment, take_in(assignment, solutions), mistakes, load_part(assignment.folder, INPUTS), load_rules(assignment), seed
    )
    missing = [s.id for s in assignment.sections if kitchen.submission.sections[s.id].parsed is None]
    if missing:
        raise GraderError(f"the solutions in {solutions} lack {', '.join(missing)}")
    made: list[Baked] = []
    for baked in _side_by_side(kitchen, range(HIDDEN_SETS + 1)):
        made.append(baked)
        say(f"baked {len(made)} of {HIDDEN_SETS + 1} sets of inputs")
    trees = [baked.tree for baked in made]
    for tree in trees:
        tree["bank"] |= made[-1].observed
    says: dict[str, dict[str, str]] = {}
    for mistake in mistakes:
        for question in same_answer(assignment, mistake["item"]):
            says.setdefault(question.id, {})[mistake["id"]] = mistake["says"]
    noise = {id: max(baked.noise.get(id, 0.0) for baked in made) for id in made[0].noise}
    return {
        "fingerprint": fingerprint(assignment, solutions, seed),
        "sets": [packed(tree) for tree in trees[:-1]],
        "public": trees[-1],
        "says": says,
        "noise": noise,
    }


_kitchen: list[Kitchen] = []  # what forked processes find


def _side_by_side(kitchen: Kitchen, numbers: Iterable[int]) -> Iterable[Baked]:
    """Each set, in order, as many at once as there are processors; one after the other where processes cannot be forked."""
    jobs = processors()
    if jobs == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield from (bake_set(kitchen, number) for number in numbers)
        return
    import_all(kitchen.assignment)  # once, for all of them
    _kitchen[:] = [kitchen]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_forked, numbers)


def _forked(number: int) -> Baked:
    return bake_set(_kitchen[0], number)


def bake_set(kitchen: Kitchen, number: int) -> Baked:
    """One set of inputs and outputs; the last one is public. What the solution prints on the way is nobody's concern."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        return _bake_set(kitchen, number)


def _bake_set(kitchen: Kitchen, number: int) -> Baked:
    assignment, inputs, public = kitchen.assignment, kitchen.inputs, number == HIDDEN_SETS
    seed = None if public else kitchen.seed + number
    with blamed(assignment.folder):
        worlds = inputs.worlds(seed, public=public) if hasattr(inputs, "worlds") else {}
    with Solution(assignment, kitchen.submission, worlds) as solution:
        names, further = solution.names(), {"stages": solution.stages} if worlds else {}
        with blamed(assignment.folder):
            drawn = inputs.draw(seed, public=public, names=names, **further)
        cases = _fill(drawn, solution, names, kitchen.rules)
        with blamed(assignment.folder):
            problem = inputs.second_opinion(cases) if hasattr(inputs, "second_opinion") else ""
        if problem:
            raise GraderError(f"the solution disagrees with the second opinion: {problem}")
        called = [m for m in kitchen.mistakes if not assignment.question(m["item"]).probe]
        tree = {"cases": cases, "worlds": worlds, "bank": mistake_outputs(solution, cases, called, names, kitchen.rules)}
        observed = {}
        if public:  # symptoms that probes see are the same in every world; what is like another mistake bears its name
            probed = [m for m in kitchen.mistakes if m not in called and "same_as" not in m]
            observed = mistake_outputs(solution, cases, probed, names, kitchen.rules)
        return Baked(tree, observed, {} if public else noise(cases, names, assignment))


def mistake_outputs(solution: Solution, cases: dict, mistakes: list[dict], names: dict, rules: types.ModuleType) -> dict:
    """Run every mistake on the same inputs; a mistake that raises has no outputs there."""
    bank: dict[str, dict] = {}
    assignment = solution.assignment
    for mistake in mistakes:
        for question in same_answer(assignment, mistake["item"]):
            scope = solution.scope(question.section) if question.probe else dict(names)
            run(mistake["code"], f"bank: mistake {mistake['id']!r} of {mistake['item']}", scope)
            answer = solution.answer(question, scope)
            if question.probe:
                answer = functools.cache(answer)  # its groups differ in what else is judged, not in what is seen
            signature = functools.partial(rules.signature, question.id)
            outputs = {
                group: outputs_of(answer, [Case(**case) for case in listed], signature)
                for group, listed in cases[question.id].items()
                if group in ("own", "fresh")
            }
            # A mistake that gives right answers here (a wrong mask where none is asked for) explains no wrong one.
            right = all(
                alike(o, case["expected"])
                for o, case in zip(outputs["own"], cases[question.id]["own"])
                if o is not None and case["expected"] is not None
            )
            if question.value or not right or mistake["item"] == question.id:
                bank.setdefault(question.id, {})[mistake["id"]] = outputs
    return bank


def noise(cases: dict, names: dict, assignment: Assignment) -> dict[str, float]:
    """Largest difference of the solution's float32 outputs to its float64 ones, and between thread counts."""
    torch, found = sys.modules.get("torch"), {}
    if torch is None:
        return found
    import numpy

    for id, groups in cases.items():
        question = assignment.question(id)
        for case in [] if question.value or question.probe else groups["own"]:
            function = on_arrays(names[question.names[0]])
            precise = [a.astype(numpy.float64) if isinstance(a, numpy.ndarray) else a for a in case["args"]]
            outputs = [function(*precise, **case["kwargs"])]
            for threads in (2, 1):
                torch.set_num_threads(threads)
                outputs.append(function(*case["args"], **case["kwargs"]))
            for output in outputs:
                with numpy.errstate(invalid="ignore"):
                    error = numpy.where(output == case["expected"], 0.0, numpy.abs(output - case["expected"])).max()
                found[id] = max(found.get(id, 0.0), float(error))
    return found


def _exact(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
    """What the function gives for float32 arrays, computed in float64 and rounded once: the same digits on every processor."""
    import numpy

    single = [isinstance(a, numpy.ndarray) and a.dtype == numpy.float32 for a in args]
    if not any(single):
        return function(*args, **kwargs)
    result = function(*(a.astype(numpy.float64) if one else a for a, one in zip(args, single)), **kwargs)
    return result.astype(numpy.float32) if isinstance(result, numpy.ndarray) and result.dtype == numpy.float64 else result


def _check_drawn(tree: Any, assignment: Assignment) -> None:
    """Raise GraderError unless draw() gave question -> group -> list of cases, with inputs for every question."""
    where, keys = "inputs: draw()", [f.name for f in dataclasses.fields(Case)] + ["function"]
    if not isinstance(tree, dict) or not all(isinstance(groups, dict) for groups in tree.values()):
        raise GraderError(f"{where} should give a dict: question -> group -> list of cases")
    refuse_unknown(tree, [q.id for q in assignment.questions], where, "question")
    for id, groups in tree.items():
        for case in (case for cases in groups.values() if isinstance(cases, list) for case in cases):
            if not isinstance(case, dict):
                raise GraderError(f"inputs: a case of {id} should be a dict, not {clean(repr(case))}")
            refuse_unknown(case, keys, f"inputs: a case of {id}", "key")
            if missing := [key for key in ("args", "kwargs") if key not in case]:
                raise GraderError(f"inputs: a case of {id}: the key {missing[0]!r} is missing")
            case.setdefault("expected", None)
    for question in assignment.questions:
        if question.id not in tree:
            raise GraderError(f"{where} has no cases for {question.id}")
        for group in ("own", *(["fresh"] if question.prerequisites else [])):
            if not isinstance(tree[question.id].get(group), list) or not tree[question.id][group]:
                raise GraderError(f"{where} has no cases for {question.id} in its group {group!r}")


def _fill(tree: dict, solution: Solution, names: dict[str, Any], rules: types.ModuleType) -> dict:
    """Compute ``expected`` of each case that names a solution ``function``, and of those that a probe observes."""
    _check_drawn(tree, solution.assignment)
    for id in tree:
        for cases in tree[id].values():
            for case in cases:
                function = case.pop("function", None)
                if function:
                    refuse_unknown([function], names, f"inputs: a case of {id}", "function of the solutions called")
                    try:
                        case["expected"] = _exact(on_arrays(names[function]), case["args"], case["kwargs"])
                    except (Exception, SystemExit) as error:
                        raise GraderError(
                            f"inputs: a case of {id}: the solutions' {function} raised {type(error).__name__}: "
                            f"{clean(str(error), 160)}"
                        ) from error
    for question in (q for q in solution.assignment.questions if q.probe):
        answer = solution.answer(question, solution.scope(question.section))
        for case in (case for cases in tree[question.id].values() for case in cases):
            case["expected"] = rules.signature(question.id, answer(), Case(**case))
    return tree
