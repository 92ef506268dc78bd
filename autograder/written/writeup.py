"""The grader's side of the check of a write-up: the outline from the rubric, the PDF from a submission."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

from autograder.kit.reading import MAX_BYTES, PROBLEMS
from autograder.kit.writeup import Report, check_pdf
from autograder.model import Assignment, GraderError
from autograder.text import clean

PLACEHOLDER = "Write here"
CAGED_READER = Path(__file__).resolve().parents[1] / "sandbox" / "reader.py"
MAX_ENTRIES = 2000


def outline(assignment: Assignment) -> dict:
    """What the check looks for; students get it as JSON. Questions only, nothing of what earns credit."""
    written = assignment.written
    return {
        "courses": list(assignment.courses), "collaborators_percent": written.collaborators_percent, "placeholder": PLACEHOLDER,
        "chapters": [{
            "title": chapter.title, "pages": chapter.pages,
            "items": [{"heading": item.heading, "asks": item.asks, "pattern": item.pattern, "figure": item.figure,
                       "extra_credit": list(item.extra_credit)} for item in written.of_chapter(chapter)],
        } for chapter in written.chapters],
    }


def check_file(assignment: Assignment, path: Path) -> Report:
    """The check of one file; raises GraderError where it cannot be read at all."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Report(missing=[PROBLEMS["size"]])
        return check_pdf(path.read_bytes(), outline(assignment), reader=CAGED_READER)
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path))}: {error.strerror}") from None


def for_information(assignment: Assignment, submission: Path, course: str) -> Report | None:
    """What to tell the author of a submission about its PDF; None where there is none (code and PDF are often two uploads)."""
    if not assignment.written.chapters:
        return None
    found = find_pdf(submission)
    if found is None:
        return None
    name, data, others = found
    too_large = Report(missing=[PROBLEMS["size"]])
    report = too_large if data is None else check_pdf(data, outline(assignment), course, CAGED_READER)
    report.notes.insert(0, f"{clean(name)} was looked at" + (f", {others} other PDF{'s' * (others > 1)} not" if others else ""))
    return report


def find_pdf(submission: Path) -> tuple[str, bytes | None, int] | None:
    """(name, bytes or None when too large, how many others) of the PDF nearest the top, and the largest of several there."""
    if submission.is_dir():
        found = []
        for folder, _, names in os.walk(submission):
            for name in names:
                path = Path(folder, name)
                if name.lower().endswith(".pdf") and stat.S_ISREG(path.lstat().st_mode) and not name.startswith("."):
                    found.append((len(path.parts), -path.lstat().st_size, str(path.relative_to(submission))))
            if len(found) > MAX_ENTRIES:
                break

        def read(name: str) -> bytes:
            return (submission / name).read_bytes()

    elif submission.suffix.lower() == ".zip" and submission.is_file():
        try:
            archive = zipfile.ZipFile(io.BytesIO(submission.read_bytes()))
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
            return None
        found = [(m.filename.count("/"), -m.file_size, m.filename) for m in archive.infolist()[:MAX_ENTRIES]
                 if m.filename.lower().endswith(".pdf") and "__MACOSX" not in m.filename]
        read = archive.read
    else:
        return None
    if not found:
        return None
    _, size, name = min(found)
    try:
        return name, read(name) if -size <= MAX_BYTES else None, len(found) - 1
    except Exception:  # encrypted or damaged members: zipfile raises many kinds
        return name, b"", len(found) - 1
