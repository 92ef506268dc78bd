"""``python -m <this package> [FILE …]``: every check that a submission can have before it is submitted.

Without files: the notebooks, scripts and PDFs in this folder, and the PDFs in its folder writeup. A notebook's cells are
run up to its last check cell, so nothing after it (training, experiments) is. Exits with 1 when something is missing.
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

from .data import read_text
from .formats import CODE, NOTEBOOK, PDF, Unreadable, is_notebook, kind_of_file, read

PACKAGE = Path(__file__).resolve().parent
WRITEUP, SOURCES = "writeup", (".tex", ".md", ".qmd", ".docx", ".odt", ".typ", ".html")
CHECK = re.compile(r"^check\(", re.MULTILINE)
MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)
MAX_BYTES = 50 << 20  # as the grader


def main(arguments: list[str]) -> int:
    """Check each file, a notebook in a process of its own; returns the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ✅ is no reason to stop
    if arguments[:1] == ["--cells"]:
        return run_cells(Path(arguments[1]))
    files = [Path(name) for name in arguments] or default_files()
    if not files:
        print("There is nothing to check here: go to the folder of your notebooks, or name files.")
        return 1
    status = 0
    for path in files:
        print(f"\n── {path}", flush=True)
        if not path.is_file():
            print("❌ this is a folder: name a file in it" if path.is_dir() else "❌ there is no such file")
            status = 1
        elif kind_of_file(path.name) == PDF:
            status |= check_writeup(path)
        elif kind_of_file(path.name) == CODE:
            status |= check_code(path)
        else:
            print("❌ neither a notebook, a script nor a PDF")
            status = 1
    if not any(kind_of_file(path.name) == PDF for path in files):
        print("\nNo PDF was checked. When your write-up is one: ", end="")
        print(f"python -m {PACKAGE.name} {WRITEUP}/writeup.pdf")
    return status


def default_files() -> list[Path]:
    """Notebooks of this folder that bear a section's name (a script where there is no notebook of its name), and write-ups."""
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
    """The PDFs of a folder; where some were made of a text beside them, only those: the others are figures."""
    found = sorted(path for path in folder.glob("*") if kind_of_file(path.name) == PDF and path.is_file())
    made = [path for path in found if any(path.with_suffix(source).exists() for source in SOURCES)]
    return made or found


def check_code(path: Path) -> int:
    """The checks of one notebook or script, in a process of its own; returns 1 unless all are ✅."""
    found = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": found}
    status = subprocess.run([sys.executable, "-m", PACKAGE.name, "--cells", str(path)], env=environment).returncode
    if status not in (0, 1):
        print(f"❌ running it ended early (status {status}): out of memory, or one of its cells ends Python")
    return int(status != 0)


def check_writeup(path: Path) -> int:
    """The check of the PDF; returns 1 when something is missing."""
    from .writeup.review import check_pdf

    report = check_pdf(path.read_bytes(), json.loads(read_text("writeup.json")))
    print("\n".join(report.lines()))
    return int(bool(report.missing))


def run_cells(path: Path) -> int:
    """Run a notebook's or script's statements up to its last check; returns 1 unless every check is ✅."""
    try:
        cells = cells_of(path)
    except (Unreadable, SyntaxError, ValueError, OSError) as error:
        print(f"❌ this cannot be read: {error}")
        return 1
    last = max((i for i, source in enumerate(cells) if CHECK.search(source)), default=-1)
    if last < 0:
        print("• no check cells were found; nothing was run")
        return 0
    said = Said()
    sys.stdout, terminal = said, sys.stdout
    noise = shut_noise()
    # A main module of their own: whatever names the cells bind, these functions keep theirs.
    ours, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        for source in cells[: last + 1]:
            said.shown = bool(CHECK.search(source))
            run_cell(source, path, terminal)
    finally:
        sys.stdout, sys.modules["__main__"] = terminal, ours
        sys.stderr.flush()
        os.dup2(noise, 2)
        os.close(noise)
    return int(said.worried)


def shut_noise() -> int:
    """Close standard error, where progress bars and libraries' reports go; returns what it was."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return kept


class Said:
    """Standard output while cells run: what check cells print is shown, the rest of the notebook's output is not."""

    def __init__(self) -> None:
        self.terminal, self.shown, self.worried = sys.stdout, False, False

    def write(self, text: str) -> int:
        if self.shown:
            self.worried |= "❌" in text or "⏳" in text
            self.terminal.write(text)
        return len(text)

    def flush(self) -> None:
        self.terminal.flush()

    def isatty(self) -> bool:
        return False


def cells_of(path: Path) -> list[str]:
    """The code cells of a notebook; of a script, its statements (as exported: without Colab's ``!`` and ``%`` lines)."""
    document = read(path.name, path.read_bytes(), MAX_BYTES)
    sources = [cell.source for cell in document.cells if cell.kind == CODE]
    if document.numbered:
        return [MAGIC.sub("", source) for source in sources if not source.startswith("%%")]
    tree = ast.parse(MAGIC.sub("", "\n".join(sources)))
    return [ast.unparse(node) for node in tree.body if not isinstance(node, ast.ImportFrom) or node.module != "__future__"]


def run_cell(source: str, path: Path, terminal) -> None:
    """Run a cell as the notebook would; one that fails says so in two lines and the next goes on."""
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
