"""The modules beside a notebook: where their masters are, and which of them students are given complete."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.submission.fitting import imported_modules
from autograder.submission.sections import Submission

MARKERS = ("# SOLUTION", "BEGIN SOLUTION", "END SOLUTION", "BEGIN TESTS")


def module_of(solutions: Path, module: str) -> Path:
    """The master of a module: a folder, or a .py file. Raises GraderError if it is not there."""
    path = solutions / module
    if not (path.is_file() if module.endswith(".py") else path.is_dir()):
        kind = "file" if module.endswith(".py") else "folder"
        raise GraderError(f"rubric.toml: modules: there is no {kind} {module} in {clean(str(solutions), 200)}")
    return path


def given_modules(assignment: Assignment, solutions: Path) -> dict[str, dict[str, str]]:
    """Section id -> dotted name -> source of the modules that students are given complete: those without a solution."""
    given: dict[str, dict[str, str]] = {}
    for section in assignment.sections:
        for module in section.modules:
            master = module_of(solutions, module)
            files = [path for path in module_files(master) if path.suffix == ".py"]
            sources = {
                ".".join(path.relative_to(solutions).with_suffix("").parts): path.read_text(encoding="utf-8") for path in files
            }
            if not any(marker in source for source in sources.values() for marker in MARKERS):
                given.setdefault(section.id, {}).update(sources)
    return given


def refuse_ungiven(assignment: Assignment, solutions: Path, submission: Submission) -> None:
    """Raise GraderError if a notebook of the solutions, or a module that it imports, imports one that students do not get."""
    beside = {name for name in (module.partition(".")[0] for module in submission.modules) if _path_of(solutions, name)}
    for section in assignment.sections:
        parsed = submission.sections[section.id].parsed
        pending: list[ast.AST] = [statement.node for statement in parsed.statements] if parsed else []
        seen: set[str] = set()
        while pending:
            new = (_imported(pending.pop()) & beside) - seen
            if ungiven := sorted(new - section.imported.keys()):
                raise GraderError(
                    f"{_path_of(solutions, ungiven[0])} is imported by the solutions and not given to students: "
                    f"add it to `modules` of section {section.id} in rubric.toml"
                )
            seen |= new
            pending += (node for name in new for node in _nodes_of(name, submission))


def _path_of(solutions: Path, name: str) -> str:
    """The file or folder of the solutions that is imported by this name; '' if there is none."""
    if (solutions / f"{name}.py").is_file():
        return f"{name}.py"
    return name if (solutions / name).is_dir() else ""


def _imported(node: ast.AST) -> set[str]:
    """The names of the modules that a node imports, wherever inside, without those of its own package."""
    inner = (n for n in ast.walk(node) if isinstance(n, ast.Import) or (isinstance(n, ast.ImportFrom) and not n.level))
    return {name for one in inner for name in imported_modules(one)}


def _nodes_of(name: str, submission: Submission) -> Iterator[ast.AST]:
    """The statements of a module and of all that lie in its folder."""
    for module, source in submission.modules.items():
        if module.partition(".")[0] == name:
            with contextlib.suppress(SyntaxError, ValueError):  # told where it is imported
                yield from ast.parse(source).body


def module_files(module: Path) -> list[Path]:
    """The files of a module: itself, or all in its folder."""
    return files_below(module) if module.is_dir() else [module]
