"""A class: submissions per second, beside stock `otter run` in sequence; time and memory must be flat from small to large.

Ordinary submissions (tests/support/make_class.py, no two the same): of §1 + §2.1 in every format, right ones and ones with
one mistake; with §3, a script of that beside them. No optimiser loops, no hangs. Rates count everything after the worker's
start: reading, judging, committing, writing. Stock Otter is measured on a few submissions and scaled up.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.batch.grade_class import Batch, run_batch
from autograder.core.loading import load_assignment
from autograder.core.processors import processors
from bench.report import ROOT, Detail, Measured, Size
from bench.submission import stock_otter, wall
from support.make_class import make_class


@dataclass
class Run:
    """One batch: submissions, seconds after the worker's start, and the parent's resident bytes at each report."""

    count: int
    seconds: float
    memory: list[int]

    @property
    def each(self) -> float:
        return self.seconds / self.count

    def row(self, label: str) -> list[str]:
        most = f"{max(self.memory) >> 20} MiB"
        return [label, f"{self.count:,}", f"{self.seconds:.1f} s", f"{1 / self.each:.1f}", most]


def graded(source: Path, output: Path, count: int) -> Run:
    """Grade a class. Raises RuntimeError if a submission could not be."""
    assignment = load_assignment(ROOT / "assignment")
    started, memory, parent = [], [], psutil.Process()

    def progress(*_: int) -> None:
        started.append(time.perf_counter())
        memory.append(parent.memory_info().rss)

    references = ROOT / "build" / "reference.safetensors"
    summary = run_batch(Batch(assignment, references, source, output, assignment.courses[-1]), progress)
    if summary.problems:
        raise RuntimeError(f"not graded: {summary.problems[:3]}")
    return Run(count, time.perf_counter() - started[0], memory)


def measure(size: Size) -> Measured:
    small, with_3 = (10, 10) if size.quick else (100, max(100, size.largest // 10))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_class(small, folder / "small", ordinary_only=True)
        make_class(size.largest, folder / "large", ordinary_only=True)
        make_class(with_3, folder / "with §3", ordinary_only=True, section3=True)
        (folder / "otter").mkdir()
        command = stock_otter(folder / "otter")
        wall(command, folder / "otter")
        otter = statistics.median(wall(command, folder / "otter") for _ in range(3))
        counts = {"warm-up": small, "small": small, "large": size.largest, "small again": small, "with §3": with_3}
        runs = {label: graded(folder / (label if label in ("large", "with §3") else "small"), folder / f"out {label}", count)
                for label, count in counts.items()}  # fmt: skip
        known = graded(folder / "large", folder / "out large", size.largest)
    return measured_of(runs, known, otter)


def measured_of(runs: dict[str, Run], known: Run, otter: float) -> Measured:
    """``known``: the large class once more, all of it in the store; ``otter``: seconds for one submission."""
    large = runs["large"]
    few = statistics.mean([runs["small"].each, runs["small again"].each])
    reports = len(large.memory)
    early = statistics.median(large.memory[reports // 10 : max(reports // 5, reports // 10 + 1)])
    late = statistics.median(large.memory[-max(reports // 10, 1) :])
    values = {
        "class.rate": 1 / large.each,
        "class.section3": 1 / runs["with §3"].each,
        "class.otter": otter / large.each,
        "class.slower": large.each / few,
        "class.memory": late / early,
    }
    labels = {"small": "§1 + §2.1", "large": "§1 + §2.1", "small again": "§1 + §2.1, again", "with §3": "with §3 too"}
    rows = [runs[key].row(label) for key, label in labels.items()] + [known.row("§1 + §2.1, everything known")]
    note = (
        f"On {processors()} processors. Stock `otter run` takes {otter:.2f} s for each submission: {large.count:,} one after "
        f"the other would take {large.count * otter / 60:.0f} minutes (extrapolated)."
    )
    header = ["a class", "submissions", "time", "a second", "the batch's own process, at most"]
    return Measured(values, [Detail("A class", header, rows, note)])
