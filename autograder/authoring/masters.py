"""The masters: the notebooks and modules with solutions that staff edit, and their student versions from Otter Assign.

Masters hold no tests: each question's test functions are injected here from the assignment's definitions, so that
notebooks and grader always test the same.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import logging
import re
import shutil
from pathlib import Path

import nbformat

from autograder.authoring.baking.marked import BEGIN, END, question_name
from autograder.authoring.baking.modules import MARKERS, given_modules, module_files, module_of
from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_whole
from autograder.core.text import clean

SOLUTION = re.compile(r"^[ \t]*# BEGIN SOLUTION.*?\n(.*?)^[ \t]*# END SOLUTION", re.DOTALL | re.MULTILINE)
CONFIG = "# ASSIGNMENT CONFIG"
OTTERS = """init_cell: false
export_cell: false
run_tests: false
solutions_pdf: false
template_pdf: false
tests:
    files: true
    ok_format: false"""
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
    inject_tests(assignment, notebook)
    configure(notebook, master.stem)
    work = folder / master.stem
    work.mkdir()
    nbformat.write(notebook, work / master.name)
    logging.getLogger("otter").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        assign(work / master.name, work / "out", no_pdfs=True, no_run_tests=True)
    for path in sorted((work / "out" / "student" / "tests").glob("*.py")):
        shutil.copy(path, tests / path.name)
    return tidy(nbformat.read(work / "out" / "student" / master.name, as_version=4), ids, master.stem)


def configure(notebook: nbformat.NotebookNode, name: str) -> None:
    """Give Otter Assign the one configuration with which it does what is needed here, whatever the master's own is."""
    notebook.cells = [cell for cell in notebook.cells if not (cell.cell_type == "raw" and cell.source.startswith(CONFIG))]
    notebook.cells.insert(0, nbformat.v4.new_raw_cell(f"{CONFIG}\nname: {json.dumps(name)}\n{OTTERS}"))


def inject_tests(assignment: Assignment, notebook: nbformat.NotebookNode) -> None:
    """Add each question's public test functions, between BEGIN and END TESTS cells, before its END QUESTION cell."""
    pending = {q.id for q in assignment.questions}
    cells, current = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith(BEGIN):
            current = question_name(cell.source)
        elif cell.cell_type == "raw" and cell.source.startswith(END):
            if current in pending:
                cells += _test_cells(assignment, current)
                pending.discard(current)
            current = ""
        cells.append(cell)
    notebook.cells = cells


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
    """Copy a module, or a folder of modules and data, without the solutions in .py files (same markers as in notebooks)."""
    from otter.assign.solutions import replace_solutions

    for path in module_files(source):
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
    """Clean up a stripped notebook: stable ids; no tags, outputs or Otter metadata; no answer cells of Otter's.

    Otter's check cells become ours, unless the master has some. Written answers go into the write-up. ``ids``: cell ids of the
    master by source.
    """
    cells: list[nbformat.NotebookNode] = []
    seen: set[str] = set()
    for cell in notebook.cells:
        if _is_left_out(cell, notebook.cells):
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


def _is_left_out(cell: nbformat.NotebookNode, cells: list[nbformat.NotebookNode]) -> bool:
    """Whether a cell of Otter's is not for students; its check cells become ours, unless there is one already."""
    if cell.source.startswith("grader.check("):
        cell.source = cell.source.removeprefix("grader.")
        return any(cell.source in other.source for other in cells if other is not cell)
    return cell.source.startswith("_Type your answer here") or not cell.source.strip()


def refuse_leftovers(text: str, name: str) -> None:
    """Raise GraderError if a text for students still has a marker."""
    left = [m for m in MARKERS if m in text]
    if left:
        raise GraderError(
            f"{name}: {left[0]!r} is still there after stripping: in a question, its answer stands between the raw cells "
            "`# BEGIN SOLUTION` and `# END SOLUTION`"
        )


def export_scripts(assignment: Assignment, solutions: Path, target: Path) -> list[Path]:
    """Convert each solution notebook to ``target/<name>.py``, with the modules beside it that students complete.

    Returns the paths of the scripts.
    """
    from nbconvert import PythonExporter

    own_folder(target, "export")
    written = []
    for notebook in sorted(solutions.glob("*.ipynb")):
        source, _ = PythonExporter().from_filename(str(notebook))
        written.append(target / f"{notebook.stem}.py")
        write_whole(written[-1], source.encode("utf-8"))
    given = {name.split(".")[0] for modules in given_modules(assignment, solutions).values() for name in modules}
    imported = {name: module for section in assignment.sections for name, module in section.imported.items()}
    for module in (module for name, module in imported.items() if name not in given):
        for path in module_files(module_of(solutions, module)):
            write_whole(target / path.relative_to(solutions), path.read_bytes())
    return written
