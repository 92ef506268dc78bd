"""Baking, trusted, at build time: run the solution on drawn inputs and keep inputs and outputs as arrays.

The file holds ``HIDDEN_SETS`` hidden sets and one public set, but no code and no seed. Sets are independent of each other
and are baked in parallel.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import multiprocessing
import sys
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import BankEntry, load_bank, load_concepts, same_answer
from autograder.authoring.baking.drawn import Cases, drawn, filled
from autograder.authoring.baking.freshness import derived, fingerprint, signing_key
from autograder.authoring.baking.marked import refuse_unmarked
from autograder.authoring.baking.modules import given_modules, refuse_ungiven
from autograder.authoring.baking.packages import refuse_unlisted
from autograder.authoring.baking.pairs import refuse_unpaired
from autograder.authoring.baking.solution import Solution, import_all, run
from autograder.checks.case import Case
from autograder.checks.diagnose import alike, output_of, outputs_of
from autograder.checks.values import on_arrays
from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.processors import processors
from autograder.core.references import packed
from autograder.core.trusted import INPUTS, blamed, helpers_beside, load_part, load_rules
from autograder.submission.sections import Submission, take_in

HIDDEN_SETS = 8
PUBLIC_SEED = 0  # the same wherever it is baked, so that all students have the same notebook
SIZES = "the sizes of all hidden sets"


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
    """All that a grader needs: ``{"fingerprint", "choice", "receipt", "sets": [packed tree, …], "public": tree, …}``.

    A tree has ``cases`` (question id -> group -> list of cases, see ``checks.case``), ``worlds`` (section -> what its probes
    work on) and ``bank`` (question id -> mistake -> group -> outputs); the public one also ``parameters`` (question id -> what
    the solution calls them). ``choice``: the key that chooses a set; ``receipt``: the one that signs results; ``says``:
    question id -> mistake -> message for its author; ``concepts``: question id -> mistake -> concept; ``teach``: concept -> its
    title and what to say about it; ``modules``: see ``baking.modules``; ``noise``: question id -> the solution's
    numerical error. Raises GraderError if the solution fails or disagrees with the assignment's ``second_opinion``.
    """
    mistakes = load_bank(assignment)["mistake"]
    refuse_unpaired(solutions)
    submission = take_in(assignment, solutions)
    inputs, rules = load_part(assignment.folder, INPUTS), load_rules(assignment)
    missing = [s.id for s in assignment.sections if submission.sections[s.id].parsed is None]
    if missing:
        raise GraderError(f"the solutions in {solutions} lack {', '.join(missing)}")
    refuse_unmarked(assignment, solutions, submission)
    modules = given_modules(assignment, solutions)
    refuse_ungiven(assignment, solutions, submission)
    refuse_unlisted(assignment, solutions, submission)
    helpers_beside(assignment)
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
        "receipt": signing_key(seed),
        "sets": [packed(baked.tree) for baked in sets[:-1]],
        "public": sets[-1].tree,
        "says": _texts(assignment, mistakes, "says"),
        "concepts": _texts(assignment, mistakes, "concept"),
        "teach": load_concepts(assignment),
        "modules": modules,
        "noise": {id: max(baked.noise.get(id, 0.0) for baked in sets) for id in sets[0].noise},
    }


def _texts(assignment: Assignment, mistakes: list[BankEntry], key: str) -> dict[str, dict[str, str]]:
    """Question id -> mistake -> its text of this key, where it has one."""
    texts: dict[str, dict[str, str]] = {}
    for mistake in mistakes:
        for question in same_answer(assignment, mistake["item"]) if key in mistake else ():
            texts.setdefault(question.id, {})[mistake["id"]] = mistake[key]
    return texts


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
        public, *hidden = (pool.submit(_bake_forked, number) for number in sorted(numbers, reverse=True))  # the longest first
        yield from (baking.result() for baking in [*reversed(hidden), public])


def _bake_forked(number: int) -> BakedSet:
    return bake_set(_context[0], number)


def bake_set(context: BakeContext, number: int) -> BakedSet:
    """Bake one set; the last one is public. What the solution prints is discarded."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        return _bake_set(context, number)


def _bake_set(context: BakeContext, number: int) -> BakedSet:
    assignment, inputs, rules, public = context.assignment, context.inputs, context.rules, number == HIDDEN_SETS
    seed = PUBLIC_SEED if public else _number(context.seed, f"hidden set {number}")
    again = number in (0, HIDDEN_SETS)  # one hidden set tells of all
    with blamed(assignment.folder):
        sizes = _sizes(context, public)
        worlds = {}
        if hasattr(inputs, "worlds"):
            worlds = drawn("worlds", "worlds for", again, lambda: inputs.worlds(seed, public=public, **sizes))
    with Solution(assignment, context.submission, worlds, rules) as solution:
        names, stages = solution.names(), {"stages": solution.stages} if worlds else {}
        with blamed(assignment.folder):
            tree = drawn("draw", "cases for", again, lambda: inputs.draw(seed, public=public, names=names, **stages, **sizes))
        cases = filled(tree, solution, names, rules)
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
    seed = PUBLIC_SEED if public else _number(context.seed, SIZES)
    return {"sizes": drawn("sizes", "", True, lambda: context.inputs.sizes(seed, public=public))}


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
        alike(output, output_of(case["expected"]))
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
