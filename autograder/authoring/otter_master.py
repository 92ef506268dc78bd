"""What a master notebook of Otter Assign says: its questions, their points, tests and solutions.

The format is Otter's documented one (version 1 and later): raw cells ``# BEGIN QUESTION`` with a configuration in YAML,
``# BEGIN SOLUTION``, ``# BEGIN TESTS``; https://otter-grader.readthedocs.io/en/latest/otter_assign/
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from autograder.authoring.masters import read_master
from autograder.checks.formats import parse
from autograder.checks.ipython import runnable
from autograder.core.errors import GraderError
from autograder.core.syntax import DEFINED
from autograder.core.text import clean

BOUNDARY = re.compile(r"#\s*(BEGIN|END)\s+(QUESTION|SOLUTION|PROMPT|TESTS)\b", re.IGNORECASE)
CONFIG = re.compile(r"#\s*ASSIGNMENT\s+CONFIG\b", re.IGNORECASE)
TEST_CONFIG = re.compile(
    r'^(?:\w+\s*=\s*)?"""\s*#\s*BEGIN\s+TEST\s+CONFIG\s*\n(.*?)#?\s*"""\s*#\s*END\s+TEST\s+CONFIG.*?$',
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
HIDDEN = re.compile(r"\bhidden\b", re.IGNORECASE)


@dataclass
class Test:
    """A test cell: the statements to run, and what the test's configuration says. ``points``: None if it says nothing."""

    code: str
    hidden: bool = False
    points: float | None = None
    message: str = ""


@dataclass
class Asked:
    """A question as the notebook has it. ``code``: of its solution; ``text``: its Markdown; ``answer``: of a written one."""

    name: str
    config: dict[str, Any]
    cells: list[nbformat.NotebookNode] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    code: str = ""
    text: str = ""
    answer: str = ""

    @property
    def manual(self) -> bool:
        return bool(self.config.get("manual"))

    @property
    def points(self) -> float:
        """What Otter would give for it: a number, a list with one for each test, or ``each``; 1 if it says nothing."""
        points = self.config.get("points")
        if isinstance(points, dict):
            return float(points.get("each", 1)) * max(len(self.tests), 1)
        if isinstance(points, list):
            return float(sum(float(one or 0) for one in points))
        if points is None:
            given = [test.points for test in self.tests if test.points is not None]
            return float(sum(given)) if given else 1.0
        return float(points)


@dataclass
class Master:
    """``config``: the assignment's; ``cells``: the notebook in order, each a cell or a question; ``path``: of the notebook."""

    path: Path
    config: dict[str, Any]
    cells: list[nbformat.NotebookNode | Asked]

    @property
    def questions(self) -> list[Asked]:
        return [cell for cell in self.cells if isinstance(cell, Asked)]


def read_otter(path: Path) -> Master:
    """Read a master of Otter Assign. Raises GraderError if it cannot be read, has no question or a malformed one."""
    master, current, block = Master(path, {}, []), None, ""
    for cell in _cells(path):
        source = cell.source
        found = BOUNDARY.match(source) if cell.cell_type == "raw" else None
        if cell.cell_type == "raw" and CONFIG.match(source):
            master.config = _yaml(source, path.name)
        elif found and found[2].upper() == "QUESTION":
            current = _begun(source, path.name) if found[1].upper() == "BEGIN" else None
            if current:
                master.cells.append(current)
        elif current is None:
            master.cells.append(cell)
        else:
            block = found[2].upper() * (found[1].upper() == "BEGIN") if found else block
            _into(current, cell, block, boundary=bool(found))
    if not master.questions:
        raise GraderError(
            f"{path.name} has no raw cell `# BEGIN QUESTION`: it is no master of Otter Assign (version 1 or later)"
        )
    return master


def _cells(path: Path) -> list[nbformat.NotebookNode]:
    """The notebook's cells, with Otter's cells raw: they may also be fenced blocks in Markdown."""
    if not path.is_file():
        raise GraderError(f"there is no notebook {clean(str(path), 200)}")
    from otter.assign.blocks import extract_all_fenced_otter_cells

    try:
        cells: list[nbformat.NotebookNode] = extract_all_fenced_otter_cells(read_master(path).cells)
    except GraderError:
        raise
    except Exception as error:  # of a type that Otter keeps to itself
        raise GraderError(f"{path.name}: {clean(str(error), 160)}") from None
    return cells


def _begun(source: str, notebook: str) -> Asked:
    config = _yaml(source, notebook)
    name = config.get("name")
    if not isinstance(name, (str, int, float)) or isinstance(name, bool):
        raise GraderError(f"{notebook}: a question has no name: {clean(source, 80)!r}")
    return Asked(str(name), config)


def _yaml(source: str, notebook: str) -> dict[str, Any]:
    import yaml

    try:
        tree = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise GraderError(f"{notebook}: a raw cell is not valid YAML: {clean(str(error), 160)}") from None
    return tree if isinstance(tree, dict) else {}


def _into(question: Asked, cell: nbformat.NotebookNode, block: str, boundary: bool) -> None:
    """Add a cell to a question: to its tests, or to what is shown and solved."""
    if block == "TESTS" or (boundary and "TESTS" in cell.source.upper()):
        if not boundary and cell.cell_type == "code" and cell.source.strip():
            question.tests.append(_test(cell))
        return
    question.cells.append(cell)
    if cell.cell_type == "code":
        question.code += cell.source + "\n"
    elif cell.cell_type == "markdown" and block == "SOLUTION":
        question.answer += cell.source + "\n"
    elif cell.cell_type == "markdown":
        question.text += cell.source + "\n"


def _test(cell: nbformat.NotebookNode) -> Test:
    """A test cell with its configuration; of an expression at its end, the output is what it has to be."""
    source, config = cell.source, {}
    if found := TEST_CONFIG.search(source):
        config = _yaml(found[1], "a test cell")
        source = source.replace(found[0], "")
    first = cell.source.lstrip().split("\n")[0]
    hidden = bool(config.get("hidden", first.startswith("#") and HIDDEN.search(first)))
    printed = "".join(_printed(cell))
    message = str(config.get("failure_message") or "")
    return Test(_asserted(source, printed), hidden, config.get("points"), message)


def _printed(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
        yield text if isinstance(text, str) else "".join(text)


def _asserted(source: str, printed: str) -> str:
    """The cell's statements, an expression at the end as an assertion; a test function's own body without its call."""
    body = parsed(source)
    if body and isinstance(body[0], ast.FunctionDef) and len(body) <= 2:
        body = [node for node in body[0].body if not _is_docstring(node)]
    elif body and isinstance(body[-1], ast.Expr) and printed.strip():
        value = body[-1].value
        if printed.strip() == "True":
            body[-1] = ast.Assert(value, None)
        else:
            shown = ast.Call(ast.Name("repr", ast.Load()), [value], [])
            body[-1] = ast.Assert(ast.Compare(shown, [ast.Eq()], [ast.Constant(printed.strip())]), None)
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def parsed(source: str) -> list[ast.stmt]:
    """The statements of a cell, without magics; [] if it is no Python."""
    tree = parse(runnable(source))
    return [] if tree is None else tree.body


def bound_in(source: str) -> dict[str, bool]:
    """Name -> whether it is a function or class, for the names that a cell binds, in order."""
    names: dict[str, bool] = {}
    for node in parsed(source):
        if isinstance(node, DEFINED):
            names[node.name] = True
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    names.setdefault(inner.id, False)
    return names


def imported_in(source: str) -> dict[str, str]:
    """Name -> the import statement that binds it."""
    found = {}
    for node in parsed(source):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                one = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
                found[alias.asname or alias.name.split(".")[0]] = ast.unparse(one)
    return found


def needed_by(code: str) -> list[str]:
    """The names that some code takes from elsewhere, in order."""
    tree = ast.Module(parsed(code), [])
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)} | {
        a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)
    }
    own |= set(imported_in(code)) | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return list(dict.fromkeys(node.id for node in names if node.id not in own and not hasattr(builtins, node.id)))
