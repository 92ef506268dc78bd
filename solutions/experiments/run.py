"""Train the baseline and every variant with the same budget and seeds, and compare them pair by pair.

    python -m experiments.run [--quick] [--only NAME]… [--output FOLDER]        (in solutions/, or: make experiments QUICK=1)

Each finished run is saved as a small JSON file: stop whenever you like, and the same command continues with the next run. To
use several processors, start the command several times, each with other seeds (--seed); the last one to finish has all runs.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import Counter
from functools import partial
from pathlib import Path

import click
import torch
from mingpt import ngram
from mingpt.data import Sentences, Text, Vocabulary, load_text
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from . import aft, alibi, baseline, control, favor, gating, masking, positions, projections, sharing, similarity, talking
from .measure import unknown
from .positions import SHORT
from .report import write_report
from .trial import Budget, measuring_seconds, train_and_measure, training_seconds
from .variant import Variant

FILES = (baseline, control, similarity, sharing, positions, alibi, masking, projections, talking, aft, gating, favor)
VARIANTS: list[Variant] = [variant for file in FILES for variant in file.VARIANTS]
FULL = Budget("full", epochs=4, seeds=(447, 448, 449, 450, 451))
QUICK = Budget("quick", epochs=1, seeds=(447,), batch_size=16)  # smaller batches: twice as many steps for the same work


def chosen(names: tuple[str, ...]) -> list[Variant]:
    """The baseline and the variants whose names contain one of ``names`` (default: all). Raises UsageError if none does."""
    for name in names:
        if not any(name.lower() in v.name.lower() for v in VARIANTS):
            raise click.UsageError(f"no variant is called {name!r}; there are: {', '.join(v.name for v in VARIANTS)}")
    return [v for v in VARIANTS if not names or v is VARIANTS[0] or any(n.lower() in v.name.lower() for n in names)]


def result_file(folder: Path, variant: Variant, seed: int) -> Path:
    plain = "".join(c if c.isalnum() else "-" for c in variant.name.lower())
    return folder / f"{plain}.{seed}.json"


def read_result(path: Path, budget: Budget, source: str) -> dict | None:
    """The result of a finished run with this budget on this text, or None."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result if result.get("budget") == budget.each() and result.get("source") == source else None


def write_result(path: Path, result: dict) -> None:
    """Write atomically, so that an interrupted run is never mistaken for a finished one."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


@click.command()
@click.option("--quick", is_flag=True, help="one seed and one epoch each: takes minutes, gives a rough picture")
@click.option("--only", multiple=True, metavar="NAME", help="only variants whose name contains this (the baseline runs always)")
@click.option("--seed", "seeds", multiple=True, type=int, help="only these seeds (default: all of the budget's)")
@click.option("--output", type=click.Path(path_type=Path), default=Path("../build/experiments"), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("."), help="where to look for the course's text files")
def main(quick: bool, only: tuple[str, ...], seeds: tuple[int, ...], output: Path, folder: Path) -> None:
    """Compare the variants; the table and plots go to OUTPUT."""
    torch.set_num_threads(1)  # more gain a model this small little, and on a busy machine they wait for each other
    budget, console = (QUICK if quick else FULL), Console()
    variants, place = chosen(only), output / budget.name
    place.mkdir(parents=True, exist_ok=True)
    try:
        text = load_text(folder)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    vocabulary = Vocabulary(text.train)
    asked = [(v, s) for s in seeds or budget.seeds for v in variants]
    todo = [(v, s) for v, s in asked if not read_result(result_file(place, v, s), budget, text.source)]
    if todo:
        try:
            announce(console, todo, len(asked) - len(todo), text, vocabulary, budget)
            run_all(console, todo, place, text, vocabulary, budget)
        except KeyboardInterrupt:
            kept = len(finished(asked, place, budget, text.source))
            console.print(f"stopped: {kept} runs are kept in {place}; the same command continues from there")
            raise SystemExit(130) from None
    everything = [(v, s) for s in sorted({*budget.seeds, *seeds}) for v in variants]
    runs = paired_runs(finished(everything, place, budget, text.source), len(variants))
    counting = ngram.baselines(text.train, text.dev, vocabulary)
    write_report(console, place, runs, variants, counting, described(text, vocabulary))


def finished(wanted: list[tuple[Variant, int]], place: Path, budget: Budget, source: str) -> list[dict]:
    """The results that are there, variant by variant."""
    results = [(v.name, read_result(result_file(place, v, seed), budget, source)) for v, seed in wanted]
    order = list(dict.fromkeys(name for name, _ in results))
    return sorted((r for _, r in results if r), key=lambda r: (order.index(r["variant"]), r["seed"]))


def paired_runs(runs: list[dict], variants: int) -> list[dict]:
    """The runs of the seeds that every variant has been trained with: means over different seeds would not be comparable."""
    complete = {seed for seed, n in Counter(run["seed"] for run in runs).items() if n == variants}
    return [run for run in runs if run["seed"] in complete]


def described(text: Text, vocabulary: Vocabulary) -> dict:
    """What a report says about the text."""
    train, dev = Sentences(text.train, vocabulary), Sentences(text.dev, vocabulary)
    return {
        "source": text.source,
        "sentences": {"train": len(train), "dev": len(dev)},
        "tokens": {"train": train.tokens(), "dev": dev.tokens()},
        "types": len(vocabulary),
        "unknown": {"train": unknown(train), "dev": unknown(dev)},
        "longest": max(map(targets, text.train)),
        "short": Sentences(text.train, vocabulary, SHORT).tokens(),
        "beyond": {n: beyond(text.dev, n) for n in (SHORT, 2 * SHORT)},
    }


def targets(line: list[str]) -> int:
    """How many tokens of a sentence are predicted: its words and <STOP>."""
    return len(line) + 1


def beyond(lines: list[list[str]], n_tok: int) -> dict[str, int]:
    """How many sentences are longer than n_tok tokens, and how many tokens that makes from there on."""
    longer = [targets(line) - n_tok for line in lines if targets(line) > n_tok]
    return {"sentences": len(longer), "tokens": sum(longer)}


def announce(console: Console, todo: list, done: int, text: Text, vocabulary: Vocabulary, budget: Budget) -> None:
    """Print how long the runs will take."""
    seconds = {v.name: training_seconds(v, text, vocabulary, budget) for v in {v.name: v for v, _ in todo}.values()}
    total = sum(seconds[v.name] for v, _ in todo) + len(todo) * measuring_seconds(text, vocabulary, budget)
    kept = f", {done} are already done" if done else ""
    console.print(
        f"{len(todo)} runs of {budget.epochs:g} epochs ({budget.name} budget{kept}): "
        f"about {total / 60:.0f} minutes on this machine as busy as it is now"
    )


def run_all(console: Console, todo: list, place: Path, text: Text, vocabulary: Vocabulary, budget: Budget) -> None:
    """Make every run, with a progress bar; each result is written when it is there."""
    columns = [
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    count = max(1, math.ceil(budget.epochs * -(-len(text.train) // budget.batch_size)))
    started = time.perf_counter()
    with Progress(*columns, console=console) as progress:
        overall = progress.add_task("all runs", total=len(todo))
        for variant, seed in todo:
            if read_result(result_file(place, variant, seed), budget, text.source):
                continue  # another process has made it in the meantime
            bar = progress.add_task(variant.name, total=count)
            result = train_and_measure(variant, seed, text, vocabulary, budget, partial(progress.advance, bar))
            write_result(result_file(place, variant, seed), result)
            progress.remove_task(bar)
            progress.advance(overall)
    console.print(f"{len(todo)} runs took {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
