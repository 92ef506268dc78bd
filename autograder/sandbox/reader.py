"""A PDF's text by ``kit.pdf_text``, behind the cage: bytes on stdin, JSON on stdout.

Started by ``written/writeup.py`` in place of the students' own reader: on Gradescope the judge is root, and a PDF is as
untrusted as any program.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # and not this folder, whose modules have the names of others

from autograder.sandbox import cage  # noqa: E402

# By its file: the package around it brings numpy, whose address space alone would use up the limit.
SPEC = importlib.util.spec_from_file_location("pdf_text", ROOT / "autograder" / "kit" / "pdf_text.py")
pdf_text = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pdf_text)


def shut_in() -> int:
    """Give up everything but reading Python's own libraries; returns the descriptor that still reaches the judge."""
    cage.die_with_parent()
    answer, plan = os.dup(1), cage.prepare(ROOT, [], [])
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
