"""Measure speed and memory beside torch and stock Otter, and say which goals are reached: ``make bench``.

    python tests/bench [--rounds N] [--largest N] [--quick] [--output PAGE] [PART…]

A whole run writes docs/figures.md and the README's four figures; a quick run, or one of some parts, writes build/figures.md.
Nothing else should run on the machine meanwhile. Exit status: 0 if all that was measured reaches its goal.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "solutions"))

from bench import report
from bench.report import Measured, Size

PARTS = ("submission", "cage", "classes", "training", "commands")  # modules beside this one
WHOLE, QUICK = Size(rounds=7, largest=10_000, quick=False), Size(rounds=1, largest=40, quick=True)


def size_of(quick: bool, rounds: int | None, largest: int | None) -> Size:
    size = QUICK if quick else WHOLE
    return replace(size, rounds=rounds or size.rounds, largest=largest or size.largest)


def measure_apart(part: str, size: Size) -> Measured | None:
    """Measure in a process of its own, so that no part's imports are in another's memory; None, and a line, if that fails."""
    click.echo(f"measuring: {part}", err=True)
    started = time.monotonic()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        try:
            measured = process.submit(report.measure, part, size).result()
        except Exception as error:
            click.echo(f"could not be measured: {part}: {error}", err=True)
            return None
    click.echo(f"  took {time.monotonic() - started:.0f} s", err=True)
    return measured


def measure_all(parts: tuple[str, ...], size: Size) -> tuple[Measured, list[str]]:
    """What these parts measured, and which of them failed."""
    everything, failed = Measured(), []
    for part in parts:
        measured = measure_apart(part, size)
        if measured is None:
            failed.append(part)
        else:
            everything.values |= measured.values
            everything.details += measured.details
    return everything, failed


@click.command()
@click.option("--rounds", type=click.IntRange(1), help=f"Rounds of whatever is compared (default: {WHOLE.rounds}).")
@click.option("--largest", type=click.IntRange(40), help=f"Submissions in the largest class (default: {WHOLE.largest}).")
@click.option("--quick", is_flag=True, help="A few minutes: one round, a small class, little text, no audit.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The page to write, instead of the usual one.")
@click.argument("parts", nargs=-1, type=click.Choice(PARTS), metavar="[PART]…")
def main(rounds: int | None, largest: int | None, quick: bool, output: Path | None, parts: tuple[str, ...]) -> None:
    """Measure all parts, or these: submission, cage, classes, training, commands."""
    size, whole = size_of(quick, rounds, largest), not (quick or parts or output)
    where = report.origin()  # before anything is written
    everything, failed = measure_all(parts or PARTS, size)
    report.print_tables(everything)
    page = output or (report.PAGE if whole else report.ROOT / "build" / "figures.md")
    report.write_page(page, size, everything, f"{dt.datetime.now().astimezone():%Y-%m-%d}", failed, where)
    if whole:
        report.write_readme(report.README, everything.values)
    click.echo(f"written: {page}")
    sys.exit(1 if failed or report.missed(everything.values) else 0)


if __name__ == "__main__":
    main()
