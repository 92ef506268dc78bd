"""Reads the lines of a PDF's pages. The PDF is untrusted: pypdf runs in a separate process with limits."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .pdf_text import PICTURE

PROGRAM = Path(__file__).with_name("pdf_text.py")
DEADLINE = 30.0
MAX_BYTES, MAX_ANSWER = 100 << 20, 16 << 20
KEPT_ENVIRONMENT = ("PATH", "HOME", "SYSTEMROOT", "APPDATA", "USERPROFILE", "LANG", "PYTHONPATH", "VIRTUAL_ENV")
HEADER_WITHIN = 1024  # bytes: where readers look for the mark of a PDF
FEW_LETTERS = 25  # a page with fewer has no real text, only a page number or a scanner's mark
EDGE = 3  # lines at the top and bottom of a page that may be a header or footer
PAGE_NUMBER = re.compile(r"^[\s|–—-]*(?:page\s*|p\.\s*)?(\d{1,3})(?:\s*(?:of|/)\s*\d{1,3})?[\s|–—-]*$", re.IGNORECASE)
PROBLEMS = {
    "pypdf": "the PDF was not checked: pypdf is not installed (pip install pypdf)",
    "encrypted": "the PDF is encrypted: export it again without a password or protection",
    "damaged": "the PDF does not open: it is damaged; export it again and open it yourself before you submit",
    "no PDF": "the file is not a PDF: export your write-up as a PDF, and open that before you submit",
    "memory": "the PDF needs more memory than a grader's computer would give it: export it again, with smaller pictures",
    "time": "the PDF takes too long to open: export it again, with simpler pictures",
    "empty": "the file is empty: export it again",
    "size": f"the file is over {MAX_BYTES >> 20} MB: export it again, with smaller pictures",
}


@dataclass
class Pages:
    """A PDF that was read: ``count`` pages in total, and the ``lines`` of the first ones with the index of each line's page.

    ``drawn``: how many long lines each of these pages draws; ``scanned``: the pages with a picture but no text.
    """

    count: int
    lines: list[str]
    page: list[int]
    drawn: list[int]
    scanned: list[int]


def read_pdf(data: bytes, program: Path | None = None) -> dict[str, Any]:
    """Return ``{"pages": count, "text": [str, …], "lines": [count, …]}`` or ``{"problem": key of PROBLEMS}``.

    Runs the program ``program`` (default: :mod:`pdf_text`) in a separate process; every field of its output is validated.
    """
    if not data.strip():
        return {"problem": "empty"}
    if len(data) > MAX_BYTES:
        return {"problem": "size"}
    if b"%PDF" not in data[:HEADER_WITHIN]:
        return {"problem": "no PDF"}
    answer, slow = run_program(data, program or PROGRAM)
    try:
        tree = json.loads(answer)
        if "problem" in tree:
            return {"problem": tree["problem"] if tree["problem"] in PROBLEMS else "damaged"}
        text = [visible(str(page)) for page in tree["text"]]
        drawn = [int(count) for count in tree["lines"]]
        return {"pages": int(tree["pages"]), "text": text, "lines": [*drawn, *[0] * len(text)][: len(text)]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"problem": "time" if slow else "damaged"}


def run_program(data: bytes, program: Path) -> tuple[bytes, bool]:
    """What the program prints, up to just over MAX_ANSWER bytes, and whether it was killed for taking too long."""
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        process = subprocess.Popen(
            [sys.executable, str(program)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    assert process.stdout is not None  # it is a pipe
    timer = threading.Timer(DEADLINE, process.kill)
    timer.start()
    try:
        answer = process.stdout.read(MAX_ANSWER + 1)
        flood = len(answer) > MAX_ANSWER
        if flood:
            process.kill()
        slow = process.wait() in (-9, -24) and not flood  # killed by the timer or by the processor limit
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    return answer, slow


def visible(text: str) -> str:
    """Normalise text: split ligatures, join words hyphenated at line ends, remove control and invisible characters."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c if c == "\n" or unicodedata.category(c)[0] not in "CZ" else " " for c in text)
    return re.sub(r"(\w)-\n(\w)", r"\1\2", text)


def letters_of(text: str) -> int:
    return sum(c.isalnum() for c in text)


def pages_of(count: int, text: list[str], drawn: list[int]) -> Pages:
    """All lines except blank ones, headers and footers."""
    pages = without_furniture([[line for line in words.split("\n") if line.strip()] for words in text])
    numbered = [(number, line) for number, lines in enumerate(pages) for line in lines]
    scanned = [number for number, words in enumerate(text) if PICTURE in words and letters_of(words) < FEW_LETTERS]
    return Pages(count, [line for _, line in numbered], [number for number, _ in numbered], drawn, scanned)


def without_furniture(pages: list[list[str]]) -> list[list[str]]:
    """Remove page numbers, headers and footers: lines found at the same edge of most pages and nowhere else."""
    seen = Counter(key for number, lines in enumerate(pages) for key in set(edges(number, lines).values()))
    anywhere = Counter(line.strip() for lines in pages for line in lines)
    some = sum(map(bool, pages))

    def furniture(side: str, key: int | str) -> bool:
        if isinstance(key, int):
            return seen[side, key] >= max(2, some / 2) or (some == key == 1)
        return seen[side, key] >= max(3, some * 0.6) and anywhere[key] <= seen[side, key]

    def kept(number: int, lines: list[str]) -> list[str]:
        removed = {at for at, edge in edges(number, lines).items() if furniture(*edge)}
        return [line for at, line in enumerate(lines) if at not in removed]

    return [kept(number, lines) for number, lines in enumerate(pages)]


def edges(number: int, lines: list[str]) -> dict[int, tuple[str, int | str]]:
    """Index -> (side, key) of the lines at the top and bottom of a page.

    The key is the offset of the printed page number from ``number`` if there is nothing else in the line, otherwise its text
    without the page number.
    """
    own = rf"^{number + 1}\b(?![/.:])|\b{number + 1}(?=(?:\s*(?:of|/)\s*\d+)?\W*$)"
    keys: dict[int, tuple[str, int | str]] = {}
    for at, line in enumerate(lines):
        side = "top" if at < EDGE else "foot" if at >= len(lines) - EDGE else ""
        if side and PICTURE not in line:
            alone = PAGE_NUMBER.match(line)
            keys[at] = (side, int(alone[1]) - number if alone else re.sub(own, "#", line.strip(), count=1))
    return keys
