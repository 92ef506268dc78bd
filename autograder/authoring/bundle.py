"""What a notebook carries to work without the files beside it: the checks, tests and modules of its own section, packed."""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import io
import json
import lzma
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat

from autograder.authoring.baking.modules import module_files
from autograder.core.assignment import Assignment, Question, Section
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.trusted import RULES

BUNDLE_LINE = re.compile(r'^BUNDLE = "(.*?)"', re.MULTILINE)
SETUP, SETUP_ID = Path(__file__).with_name("setup_cell.txt"), "setup"
BETWEEN = ","  # not a digit in base 85
MAX_BUNDLE = 1 << 20
PLAIN = lzma.FORMAT_ALONE  # no checksums
# Names by which a module is reached without an import statement: import_module(".rules", …), check.rules.queries.
BY_NAME = re.compile(r'import_module\(f?"\.(\w+)"')
BY_RULE = re.compile(rf"\b{RULES}\.(\w+)")
CASES = "cases.json"
# Parts of the checks that only some sections need: (folder or module, whether one does, by itself and its questions).
PARTS: tuple[tuple[str, Callable[[Section | None, list[Question]], bool]], ...] = (
    ("probes", lambda section, questions: section is None or bool(section.probes)),
    ("diagnosis/local", lambda section, questions: any(not (q.value or q.probe) for q in questions)),
    ("smallest", lambda section, questions: any(not (q.value or q.probe) for q in questions)),
    ("picture", lambda section, questions: any(not q.probe for q in questions)),
    ("diagnosis/raised", lambda section, questions: any(not q.value for q in questions)),
)
PAGE = re.compile(r'^check\.page\("(\w+)"\)', re.MULTILINE)


def bundle_of(tree: Path, assignment: Assignment, section: Section | None, pages: tuple[str, ...] = ()) -> str:
    """The files of the tree that a notebook of this section needs; the same files always give the same text.

    ``pages``: the names of the pages that it shows.

    JSON objects (path -> text), one for each kind of file, each compressed by whatever makes it smallest and written in base
    85. Raises GraderError if it is too large.
    """
    files = members_of(tree, assignment, section)
    files |= {f"{page}.html": (tree / f"{page}.html").read_text(encoding="utf-8") for page in pages}
    kinds = [{name: text for name, text in files.items() if Path(name).suffix == kind} for kind in suffixes(files)]
    bundle = BETWEEN.join(base64.b85encode(smallest(as_json(kind))).decode() for kind in kinds)
    if len(bundle) > MAX_BUNDLE:
        raise GraderError(
            f"the bundle of a notebook ({section.id if section else tree.name}) has {len(bundle) >> 10} KB, over 1 MB"
        )
    return bundle


def unbundled(source: str, name: str) -> Iterator[tuple[str, bytes]]:
    """The files in a cell's BUNDLE, if it has one. Raises GraderError if it cannot be opened; ``name``: of the notebook."""
    found = BUNDLE_LINE.search(source)
    for part in found[1].split(BETWEEN) if found and found[1] else ():
        try:
            packed = base64.b85decode(part)
            files = json.loads((bz2 if packed.startswith(b"BZ") else lzma).decompress(packed))
        except (ValueError, binascii.Error, OSError, EOFError, lzma.LZMAError):
            raise GraderError(f"{name}: its bundle cannot be opened") from None
        for path, text in files.items():
            yield path, text.encode("utf-8")


def pages_of(notebook: nbformat.NotebookNode) -> tuple[str, ...]:
    """The pages that a notebook shows with ``check.page``."""
    return tuple(
        dict.fromkeys(page for cell in notebook.cells if cell.cell_type == "code" for page in PAGE.findall(cell.source))
    )


def embed(notebook: nbformat.NotebookNode, bundle: str, checks_package: str) -> None:
    """Put the checks into the setup cell, so that a notebook works without the files beside it.

    That is the cell with a BUNDLE; a notebook without one gets it as its first cell of code.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and BUNDLE_LINE.search(cell.source)]
    if not cells:
        cells = [nbformat.v4.new_code_cell(id=SETUP_ID)]
        before = next((n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells))
        notebook.cells.insert(before, cells[0])
    for cell in cells:
        cell.source = BUNDLE_LINE.sub(lambda _: f'BUNDLE = "{bundle}"', setup_cell(checks_package), count=1)
        cell.metadata = {"jupyter": {"source_hidden": True}, "cellView": "form"}


def setup_cell(checks_package: str) -> str:
    """The code that finds the checks beside a notebook or unpacks those that it carries, of which there are none yet."""
    return SETUP.read_text(encoding="utf-8").rstrip("\n").replace("{{ checks }}", checks_package)


def suffixes(files: dict[str, str]) -> list[str]:
    return sorted({Path(name).suffix for name in files})


def as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode("utf-8")


def smallest(data: bytes) -> bytes:
    """The data as whichever is smaller, bzip2's or LZMA's."""
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]
    return min(bz2.compress(data, 9), lzma.compress(data, PLAIN, filters=filters), key=len)


def members_of(tree: Path, assignment: Assignment, section: Section | None) -> dict[str, str]:
    """Path -> text of all that the checks of one section need (without a section: of every question), and of its modules."""
    package = tree / assignment.checks_package
    ids = [q.id for q in assignment.questions if section is None or q.section is section]
    tests = [path for path in files_below(tree / "tests") if path.stem in ids]
    files = {path: path.read_text(encoding="utf-8") for path in tests}
    rules = BY_RULE.findall("".join(files.values()))
    checks = modules_for(package, rules, left_out(section, [assignment.question(id) for id in ids]))
    files |= {path: without_types(text) for path, text in map(packed_text, checks)}
    for module in section.modules if section else ():
        files |= dict(map(packed_text, module_files(tree / module)))
    files[package / CASES] = as_json(
        of_section(json.loads((package / CASES).read_text(encoding="utf-8")), ids, section)
    ).decode()
    return {path.relative_to(tree).as_posix(): text for path, text in files.items()}


def left_out(section: Section | None, questions: list[Question]) -> set[str]:
    """The parts of the checks that a section with these questions has no use for."""
    return {part for part, needed in PARTS if not needed(section, questions)}


def packed_text(path: Path) -> tuple[Path, str]:
    """A file's name and text as a notebook carries them: code without comments; text that was compressed as it was before.

    Raises GraderError if it is no text.
    """
    try:
        if path.suffix == ".xz":
            return path.with_suffix(""), lzma.decompress(path.read_bytes()).decode("utf-8")
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, lzma.LZMAError):
        raise GraderError(
            f"{path.name}: a notebook carries only text in UTF-8, and .xz of it; keep other data elsewhere"
        ) from None
    return path, without_comments(text) if path.suffix == ".py" else text


def of_section(data: dict[str, Any], ids: list[str], section: Section | None) -> dict[str, Any]:
    """The public cases without what belongs to questions and worlds of other sections."""
    questions, sections = set(data["answers"]), set(data["worlds"])
    wanted = set(ids) | ({section.id} if section else sections)

    def kept(value: Any) -> Any:
        others = (questions | sections) - wanted
        if isinstance(value, dict):
            return {key: part for key, part in value.items() if key not in others}
        return [one for one in value if one not in others] if isinstance(value, list) else value

    return {key: kept(value) for key, value in data.items()}


def modules_for(package: Path, rules: list[str], without: set[str]) -> list[Path]:
    """The modules that ``check`` needs, found by following imports; ``rules``: those of the rules that the tests name.

    ``without``: folders and modules of the package to leave out.

    What the rules' ``__init__`` imports inside a function, or only if it is there, is for the sections whose tests name it; a
    module of the rules that builds on others comes with these.
    """
    named = [package / RULES / f"{name}.py" for name in dict.fromkeys(rules)]
    needed = followed(package, [package / "__init__.py", *named], without)
    above = [path for path in sorted((package / RULES).glob("*.py")) if path not in needed and builds_on(path, needed)]
    return sorted(needed | followed(package, above, without))


def builds_on(rule: Path, needed: set[Path]) -> bool:
    """Whether a module of the rules imports others of them, all of which are needed."""
    package = rule.parents[1]
    names = imported(rule.read_text(encoding="utf-8"), lazily=True)
    others = {path for name in names for path in found(rule, name, package) if path.parent == rule.parent} - {rule}
    others.discard(rule.parent / "__init__.py")
    return bool(others) and others <= needed


def followed(package: Path, start: list[Path], without: set[str]) -> set[Path]:
    """These modules of the package and what they import of it; see ``modules_for``."""
    needed: set[Path] = set()
    pending = [path for path in start if path.is_file()]
    while pending:
        path = pending.pop()
        part = path.relative_to(package).with_suffix("").as_posix()
        if path in needed or any(part == one or part.startswith(f"{one}/") for one in without):
            continue
        needed.add(path)
        lazily = path != package / RULES / "__init__.py"
        pending += [one for name in imported(path.read_text(encoding="utf-8"), lazily) for one in found(path, name, package)]
    return needed


def imported(source: str, lazily: bool) -> list[str]:
    """What a module imports, relative names with their dots; ``lazily``: inside functions, too."""
    tree = ast.parse(source)
    names = [f".{name}" for name in BY_NAME.findall(source)] if lazily else []
    for node in ast.walk(tree) if lazily else tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [module, *(f"{module}{'' if module.endswith('.') else '.'}{alias.name}" for alias in node.names)]
    return names


def found(path: Path, name: str, package: Path) -> list[Path]:
    """The files of the package that are run when the module ``path`` imports ``name``."""
    dots = len(name) - len(name.lstrip("."))
    parts = name[dots:].split(".") if name[dots:] else []
    base = path.parents[dots - 1] if dots else package.parent
    if not dots and parts[0] != package.name:
        return []
    steps = [base.joinpath(*parts[:n]) for n in range(len(parts) + 1)]
    files = [file for step in steps for file in (step.with_suffix(".py"), step / "__init__.py")]
    return [file for file in files if file.is_file() and package in file.parents]


def without_types(source: str) -> str:
    """Python without the types of parameters and results, of which our own checks make no use."""
    text, starts = source.encode("utf-8"), [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    cuts: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(source)):
        kind = node.annotation if isinstance(node, ast.arg) else getattr(node, "returns", None)
        if kind is not None:
            start = starts[kind.lineno - 1] + kind.col_offset
            cuts.append((len(text[:start].rstrip(b"-> \n:")), starts[(kind.end_lineno or 0) - 1] + (kind.end_col_offset or 0)))
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + text[end:]
    return text.decode("utf-8")


def without_comments(source: str) -> str:
    """Python without comments, docstrings and empty lines outside strings: it does the same and packs better.

    Works on the text, so that every version of Python gives the same.
    """
    lines, tree = source.split("\n"), ast.parse(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]].rstrip()
    kept = {n for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.Constant)) for n in inner_lines(node)}
    for node, text in docstrings(tree):
        alone = len(node.body) == 1 and node is not tree
        first = lines[text.lineno - 1][: text.col_offset] + "..." if alone else ""
        lines[text.lineno - 1 : text.end_lineno] = [first, *[""] * len(inner_lines(text))]
        kept -= set(inner_lines(text))
    return "".join(f"{line}\n" for n, line in enumerate(lines, start=1) if line.strip() or n in kept)


def inner_lines(node: ast.expr | ast.stmt) -> range:
    """The numbers (from 1) of the lines of a node after its first."""
    return range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)


def docstrings(
    tree: ast.Module,
) -> Iterator[tuple[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, ast.Expr]]:
    """Whatever has a docstring, and the statement that is it."""
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node, False) is not None
        ):
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield node, first
