"""Documents generated from the rubric, so that nothing is written twice.

The rubric as Markdown and as an HTML page, the sheet that graders fill in, the write-up's templates, the handout.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import Path
from typing import Any

import jinja2

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_whole
from autograder.core.needs import available_to_students
from autograder.core.paths import PACKAGE
from autograder.core.resubmission import TABLE
from autograder.core.strict import nearest, read_toml
from autograder.core.tables import csv_text, read_table
from autograder.core.text import cell, clean, reason
from autograder.core.written import PLACEHOLDER, Chapter, Written, total
from autograder.written.matching import by_key, each_once
from autograder.written.sheets import CONTROL, Row, read_rows, refuse_no_gradebook

TEMPLATES = PACKAGE / "written" / "templates"
# Goes beside each write-up: tells pdflatex how to print ≤, θ, − and other characters that people type directly.
CHARACTERS = "characters.tex"
# The rubric's texts use three kinds of Markdown only: `code`, *emphasis* and $x_i$.
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
    """A Jinja environment that fails on undefined names, with filters for the rubric's texts."""
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

    def escape(plain: str) -> str:
        return "".join(LATEX_SPECIAL.get(c, c) for c in plain)

    def convert_mark(match: re.Match[str]) -> str:
        code, emphasis, math = match.groups()
        return rf"\texttt{{{escape(code)}}}" if code else rf"\emph{{{escape(emphasis)}}}" if emphasis else f"${math}$"

    return _convert(text, escape, convert_mark)


def to_html(text: str) -> str:
    """A text of the rubric as HTML; ``$k_2$`` becomes an italic letter with a subscript."""

    def convert_mark(match: re.Match[str]) -> str:
        code, emphasis, math = match.groups()
        if math:
            letter, _, index = math.partition("_")
            return f"<i>{html.escape(letter)}</i>" + (f"<sub>{html.escape(index)}</sub>" if index else "")
        return f"<code>{html.escape(code)}</code>" if code else f"<em>{html.escape(emphasis)}</em>"

    return _convert(text, html.escape, convert_mark)


def _convert(text: str, escape: Callable[[str], str], convert_mark: Callable[[re.Match[str]], str]) -> str:
    parts, last = [], 0
    for match in MARK.finditer(text):
        parts += [escape(text[last : match.start()]), convert_mark(match)]
        last = match.end()
    return "".join([*parts, escape(text[last:])])


def overview(assignment: Assignment) -> dict[str, Any]:
    """The variables of all templates: parts with their items of both kinds, chapters, and totals by course."""
    written = assignment.written
    parts = [
        {
            "part": part,
            "items": written.of_part(part.id),
            "autograded": [q for q in assignment.questions if written.part_of(q.id) is part],
        }
        for part in written.parts
    ]
    return {
        "title": assignment.title,
        "courses": assignment.courses,
        "written": written,
        "parts": parts,
        "chapters": [{"chapter": chapter, "parts": _asked(written, chapter)} for chapter in written.chapters],
        "placeholder": PLACEHOLDER,
        "checks": assignment.checks_package,
        "questions": assignment.questions,
        "sections": assignment.sections,
        "voiding": any(item.voids for item in written.items),
        "pages": sum(chapter.pages for chapter in written.chapters),
        "totals": {c: total([*assignment.questions, *written.items], c) for c in assignment.courses},
        "autograded": {c: assignment.max_points(c) for c in assignment.courses},
        "manual": {c: total(written.items, c) for c in assignment.courses},
    }


def _asked(written: Written, chapter: Chapter) -> list[dict[str, Any]]:
    """A chapter's parts, each with the items that the write-up has to answer."""
    return [
        {"part": part, "items": [item for item in written.of_part(part.id) if item.heading]}
        for part in written.parts
        if part.id in chapter.parts
    ]


def render_rubric(
    assignment: Assignment, target: Path, gradebook: Path | None = None, answers: str = ""
) -> tuple[list[Path], list[Path]]:
    """Write rubric.md, rubric.html and a sheet for graders, with the people of ``gradebook``, into the folder ``target``.

    ``answers``: the model answers' path relative to ``target``, or ''. What is no unstarted sheet is kept, and the new one
    gets another name. Returns (files written, sheets kept). Raises GraderError.
    """
    people = _people_of(assignment, gradebook) if gradebook else []
    own_folder(target, "rubric")
    made, facts = environment(), {**overview(assignment), "answers": answers}
    texts = {target / name: made.get_template(f"{name}.j2").render(facts) for name in ("rubric.md", "rubric.html")}
    empty = sheet(assignment, people)
    sheets = [target / "manual.csv", *(target / f"manual-{n}.csv" for n in range(2, 1000))]
    try:
        kept = list(takewhile(lambda path: is_begun(path, empty), sheets))
        new = sheets[len(kept)]
    except OSError as error:
        raise GraderError(f"cannot read the sheets in {clean(str(target), 200)}: {reason(error)}") from None
    for path, text in {**texts, new: empty}.items():
        write_whole(path, text.encode("utf-8"), 0o600 if people and text is empty else 0o644)
    return [*texts, new], kept


def _people_of(assignment: Assignment, gradebook: Path) -> list[Row]:
    """A row of a gradebook for each person. Raises GraderError if it is none, or the graders' sheet."""
    refuse_no_gradebook(gradebook)
    by_reader = [item.id for item in assignment.written.items]
    rows = read_rows(gradebook, [q.id for q in assignment.questions], {}, by_reader)[0]
    return list(each_once(rows, by_key(rows)))


def sheet(assignment: Assignment, people: Iterable[Row] = ()) -> str:
    """The CSV file that graders fill in: the person, absence, collaborators, late days, and every item."""
    who, rest = ("email", "sid", "name", "course"), [""] * (len(assignment.written.items) + 4)
    head = [*who, *CONTROL, *(item.id for item in assignment.written.items), "comment"]
    rows = [[*(cell(clean(person.who[column], 200)) for column in who), *rest] for person in people]
    return csv_text([head, *rows], end="\n")


def is_begun(path: Path, empty: str) -> bool:
    """Whether a file is no unstarted sheet, whichever program saved it: it has rows, or is something else.

    ``empty``: the new sheet's text.
    """
    if not path.exists() or not (data := path.read_bytes()).strip() or data == empty.encode("utf-8"):
        return False
    try:
        table = read_table(path)
    except GraderError:
        return True
    return not set(CONTROL) <= set(table.header) or any(cell.strip() for _, cells in table.rows for cell in cells)


def write_templates(assignment: Assignment, target: Path) -> None:
    """Write the write-up's templates, in LaTeX and in Markdown: collaborators first, then every question in order."""
    if not assignment.written.chapters:
        return
    target.mkdir(parents=True, exist_ok=True)
    for name in ("writeup.tex", "writeup.md"):
        text = environment().get_template(f"{name}.j2").render(overview(assignment))
        (target / name).write_text(text, encoding="utf-8")
    (target / CHARACTERS).write_bytes((TEMPLATES / CHARACTERS).read_bytes())


def render_handout(assignment: Assignment, source: Path, facts: Path) -> str:
    """The students' README. ``source``: a Jinja template; ``facts``: the TOML file that staff edit each term.

    Raises GraderError if a file is missing or invalid, or if one names something that the other does not have.
    """
    made = environment(source.parent)
    try:
        course = read_toml(facts) if facts.exists() else {}
        course.pop(TABLE, None)  # the grader's rules, not the handout's
        refuse_unread(course, made.parse(source.read_text(encoding="utf-8")), facts.name, source.name)
        return made.get_template(source.name).render(
            overview(assignment), course=course, packages=available_to_students(assignment), limits=assignment.limits
        )
    except jinja2.TemplateError as error:
        hint = f"; does {facts.name} lack an entry?" if isinstance(error, jinja2.UndefinedError) else ""
        raise GraderError(f"{source.name}: {error}{hint}") from None


def refuse_unread(course: dict[str, Any], template: jinja2.nodes.Template, name: str, template_name: str) -> None:
    """Raise GraderError for an entry of the facts (in file ``name``) that the template never uses."""
    used = {node.attr for node in template.find_all(jinja2.nodes.Getattr)}
    used |= {node.value for node in template.find_all(jinja2.nodes.Const) if isinstance(node.value, str)}
    if all(node.name != "course" for node in template.find_all(jinja2.nodes.Name)):  # a template without any facts
        return
    for key, value in course.items():
        for entry in [key, *(value if isinstance(value, dict) else ())]:
            if entry not in used:
                hint = nearest(entry, sorted(word for word in used if word.isidentifier()))
                raise GraderError(f"{name}: unknown key {clean(entry)!r}, which {template_name} does not use{hint}")
