"""``checks.writeup.pdf_text`` in the cage: a PDF on stdin, its text as JSON on stdout.

Started by ``judging.writeup`` instead of the students' reader: on Gradescope the judge is root, and a PDF is as untrusted
as any program.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])
if __name__ == "__main__":
    # Remove this folder, whose module names clash with others; add the checkout if the engine is not installed.
    sys.path[:1] = [ROOT] if ROOT not in sys.path else []

# ruff: noqa: E402  # these imports need the path above
from autograder.checks.writeup import pdf_text
from autograder.sandbox import process
from autograder.sandbox.worker_side import cage, users


def shut_in() -> int:
    """Enter the cage, keeping only read access to Python's libraries; returns the descriptor that leads to the judge."""
    process.die_with_parent()
    answer, plan = os.dup(1), cage.prepare(Path(ROOT), [], [])
    pdf_text.limit()  # before the cage, which forbids it, but after its preparation, which needs memory
    cage.enter(plan, answer, users.PDF_READER)
    return answer


def main() -> None:
    data = sys.stdin.buffer.read()
    with contextlib.suppress(ImportError):  # reported by describe
        import pypdf  # noqa: F401  # before the cage closes
    answer = shut_in()
    with os.fdopen(answer, "w", encoding="utf-8") as file:
        file.write(json.dumps(pdf_text.describe(data, limited=False)))


if __name__ == "__main__":
    main()
