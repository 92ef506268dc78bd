"""What is prepared once and grades any number of submissions."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.core.needs import available_to_students
from autograder.core.references import unpacked
from autograder.core.strict import refuse_unknown
from autograder.core.trusted import HELPERS, helpers_beside, load_part, probe_sources
from autograder.judging.choice import choose
from autograder.judging.question_tests import TestFiles
from autograder.sandbox.judge_side.zygote_client import ZygoteClient

# A worker with a folder costs a moment more, so code gets one only if it may need it. More words than needed do no harm.
ABOUT_FILES = re.compile(
    r"open|save|writ|dump|mkdir|makedirs|touch|tofile|memmap|to_[a-z]+\(|Path|tempfile|shutil|sqlite|shelve|dbm|zipfile|tarfile"
    r"|FileHandler|basicConfig|FileIO|savefig|system|subprocess|filename|chdir|rename|symlink|joblib|h5py"
)


@dataclass
class Grader:
    """An assignment, its references, a warm zygote and all tests.

    ``answers``: name -> correct version of a prerequisite; ``beside``: source of those that run in a worker; ``probes``:
    section -> module -> source; ``available``: the packages that student code may import; ``writes``: whether workers of
    some section get a folder to write in; ``only``: the hidden set to use for any code, which the audit sets;
    ``explains``: whether to find out why answers are wrong, once all are judged.
    """

    assignment: Assignment
    references: dict[str, Any]
    zygote: ZygoteClient
    tests: TestFiles = field(init=False)
    answers: dict[str, Callable[..., Any]] = field(init=False, default_factory=dict)
    beside: str = field(init=False, default="")
    probes: dict[str, dict[str, str]] = field(init=False, default_factory=dict)
    unpacked: dict[int, dict[str, Any]] = field(init=False, default_factory=dict)
    available: list[str] = field(init=False, default_factory=list)
    writes: bool = field(init=False, default=False)
    only: int | None = field(init=False, default=None)
    explains: bool = True

    def __post_init__(self) -> None:
        self.tests = TestFiles(self.assignment)
        self.writes = any(section.scratch for section in self.assignment.sections)
        self.available = available_to_students(self.assignment)
        self.probes = {s.id: probe_sources(self.assignment, s) for s in self.assignment.sections}
        if (self.assignment.folder / f"{HELPERS}.py").exists():
            self.answers = getattr(load_part(self.assignment.folder, HELPERS), "answers", {})
            if not isinstance(self.answers, dict):
                raise GraderError(f'{HELPERS}.py: `answers` has to be a dict, such as {{"spread": spread}}, name: function')
        self.beside, inside = helpers_beside(self.assignment)
        for question in self.assignment.questions:
            helpers = [self.assignment.question(id).names[0] for id in question.prerequisites]
            refuse_unknown(helpers, [*self.answers, *inside], f"{HELPERS}.py: `answers`, for {question.id}", "name")

    @contextlib.contextmanager
    def only_judging(self) -> Iterator[None]:
        """Without looking for the reasons why answers are wrong."""
        before, self.explains = self.explains, False
        try:
            yield
        finally:
            self.explains = before

    def zygote_of(self, section: Section) -> ZygoteClient:
        """The zygote that forks workers for this section; the first call starts it without waiting for its imports."""
        return self.zygote.branch(section.preload, section.scratch, tuple(self.probes[section.id].values()))

    def given(self, section: Section) -> dict[str, str]:
        """Name -> source of the modules that all students of this section were given."""
        modules: dict[str, str] = self.references["modules"].get(section.id, {})
        return modules

    def may_write(self, source: str) -> bool:
        """Whether the worker that runs this code gets a folder to write in, also where its section's workers have none."""
        return self.writes and bool(ABOUT_FILES.search(source))

    def use_public_inputs(self) -> None:
        """Drop the hidden sets, because student code could reach them here: use only the public inputs, and sign nothing."""
        self.references = {**self.references, "sets": [], "receipt": ""}

    def count(self, section: Section) -> int:
        """How many hidden sets a section may be judged on; 0 on the public inputs."""
        return min(len(self.references["sets"]), section.hidden_sets)

    def choose(self, section: Section, code: bytes) -> int | None:
        """The number of the hidden set on which this code is judged (see ``judging.choice``); None on the public inputs."""
        count = self.count(section)
        if self.only is not None and count:
            return self.only
        return choose(bytes.fromhex(self.references["choice"]), code, count) if count else None

    def inputs(self, number: int | None) -> dict[str, Any]:
        """The hidden set of this number, the public one for None."""
        if number is None:
            public: dict[str, Any] = self.references["public"]
            return public
        if number not in self.unpacked:
            self.unpacked[number] = unpacked(self.references["sets"][number])
        return self.unpacked[number]
