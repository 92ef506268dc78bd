"""Wall time and peak memory of one submission, beside a bare torch import and stock `otter run`.

The commands run in turn (A B C A B C …), so that drift in the machine's speed affects all of them. Memory is the
peak of the summed proportional set size over all processes of a command, sampled in separate runs; beside it whose it is.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil

from bench.report import ROOT, Detail, Measured, Size

IMPORT, OURS, WITH_3, OTTER = (
    "`import torch`",
    "this grader, §1 + §2.1",
    "this grader, with §3 too",
    "stock `otter run`, §1 + §2.1",
)
OWNERS = ("judge", "reader", "zygote", "workers")


def stock_otter(folder: Path) -> list[str]:
    """The same questions as one notebook and one stock Otter archive (a single kernel, tests beside student code)."""
    parts = [nbformat.read(ROOT / "student" / f"{n}.ipynb", as_version=4) for n in ("A2S1", "A2S2")]
    masters = [nbformat.read(ROOT / "solutions" / f"{n}.ipynb", as_version=4) for n in ("A2S1", "A2S2")]
    cells = [
        c
        for m in masters
        for c in m.cells
        if c.cell_type == "code" and not c.source.startswith(("check(", "# Setup")) and "-22-" not in c.id
    ]  # §2.2 trains a model
    setup = next(c for c in parts[0].cells if "BUNDLE" in c.source)
    notebook = nbformat.v4.new_notebook(cells=[setup, *cells], metadata=masters[0].metadata)
    nbformat.write(notebook, folder / "submission.ipynb")
    shutil.copytree(ROOT / "student" / "tests", folder / "tests")
    subprocess.run(
        [sys.executable, "-m", "otter", "generate", "-t", "tests", "-o", "stock.zip", "--no-environment"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return [sys.executable, "-m", "otter", "run", "-a", "stock.zip", "--no-logo", "submission.ipynb"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def wall(command: list[str], folder: Path, **variables: str) -> float:
    """Seconds that the command takes. Raises RuntimeError with what it printed if it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment() | variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def peak_pss(command: list[str], folder: Path) -> dict[str, float]:
    """MiB of each kind of process when their sum is largest, over the process tree, sampled every 10 ms."""
    process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, done = Counter(), threading.Event()

    def sample():
        nonlocal peak
        while not done.is_set():
            now = Counter()
            for pid in [process.pid, *_children(process.pid)]:
                try:
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    now[_owner(pid, process.pid)] += int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1])
                except (OSError, TypeError):
                    pass
            peak = max(peak, now, key=Counter.total)
            done.wait(0.01)

    thread = threading.Thread(target=sample)
    thread.start()
    process.wait()
    done.set()
    thread.join()
    return {owner: size / 1024 for owner, size in peak.items()}


def _owner(pid: int, judge: int) -> str:
    """The judge (or whatever was started), the process that reads for it, the zygote, or what is forked from that."""
    status = Path(f"/proc/{pid}/stat").read_text()
    parent = int(status.rpartition(")")[2].split()[1])
    if b"zygote.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        return "judge" if pid == judge else "reader"
    return "zygote" if parent == judge else "workers"


def _children(pid: int) -> list[int]:
    try:
        return [p.pid for p in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def measure(size: Size) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, part = ROOT / "build" / "example", folder / "without §3"
        shutil.copytree(whole, part, ignore=shutil.ignore_patterns("A2S3*"))
        project = [f"--{tree}={ROOT / tree}" for tree in ("assignment", "solutions", "build")]
        ours = [sys.executable, "-m", "autograder", *project, "grade", "--quiet", "--output", str(folder / "results.json")]
        commands = {
            IMPORT: [sys.executable, "-c", "import torch"],
            OURS: [*ours, str(part)],
            WITH_3: [*ours, str(whole)],
            OTTER: stock_otter(folder),
        }
        for command in commands.values():
            wall(command, folder)
        times, peaks = {key: [] for key in commands}, {key: [] for key in commands}
        for measured, how in ((times, wall), (peaks, peak_pss)):
            for _ in range(size.rounds):
                for key, command in commands.items():
                    measured[key].append(how(command, folder))
    middle = {key: sorted(peak, key=lambda one: sum(one.values()))[len(peak) // 2] for key, peak in peaks.items()}
    return measured_of(times, middle)


def measured_of(times: dict[str, list[float]], peaks: dict[str, dict[str, float]]) -> Measured:
    """From seconds in each round, and MiB of each owner, by command."""

    def beside(key: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(times[key], times[other]))

    memory = {key: sum(peak.values()) for key, peak in peaks.items()}
    values = {
        "submission.time": beside(OURS, IMPORT),
        "submission.memory": memory[OURS],
        "submission.otter": beside(OURS, OTTER),
        "section3.time": beside(WITH_3, IMPORT),
        "section3.memory": memory[WITH_3],
    }
    rows = []
    for key, seconds in times.items():
        owners = [f"{peaks[key].get(owner, 0):.0f}" if key in (OURS, WITH_3) else "" for owner in OWNERS]
        spread = f"{min(seconds):.2f}–{max(seconds):.2f}"
        wall_time = [f"{statistics.median(seconds):.2f} s", spread, f"{beside(key, IMPORT):.2f}x"]
        rows.append([key, *wall_time, f"{memory[key]:.0f} MiB", *owners])
    header = [
        "one submission",
        "wall time",
        "min–max",
        "beside `import torch`",
        "peak memory (PSS)",
        *(f"of it: {owner}" for owner in OWNERS),
    ]
    note = (
        "Peak memory is the largest sum over all processes at one moment. The judge holds the references; the reader, a fork "
        "of it, parses the submission; the zygote holds torch; workers, and section 3's own zygote among them, are forks of it."
    )
    return Measured(values, [Detail("One submission", header, rows, note)])
