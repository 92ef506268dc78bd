"""The staff's solution, run in this process, which is trusted and never runs student code."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

from autograder.checks.probe import with_account
from autograder.checks.values import make_encoder, on_arrays, to_plain
from autograder.core.assignment import Assignment, Question, Section
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.trusted import probe_sources
from autograder.sandbox.stage import Modules, open_stage
from autograder.slicing.slicer import Slicer
from autograder.submission.sections import Submission
from autograder.submission.statements import Parsed


class Solution:
    """The solution, run in this process. Use as a context manager.

    ``worlds``: for each section with probes, the world that its stage is set up for; ``rules``: the assignment's. Its own
    modules can be imported meanwhile, from what the submission holds, and by nothing else afterwards.
    """

    def __init__(self, assignment: Assignment, submission: Submission, worlds: dict[str, Any], rules: types.ModuleType):
        self.assignment, self.submission, self.worlds, self.rules = assignment, submission, worlds, rules
        import_all(assignment)
        self.modules = Modules(submission.modules)
        self.stages = {
            s.id: open_stage(probe_sources(assignment, s), worlds[s.id]) for s in assignment.sections if s.id in worlds
        }

    def __enter__(self) -> Solution:
        sys.meta_path.append(self.modules)
        return self

    def __exit__(self, *_: Any) -> None:
        for stage in self.stages.values():
            stage.close()
        sys.meta_path.remove(self.modules)
        for name in [name for name in self.modules.sources if name in sys.modules]:
            del sys.modules[name]

    def names(self) -> dict[str, Any]:
        """All names that the sections' slices define."""
        return {
            key: value
            for section in self.assignment.sections
            for key, value in self.scope(section).items()
            if not key.startswith("__")
        }

    def scope(self, section: Section) -> dict[str, Any]:
        """Run one section's slice in a new module; returns its names. Raises GraderError if an answer is missing."""
        parsed = parsed_section(self.submission, section)
        document = parsed.document
        slicer = Slicer(self.assignment, section, parsed, self.submission.modules)
        module = sys.modules[f"solution_{section.id}"] = types.ModuleType(f"solution_{section.id}")
        run(section.prelude, f"{section.prelude_file or section.id}", module.__dict__)
        for statement in slicer.program(self.assignment.of_section(section)).statements:
            place = document.place(statement.cell, statement.line)
            run(statement.code, f"solutions, {document.name}, {place}", module.__dict__)
        if missing := [q for q in self.assignment.of_section(section) if q.names[0] not in module.__dict__]:
            name, id = missing[0].names[0], missing[0].id
            raise GraderError(f"solutions, {document.name}: {name!r}, the answer to {id}, is not defined there")
        return module.__dict__

    def answer(self, question: Question, scope: dict[str, Any]) -> Any:
        """The question's answer in a scope, as tests see it: a value, a function, or a function that runs its probe."""
        if question.probe:
            return lambda: self.observed(question, scope)
        return to_plain(scope[question.names[0]]) if question.value else on_arrays(scope[question.names[0]])

    def observed(self, question: Question, scope: dict[str, Any]) -> Any:
        """What the question's probe observes in a scope."""
        stage = self.stages[question.section.id]
        teller = self.rules.teller(question.probe, self.worlds[question.section.id])
        stage.ask = teller and teller.answer
        if question.uses:
            stage.observe(question.uses, scope, make_encoder())
        return with_account(stage.observe(question.probe, scope, make_encoder()), teller)


def parsed_section(submission: Submission, section: Section) -> Parsed:
    """The section's parsed file in the solutions. Raises GraderError if there is none."""
    found = submission.sections[section.id]
    if found.parsed is None:
        raise GraderError(f"solutions/: {found.problem}")
    return found.parsed


def import_all(assignment: Assignment) -> None:
    """Import the modules that workers preload. Raises GraderError."""
    for name in [*assignment.preload, *(name for section in assignment.sections for name in section.preload)]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise GraderError(f"rubric.toml: preload: {name} cannot be imported: {clean(str(error), 160)}") from error
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # as in workers; with small tensors, more threads only wait for each other


def run(code: str, place: str, scope: dict[str, Any]) -> None:
    """Run the staff's code in a scope; any exception becomes a GraderError that begins with ``place``."""
    try:
        exec(compile(code, place, "exec"), scope)
    except (Exception, SystemExit) as error:
        raise GraderError(f"{place}: {type(error).__name__}: {clean(str(error), 200)}") from error
