"""The masters: notebooks and modules with solutions in them, as staff edit them; what Otter Assign makes of one for students.

Masters hold no tests: each question's test functions are injected here from the assignment's own definitions, so
that notebooks and grader can never disagree about what is tested.
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
from autograder.core.files import own_folder
from autograder.core.text import clean

BUNDLE_LINE = re.compile(r'^BUNDLE = ".*?"', re.MULTILINE)
SOLUTION = re.compile(r"^[ \t]*# BEGIN SOLUTION.*?\n(.*?)^[ \t]*# END SOLUTION", re.DOTALL | re.MULTILINE)
MARKERS = ("# SOLUTION", "BEGIN SOLUTION", "END SOLUTION", "BEGIN TESTS")
KEPT_METADATA = ("kernelspec", "language_info")


def read_master(path: Path) -> nbformat.NotebookNode:
    """A notebook of the staff's; raises GraderError, one line, where it is none, or lacks what Otter Assign asks for."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise GraderError(f"{path.name} is not a notebook that can be read: {clean(str(error), 120)}") from None
    if "language" not in notebook.metadata.get("kernelspec", {}):
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def strip(assignment: Assignment, master: Path, folder: Path, tests: Path) -> nbformat.NotebookNode:
    """One master through Otter Assign; its public test files are moved to ``tests``."""
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
    """Put each question's public test functions between BEGIN and END TESTS cells, before its END QUESTION."""
    known = {q.id for q in assignment.questions}
    cells, current = [], None
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            match = re.search(r"^name:\s*[\"']?([\w.]+)[\"']?\s*$", cell.source, re.MULTILINE)
            current = match.group(1) if match else None
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION"):
            if current in known:
                cells.append(nbformat.v4.new_raw_cell("# BEGIN TESTS"))
                cells += [nbformat.v4.new_code_cell(text) for text in test_sources(assignment, current)]
                cells.append(nbformat.v4.new_raw_cell("# END TESTS"))
                known.discard(current)
            current = None
        cells.append(cell)
    notebook.cells = cells
    section = section_of(assignment, name)
    missing = [q.id for q in assignment.questions if q.section is section and q.id in known]
    if missing:
        raise GraderError(f"solutions/{name} has no `# BEGIN QUESTION` for {', '.join(missing)}")


def section_of(assignment: Assignment, name: str) -> Section | None:
    """The section whose notebook has this file name."""
    return next((s for s in assignment.sections if re.search(s.file_pattern, name.lower())), None)


def strip_modules(source: Path, target: Path) -> None:
    """A folder of modules and data, with the solutions taken out of its .py files by the notebooks' own markers."""
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


def test_sources(assignment: Assignment, id: str, hidden_ones: bool = False) -> list[str]:
    """The test functions of a question that are (not) hidden, without their decorators."""
    tree = ast.parse(assignment.test_source(assignment.question(id)))
    sources = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            hidden = any(
                k.arg == "hidden" and getattr(k.value, "value", False)
                for d in node.decorator_list
                if isinstance(d, ast.Call)
                for k in d.keywords
            )
            node.decorator_list = []
            if hidden == hidden_ones:
                sources.append(ast.unparse(node))
    return sources


def tidy(notebook: nbformat.NotebookNode, ids: dict[str, str], stem: str) -> nbformat.NotebookNode:
    """Stable ids; no tags, outputs or Otter metadata; Otter's own check and answer cells out.

    Our checks need no Otter, and written answers go into the write-up.
    """
    cells, seen = [], set()
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
    """Raise GraderError when a marker is left in what students will get."""
    left = [m for m in MARKERS if m in text]
    if left:
        raise GraderError(f"{name}: {left[0]!r} is still there after stripping")


def export_scripts(solutions: Path, target: Path) -> list[Path]:
    """Write ``target/<name>.py`` for each notebook; returns the paths."""
    from nbconvert import PythonExporter

    own_folder(target, "export")
    written = []
    for notebook in sorted(solutions.glob("*.ipynb")):
        source, _ = PythonExporter().from_filename(str(notebook))
        written.append(target / f"{notebook.stem}.py")
        written[-1].write_text(source, encoding="utf-8")
    return written
