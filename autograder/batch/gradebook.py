"""What staff get: gradebook.csv, canvas.csv, moved.csv and one results.json for each submission.

The same verdicts and roster always give the same bytes: no times, one order, numbers written one way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.roster import Person
from autograder.core.assignment import Assignment
from autograder.core.files import write_private
from autograder.core.tables import write_csv
from autograder.core.text import cell
from autograder.core.verdict import MISSING, NOT_RUN, Verdict
from autograder.judging.results import gradescope_tree


@dataclass
class Sheet:
    """One submission as staff see it. ``problem``: why it is not graded ('' where it is)."""

    id: str
    people: list[Person]
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problem: str = ""

    def scores(self, course: str) -> dict[str, float | None]:
        """Points of each item; None where it did not run."""
        return {v.question.id: None if v.status == NOT_RUN else v.score(course) for v in self.verdicts}

    def status(self) -> str:
        """``graded``, or what staff must know before they use the score."""
        if self.problem:
            return self.problem
        unrun = [v.question.id for v in self.verdicts if v.status == NOT_RUN]
        if unrun:
            return f"not graded: {', '.join(unrun)} did not run"
        absent = sorted({v.question.section.id for v in self.verdicts if v.status == MISSING})
        return f"graded; not submitted: {', '.join(absent)}" if absent else "graded"


def sheet_of(assignment: Assignment, id: str, people: list[Person], text: str | None, problem: str) -> Sheet:
    """A sheet from what the store keeps."""
    if problem or text is None:
        return Sheet(id, people, problem=problem or "not graded yet")
    kept = json.loads(text)
    if "refused" in kept:
        return Sheet(id, people, problem=f"not graded: {kept['refused']}")
    verdicts = [
        Verdict(
            assignment.question(item["id"]),
            item["status"],
            item["reason"],
            item["lines"],
            item["notes"],
            item["tags"],
            item["data"],
        )
        for item in kept["items"]
    ]
    return Sheet(id, people, verdicts, kept["notes"])


def write_results(folder: Path, assignment: Assignment, sheet: Sheet, course: str) -> None:
    """``folder/<id>.json``, as Gradescope would show it; a file that says so already is left alone."""
    if sheet.problem:
        verdicts = [Verdict(q, NOT_RUN, "not run: nothing could be graded") for q in assignment.questions]
        tree = gradescope_tree(assignment, course, verdicts, [sheet.problem])
    else:
        tree = gradescope_tree(assignment, course, sheet.verdicts, sheet.notes)
    path, text = folder / f"{sheet.id}.json", json.dumps(tree, indent=1) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_private(path, text, durable=False)


def number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


class Gradebook:
    """Collects rows; ``gradebook.csv`` has every item (Gradescope's column names), ``canvas.csv`` what Canvas imports."""

    def __init__(self, assignment: Assignment, course: str):
        self.assignment, self.course, self.rows = assignment, course, []

    def add(self, sheet: Sheet) -> None:
        for person in sheet.people:
            course = person.course or self.course
            scores = sheet.scores(course)
            whole = not sheet.problem and None not in scores.values()
            total = sum(scores.values()) if whole else None
            self.rows.append((person, course, sheet.id, scores, total, sheet.status()))

    def add_absent(self, person: Person, why: str) -> None:
        self.rows.append((person, person.course or self.course, "", {}, None, f"not graded: {why}"))

    def write(self, folder: Path) -> None:
        self.rows.sort(key=lambda row: (row[0].name.casefold(), row[0].email, row[0].sid, row[2]))
        questions = self.assignment.questions
        most = {c: sum(self.assignment.max_points(c)[:1]) for c in self.assignment.courses}
        head = [
            "Name",
            "Email",
            "SID",
            "Course",
            "Submission ID",
            "Total Score",
            "Max Points",
            "Status",
            *(q.id for q in questions),
        ]
        write_csv(
            folder / "gradebook.csv",
            [head]
            + [
                [
                    cell(p.name),
                    cell(p.email),
                    cell(p.sid),
                    course,
                    cell(id),
                    number(total),
                    number(most[course]),
                    cell(status),
                    *(number(scores.get(q.id)) for q in questions),
                ]
                for p, course, id, scores, total, status in self.rows
            ],
        )
        title = f"{self.assignment.title} (autograded)"
        canvas = [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title],
            ["    Points Possible", "", "", "", "", number(max(most.values()))],
        ]
        canvas += [
            [cell(p.name), "", cell(p.sid), cell(p.email.split("@")[0]), course, number(total)]
            for p, course, _, _, total, _ in self.rows
        ]
        write_csv(folder / "canvas.csv", canvas)
