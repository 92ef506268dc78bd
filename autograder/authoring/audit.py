"""The grader is graded: solutions full, starter zero, every known mistake on its own item only, every alternative full.

Each mistake and alternative takes the place of one answer in the solutions and goes the whole way through the same
grader as a submission. ``make autograder`` refuses to build when anything here fails.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.connection
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from autograder.authoring.baking.bank import load_bank
from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.processors import graders_at_once
from autograder.core.verdict import PASSED, Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.slicing.slicer import Slicer
from autograder.submission.sections import take_in

MARGIN = 10.0


@dataclass
class Outcome:
    """One graded variant: ``wrong`` says what did not hold ('' for nothing)."""

    kind: str
    item: str
    id: str
    wrong: str
    named: bool = False
    error: float = float("inf")


@dataclass
class Tolerance:
    """Between the solution's own noise and the smallest mistake's error; ``judged`` against the margin."""

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
    """All that was graded, and the tolerances' table."""

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
            found = self.of(kind)
            return f"{sum(not o.wrong for o in found)}/{len(found)}"

        smallest = min((t.margin for t in self.tolerances if t.judged), default=float("inf"))
        return f"audit: mistakes {count('mistake')}, alternatives {count('alternative')}, smallest margin {smallest:.0f}x"


def audit(grader: Grader, solutions: Path, starter: Path, say: Callable[[str], None] = lambda line: None) -> Audit:
    """Grade the solutions, the starter and every variant of the bank, as many at once as there are processors.

    ``say`` is told how far it is.
    """
    assignment, found = grader.assignment, Audit()
    verdicts = grade(grader, solutions, lambda *_: None)
    lost = [v.question.id for v in verdicts if v.status != PASSED]
    found.outcomes.append(Outcome("solution", "", "all items", f"lost {lost}" if lost else ""))
    if starter.exists():
        earned = [v.question.id for v in grade(grader, starter, lambda *_: None) if v.status == PASSED]
        found.outcomes.append(Outcome("starter", "", "all items", f"earned {earned}" if earned else ""))
    bank = load_bank(assignment)
    entries = [(kind, entry) for kind in ("mistake", "alternative") for entry in bank[kind]]
    done: dict[int, Outcome] = {}
    for number, outcome in _side_by_side(grader, Variants(assignment, solutions), entries):
        done[number] = outcome
        if len(done) % 20 == 0 or len(done) == len(entries):
            say(f"audited {len(done)} of {len(entries)} mistakes and alternatives")
    found.outcomes += [done[number] for number in sorted(done)]
    found.shared = [
        f"{m['item']} {m['id']} also costs {', '.join(m['also_costs'])}: {m['reason']}"
        for m in bank["mistake"]
        if m.get("also_costs")
    ]
    found.tolerances = _tolerances(grader, found)
    return found


def _side_by_side(grader: Grader, variants: Variants, entries: list[tuple[str, dict]]) -> Iterator[tuple[int, Outcome]]:
    """(position, outcome) of each entry as it is done; by processes of ours, each with a clone of the zygote."""
    jobs = min(graders_at_once(), len(entries))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        yield from ((number, _judge(grader, variants, *entry)) for number, entry in enumerate(entries))
        return
    grader.zygote.compact()  # hundreds of forks follow
    for section in grader.assignment.sections:
        grader.zygote_of(section).compact()
    context, running = multiprocessing.get_context("fork"), {}
    for first in range(jobs):
        ours, theirs = context.Pipe(duplex=False)
        clone = grader.zygote.clone()
        process = context.Process(
            target=_judge_some, args=(grader, clone, variants, entries, range(first, len(entries), jobs), theirs)
        )
        process.start()
        theirs.close()
        clone.close()
        running[ours] = process
    try:
        while running:
            for pipe in multiprocessing.connection.wait(list(running)):
                try:
                    number, outcome = json.loads(pipe.recv_bytes())  # type: ignore[union-attr]  # these are pipes
                    yield number, Outcome(**outcome)
                except EOFError:
                    process = running.pop(pipe)
                    process.join()
                    if process.exitcode:
                        raise GraderError(
                            f"the audit was cut short: one of its processes ended with {process.exitcode}"
                        ) from None
    finally:
        for process in running.values():
            process.kill()


def _judge_some(
    grader: Grader,
    zygote: ZygoteClient,
    variants: Variants,
    entries: list[tuple[str, dict]],
    numbers: range,
    pipe: Connection,
) -> None:
    """One process's share; JSON is all that it sends back."""
    grader.zygote = zygote
    for number in numbers:
        pipe.send_bytes(json.dumps([number, vars(_judge(grader, variants, *entries[number]))]).encode())


def _judge(grader: Grader, variants: Variants, kind: str, entry: dict) -> Outcome:
    """One variant graded: it has to cost what it is said to cost, and nothing else."""
    expected = {entry["item"], *entry.get("also_costs", ())} if kind == "mistake" else set()
    question = grader.assignment.question(entry["item"])
    verdicts = variants.graded(grader, {question.id: entry["code"]})
    lost = {v.question.id for v in verdicts if v.status != PASSED}
    own = next(v for v in verdicts if v.question.id == question.id)
    kept, more = expected - lost, lost - expected
    problems = [f"kept {sorted(kept)}"] * bool(kept) + [f"lost {sorted(more)}: {_why(verdicts, more)}"] * bool(more)
    named = own.data.get("mistake") == entry.get("same_as", entry["id"])
    return Outcome(kind, question.id, entry["id"], "; ".join(problems), named, own.data.get("largest") or float("inf"))


def _why(verdicts: list[Verdict], ids: set[str]) -> str:
    return next((v.reason for v in verdicts if v.question.id in ids), "")


class Variants:
    """The solutions with some answers replaced, as scripts."""

    def __init__(self, assignment: Assignment, solutions: Path):
        submission = take_in(assignment, solutions)
        self.assignment = assignment
        self.slicers = {
            s.id: Slicer(assignment, s, submission.sections[s.id].parsed, submission.modules) for s in assignment.sections
        }

    def graded(self, grader: Grader, replaced: dict[str, str]) -> list[Verdict]:
        """Verdicts of the sections that these answers (question id -> code) belong to."""
        sections = {self.assignment.question(id).section.id for id in replaced}
        with tempfile.TemporaryDirectory() as folder:
            for id in sections:
                Path(folder, f"{id}.py").write_text(self.script(id, replaced), encoding="utf-8")
            verdicts = grade(grader, Path(folder), lambda *_: None)
        return [v for v in verdicts if v.question.section.id in sections]

    def script(self, section: str, replaced: dict[str, str]) -> str:
        """One section as a script; each replaced answer stands where the solution's was."""
        slicer, lines, label, done = self.slicers[section], [], "", set()
        questions = [q for q in self.assignment.questions if q.id in replaced and q.section.id == section]
        for index, statement in enumerate(slicer.statements[: slicer.end]):
            if statement.label != label:
                label = statement.label
                lines.append(f"# {label}")
            owners = [q for q in questions if self._answers(slicer, index, q)]
            if all(_builds_on(replaced[q.id], q.names[0]) for q in owners):
                lines.append(statement.code)
            lines += [replaced[q.id] for q in owners if q.id not in done]
            done |= {q.id for q in owners}
        return "\n".join(lines) + "\n"

    def _answers(self, slicer: Slicer, index: int, question: Question) -> bool:
        """Whether this statement is (part of) the solution's answer to the question."""
        effects, name = slicer.effects[index], question.names[0]
        if not question.value:
            return getattr(slicer.statements[index].node, "name", "") == name
        return slicer.statements[index].label == question.id and name in effects.binds | effects.changes


def _builds_on(code: str, name: str) -> bool:
    """Whether an entry is a class that takes over all but a method or two from the solution's own, which has to stay."""
    return f"class {name}({name})" in code


def _tolerances(grader: Grader, found: Audit) -> list[Tolerance]:
    """One row for each item whose cases have a tolerance; the course fixed those of values, they are shown only."""
    cases = grader.references["public"]["cases"]
    rows = []
    for question in grader.assignment.questions:
        errors = [o.error for o in found.of("mistake") if o.item == question.id]
        first = cases[question.id]["own"][0]
        if first.get("tolerance") and errors:
            rows.append(
                Tolerance(
                    question.id,
                    grader.references.get("noise", {}).get(question.id, 0.0),
                    first["tolerance"],
                    min(errors),
                    not question.value,
                )
            )
    return rows
