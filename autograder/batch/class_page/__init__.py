"""index.html: what a class did and did not understand, on one page that needs no server and no network.

The content comes from submissions and rosters, so Jinja escapes all of it, and the page's Content-Security-Policy allows no
script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import math
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

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
SHOWN_MISTAKES = 6  # per question


@dataclass
class Line:
    """One submission in the table. ``marks``: the ids of its mistakes; ``score``: None if it is not graded."""

    label: str
    id: str
    course: str
    score: float | None
    glyphs: str
    lost: list[str]
    status: str
    marks: list[str] = field(default_factory=list)


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

    def __init__(self, assignment: Assignment, says: dict[str, dict[str, str]], anonymous: bool = False):
        self.assignment, self.says, self.anonymous = assignment, says, anonymous
        self.items = {q.id: Item(q) for q in assignment.questions}
        self.lines: list[Line] = []
        self.labels: dict[str, str] = {}
        self.incidents: list[Incident] = []
        self.flagged: list[Flagged] = []
        self.passes: list[set[str]] = []  # ids of the items passed, one set per graded submission

    def add(self, sheet: Sheet, course: str) -> None:
        """Add one submission."""
        total = sheet.total(course)
        line = Line(
            label=self._label(sheet),
            id="" if self.anonymous else sheet.id,
            course=course,
            score=total,
            glyphs="".join(PARTLY if v.partly(course) else GLYPHS.get(v.status, "?") for v in sheet.verdicts),
            lost=[v.question.id for v in sheet.verdicts if v.status in (FAILED, MISSING)],
            status="" if sheet.status() == "graded" else sheet.status(),
        )
        self.lines.append(line)
        self.labels[sheet.id] = line.label
        for verdict in sheet.verdicts:
            self._count(line, verdict)
        if total is not None:
            self.passes.append({v.question.id for v in sheet.verdicts if v.status == PASSED})

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
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters.update(number=number, bar=bar, dot=dot)
        script = (HERE / "page.js").read_text(encoding="utf-8")
        text = environment.get_template("page.html.jinja").render(
            assignment=self.assignment,
            lines=self.lines,
            graded=[line for line in self.lines if line.score is not None],
            items=list(self.items.values()),
            incidents=self.incidents,
            flagged=self.flagged,
            alike=None if alike is None else self._labelled(alike),
            classes=list(self._classes()),
            script=Markup(script),
            digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            shown_mistakes=SHOWN_MISTAKES,
            style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        )
        write_private(folder / "index.html", text)

    def _labelled(self, alike: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The pairs with labels in place of ids; pairs with a submission that is no longer there are left out."""
        return [
            {**pair, "one": self.labels[pair["one"]], "other": self.labels[pair["other"]]}
            for pair in alike
            if pair["one"] in self.labels and pair["other"] in self.labels
        ]

    def _classes(self) -> Iterator[dict[str, Any]]:
        """Score statistics and a histogram for each course that has scores."""
        for course in self.assignment.courses:
            scores = sorted(line.score for line in self.lines if line.score is not None and line.course == course)
            if scores:
                max_points = self.assignment.max_points(course)
                yield {
                    "course": course,
                    "count": len(scores),
                    "median": statistics.median(scores),
                    "quartiles": statistics.quantiles(scores, n=4, method="inclusive") if len(scores) > 1 else None,
                    "max_points": max_points,
                    "svg": histogram(scores, sum(max_points), course),
                }


def incident_of(verdict: Verdict) -> str:
    """What staff should look at in a failed item: a crash, a timeout or a refusal by the cage; '' for none."""
    cause = verdict.data.get("cause", verdict.data)
    if cause.get("type") == "PermissionError":
        return "refused by the cage"
    return INCIDENTS.get(cause.get("kind", ""), "")


def item_rest(passes: list[set[str]], question: Question) -> float | None:
    """Point-biserial correlation between passing an item and the number of other items passed; None if either is constant.

    ``passes``: the ids of the items passed, one set per submission.
    """
    pairs = [(float(question.id in passed), float(len(passed - {question.id}))) for passed in passes]
    if len(pairs) < 3:
        return None
    try:
        return statistics.correlation(*zip(*pairs))
    except statistics.StatisticsError:
        return None


def histogram(scores: list[float], top: float, course: str) -> Markup:
    """One thin bar per whole point; the dark part of the baseline runs from the lowest to the highest score.

    ``scores`` must be sorted and not empty; ``top`` is the highest possible score.
    """
    counts = Counter(math.floor(score) for score in scores)
    width, height, step = 640, 120, 640 / (top + 1)
    tallest, parts = max(counts.values()), [f'<line class="hair" x1="0" x2="{width}" y1="{height - 18}" y2="{height - 18}"/>']
    for score, count in sorted(counts.items()):
        x, h = score * step, max(1.0, count / tallest * (height - 34))
        parts.append(
            f'<rect x="{x + step * 0.15:.1f}" y="{height - 20 - h:.1f}" width="{step * 0.7:.1f}" height="{h:.1f}">'
            f"<title>{score} points: {count}</title></rect>"
        )
        if count == tallest:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{height - 25 - h:.1f}" text-anchor="middle">{count}</text>')
    median, low, high = statistics.median(scores), min(counts), max(counts)
    at = (median + 0.5) * step
    parts.append(f'<line x1="{low * step:.1f}" x2="{(high + 1) * step:.1f}" y1="{height - 18}" y2="{height - 18}"/>')
    parts.append(f'<path d="M{at:.1f} {height - 17} l4 6 h-8 z"/>')
    labels = {low, high} | {v for v in range(0, int(top) + 1, 10) if low + 2 < v < high - 2}
    parts += [
        f'<text x="{(value + 0.5) * step:.1f}" y="{height - 2}" text-anchor="middle">{value}</text>'
        for value in sorted(labels)
        if abs(value - median) > 1.5
    ]
    parts.append(f'<text x="{at:.1f}" y="{height - 1}" text-anchor="middle" class="median">{number(median)}</text>')
    title = f"Course {course}: {len(scores)} scores from {number(scores[0])} to {number(scores[-1])}, median {number(median)}"
    return Markup(
        f'<svg role="img" viewBox="0 0 {width} {height}" aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'
    )


def bar(rate: float | None) -> Markup:
    """A pass rate as a thick line along a hairline that stands for 100 %."""
    if rate is None:
        return Markup("")
    return _small(f'<path class="hair" d="M0 5H80"/><path class="thick" d="M0 5H{80 * rate:.1f}"/>')


def dot(value: float | None) -> Markup:
    """A correlation as a dot on a scale from -1 to 1 with a tick at zero."""
    if value is None:
        return Markup("")
    return _small(f'<path class="hair" d="M0 5H80M40 1V9"/><circle cx="{40 + 38 * value:.1f}" cy="5" r="3"/>')


def _small(parts: str) -> Markup:
    return Markup(f'<svg class="bar" viewBox="0 0 80 10" aria-hidden="true">{parts}</svg>')
