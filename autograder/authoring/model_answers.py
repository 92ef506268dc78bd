"""The staff's write-up: model answers in the rubric's order.

A chapter comes from ``solutions/writeup/section<number>.md``, with its figures beside it, or else from the solutions of the
manual questions in the notebooks.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from autograder.authoring.baking.marked import BEGIN, END, question_name
from autograder.authoring.masters import SOLUTION, read_master
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_whole
from autograder.written.render import CHARACTERS, TEMPLATES

STATEMENT = (
    "These are the staff's model answers, from this project's own notebooks and runs. "
    "They were written with the help of an AI assistant."
)


def assemble(assignment: Assignment, solutions: Path, target: Path) -> tuple[Path, list[str]]:
    """Write ``target/answers.md`` with its figures, and answers.pdf if pandoc and LaTeX are installed.

    Returns the path of the PDF, or else of the Markdown, and the titles of chapters that have no answers yet.
    """
    notebooks: dict[str, str] = {}
    for path in sorted(solutions.glob("*.ipynb")):
        notebooks |= answers_of(path)
    text = [
        "---",
        f'title: "{assignment.title}: model answers"',
        "geometry: margin=2.5cm",
        "header-includes:",
        # No floating figures: beside a long table they push text off the page.
        "- \\input{characters.tex}",
        "- \\usepackage{float}\\floatplacement{figure}{H}",
        "---",
        "",
        "## Collaborators",
        "",
        STATEMENT,
        "",
    ]
    missing = []
    own_folder(target, "answers")
    for chapter in assignment.written.chapters:
        items = assignment.written.of_chapter(chapter)
        source = solutions / "writeup" / f"section{chapter.title.split()[0].strip('§').split('.')[0]}.md"
        text += [f"# {chapter.title}", ""]
        if source.exists():
            text += [without_title(source.read_text(encoding="utf-8")), ""]
        elif all(item.heading.split()[0] in notebooks for item in items):
            for item in items:
                text += [f"### {item.heading}", "", f"*{item.asks}*", "", notebooks[item.heading.split()[0]], ""]
        else:
            missing.append(chapter.title)
            text += ["(Not written yet.)", ""]
    if (solutions / "writeup").exists():
        shutil.copytree(solutions / "writeup", target, ignore=shutil.ignore_patterns("*.md"), dirs_exist_ok=True)
    shutil.copy(TEMPLATES / CHARACTERS, target)
    markdown = target / "answers.md"
    write_whole(markdown, "\n".join(text).encode("utf-8"))
    return to_pdf(markdown) or markdown, missing


def answers_of(path: Path) -> dict[str, str]:
    """Label -> answer, from a master's manual questions, each preceded by the code of the question with the same number."""
    code: dict[str, str] = {}
    answers: dict[str, str] = {}
    name = ""
    for cell in read_master(path).cells:
        if cell.cell_type == "raw" and cell.source.startswith(BEGIN):
            name = question_name(cell.source)
        elif cell.cell_type == "raw" and cell.source.startswith(END):
            name = ""
        elif cell.cell_type == "code" and name:
            code[name] = "\n".join(SOLUTION.findall(cell.source + "\n")).strip()
        elif cell.cell_type == "markdown" and cell.source.startswith(("**Rationale", "**Answer")):
            label = name.removesuffix(".why")
            answers[label] = (f"```python\n{code[label]}\n```\n\n" if code.get(label) else "") + cell.source
    return answers


def without_title(text: str) -> str:
    """A chapter's file without its top heading, which the chapter has already."""
    return re.sub(r"\A\s*# .*\n", "", text).strip()


def to_pdf(path: Path) -> Path | None:
    """Convert Markdown to a PDF beside it; returns None if pandoc or pdflatex is not installed. Raises GraderError."""
    if not shutil.which("pandoc") or not shutil.which("pdflatex"):
        return None
    target = path.with_suffix(".pdf")
    command = ["pandoc", path.name, "-o", target.name]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        message = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise GraderError(f"pandoc could not create {target.name}: {message}")
    return target
