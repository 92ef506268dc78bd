"""``python -m <this package> [FILE …]`` runs every check that is possible before submitting.

Without arguments it checks the notebooks and scripts in this folder and, where there is a written half, the PDFs here and in
the folder ``writeup``. A notebook is run up to its last check cell, so nothing after that (training, experiments) is run. Where
a script and a notebook of the same section lie side by side, the script is checked, as the grader does. Exits with 1 if
anything is missing.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import subprocess
import sys
import threading
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .data import read_text
from .deadline import TooLong, deadline
from .formats import CODE, PDF, SCRIPT, Unreadable, kind_of_file, read
from .ipython import runnable
from .naming import stem_of

PACKAGE = Path(__file__).resolve().parent
WRITEUP, SOURCES = "writeup", (".tex", ".md", ".qmd", ".docx", ".odt", ".typ", ".html")
CHECK = re.compile(r"^check\(", re.MULTILINE)
MAX_BYTES = 50 << 20  # the grader's limit
CELL_SECONDS, FILE_SECONDS = 60.0, 300.0  # that one cell, and all cells of a file, may take


def main(arguments: list[str]) -> int:
    """Check each file, notebooks in a separate process; returns the exit status."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # do not fail on a terminal that cannot print ✅
    if arguments[:1] == ["--cells"]:
        return run_cells(Path(arguments[1]))
    files = {Path(name): "" for name in arguments} or default_files()
    if not files:
        print("There is nothing to check here: go to the folder of your notebooks, or name files.")
        return 1
    return check_files(files)


def check_files(files: dict[Path, str]) -> int:
    """Check files, each with a remark that stands beside its name; returns 1 if anything is missing."""
    status = 0
    code = [path for path in files if path.is_file() and kind_of_file(path.name) == CODE]
    if code:
        how = "side by side, each up to its last check" if len(code) > 1 else "up to its last check"
        print(f"Running {', '.join(map(str, code))} {how}. Please wait.")
    with running(code) as processes:
        for path, remark in files.items():
            print(f"\n── {path}{remark}", flush=True)
            status |= shown(processes[path]) if path in processes else check_file(path)
    if outline()["chapters"] and not any(kind_of_file(path.name) == PDF for path in files):
        print("\nNo PDF was checked. Once you have exported your write-up: ", end="")
        print(f"python -m {PACKAGE.name} {WRITEUP}/writeup.pdf")
    return status


def check_file(path: Path) -> int:
    """Check a file that holds no code; returns 1 if anything is missing or it cannot be checked."""
    if not path.is_file():
        print("❌ this is a folder: name a file in it" if path.is_dir() else "❌ there is no such file")
        return 1
    if kind_of_file(path.name) == PDF and outline()["chapters"]:
        return check_writeup(path)
    print("❌ neither a notebook, a script nor a PDF" if outline()["chapters"] else "❌ neither a notebook nor a script")
    return 1


def outline() -> dict[str, Any]:
    """What the check of the PDF looks for; it has no chapters where nothing is to be written."""
    loaded: dict[str, Any] = json.loads(read_text("writeup.json"))
    return loaded


def default_files() -> dict[Path, str]:
    """What to check in this folder, each file with a remark: code that is named for a section, and write-ups.

    Of one section, scripts with check cells come before all else: with as many answers they are what is graded.
    """
    files: dict[Path, str] = {}
    for own in by_section(sorted(Path().iterdir())):
        scripts = [path for path in own if path.suffix.lower() == SCRIPT and has_checks(path)]
        beside = ", ".join(path.name for path in own if path not in scripts)
        remark = f" (not {beside}: with as many answers in both, the {SCRIPT} counts)" if beside and scripts else ""
        files |= dict.fromkeys(scripts or own, remark)
    pdfs = [*pdfs_in(Path()), *pdfs_in(Path(WRITEUP))] if outline()["chapters"] else []
    return files | dict.fromkeys(pdfs, "")


def by_section(paths: list[Path]) -> list[list[Path]]:
    """The notebooks and scripts that are named for a section, those of one section together."""
    patterns = json.loads(read_text("cases.json"))["files"]
    sections: dict[tuple[str, ...], list[Path]] = {}
    for path in paths:
        named = tuple(pattern for pattern in patterns if re.search(pattern, stem_of(path.name).lower()))
        if named and kind_of_file(path.name) == CODE and path.is_file():
            sections.setdefault(named, []).append(path)
    return list(sections.values())


def has_checks(path: Path) -> bool:
    """Whether a file can be read and has check cells."""
    try:
        return any(map(CHECK.search, cells_of(path)))
    except (Unreadable, SyntaxError, ValueError, OSError):
        return False


def pdfs_in(folder: Path) -> list[Path]:
    """The PDFs in a folder; if some have a source file next to them, only those, because the others are figures."""
    pdfs = sorted(path for path in folder.glob("*") if kind_of_file(path.name) == PDF and path.is_file())
    compiled = [path for path in pdfs if any(path.with_suffix(source).exists() for source in SOURCES)]
    return compiled or pdfs


@contextmanager
def running(files: list[Path]) -> Iterator[dict[Path, subprocess.Popen[str]]]:
    """A process for each of these notebooks and scripts, which runs its checks; ended when its time is over."""
    python_path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "PYTHONPATH": python_path,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-m", PACKAGE.name, "--cells"]
    processes = {
        path: subprocess.Popen(
            [*command, str(path)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        for path in files
    }
    timers = [threading.Timer(FILE_SECONDS, process.kill) for process in processes.values()]
    try:
        for timer in timers:
            timer.daemon = True
            timer.start()
        yield processes
    finally:
        for timer, process in zip(timers, processes.values()):
            timer.cancel()
            process.kill()
            process.wait()


def shown(process: subprocess.Popen[str]) -> int:
    """Print what a process of ``running`` prints until it ends; returns 1 unless all its checks are ✅."""
    for line in process.stdout or ():
        print(line, end="", flush=True)
    status = process.wait()
    if status not in (0, 1):
        print(f"❌ running it ended early (status {status}): over {FILE_SECONDS:g} s, out of memory, or a cell exits Python")
    return int(status != 0)


def check_writeup(path: Path) -> int:
    """Check a write-up; returns 1 if anything is missing."""
    from .writeup.review import check_pdf

    report = check_pdf(path.read_bytes(), outline())
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
        for number, source in enumerate(cells[: last + 1], 1):
            output.shown = bool(CHECK.search(source))
            ended = run_cell(source, f"<{path.name}, cell {number}>", terminal)
            output.failed |= output.shown and not ended
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
    """The code cells of a notebook or the statements of a script, as the grader reads them."""
    document = read(path.name, path.read_bytes(), MAX_BYTES)
    sources = [runnable(cell.source) for cell in document.cells if cell.kind == CODE]
    if document.numbered:
        return sources
    tree = ast.parse("\n".join(sources))
    return [ast.unparse(node) for node in tree.body if not isinstance(node, ast.ImportFrom) or node.module != "__future__"]


def run_cell(source: str, name: str, terminal: TextIO) -> bool:
    """Run a cell, whose lines are quoted by this name, as the notebook would; whether it ended well. If not, say why."""
    names = sys.modules["__main__"].__dict__
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        with deadline(CELL_SECONDS):
            exec(compile(source, name, "exec"), names)
        return True
    except KeyboardInterrupt:
        raise
    except TooLong:
        reason = f"was stopped after {CELL_SECONDS:g} s: does a loop in it never end?"
    except BaseException as error:
        reason = "stopped with " + traceback.format_exception_only(error)[-1].strip()
    first = next((line for line in source.split("\n") if line.strip()), "")
    terminal.write(f"• a cell {reason} (it begins with: {first[:70]})\n")
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
