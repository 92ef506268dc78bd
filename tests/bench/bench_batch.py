"""A class: submissions per second, beside stock `otter run` in sequence; time and memory must be flat from 100 to 2,000.

    python tests/bench/bench_batch.py [SMALL LARGE]

Ordinary submissions of §1 + §2.1 (tests/support/make_class.py, no two the same): every format, right answers and answers with
one mistake; no optimiser loops, no hangs. Rates count everything after the worker's start: reading, judging, committing,
writing. Stock Otter is measured on a few submissions and scaled up.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def graded(source: Path, output: Path) -> tuple[float, list[int]]:
    """(seconds, the parent's resident bytes at each report) for one batch."""
    from autograder.batch.grade_class import Batch, run_batch
    from autograder.core.loading import load_assignment

    assignment = load_assignment(ROOT / "assignment")
    started, memory, parent = [], [], psutil.Process()

    def progress(done: int, total: int, ran: int) -> None:
        started.append(time.perf_counter())
        memory.append(parent.memory_info().rss)

    references = ROOT / "build" / "reference.safetensors"
    summary = run_batch(Batch(assignment, references, source, output, assignment.courses[-1]), progress)
    if summary.problems:
        raise SystemExit(f"not graded: {summary.problems[:3]}")
    return time.perf_counter() - started[0], memory


def main(small: int, large: int) -> int:
    from bench import stock_otter, wall
    from support.make_class import make_class

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in (small, large):
            make_class(count, folder / f"class{count}", ordinary_only=True)
        (folder / "otter").mkdir()
        command = stock_otter(folder / "otter")
        wall(command, folder / "otter")
        otter = statistics.median(wall(command, folder / "otter") for _ in range(3))
        each, memory = {}, []
        for label, count in (("warm-up", small), ("small", small), ("large", large), ("small again", small)):
            seconds, memory_now = graded(folder / f"class{count}", folder / f"out {label}")
            each[label] = seconds / count
            memory = memory_now if label == "large" else memory
            print(f"{label:12} {count:5} submissions in {seconds:6.1f} s: {count / seconds:5.1f} a second")
        known, _ = graded(folder / f"class{large}", folder / "out large")
    rate, few = 1 / each["large"], statistics.mean([each["small"], each["small again"]])
    flat, ratio = each["large"] / few, rate * otter
    early = statistics.median(memory[len(memory) // 10 : len(memory) // 5])
    late = statistics.median(memory[-len(memory) // 10 :])
    print(
        f"everything known: {large} in {known:.1f} s; otter run: {otter:.2f} s each, "
        f"so {large} one after the other {large * otter / 60:.0f} min (extrapolated)"
    )
    reached = {
        f"at least 15 submissions a second on {os.cpu_count()} processors: {rate:.1f}": rate >= 15,
        f"at least 100x stock otter run: {ratio:.0f}x": ratio >= 100,
        f"time for each flat from {small} to {large} within 15 %: {flat:.2f}x": abs(flat - 1) <= 0.15,
        f"the parent's memory flat within 10 %: {early / 2**20:.0f} to {late / 2**20:.0f} MiB": late <= 1.1 * early,
    }
    for text, good in reached.items():
        print(("reached  " if good else "MISSED   ") + text)
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])) if len(sys.argv) > 2 else main(100, 2000))
