"""Trying a student tree before it is released: each notebook alone in an empty folder, in a fresh kernel.

As students get it, every check has to answer, and with the solutions filled in it has to say that the answer is right.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from autograder.authoring.baking.modules import module_files, module_of
from autograder.authoring.bundle import BUNDLE_LINE
from autograder.authoring.masters import read_master, section_of
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.processors import processors
from autograder.core.text import clean

CHECK = re.compile(r"""^check\(\s*["']([^"']+)["']\s*\)""", re.MULTILINE)
SECONDS = 600  # for one cell
RIGHT, ANSWERS = "✅", ("✅", "❌", "⏳")  # with which the card of a check begins
QUIET = ["--log-level=50"]  # kernels warn of an unencrypted connection, which is this machine's own
# No network: what a notebook needs, it has to carry.
OFFLINE = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}


@dataclass
class Trial:
    """A notebook to run, as students get it or with the solutions; ``beside``: (place, master) of its modules' files."""

    name: str
    filled: bool
    notebook: nbformat.NotebookNode
    beside: list[tuple[str, Path]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}, {'with the solutions' if self.filled else 'as students get it'}"


def refuse_broken(assignment: Assignment, tree: Path, solutions: Path, log: Callable[[str], None]) -> str:
    """Run the notebooks of a student tree, unfilled and with the solutions; returns a one-line summary.

    Raises GraderError, naming the first notebook and check that does not work.
    """
    trials = [trial for path in sorted(tree.glob("*.ipynb")) for trial in _trials(assignment, path, solutions)]
    problems = _unchecked(assignment, [trial.notebook for trial in trials if not trial.filled])
    with ThreadPoolExecutor(processors()) as pool:
        for trial, found in zip(trials, pool.map(_problems, trials)):
            log(f"tried {trial}")
            problems += [f"{trial}: {text}" for text in found]
    if problems:
        raise GraderError(f"not built: {problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""))
    count = f"{len(trials) // 2} notebook{'s run' if len(trials) > 2 else ' runs'}"
    return f"{count} alone in an empty folder: every check answers, and is right with the solutions"


def _trials(assignment: Assignment, path: Path, solutions: Path) -> Iterator[Trial]:
    yield Trial(path.name, False, nbformat.read(path, 4))
    yield Trial(path.name, True, _filled(path, solutions / path.name), _modules(assignment, path.name, solutions))


def _filled(notebook: Path, master: Path) -> nbformat.NotebookNode:
    """The master's cells with the setup cell of the notebook that was made from it."""
    made: nbformat.NotebookNode = nbformat.read(notebook, 4)
    setup = next(cell for cell in made.cells if cell.cell_type == "code" and BUNDLE_LINE.search(cell.source))
    cells = [cell for cell in read_master(master).cells if cell.cell_type != "raw" and not BUNDLE_LINE.search(cell.source)]
    checked = {id for cell in cells for id in CHECK.findall(cell.source)}
    own = [cell for cell in made.cells if set(CHECK.findall(cell.source)) - checked]
    made.cells = [setup, *cells, *own]
    return made


def _modules(assignment: Assignment, notebook: str, solutions: Path) -> list[tuple[str, Path]]:
    """(where it lies, master) of each file of the modules that a notebook imports."""
    section = section_of(assignment, notebook)
    modules = [module_of(solutions, module) for module in (section.modules if section else ())]
    return [(path.relative_to(solutions).as_posix(), path) for module in modules for path in module_files(module)]


def _problems(trial: Trial) -> list[str]:
    """What is wrong with a notebook's checks; its cells are run up to the last of them."""
    notebook = trial.notebook
    last = max((n for n, cell in enumerate(notebook.cells) if CHECK.search(cell.source)), default=-1)
    notebook.cells = [cell for cell in notebook.cells[: last + 1] if cell.cell_type == "code"]
    with tempfile.TemporaryDirectory() as folder:
        for name, path in trial.beside:
            write_whole(Path(folder, name), path.read_bytes())
        _run(notebook, folder)
    found = [text for number, cell in enumerate(notebook.cells, 1) for text in _of_cell(number, cell, trial.filled)]
    return found[:1] if found and found[0].startswith("code cell") else found  # what follows from a cell is not told again


def _of_cell(number: int, cell: nbformat.NotebookNode, filled: bool) -> Iterator[str]:
    """What is wrong with a cell that was run; before anything is filled in, only the first one and checks must not raise."""
    checks = CHECK.findall(cell.source)
    raised = next((f"{o.ename}: {clean(o.evalue, 160)}" for o in cell.outputs if o.output_type == "error"), "")
    if not raised:
        yield from _unanswered(checks, "".join(map(_said, cell.outputs)), filled)
    elif filled or checks or number == 1:
        yield f"code cell {number} raised {raised}"


def _unanswered(checks: list[str], said: str, filled: bool) -> Iterator[str]:
    shown = clean(" ".join(said.split()), 200) or "nothing"
    if checks and (said.count(RIGHT) < len(checks) if filled else not any(mark in said for mark in ANSWERS)):
        yield f'check("{checks[0]}") says {shown!r}'


def _run(notebook: nbformat.NotebookNode, folder: str) -> None:
    import nbclient

    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        iopub_timeout=SECONDS,
        allow_errors=True,
        extra_arguments=QUIET,
        resources={"metadata": {"path": folder}},
    )
    try:
        client.execute(env={**os.environ, **OFFLINE})
    except Exception as error:  # a kernel that does not start or dies, a cell that takes too long
        raise GraderError(f"not built: a notebook could not be run, {type(error).__name__}: {clean(str(error), 200)}") from None


def _said(output: nbformat.NotebookNode) -> str:
    """What an output says in plain text."""
    return str(output.get("text", "") or output.get("data", {}).get("text/plain", ""))


def _unchecked(assignment: Assignment, notebooks: list[nbformat.NotebookNode]) -> list[str]:
    """One line for each question that no notebook has a check cell for."""
    checked = {id for notebook in notebooks for cell in notebook.cells for id in CHECK.findall(cell.source)}
    return [f'no notebook has a cell check("{q.id}")' for q in assignment.questions if q.id not in checked]
