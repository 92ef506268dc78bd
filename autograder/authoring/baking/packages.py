"""The packages that the solutions import: students' code may only import those that the assignment lists."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.needs import REQUIREMENTS, available_to_students
from autograder.sandbox.names import FOR_STUDENTS, PACKAGES
from autograder.submission.fitting import imported_modules
from autograder.submission.sections import Submission

STAND_INS = frozenset([*PACKAGES, *FOR_STUDENTS, "otter"])
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def refuse_unlisted(assignment: Assignment, solutions: Path, submission: Submission) -> None:
    """Raise GraderError for the first package that the solutions import and that requirements.in does not list.

    What a listed package requires itself counts as listed. A package that is not installed here is not judged: the solutions
    run without it; nor is an import inside of ``try``, whose failure they expect.
    """
    providers = importlib.metadata.packages_distributions()
    allowed = _with_requirements(available_to_students(assignment))
    given = {name for section in assignment.sections for name in _imported(ast.parse(section.prelude))}  # which probes replace
    beside = {path.stem for path in solutions.iterdir()} | {assignment.checks_package, *given}
    for file, tree in _sources(assignment, submission):
        for name in sorted(set(_imported(tree)) - beside - STAND_INS - sys.stdlib_module_names):
            sources = {canonical(provider) for provider in providers.get(name, ())}
            if sources and not (sources | {canonical(name)}) & allowed:
                raise GraderError(
                    f"{file} imports {name}, which assignment/{REQUIREMENTS} does not list: add {min(sources)} there, "
                    "or students' code cannot import it where it is graded"
                )


def _sources(assignment: Assignment, submission: Submission) -> Iterator[tuple[str, ast.AST]]:
    """(file, node) of all statements of the notebooks and of the modules beside them."""
    for section in assignment.sections:
        parsed = submission.sections[section.id].parsed
        for statement in parsed.statements if parsed else ():
            yield (f"solutions/{parsed.document.name}" if parsed else ""), statement.node
    for module, source in submission.modules.items():
        if module.partition(".")[0] in {name for section in assignment.sections for name in section.imported}:
            try:
                yield f"solutions/{module.replace('.', '/')}.py", ast.parse(source)
            except (SyntaxError, ValueError):  # told where it is imported
                continue


def _imported(tree: ast.AST) -> Iterator[str]:
    """The top-level names of what is imported, wherever inside, but not in a ``try``."""
    if isinstance(tree, ast.Try):
        return
    if isinstance(tree, ast.Import) or (isinstance(tree, ast.ImportFrom) and not tree.level):
        yield from (name.partition(".")[0] for name in imported_modules(tree))
    for child in ast.iter_child_nodes(tree):
        yield from _imported(child)


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it: in lower case, with dashes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _with_requirements(names: list[str]) -> set[str]:
    """These distributions and all that they require, without extras; those that are not installed only by name."""
    found: set[str] = set()
    pending = [canonical(name) for name in names]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        plain = [line for line in required if "extra ==" not in line]
        pending += [canonical(match[0]) for line in plain if (match := NAME.match(line))]
    return found
