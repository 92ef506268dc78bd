"""What staff get: gradebook.csv, canvas.csv and one results file per submission.

The same verdicts and roster always produce the same bytes: no timestamps, a fixed order and one number format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from autograder.batch.people import Absent, Person
from autograder.batch.verdicts import read_verdicts
from autograder.core.assignment import Assignment
from autograder.core.files import write_private
from autograder.core.tables import write_csv
from autograder.core.text import cell
from autograder.core.verdict import MISSING, NOT_RUN, NOT_YET, Verdict, not_yet
from autograder.judging.receipt import Origin, sign
from autograder.judging.results import POSTPONED, gradescope_tree, student_copy


@dataclass
class Sheet:
    """One submission as staff see it. ``problem``: why it is not graded, or ''; ``earlier``: the score of the first upload.

    ``created``: when it was submitted, as the export says it.
    """

    id: str
    people: list[Person]
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str = ""
    earlier: float | None = None
    created: str = ""

    def courses(self, default: str) -> list[str]:
        """The course of each of its people; ``default``: of those who have none."""
        return [person.course or default for person in self.people] or [default]

    def scores(self, course: str) -> dict[str, float | None]:
        """Points per item; None if the item did not run."""
        return {v.question.id: None if v.status == NOT_RUN else v.score(course) for v in self.verdicts}

    def total(self, course: str) -> float | None:
        """The sum of all items' points; None if the submission or any item was not graded."""
        scores = [score for score in self.scores(course).values() if score is not None]
        return sum(scores) if not self.problem and len(scores) == len(self.verdicts) else None

    def status(self) -> str:
        """``graded``, possibly with sections that were not submitted, or ``not graded: …`` with the reason."""
        if self.problem:
            return self.problem
        not_run = [v.question.id for v in self.verdicts if v.status == NOT_RUN]
        if not_run:
            return f"not graded: {', '.join(not_run)} did not run"
        return "; ".join(["graded", *self.without()])

    def without(self) -> Iterator[str]:
        """What was not submitted, and what could not be read and why."""
        reasons, unread = self._missing(), self.unread()
        if absent := list(dict.fromkeys(id for id, reason in reasons if (id, reason) not in unread)):
            yield f"not submitted: {', '.join(absent)}"
        if unread:
            yield f"not read: {', '.join(f'{id} ({reason})' for id, reason in unread)}"

    def unread(self) -> list[tuple[str, str]]:
        """(section, why it could not be read) of what was submitted all the same."""
        return [(id, reason) for id, reason in self._missing() if reason in self.notes]

    def _missing(self) -> list[tuple[str, str]]:
        return sorted({(v.question.section.id, v.reason) for v in self.verdicts if v.status == MISSING})

    def problems(self) -> list[str]:
        """What staff have to see to: why it is not graded, and who is named by another submission, too."""
        status = self.status()
        return [status] * status.startswith("not graded") + [p.contested for p in self.people if p.contested]


def sheet_of(assignment: Assignment, id: str, people: list[Person], text: str | None, problem: str) -> Sheet:
    """Build a sheet from the store's text for a submission (None if the store has none)."""
    if problem or text is None:
        return Sheet(id, people, problem=problem or "not graded yet")
    verdicts, notes, refused = read_verdicts(assignment, text)
    return Sheet(id, people, verdicts, notes, f"not graded: {refused}" if refused else "")


def write_results(folder: Path, assignment: Assignment, sheet: Sheet, course: str, origin: Origin, content: str) -> None:
    """Write ``folder/<id>.json``, as Gradescope would show it, unless the file already has this content.

    ``origin``, ``content``: who graded what, see ``judging.receipt``.
    """
    if sheet.problem.startswith(f"{NOT_YET}: "):
        tree = gradescope_tree(assignment, course, [not_yet(q) for q in assignment.questions], [POSTPONED])
    elif sheet.problem:
        verdicts = [Verdict(q, NOT_RUN, "not run: nothing could be graded") for q in assignment.questions]
        tree = gradescope_tree(assignment, course, verdicts, [sheet.problem])
    else:
        tree = gradescope_tree(assignment, course, sheet.verdicts, sheet.notes)
        sign(tree, origin, content)
    path, text = folder / f"{sheet.id}.json", json.dumps(student_copy(tree), indent=1) + "\n"
    if not path.exists() or path.stat().st_size != len(text) or path.read_text(encoding="utf-8") != text:
        write_private(path, text, durable=False)


def number(value: float | None) -> str:
    """A score in its shortest form; '' for None."""
    return "" if value is None else f"{value:g}"


class GradebookRow(NamedTuple):
    """One person's line; ``submission`` is '' and ``scores`` empty if nothing was submitted."""

    person: Person
    course: str
    submission: str
    scores: dict[str, float | None]
    total: float | None
    status: str
    created: str = ""


class Gradebook:
    """Collects rows and writes gradebook.csv (every item, Gradescope's column names) and canvas.csv (for Canvas's import)."""

    def __init__(self, assignment: Assignment, course: str):
        self.assignment, self.course = assignment, course
        self.rows: list[GradebookRow] = []

    def add(self, sheet: Sheet) -> None:
        """Add a row for each person of a submission."""
        for person in sheet.people:
            course, status = person.course or self.course, person.contested or sheet.status()
            scores, created = sheet.scores(course), person.submitted or sheet.created
            self.rows.append(GradebookRow(person, course, sheet.id, scores, sheet.total(course), status, created))

    def add_absent(self, absent: list[Absent]) -> None:
        """Add a row for everyone without a submission."""
        for person, why, *_ in absent:
            self.rows.append(GradebookRow(person, person.course or self.course, "", {}, None, f"not graded: {why}"))

    def write(self, folder: Path) -> None:
        """Write both files. Raises NotWritten."""
        self.rows.sort(key=lambda row: (row.person.name.casefold(), row.person.email, row.person.sid, row.submission))
        max_points = {c: sum(self.assignment.max_points(c)[:1]) for c in self.assignment.courses}
        write_csv(folder / "gradebook.csv", self._gradebook(max_points))
        write_csv(folder / "canvas.csv", self._canvas(max(max_points.values())))

    def _gradebook(self, max_points: dict[str, float]) -> Iterator[list[str]]:
        questions = [question.id for question in self.assignment.questions]
        who = ["Name", "Email", "SID", "Course", "Submission ID"]
        yield [*who, "Total Score", "Max Points", "Status", "Submission Time", *questions]
        for row in self.rows:
            yield [
                cell(row.person.name),
                cell(row.person.email),
                cell(row.person.sid),
                row.course,
                cell(row.submission),
                number(row.total),
                number(max_points[row.course]),
                cell(row.status),
                cell(row.created),
                *(number(row.scores.get(id)) for id in questions),
            ]

    def _canvas(self, max_points: float) -> Iterator[list[str]]:
        title = f"{self.assignment.title} (autograded)"
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
        yield ["    Points Possible", "", "", "", "", number(max_points)]
        for row in self.rows:
            person = row.person
            login = person.email.split("@")[0]
            total = "" if person.contested else number(row.total)
            yield [cell(person.name), "", cell(person.sid), cell(login), row.course, total]
