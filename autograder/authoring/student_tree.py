"""solutions/ -> student/: the stripped masters, the check code with its public cases, the handout and the templates."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from pathlib import Path

import nbformat

from autograder.authoring.masters import BUNDLE_LINE, refuse_leftovers, section_of, strip, strip_modules
from autograder.checks.values import to_json
from autograder.core.assignment import Assignment, Question
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, replace_tree
from autograder.core.paths import PACKAGE
from autograder.core.references import read_references
from autograder.core.trusted import RULES, probe_sources
from autograder.core.zips import zip_bytes
from autograder.judging.writeup import outline
from autograder.written.render import render_handout, write_templates

CHECKS = PACKAGE / "checks"
# What the assignment's rules import here, and students as a package of their own.
ENGINES_CHECKS = re.compile(r"^(\s*(?:from|import) )autograder\.checks\b", re.MULTILINE)
MAX_BUNDLE = 1 << 20


def build_student(assignment: Assignment, solutions: Path, references: Path, target: Path) -> int:
    """Write the student tree anew; returns how many files it holds.

    Raises GraderError when a master lacks a question, when a solution line would be left in, or when the folder ``target`` is not
    one that this command made.
    """
    own_folder(target, "student")
    with tempfile.TemporaryDirectory() as folder:
        made = generate(assignment, solutions, references, Path(folder) / "student")
        replace_tree(made, target, "student")
        return len(files_below(made))


def generate(assignment: Assignment, solutions: Path, references: Path, new: Path) -> Path:
    """The student tree in the new folder ``new``."""
    masters = sorted(solutions.glob("*.ipynb"))
    if not masters:
        raise GraderError(f"no notebooks in {solutions}: name the folder of the masters with --solutions")
    (new / "tests").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        stripped = {path.name: strip(assignment, path, Path(folder), new / "tests") for path in masters}
    write_checks(assignment, read_references(references), new / assignment.checks_package)
    for module in dict.fromkeys(m for section in assignment.sections for m in section.modules):
        if not (solutions / module).is_dir():
            raise GraderError(f"rubric.toml: modules: there is no folder {module} in {solutions}")
        strip_modules(solutions / module, new / module)
    for name, notebook in stripped.items():
        section = section_of(assignment, name)
        embed(notebook, bundle_of(new, (assignment.checks_package, "tests", *(section.modules if section else ()))))
        nbformat.write(notebook, new / name)
    write_templates(assignment, new / "writeup")
    for source in sorted(solutions.glob("*.student*")):
        text = render_handout(assignment, source, assignment.folder / "course.toml")
        refuse_leftovers(text, source.name)
        (new / source.name.replace(".student", "")).write_text(text, encoding="utf-8")
    return new


def write_checks(assignment: Assignment, references: dict, target: Path) -> None:
    """The package behind ``check``: the engine's checks, the assignment's rules and probes, the public cases and known mistakes."""
    for path, text in checks_sources(assignment).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")
    (target / "writeup.json").write_text(json.dumps(outline(assignment), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    public = references["public"]
    bank = {
        id: {name: {"own": [few_digits(o) for o in groups["own"]]} for name, groups in mistakes.items()}
        for id, mistakes in public["bank"].items()
    }
    data = {
        "cases": public["cases"],
        "bank": bank,
        "says": references["says"],
        "answers": {q.id: q.names[0] for q in assignment.questions},
        "helpers": {q.id: comes_first(assignment, q) for q in assignment.questions},
        "see": {q.id: q.see for q in assignment.questions},
        "worlds": public["worlds"],
        "files": [s.file_pattern for s in assignment.sections],
        "probes": {q.id: [q.section.id, q.probe, q.names] for q in assignment.questions if q.probe},
    }
    # One question a line, so that a change shows as a small difference.
    text = json.dumps(to_json(data), separators=(",", ":"), sort_keys=True)
    (target / "cases.json").write_text(re.sub(r'("\d+\.[\w.]+":\{)', r"\n\1", text) + "\n", encoding="utf-8")


def checks_sources(assignment: Assignment) -> dict[str, str]:
    """Path in the students' check package -> text. Their rules import from it what ours import from ``autograder.checks``."""
    sources = {path.relative_to(CHECKS).as_posix(): path.read_text(encoding="utf-8") for path in files_below(CHECKS)}
    for folder in (RULES, f"{RULES}.py"):
        part = assignment.folder / folder
        for path in [part] if part.is_file() else files_below(part):
            text = for_students(path.read_text(encoding="utf-8"), assignment.checks_package, path.name)
            sources[path.relative_to(assignment.folder).as_posix()] = text
    for section in assignment.sections:
        for module, source in probe_sources(assignment, section).items():
            sources[f"probes/{module}.py"] = for_students(source, assignment.checks_package, f"{section.probes}/{module}.py")
    return sources


def for_students(source: str, checks_package: str, name: str) -> str:
    """A module of rules with its imports of ``autograder.checks`` turned to the students' package.

    Raises GraderError where it imports anything else of the engine, which students do not have.
    """
    text = ENGINES_CHECKS.sub(rf"\g<1>{checks_package}", source)
    if left := re.search(r"^\s*(?:from|import) autograder\b.*", text, re.MULTILINE):
        raise GraderError(
            f"{name}: students do not have what {left[0].strip()!r} imports; rules may import autograder.checks only"
        )
    return text


def comes_first(assignment: Assignment, question: Question) -> list[str]:
    """The questions whose answers this one is built on: a composite's helpers, another question's value."""
    values = [q.id for q in assignment.questions if question.value and q.value and set(q.names) & set(question.context)]
    return [*question.prerequisites, *values]


def few_digits(array):
    """A mistake's outputs with four decimals, enough to be recognised by; no -0.0, whose sign is a matter of the processor."""
    return None if array is None else array.round(4).astype("float32") + 0 if array.dtype.kind == "f" else array


def bundle_of(tree: Path, folders: tuple[str, ...]) -> str:
    """These folders of the tree as a zip that Python can import from, in base64; same files, same text."""
    members = {p.relative_to(tree).as_posix(): p.read_bytes() for folder in folders for p in files_below(tree / folder)}
    bundle = base64.b64encode(zip_bytes(members)).decode()
    if len(bundle) > MAX_BUNDLE:
        raise GraderError(f"what a lone notebook carries along ({', '.join(folders)}) has {len(bundle) >> 10} KB, over 1 MB")
    return bundle


def embed(notebook: nbformat.NotebookNode, bundle: str) -> None:
    """Fill the setup cell's BUNDLE, so that a lone notebook brings its check code along."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and BUNDLE_LINE.search(cell.source):
            cell.source = BUNDLE_LINE.sub(lambda _: f'BUNDLE = "{bundle}"', cell.source, count=1)
            cell.metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}
