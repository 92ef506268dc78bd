"""index.html: what a class did and did not understand, on one page that needs no server and no network.

The content comes from submissions and rosters, so Jinja escapes all of it, and the page's Content-Security-Policy allows no
script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from autograder.batch.class_page.compared import item_rest, moved
from autograder.batch.class_page.concepts import SHARED_LEAST, Concepts
from autograder.batch.class_page.drawings import bar, dot, histogram
from autograder.batch.gradebook import Sheet, number
from autograder.core.assignment import Assignment, Question
from autograder.core.files import write_private
from autograder.core.paths import PACKAGE
from autograder.core.verdict import FAILED, MISSING, PASSED, Verdict

HERE = PACKAGE / "batch" / "class_page"
GLYPHS = {PASSED: "●", FAILED: "○", MISSING: "–"}
PARTLY = "◐"
# Descriptions of failures that match no known mistake, by the verdict's kind.
KINDS = {
    "blank": "left blank, or returned None",
    "missing": "no such name",
    "kind": "not a tensor of numbers",
    "shape": "another wrong shape",
    "dtype": "a wrong dtype",
    "nan": "NaN in the answer",
    "numbers": "other wrong numbers",
    "rule": "broke a rule of the question",
    "timeout": "did not finish in time",
    "died": "ended the Python process",
    "protocol": "an unreadable answer",
}
INCIDENTS = {"died": "crashed", "timeout": "timed out", "protocol": "broke the protocol"}
SHARED = "share.html"
SHOWN_MISTAKES = 6  # per question


@dataclass
class Line:
    """One submission in the table. ``marks``: the ids of its mistakes.

    ``scores``: the course and score of each of its people, None if it is not graded; ``score``: of the first.
    ``verdicts``: a glyph for each question id; ``earlier``: the score of the first upload, where the export has it.
    """

    label: str
    id: str
    scores: list[tuple[str, float | None]]
    verdicts: dict[str, str]
    lost: list[str]
    absent: list[str]
    unread: list[str]
    status: str
    earlier: float | None = None
    marks: list[str] = field(default_factory=list)

    @property
    def score(self) -> float | None:
        return self.scores[0][1]

    @property
    def courses(self) -> dict[str, float | None]:
        """The score in each course of its people."""
        return dict(self.scores)


@dataclass
class Mistake:
    """A way to get a question wrong; ``named``: whether the bank of mistakes has it."""

    mark: str
    text: str
    named: bool
    count: int = 0


@dataclass
class Item:
    """One question over the class. ``rate``: passes among those who submitted it; ``discrimination``: see :func:`item_rest`."""

    question: Question
    passed: int = 0
    failed: int = 0
    absent: int = 0
    mistakes: dict[str, Mistake] = field(default_factory=dict)
    discrimination: float | None = None

    @property
    def rate(self) -> float | None:
        return self.passed / (self.passed + self.failed) if self.passed + self.failed else None

    @property
    def most_common(self) -> list[Mistake]:
        return sorted(self.mistakes.values(), key=lambda m: (-m.count, m.text))


@dataclass
class Incident:
    """A crash, a timeout, or something that the cage refused."""

    label: str
    id: str
    item: str
    kind: str
    reason: str


class Flagged(NamedTuple):
    """An answer that uses names that staff asked to see."""

    line: Line
    item: str
    names: str


class Page:
    """Collects a class's submissions, then writes the page."""

    def __init__(self, assignment: Assignment, references: dict[str, Any], anonymous: bool = False):
        self.assignment, self.says, self.anonymous = assignment, references["says"], anonymous
        self.concepts = Concepts(references.get("teach", {}), references.get("concepts", {}))
        self.items = {q.id: Item(q) for q in assignment.questions}
        self.lines: list[Line] = []
        self.absent = 0  # people of the roster who submitted nothing
        self.labels: dict[str, str] = {}
        self.incidents: list[Incident] = []
        self.flagged: list[Flagged] = []
        self.passes: list[set[str]] = []  # ids of the items passed, one set per graded submission

    def add(self, sheet: Sheet, course: str) -> None:
        """Add one submission; ``course``: of those of its people who have none."""
        line = self._line(sheet, course)
        self.lines.append(line)
        self.labels[sheet.id] = line.label
        for verdict in sheet.verdicts:
            self._count(line, verdict)
            for own in line.courses:
                self.concepts.add(sheet.id, own, verdict)
        if line.score is not None:
            self.passes.append({v.question.id for v in sheet.verdicts if v.status == PASSED})

    def _line(self, sheet: Sheet, course: str) -> Line:
        courses = sheet.courses(course)
        absent = absent_sections(sheet.verdicts)
        lost = [v.question for v in sheet.verdicts if v.status in (FAILED, MISSING)]
        return Line(
            label=self._label(sheet),
            id="" if self.anonymous else sheet.id,
            scores=[(own, sheet.total(own)) for own in courses],
            verdicts={v.question.id: PARTLY if v.partly(courses[0]) else GLYPHS.get(v.status, "?") for v in sheet.verdicts},
            lost=[question.id for question in lost if question.section.id not in absent],
            absent=absent,
            unread=[id for id, _ in sheet.unread()],
            status="" if sheet.status().startswith("graded") else sheet.status(),
            earlier=sheet.earlier,
        )

    def _label(self, sheet: Sheet) -> str:
        if self.anonymous:
            return f"student {len(self.lines) + 1:04d}"
        return ", ".join(p.name or p.email or p.sid for p in sheet.people)

    def _count(self, line: Line, verdict: Verdict) -> None:
        item = self.items[verdict.question.id]
        item.passed += verdict.status == PASSED
        item.failed += verdict.status == FAILED
        item.absent += verdict.status == MISSING
        if flags := verdict.data.get("flags"):
            self.flagged.append(Flagged(line, verdict.question.id, ", ".join(flags)))
        if verdict.status != FAILED:
            return
        text, named = self._cause(verdict)
        if text not in item.mistakes:
            item.mistakes[text] = Mistake(f"m{sum(len(i.mistakes) for i in self.items.values()) + 1}", text, named)
        item.mistakes[text].count += 1
        line.marks.append(item.mistakes[text].mark)
        if kind := incident_of(verdict):
            self.incidents.append(Incident(line.label, line.id, verdict.question.id, kind, verdict.reason))

    def _cause(self, verdict: Verdict) -> tuple[str, bool]:
        """(description of this failure, whether it is a known mistake)."""
        name, kind = verdict.data.get("mistake"), verdict.data.get("kind", "")
        if name:
            return self.says.get(verdict.question.id, {}).get(name, name), True
        if kind == "exception":
            return f"raised {verdict.data.get('type', 'an exception')}", False
        return KINDS.get(kind, kind or "another reason"), False

    def write(self, folder: Path, alike: list[dict[str, Any]] | None = None) -> None:
        """Write index.html. ``alike``: pairs from the `alike` command, None if it never ran. Raises NotWritten."""
        for item in self.items.values():
            item.discrimination = item_rest(self.passes, item.question)
        script = (HERE / "page.js").read_text(encoding="utf-8")
        nobodys = self._nobodys()
        text = (
            _environment()
            .get_template("page.html.jinja")
            .render(
                assignment=self.assignment,
                lines=self.lines,
                absent=self.absent,
                graded=[line for line in self.lines if line.score is not None],
                items=[item for item in self.items.values() if item.question.section.id not in nobodys],
                nobodys=nobodys,
                moved=moved([(line.earlier, line.score) for line in self.lines]),
                incidents=self.incidents,
                flagged=self.flagged,
                alike=None if alike is None else self._labelled(alike),
                classes=list(self._classes()),
                script=Markup(script),
                digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
                shown_mistakes=SHOWN_MISTAKES,
                style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
            )
        )
        write_private(folder / "index.html", text)

    def write_shared(self, folder: Path) -> None:
        """Write share.html: concepts and questions, with nothing about fewer than ``SHARED_LEAST`` submissions."""
        nobodys = self._nobodys()
        text = (
            _environment()
            .get_template("share.html.jinja")
            .render(
                assignment=self.assignment,
                classes=[
                    {**one, "concepts": self.concepts.of(one["course"], SHARED_LEAST)}
                    for one in self._classes()
                    if one["count"] >= SHARED_LEAST
                ],
                items=[item for item in self.items.values() if item.question.section.id not in nobodys],
                least=SHARED_LEAST,
                style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
            )
        )
        write_private(folder / SHARED, text)

    def _nobodys(self) -> dict[str, int]:
        """The sections that nobody handed in, with their numbers of items."""
        sections = [
            (section.id, [i for i in self.items.values() if i.question.section is section])
            for section in self.assignment.sections
            if not any(section.id in line.unread for line in self.lines)
        ]
        return {
            id: len(items) for id, items in sections if items and not any(i.passed + i.failed for i in items) and self.lines
        }

    def _labelled(self, alike: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The pairs with labels in place of ids; pairs with a submission that is no longer there are left out."""
        return [
            {**pair, "one": self.labels[pair["one"]], "other": self.labels[pair["other"]]}
            for pair in alike
            if pair["one"] in self.labels and pair["other"] in self.labels
        ]

    def _classes(self) -> Iterator[dict[str, Any]]:
        """Statistics of people's scores and a histogram for each course that has some; ``count``: of their submissions."""
        for course in self.assignment.courses:
            scores = sorted(score for line in self.lines for own, score in line.scores if own == course and score is not None)
            if scores:
                max_points = self.assignment.max_points(course)
                yield {
                    "course": course,
                    "count": sum(line.courses.get(course) is not None for line in self.lines),
                    "scores": len(scores),
                    "median": statistics.median(scores),
                    "quartiles": statistics.quantiles(scores, n=4, method="inclusive") if len(scores) > 1 else None,
                    "max_points": max_points,
                    "svg": histogram(scores, sum(max_points), course),
                    "concepts": self.concepts.of(course),
                }


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(number=number, bar=bar, dot=dot, shared_rate=shared_rate)
    return environment


def absent_sections(verdicts: list[Verdict]) -> list[str]:
    """The sections of which nothing was submitted."""
    sections: dict[str, set[str]] = {}
    for verdict in verdicts:
        sections.setdefault(verdict.question.section.id, set()).add(verdict.status)
    return [id for id, statuses in sections.items() if statuses == {MISSING}]


def shared_rate(item: Item, least: int) -> str:
    """The share that passed, as far as it says nothing about fewer than ``least`` submissions."""
    if item.passed + item.failed < least:
        return f"fewer than {least} submissions"
    for count, word in ((item.failed, "lost"), (item.passed, "passed")):
        if 0 < count < least:
            return f"fewer than {least} {word} it"
    return f"{100 * (item.rate or 0):.0f} %"


def incident_of(verdict: Verdict) -> str:
    """What staff should look at in a failed item: a crash, a timeout or a refusal by the cage; '' for none."""
    cause = verdict.data.get("cause", verdict.data)
    if cause.get("type") == "PermissionError":
        return "refused by the cage"
    return INCIDENTS.get(cause.get("kind", ""), "")
