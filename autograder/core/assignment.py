"""The nouns: an assignment, its sections and questions, as ``rubric.toml`` describes them. Loaded by ``core.loading``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from autograder.core.written import Written, total

# The test of a question that the rubric describes in a sentence: every case gives what the solution gives.
PLAIN_TEST = '''from otter.test_files import test_case

OK_FORMAT = False

name = {id!r}


@test_case()
def is_right({answer}, check):
    """{sentence}"""
    check.judge({id!r}, {answer}, {result!r})
'''


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes that bound untrusted work."""

    statement_seconds: float = 10.0
    call_seconds: float = 10.0
    probe_seconds: float = 60.0
    total_seconds: float = 540.0
    frame_bytes: int = 64 << 20
    file_bytes: int = 50 << 20
    prerequisite_calls: int = 64


@dataclass(frozen=True)
class Section:
    """One notebook of the assignment, recognised by its file name or by the names it binds.

    ``prelude`` is the code given to every student, ``prelude_file`` where it stands. The graded part ends at the first heading that begins with one of
    ``until_labels`` or the first import of one of ``until_imports``. ``modules`` are folders beside the notebook that it
    imports from; students get them too.

    A section that needs more than plain calls has ``probes``, a package of ours that runs beside the student's code;
    ``preload`` are modules that only its workers hold, ``scratch`` gives each of them a folder to write in. Of the calls
    that are otherwise never run, ``simulated_calls`` names those that the probes answer; ``never_calls`` names further calls
    that no statement may make while the slice runs.
    """

    id: str
    title: str
    file_pattern: str
    names: tuple[str, ...]
    prelude: str = ""
    prelude_file: str = ""
    until_labels: tuple[str, ...] = ()
    until_imports: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    probes: str = ""
    preload: tuple[str, ...] = ()
    scratch: bool = False
    simulated_calls: tuple[str, ...] = ()
    never_calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One autograded item.

    ``names`` are looked up in the submission; ``value`` marks them as values to read rather than
    functions to call; ``calls`` maps a function that returns the answer instead to that name. ``context`` names
    are handed to the tests too. ``prerequisites`` are the questions that grade the helpers of a composite; ``see`` says
    where the handout explains it; ``probe`` names what observes the answer, as ``module.function`` of the section's probes.

    A question whose answer has to equal the solution's needs no test file: ``sentence`` is what its student reads about the
    test, ``result`` what messages call the answer.
    """

    id: str
    title: str
    section: Section
    names: tuple[str, ...]
    points: dict[str, float]
    extra_credit: tuple[str, ...] = ()
    value: bool = False
    calls: dict[str, str] = field(default_factory=dict)
    context: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
    see: str = ""
    probe: str = ""
    sentence: str = ""
    result: str = "the result"


@dataclass(frozen=True)
class Assignment:
    """Everything the engine needs to know about one assignment; loaded by ``core.loading``.

    ``preload``: modules that workers hold; ``flags``: names whose use in an answer staff want to see; ``written``: what a
    person reads.
    """

    folder: Path
    title: str
    courses: tuple[str, ...]
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    limits: Limits
    preload: tuple[str, ...]
    checks_package: str
    flags: tuple[str, ...] = ()
    written: Written = Written()

    def question(self, id: str) -> Question:
        return next(q for q in self.questions if q.id == id)

    def of_section(self, section: Section) -> list[Question]:
        return [q for q in self.questions if q.section is section]

    def numbers(self) -> frozenset[str]:
        """Every question's id and what it begins with (``1``, ``1.10``, ``1.10.2``): the numbers of its own headings."""
        return frozenset(n for q in self.questions for n in accumulate(q.id.split("."), "{}.{}".format))

    def test_file(self, question: Question) -> Path:
        return self.folder / "questions" / f"{question.id}.py"

    def test_source(self, question: Question) -> str:
        """The question's tests, in Otter's exception format: its file, or the plain test for its sentence."""
        if not question.sentence:
            return self.test_file(question).read_text(encoding="utf-8")
        sentence = question.sentence.replace("\\", "\\\\").replace('"', '\\"')
        return PLAIN_TEST.format(id=question.id, answer=question.names[0], sentence=sentence, result=question.result)

    def parts(self) -> list[Path]:
        """What of the folder decides verdicts: files, and whole folders. The rest is read at build time only."""
        names = ["questions", "rules", "rules.py", "trusted_helpers.py"]
        names += [name for section in self.sections for name in (section.probes, section.prelude_file) if name]
        return [path for path in map(self.folder.joinpath, dict.fromkeys(names)) if path.exists()]

    def max_points(self, course: str) -> tuple[float, float]:
        """(regular, extra credit) points of the autograded items."""
        return total(self.questions, course)
