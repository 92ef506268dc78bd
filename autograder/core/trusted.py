"""The assignment's own Python, which staff wrote and we trust: rules, inputs, helpers; and the sources that its probes are.

Everything is loaded under a name of its own, so that several assignments live beside each other in one process.
"""

from __future__ import annotations

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

RULES, INPUTS, HELPERS = "rules", "inputs", "trusted_helpers"


def load_part(folder: Path, name: str) -> types.ModuleType:
    """The package ``folder/name/`` or the module ``folder/name.py``, loaded anew.

    Raises GraderError where there is neither, or where it fails, with the line.
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
    found = importlib.util.module_from_spec(spec)
    sys.modules[unique] = found
    with blamed(folder):
        spec.loader.exec_module(found)
    return found


@contextlib.contextmanager
def blamed(folder: Path) -> Iterator[None]:
    """Whatever goes wrong inside becomes a GraderError that names the last line of the assignment's own code."""
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
    """The assignment's verdict rules; without any, a module that recognises nothing and draws nothing.

    ``signature(id, value, case)``: what an answer does, as an array, for comparing mistakes; ``wanted_weights(id, case)``: where
    its attention should go, for pictures. Both may give None.
    """
    found = types.ModuleType(RULES)
    if any((assignment.folder / name).exists() for name in (RULES, f"{RULES}.py")):
        found = load_part(assignment.folder, RULES)
    for name in ("signature", "wanted_weights"):
        if not hasattr(found, name):
            setattr(found, name, lambda *_: None)
    return found


def probe_sources(assignment: Assignment, section: Section) -> dict[str, str]:
    """Module -> source of a section's probes; {} where it has none. Sent to workers, which cannot read our folders."""
    folder = assignment.folder / section.probes
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))} if section.probes else {}
