"""An assignment, its sections and its questions, as described in ``rubric.toml`` and loaded by ``core.loading``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path, PurePath

from autograder.core.written import Written, total

# The test of a question that has only a ``sentence`` in the rubric: every case must match the solution.
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
    """Time, size and count limits for untrusted work."""

    statement_seconds: float = 10.0
    call_seconds: float = 10.0
    probe_seconds: float = 60.0
    total_seconds: float = 540.0
    frame_bytes: int = 40 << 20
    file_bytes: int = 50 << 20
    prerequisite_calls: int = 64


@dataclass(frozen=True)
class Section:
    """One notebook of the assignment, recognised by its file name or by the names it binds.

    ``prelude`` is the code given to every student and ``prelude_file`` is where it comes from. The graded part ends at the
    first heading that begins with one of ``until_labels`` or at the first import of one of ``until_imports``. ``modules``
    are folders and .py files next to the notebook that it imports from; they are handed out with it, and students whose
    modules hold a solution hand them in again. Numbers that are expected are met within ``tolerance``. It is judged on one
    of at most ``hidden_sets`` sets of hidden inputs, each of which the audit tries.

    A section that needs more than plain function calls has ``probes``, a package of the assignment that runs next to the
    student's code. ``preload`` lists modules that only this section's workers import in advance; ``scratch`` gives each
    worker a writable folder. Expensive calls are normally skipped: ``simulated_calls`` names those that run because the probes
    simulate them, and ``never_calls`` names additional calls to skip. ``entry_points`` are functions that a submission calls
    itself, and that probes call with the same arguments.
    """

    id: str
    title: str
    file_pattern: str
    names: tuple[str, ...]
    prelude: str = ""
    prelude_file: str = ""
    tolerance: float = 1e-4
    hidden_sets: int = 8
    until_labels: tuple[str, ...] = ()
    until_imports: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    probes: str = ""
    preload: tuple[str, ...] = ()
    scratch: bool = False
    simulated_calls: tuple[str, ...] = ()
    never_calls: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()

    @property
    def imported(self) -> dict[str, str]:
        """The name by which each of ``modules`` is imported -> the folder or file, as in the rubric."""
        return {module.removesuffix(".py"): module for module in self.modules}


@dataclass(frozen=True)
class Question:
    """One autograded item.

    ``names`` are looked up in the submission. With ``value`` they are values to read, otherwise functions to call; with
    ``tensor``, these have to return a tensor. ``calls`` maps a function that may return the answer instead to the name of
    that answer. ``context`` names are also passed to the tests. ``prerequisites`` are the questions that grade the helpers of
    a composite question. ``see`` is where the handout explains it. ``probe`` is what observes the answer, as
    ``module.function`` in the section's probes. Where the answer to the question ``used_by`` calls it, ``uses`` is the probe
    that first finds out how.

    ``claims``: test function -> course -> the points that it is worth by itself; without them a question is all or nothing.

    A question whose answer (or what the probe observes of it) must equal the solution's needs no test file: ``sentence``
    describes the test to the student, and ``result`` is what messages call the answer.
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
    used_by: str = ""
    uses: str = ""
    claims: dict[str, dict[str, float]] = field(default_factory=dict)
    sentence: str = ""
    result: str = "the result"
    tensor: bool = False


@dataclass(frozen=True)
class Assignment:
    """Everything the engine needs to know about one assignment.

    ``preload``: modules that every worker imports in advance, numpy unless the rubric says otherwise; ``flags``: names whose
    use in an answer is reported to staff; ``show_right_results``: of small public calls on which an answer fails;
    ``written``: the items graded by a person.
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
    show_right_results: bool = True
    written: Written = field(default_factory=Written)

    def question(self, id: str) -> Question:
        """The question with this id; raises StopIteration if there is none."""
        return next(q for q in self.questions if q.id == id)

    def is_module(self, path: PurePath) -> bool:
        """Whether a submitted file is, by its name, one of the modules that sections import from, and so no notebook."""
        modules = {module for section in self.sections for module in section.modules}
        return path.name in modules or bool(modules & set(path.parts[:-1]))

    def of_section(self, section: Section) -> list[Question]:
        return [q for q in self.questions if q.section is section]

    def numbers(self) -> frozenset[str]:
        """Every question id and its prefixes (``1``, ``1.10``, ``1.10.2``): the numbers that count as headings."""
        return frozenset(n for q in self.questions for n in accumulate(q.id.split("."), "{}.{}".format))

    def test_file(self, question: Question) -> Path:
        return self.folder / "questions" / f"{question.id}.py"

    def test_source(self, question: Question) -> str:
        """The question's tests in Otter's exception format: its test file, or the plain test made from its sentence."""
        if not question.sentence:
            return self.test_file(question).read_text(encoding="utf-8")
        sentence = question.sentence.replace("\\", "\\\\").replace('"', '\\"')
        answer = "probe" if question.probe else question.names[0]
        return PLAIN_TEST.format(id=question.id, answer=answer, sentence=sentence, result=question.result)

    def parts(self) -> list[Path]:
        """The files and folders of the assignment that can affect a verdict. The rest is only read at build time."""
        names = ["questions", "rules", "rules.py", "trusted_helpers.py", "helpers_beside.py"]
        names += [name for section in self.sections for name in (section.probes, section.prelude_file) if name]
        return [path for path in map(self.folder.joinpath, dict.fromkeys(names)) if path.exists()]

    def max_points(self, course: str) -> tuple[float, float]:
        """Return (regular, extra credit) points of the autograded items."""
        return total(self.questions, course)
