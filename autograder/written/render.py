"""What readers, students and staff are handed, from the rubric alone: nothing is written down twice.

The rubric as Markdown and as one HTML page, the sheet that readers fill, the write-up's templates, the handout.
"""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

import jinja2

from autograder.model import Assignment, GraderError
from autograder.toml import tomllib
from autograder.written.rubric import total
from autograder.written.writeup import PLACEHOLDER

TEMPLATES = Path(__file__).parent / "templates"
# Beside each write-up: what pdflatex makes of ≤, θ, − and the like where people type them as they are.
CHARACTERS = "characters.tex"
# The rubric's texts are Markdown of three kinds of marks only: `code`, *emphasis*, $x_i$.
MARK = re.compile(r"`([^`]+)`|\*([^*]+)\*|\$([^$]+)\$")
LATEX_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$",
                 "…": r"\dots{}", "“": "``", "”": "''", "–": "--", "§": r"\S{}", **{c: "\\" + c for c in "&%$#_{}"}}


def environment(folder: Path = TEMPLATES) -> jinja2.Environment:
    """Templates that fail on a name nobody defined."""
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, keep_trailing_newline=True)
    made.filters.update(latex=to_latex, rich=to_html, number=lambda x: f"{x:g}", cell=lambda text: text.replace("|", "\\|"))
    return made


def to_latex(text: str) -> str:
    """A text of the rubric, or any plain text, as LaTeX."""
    def escaped(plain: str) -> str:
        return "".join(LATEX_SPECIAL.get(c, c) for c in plain)

    def marked(match: re.Match) -> str:
        code, emphasis, math = match.groups()
        return rf"\texttt{{{escaped(code)}}}" if code else rf"\emph{{{escaped(emphasis)}}}" if emphasis else f"${math}$"

    return _converted(text, escaped, marked)


def to_html(text: str) -> str:
    """A text of the rubric as HTML; ``$k_2$`` becomes an italic letter with an index."""
    def marked(match: re.Match) -> str:
        code, emphasis, math = match.groups()
        if math:
            letter, _, index = math.partition("_")
            return f"<i>{html.escape(letter)}</i>" + (f"<sub>{html.escape(index)}</sub>" if index else "")
        return f"<code>{html.escape(code)}</code>" if code else f"<em>{html.escape(emphasis)}</em>"

    return _converted(text, html.escape, marked)


def _converted(text: str, plain, marked) -> str:
    parts, last = [], 0
    for match in MARK.finditer(text):
        parts += [plain(text[last : match.start()]), marked(match)]
        last = match.end()
    return "".join([*parts, plain(text[last:])])


def overview(assignment: Assignment) -> dict:
    """What the templates draw from: parts with their items of both kinds, chapters, totals; points by course."""
    written = assignment.written
    parts = [{"part": part, "items": written.of_part(part.id),
              "autograded": [q for q in assignment.questions if written.part_of(q.id) is part]} for part in written.parts]
    asked = [{"part": entry["part"], "items": [item for item in entry["items"] if item.heading]} for entry in parts]
    chapters = [{"chapter": chapter, "parts": [entry for entry in asked if entry["part"].id in chapter.parts]}
                for chapter in written.chapters]
    return {"title": assignment.title, "courses": assignment.courses, "written": written, "parts": parts, "chapters": chapters,
            "placeholder": PLACEHOLDER, "kit": assignment.kit_name, "questions": assignment.questions,
            "sections": assignment.sections, "pages": sum(chapter.pages for chapter in written.chapters),
            "totals": {c: total([*assignment.questions, *written.items], c) for c in assignment.courses},
            "autograded": {c: assignment.max_points(c) for c in assignment.courses},
            "read": {c: total(written.items, c) for c in assignment.courses}}


def render_rubric(assignment: Assignment, target: Path) -> list[Path]:
    """Write rubric.md and rubric.html into the folder ``target`` and an empty sheet for readers; returns the paths."""
    target.mkdir(parents=True, exist_ok=True)
    made, facts = environment(), overview(assignment)
    texts = {name: made.get_template(f"{name}.j2").render(facts) for name in ("rubric.md", "rubric.html")}
    texts["manual.csv"] = sheet(assignment)
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")
    return [target / name for name in texts]


def sheet(assignment: Assignment) -> str:
    """The header of the file that readers fill: who, the statement about collaborators, a column for each item."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(
        ["email", "sid", "name", "collaborators", "late_days", *(item.id for item in assignment.written.items), "comment"])
    return buffer.getvalue()


def write_templates(assignment: Assignment, target: Path) -> None:
    """The write-up to fill in, in LaTeX and in Markdown: every question in order, collaborators first."""
    if not assignment.written.chapters:
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in ("writeup.tex", "writeup.md"):
        text = environment().get_template(f"{name}.j2").render(overview(assignment))
        (target / name).write_text(text, encoding="utf-8")
    (target / CHARACTERS).write_bytes((TEMPLATES / CHARACTERS).read_bytes())


def render_handout(assignment: Assignment, source: Path, facts: Path) -> str:
    """The students' README: ``source`` is a jinja2 template, ``facts`` the TOML file that staff edit each term.

    Raises GraderError, one line, where either is missing or names something that the other does not have.
    """
    try:
        course = tomllib.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
        return environment(source.parent).get_template(source.name).render(overview(assignment), course=course)
    except tomllib.TOMLDecodeError as error:
        raise GraderError(f"{facts.name} is not valid TOML: {error}") from None
    except jinja2.TemplateError as error:
        raise GraderError(f"{source.name}: {error}; does {facts.name} lack an entry?") from None
