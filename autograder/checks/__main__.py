"""``python -m <this package> [FILE …]`` runs every check that is possible before submitting.

Without arguments it checks the notebooks, scripts and PDFs in this folder and the PDFs in its folder ``writeup``. A notebook is
run up to its last check cell, so nothing after that (training, experiments) is run. Exits with 1 if anything is missing.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import traceback
import types
from pathlib import Path
from typing import TextIO

from .data import read_text
from .formats import CODE, NOTEBOOK, PDF, Unreadable, is_notebook, kind_of_file, read

PACKAGE = Path(__file__).resolve().parent
WRITEUP, SOURCES = "writeup", (".tex", ".md", ".qmd", ".docx", ".odt", ".typ", ".html")
CHECK = re.compile(r"^check\(", re.MULTILINE)
MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)
MAX_BYTES = 50 << 20  # the grader's limit


def main(arguments: list[str]) -> int:
    """Check each file, notebooks in a separate process; returns the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # do not fail on a terminal that cannot print ✅
    if arguments[:1] == ["--cells"]:
        return run_cells(Path(arguments[1]))
    files = [Path(name) for name in arguments] or default_files()
    if not files:
        print("There is nothing to check here: go to the folder of your notebooks, or name files.")
        return 1
    status = 0
    for path in files:
        print(f"\n── {path}", flush=True)
        status |= check_file(path)
    if not any(kind_of_file(path.name) == PDF for path in files):
        print("\nNo PDF was checked. Once you have exported your write-up: ", end="")
        print(f"python -m {PACKAGE.name} {WRITEUP}/writeup.pdf")
    return status


def check_file(path: Path) -> int:
    """Check one file by its kind; returns 1 if anything is missing or it cannot be checked."""
    if not path.is_file():
        print("❌ this is a folder: name a file in it" if path.is_dir() else "❌ there is no such file")
        return 1
    kind = kind_of_file(path.name)
    if kind == PDF:
        return check_writeup(path)
    if kind == CODE:
        return check_code(path)
    print("❌ neither a notebook, a script nor a PDF")
    return 1


def default_files() -> list[Path]:
    """Notebooks in this folder named for a section (or scripts, if no notebook has the same name), and write-ups."""
    patterns = json.loads(read_text("cases.json"))["files"]
    named = [
        p
        for p in sorted(Path().iterdir())
        if kind_of_file(p.name) == CODE and p.is_file() and any(re.search(pattern, p.stem.lower()) for pattern in patterns)
    ]
    notebooks = [p for p in named if is_notebook(p.name)]
    scripts = [p for p in named if p not in notebooks and p.with_suffix(NOTEBOOK) not in notebooks]
    return [*notebooks, *scripts, *pdfs_in(Path()), *pdfs_in(Path(WRITEUP))]


def pdfs_in(folder: Path) -> list[Path]:
    """The PDFs in a folder; if some have a source file next to them, only those, because the others are figures."""
    pdfs = sorted(path for path in folder.glob("*") if kind_of_file(path.name) == PDF and path.is_file())
    compiled = [path for path in pdfs if any(path.with_suffix(source).exists() for source in SOURCES)]
    return compiled or pdfs


def check_code(path: Path) -> int:
    """Run the checks of one notebook or script in a separate process; returns 1 unless all are ✅."""
    python_path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": python_path}
    command = [sys.executable, "-m", PACKAGE.name, "--cells", str(path)]
    status = subprocess.run(command, env=environment, check=False).returncode
    if status not in (0, 1):
        print(f"❌ running it ended early (status {status}): out of memory, or one of its cells exits Python")
    return int(status != 0)


def check_writeup(path: Path) -> int:
    """Check a write-up; returns 1 if anything is missing."""
    from .writeup.review import check_pdf

    report = check_pdf(path.read_bytes(), json.loads(read_text("writeup.json")))
    print("\n".join(report.lines()))
    return int(bool(report.missing))


def run_cells(path: Path) -> int:
    """Run a notebook or script up to its last check; returns 1 unless every check is ✅."""
    try:
        cells = cells_of(path)
    except (Unreadable, SyntaxError, ValueError, OSError) as error:
        print(f"❌ this cannot be read: {error}")
        return 1
    last = max((i for i, source in enumerate(cells) if CHECK.search(source)), default=-1)
    if last < 0:
        print("• no check cells were found; nothing was run")
        return 0
    terminal: TextIO = sys.stdout
    output = CellOutput(terminal)
    sys.stdout = output
    kept_stderr = silence_stderr()
    # Cells get a main module of their own, so that the names they bind cannot replace ours.
    ours, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        for source in cells[: last + 1]:
            output.shown = bool(CHECK.search(source))
            run_cell(source, path, terminal)
    finally:
        sys.stdout, sys.modules["__main__"] = terminal, ours
        sys.stderr.flush()
        os.dup2(kept_stderr, 2)
        os.close(kept_stderr)
    return int(output.failed)


def silence_stderr() -> int:
    """Redirect standard error (progress bars, library warnings) to nowhere; returns a duplicate of the old descriptor."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return kept


class CellOutput:
    """Standard output while cells run: shows what check cells print and hides all other output of the notebook."""

    def __init__(self, terminal: TextIO) -> None:
        self.terminal, self.shown, self.failed = terminal, False, False

    def write(self, text: str) -> int:
        if self.shown:
            self.failed |= "❌" in text or "⏳" in text
            self.terminal.write(text)
        return len(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return False


def cells_of(path: Path) -> list[str]:
    """The code cells of a notebook or the statements of a script, without ``!`` and ``%`` lines."""
    document = read(path.name, path.read_bytes(), MAX_BYTES)
    sources = [cell.source for cell in document.cells if cell.kind == CODE and not cell.source.startswith("%%")]
    if document.numbered:
        return [MAGIC.sub("", source) for source in sources]
    tree = ast.parse(MAGIC.sub("", "\n".join(sources)))
    return [ast.unparse(node) for node in tree.body if not isinstance(node, ast.ImportFrom) or node.module != "__future__"]


def run_cell(source: str, path: Path, terminal: TextIO) -> None:
    """Run a cell as the notebook would; if it fails, report that in one line and return."""
    names = sys.modules["__main__"].__dict__
    try:
        exec(compile(source, path.name, "exec"), names)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        first = next((line for line in source.split("\n") if line.strip()), "")
        reason = traceback.format_exception_only(error)[-1].strip()
        terminal.write(f"• a cell stopped with {reason} (it begins with: {first[:70]})\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
