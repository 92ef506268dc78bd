"""Loads an Assignment from ``rubric.toml``. Misspelt keys, dangling references and duplicates are errors of one line each."""

from __future__ import annotations

import ast
import functools
import math
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from autograder.core.assignment import Assignment, Limits, Question, Section
from autograder.core.claims import check_claims, claims_of
from autograder.core.errors import GraderError
from autograder.core.points import check_sums, points_of
from autograder.core.strict import build, listed, read_toml, refuse_keys, refuse_twice, refuse_unknown, typed
from autograder.core.text import clean, reason
from autograder.core.written import Chapter, Manual, Part, Written

TABLES = ("assignment", "totals", "worker", "limits", "section", "question", "part", "chapter", "manual", "writeup")
TOTAL_SECONDS = 540.0
Scored = TypeVar("Scored", Part, Manual)
Table = TypeVar("Table", "Head", "Preload")


@dataclass(frozen=True)
class Head:
    """``[assignment]``: see Assignment."""

    title: str
    courses: tuple[str, ...]
    checks_package: str = "checks"
    flags: tuple[str, ...] = ()
    show_right_results: bool = True


@dataclass(frozen=True)
class Preload:
    """``[worker]``: see Assignment."""

    preload: tuple[str, ...] = ("numpy",)  # arrays travel as numpy's


@dataclass(frozen=True)
class Reading:
    """``[writeup]``: see Written."""

    rules: tuple[str, ...] = ()
    collaborators_percent: float = 0.0


def load_assignment(
    folder: Path, default_seconds: float = TOTAL_SECONDS, at_most: float = math.inf, **limits: Any
) -> Assignment:
    """Load the assignment described by ``folder/rubric.toml``.

    The time limit for a whole submission is ``[limits] total_seconds``, or ``default_seconds`` if the rubric sets none, and
    never more than ``at_most``. Further arguments override the rubric's ``[limits]``. Raises GraderError, one line, if the file
    is missing or malformed, refers to something that does not exist, or has points that do not add up.
    """
    folder = Path(folder).resolve()
    rubric, where = _rubric(folder), "rubric.toml"
    head, worker = _table(rubric, "assignment", Head), _table(rubric, "worker", Preload)
    courses = _courses(head.courses)
    sections = _sections(folder, listed(rubric, "section", where))
    questions = _questions(folder, listed(rubric, "question", where), sections, courses)
    if not questions:
        raise GraderError(f"{where}: there is no [[question]]")
    written = _written(rubric, courses, [question.id for question in questions])
    check_sums(questions, written, courses, rubric.get("totals", {}))
    allowed = vars(_limits(rubric, default_seconds))
    allowed |= {"total_seconds": min(allowed["total_seconds"], at_most), **limits}
    return Assignment(
        folder=folder,
        title=head.title,
        courses=courses,
        sections=tuple(sections.values()),
        questions=questions,
        limits=Limits(**allowed),
        preload=worker.preload,
        checks_package=_checks_package(head.checks_package),
        flags=head.flags,
        show_right_results=head.show_right_results,
        written=written,
    )


def _rubric(folder: Path) -> dict[str, Any]:
    path = folder / "rubric.toml"
    if not path.is_file():
        raise GraderError(
            f"no assignment in {clean(str(folder), 200)}: there is no rubric.toml; "
            "go to the folder that holds it, or pass it with --assignment"
        )
    rubric = read_toml(path)
    refuse_unknown(rubric, TABLES, "rubric.toml", "table", fitting=TABLES)  # [[question]] may follow [[qestion]]
    return rubric


def _courses(courses: tuple[str, ...]) -> tuple[str, ...]:
    """The courses of ``[assignment]``. Raises GraderError if there are none, or for a name that cannot be a file's."""
    where = "rubric.toml: [assignment]"
    refuse_twice(courses, "rubric.toml", "course")
    if not courses or not all(re.fullmatch(r"[\w.-]+", course) for course in courses):
        raise GraderError(f"{where} courses should name at least one, in letters, digits, dots and dashes")
    return courses


def _limits(rubric: dict[str, Any], default_seconds: float) -> Limits:
    table = rubric.get("limits", {})
    if not isinstance(table, dict):
        raise GraderError("rubric.toml: limits should be written as [limits]")
    limits = build(Limits, {"total_seconds": default_seconds, **table}, "rubric.toml: [limits]")
    if small := [name for name, value in vars(limits).items() if not value > 0]:
        raise GraderError(f"rubric.toml: [limits]: {small[0]} should be more than 0")
    return limits


def _checks_package(name: str) -> str:
    """Raise GraderError unless Python can import a package of this name and it does not clash with another folder."""
    if not name.isidentifier() or name in ("tests", "writeup"):
        raise GraderError(
            f"rubric.toml: [assignment] checks_package {clean(name)!r} should be a Python name, and not tests or writeup"
        )
    return name


def _table(rubric: dict[str, Any], name: str, kind: type[Table]) -> Table:
    """The table ``[name]``; raises GraderError if it has any other keys than the fields of ``kind``, or lacks one."""
    table = rubric.get(name, {})
    if not isinstance(table, dict):
        raise GraderError(f"rubric.toml: {name} should be written as [{name}]")
    refuse_unknown(table, [field.name for field in fields(kind)], f"rubric.toml: [{name}]", "key")
    return build(kind, table, f"rubric.toml: [{name}]")


def _where(what: str, entry: dict[str, Any], number: int) -> str:
    name = entry.get("id", entry.get("title"))
    return f"rubric.toml: {what} {clean(name)}" if isinstance(name, str) else f"rubric.toml: [[{what}]] number {number}"


def _sections(folder: Path, entries: list[dict[str, Any]]) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    for number, entry in enumerate(entries, 1):
        section = _section(folder, entry, _where("section", entry, number))
        refuse_twice([*sections, section.id], "rubric.toml", "section")
        sections[section.id] = section
    return sections


def _section(folder: Path, entry: dict[str, Any], where: str) -> Section:
    file = typed(str, entry.get("prelude", ""), f"{where}: prelude")
    prelude = _prelude(folder, file, where)
    section = build(Section, entry, where, not_keys=("prelude_file",), prelude=prelude, prelude_file=file)
    _check_pattern(section.file_pattern, f"{where}: file_pattern")
    for name, module in section.imported.items():
        if not name.isidentifier():
            raise GraderError(f"{where}: modules: {clean(module)!r} should be a folder or a .py file beside the notebook")
    if section.tolerance < 0:
        raise GraderError(f"{where}: tolerance should not be negative")
    if section.hidden_sets < 1:
        raise GraderError(f"{where}: hidden_sets should be at least 1")
    if section.probes and not (folder / section.probes / "__init__.py").is_file():
        raise GraderError(f"{where}: probes {clean(section.probes)!r} is not a package in {clean(str(folder), 200)}")
    return section


def _prelude(folder: Path, file: str, where: str) -> str:
    """The source of a prelude ('' for no file); raises GraderError if it cannot be read, parsed, or is outside ``folder``."""
    try:
        if file and folder not in (folder / file).resolve().parents:
            raise GraderError(f"{where}: prelude {clean(file)} lies outside the assignment's folder")
        prelude = (folder / file).read_text(encoding="utf-8") if file else ""
        ast.parse(prelude)
    except (OSError, UnicodeDecodeError) as error:
        raise GraderError(f"{where}: prelude {clean(file)} cannot be read: {clean(reason(error), 120)}") from None
    except SyntaxError as error:
        raise GraderError(f"{where}: prelude {clean(file)}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:  # a NUL in the name or in the code
        raise GraderError(f"{where}: prelude {clean(file)} cannot be used: {error}") from None
    return prelude


def _check_pattern(pattern: str, where: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise GraderError(f"{where} is not a regular expression: {error}") from None


def _questions(
    folder: Path, entries: list[dict[str, Any]], sections: dict[str, Section], courses: tuple[str, ...]
) -> tuple[Question, ...]:
    # Before anything is said about one of them, such as that its test file is missing.
    refuse_twice([entry["id"] for entry in entries if isinstance(entry.get("id"), str)], "rubric.toml", "question")
    questions = [_question(folder, entry, number, sections, courses) for number, entry in enumerate(entries, 1)]
    ids = [question.id for question in questions]
    bound = {name for question in questions for name in question.names} | {n for s in sections.values() for n in s.names}
    for question in questions:
        where = f"rubric.toml: question {question.id}"
        if question.id in question.prerequisites:
            raise GraderError(f"{where}: it cannot be its own prerequisite")
        refuse_unknown(question.prerequisites, ids, where, "prerequisite", _helpers(question, questions))
        refuse_unknown(question.context, bound, where, "name", bound - {*question.names, *question.context})
        _check_use(question, questions, where)
    return tuple(questions)


def _helpers(question: Question, questions: list[Question]) -> list[str]:
    """The questions that can be one more prerequisite of this one: functions of its section that it does not have yet."""
    others = [q for q in questions if q.section is question.section and not q.value and q.names[0] != question.names[0]]
    return [q.id for q in others if q.id not in question.prerequisites]


def _question(
    folder: Path, entry: dict[str, Any], number: int, sections: dict[str, Section], courses: tuple[str, ...]
) -> Question:
    where = _where("question", entry, number)
    refuse_keys(Question, entry, where)
    if "section" in entry:
        refuse_unknown([entry["section"]], sections, where, "section")
    points = points_of(entry, courses, where)
    claims = claims_of(entry, points, where)
    section = sections.get(entry.get("section", ""))
    question = build(Question, entry, where, points=points, claims=claims, section=section)
    refuse_unknown(question.extra_credit, courses, where, "course")
    refuse_unknown(question.calls.values(), question.names, where, "name", fitting=question.names)
    if question.section is None:
        raise GraderError(f"{where}: the key 'section' is missing")
    if not question.names or not all(name.isidentifier() for name in question.names):
        raise GraderError(f"{where}: names is empty or contains an invalid Python name: say what the answer is called")
    for probe in filter(None, (question.probe, question.uses)):
        _check_probe(folder, question, probe, where)
    _check_tests(folder, question, where)
    return question


def _check_use(question: Question, questions: list[Question], where: str) -> None:
    """Raise GraderError unless ``used_by`` names a probed question of the section, and comes with ``uses``."""
    if bool(question.used_by) != bool(question.uses):
        raise GraderError(f"{where}: used_by and uses belong together: the question whose answer calls this one, and a probe")
    if question.uses and not question.probe:
        raise GraderError(f"{where}: uses {clean(question.uses)!r} serves a probe, and this question has none")
    probed = [q.id for q in questions if q.section is question.section and q.probe and q is not question]
    refuse_unknown(filter(None, [question.used_by]), probed, where, "question with a probe")


def _check_probe(folder: Path, question: Question, probe: str, where: str) -> None:
    """Raise GraderError unless ``module.function`` exists in the section's probes, which are parsed but not imported."""
    if not question.section.probes:
        raise GraderError(f"{where}: probe {clean(probe)!r}, but section {question.section.id} has no probes")
    module, _, function = probe.partition(".")
    package = folder / question.section.probes
    refuse_unknown([module], [path.stem for path in sorted(package.glob("*.py"))], f"{where}: probe", "module of probes")
    try:
        functions = _functions_in((package / f"{module}.py").read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise GraderError(f"{question.section.probes}/{module}.py cannot be read: {clean(str(error), 120)}") from None
    refuse_unknown([function], functions, f"{where}: probe", f"function in {question.section.probes}/{module}.py")


@functools.lru_cache(maxsize=64)
def _functions_in(source: str) -> tuple[str, ...]:
    """The names of the functions that a module defines; raises SyntaxError or ValueError."""
    return tuple(node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))


def _check_tests(folder: Path, question: Question, where: str) -> None:
    """Raise GraderError unless the question has either a sentence or a test file, but not both."""
    file = f"questions/{clean(question.id)}.py"
    if (folder / "questions" / f"{question.id}.py").is_file():
        if question.sentence:
            raise GraderError(f"{where}: it has both a sentence and a test file, {file}: remove one of them")
        check_claims(folder / "questions" / f"{question.id}.py", question, where)
    elif not question.sentence:
        raise GraderError(f"{where}: its test file, {file}, is missing; without it, the question needs a sentence")
    elif question.claims:
        raise GraderError(f"{where}: claims are test functions, and it has only a sentence: write {file}")


def _written(rubric: dict[str, Any], courses: tuple[str, ...], questions: list[str]) -> Written:
    parts, chapters, items = (listed(rubric, name, "rubric.toml") for name in ("part", "chapter", "manual"))
    written = Written(
        parts=tuple(_scored(Part, entry, _where("part", entry, n), courses) for n, entry in enumerate(parts, 1)),
        chapters=tuple(build(Chapter, entry, _where("chapter", entry, n)) for n, entry in enumerate(chapters, 1)),
        items=tuple(_scored(Manual, entry, _where("manual", entry, n), courses) for n, entry in enumerate(items, 1)),
        **vars(build(Reading, rubric.get("writeup", {}), "rubric.toml: [writeup]")),
    )
    if not 0 <= written.collaborators_percent <= 100:
        raise GraderError("rubric.toml: [writeup]: collaborators_percent should be a number from 0 to 100")
    refuse_twice((part.id for part in written.parts), "rubric.toml", "part")
    for chapter in written.chapters:
        refuse_unknown(chapter.parts, [p.id for p in written.parts], f"rubric.toml: chapter {clean(chapter.title)}", "part")
    for item in written.items:
        _check_pattern(item.pattern, f"rubric.toml: manual {item.id}: pattern")
        if bool(item.voids) != bool(item.void):
            raise GraderError(f"rubric.toml: manual {item.id}: voids (which question) and void (when) need each other")
        refuse_unknown([item.voids] if item.voids else [], questions, f"rubric.toml: manual {item.id}: voids", "question")
    return written


def _scored(kind: type[Scored], entry: dict[str, Any], where: str, courses: tuple[str, ...]) -> Scored:
    """A part or a manual item with its points by course."""
    refuse_keys(kind, entry, where)
    scored = build(kind, entry, where, points=points_of(entry, courses, where))
    refuse_unknown(scored.extra_credit, courses, where, "course")
    return scored
