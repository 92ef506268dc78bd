"""How long staff wait for `make audit`. Not part of a quick run: minutes each."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from bench.report import ROOT, Measured, Size
from bench.submission import wall

SAYS = 'says = "'


def measure(size: Size) -> Measured:
    if size.quick:
        return Measured()
    return Measured(audits(ROOT))


def audits(project: Path) -> dict[str, float]:
    """Seconds of an audit of a copy of the project in which nothing is baked or known, and after a mistake's hint changed."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for tree in ("assignment", "solutions", "student"):
            if (project / tree).exists():
                shutil.copytree(project / tree, copy / tree, ignore=shutil.ignore_patterns("__pycache__", "checkpoints"))
        command = [sys.executable, "-m", "autograder", "audit"]
        seconds = {"audit.whole": wall(command, copy, AUTOGRADER_SEED="the bench's")}
        bank = next(path for path in sorted((copy / "assignment" / "bank").glob("*.toml")) if SAYS in path.read_text())
        bank.write_text(bank.read_text().replace(SAYS, f"{SAYS}look again: ", 1))
        return seconds | {"audit.incremental": wall(command, copy, AUTOGRADER_SEED="the bench's")}
