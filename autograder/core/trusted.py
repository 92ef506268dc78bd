"""The assignment's own Python code, which is trusted: rules, inputs and helpers; and the source of its probes.

Every module is loaded under a unique name, so that one process can hold several assignments.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path

from autograder.checks.hooks import with_defaults
from autograder.core.assignment import Assignment, Section
from autograder.core.errors import GraderError
from autograder.core.text import clean

RULES, INPUTS, HELPERS, BESIDE = "rules", "inputs", "trusted_helpers", "helpers_beside"


def load_part(folder: Path, name: str) -> types.ModuleType:
    """Load (again) the package ``folder/name/`` or the module ``folder/name.py``.

    Raises GraderError if there is neither, or if it fails, with the line of the failure.
    """
    package, module = folder / name / "__init__.py", folder / f"{name}.py"
    path = package if package.is_file() else module
    if not path.is_file():
        raise GraderError(f"the assignment has no {name}.py or {name}/ in {clean(str(folder), 200)}")
    unique = f"{name}_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
    for old in [m for m in sys.modules if m == unique or m.startswith(unique + ".")]:
        del sys.modules[old]
    spec = importlib.util.spec_from_file_location(
        unique, path, submodule_search_locations=[str(package.parent)] if path == package else None
    )
    if spec is None or spec.loader is None:
        raise GraderError(f"{clean(str(path), 200)} cannot be imported")
    part = importlib.util.module_from_spec(spec)
    sys.modules[unique] = part
    with blamed(folder):
        spec.loader.exec_module(part)
    if path == module:
        part.__name__ = name  # in Python's messages; a package's name is needed for its own imports
    return part


@contextlib.contextmanager
def blamed(folder: Path) -> Iterator[None]:
    """Turn any exception raised inside into a GraderError that names the last line of the assignment's own code."""
    try:
        yield
    except GraderError:
        raise
    except (Exception, SystemExit) as error:
        raise GraderError(f"{_place(folder, error)}{type(error).__name__}: {clean(str(error), 200)}") from error


def _place(folder: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        places = [(error.filename, error.lineno)]
    else:
        places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    for file, line in reversed(places):
        with contextlib.suppress(ValueError):
            return f"{Path(file).resolve().relative_to(folder.resolve()).as_posix()}, line {line}: "
    return f"{clean(str(folder), 200)}: "


def load_rules(assignment: Assignment) -> types.ModuleType:
    """The assignment's verdict rules, with defaults for what is optional (see ``checks.hooks``); it may have none at all.

    Raises GraderError if its folder is gone, which is not the same.
    """
    if not assignment.folder.is_dir():
        raise GraderError(f"the assignment's folder is gone: {clean(str(assignment.folder), 200)}")
    there = any((assignment.folder / name).exists() for name in (RULES, f"{RULES}.py"))
    return with_defaults(load_part(assignment.folder, RULES) if there else types.ModuleType(RULES))


def helpers_beside(assignment: Assignment) -> tuple[str, list[str]]:
    """The source of the helpers that run beside student code, and their names: its public functions ('' and [] without any).

    Each takes the student's version, their names, and the ids of the questions that it lost; it returns a correct version.
    Raises GraderError, one line, for a file that is not made of such functions.
    """
    path = assignment.folder / f"{BESIDE}.py"
    if not path.is_file():
        return "", []
    with blamed(assignment.folder):
        source = path.read_text(encoding="utf-8")
        body = ast.parse(source, str(path)).body
    helpers = [node for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    _refuse_other_forms(body, helpers)
    return source, [node.name for node in helpers]


DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
BESIDE_FORM = (
    f"should be a function `NAME(theirs, names, lost)` that returns a right NAME, see {BESIDE}.py in docs/authoring.md"
)


def _refuse_other_forms(body: list[ast.stmt], helpers: list[ast.FunctionDef]) -> None:
    """Raise GraderError unless a file of helpers only defines things, and each helper takes three arguments and returns one."""
    for node in body:
        if not isinstance(node, DEFINITIONS) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            raise GraderError(f"{BESIDE}.py, line {node.lineno}: it should only define helpers: each {BESIDE_FORM}")
    if not helpers:
        raise GraderError(f"{BESIDE}.py defines no helper: each {BESIDE_FORM}")
    for helper in helpers:
        required = [*helper.args.posonlyargs, *helper.args.args]
        takes = len(required) - len(helper.args.defaults) <= 3 <= len(required) or helper.args.vararg is not None
        returns = any(isinstance(inner, ast.Return) and inner.value is not None for inner in _own_nodes(helper))
        if not takes or not returns:
            raise GraderError(f"{BESIDE}.py, line {helper.lineno}: {helper.name} {BESIDE_FORM}")


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """All nodes in a function's body, without those of functions and classes in it."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def probe_sources(assignment: Assignment, section: Section) -> dict[str, str]:
    """Module -> source of a section's probes ({} if it has none), for workers, which cannot read the assignment's folder."""
    if not section.probes:
        return {}
    folder = assignment.folder / section.probes
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
