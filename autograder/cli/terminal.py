"""Terminal output: tables, summaries, and the progress of long commands."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.core.text import clean, first_of
from autograder.judging.output import plain_output
from autograder.sandbox.judge_side.doctor import WANTED

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBar
    from rich.progress import TaskID

    from autograder.authoring.audit import Audit
    from autograder.batch.grade_class import Summary
    from autograder.sandbox.judge_side.doctor import Diagnosis

SHOWN_NOTES = 50
STYLES = {"passed": "green", "failed": "red", "not submitted": "yellow", "not run": "yellow"}


def print_diagnosis(diagnosis: Diagnosis) -> None:
    """Print the layers of the cage, then the findings of the probes."""
    console = Console()
    layers = Table(box=None, pad_edge=False, header_style="bold")
    layers.add_column("layer")
    layers.add_column("state", overflow="fold")
    for name, state in diagnosis.layers.items():
        layers.add_row(Text(name), Text(state, style="green" if state == "on" else "yellow"))
    probes = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("probe", "protects", "finding"):
        probes.add_column(column)
    for finding in diagnosis.findings:
        text = f"held: {finding.refusal}" if finding.held else "NOT HELD"
        probes.add_row(Text(finding.name), Text(finding.protects), Text(text, style="green" if finding.held else "bold red"))
    for finding in diagnosis.scratch:
        good = finding.held != (finding.name in WANTED)
        text = f"refused: {finding.refusal}" if finding.held else "allowed"
        probes.add_row(
            Text(f"{finding.name} (workers with a folder)"),
            Text(finding.protects),
            Text(text, style="green" if good else "bold red"),
        )
    console.print(layers, "", probes, "", sep="\n")
    safe = "Hidden references are out of reach." if diagnosis.safe else "Hidden references are WITHIN REACH of student code."
    console.print(Text(safe, style="bold green" if diagnosis.safe else "bold red"))


def print_audit(result: Audit) -> None:
    """Print the table of tolerances, the mistakes that cost several items, the problems and a one-line summary."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "noise", "tolerance", "smallest mistake", "margin"):
        table.add_column(column, justify="left" if column == "item" else "right")
    for row in result.tolerances:
        margin = f"{row.margin:.0f}x" if row.judged else "fixed by the course"
        table.add_row(row.item, f"{row.noise:.1e}", f"{row.tolerance:g}", f"{row.mistake:.2g}", margin)
    console.print(table)
    mistakes = result.of("mistake")
    console.print(f"\nrecognised by name: {sum(o.named for o in mistakes)} of {len(mistakes)} mistakes")
    console.print(f"graded anew: {result.anew} of {len(result.outcomes)}; the rest is known from an earlier audit")
    for shared in result.shared:
        console.print(Text(f"shared: {shared}", style="dim"))
    for problem in result.problems:
        console.print(Text(problem, style="bold red"))
    console.print(Text(result.last_line(), style="bold"))


def print_table(tree: dict[str, Any]) -> None:
    """Print question, points, verdict and first line of output of each test in results.json; then the total and the notes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("question", "points", "verdict", "reason"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for test in tree["tests"]:
        verdict = test["extra_data"]["verdict"]
        table.add_row(
            Text(clean(test["number"])),
            f"{test['score']:g}/{test['max_score']:g}",
            Text(clean(verdict), style=STYLES.get(verdict, "dim")),
            Text(clean(plain_output(test).split("\n")[0], 700)),
        )
    console = Console(soft_wrap=False)
    console.print(table)
    console.print(Text(f"\ntotal {tree['score']:g} of {sum(t['max_score'] for t in tree['tests']):g}", style="bold"))
    for line in tree["output"].split("\n"):
        console.print(Text(clean(line, 700), style="dim"))


class Progress:
    """The progress of a batch, its rate and the time left: a bar on a terminal, a new line now and then elsewhere."""

    every = 15.0  # seconds

    def __init__(self, quiet: bool):
        from rich import progress

        self.bar: ProgressBar | None = None
        self.task: TaskID | None = None
        self.quiet = quiet
        if not quiet and sys.stderr.isatty():
            self.bar = progress.Progress(
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[rate]}"),
                progress.TimeRemainingColumn(),
                console=Console(stderr=True),
                auto_refresh=False,
                transient=True,
            )
        self.started = self.printed = 0.0

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("", total=None, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def __call__(self, done: int, total: int, ran: int) -> None:
        """Show that ``done`` of ``total`` submissions are done, ``ran`` of which were graded now."""
        now = time.monotonic()
        if not self.started:
            self.started = self.printed = now
        if self.bar and self.task is not None:
            rate = ran / (now - self.started) if ran and now > self.started else 0.0
            self.bar.update(self.task, completed=done, total=total, rate=f"{rate:.1f} per second" if rate else "")
            self.bar.refresh()
        elif not self.quiet and now - self.printed >= self.every:
            self.printed = now
            rate = done / (now - self.started)
            left = (total - done) / rate if done else 0.0
            print(f"{done} of {total}, {rate:.1f} per second, about {left:.0f} s left", file=sys.stderr, flush=True)


def print_summary(summary: Summary, output: Path) -> None:
    """Print notes, problems and changed scores, one line each, then a summary and the paths of the results."""
    console = Console(soft_wrap=True, highlight=False)
    for note in first_of(summary.notes, SHOWN_NOTES):
        console.print(Text(f"note: {clean(note, 700)}", style="dim"))
    for id, problem in summary.problems:
        console.print(Text(f"{id}: {clean(problem, 700)}", style="yellow"))
    for change in summary.changes[:20]:
        scores = f"{change.old or 'none'} -> {change.new or 'none'}"
        console.print(Text(f"changed: {change.submission} {change.item} {scores}: {clean(change.reason, 700)}"))
    if summary.changes:
        submissions = len({change.submission for change in summary.changes})
        changed = f"{len(summary.changes)} scores of {submissions} submissions have changed since the last run"
        console.print(Text(f"{changed}: {output / 'moved.csv'}", style="bold"))
    stored = summary.submissions - summary.ran - len(summary.problems)
    rate = f", {summary.ran / summary.seconds:.1f} per second" if summary.ran and summary.seconds else ""
    console.print(
        Text(
            f"{summary.submissions} submissions: {summary.ran} graded now{rate}, {max(stored, 0)} known before, "
            f"{len(summary.problems)} not graded",
            style="bold",
        )
    )
    console.print(f"gradebook: {output / 'gradebook.csv'}; class page: {output / 'index.html'}")
