"""Grading the grader: solutions get all points, the starter none; a mistake loses its own item only, an alternative nothing.

Each mistake and alternative replaces one answer in the solutions and goes through the same grader as a submission; what becomes
of its own item, and of the solutions, must be the same on every hidden set. ``make autograder`` refuses to build if anything
here fails.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from autograder.authoring.baking.bank import BankEntry, load_bank
from autograder.authoring.baking.solution import parsed_section
from autograder.authoring.every_set import Judged, graded_on, on_every_set
from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.processors import graders_at_once
from autograder.core.verdict import PASSED, Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.slicing.slicer import Slicer
from autograder.submission.sections import take_in

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


@dataclass
class Audit:
    """All outcomes, the table of tolerances, and the mistakes that also cost other items (``shared``)."""

    outcomes: list[Outcome] = field(default_factory=list)
    tolerances: list[Tolerance] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Outcome]:
        return [o for o in self.outcomes if o.kind == kind]

    @property
    def problems(self) -> list[str]:
        wrong = [f"{o.kind} {o.item} {o.id}: {o.wrong}" for o in self.outcomes if o.wrong]
        return wrong + [
            f"tolerance of {t.item}: margin {t.margin:.1f}x is under {MARGIN:g}x"
            for t in self.tolerances
            if t.judged and t.margin < MARGIN
        ]

    def last_line(self) -> str:
        def count(kind: str) -> str:
            outcomes = self.of(kind)
            return f"{sum(not o.wrong for o in outcomes)}/{len(outcomes)}"

        smallest = min((t.margin for t in self.tolerances if t.judged), default=float("inf"))
        return f"audit: mistakes {count('mistake')}, alternatives {count('alternative')}, smallest margin {smallest:.0f}x"


def audit(grader: Grader, solutions: Path, starter: Path, log: Callable[[str], None] = lambda line: None) -> Audit:
    """Grade the solutions, the starter (if there is one) and every variant of the bank, in parallel; ``log`` gets progress."""
    with grader.only_judging():
        return _audit(grader, solutions, starter, log)


def _audit(grader: Grader, solutions: Path, starter: Path, log: Callable[[str], None]) -> Audit:
    assignment, result = grader.assignment, Audit()
    for number in range(len(grader.references["sets"])):
        lost = [v.question.id for v in graded_on(grader, number, solutions) if v.status != PASSED]
        wrong = f"lost {lost} on the hidden set {number}" if lost else ""
        result.outcomes.append(Outcome("solution", "", "all items", wrong))
    if starter.exists():
        graded = grade(grader, starter, lambda *_: None)
        earned = [v.question.id for v in graded if any(v.score(course) for course in assignment.courses)]
        result.outcomes.append(Outcome("starter", "", "all items", f"earned {earned}" if earned else ""))
    bank = load_bank(assignment)
    result.outcomes += _grade_bank(grader, Variants(assignment, solutions), bank, log)
    result.shared = [
        f"{m['item']} {m['id']} also costs {', '.join(m['also_costs'])}: {m['reason']}"
        for m in bank["mistake"]
        if m.get("also_costs")
    ]
    result.tolerances = _tolerances(grader, result)
    return result


def _grade_bank(
    grader: Grader, variants: Variants, bank: dict[str, list[BankEntry]], log: Callable[[str], None]
) -> list[Outcome]:
    """The outcomes of all entries, in the bank's order."""
    entries = [(kind, entry) for kind in ("mistake", "alternative") for entry in bank[kind]]
    done: dict[int, Outcome] = {}
    for number, outcome in _in_parallel(grader, variants, entries):
        done[number] = outcome
        if len(done) % 20 == 0 or len(done) == len(entries):
            log(f"audited {len(done)} of {len(entries)} mistakes and alternatives")
    return [done[number] for number in sorted(done)]


def _in_parallel(grader: Grader, variants: Variants, entries: list[tuple[str, BankEntry]]) -> Iterator[tuple[int, Outcome]]:
    """(position, outcome) of each entry when it is done; graded by forked processes, each with a clone of the zygote."""
    jobs = min(graders_at_once(), len(entries))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from ((number, _judge(grader, variants, *entry)) for number, entry in enumerate(entries))
        return
    grader.zygote.compact()  # hundreds of forks follow
    for section in grader.assignment.sections:
        grader.zygote_of(section).compact()
    running = dict(_start(grader, variants, entries, range(first, len(entries), jobs)) for first in range(jobs))
    try:
        yield from _receive(running)
    finally:
        for process in running.values():
            process.kill()


def _start(
    grader: Grader, variants: Variants, entries: list[tuple[str, BankEntry]], numbers: range
) -> tuple[Connection, BaseProcess]:
    """Start a process that grades the entries with these numbers; returns the pipe to read outcomes from, and the process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    clone = grader.zygote.clone()
    process = context.Process(target=_judge_some, args=(grader, clone, variants, entries, numbers, theirs))
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
            else:
                yield number, Outcome(**outcome)


def _judge_some(
    grader: Grader,
    zygote: ZygoteClient,
    variants: Variants,
    entries: list[tuple[str, BankEntry]],
    numbers: range,
    pipe: Connection,
) -> None:
    """Grade one process's share of the entries; send the outcomes back as JSON."""
    grader.zygote = zygote
    for number in numbers:
        pipe.send_bytes(json.dumps([number, vars(_judge(grader, variants, *entries[number]))]).encode())


def _judge(grader: Grader, variants: Variants, kind: str, entry: BankEntry) -> Outcome:
    """Grade one variant: it has to lose the items that the bank says, and no others."""
    expected = {entry["item"], *entry.get("also_costs", ())} if kind == "mistake" else set()
    question = grader.assignment.question(entry["item"])
    with variants.submitted({question.id: entry["code"]}) as folder:
        verdicts = [v for v in grade(grader, folder, lambda *_: None) if v.question.section is question.section]
        elsewhere = on_every_set(grader, folder, question, kind != "mistake")
    lost = {v.question.id for v in verdicts if v.status != PASSED}
    own = next(v for v in verdicts if v.question.id == question.id)
    kept, unexpected = expected - lost, lost - expected
    problems = [f"kept {sorted(kept)}"] if kept else []
    problems += [f"lost {sorted(unexpected)}: {_reason(verdicts, unexpected)}"] if unexpected else []
    problems += _unlike(kind, elsewhere)
    error = min(own.data.get("largest") or float("inf"), *(error for _, error in elsewhere.values()))
    named = own.data.get("mistake") == entry.get("same_as", entry["id"])
    return Outcome(kind, question.id, entry["id"], "; ".join(problems), named, error)


def _unlike(kind: str, judged: dict[int, Judged]) -> list[str]:
    """What to say about the hidden sets on which a mistake passes or an alternative fails; [] if there are none."""
    numbers = [number for number, (passed, _) in judged.items() if passed == (kind == "mistake")]
    return [f"{'passes' if kind == 'mistake' else 'fails'} on the hidden sets {numbers}"] if numbers else []


def _reason(verdicts: list[Verdict], ids: set[str]) -> str:
    return next((v.reason for v in verdicts if v.question.id in ids), "")


class Variants:
    """The solutions as scripts, with some answers replaced."""

    def __init__(self, assignment: Assignment, solutions: Path):
        submission = take_in(assignment, solutions)
        self.assignment = assignment
        self.slicers = {
            s.id: Slicer(assignment, s, parsed_section(submission, s), submission.modules) for s in assignment.sections
        }

    def graded(self, grader: Grader, replaced: dict[str, str]) -> list[Verdict]:
        """The verdicts in the sections of the replaced answers (question id -> code)."""
        sections = {self.assignment.question(id).section.id for id in replaced}
        with self.submitted(replaced) as folder:
            verdicts = grade(grader, folder, lambda *_: None)
        return [v for v in verdicts if v.question.section.id in sections]

    @contextmanager
    def submitted(self, replaced: dict[str, str]) -> Iterator[Path]:
        """A folder with a script for each section of the replaced answers."""
        with tempfile.TemporaryDirectory() as folder:
            for id in {self.assignment.question(id).section.id for id in replaced}:
                Path(folder, f"{id}.py").write_text(self.script(id, replaced), encoding="utf-8")
            yield Path(folder)

    def script(self, section: str, replaced: dict[str, str]) -> str:
        """One section as a script; each replacement stands where the solution's answer was."""
        slicer = self.slicers[section]
        lines, label, done = [], "", set()
        for index, statement in enumerate(slicer.statements[: slicer.end]):
            if statement.label != label:
                label = statement.label
                lines.append(f"# {label}")
            answered = self._answered(slicer, index, replaced)
            if all(_builds_on(replaced[q.id], q.names[0]) for q in answered):
                lines.append(statement.code)
            lines += [replaced[q.id] for q in answered if q.id not in done]
            done |= {q.id for q in answered}
        return "\n".join(lines) + "\n"

    def _answered(self, slicer: Slicer, index: int, replaced: dict[str, str]) -> list[Question]:
        """The replaced questions whose answer this statement is, or is part of."""
        return [
            q
            for q in self.assignment.questions
            if q.id in replaced and q.section.id == slicer.section.id and self._answers(slicer, index, q)
        ]

    def _answers(self, slicer: Slicer, index: int, question: Question) -> bool:
        """Whether this statement is, or is part of, the solution's answer to the question."""
        effects, name = slicer.effects[index], question.names[0]
        if not question.value:
            return getattr(slicer.statements[index].node, "name", "") == name
        return slicer.statements[index].label == question.id and name in effects.binds | effects.changes


def _builds_on(code: str, name: str) -> bool:
    """Whether the code is a class that inherits from the solution's class of the same name, which then has to stay."""
    return f"class {name}({name})" in code


def _tolerances(grader: Grader, audited: Audit) -> list[Tolerance]:
    """One row per item whose cases have a tolerance and that has a mistake."""
    cases = grader.references["public"]["cases"]
    rows = []
    for question in grader.assignment.questions:
        errors = [o.error for o in audited.of("mistake") if o.item == question.id]
        first = cases[question.id]["own"][0]
        if first.get("tolerance") and errors:
            noise = grader.references.get("noise", {}).get(question.id, 0.0)
            rows.append(Tolerance(question.id, noise, first["tolerance"], min(errors), not question.value))
    return rows
