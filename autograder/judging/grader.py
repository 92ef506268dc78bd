"""What is ready before a submission arrives and serves any number of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autograder.core.assignment import Assignment, Section
from autograder.core.references import unpacked
from autograder.core.strict import refuse_unknown
from autograder.core.trusted import HELPERS, load_part, probe_sources
from autograder.judging.question_tests import TestFiles
from autograder.sandbox.judge_side.zygote_client import ZygoteClient


@dataclass
class Grader:
    """An assignment, its references, a warm zygote and all tests. ``answers``: right prerequisites, by name."""

    assignment: Assignment
    references: dict
    zygote: ZygoteClient
    tests: TestFiles = None
    answers: dict[str, Callable] = field(default_factory=dict)
    probes: dict[str, dict[str, str]] = field(default_factory=dict)
    unpacked: dict[int, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tests = self.tests or TestFiles(self.assignment)
        self.probes = {s.id: probe_sources(self.assignment, s) for s in self.assignment.sections}
        if (self.assignment.folder / f"{HELPERS}.py").exists():
            self.answers = getattr(load_part(self.assignment.folder, HELPERS), "answers", {})
        for question in self.assignment.questions:
            helpers = [self.assignment.question(id).names[0] for id in question.prerequisites]
            refuse_unknown(helpers, self.answers, f"{HELPERS}.py: `answers`, for {question.id}", "name")

    def zygote_of(self, section: Section) -> ZygoteClient:
        """Where workers for this section come from; started by the first call, ready when first used."""
        return self.zygote.branch(section.preload, section.scratch)

    def use_public_inputs(self) -> None:
        """Forget the hidden sets: where student code could reach them, only the public inputs are used."""
        self.references = {**self.references, "sets": []}

    def hidden(self, digest: str) -> dict:
        """The hidden set for this submission: fixed by its content, so that resubmitting is no oracle."""
        sets = self.references["sets"]
        if not sets:
            return self.references["public"]
        number = int(digest[:8], 16) % len(sets)
        if number not in self.unpacked:
            self.unpacked[number] = unpacked(sets[number])
        return self.unpacked[number]
