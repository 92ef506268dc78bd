"""Terminal output: tables, summaries, and the progress of long commands."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.core.text import clean, first_of, some_of
from autograder.judging.output import plain_output
from autograder.sandbox.judge_side.doctor import WANTED

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBar
    from rich.progress import TaskID

    from autograder.authoring.audit import Audit, Outcome
    from autograder.batch.summary import Summary
    from autograder.sandbox.judge_side.doctor import Diagnosis

SHOWN_NOTES = 50
FEW = 12  # mistakes that are not recognised, named without being asked
STYLES = {"passed": "green", "failed": "red", "not submitted": "yellow", "not run": "yellow"}

SAFE = ("Hidden references are out of reach.", "bold green")
ALONE = "With AUTOGRADER_ISOLATION=process, submissions are graded on the public inputs alone."
UNSAFE = (f"Hidden references are WITHIN REACH of student code. {ALONE}", "bold red")


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
    text, style = SAFE if diagnosis.safe else UNSAFE
    console.print(Text(text, style=style))


def print_audit(result: Audit, verbose: bool = False) -> None:
    """Print the table of tolerances, the mistakes that cost several items, the problems and a one-line summary.

    Mistakes that are not recognised are named if there are few, or with ``verbose``.
    """
    console = Console()
    if result.tolerances:
        console.print(_margins(result), end="\n\n")
    for line in _recognised(result.of("mistake"), verbose):
        console.print(Text(line), soft_wrap=True)
    rest = "; the rest is known from an earlier audit" if result.anew < len(result.outcomes) else ""
    console.print(f"graded anew: {result.anew} of {len(result.outcomes)}{rest}")
    for shared in result.shared:
        console.print(Text(f"shared: {shared}", style="dim"))
    for warning in result.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))
    for problem in result.problems:
        console.print(Text(problem, style="bold red"))
    console.print(Text(result.last_line(), style="bold"))


def _margins(result: Audit) -> Table:
    """A row for each tolerance."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("item", "noise", "tolerance", "smallest mistake", "margin"):
        table.add_column(column, justify="left" if column == "item" else "right")
    for row in result.tolerances:
        mistake = f"{row.mistake:.2g}" if math.isfinite(row.mistake) else "–"  # of texts and rules
        margin = "–" if mistake == "–" and not row.noise else f"{row.margin:.0f}x" if row.judged else "fixed by the course"
        table.add_row(row.item, f"{row.noise:.1e}", f"{row.tolerance:g}", mistake, margin)
    return table


def _recognised(mistakes: list[Outcome], verbose: bool) -> Iterator[str]:
    """How many of the mistakes are recognised under their own name, and which are not."""
    unnamed = [f"{one.item} {one.id}" for one in mistakes if not one.named]
    if mistakes:
        yield f"recognised by name: {len(mistakes) - len(unnamed)} of {len(mistakes)} mistakes"
    few = len(unnamed) if verbose else FEW
    more = f" and {len(unnamed) - few} more (--verbose names them)" if len(unnamed) > few else ""
    if unnamed:
        yield f"not recognised: {', '.join(unnamed[:few])}{more}"


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
                progress.TextColumn("{task.fields[left]}"),
                progress.TextColumn("{task.fields[lost]}", style="yellow"),
                console=Console(stderr=True),
                auto_refresh=False,
                transient=True,
            )
        self.started = self.printed = 0.0

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task("", total=None, rate="", left="", lost="")
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def __call__(self, done: int, total: int, ran: int, lost: int = 0) -> None:
        """Show that ``done`` of ``total`` submissions are done, ``ran`` of which were graded now.

        ``lost`` could not be graded.
        """
        now = time.monotonic()
        if not self.started:
            self.started = self.printed = now
        if self.quiet or not (self.bar or now - self.printed >= self.every):
            return
        rate, left = pace(done, total, ran, now - self.started)
        failed = f"{lost} not graded" if lost else ""
        if self.bar and self.task is not None:
            self.bar.update(self.task, completed=done, total=total, rate=rate, left=left, lost=failed)
            self.bar.refresh()
        else:
            self.printed = now
            print(", ".join(filter(None, [f"{done} of {total}", rate, left, failed])), file=sys.stderr, flush=True)


def pace(done: int, total: int, ran: int, seconds: float) -> tuple[str, str]:
    """(rate, time left) of what is graded now, in words.

    '' as long as they are not known. What was known before takes no time.
    """
    if not ran or seconds <= 0:
        return "", ""
    rate, left = ran / seconds, round((total - done) * seconds / ran)
    hours, minutes = left // 3600, left % 3600 // 60
    clock = f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {left % 60:02d} s" if minutes else f"{left} s"
    return f"{rate:.1f} per second", f"about {clock} left" if left else ""


def print_summary(summary: Summary, output: Path) -> None:
    """Print notes, problems and changed scores, one line each, then a summary and the paths of the results."""
    from autograder.batch.metadata import METADATA
    from autograder.batch.regrade_diff import kinds_of

    console = Console(soft_wrap=True, highlight=False)
    for note in first_of(summary.notes, SHOWN_NOTES):
        console.print(Text(f"note: {clean(note, 700)}", style="dim"))
    for id, problem in [*summary.problems, *summary.missing, *summary.doubtful]:
        console.print(Text(f"{id}: {clean(problem, 700)}", style="yellow"))
    for change in summary.changes[:20]:
        scores = f"{change.old or 'none'} -> {change.new or 'none'}"
        console.print(Text(f"changed: {change.submission} {change.item} {scores}: {clean(change.reason, 700)}"))
    if summary.changes:
        submissions = len({change.submission for change in summary.changes})
        scores = "1 score" if len(summary.changes) == 1 else f"{len(summary.changes)} scores"
        have = "has" if len(summary.changes) == 1 else "have"
        changed = f"{scores} of {_submissions(submissions)} {have} changed since the last run"
        changed += kinds_of(summary.changes)
        console.print(Text(f"{changed}: {output / 'moved.csv'}", style="bold"))
    if summary.unknown:
        whole = f"not graded: {METADATA} is missing, so nothing says what {len(summary.unknown)} of the roster submitted"
        console.print(Text(f"{whole}: {clean(some_of(summary.unknown, 5), 700)}", style="yellow"))
    if summary.absent:
        console.print(Text(f"nothing submitted: {clean(some_of(summary.absent, 10), 700)}", style="yellow"))
    console.print(Text(_numbers(summary), style="bold"))
    console.print(f"gradebook: {output / 'gradebook.csv'}; class page: {output / 'index.html'}")


def _submissions(count: int) -> str:
    return "1 submission" if count == 1 else f"{count} submissions"


def _numbers(summary: Summary) -> str:
    """How many submissions were graded when, in numbers that add up to the first."""
    copies = f", {summary.copies} with the same files as one of these" if summary.copies else ""
    rate = f", {summary.ran / summary.seconds:.1f} per second" if summary.ran and summary.seconds else ""
    unsettled = len({id for id, _ in summary.problems} - summary.lost)
    return (
        f"{_submissions(summary.submissions + len(summary.missing))}: {summary.now} graded now{rate}{copies}, "
        f"{summary.known} known before, {len(summary.lost) + len(summary.missing)} not graded"
        + (f"; of those graded, {unsettled} not settled" if unsettled else "")
    )
