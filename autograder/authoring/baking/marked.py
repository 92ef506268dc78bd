"""Whether the masters agree with the rubric: which questions a notebook marks, and under which headings they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.checks.formats import CODE, MARKDOWN, RAW, Cell, is_notebook, read
from autograder.core.assignment import Assignment, Question, Section
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.submission.headings import LABEL, Heading
from autograder.submission.sections import Submission

BEGIN, END = "# BEGIN QUESTION", "# END QUESTION"
NAME = re.compile(r"^name:\s*[\"']?([\w.]+)[\"']?\s*$", re.MULTILINE)
NUMBERED = re.compile(r"\d+(\.\w+)+")


@dataclass
class Marked:
    """A question of a master: its name, its raw cell, and the cells up to its end."""

    name: str
    begin: str
    cells: list[Cell] = field(default_factory=list)


def question_name(source: str) -> str:
    """The name in a BEGIN QUESTION cell, or ''."""
    match = NAME.search(source)
    return match.group(1) if match else ""


def refuse_unmarked(assignment: Assignment, solutions: Path, submission: Submission) -> None:
    """Raise GraderError, one line, for the first notebook of the solutions that does not agree with the rubric.

    Python has to accept its code. Each question of its section has to be marked with its id, in a part whose headings have no
    other's number; and a numbered one that is marked has to be in the rubric.
    """
    for section in assignment.sections:
        parsed = submission.sections[section.id].parsed
        path = solutions / parsed.document.name if parsed else solutions
        if parsed and parsed.broken:
            raise GraderError(f"solutions/{path.name}: {parsed.broken[0].why}")
        if is_notebook(path.name):
            # Read once more: in a submission, raw cells are left empty.
            cells = read(path.name, path.read_bytes(), assignment.limits.file_bytes).cells
            _refuse_in(assignment, section, f"solutions/{path.name}", list(_marked(cells)))


def _marked(cells: list[Cell]) -> Iterator[Marked]:
    current: Marked | None = None
    for cell in cells:
        if cell.kind == RAW and cell.source.startswith((BEGIN, END)):
            if current:
                yield current
            current = Marked(question_name(cell.source), cell.source) if cell.source.startswith(BEGIN) else None
        elif current:
            current.cells.append(cell)


def _refuse_in(assignment: Assignment, section: Section, where: str, marked: list[Marked]) -> None:
    own = {question.id: question for question in assignment.of_section(section)}
    names = [one.name for one in marked]
    stray = [name for name in names if name and name not in _known(assignment)]
    if missing := [id for id in own if id not in names]:
        found = f"; not in rubric.toml is {clean(', '.join(stray), 80)}" if stray else ""
        raise GraderError(f"{where} has no `{BEGIN}` with the name {missing[0]}, a question of rubric.toml{found}")
    for one in marked:
        _refuse_name(one, one.name in stray, where)
        if question := own.get(one.name):
            _refuse_heading(assignment, question, one, where)


def _refuse_name(marked: Marked, stray: bool, where: str) -> None:
    """Raise GraderError for a question without a name, or one that is numbered, but not in the rubric (``stray``)."""
    if not marked.name:
        raise GraderError(f"{where}: a `{BEGIN}` has no line `name: ID` with the id of a question")
    if stray and NUMBERED.fullmatch(marked.name) and "manual: true" not in marked.begin:
        raise GraderError(f"{where}: question {clean(marked.name)} is not in rubric.toml")


def _known(assignment: Assignment) -> set[str]:
    written = assignment.written
    return {item.id for items in (assignment.questions, written.items, written.parts) for item in items}


def _refuse_heading(assignment: Assignment, question: Question, marked: Marked, where: str) -> None:
    """Raise GraderError if the question stands under another's number, or a value under none: by that it is found."""
    heading = Heading()
    for cell in marked.cells:
        if cell.kind == MARKDOWN:
            heading = heading.after(cell.source, assignment.numbers())
            if heading.label and not _fits(heading.label, question):
                raise GraderError(f"{where}: question {question.id} stands under a heading with the number {heading.label}")
        elif cell.kind == CODE:
            break
    if question.value and not heading.label and LABEL.fullmatch(question.id):
        raise GraderError(
            f"{where}: question {question.id} has no heading with its number, by which a value is found: "
            f"begin its text with `### {question.id} {question.title}`"
        )


def _fits(label: str, question: Question) -> bool:
    """Whether this is the question's number, that of a part of it, or that of the part in which it stands."""
    return f"{question.id}.".startswith(f"{label}.") or label.startswith(f"{question.id}.")
