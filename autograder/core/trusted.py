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
    """The assignment's verdict rules, with defaults for what is optional: functions that return None, and empty data.

    ``signature(id, value, case)`` describes an answer's behaviour as an array, to compare it with known mistakes;
    ``wanted_weights(id, case)`` is the attention that pictures show as the target, and
    ``weights_of(id, value, case)`` that of an answer which is a value; ``teller(probe, world)`` has an ``answer``
    to what a probe asks while it runs, and an ``account``, which becomes the observation's "told"; ``right_value(name, case)``
    is a right answer of that name, for answers that are computed from it; ``broken_property(id, case, result)`` says
    what a wrong result breaks. Each may return None.

    For diagnosis (``checks.diagnosis``): ``reason(id, value, case, context)`` tells (concept, sentence) about a wrong value;
    ``CONCEPTS``: concept -> the question about a line; ``ABOUT``: question id -> the concept of its known mistakes, of one by
    ``(id, mistake)``; ``STEPS``: question id -> the functions that its composite calls, in order; ``EDITS``: (concept, find,
    put), and ``STATEMENTS``: (concept, code), which may repair an answer; ``WORTH``: question id -> how many
    edits its probe is tried with.
    """
    rules = types.ModuleType(RULES)
    if any((assignment.folder / name).exists() for name in (RULES, f"{RULES}.py")):
        rules = load_part(assignment.folder, RULES)
    for name in ("signature", "wanted_weights", "weights_of", "teller", "right_value", "broken_property", "reason"):
        if not hasattr(rules, name):
            setattr(rules, name, lambda *_: None)
    for name, nothing in (("CONCEPTS", {}), ("ABOUT", {}), ("STEPS", {}), ("WORTH", {}), ("EDITS", ()), ("STATEMENTS", ())):
        if not hasattr(rules, name):
            setattr(rules, name, nothing)
    return rules


def helpers_beside(assignment: Assignment) -> tuple[str, list[str]]:
    """The source of the helpers that run beside student code, and their names: its public functions ('' and [] without any).

    Each takes the student's version, their names, and the ids of the questions that it lost; it returns a correct version.
    """
    path = assignment.folder / f"{BESIDE}.py"
    if not path.is_file():
        return "", []
    with blamed(assignment.folder):
        source = path.read_text(encoding="utf-8")
        body = ast.parse(source, str(path)).body
    return source, [node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def probe_sources(assignment: Assignment, section: Section) -> dict[str, str]:
    """Module -> source of a section's probes ({} if it has none), for workers, which cannot read the assignment's folder."""
    if not section.probes:
        return {}
    folder = assignment.folder / section.probes
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
