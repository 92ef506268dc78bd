"""A PDF's text by ``kit.pdf_text``, behind the cage: bytes on stdin, JSON on stdout.

Started by ``written/writeup.py`` in place of the students' own reader: on Gradescope the judge is root, and a PDF is as
untrusted as any program.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # and not this folder, whose modules have the names of others

from autograder.kit import pdf_text  # noqa: E402
from autograder.sandbox import cage  # noqa: E402


def shut_in() -> int:
    """Give up everything but reading Python's own libraries; returns the descriptor that still reaches the judge."""
    cage.die_with_parent()
    answer = os.dup(1)
    cage.enter(cage.prepare(ROOT, [], []), answer, 0)
    return answer


def main() -> None:
    data = sys.stdin.buffer.read()
    try:
        import pypdf  # noqa: F401
    except ImportError:
        pass  # describe says so
    answer = shut_in()
    with os.fdopen(answer, "w", encoding="utf-8") as file:
        file.write(json.dumps(pdf_text.describe(data)))


if __name__ == "__main__":
    main()
