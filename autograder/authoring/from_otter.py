"""A new assignment from a master notebook of Otter Assign: its questions, points, tests, and a list of what is left to do."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograder.authoring.baking.marked import BEGIN, END
from autograder.authoring.new import (
    COURSE,
    NAME,
    first_steps,
    name_of,
    pattern_of,
    refuse_filled,
    renamed,
    template_files,
    title_of,
    write_files,
)
from autograder.authoring.otter_master import Asked, Master, bound_in, imported_in, needed_by, read_otter
from autograder.core.paths import PACKAGE

OWN = PACKAGE / "authoring" / "otter_template"
SHARED = ("Makefile", "README.md", ".gitignore", "assignment/course.toml", "solutions/README.student.md")
JUDGED = ("numpy", "math")  # what a test may import beside the standard library: the judge has nothing else
HANDOUT = "solutions/README.student.md"
SOLUTION_MARK = re.compile(r"#+\s*(?:(?:BEGIN|END)\s+)?SOLUTION\b", re.IGNORECASE)
NUMBERED = re.compile(r"\d+(\.\d+){1,2}")


@dataclass
class Taken:
    """A question as it is taken over. ``names``: its answer, then what else its tests read; ``why``: it is read by hand."""

    asked: Asked
    id: str
    names: list[str] = field(default_factory=list)
    context: list[str] = field(default_factory=list)
    value: bool = False
    why: str = ""


def assignment_from(path: Path, folder: Path, title: str = "", course: str = COURSE) -> list[str]:
    """Write an assignment made from the master at ``path`` into ``folder``; returns what to tell the author.

    Raises GraderError, one line, if the notebook cannot be read or there is anything in the folder.
    """
    refuse_filled(folder)
    master, name = read_otter(path), name_of(folder)
    taken = _taken(master)
    title = title or _title(master) or title_of(folder)
    shared = {name: text for name, text in template_files().items() if name in SHARED}
    shared[HANDOUT] = _handout(shared[HANDOUT], any(q.why for q in taken))
    files = renamed(shared, name, title, course)
    files |= {
        "assignment/rubric.toml": rubric(master, taken, name, title, course),
        "assignment/inputs.py": _own("inputs.py").replace(
            "QUESTIONS = []", f"QUESTIONS = {[q.id for q in taken if not q.why]!r}"
        ),
        "assignment/rules.py": _own("rules.py"),
        "assignment/requirements.in": "".join(f"{package}\n" for package in packages(master)),
        f"solutions/{name}.ipynb": nbformat.writes(notebook(master, taken)),
        "TODO.md": todo(master, taken, name),
    }
    files |= {f"assignment/questions/{q.id}.py": tests_of(q, _imports(master)) for q in taken if not q.why}
    write_files(folder, files)
    for module in modules(master):
        shutil.copyfile(path.parent / module, folder / "solutions" / module)
    return _told(folder, taken)


def _title(master: Master) -> str:
    """The name that the notebook's configuration gives it, or its first heading, if that is of the first level; or ''."""
    if name := str(master.config.get("name") or ""):
        return name
    texts = [cell.source for cell in master.cells if not isinstance(cell, Asked) and cell.cell_type == "markdown"]
    found = re.search(r"^#+ .*", "\n".join(texts), re.MULTILINE)
    return found[0].removeprefix("# ").strip() if found and found[0].startswith("# ") else ""


def _handout(text: str, written: bool) -> str:
    """The template's handout, without what is not true of a notebook that was taken over."""
    text = text.replace("fill in each `TODO`", "fill in every `...`").replace(" The grader uses other numbers.", "")
    if not written:
        return text
    row = "| {{ item.id }} (write-up, see `writeup/`) | {{ item.points[courses[0]]|number }} |"
    return f"{text.rstrip()}\n{{% for item in written.items %}}\n{row}\n{{% endfor %}}\n"


def _told(folder: Path, taken: list[Taken]) -> list[str]:
    """What the author is told, one line each."""
    graded = sum(not q.why for q in taken)
    return [
        f"wrote {folder}: {graded} questions with tests, {len(taken) - graded} to be read by hand",
        f"{first_steps(folder)}",
        "make test refuses until there are known mistakes and a smoke test; autograder audit alone only warns of that",
        f"what is left to do: {folder / 'TODO.md'}",
    ]


def _own(name: str) -> str:
    return (OWN / name).read_text(encoding="utf-8")


def _taken(master: Master) -> list[Taken]:
    """The questions with their new ids and the names of their answers, as guessed from solutions and tests."""
    keep = all(NUMBERED.fullmatch(asked.name) for asked in master.questions)
    everywhere = _bound(master)
    return [
        _question_of(asked, asked.name if keep else f"1.{number}", master, everywhere)
        for number, asked in enumerate(master.questions, 1)
    ]


def _question_of(asked: Asked, id: str, master: Master, everywhere: dict[str, bool]) -> Taken:
    """``everywhere``: every name that the notebook binds, and whether it is called."""
    own = bound_in(asked.code)
    read = _read_by_tests(asked, everywhere)
    answers = [name for name in read if name in own] or list(own)[-1:]
    context = [name for name in read if name not in answers[:1]]
    question = Taken(asked, id, answers[:1], context, bool(answers) and not own[answers[0]])
    called = [name for name in context if everywhere[name]] if question.value else []
    question.why = _why_by_hand(asked, answers, master) or _why_not_called(called)
    return question


def _read_by_tests(asked: Asked, everywhere: dict[str, bool]) -> list[str]:
    """The names of the notebook that a question's tests read, in order."""
    needed = [name for test in asked.tests for name in needed_by(test.code)]
    return [name for name in dict.fromkeys(needed) if name in everywhere]


def _why_not_called(called: list[str]) -> str:
    return f"its tests call `{called[0]}` on a value: ask for a function instead, or test the value alone" if called else ""


def _why_by_hand(asked: Asked, answers: list[str], master: Master) -> str:
    """Why no test of a question can be taken over; '' if they can."""
    if asked.manual:
        return "it is graded by hand"
    if not asked.tests:
        return "it has no tests"
    if not answers:
        return "its solution binds no name"
    imports = _imports(master)
    for test in asked.tests:
        for name in needed_by(test.code):
            package = imports.get(name, "").split(" ")[1:2]
            if package and not _judge_has(package[0].partition(".")[0]):
                return f"its tests use {package[0]}, which the judge does not import: compare plain numbers and arrays instead"
    return ""


def _judge_has(package: str) -> bool:
    return package in JUDGED or package in sys.stdlib_module_names


def _bound(master: Master) -> dict[str, bool]:
    """Every name that the notebook binds, and whether it is a function or class."""
    sources = [cell.code if isinstance(cell, Asked) else cell.source for cell in master.cells]
    return {name: called for source in sources for name, called in bound_in(source).items()}


def _imports(master: Master) -> dict[str, str]:
    """Name -> import statement, of the whole notebook."""
    sources = [cell.code if isinstance(cell, Asked) else cell.source for cell in master.cells]
    return {name: line for source in sources for name, line in imported_in(source).items()}


def packages(master: Master) -> list[str]:
    """The packages that the notebook imports and that have to be installed, as it names them."""
    beside = {Path(module).stem for module in modules(master)}
    roots = {line.split(" ")[1].partition(".")[0] for line in _imports(master).values()}
    return sorted(roots - beside - set(sys.stdlib_module_names) - {"otter"})


def modules(master: Master) -> list[str]:
    """The modules beside the master that it imports."""
    roots = {line.split(" ")[1].partition(".")[0] for line in _imports(master).values()}
    return [f"{root}.py" for root in sorted(roots) if (master.path.parent / f"{root}.py").is_file()]


def rubric(master: Master, taken: list[Taken], name: str, title: str, course: str) -> str:
    """The text of rubric.toml."""
    total = sum(q.asked.points for q in taken)
    graded = [q for q in taken if not q.why]
    names = list(dict.fromkeys(n for q in graded for n in [*q.names, *q.context]))
    lines = [
        "#:schema ./rubric.schema.json",
        f"# Taken over from {master.path.name} of Otter Assign; TODO.md says what is left to do.",
        f'\n[assignment]\ntitle = {_quoted(title)}\ncourses = ["{course}"]',
        f'\n# [regular points, extra credit] of all items.\n[totals]\n"{course}" = [{total:g}, 0]',
    ]
    lines += [
        f'\n[[section]]\nid = "{name}"\ntitle = {_quoted(title)}',
        f"file_pattern = '{pattern_of(name)}'\nnames = {_listed(names)}",
        *([f"modules = {_listed(modules(master))}"] if modules(master) else []),
    ]
    lines += [_question(q, name) for q in graded] + [_manual(q) for q in taken if q.why]
    return "\n".join(lines + (_parts(taken, title) if len(graded) < len(taken) else [])) + "\n"


def _parts(taken: list[Taken], title: str) -> list[str]:
    """The tables of the written half."""
    points: dict[str, float] = {}
    for q in taken:
        part = q.id.partition(".")[0]
        points[part] = points.get(part, 0.0) + q.asked.points
    parts = [f'\n[[part]]\nid = "{id}"\ntitle = {_quoted(title)}\npoints = {sum:g}' for id, sum in points.items()]
    return [*parts, f"\n[[chapter]]\ntitle = {_quoted(title)}\nparts = {_listed(list(points))}\npages = 2"]


def _question(question: Taken, section: str) -> str:
    lines = [
        f'\n[[question]]\nid = "{question.id}"\ntitle = {_quoted(question.asked.name)}\nsection = "{section}"',
        f"names = {_listed(question.names)}",
        *([f"context = {_listed(question.context)}"] if question.context else []),
        *(["value = true"] if question.value else []),
        f"points = {question.asked.points:g}",
    ]
    return "\n".join(lines)


def _manual(question: Taken) -> str:
    asked = question.asked
    return "\n".join(
        [
            f'\n[[manual]]\nid = "{question.id}"\npoints = {asked.points:g}',
            f"heading = {_quoted(f'{question.id} {asked.name}')}",
            f"asks = {_quoted(' '.join(asked.text.split()) or asked.name)}",
            f"full = {_quoted(' '.join(SOLUTION_MARK.sub('', asked.answer).split()))}",
        ]
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _listed(names: list[str]) -> str:
    return json.dumps(names, ensure_ascii=False)


def tests_of(question: Taken, imports: dict[str, str]) -> str:
    """The text of the question's test file."""
    lines = ["from otter.test_files import test_case", "", "OK_FORMAT = False", "", f"name = {_quoted(question.id)}"]
    parameters = [*question.names, *question.context]
    for number, test in enumerate(question.asked.tests, 1):
        wanted = [imports[name] for name in needed_by(test.code) if name in imports and name not in parameters]
        says = "A hidden test" if test.hidden else _says(test.message or test.code.split("\n")[-1])
        lines += ["", "", "@test_case(hidden=True)" if test.hidden else "@test_case()"]
        lines += [f"def test_{number}({', '.join([*parameters, 'check'])}):", f"    {_quoted(says + '.')}"]
        lines += [f"    {line}" for line in dict.fromkeys(wanted)]
        answers = ", ".join(f"{name}={name}" for name in question.names)
        told = "a hidden test fails" if test.hidden else f"this does not hold: {says}"
        lines.append(f"    with check.rules.asserted({_quoted(told)}, hidden={test.hidden}, {answers}):")
        lines += [f"        {line}" for line in test.code.split("\n")]
    return "\n".join(lines) + "\n"


def _says(text: str) -> str:
    """A sentence about a public test: its message, or its own code."""
    return " ".join(text.removeprefix("assert ").split()).rstrip(".")[:200]


def notebook(master: Master, taken: list[Taken]) -> nbformat.NotebookNode:
    """The master as this engine wants it: numbered headings, and no tests, which stand in files of their own."""
    template = json.loads(template_files()[f"solutions/{NAME}.ipynb"])
    cells: list[nbformat.NotebookNode] = []
    by_question = {id(q.asked): q for q in taken}
    for number, cell in enumerate(master.cells):
        if isinstance(cell, Asked):
            cells += _cells_of(by_question[id(cell)])
        elif not _is_otters(cell):
            cells.append(_fresh(cell, f"cell-{number}"))
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=template["metadata"])
    made.nbformat_minor = 5
    return made


def _is_otters(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell only serves Otter's own checks or export, or holds nothing."""
    code = cell.source.strip()
    return not code or (
        cell.cell_type == "code" and ("otter.Notebook(" in code or code.startswith(("grader.check", "grader.export")))
    )


def _fresh(cell: nbformat.NotebookNode, id: str) -> nbformat.NotebookNode:
    """The same cell without outputs and metadata."""
    new: dict[str, Any] = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    made: nbformat.NotebookNode = new[cell.cell_type](cell.source, id=id)
    return made


def _cells_of(question: Taken) -> list[nbformat.NotebookNode]:
    key = f"q{question.id.replace('.', '-')}"
    kind = "\nmanual: true" if question.why else ""
    cells = [
        nbformat.v4.new_raw_cell(f'{BEGIN}\nname: "{question.id}"{kind}', id=f"{key}-begin"),
        nbformat.v4.new_markdown_cell(f"### {question.id} {question.asked.name}", id=f"{key}-heading"),
    ]
    cells += [_fresh(cell, f"{key}-{number}") for number, cell in enumerate(question.asked.cells)]
    if question.why:
        where = f"*Answer {question.id} in the write-up: see the folder `writeup`.*"
        cells.append(nbformat.v4.new_markdown_cell(where, id=f"{key}-where"))
    return [*cells, nbformat.v4.new_raw_cell(END, id=f"{key}-end")]


def todo(master: Master, taken: list[Taken], name: str) -> str:
    """The text of TODO.md: what was taken over, what was guessed, and what is left to do."""
    words = {"MASTER": master.path.name, "NOTEBOOK": f"{name}.ipynb", "ROWS": "\n".join(map(_row, taken))}
    return re.sub("|".join(words), lambda word: words[word[0]], _own("TODO.md"))


def _row(question: Taken) -> str:
    """A question's row in the table of what was taken over."""
    tests = [sum(test.hidden == hidden for test in question.asked.tests) for hidden in (False, True)]
    answer = f"read by hand: {question.why}" if question.why else f"`{question.names[0]}`"
    return f"| {question.asked.name} | {question.id} | {question.asked.points:g} | {answer} | {tests[0]} | {tests[1]} |"
