"""``check()`` without an id: what would be scored now, item by item, what is still blank, and where to go next."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from .card import MARKS, Card, phrase

CELL = "padding:.15em .7em;text-align:{};border-bottom:1px solid rgba(128,128,128,.3);vertical-align:top"
HINT = "These checks try public inputs; the grader may try others, too."


@dataclass
class Row:
    """One item: its card, and the points for it in each course."""

    card: Card
    points: dict[str, float]

    def state(self) -> str:
        """What a reader needs to know of the item, in one phrase."""
        if self.card.mark == "✅":
            return "right"
        if self.card.blank:
            return "still blank"
        first = self.card.headline if self.card.mark == "⏳" or not self.card.lines else self.card.lines[0]
        first = first.partition("\n")[0].removeprefix(self.card.id).lstrip(" :")
        return first if len(first) <= 160 else f"{first[:160]} …"

    def score(self, course: str) -> str:
        """The points as ``2 of 3``; a dash where they depend on another answer."""
        most = self.points[course]
        return f"– of {most:g}" if self.card.earned is None else f"{self.card.earned * most:g} of {most:g}"


def columns_of(rows: list[Row]) -> dict[str, str]:
    """Course -> header; one column if the points of all courses are the same."""
    courses = list(dict.fromkeys(course for row in rows for course in row.points))
    same = all(len(set(row.points.values())) == 1 for row in rows)
    return {courses[0]: "points"} if same else {course: f"points ({course})" for course in courses}


def total(rows: list[Row], course: str, of: str = "") -> str:
    """All points of a course that are certain, and those that wait; ``of``: words after them."""
    earned = sum(row.points[course] * row.card.earned for row in rows if row.card.earned is not None)
    waiting = sum(row.points[course] for row in rows if row.card.earned is None)
    said = f"{earned:g} of {sum(row.points[course] for row in rows):g} points{of}"
    return f"{said} ({waiting:g} more depend on other answers)" if waiting else said


def totals(rows: list[Row]) -> list[str]:
    columns = columns_of(rows)
    return [total(rows, course, "" if len(columns) == 1 else f" in {course}") for course in columns]


def next_step(rows: list[Row]) -> str:
    """Where to go next."""
    missing = [row for row in rows if row.card.mark == "❌"]
    if not missing:
        waiting = [row for row in rows if row.card.mark == "⏳"]
        return f"next: {waiting[0].card.headline}" if waiting else "Every check is ✅."
    first = missing[0]
    return (
        f"next: {first.card.id} is still blank."
        if first.card.blank
        else f'next: {first.card.id}; run check("{first.card.id}").'
    )


def text(rows: list[Row]) -> str:
    """The table as plain text."""
    columns = columns_of(rows)
    width = max(len(row.card.id) for row in rows)
    wide = {c: max(len(head), *(len(row.score(c)) for row in rows)) for c, head in columns.items()}
    lines = [
        f"{row.card.mark} {row.card.id:{width}}  {'  '.join(f'{row.score(c):>{wide[c]}}' for c in columns)}  {row.state()}"
        for row in rows
    ]
    head = f"   {'item':{width}}  {'  '.join(f'{columns[c]:>{wide[c]}}' for c in columns)}"
    return "\n".join([f"What you would score now: {', '.join(totals(rows))}", head, *lines, next_step(rows), HINT])


def html(rows: list[Row]) -> str:
    """The table as HTML."""
    columns = columns_of(rows)
    left, right = CELL.format("left"), CELL.format("right")
    heads = "".join(
        f'<th scope="col" style="{right if name.startswith("points") else left}">{escape(name)}</th>'
        for name in ("", "item", *columns.values(), "")
    )
    body = "".join(
        f'<tr><td style="{left}"><span role="img" aria-label="{MARKS[row.card.mark][0]}">{row.card.mark}</span></td>'
        f'<th scope="row" style="{left};font-weight:normal">{escape(row.card.id)}</th>'
        + "".join(f'<td style="{right};white-space:nowrap">{row.score(c)}</td>' for c in columns)
        + f'<td style="{left}">{phrase(row.state())}</td></tr>'
        for row in rows
    )
    return (
        '<div role="group" aria-label="what you would score now" style="color:inherit;overflow-x:auto">'
        f"<div><strong>What you would score now: {escape(', '.join(totals(rows)))}</strong></div>"
        f'<table style="border-collapse:collapse;color:inherit;background:transparent"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table><div>{phrase(next_step(rows))}</div>"
        f'<div style="font-size:92%">{escape(HINT)}</div></div>'
    )
