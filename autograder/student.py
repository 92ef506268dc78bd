"""solutions/ -> student/: Otter Assign strips the solutions, we add the public checks.

Masters hold no tests: each question's test functions are injected here from the assignment's own definitions, so
that notebooks and grader can never disagree about what is tested.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import logging
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import nbformat

from autograder.kit import to_plain
from autograder.model import Assignment, GraderError, Question, Section
from autograder.references import probe_sources, read_references
from autograder.written.render import render_handout, write_templates
from autograder.written.writeup import outline

KIT = Path(__file__).resolve().parent / "kit"
EPOCH = (2020, 1, 1, 0, 0, 0)
BUNDLE_LINE = re.compile(r'^BUNDLE = ".*?"', re.MULTILINE)
MAX_BUNDLE = 1 << 20
SOLUTION = re.compile(r"^[ \t]*# BEGIN SOLUTION.*?\n(.*?)^[ \t]*# END SOLUTION", re.DOTALL | re.MULTILINE)
MARKERS = ("# SOLUTION", "BEGIN SOLUTION", "END SOLUTION", "BEGIN TESTS")
KEPT_METADATA = ("kernelspec", "language_info")


def build_student(assignment: Assignment, solutions: Path, references: Path, target: Path) -> int:
    """Write the student tree anew; returns how many files it holds.

    Raises GraderError when a master lacks a question, or when a solution line would be left in.
    """
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "student"
        (new / "tests").mkdir(parents=True)
        masters = sorted(solutions.glob("*.ipynb"))
        stripped = {path.name: strip(assignment, path, Path(folder), new / "tests") for path in masters}
        write_kit(assignment, read_references(references), new / assignment.kit_name)
        for module in dict.fromkeys(m for section in assignment.sections for m in section.modules):
            strip_modules(solutions / module, new / module)
        for name, notebook in stripped.items():
            section = section_of(assignment, name)
            embed(notebook, bundle_of(new, (assignment.kit_name, "tests", *(section.modules if section else ()))))
            nbformat.write(notebook, new / name)
        write_templates(assignment, new / "writeup")
        for source in sorted(solutions.glob("*.student*")):
            text = render_handout(assignment, source, solutions / "course.toml")
            refuse_leftovers(text, source.name)
            (new / source.name.replace(".student", "")).write_text(text, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(new, target)
    return sum(path.is_file() for path in target.rglob("*"))


def strip(assignment: Assignment, master: Path, folder: Path, tests: Path) -> nbformat.NotebookNode:
    """One master through Otter Assign; its public test files are moved to ``tests``."""
    from otter.assign import main as assign

    notebook = nbformat.read(master, as_version=4)
    ids = {cell.source: cell.id for cell in notebook.cells}
    inject_tests(assignment, notebook, master.name)
    work = folder / master.stem
    work.mkdir()
    nbformat.write(notebook, work / master.name)
    logging.getLogger("otter").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        assign(work / master.name, work / "out", no_pdfs=True, no_run_tests=True)
    for path in sorted((work / "out" / "student" / "tests").glob("*.py")):
        shutil.copy(path, tests / path.name)
    return tidy(nbformat.read(work / "out" / "student" / master.name, as_version=4), ids, master.stem)


def inject_tests(assignment: Assignment, notebook: nbformat.NotebookNode, name: str) -> None:
    """Put each question's public test functions between BEGIN and END TESTS cells, before its END QUESTION."""
    known = {q.id for q in assignment.questions}
    cells, current = [], None
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            match = re.search(r"^name:\s*[\"']?([\w.]+)[\"']?\s*$", cell.source, re.MULTILINE)
            current = match.group(1) if match else None
        elif cell.cell_type == "raw" and cell.source.startswith("# END QUESTION"):
            if current in known:
                cells.append(nbformat.v4.new_raw_cell("# BEGIN TESTS"))
                cells += [nbformat.v4.new_code_cell(text) for text in test_sources(assignment, current)]
                cells.append(nbformat.v4.new_raw_cell("# END TESTS"))
                known.discard(current)
            current = None
        cells.append(cell)
    notebook.cells = cells
    section = section_of(assignment, name)
    missing = [q.id for q in assignment.questions if q.section is section and q.id in known]
    if missing:
        raise GraderError(f"solutions/{name} has no `# BEGIN QUESTION` for {', '.join(missing)}")


def section_of(assignment: Assignment, name: str) -> Section | None:
    """The section whose notebook has this file name."""
    return next((s for s in assignment.sections if re.search(s.file_pattern, name.lower())), None)


def strip_modules(source: Path, target: Path) -> None:
    """A folder of modules and data, with the solutions taken out of its .py files by the notebooks' own markers."""
    from otter.assign.solutions import replace_solutions

    for path in sorted(p for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            lines = replace_solutions(path.read_text(encoding="utf-8").split("\n"), "python")
            refuse_leftovers("\n".join(lines), path.name)
            copy.write_text("\n".join(lines), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)


def test_sources(assignment: Assignment, id: str, hidden_ones: bool = False) -> list[str]:
    """The test functions of a question that are (not) hidden, without their decorators."""
    tree = ast.parse(assignment.test_file(assignment.question(id)).read_text(encoding="utf-8"))
    sources = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            hidden = any(k.arg == "hidden" and getattr(k.value, "value", False)
                         for d in node.decorator_list if isinstance(d, ast.Call) for k in d.keywords)
            node.decorator_list = []
            if hidden == hidden_ones:
                sources.append(ast.unparse(node))
    return sources


def tidy(notebook: nbformat.NotebookNode, ids: dict[str, str], stem: str) -> nbformat.NotebookNode:
    """Stable ids; no tags, outputs or Otter metadata; Otter's own check and answer cells out.

    Our checks need no Otter, and written answers go into the write-up.
    """
    cells, seen = [], set()
    for cell in notebook.cells:
        if cell.source.startswith(("grader.check(", "_Type your answer here")) or not cell.source.strip():
            continue
        id = ids.get(cell.source) or f"{stem.lower()}-{len(cells):03d}"
        cell.id = id if id not in seen else f"{id}-{len(cells):03d}"
        seen.add(cell.id)
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cells.append(cell)
    notebook.cells = cells
    notebook.metadata = {k: v for k, v in notebook.metadata.items() if k in KEPT_METADATA}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in cells:
        refuse_leftovers(cell.source, stem)
    return notebook


def refuse_leftovers(text: str, name: str) -> None:
    """Raise GraderError when a marker is left in what students will get."""
    left = [m for m in MARKERS if m in text]
    if left:
        raise GraderError(f"{name}: {left[0]!r} is still there after stripping")


def write_kit(assignment: Assignment, references: dict, target: Path) -> None:
    """The package behind ``check``: engine's kit, the assignment's lib, the public cases and known mistakes on them."""
    target.mkdir(parents=True)
    for path in [*sorted(KIT.glob("*.py")), *sorted(assignment.folder.glob("lib*.py"))]:
        shutil.copyfile(path, target / path.name)
    for section in assignment.sections:
        for module, source in probe_sources(assignment, section).items():
            (target / "probes").mkdir(exist_ok=True)
            (target / "probes" / f"{module}.py").write_text(source, encoding="utf-8")
    (target / "writeup.json").write_text(json.dumps(outline(assignment), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    public = references["public"]
    bank = {id: {name: {"own": [few_digits(o) for o in groups["own"]]} for name, groups in mistakes.items()}
            for id, mistakes in public["bank"].items()}
    data = {"cases": public["cases"], "bank": bank, "says": references["says"],
            "answers": {q.id: q.names[0] for q in assignment.questions},
            "helpers": {q.id: comes_first(assignment, q) for q in assignment.questions},
            "see": {q.id: q.see for q in assignment.questions}, "worlds": public["worlds"],
            "probes": {q.id: [q.section.id, q.probe, q.names] for q in assignment.questions if q.probe}}
    # One question a line, so that a change shows as a small difference.
    text = json.dumps(to_plain(data), separators=(",", ":"), sort_keys=True)
    (target / "cases.json").write_text(re.sub(r'("\d\.[\w.]+":\{)', r"\n\1", text) + "\n", encoding="utf-8")


def comes_first(assignment: Assignment, question: Question) -> list[str]:
    """The questions whose answers this one is built on: a composite's helpers, another question's value."""
    values = [q.id for q in assignment.questions if question.value and q.value and set(q.names) & set(question.context)]
    return [*question.prerequisites, *values]


def few_digits(array):
    """A mistake's outputs with four decimals: enough to be recognised by."""
    return None if array is None else array.round(4).astype("float32") if array.dtype.kind == "f" else array


def bundle_of(tree: Path, folders: tuple[str, ...]) -> str:
    """These folders of the tree as a zip that Python can import from, in base64; same files, same text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(p for folder in folders for p in (tree / folder).rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(path.relative_to(tree).as_posix(), EPOCH)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(info, path.read_bytes(), compresslevel=9)
    bundle = base64.b64encode(buffer.getvalue()).decode()
    if len(bundle) > MAX_BUNDLE:
        raise GraderError(f"what a lone notebook carries along ({', '.join(folders)}) has {len(bundle) >> 10} KB, over 1 MB")
    return bundle


def embed(notebook: nbformat.NotebookNode, bundle: str) -> None:
    """Fill the setup cell's BUNDLE, so that a lone notebook brings its check code along."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and BUNDLE_LINE.search(cell.source):
            cell.source = BUNDLE_LINE.sub(lambda _: f'BUNDLE = "{bundle}"', cell.source, count=1)
            cell.metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}
