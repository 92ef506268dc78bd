"""Workers for one section of one submission, each with a slice of it loaded, and what hung or ended them so far."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.core.assignment import Limits, Question, Section
from autograder.core.syntax import bound_by
from autograder.judging.grader import Grader
from autograder.judging.reading import Plan
from autograder.sandbox.judge_side.bounds import Most, most_for
from autograder.sandbox.judge_side.replies import Loaded
from autograder.sandbox.judge_side.worker import HURRIED_SECONDS, PATIENCE, Worker, WorkerError
from autograder.slicing.known import Known, reads_data
from autograder.slicing.slicer import SLICE, WIDE, Program
from autograder.submission.own_modules import Shelf

MAX_KILLERS = 60
NOTHING: Mapping[int, str] = {}


@dataclass
class Session:
    """A worker, its program and what loading it left behind; ``killed``: see Sessions; ``world``: what its probes work on."""

    worker: Worker
    program: Program
    loaded: Loaded
    killed: list[tuple[Known, WorkerError]]
    world: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.close()


class Sessions:
    """Opens sessions without the statements that hung or ended a worker before (``killed``: those, and how).

    ``hung``: question id -> how its answer ended a worker, which it would do again.
    """

    def __init__(self, grader: Grader, section: Section, slicer: Plan, hidden: dict[str, Any], deadline: float):
        self.grader, self.section, self.slicer, self.hidden, self.deadline = grader, section, slicer, hidden, deadline
        self.limits = grader.assignment.limits
        self.questions = grader.assignment.of_section(section)
        self.killed: list[tuple[Known, WorkerError]] = []
        self.hung: dict[str, WorkerError] = {}
        self.last_alone: Session | None = None
        self.last_whole: Session | None = None
        # Broken helpers, what is built on them, a program's width, and the session that has our helpers instead.
        self.last_helped: tuple[list[Question], tuple[str, ...], str, Session] | None = None

    def close(self) -> None:
        """Close the workers of ``alone``, ``whole`` and ``with_right``."""
        for session in (self.last_alone, self.last_whole, self.last_helped and self.last_helped[-1]):
            if session is not None:
                session.worker.close()

    def open(
        self,
        questions: list[Question],
        width: str = SLICE,
        public: bool = False,
        limits: Limits | None = None,
        replaced: Mapping[int, str] = NOTHING,
        values: Mapping[str, np.ndarray] | None = None,
    ) -> Session:
        """A worker with the slice for these questions loaded.

        ``public``: in the public world, so that the student's error messages may be shown; ``limits``: other ones;
        ``replaced``: index of a statement -> the code that runs in its place; ``values``: names that have these values,
        whatever the program assigns to them.
        """
        program, world = self._program(questions, width, replaced, values or {}), self._world(public)
        stage = self._stage(world)
        while True:
            bad = {statement.index for statement, _ in self.killed}
            kept = replace(program, statements=[s for s in program.statements if s.index not in bad])
            allowed = self._allowed(limits or self.limits)
            worker = Worker(self.grader.zygote_of(self.section), allowed, self.deadline, self._writes(kept))
            try:
                session = Session(worker, kept, worker.load(kept.wire() | stage), self.killed, world)
                if self._knows_uses(questions, session):
                    return session
                worker.close()
            except WorkerError as error:
                worker.close()
                if not kept.statements or len(self.killed) >= MAX_KILLERS or time.monotonic() > self.deadline:
                    return Session(worker, kept, Loaded(), self.killed, world)
                self.killed.append((kept.statements[error.statement], error))

    def _allowed(self, limits: Limits) -> Limits:
        if len(self.killed) < PATIENCE:
            return limits
        return replace(limits, statement_seconds=min(limits.statement_seconds, HURRIED_SECONDS))

    def _program(
        self, questions: list[Question], width: str, replaced: Mapping[int, str], values: Mapping[str, np.ndarray]
    ) -> Program:
        program = self.slicer.program(questions, width)
        given, _ = Shelf().admitted((s.code for s in program.statements), self.grader.given(self.section))
        program = replace(program, modules={**given, **program.modules})  # what a student handed in comes first
        if replaced:
            statements = [replace(s, code=replaced.get(s.index, s.code)) for s in program.statements]
            program = replace(program, statements=statements)
        for name, value in values.items():
            program = with_value(program, name, value)
        return program

    def alone(self, question: Question, width: str) -> Session:
        """A fresh session for one question, which lives until the next one."""
        if self.last_alone is not None:
            self.last_alone.worker.close()
        self.last_alone = self.open([question], width)
        return self.last_alone

    def whole(self, question: Question) -> Session | None:
        """A session with all that the section's part does, one for all questions; None for an answer that reads no data."""
        if not reads_data(question.names, self.slicer.statements, self.slicer.modules, bound_by(self.section.prelude)):
            return None
        if self.last_whole is None or not self.last_whole.worker.alive:
            self.last_whole = self.open(self.questions, WIDE)
        return self.last_whole

    def with_right(self, question: Question, broken: list[Question], width: str) -> tuple[Session, bool]:
        """A session in which the judge answers calls of these broken helpers, and whether it has judged something before."""
        if self.last_helped is not None:
            *key, session = self.last_helped
            if key == [broken, question.names, width] and session.worker.alive:
                return session, True
            session.worker.close()
        session = self.open([q for q in self.questions if q.names == question.names], width)
        self.last_helped = broken, question.names, width, session
        answers = self.grader.answers
        beside = [(h.names[0], h.id) for h in broken if h.names[0] not in answers]
        with contextlib.suppress(WorkerError):  # the worker is gone, and the tests will report it
            replaced = {h.names[0]: answers[h.names[0]] for h in broken if h.names[0] in answers}
            session.worker.stub(replaced, self.grader.beside, beside, self._most())
        return session, False

    def _most(self) -> Most:
        """How large the arguments of right helpers may be: as this section's cases need them."""
        groups = (self.hidden["cases"].get(question.id, {}) for question in self.questions)
        return most_for(case for group in groups for cases in group.values() for case in cases)

    def _writes(self, program: Program) -> bool:
        """Whether the worker for a program, with the modules that it may import, gets a folder to write in."""
        source = "\n".join(statement.code for statement in program.statements)
        source += "".join(text for name, text in program.modules.items() if name.partition(".")[0] in source)
        return self.grader.may_write(source) or any(path in source for path in program.files)

    def _knows_uses(self, questions: list[Question], session: Session) -> bool:
        """Have the worker find out how other answers use these ones; False if one of those ended it, which is remembered."""
        for question in questions:
            if not question.uses or question.used_by in self.hung or session.loaded.bound.get(question.names[0]) != "function":
                continue
            try:
                session.worker.probe(question.uses)
            except WorkerError as error:
                if error.kind != "exception" or not session.worker.alive:
                    self.hung[question.used_by] = error
                    return False
        return True

    def _world(self, public: bool) -> dict[str, Any]:
        """What the section's probes work on, {} without any."""
        tree = self.grader.references["public"] if public else self.hidden
        return tree["worlds"][self.section.id] if self.section.probes else {}

    def _stage(self, world: dict[str, Any]) -> dict[str, Any]:
        """The part of a program with the section's probes and their world, without what the judge tells when it is asked."""
        if not self.section.probes:
            return {}
        shown = {key: value for key, value in world.items() if key != "told"}
        return {"probes": {"sources": self.grader.probes[self.section.id], "world": shown}}


def _as_array(value: np.ndarray) -> str:
    return f"__import__('numpy').array({value.tolist()}, dtype={value.dtype.name!r})"


def with_value(program: Program, name: str, value: np.ndarray) -> Program:
    """The program with this value for a name: in place of what is assigned to it, and before all else."""
    loaded = "__import__('sys').modules"
    code = f"{name} = {loaded}['torch'].tensor({value.tolist()}) if 'torch' in {loaded} else {_as_array(value)}"
    statements = [
        replace(one, code=code) if one.binds == {name} else one
        for one in program.statements
        if one.binds & {name} or name not in one.changes
    ]
    first = replace(statements[0], code=code, binds=frozenset([name])) if statements else None
    return replace(program, statements=[*([first] if first else []), *statements])
