"""What readers, students and staff are handed, from the rubric alone: nothing is written down twice.

The rubric as Markdown and as one HTML page, the sheet that readers fill, the write-up's templates, the handout.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import jinja2

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_whole
from autograder.core.paths import PACKAGE
from autograder.core.strict import nearest, read_toml
from autograder.core.tables import csv_text
from autograder.core.text import cell, clean, reason
from autograder.core.written import PLACEHOLDER, total
from autograder.written.sheets import Row, read_rows

TEMPLATES = PACKAGE / "written" / "templates"
# Beside each write-up: what pdflatex makes of ≤, θ, − and the like where people type them as they are.
CHARACTERS = "characters.tex"
# The rubric's texts are Markdown of three kinds of marks only: `code`, *emphasis*, $x_i$.
MARK = re.compile(r"`([^`]+)`|\*([^*]+)\*|\$([^$]+)\$")
LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "×": r"$\times$",
    "…": r"\dots{}",
    "“": "``",
    "”": "''",
    "–": "--",
    "§": r"\S{}",
    **{c: "\\" + c for c in "&%$#_{}"},
}


def environment(folder: Path = TEMPLATES) -> jinja2.Environment:
    """Templates that fail on a name nobody defined."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
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
    parts = [
        {
            "part": part,
            "items": written.of_part(part.id),
            "autograded": [q for q in assignment.questions if written.part_of(q.id) is part],
        }
        for part in written.parts
    ]
    asked = [{"part": entry["part"], "items": [item for item in entry["items"] if item.heading]} for entry in parts]
    chapters = [
        {"chapter": chapter, "parts": [entry for entry in asked if entry["part"].id in chapter.parts]}
        for chapter in written.chapters
    ]
    return {
        "title": assignment.title,
        "courses": assignment.courses,
        "written": written,
        "parts": parts,
        "chapters": chapters,
        "placeholder": PLACEHOLDER,
        "checks": assignment.checks_package,
        "questions": assignment.questions,
        "sections": assignment.sections,
        "pages": sum(chapter.pages for chapter in written.chapters),
        "totals": {c: total([*assignment.questions, *written.items], c) for c in assignment.courses},
        "autograded": {c: assignment.max_points(c) for c in assignment.courses},
        "read": {c: total(written.items, c) for c in assignment.courses},
    }


def render_rubric(
    assignment: Assignment, target: Path, gradebook: Path | None = None, answers: str = ""
) -> tuple[list[Path], list[Path]]:
    """Write rubric.md and rubric.html into the folder ``target`` and a sheet for readers, with the gradebook's people in it.

    ``answers``: where the model answers lie, seen from there ('': nowhere yet). A sheet that somebody has begun is kept
    and the new one gets another name. Returns (what was written, the sheets that were kept); raises GraderError.
    """
    own_folder(target, "rubric", ("manual.csv",))
    made, facts = environment(), {**overview(assignment), "answers": answers}
    people = read_rows(gradebook, [q.id for q in assignment.questions], {})[0] if gradebook else []
    texts = {target / name: made.get_template(f"{name}.j2").render(facts) for name in ("rubric.md", "rubric.html")}
    empty = sheet(assignment, people)
    sheets = [target / "manual.csv", *(target / f"manual-{n}.csv" for n in range(2, 1000))]
    try:
        kept = list(takewhile(lambda path: is_begun(path, empty), sheets))
        new = sheets[len(kept)]
        for path, text in {**texts, new: empty}.items():
            write_whole(path, text.encode("utf-8"), 0o600 if people and text is empty else 0o644)
    except OSError as error:
        raise GraderError(f"cannot write into {clean(str(target), 200)}: {reason(error)}") from None
    return [*texts, new], kept


def sheet(assignment: Assignment, people: Iterable[Row] = ()) -> str:
    """The file that readers fill: who, the statement about collaborators, a column for each item."""
    who, rest = ("email", "sid", "name", "course"), [""] * (len(assignment.written.items) + 3)
    head = [*who, "collaborators", "late_days", *(item.id for item in assignment.written.items), "comment"]
    rows = [[*(cell(clean(person.who[column], 200)) for column in who), *rest] for person in people]
    return csv_text([head, *rows], end="\n")


def is_begun(path: Path, empty: str) -> bool:
    """Whether a sheet holds more than a header, by whatever program it was saved."""
    if not path.exists():
        return False
    data = path.read_bytes()
    return data != empty.encode("utf-8") and sum(bool(line.strip(b' ,;\t"\0')) for line in data.splitlines()) > 1


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

    Raises GraderError, one line, where either is missing, names something that the other does not have, or is not as it should be.
    """
    made = environment(source.parent)
    try:
        course = read_toml(facts) if facts.exists() else {}
        refuse_unread(course, made.parse(source.read_text(encoding="utf-8")), facts.name, source.name)
        return made.get_template(source.name).render(overview(assignment), course=course)
    except jinja2.TemplateError as error:
        lacks = f"; does {facts.name} lack an entry?" if isinstance(error, jinja2.UndefinedError) else ""
        raise GraderError(f"{source.name}: {error}{lacks}") from None


def refuse_unread(course: dict, template: jinja2.nodes.Template, name: str, reader: str) -> None:
    """Raise GraderError for an entry of the facts that the template never speaks of: it is misspelt, or of no use."""
    used = {node.attr for node in template.find_all(jinja2.nodes.Getattr)}
    used |= {node.value for node in template.find_all(jinja2.nodes.Const) if isinstance(node.value, str)}
    reads = any(node.name == "course" for node in template.find_all(jinja2.nodes.Name))  # the Makefile reads nothing of it
    for key, value in course.items() if reads else ():
        for entry in [key, *(value if isinstance(value, dict) else ())]:
            if entry not in used:
                near = nearest(entry, sorted(word for word in used if word.isidentifier()))
                raise GraderError(f"{name}: unknown key {clean(entry)!r}, which {reader} does not read{near}")
