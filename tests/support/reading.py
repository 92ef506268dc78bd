"""Read a submission as the grader does, without judging it."""

from __future__ import annotations

from pathlib import Path

from autograder.core.loading import load_assignment
from autograder.judging.reading import Reader
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")


def written(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path) -> tuple[Reader, dict, list[str]]:
    """The reader, closed, what it found for each section, and all notes."""
    with Reader(ASSIGNMENT, folder) as reader:
        found, notes = reader.sections
        for section in ASSIGNMENT.sections:
            if plan := found[section.id].plan:
                plan.program(ASSIGNMENT.of_section(section))
    return reader, found, [*notes, *(note for one in found.values() for note in one.notes)]


def many(text: str, count: int) -> str:
    return "".join(text.format(i, i + 1) for i in range(count))
