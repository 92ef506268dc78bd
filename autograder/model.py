"""The nouns: an assignment, its sections and questions (from ``rubric.toml``), and a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autograder.toml import tomllib
from autograder.written import rubric as written_half
from autograder.written.rubric import Written

PASSED, FAILED, MISSING, NOT_RUN = "passed", "failed", "not submitted", "not run"


class GraderError(Exception):
    """Something that staff or the submitter must mend; its text is one or two lines for them."""


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

    ``prelude`` is the code given to every student. The graded part ends at the first heading that begins with one of
    ``until_labels`` or the first import of one of ``until_imports``. ``modules`` are folders beside the notebook that it
    imports from; students get them too.

    A section that needs more than plain calls has ``probes``, a package of ours that runs beside the student's code;
    ``preload`` are modules that only its workers hold, ``scratch`` gives each of them a folder to write in. Of the calls
    that are otherwise never run, ``stands_in`` names those that the probes answer; ``never_calls`` names further calls
    that no statement may make while the slice runs.
    """

    id: str
    title: str
    file_pattern: str
    names: tuple[str, ...]
    prelude: str = ""
    until_labels: tuple[str, ...] = ()
    until_imports: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    probes: str = ""
    preload: tuple[str, ...] = ()
    scratch: bool = False
    stands_in: tuple[str, ...] = ()
    never_calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One autograded item.

    ``names`` are looked up in the submission; ``value`` marks them as values to read rather than
    functions to call; ``calls`` maps a function that returns the answer instead to that name. ``context`` names
    are handed to the tests too. ``prerequisites`` are the questions that grade the helpers of a composite; ``see`` says
    where the handout explains it; ``probe`` names the section's probe that observes the answer.
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


@dataclass
class Verdict:
    """What the judge found for one question, before it is written for Gradescope."""

    question: Question
    status: str = NOT_RUN
    reason: str = "not run yet"
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    data: dict = field(default_factory=dict)
    seconds: float = 0.0

    def score(self, course: str) -> float:
        return self.question.points[course] if self.status == PASSED else 0.0


@dataclass(frozen=True)
class Assignment:
    """Everything the engine needs to know about one assignment; loaded by :func:`load`.

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
    kit_name: str
    flags: tuple[str, ...] = ()
    written: Written = Written()

    def question(self, id: str) -> Question:
        return next(q for q in self.questions if q.id == id)

    def of_section(self, section: Section) -> list[Question]:
        return [q for q in self.questions if q.section is section]

    def numbers(self) -> frozenset[str]:
        """The first digit of every question id: headings that begin with one of them are this assignment's."""
        return frozenset(q.id[0] for q in self.questions)

    def test_file(self, question: Question) -> Path:
        return self.folder / "questions" / f"{question.id}.py"

    def max_points(self, course: str) -> tuple[float, float]:
        """(regular, extra credit) points of the autograded items."""
        return written_half.total(self.questions, course)


def load(folder: Path, **limits: float) -> Assignment:
    """Read ``folder/rubric.toml``.

    Keyword arguments override the rubric's ``[limits]``.
    Raises GraderError when the file is missing, malformed or its totals do not add up.
    """
    folder = Path(folder).resolve()
    try:
        rubric = tomllib.loads((folder / "rubric.toml").read_text(encoding="utf-8"))
    except OSError as error:
        raise GraderError(f"no rubric at {folder / 'rubric.toml'}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise GraderError(f"{folder / 'rubric.toml'} is not valid TOML: {error}") from None
    try:
        return _build(folder, rubric, limits)
    except (KeyError, TypeError) as error:
        raise GraderError(f"{folder / 'rubric.toml'}: missing or unexpected entry {error}") from None
    except ValueError as error:
        raise GraderError(f"{folder / 'rubric.toml'}: {error}") from None


def _build(folder: Path, rubric: dict, limits: dict) -> Assignment:
    head = rubric["assignment"]
    courses = tuple(head["courses"])
    sections = {}
    for entry in rubric["section"]:
        prelude = (folder / entry["prelude"]).read_text(encoding="utf-8") if entry.get("prelude") else ""
        sections[entry["id"]] = Section(
            id=entry["id"], title=entry["title"], file_pattern=entry["file_pattern"],
            names=tuple(entry["names"]), prelude=prelude,
            until_labels=tuple(entry.get("until_labels", ())), until_imports=tuple(entry.get("until_imports", ())),
            modules=tuple(entry.get("modules", ())),
            probes=entry.get("probes", ""), preload=tuple(entry.get("preload", ())), scratch=entry.get("scratch", False),
            stands_in=tuple(entry.get("stands_in", ())), never_calls=tuple(entry.get("never_calls", ())),
        )
    questions = tuple(_question(entry, sections, courses) for entry in rubric["question"])
    written = written_half.build(rubric, courses)
    written_half.check_sums(questions, written, courses, rubric.get("totals", {}))
    return Assignment(
        folder=folder, title=head["title"], courses=courses,
        sections=tuple(sections.values()), questions=questions,
        limits=Limits(**{**rubric.get("limits", {}), **limits}),
        preload=tuple(rubric.get("worker", {}).get("preload", ())),
        kit_name=head.get("kit_name", "checks"),
        flags=tuple(head.get("flags", ())),
        written=written,
    )


def _question(entry: dict, sections: dict[str, Section], courses: tuple[str, ...]) -> Question:
    points = entry["points"]
    if not isinstance(points, dict):
        points = dict.fromkeys(courses, points)
    return Question(
        id=entry["id"], title=entry["title"], section=sections[entry["section"]],
        names=tuple(entry["names"]), points={c: float(points[c]) for c in courses},
        extra_credit=tuple(entry.get("extra_credit", ())), value=entry.get("value", False),
        calls=dict(entry.get("calls", {})), context=tuple(entry.get("context", ())),
        prerequisites=tuple(entry.get("prerequisites", ())), see=entry.get("see", ""), probe=entry.get("probe", ""),
    )
