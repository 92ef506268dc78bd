"""build/student.zip, and a check that it contains nothing secret.

Secrets are computed from the sources (solution regions, whole solution files, hidden tests, hidden arrays, the seed, the
rubric's criteria, the staff's paths) and searched for in every file of the zip, also in the archives inside notebooks.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.authoring.baking.marked import BEGIN, END
from autograder.authoring.bundle import unbundled, without_comments
from autograder.authoring.masters import SOLUTION, read_master, sources_of_tests
from autograder.authoring.student_tree import checks_sources, generate
from autograder.checks.values import from_json
from autograder.core.assignment import Assignment
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.references import read_references, unpacked
from autograder.core.resubmission import FACTS
from autograder.core.strict import read_toml
from autograder.core.zips import zip_bytes

ARCHIVE = "student.zip"
SOURCES = (".py", ".ipynb", ".md", ".tex")
MIN_LINE = 12  # characters; shorter lines (`return x`) occur in many places and give nothing away
MIN_VALUES = 4  # distinct numbers in an array; arrays with fewer coincide by chance

ArrayKey = tuple[tuple[int, ...], bytes]  # shape and float32 bytes


@dataclass
class Secrets:
    """What students must not get. ``lines``, ``texts``: secret -> description; ``texts`` may also be parts of lines."""

    lines: dict[str, str] = field(default_factory=dict)
    arrays: set[ArrayKey] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)


def build_release(
    assignment: Assignment, solutions: Path, references: Path, build: Path, proof: Callable[[Path], str] | None = None
) -> tuple[Path, list[str]]:
    """Generate the student tree and write ``build/student.zip``; returns its path and a summary of the check.

    ``proof``: tries the tree; returns a line for the summary. If a secret would leak, or the proof raises GraderError, that
    names the first problem and no archive is left.
    """
    target = build / ARCHIVE
    proved = []
    with tempfile.TemporaryDirectory() as folder:
        tree = generate(assignment, solutions, references, Path(folder) / "student")
        files = {path.relative_to(tree).as_posix(): path.read_bytes() for path in files_below(tree)}
        if proof:
            target.unlink(missing_ok=True)
            proved = [proof(tree)]
    secrets = collect(assignment, solutions, read_references(references), build)
    leaked = leaks(files, secrets)
    if leaked:
        target.unlink(missing_ok=True)
        raise GraderError(f"not built: {leaked[0]}" + (f" (and {len(leaked) - 1} more)" if len(leaked) > 1 else ""))
    write_whole(target, zip_bytes({f"student/{name}": data for name, data in files.items()}))
    summary = (
        f"{len(files)} files; they contain none of {len(secrets.lines)} lines of solutions and hidden tests, "
        f"{len(secrets.arrays)} hidden arrays and {len(secrets.texts)} other secrets"
    )
    return target, [summary, *proved]


def warnings(assignment: Assignment) -> list[str]:
    """What students will miss, in a line each. Raises GraderError if course.toml is no TOML."""
    facts = read_toml(assignment.folder / FACTS) if (assignment.folder / FACTS).exists() else {}
    links = facts.get("links")
    if isinstance(links, dict) and links.get("questions", "not in this handout") == "":
        return [f"{FACTS}: `questions` in [links] is empty: students read 'tell the staff' and find no address; set it"]
    return []


def collect(assignment: Assignment, solutions: Path, references: dict[str, Any], build: Path) -> Secrets:
    """Everything that students must not get, without what they are given anyway."""
    sources = checks_sources(assignment)
    carried = [without_comments(text) for name, text in sources.items() if name.endswith(".py")]
    given: set[str] = {line for text in (*sources.values(), *carried) for line in distinctive_lines(text)}
    lines: dict[str, str] = {}
    for origin, secret, public in [*_solution_texts(assignment, solutions), *_test_texts(assignment)]:
        lines |= dict.fromkeys(distinctive_lines(secret), origin)
        given |= set(distinctive_lines(public))
    hidden_arrays = {array for packed in references["sets"] for array in arrays_of(unpacked(packed))}
    return Secrets(
        {line: origin for line, origin in lines.items() if line not in given},
        hidden_arrays - set(arrays_of(references["public"])),
        _other_secrets(assignment, solutions, build)
        | {
            references["choice"]: "the key that chooses hidden sets",
            references["receipt"]: "the key that signs results",
        },
    )


def _solution_texts(assignment: Assignment, solutions: Path) -> Iterator[tuple[str, str, str]]:
    """(origin, secret text, public text) of every file of the solutions."""
    modules = {module for section in assignment.sections for module in section.modules}
    for path in sorted(solutions.rglob("*")):
        name = path.relative_to(solutions).as_posix()
        if path.suffix in SOURCES and ".student" not in path.name and path.is_file():
            secret, public = regions(path, whole=path.suffix != ".ipynb" and name.split("/")[0] not in modules)
            yield f"solutions/{name}", secret, public


def _test_texts(assignment: Assignment) -> Iterator[tuple[str, str, str]]:
    """(origin, hidden tests, public tests) of every question."""
    for question in assignment.questions:
        public, hidden = ("\n".join(sources_of_tests(assignment, question.id, hidden)) for hidden in (False, True))
        yield f"the hidden tests of {question.id}", hidden, public


def _other_secrets(assignment: Assignment, solutions: Path, build: Path) -> dict[str, str]:
    """Secret text -> description: the rubric's criteria, the seed, the staff's paths and folders."""
    texts: dict[str, str] = {}
    for item in assignment.written.items:
        criteria = [text for text in (item.full, item.half, item.none) if len(text) > 30]
        texts |= dict.fromkeys(criteria, f"what earns credit in {item.id}")
    seed = build.parent / ".seed"
    seeds = (seed.read_text().strip() if seed.exists() else "", os.environ.get("AUTOGRADER_SEED", ""))
    texts |= {text: "the seed" for text in seeds if text}
    paths = [str(path) for path in (solutions.resolve(), build.resolve(), Path.home())]
    texts |= {path: "a path of the staff" for path in paths if len(path) > 4}
    return texts | dict.fromkeys(("assignment/bank", "assignment/inputs"), "a folder of the staff")


def regions(path: Path, whole: bool) -> tuple[str, str]:
    """(secret, public) text of a source file.

    Secret are the solution regions and manual answers of a master, or all of the file if ``whole``.
    """
    if path.suffix != ".ipynb":
        text = path.read_text(encoding="utf-8")
        return (text, "") if whole else ("\n".join(SOLUTION.findall(text)), SOLUTION.sub("", text))
    secret, public, manual, inside = [], [], False, False
    for cell in read_master(path).cells:
        first = cell.source.split("\n")[0]
        if cell.cell_type == "raw":
            manual = "manual: true" in cell.source if first == BEGIN else manual and first != END
            inside = first == "# BEGIN SOLUTION" or (inside and first != "# END SOLUTION")
        elif inside and manual:
            secret.append(cell.source)
        else:
            secret += SOLUTION.findall(cell.source + "\n")
            public.append(SOLUTION.sub("", cell.source + "\n"))
    return "\n".join(secret), "\n".join(public)


def distinctive_lines(text: str) -> Iterator[str]:
    """The stripped lines of a text that could give something away."""
    for line in map(str.strip, text.split("\n")):
        if len(line) >= MIN_LINE and not line.startswith(("import ", "from ", "#", '"""', "def ", "class ")):
            yield line


def arrays_of(tree: Any) -> Iterator[ArrayKey]:
    """Every float array in a tree that has enough distinct values to be recognised."""
    if isinstance(tree, np.ndarray):
        if tree.dtype.kind == "f" and len(np.unique(tree)) >= MIN_VALUES:
            yield tree.shape, tree.astype(np.float32).tobytes()
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from arrays_of(value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from arrays_of(value)


def leaks(files: dict[str, bytes], secrets: Secrets) -> list[str]:
    """One message for each secret that one of the files contains."""
    messages = []
    for name, data in opened(files):
        text = data.decode("utf-8", errors="replace")
        lines = set(map(str.strip, text.split("\n")))
        if name.endswith(".ipynb"):
            lines |= {line.strip() for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).split("\n")}
        leaked = sorted(lines & set(secrets.lines))
        messages += [f"{name} holds a line of {secrets.lines[line]}: {line[:60]!r}" for line in leaked]
        messages += [f"{name} holds {description}" for secret, description in secrets.texts.items() if secret in text]
        if name.endswith(".json"):
            arrays = set(arrays_of(from_json(json.loads(text))))
            messages += [f"{name} holds a hidden array"] * len(arrays & secrets.arrays)
        messages += [f"{name} holds a hidden array" for _, raw in secrets.arrays if raw in data]
    return messages


def opened(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files, and what notebooks carry as ``notebook -> member``."""
    for name, data in files.items():
        yield name, data
        if name.endswith(".ipynb"):
            for cell in json.loads(data)["cells"]:
                for member, content in unbundled("".join(cell["source"]), name):
                    yield f"{name} -> {member}", content
