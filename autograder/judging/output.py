"""What Gradescope shows of an item: as text or, where there is code or a table to show, as HTML, and then as text beside it.

All that is shown may come from a submission. In HTML every character of it is escaped, and only tags written here remain.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from autograder.core.text import clean, first_of
from autograder.core.verdict import FAILED, Verdict

# What is written is bounded, whatever a submission did: lines of an item or of notes, and the room that each takes in the file.
MAX_LINES, ITEM_BYTES, LONGEST = 40, 12_000, 700
MAX_CELLS = 64
CALL = "The smallest public call that fails:"
QUOTED = re.compile(r"`([^`]+)`")


def item_output(verdict: Verdict, course: str) -> tuple[str, str, str]:
    """(output, its format, the same as text if that is not the output itself, otherwise '') of an item."""
    text = fitting([clean(line, LONGEST) for line in _before(verdict, course)] + _call(verdict) + _after(verdict), ITEM_BYTES)
    table = _table(verdict)
    if not table and not _call(verdict):
        return text, "text", ""
    return fitting(_html(verdict, course, table), ITEM_BYTES), "html", text


def plain_output(test: dict[str, Any]) -> str:
    """The output of an entry of results.json as plain text, also where Gradescope gets it as HTML."""
    text: str = test.get("extra_data", {}).get("text", test["output"])
    return text


def _before(verdict: Verdict, course: str) -> list[str]:
    got, whole = verdict.score(course), verdict.question.points[course]
    partly = [f"{got:g} of {whole:g} points: what is marked ✓ keeps its own"] if verdict.partly(course) else []
    return [verdict.reason, *partly]


def _call(verdict: Verdict) -> list[str]:
    lines = first_of(verdict.call, MAX_LINES) if verdict.status == FAILED else []
    return [CALL, *(f"   {clean(line, LONGEST)}" for line in lines)] if lines else []


def _after(verdict: Verdict) -> list[str]:
    notes = [f"note: {note}" for note in first_of(verdict.notes)]
    return [clean(line, LONGEST) for line in (*first_of(verdict.lines, MAX_LINES), *notes)]


def _html(verdict: Verdict, course: str, table: str) -> list[str]:
    """Pieces of HTML, each complete in itself."""
    reason, *partly = _before(verdict, course)
    if table:
        reason = reason.replace(str(verdict.data["table"].get("text", "")), "").strip().replace(". .", ".")
    header, *code = _call(verdict) or [""]
    shown = escape("\n".join(line[3:] for line in code))
    return [
        f"<p>{_worded(reason)}</p>",
        *([table] if table else []),
        *(f"<p>{_worded(line)}</p>" for line in partly),
        *([f"<p>{escape(header)}</p><pre><code>{shown}</code></pre>"] if code else []),
        *(f"{_worded(line)}<br>" for line in _after(verdict)),
    ]


def _worded(text: str) -> str:
    """A line as HTML; what stands between backticks is code."""
    return QUOTED.sub(r"<code>\1</code>", escape(clean(text, LONGEST)))


def _table(verdict: Verdict) -> str:
    """``data["table"]`` (``head`` and ``rows`` of texts, ``caption``) as HTML; '' if there is none of that form."""
    table = verdict.data.get("table")
    if not isinstance(table, dict):
        return ""
    rows = [table.get("head"), *table["rows"]] if isinstance(table.get("rows"), list) else []
    if not rows or not all(isinstance(row, list) for row in rows) or sum(map(len, rows)) > MAX_CELLS:
        return ""
    head, *body = ["".join(f"<{tag}>{escape(clean(cell))}</{tag}>" for cell in row) for tag, row in zip(_tags(rows), rows)]
    lines = "".join(f"<tr>{line}</tr>" for line in (head, *body))
    return f"<p>{escape(clean(table.get('caption', '')))}</p><table>{lines}</table>"


def _tags(rows: list[Any]) -> list[str]:
    return ["th", *["td"] * (len(rows) - 1)]


def fitting(lines: list[str], limit: int) -> str:
    """The lines as one text that takes at most ``limit`` bytes of JSON, which escapes a letter with up to twelve."""
    kept: list[str] = []
    room = limit - 100
    for line in lines:
        room -= len(json.dumps(line))
        if room < 0:
            return "\n".join([*kept, f"… and {len(lines) - len(kept)} more lines"])
        kept.append(line)
    return "\n".join(kept)
