"""The audit under another Python, with other versions of torch or numpy: which verdict moves.

The other interpreter grades with the references that were baked here, as an image with its versions would.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from autograder.authoring.audit import Audit
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import read_capped, write_whole
from autograder.core.needs import needed_versions
from autograder.core.paths import PACKAGE
from autograder.core.text import clean

MAX_BYTES = 64 << 20
SHOWN = ("kind", "item", "id", "wrong", "named")


class Against(NamedTuple):
    """``versions``: what is another one there, in words; ``moved``: a line for each outcome that is another one there."""

    versions: list[str]
    moved: list[str]


def write_outcomes(result: Audit, assignment: Assignment, path: Path) -> None:
    """Write an audit's outcomes and the versions that it ran with, as JSON."""
    outcomes = [{name: getattr(outcome, name) for name in SHOWN} for outcome in result.outcomes]
    tree = {"versions": needed_versions(assignment), "outcomes": outcomes}
    write_whole(path, (json.dumps(tree, indent=1) + "\n").encode())


def audited_by(python: str, folders: dict[str, Path], references: Path, log: Callable[[str], None]) -> dict[str, Any]:
    """What ``write_outcomes`` writes when the interpreter ``python`` runs the audit of these folders with these references.

    Raises GraderError, one line, if it cannot.
    """
    found = shutil.which(python)
    if not found:
        raise GraderError(f"there is no interpreter {clean(python, 200)}")
    with tempfile.TemporaryDirectory(prefix="against-") as folder:
        target, build = Path(folder) / "outcomes.json", Path(folder) / "build"
        options = [text for option, path in folders.items() for text in (option, os.path.abspath(path))]
        more = ["audit", "--references", os.path.abspath(references), "--outcomes", str(target)]
        alone = Path(folder) / "engine"  # beside an installed engine lie this interpreter's packages, which are not the other's
        shutil.copytree(PACKAGE, alone / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "PYTHONPATH": str(alone), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        log(f"auditing with {python}")
        done = subprocess.run(
            [found, "-m", "autograder", *options, "--build", str(build), *more],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        try:
            return _read(target)
        except (OSError, ValueError, RecursionError):
            last = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}").splitlines()[-1]
            raise GraderError(
                f"{clean(python, 200)} cannot run the audit: {clean(last, 160)}; "
                "does it have everything that constraints.txt lists?"
            ) from None


def _read(path: Path) -> dict[str, Any]:
    tree = json.loads(read_capped(path, MAX_BYTES))
    if not isinstance(tree, dict) or not isinstance(tree.get("versions"), dict) or not isinstance(tree.get("outcomes"), list):
        raise ValueError("no outcomes")
    if not all(isinstance(one, dict) and one.keys() == set(SHOWN) for one in tree["outcomes"]):
        raise ValueError("no outcomes")
    return tree


def compared(result: Audit, assignment: Assignment, other: dict[str, Any]) -> Against:
    """What is another one under the other interpreter: versions and outcomes."""
    here, there = needed_versions(assignment), other["versions"]
    versions = [
        f"{name} {here.get(name) or 'none'} here, {clean(str(there.get(name) or 'none'), 40)} there"
        for name in sorted({*here, *there})
        if here.get(name) != there.get(name)
    ]
    ours, theirs = _by_key([vars(outcome) for outcome in result.outcomes]), _by_key(other["outcomes"])
    moved = [_moved(ours[key], theirs[key]) for key in ours if key in theirs]
    only = len(ours.keys() ^ theirs.keys())
    alone = [f"{only} were audited on one side only: where the solutions are wrong, the bank is not audited"] if only else []
    return Against(versions, [*filter(None, moved), *alone])


def _by_key(outcomes: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The outcomes by what tells one from another; the solutions have one for each hidden set, in order."""
    keyed: dict[tuple[str, ...], dict[str, Any]] = {}
    for outcome in outcomes:
        name = str(outcome["kind"]), str(outcome["item"]), str(outcome["id"])
        number = sum(key[:3] == name for key in keyed) if name[0] == "solution" else 0
        keyed[name[0], name[1], name[2], str(number)] = outcome
    return keyed


def _moved(here: dict[str, Any], there: dict[str, Any]) -> str:
    """What of an outcome is another; '' if nothing is."""
    name = clean(f"{here['kind']} {here['item']} {here['id']}", 120)
    if here["wrong"] != there["wrong"]:
        one, other = (clean(str(outcome["wrong"] or "as expected"), 200) for outcome in (here, there))
        return f"{name}: {one} here, {other} there"
    if here["named"] != there["named"]:
        return f"{name}: recognised {'here' if here['named'] else 'there'} only"
    return ""
