"""The masters: the notebooks and modules with solutions that staff edit, and their student versions from Otter Assign.

Masters hold no tests: each question's test functions are injected here from the assignment's definitions, so that
notebooks and grader always test the same.
"""

from __future__ import annotations

import ast
import contextlib
import io
import logging
import re
import shutil
from pathlib import Path

import nbformat

from autograder.core.assignment import Assignment, Section
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_whole
from autograder.core.text import clean

SOLUTION = re.compile(r"^[ \t]*# BEGIN SOLUTION.*?\n(.*?)^[ \t]*# END SOLUTION", re.DOTALL | re.MULTILINE)
MARKERS = ("# SOLUTION", "BEGIN SOLUTION", "END SOLUTION", "BEGIN TESTS")
KEPT_METADATA = ("kernelspec", "language_info")


def read_master(path: Path) -> nbformat.NotebookNode:
    """Read a master notebook and add the kernel that Otter Assign needs if it has none. Raises GraderError."""
    try:
        notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise GraderError(f"{path.name} is not a readable notebook: {clean(str(error), 120)}") from None
    if "language" not in notebook.metadata.get("kernelspec", {}):
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def strip(assignment: Assignment, master: Path, folder: Path, tests: Path) -> nbformat.NotebookNode:
    """Strip a master with Otter Assign, in a subfolder of ``folder``; copies its public test files to ``tests``."""
    from otter.assign import main as assign

    notebook = read_master(master)
    ids = {cell.source: cell.id for cell in notebook.cells}
    inject_tests(assignment, notebook, master.name)
    work = folder / master.stem
    work.mkdir()
    nbformat.write(notebook, work / master.name)
    logging.getLogger("otter").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        assign(work / master.name, work / "out", no_pdfs=True, no_run_tests=True)
    for path in sorted((work / "out" / "student" / "tests").glob("*.py")):
        shutil.copy(path, tests / path.name)
    return tidy(nbformat.read(work / "out" / "student" / master.name, as_version=4), ids, master.stem)


def inject_tests(assignment: Assignment, notebook: nbformat.NotebookNode, name: str) -> None:
    """Add each question's public test functions, between BEGIN and END TESTS cells, before its END QUESTION cell.

    Raises GraderError if the master called ``name`` lacks a question of its section.
    """
    pending = {q.id for q in assignment.questions}
    cells, current = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            current = _question_name(cell.source)
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION"):
            if current in pending:
                cells += _test_cells(assignment, current)
                pending.discard(current)
            current = ""
        cells.append(cell)
    notebook.cells = cells
    section = section_of(assignment, name)
    missing = [q.id for q in assignment.questions if q.section is section and q.id in pending]
    if missing:
        raise GraderError(f"solutions/{name} has no `# BEGIN QUESTION` for {', '.join(missing)}")


def _question_name(source: str) -> str:
    """The name in a BEGIN QUESTION cell, or ''."""
    match = re.search(r"^name:\s*[\"']?([\w.]+)[\"']?\s*$", source, re.MULTILINE)
    return match.group(1) if match else ""


def _test_cells(assignment: Assignment, id: str) -> list[nbformat.NotebookNode]:
    return [
        nbformat.v4.new_raw_cell("# BEGIN TESTS"),
        *(nbformat.v4.new_code_cell(source) for source in sources_of_tests(assignment, id)),
        nbformat.v4.new_raw_cell("# END TESTS"),
    ]


def section_of(assignment: Assignment, name: str) -> Section | None:
    """The section whose notebook has this file name, or None."""
    return next((s for s in assignment.sections if re.search(s.file_pattern, name.lower())), None)


def strip_modules(source: Path, target: Path) -> None:
    """Copy a folder of modules and data, with the solutions removed from its .py files (same markers as in notebooks)."""
    from otter.assign.solutions import replace_solutions

    for path in files_below(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            lines = replace_solutions(path.read_text(encoding="utf-8").split("\n"), "python")
            refuse_leftovers("\n".join(lines), path.name)
            copy.write_text("\n".join(lines), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)


def sources_of_tests(assignment: Assignment, id: str, hidden: bool = False) -> list[str]:
    """The sources of a question's public or hidden test functions, without their decorators."""
    sources = []
    for node in ast.parse(assignment.test_source(assignment.question(id))).body:
        if isinstance(node, ast.FunctionDef) and _is_hidden(node) == hidden:
            node.decorator_list = []
            sources.append(ast.unparse(node))
    return sources


def _is_hidden(test: ast.FunctionDef) -> bool:
    """Whether a test function's decorator says ``hidden=True``."""
    keywords = [k for decorator in test.decorator_list if isinstance(decorator, ast.Call) for k in decorator.keywords]
    return any(k.arg == "hidden" and getattr(k.value, "value", False) for k in keywords)


def tidy(notebook: nbformat.NotebookNode, ids: dict[str, str], stem: str) -> nbformat.NotebookNode:
    """Clean up a stripped notebook: stable ids; no tags, outputs or Otter metadata; no check and answer cells of Otter's.

    Our checks do not need Otter, and written answers go into the write-up. ``ids``: cell ids of the master by source.
    """
    cells: list[nbformat.NotebookNode] = []
    seen: set[str] = set()
    for cell in notebook.cells:
        if cell.source.startswith(("grader.check(", "_Type your answer here")) or not cell.source.strip():
            continue
        id = ids.get(cell.source) or f"{stem.lower()}-{len(cells):03d}"
        cell.id = id if id not in seen else f"{id}-{len(cells):03d}"
        seen.add(cell.id)
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    notebook.cells = cells
    notebook.metadata = {k: v for k, v in notebook.metadata.items() if k in KEPT_METADATA}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in cells:
        refuse_leftovers(cell.source, stem)
    return notebook


def refuse_leftovers(text: str, name: str) -> None:
    """Raise GraderError if a text for students still has a marker."""
    left = [m for m in MARKERS if m in text]
    if left:
        raise GraderError(f"{name}: {left[0]!r} is still there after stripping")


def export_scripts(solutions: Path, target: Path) -> list[Path]:
    """Convert each solution notebook to ``target/<name>.py``; returns the paths."""
    from nbconvert import PythonExporter

    own_folder(target, "export")
    written = []
    for notebook in sorted(solutions.glob("*.ipynb")):
        source, _ = PythonExporter().from_filename(str(notebook))
        written.append(target / f"{notebook.stem}.py")
        write_whole(written[-1], source.encode("utf-8"))
    return written
