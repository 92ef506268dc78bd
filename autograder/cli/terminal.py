"""What is printed: tables, summaries, and how far a long command is."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.sandbox.judge_side.doctor import WANTED

STYLES = {"passed": "green", "failed": "red", "not submitted": "yellow", "not run": "yellow"}


def print_diagnosis(diagnosis) -> None:
    """The layers of the cage, then what the probes found."""
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


def print_audit(found) -> None:
    """The tolerances' table, what is shared and what does not hold, then the one line that sums up."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "noise", "tolerance", "smallest mistake", "margin"):
        table.add_column(column, justify="left" if column == "item" else "right")
    for row in found.tolerances:
        margin = f"{row.margin:.0f}x" if row.judged else "the course's"
        table.add_row(row.item, f"{row.noise:.1e}", f"{row.tolerance:g}", f"{row.mistake:.2g}", margin)
    console.print(table)
    mistakes = found.of("mistake")
    console.print(f"\nnamed to their author: {sum(o.named for o in mistakes)} of {len(mistakes)} mistakes")
    for shared in found.shared:
        console.print(Text(f"shared: {shared}", style="dim"))
    for problem in found.problems:
        console.print(Text(problem, style="bold red"))
    console.print(Text(found.last_line(), style="bold"))


def print_table(tree: dict) -> None:
    """Question, points, verdict and the first line of its output; then the total and the notes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("question", "points", "verdict", "reason"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for test in tree["tests"]:
        verdict = test["extra_data"]["verdict"]
        table.add_row(
            Text(test["number"]),
            f"{test['score']:g}/{test['max_score']:g}",
            Text(verdict, style=STYLES.get(verdict, "dim")),
            Text(test["output"].split("\n")[0]),
        )
    console = Console(soft_wrap=False)
    console.print(table)
    console.print(Text(f"\ntotal {tree['score']:g} of {sum(t['max_score'] for t in tree['tests']):g}", style="bold"))
    for line in tree["output"].split("\n"):
        console.print(Text(line, style="dim"))


class Status:
    """What a long command is doing: one line that is written over on a terminal, elsewhere a line now and then. On stderr."""

    every = 10.0

    def __init__(self) -> None:
        self.width, self.told, self.last = 0, 0.0, ""

    def __enter__(self) -> Status:
        return self

    def say(self, text: str) -> None:
        """Show this now."""
        self.last = text
        if sys.stderr.isatty():
            print("\r" + text.ljust(self.width), end="", file=sys.stderr, flush=True)
            self.width = len(text)
        elif not self.told or time.monotonic() - self.told >= self.every:
            self.told, self.last = time.monotonic(), ""
            print(text, file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.width:
            print("\r" + " " * self.width + "\r", end="", file=sys.stderr, flush=True)
        elif self.last:
            print(self.last, file=sys.stderr, flush=True)


class Progress:
    """How far a batch is, its rate and the time left: on one line of a terminal, now and then a line elsewhere."""

    every = 15.0

    def __init__(self, quiet: bool):
        from rich import progress

        self.shown, self.task, self.quiet = None, None, quiet
        if not quiet and sys.stderr.isatty():
            self.shown = progress.Progress(
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[rate]}"),
                progress.TimeRemainingColumn(),
                console=Console(stderr=True),
                auto_refresh=False,
                transient=True,
            )
        self.started = self.told = 0.0

    def __enter__(self) -> Progress:
        if self.shown:
            self.shown.start()
            self.task = self.shown.add_task("", total=None, rate="")
        return self

    def __exit__(self, *_) -> None:
        if self.shown:
            self.shown.stop()

    def __call__(self, done: int, total: int, ran: int) -> None:
        now = time.monotonic()
        if not self.started:
            self.started = self.told = now
        if self.shown:
            rate = ran / (now - self.started) if ran and now > self.started else 0.0
            self.shown.update(self.task, completed=done, total=total, rate=f"{rate:.1f} a second" if rate else "")
            self.shown.refresh()
        elif not self.quiet and now - self.told >= self.every:
            self.told = now
            rate = done / (now - self.started)
            left = (total - done) / rate if done else 0.0
            print(f"{done} of {total}, {rate:.1f} a second, about {left:.0f} s left", file=sys.stderr, flush=True)


def print_summary(summary, output) -> None:
    """What could not be graded, one line each, then what was and where it lies."""
    console = Console(soft_wrap=True, highlight=False)
    for note in summary.notes:
        console.print(Text(f"note: {note}", style="dim"))
    for id, why in summary.problems:
        console.print(Text(f"{id}: {why}", style="yellow"))
    for id, item, old, new, why in summary.moves[:20]:
        console.print(Text(f"moved: {id} {item} {old or 'none'} -> {new or 'none'}: {why}"))
    if summary.moves:
        people = len({move[0] for move in summary.moves})
        console.print(
            Text(
                f"{people} submissions moved in {len(summary.moves)} items since the last run: {output / 'moved.csv'}",
                style="bold",
            )
        )
    known = summary.submissions - summary.ran - len(summary.problems)
    rate = f", {summary.ran / summary.seconds:.1f} a second" if summary.ran and summary.seconds else ""
    console.print(
        Text(
            f"{summary.submissions} submissions: {summary.ran} graded now{rate}, {max(known, 0)} known before, "
            f"{len(summary.problems)} not graded",
            style="bold",
        )
    )
    console.print(f"gradebook: {output / 'gradebook.csv'}; the class on a page: {output / 'index.html'}")
