"""Wall time and peak memory of one submission, beside a bare torch import and stock `otter run`: medians.

    python tests/bench/bench.py [ROUNDS]

The commands are timed in turn (A B C A B C …), so that drift in the machine's speed affects all of them. Memory is the
peak of the summed proportional set size over all processes of a command, sampled in separate runs; beside it whose it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import nbformat
import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


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


def peak_pss(command: list[str], folder: Path) -> dict[str, float]:
    """MiB of each kind of process when their sum is largest, over the process tree, sampled every 10 ms."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, done = Counter(), threading.Event()

    def sample():
        nonlocal peak
        while not done.is_set():
            now = Counter()
            for pid in [process.pid, *_children(process.pid)]:
                try:
                    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    now[_kind(pid, process.pid)] += int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1])
                except (OSError, TypeError):
                    pass
            peak = max(peak, now, key=Counter.total)
            done.wait(0.01)

    thread = threading.Thread(target=sample)
    thread.start()
    process.wait()
    done.set()
    thread.join()
    return {kind: size / 1024 for kind, size in peak.items()}


def _kind(pid: int, judge: int) -> str:
    """The judge (or whatever was started), the process that reads for it, the zygote, or what is forked from that."""
    status = Path(f"/proc/{pid}/stat").read_text()
    parent = int(status.rpartition(")")[2].split()[1])
    if b"zygote.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        return "judge" if pid == judge else "reader"
    return "zygote" if parent == judge else "workers and section 3's zygote"


def _children(pid: int) -> list[int]:
    try:
        return [p.pid for p in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def wall(command: list[str], folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return time.perf_counter() - started


def cage_table(count: int = 80) -> None:
    """What each layer adds to a child (fork with torch, cage, load one statement, exit), the variants timed in turn.

    The user layer needs root and a Python that others can read.
    """
    from autograder.core.assignment import Limits
    from autograder.sandbox.judge_side.worker import Worker
    from autograder.sandbox.judge_side.zygote_client import ZygoteClient

    python, paths = sys.executable, ()
    if os.geteuid() == 0 and Path("/usr/bin/python3").exists():
        version = subprocess.run(
            ["/usr/bin/python3", "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
        )
        if version.stdout.strip() == str(sys.version_info[:2]):
            python, paths = "/usr/bin/python3", (sysconfig.get_paths()["purelib"],)
    program = {
        "statements": [{"code": "f = 1", "cell": 0, "line": 1}],
        "watch": [],
        "report": ["f"],
        "prelude": "",
        "future": [],
        "modules": {},
    }
    variants = {
        "": (),
        "user": ("user",),
        "landlock": ("landlock",),
        "seccomp": ("seccomp",),
        "all three": ("user", "landlock", "seccomp"),
    }
    with contextlib.ExitStack() as stack:
        zygotes = {
            name: stack.enter_context(ZygoteClient(("torch",), python, paths, without)) for name, without in variants.items()
        }
        times = {name: [] for name in variants}
        for _ in range(count):
            for name, zygote in zygotes.items():
                started = time.perf_counter()
                with Worker(zygote, Limits()) as worker:
                    worker.load(program)
                times[name].append(1000 * (time.perf_counter() - started))
    full = statistics.median(times[""])
    print(f"a caged child: {full:.1f} ms, {1000 / full:.0f} a second")
    for name in list(variants)[1:]:
        added = statistics.median(a - b for a, b in zip(times[""], times[name]))
        print(f"  {name} adds {added:+.2f} ms")


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, part = ROOT / "build" / "example", folder / "without §3"
        shutil.copytree(whole, part, ignore=shutil.ignore_patterns("A2S3*"))
        ours = [sys.executable, "-m", "autograder", "grade", "--quiet", "--output", str(folder / "results.json")]
        commands = {
            "torch import": [sys.executable, "-c", "import torch"],
            "this grader": [*ours, str(part)],
            "otter run": stock_otter(folder),
            "this grader, with §3": [*ours, str(whole)],
        }
        os.environ["PYTHONPATH"] = str(ROOT)
        for command in commands.values():
            wall(command, folder)
        times = {key: [] for key in commands}
        for _ in range(rounds):
            for key, command in commands.items():
                times[key].append(wall(command, folder))
        peaks = {key: [peak_pss(command, folder) for _ in range(3)] for key, command in commands.items()}
    middle = {key: sorted(peak, key=lambda one: sum(one.values()))[1] for key, peak in peaks.items()}
    good = report(times, {key: sum(peak.values()) for key, peak in middle.items()}, rounds)
    for key in ("this grader", "this grader, with §3"):
        print(f"peak of {key}: " + ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(middle[key].items())) + " MiB")
    cage_table()
    return good


def report(times: dict[str, list[float]], memory: dict[str, float], rounds: int) -> int:
    table = Table(title=f"one submission of §1 + §2.1 (and one with §3), median of {rounds}", box=None, title_justify="left")
    for column in ("command", "wall s", "min–max", "peak MiB", "grader / it"):
        table.add_column(column, justify="left" if column == "command" else "right")
    ours = times["this grader"]
    ratios = {key: statistics.median(a / b for a, b in zip(ours, values)) for key, values in times.items()}
    for key, values in times.items():
        table.add_row(
            key,
            f"{statistics.median(values):.2f}",
            f"{min(values):.2f}–{max(values):.2f}",
            f"{memory[key]:.0f}",
            f"{ratios[key]:.2f}x",
        )
    Console(width=100).print(table)
    with_3 = statistics.median(a / b for a, b in zip(times["this grader, with §3"], times["torch import"]))
    reached = {
        f"at most 1.0x the torch import: {ratios['torch import']:.2f}x": ratios["torch import"] <= 1.0,
        f"with §3 at most 2.2x: {with_3:.2f}x": with_3 <= 2.2,
        f"at most 0.4x otter run: {ratios['otter run']:.2f}x": ratios["otter run"] <= 0.4,
        f"peak at most 240 MiB: {memory['this grader']:.0f} MiB": memory["this grader"] <= 240,
        f"with §3 at most 450 MiB: {memory['this grader, with §3']:.0f} MiB": memory["this grader, with §3"] <= 450,
    }
    for text, good in reached.items():
        print(("reached  " if good else "MISSED   ") + text)
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
