"""A PDF's text by ``checks.writeup.pdf_text``, behind the cage: bytes on stdin, JSON on stdout.

Started by ``judging.writeup`` in place of the students' own reader: on Gradescope the judge is root, and a PDF is as
untrusted as any program.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[3])
if __name__ == "__main__":
    # Not this folder, whose modules have the names of others; and a checkout, where the engine is not installed.
    sys.path[:1] = [ROOT] if ROOT not in sys.path else []

# ruff: noqa: E402  # the path has to be there first
from autograder.checks.writeup import pdf_text
from autograder.sandbox import process
from autograder.sandbox.worker_side import cage


def shut_in() -> int:
    """Give up everything but reading Python's own libraries; returns the descriptor that still reaches the judge."""
    process.die_with_parent()
    answer, plan = os.dup(1), cage.prepare(Path(ROOT), [], [])
    pdf_text.limit()  # the cage lets nobody set limits, and preparing it takes memory
    cage.enter(plan, answer, 0)
    return answer


def main() -> None:
    data = sys.stdin.buffer.read()
    try:
        import pypdf  # noqa: F401
    except ImportError:
        pass  # describe says so
    answer = shut_in()
    with os.fdopen(answer, "w", encoding="utf-8") as file:
        file.write(json.dumps(pdf_text.describe(data, limited=False)))


if __name__ == "__main__":
    main()
