"""Check a submission's write-up: the outline comes from the rubric, the PDF from the submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.checks.formats import PDF
from autograder.checks.writeup.pages import MAX_BYTES, PROBLEMS
from autograder.checks.writeup.review import Report, check_pdf
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.paths import PACKAGE
from autograder.core.text import clean
from autograder.core.written import PLACEHOLDER
from autograder.submission.unpack import Contents, File

CAGED_PROGRAM = PACKAGE / "sandbox" / "worker_side" / "pdf_reader.py"


def outline(assignment: Assignment) -> dict[str, Any]:
    """What the check looks for; students get it as JSON. It holds the questions, but not what earns credit."""
    written = assignment.written
    return {
        "courses": list(assignment.courses),
        "collaborators_percent": written.collaborators_percent,
        "placeholder": PLACEHOLDER,
        "chapters": [
            {
                "title": chapter.title,
                "pages": chapter.pages,
                "items": [
                    {
                        "heading": item.heading,
                        "asks": item.asks,
                        "pattern": item.pattern,
                        "figure": item.figure,
                        "extra_credit": list(item.extra_credit),
                    }
                    for item in written.of_chapter(chapter)
                ],
            }
            for chapter in written.chapters
        ],
    }


def check_file(assignment: Assignment, path: Path) -> Report:
    """Check one file; raises GraderError if it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Report(missing=[PROBLEMS["size"]])
        return check_pdf(path.read_bytes(), outline(assignment), program=CAGED_PROGRAM)
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path))}: {error.strerror}") from None


def for_information(assignment: Assignment, contents: Contents, course: str) -> Report | None:
    """What a submission's author reads about its PDF; None without one (code and PDF are often two uploads)."""
    candidate = find_pdf(contents) if assignment.written.chapters else None
    if candidate is None:
        return None
    file, data, others = candidate
    too_large = Report(missing=[PROBLEMS["size"]])
    report = too_large if data is None else check_pdf(data, outline(assignment), course, CAGED_PROGRAM)
    skipped = f"; {others} other PDF{'s were' if others > 1 else ' was'} not" if others else ""
    report.notes.insert(0, f"{file.name} was checked{skipped}")
    return report


def find_pdf(contents: Contents) -> tuple[File, bytes | None, int] | None:
    """(file, its bytes or None if too large, number of others): the PDF nearest the top, the largest of several there."""
    pdfs = sorted(
        (file for file in contents.files if file.kind == PDF and file.load),
        key=lambda file: (len(file.path.parts), -file.size, str(file.path)),
    )
    if not pdfs:
        return None
    file = pdfs[0]
    try:
        return file, file.load() if file.load and file.size <= MAX_BYTES else None, len(pdfs) - 1
    except Exception:  # encrypted or damaged members: zipfile raises many kinds
        return file, b"", len(pdfs) - 1
