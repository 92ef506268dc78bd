"""build/student.zip, and the proof that it holds nothing that students must not have.

What is secret is computed from the sources (solution regions, whole solution files, hidden tests, hidden arrays, the
seed, what earns credit, where staff keep things) and looked for in every file of the zip, in the archives that notebooks
carry along too.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from autograder.authoring.masters import BUNDLE_LINE, SOLUTION, read_master, test_sources
from autograder.authoring.student_tree import checks_sources, generate
from autograder.checks.values import from_json
from autograder.core.assignment import Assignment
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.references import read_references, unpacked
from autograder.core.zips import zip_bytes

ARCHIVE = "student.zip"
SOURCES = (".py", ".ipynb", ".md", ".tex")
SHORTEST_LINE = 12  # characters: a shorter line (`return x`) tells nothing and stands in many places
FEWEST_VALUES = 4  # distinct numbers in an array before its turning up elsewhere means anything


@dataclass
class Secrets:
    """What must not be found. ``lines`` and other ``texts``: text -> what it is; ``arrays``: shapes and bytes."""

    lines: dict[str, str] = field(default_factory=dict)
    arrays: set[tuple] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)


def build_release(assignment: Assignment, solutions: Path, references: Path, build: Path) -> tuple[Path, list[str]]:
    """Write ``build/student.zip`` from newly generated files; returns its path and what was proved.

    Raises GraderError naming the first leak, and leaves no archive then.
    """
    target = build / ARCHIVE
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = generate(assignment, solutions, references, Path(folder) / "student")
        files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in files_below(tree)}
    secrets = collect(assignment, solutions, read_references(references), build)
    found = leaks(files, secrets)
    if found:
        raise GraderError(f"not built: {found[0]}" + (f" (and {len(found) - 1} more)" if len(found) > 1 else ""))
    write_whole(target, zip_bytes({f"student/{name}": data for name, data in files.items()}))
    return target, [
        f"{len(files)} files; none of {len(secrets.lines)} lines of solutions and hidden tests, "
        f"{len(secrets.arrays)} hidden arrays and {len(secrets.texts)} other secrets is in them"
    ]


def collect(assignment: Assignment, solutions: Path, references: dict, build: Path) -> Secrets:
    """All that students must not have, minus what they are given anyway."""
    secrets = Secrets()
    given: set[str] = set()
    handed_out = {m for section in assignment.sections for m in section.modules}
    for path in sorted(solutions.rglob("*")):
        name = path.relative_to(solutions).as_posix()
        if path.suffix not in SOURCES or ".student" in path.name or not path.is_file():
            continue
        secret, public = regions(path, whole=path.suffix != ".ipynb" and name.split("/")[0] not in handed_out)
        secrets.lines |= dict.fromkeys(distinctive_lines(secret), f"solutions/{name}")
        given |= set(distinctive_lines(public))
    for question in assignment.questions:
        shown, hidden = ("\n".join(test_sources(assignment, question.id, hidden_ones)) for hidden_ones in (False, True))
        secrets.lines |= dict.fromkeys(distinctive_lines(hidden), f"the hidden tests of {question.id}")
        given |= set(distinctive_lines(shown))
    for item in assignment.written.items:
        earning = [text for text in (item.full, item.half, item.none) if len(text) > 30]
        secrets.texts |= dict.fromkeys(earning, f"what earns credit in {item.id}")
    for text in checks_sources(assignment).values():
        given |= set(distinctive_lines(text))
    for line in given & set(secrets.lines):
        del secrets.lines[line]
    public_arrays = set(arrays_of(references["public"]))
    secrets.arrays = {a for packed in references["sets"] for a in arrays_of(unpacked(packed))} - public_arrays
    seed = build.parent / ".seed"
    for text in (seed.read_text().strip() if seed.exists() else "", os.environ.get("AUTOGRADER_SEED", "")):
        secrets.texts |= {text: "the seed"} if text else {}
    for place in (solutions.resolve(), build.resolve(), Path.home()):
        secrets.texts |= {str(place): "a path of the staff"} if len(str(place)) > 4 else {}
    secrets.texts |= dict.fromkeys(("assignment/bank", "assignment/inputs"), "a folder of the staff")
    return secrets


def regions(path: Path, whole: bool) -> tuple[str, str]:
    """(secret, public) text of a source: solution regions and manual answers of a master, all of a solution file."""
    if path.suffix != ".ipynb":
        text = path.read_text(encoding="utf-8")
        return (text, "") if whole else ("\n".join(SOLUTION.findall(text)), SOLUTION.sub("", text))
    secret, public, manual, inside = [], [], False, False
    for cell in read_master(path).cells:
        first = cell.source.split("\n")[0]
        if cell.cell_type == "raw":
            manual = "manual: true" in cell.source if first == "# BEGIN QUESTION" else manual and first != "# END QUESTION"
            inside = first == "# BEGIN SOLUTION" or (inside and first != "# END SOLUTION")
        elif inside and manual:
            secret.append(cell.source)
        else:
            secret += SOLUTION.findall(cell.source + "\n")
            public.append(SOLUTION.sub("", cell.source + "\n"))
    return "\n".join(secret), "\n".join(public)


def distinctive_lines(text: str) -> Iterator[str]:
    """The lines of a text that could give something away, stripped."""
    for line in map(str.strip, text.split("\n")):
        if len(line) >= SHORTEST_LINE and not line.startswith(("import ", "from ", "#", '"""', "def ", "class ")):
            yield line


def arrays_of(tree: Any) -> Iterator[tuple]:
    """Every array of numbers in a tree, by shape and values, that has enough of them to be recognised."""
    if isinstance(tree, numpy.ndarray):
        if tree.dtype.kind == "f" and len(numpy.unique(tree)) >= FEWEST_VALUES:
            yield tree.shape, tree.astype(numpy.float32).tobytes()
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from arrays_of(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from arrays_of(value)


def leaks(files: dict[str, bytes], secrets: Secrets) -> list[str]:
    """One line for each secret that stands in one of the files."""
    found = []
    for name, data in opened(files):
        text = data.decode("utf-8", errors="replace")
        lines = set(map(str.strip, text.split("\n")))
        if name.endswith(".ipynb"):
            lines |= {line.strip() for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).split("\n")}
        found += [f"{name} holds a line of {secrets.lines[line]}: {line[:60]!r}" for line in sorted(lines & set(secrets.lines))]
        found += [f"{name} holds {what}" for secret, what in secrets.texts.items() if secret in text]
        if name.endswith(".json"):
            written = set(arrays_of(from_json(json.loads(text))))
            found += [f"{name} holds a hidden array"] * len(written & secrets.arrays)
        found += [f"{name} holds a hidden array" for _, raw in secrets.arrays if raw in data]
    return found


def opened(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files, and those in the archives that notebooks carry along."""
    for name, data in files.items():
        yield name, data
        if name.endswith(".ipynb"):
            for cell in json.loads(data)["cells"]:
                match = BUNDLE_LINE.search("".join(cell["source"]))
                bundle = match.group(0).split('"')[1] if match else ""
                try:
                    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(bundle, validate=True))) if bundle else None
                except (binascii.Error, zipfile.BadZipFile):
                    raise GraderError(f"{name}: what it carries along cannot be opened") from None
                for member in archive.namelist() if archive else ():
                    yield f"{name} -> {member}", archive.read(member)
