"""The staff's own write-up: model answers, put together in the rubric's order.

A chapter whose answers stand in a notebook (its manual questions' solutions) is taken from there; the others are whole
files, ``solutions/writeup/section<number>.md``, with their figures beside them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from autograder.authoring.masters import SOLUTION, read_master
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder
from autograder.written.render import CHARACTERS, TEMPLATES

STATEMENT = (
    "These are the staff's model answers, from this project's own notebooks and runs. "
    "They were written with the help of an AI assistant."
)


def assemble(assignment: Assignment, solutions: Path, target: Path) -> tuple[Path, list[str]]:
    """Write ``target/answers.md`` with figures beside it, and answers.pdf where pandoc and a LaTeX are installed.

    Returns the last of them and the chapters that nobody has written yet.
    """
    notebooks: dict[str, str] = {}
    for path in sorted(solutions.glob("*.ipynb")):
        notebooks |= answers_of(path)
    text = [
        "---",
        f'title: "{assignment.title}: model answers"',
        "geometry: margin=2.5cm",
        "header-includes:",
        # Figures stay where they are put: beside a long table a floating one pushes text over the page's end.
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
    made = target / "answers.md"
    made.write_text("\n".join(text), encoding="utf-8")
    return to_pdf(made) or made, missing


def answers_of(path: Path) -> dict[str, str]:
    """Label -> answer, from a master's manual questions, each after the code that solves the question of that number."""
    code: dict[str, str] = {}
    answers: dict[str, str] = {}
    name = ""
    for cell in read_master(path).cells:
        match = re.search(r"^name:\s*[\"']?([\w.]+)", cell.source, re.MULTILINE) if cell.cell_type == "raw" else None
        if match and cell.source.startswith("# BEGIN QUESTION"):
            name = match.group(1)
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION"):
            name = ""
        elif cell.cell_type == "code" and name:
            code[name] = "\n".join(SOLUTION.findall(cell.source + "\n")).strip()
        elif cell.cell_type == "markdown" and cell.source.startswith(("**Rationale", "**Answer")):
            label = name.removesuffix(".why")
            answers[label] = (f"```python\n{code[label]}\n```\n\n" if code.get(label) else "") + cell.source
    return answers


def without_title(text: str) -> str:
    """A chapter's file without its own first heading: the chapter has one."""
    return re.sub(r"\A\s*# .*\n", "", text).strip()


def to_pdf(path: Path) -> Path | None:
    """The Markdown as a PDF beside it; None where pandoc or pdflatex is not installed."""
    if not shutil.which("pandoc") or not shutil.which("pdflatex"):
        return None
    target = path.with_suffix(".pdf")
    done = subprocess.run(["pandoc", path.name, "-o", target.name], cwd=path.parent, capture_output=True, text=True)
    if done.returncode:
        raise GraderError(f"pandoc could not make {target.name}: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return target
