"""Grading the grader: solutions get all points, the starter none; a mistake loses its own item only, an alternative nothing.

Each mistake and alternative replaces one answer in the solutions and goes through the same grader as a submission; what becomes
of its own item, and of the solutions, must be the same on every hidden set. ``make autograder`` refuses to build if anything
here fails.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from autograder.authoring.baking.bank import BankEntry, load_bank
from autograder.authoring.every_set import Judged, graded_on, largest_error, of_verdict, on_every_set, section_run
from autograder.authoring.kept import Kept
from autograder.authoring.unproved import warnings, weak_inputs
from autograder.authoring.variants import Variants
from autograder.core.errors import GraderError
from autograder.core.processors import graders_at_once
from autograder.core.verdict import PASSED, Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient

MARGIN = 10.0  # by which tolerances have to exceed noise, and mistakes tolerances


@dataclass
class Outcome:
    """One graded variant.

    ``wrong``: what is not as expected, or ''; ``named``: whether the mistake was recognised; ``error``: its largest
    deviation from the expected values, on the hidden set on which that is smallest.
    """

    kind: str
    item: str
    id: str
    wrong: str
    named: bool = False
    error: float = float("inf")


@dataclass
class Tolerance:
    """An item's tolerance, its solution's numerical noise and its smallest mistake's error.

    ``judged``: whether the margin counts (the course has fixed the tolerances of values).
    """

    item: str
    noise: float
    tolerance: float
    mistake: float
    judged: bool

    @property
    def margin(self) -> float:
        return min(self.tolerance / max(self.noise, 1e-12), self.mistake / self.tolerance)

    @property
    def problem(self) -> str:
        """What is wrong with it; '' if nothing is."""
        if not self.judged or self.margin >= MARGIN:
            return ""
        if self.mistake < MARGIN * self.tolerance:
            return (
                f"tolerance of {self.item}: {self.tolerance:g} is too wide: its smallest known mistake is off by only "
                f"{self.mistake:.2g}; at most {self.mistake / MARGIN:.2g} leaves a margin of {MARGIN:g}x"
            )
        return (
            f"tolerance of {self.item}: {self.tolerance:g} is too narrow: the solutions' own rounding is {self.noise:.2g}; "
            f"at least {self.noise * MARGIN:.2g} leaves a margin of {MARGIN:g}x"
        )


@dataclass
class Audit:
    """All outcomes, the table of tolerances, and the mistakes that also cost other items (``shared``).

    ``anew``: how many outcomes are not known from an earlier audit; ``weak``: inputs that tell nothing; ``warnings``: what is
    missing, see ``authoring.unproved``.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    tolerances: list[Tolerance] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    anew: int = 0
    weak: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Outcome]:
        return [o for o in self.outcomes if o.kind == kind]

    @property
    def problems(self) -> list[str]:
        wrong = [f"{o.kind} {o.item} {o.id}: {o.wrong}" for o in self.outcomes if o.wrong and o.kind != "solution"]
        margins = [text for tolerance in self.tolerances if (text := tolerance.problem)]
        return [*self._of_solutions(), *self.weak, *wrong, *margins]

    def _of_solutions(self) -> list[str]:
        """What is wrong with the solutions: one line, however many hidden sets show it."""
        wrong = [o.wrong for o in self.of("solution") if o.wrong]
        more = (
            f" (and something on {len(wrong) - 1} of the other {len(self.of('solution')) - 1} sets)" if len(wrong) > 1 else ""
        )
        return [f"solutions: {wrong[0]}{more}"] if wrong else []

    def last_line(self) -> str:
        def count(kind: str) -> str:
            outcomes = self.of(kind)
            return f"{sum(not o.wrong for o in outcomes)}/{len(outcomes)}"

        margins = [t.margin for t in self.tolerances if t.judged]
        smallest = f", smallest margin {min(margins):.0f}x" if margins else ""
        return f"audit: mistakes {count('mistake')}, alternatives {count('alternative')}{smallest}"


def audit(
    grader: Grader,
    solutions: Path,
    starter: Path,
    log: Callable[[str], None] = lambda line: None,
    kept: Kept | None = None,
    every: int = 1,
) -> Audit:
    """Grade the solutions, and if they are right the starter (if there is one) and the bank, in parallel.

    ``log`` gets progress; ``kept``: what is known from an earlier audit; ``every``: 10 for a tenth of the bank.
    """
    assignment, kept, bank = grader.assignment, kept or Kept(), load_bank(grader.assignment)
    result = Audit(weak=weak_inputs(assignment, grader.references), warnings=warnings(assignment, bank))
    variants = Variants(assignment, solutions)
    entries = [(kind, entry) for kind in ("mistake", "alternative") for entry in bank[kind]][::every]
    solved = [("solution", {"set": number}) for number in range(len(grader.references["sets"]))]
    tasks = Tasks(grader, variants, kept, bank, log)
    with grader.only_judging():
        result.outcomes = tasks.done([*solved, ("starter", {"folder": str(starter)})] if starter.exists() else solved)
        if not result.problems:
            result.outcomes += tasks.done(entries)
    result.shared = [
        f"{m['item']} {m['id']} also costs {', '.join(m['also_costs'])}: {m['reason']}"
        for m in bank["mistake"]
        if m.get("also_costs")
    ]
    result.tolerances, result.anew = _tolerances(grader, result), tasks.anew
    return result


Task = tuple[str, BankEntry]  # what kind of variant, and which


@dataclass
class Tasks:
    """Audits variants; ``found``: by key, those that are as expected; ``anew``: how many were not known before."""

    grader: Grader
    variants: Variants
    kept: Kept
    bank: dict[str, list[BankEntry]]
    log: Callable[[str], None]
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    anew: int = 0

    def done(self, tasks: list[Task]) -> list[Outcome]:
        """The outcomes of these tasks, in order; those that are not known are graded in parallel."""
        keys = [self.kept.key(*task, self.grader.assignment, self.bank) for task in tasks]
        outcomes = {number: known for number, key in enumerate(keys) if (known := self._known(key, tasks[number]))}
        unknown = {number: task for number, task in enumerate(tasks) if number not in outcomes}
        self.anew += len(unknown)
        try:
            for number, outcome in self._graded(unknown):
                outcomes[number] = outcome
                if len(outcomes) % 20 == 0 or len(outcomes) == len(tasks) > 20:
                    self.log(f"audited {len(outcomes)} of {len(tasks)} mistakes and alternatives")
        finally:
            self._keep({keys[number]: outcome for number, outcome in outcomes.items()})
        return [outcomes[number] for number in sorted(outcomes)]

    def _keep(self, outcomes: dict[str, Outcome]) -> None:
        self.found |= {key: vars(outcome) for key, outcome in outcomes.items() if not outcome.wrong}
        self.kept.write(self.found)

    def _graded(self, tasks: dict[int, Task]) -> Iterator[tuple[int, Outcome]]:
        if any("item" in entry for _, entry in tasks.values()):
            self.variants.solve(self.grader)
        yield from _in_parallel(self.grader, self.variants, tasks)

    def _known(self, key: str, task: Task) -> Outcome | None:
        """What is kept, if it is. The starter's outcome depends on files that are no part of its key."""
        known = self.kept.outcomes.get(key) if task[0] != "starter" else None
        return Outcome(**known) if known else None


def _in_parallel(grader: Grader, variants: Variants, tasks: dict[int, Task]) -> Iterator[tuple[int, Outcome]]:
    """(number, outcome) of each task when it is done; graded by forked processes, each with a clone of the zygote."""
    jobs = min(graders_at_once(), len(tasks))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from ((number, _judge(grader, variants, *task)) for number, task in tasks.items())
        return
    grader.zygote.compact()  # hundreds of forks follow
    for section in grader.assignment.sections:
        grader.zygote_of(section).compact()
    numbers = list(tasks)
    running = dict(_start(grader, variants, {n: tasks[n] for n in numbers[first::jobs]}) for first in range(jobs))
    try:
        yield from _receive(running)
    finally:
        for process in running.values():
            process.kill()


def _start(grader: Grader, variants: Variants, tasks: dict[int, Task]) -> tuple[Connection, BaseProcess]:
    """Start a process that judges these; returns the pipe to read outcomes from, and the process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    clone = grader.zygote.clone()
    process = context.Process(target=_judge_some, args=(grader, clone, variants, tasks, theirs))
    process.start()
    theirs.close()
    clone.close()
    return ours, process


def _receive(running: dict[Connection, BaseProcess]) -> Iterator[tuple[int, Outcome]]:
    """The outcomes that processes send. Removes those that have finished; raises GraderError if one fails."""
    while running:
        ready = multiprocessing.connection.wait(list(running))
        for pipe in [pipe for pipe in running if pipe in ready]:
            try:
                number, outcome = json.loads(pipe.recv_bytes())
            except EOFError:
                process = running.pop(pipe)
                process.join()
                if process.exitcode:
                    raise GraderError(f"the audit did not finish: one of its processes ended with {process.exitcode}") from None
                continue
            if number is None:
                raise GraderError(f"the audit did not finish: {outcome}")
            yield number, Outcome(**outcome)


def _judge_some(grader: Grader, zygote: ZygoteClient, variants: Variants, tasks: dict[int, Task], pipe: Connection) -> None:
    """Do one process's share of the tasks; send the outcomes back as JSON, or why it cannot be done."""
    grader.zygote = zygote
    for number, task in tasks.items():
        try:
            done = [number, vars(_judge(grader, variants, *task))]
        except GraderError as error:
            done = [None, str(error)]
        pipe.send_bytes(json.dumps(done).encode())


def _judge(grader: Grader, variants: Variants, kind: str, entry: BankEntry) -> Outcome:
    if kind == "solution":
        verdicts = list(graded_on(grader, entry["set"], variants.solutions))
        lost = [v.question.id for v in verdicts if v.status != PASSED]
        wrong = f"lost {lost} on the hidden set {entry['set']}: {_reason(verdicts, set(lost))}" if lost else ""
        return Outcome(kind, "", "all items", wrong)
    if kind == "starter":
        graded = grade(grader, Path(entry["folder"]), lambda *_: None)
        earned = [v.question.id for v in graded if any(v.score(course) for course in grader.assignment.courses)]
        return Outcome(kind, "", "all items", f"earned {earned}" if earned else "")
    return _judge_entry(grader, variants, kind, entry)


def _judge_entry(grader: Grader, variants: Variants, kind: str, entry: BankEntry) -> Outcome:
    """Grade one variant: it has to lose the items that the bank says, and no others.

    Only the items that run what is replaced are judged; the others have the solutions' verdicts.
    """
    expected = {entry["item"], *entry.get("also_costs", ())} if kind == "mistake" else set()
    question = grader.assignment.question(entry["item"])
    with variants.submitted({question.id: entry["code"]}) as folder, Reader(grader.assignment, folder) as reader:
        run = section_run(grader, reader, question)
        run.done |= variants.unreached(run.slicer)
        verdicts = list({v.question.id: v for v in [*run.done.values(), *run.verdicts()]}.values())
        own = next(v for v in verdicts if v.question.id == question.id)
        known = {} if run.number is None else {run.number: of_verdict(own)}
        elsewhere = on_every_set(grader, reader, question, kind != "mistake", known)
        error = _error(grader, reader, own, elsewhere)
    lost = {v.question.id for v in verdicts if v.status != PASSED}
    kept, unexpected = expected - lost, lost - expected
    problems = [f"kept {sorted(kept)}"] if kept else []
    problems += [f"lost {sorted(unexpected)}: {_reason(verdicts, unexpected)}"] if unexpected else []
    problems += _unlike(kind, elsewhere)
    named = own.data.get("mistake") == entry.get("same_as", entry["id"])
    return Outcome(kind, question.id, entry["id"], "; ".join(problems), named, error)


def _error(grader: Grader, reader: Reader, own: Verdict, elsewhere: dict[int, Judged]) -> float:
    """The largest error of an answer on the hidden set on which that is smallest."""
    question = own.question
    error = min(own.data.get("largest") or float("inf"), *(error for _, error in elsewhere.values()))
    if question.value or error >= MARGIN * question.section.tolerance:
        return error
    return largest_error(grader, reader, question)


def _unlike(kind: str, judged: dict[int, Judged]) -> list[str]:
    """What to say about the hidden sets on which a mistake passes or an alternative fails; [] if there are none."""
    numbers = sorted(number for number, (passed, _) in judged.items() if passed == (kind == "mistake"))
    if kind == "mistake" and numbers and len(numbers) == len(judged):
        return ["it passes on all hidden sets: either the solution is wrong in the same way, or this is a right answer"]
    return [f"{'passes' if kind == 'mistake' else 'fails'} on the hidden sets {numbers}"] if numbers else []


def _reason(verdicts: list[Verdict], ids: set[str]) -> str:
    """Why the first of these items was lost, and what kept it from being tried with correct helpers."""
    first = next((v for v in verdicts if v.question.id in ids), None)
    return "; ".join(filter(None, (first.reason, first.data.get("unhelped", "")))) if first else ""


def _tolerances(grader: Grader, audited: Audit) -> list[Tolerance]:
    """One row per item whose cases have a tolerance and that has a mistake."""
    cases = grader.references["public"]["cases"]
    rows = []
    for question in grader.assignment.questions:
        errors = [o.error for o in audited.of("mistake") if o.item == question.id]
        first = cases[question.id]["own"][0]
        if first.get("tolerance") and errors and not (question.value and min(errors) == float("inf")):  # judged by a rule
            noise = grader.references.get("noise", {}).get(question.id, 0.0)
            rows.append(Tolerance(question.id, noise, first["tolerance"], min(errors), not question.value))
    return rows
