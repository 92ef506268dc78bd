"""``rubric.toml`` -> Assignment. Strict: what is misspelt, dangling or there twice is refused in one line."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.assignment import Assignment, Limits, Question, Section
from autograder.core.errors import GraderError
from autograder.core.strict import build, listed, nearest, read_toml, refuse_twice, refuse_unknown, typed
from autograder.core.text import clean, reason
from autograder.core.written import Chapter, Manual, Part, Written, total

TABLES = ("assignment", "totals", "worker", "limits", "section", "question", "part", "chapter", "manual", "writeup")
HEAD = ("title", "courses", "checks_package", "flags")
TOTAL_SECONDS = 540.0


@dataclass(frozen=True)
class _Reading:
    """``[writeup]``: see Written."""

    rules: tuple[str, ...] = ()
    collaborators_percent: float = 0.0


def load_assignment(
    folder: Path, default_seconds: float = TOTAL_SECONDS, at_most: float = math.inf, **limits: Any
) -> Assignment:
    """Read ``folder/rubric.toml``.

    A whole submission may take ``[limits] total_seconds``, ``default_seconds`` where the rubric does not say, and never longer
    than ``at_most``. Further arguments override the rubric's ``[limits]``. Raises GraderError, one line, where the file is
    missing, malformed, names what does not exist, or does not add up.
    """
    folder = Path(folder).resolve()
    path = folder / "rubric.toml"
    if not path.is_file():
        raise GraderError(
            f"no assignment in {clean(str(folder), 200)}: there is no rubric.toml; "
            "go to the folder that holds it, or name it with --assignment"
        )
    rubric, where = read_toml(path), "rubric.toml"
    refuse_unknown(rubric, TABLES, where, "table")
    head, worker = _table(rubric, "assignment", HEAD), _table(rubric, "worker", ("preload",))
    for key in ("title", "courses"):
        if key not in head:
            raise GraderError(f"{where}: [assignment] the key {key!r} is missing")
    courses = typed(tuple[str, ...], head["courses"], f"{where}: [assignment] courses")
    refuse_twice(courses, where, "course")
    if not courses or not all(re.fullmatch(r"[\w.-]+", course) for course in courses):
        raise GraderError(f"{where}: [assignment] courses should name at least one, in letters, digits, dots and dashes")
    sections = _sections(folder, listed(rubric, "section", where))
    questions = _questions(folder, listed(rubric, "question", where), sections, courses)
    if not questions:
        raise GraderError(f"{where}: there is no [[question]]")
    written = _written(rubric, courses)
    _check_sums(questions, written, courses, rubric.get("totals", {}))
    given = rubric.get("limits", {})
    if not isinstance(given, dict):
        raise GraderError(f"{where}: limits should be written as [limits]")
    found = build(Limits, {"total_seconds": default_seconds, **given}, f"{where}: [limits]")
    if small := [name for name, value in vars(found).items() if not value > 0]:
        raise GraderError(f"{where}: [limits]: {small[0]} should be more than 0")
    seconds = {"total_seconds": min(found.total_seconds, at_most)}
    return Assignment(
        folder=folder,
        title=typed(str, head["title"], f"{where}: [assignment] title"),
        courses=courses,
        sections=tuple(sections.values()),
        questions=questions,
        limits=Limits(**{**vars(found), **seconds, **limits}),
        preload=typed(tuple[str, ...], worker.get("preload", []), f"{where}: [worker] preload"),
        checks_package=_checks_package(
            typed(str, head.get("checks_package", "checks"), f"{where}: [assignment] checks_package")
        ),
        flags=typed(tuple[str, ...], head.get("flags", []), f"{where}: [assignment] flags"),
        written=written,
    )


def _checks_package(name: str) -> str:
    """The students' package of checks has to be one that Python can import and nothing else is called."""
    if not name.isidentifier() or name in ("tests", "writeup"):
        raise GraderError(
            f"rubric.toml: [assignment] checks_package {clean(name)!r} should be a Python name, and not tests or writeup"
        )
    return name


def _table(rubric: dict[str, Any], name: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """``[name]`` with these keys at most."""
    found = rubric.get(name, {})
    if not isinstance(found, dict):
        raise GraderError(f"rubric.toml: {name} should be written as [{name}]")
    refuse_unknown(found, keys, f"rubric.toml: [{name}]", "key")
    return found


def _where(what: str, entry: dict[str, Any], number: int) -> str:
    name = entry.get("id", entry.get("title"))
    return f"rubric.toml: {what} {clean(name)}" if isinstance(name, str) else f"rubric.toml: [[{what}]] number {number}"


def _sections(folder: Path, entries: list[dict[str, Any]]) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    for number, entry in enumerate(entries, 1):
        where = _where("section", entry, number)
        file = typed(str, entry.get("prelude", ""), f"{where}: prelude")
        if "prelude_file" in entry:
            raise GraderError(f"{where}: unknown key 'prelude_file'; did you mean 'prelude'?")
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
        section = build(Section, entry, where, prelude=prelude, prelude_file=file)
        try:
            re.compile(section.file_pattern)
        except re.error as error:
            raise GraderError(f"{where}: file_pattern is not a regular expression: {error}") from None
        if section.probes and not (folder / section.probes / "__init__.py").is_file():
            raise GraderError(f"{where}: probes {clean(section.probes)!r} is not a package in {clean(str(folder), 200)}")
        refuse_twice([*sections, section.id], "rubric.toml", "section")
        sections[section.id] = section
    return sections


def _questions(
    folder: Path, entries: list[dict[str, Any]], sections: dict[str, Section], courses: tuple[str, ...]
) -> tuple[Question, ...]:
    questions = [_question(folder, entry, number, sections, courses) for number, entry in enumerate(entries, 1)]
    ids = [question.id for question in questions]
    refuse_twice(ids, "rubric.toml", "question")
    bound = {name for question in questions for name in question.names} | {n for s in sections.values() for n in s.names}
    for question in questions:
        where = f"rubric.toml: question {question.id}"
        if question.id in question.prerequisites:
            raise GraderError(f"{where}: it cannot be its own prerequisite")
        refuse_unknown(question.prerequisites, ids, where, "prerequisite")
        refuse_unknown(question.context, bound, where, "name")
    return tuple(questions)


def _question(
    folder: Path, entry: dict[str, Any], number: int, sections: dict[str, Section], courses: tuple[str, ...]
) -> Question:
    where = _where("question", entry, number)
    if "section" in entry:
        refuse_unknown([entry["section"]], sections, where, "section")
    question = build(
        Question, entry, where, points=_points(entry, courses, where), section=sections.get(entry.get("section", ""))
    )
    refuse_unknown(question.extra_credit, courses, where, "course")
    refuse_unknown(question.calls.values(), question.names, where, "name")
    if question.section is None:
        raise GraderError(f"{where}: the key 'section' is missing")
    if not question.names or not all(name.isidentifier() for name in question.names):
        raise GraderError(f"{where}: names is empty or holds what is no Python name: say what the answer is called")
    if question.probe:
        _check_probe(folder, question, where)
    _check_tests(folder, question, where)
    return question


def _check_probe(folder: Path, question: Question, where: str) -> None:
    """``module.function`` is a function in the module ``module`` of the section's probes, which nobody imports here."""
    if not question.section.probes:
        raise GraderError(f"{where}: probe {clean(question.probe)!r}, but section {question.section.id} has no probes")
    module, _, function = question.probe.partition(".")
    package = folder / question.section.probes
    refuse_unknown([module], [path.stem for path in sorted(package.glob("*.py"))], f"{where}: probe", "module of probes")
    try:
        body = ast.parse((package / f"{module}.py").read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError) as error:
        raise GraderError(f"{question.section.probes}/{module}.py cannot be read: {clean(str(error), 120)}") from None
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    refuse_unknown([function], functions, f"{where}: probe", f"function in {question.section.probes}/{module}.py")


def _check_tests(folder: Path, question: Question, where: str) -> None:
    """A question has a sentence or a file of tests, and not both."""
    file = f"questions/{clean(question.id)}.py"
    if (folder / "questions" / f"{question.id}.py").is_file():
        if question.sentence:
            raise GraderError(f"{where}: it has a sentence and tests of its own, {file}: remove one of them")
    elif not question.sentence:
        raise GraderError(f"{where}: its tests, {file}, are missing; without them it needs a sentence")
    elif question.probe:
        raise GraderError(f"{where}: what a probe observes needs tests of its own, {file}")


def _points(entry: dict[str, Any], courses: tuple[str, ...], where: str) -> dict[str, float]:
    """Points by course, from one number for all or a table."""
    if "points" not in entry:
        raise GraderError(f"{where}: the key 'points' is missing")
    points = entry["points"]
    if not isinstance(points, dict):
        points = dict.fromkeys(courses, points)
    refuse_unknown(points, courses, f"{where}: points", "course")
    if missing := [course for course in courses if course not in points]:
        raise GraderError(f"{where}: points of course {missing[0]} are missing")
    found = {course: typed(float, value, f"{where}: points") for course, value in points.items()}
    if any(value < 0 for value in found.values()):
        raise GraderError(f"{where}: points should not be negative")
    return found


def _written(rubric: dict[str, Any], courses: tuple[str, ...]) -> Written:
    def scored(kind: type, entry: dict[str, Any], what: str, number: int) -> Any:
        where = _where(what, entry, number)
        made = build(kind, entry, where, points=_points(entry, courses, where))
        refuse_unknown(made.extra_credit, courses, where, "course")
        return made

    parts, chapters, items = (listed(rubric, name, "rubric.toml") for name in ("part", "chapter", "manual"))
    written = Written(
        parts=tuple(scored(Part, entry, "part", n) for n, entry in enumerate(parts, 1)),
        chapters=tuple(build(Chapter, entry, _where("chapter", entry, n)) for n, entry in enumerate(chapters, 1)),
        items=tuple(scored(Manual, entry, "manual", n) for n, entry in enumerate(items, 1)),
        **vars(build(_Reading, rubric.get("writeup", {}), "rubric.toml: [writeup]")),
    )
    if not 0 <= written.collaborators_percent <= 100:
        raise GraderError("rubric.toml: [writeup]: collaborators_percent should be a number from 0 to 100")
    refuse_twice((part.id for part in written.parts), "rubric.toml", "part")
    for chapter in written.chapters:
        refuse_unknown(chapter.parts, [p.id for p in written.parts], f"rubric.toml: chapter {clean(chapter.title)}", "part")
    for item in written.items:
        try:
            re.compile(item.pattern)
        except re.error as error:
            raise GraderError(f"rubric.toml: manual {item.id}: pattern is not a regular expression: {error}") from None
    return written


def _check_sums(questions: Iterable[Question], written: Written, courses: tuple[str, ...], totals: Any) -> None:
    """Raise GraderError unless every part and the whole sum to what the handout promises."""
    where, items = "rubric.toml", [*questions, *written.items]
    refuse_twice((item.id for item in items), where, "item")
    for item in items if written.parts else ():
        if written.part_of(item.id) is None:
            raise GraderError(f"{where}: {item.id} belongs to no [[part]]{nearest(item.id, [p.id for p in written.parts])}")
    wanted_of = typed(dict[str, tuple[float, ...]], totals, f"{where}: [totals]")
    refuse_unknown(wanted_of, courses, f"{where}: [totals]", "course")
    for course in courses:
        for part in written.parts:
            found, wanted = total([i for i in items if written.part_of(i.id) is part], course), total([part], course)
            if found != wanted:
                raise GraderError(
                    f"{where}: course {course}: the items of part {part.id} sum to {_sum_text(found)}, "
                    f"[[part]] says {_sum_text(wanted)}"
                )
        if course in wanted_of:
            found, wanted = total(items, course), wanted_of[course]
            if len(wanted) != 2:
                raise GraderError(f"{where}: [totals] {course} should be [regular points, extra credit]")
            if found != wanted:
                raise GraderError(
                    f"{where}: the items of course {course} sum to {_sum_text(found)}, [totals] says {_sum_text(wanted)}"
                )


def _sum_text(points: tuple[float, ...]) -> str:
    return f"{points[0]:g}" + (f" + {points[1]:g} extra credit" if points[1] else "")
