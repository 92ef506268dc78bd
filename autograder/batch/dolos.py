"""A class as Dolos takes it (dolos.ugent.be): one Python file of everyone's own graded code, and an info.csv that says whose.

Nothing is sent anywhere: staff decide where the file goes, since it holds names and code.
"""

from __future__ import annotations

import datetime as dt
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from autograder.batch.people import Entry
from autograder.batch.roster import Roster
from autograder.batch.similarity import code_of, starters_statements
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import same_file, write_whole
from autograder.core.moments import moment
from autograder.core.tables import csv_text
from autograder.core.text import cell, clean
from autograder.core.zips import zip_bytes
from autograder.sandbox.judge_side.apart import Ended

INFO, HEADER = "info.csv", ["filename", "label", "created_at", "full_name"]


def refuse_target(path: Path, folder: Path, inputs: dict[str, Path | None]) -> None:
    """Raise GraderError if the zip file would take the place of an input, or of anything but an earlier one.

    ``inputs``: what else the command reads, by what it is, besides the ``folder`` of submissions.
    """
    named = clean(str(path), 200)
    for role, other in {"the submissions": folder, **inputs}.items():
        if other and same_file(path, other):
            raise GraderError(f"--dolos: {named} is {role} and would be overwritten: name another file")
    if Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents:
        raise GraderError(f"--dolos: {named} would lie among the submissions and be taken for one: name a file elsewhere")
    if os.path.lexists(path) and not _is_ours(path):
        raise GraderError(f"--dolos: {named} exists and is no file that `alike --dolos` wrote: name another file")


def _is_ours(path: Path) -> bool:
    """Whether a file is a zip with nothing but Python files and our info.csv."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(INFO) as info:
            first = info.read(1000).split(b"\n")[0].decode().strip()
            return first == ",".join(HEADER) and all(name == INFO or name.endswith(".py") for name in archive.namelist())
    except (OSError, ValueError, KeyError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile):
        return False


def write_dolos(
    path: Path,
    assignment: Assignment,
    roster: Roster,
    starter: Path,
    tell: Callable[[str], None] = lambda line: None,
) -> int:
    """Write the zip file, readable by its owner only; returns how many submissions are in it.

    ``tell`` gets a line about each submission that takes too much. Raises NotWritten.
    """
    given = starters_statements(assignment, starter)
    rows, members = [HEADER], dict[str, bytes]()
    for entry in roster.entries:
        try:
            code = code_of(assignment, entry.path, given)
        except Ended as error:
            tell(f"{entry.id} is not in {path.name}: {error}")
            continue
        if code.strip():
            name = f"{entry.id}.py"
            members[name] = code.encode("utf-8", "replace")
            rows.append([name, cell(entry.people[0].course), _time(entry), cell(", ".join(p.label for p in entry.people))])
    write_whole(path, zip_bytes({**members, INFO: csv_text(rows, end="\n").encode()}, {}), 0o600)
    return len(members)


def _time(entry: Entry) -> str:
    """When it was submitted, as Dolos reads it; '' if the export does not say."""
    time = moment(entry.created, dt.timezone.utc)
    return f"{time:%Y-%m-%d %H:%M:%S %z}" if time else ""
