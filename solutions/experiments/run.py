"""Train the baseline and every variant with the same budget and seeds, and compare them.

    python -m experiments.run [--quick] [--only NAME]… [--output FOLDER]        (in solutions/, or: make experiments QUICK=1)

Each finished run is saved as a small JSON file: stop whenever you like, and the same command continues with the next run.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
from mingpt import ngram
from mingpt.data import MAX_LEN, PAD, Sentences, Vocabulary, load_text
from mingpt.evaluate import causality_leak, evaluate_losses, perplexities
from mingpt.model import GPT
from mingpt.trainer import Trainer, iterations
from mingpt.utils import set_seed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from . import aft, baseline, favor, masking, positions, projections, sharing, similarity
from .measure import by_position, sample
from .report import write_report
from .variant import Variant

VARIANTS: list[Variant] = [
    v for m in (baseline, similarity, sharing, positions, masking, projections, aft, favor) for v in m.VARIANTS
]
PROMPT = "And the"
PROBED = 6  # batches that are timed to estimate how long a variant takes


@dataclass(frozen=True)
class Budget:
    """What every run gets. Results of different budgets are kept in separate folders."""

    name: str
    epochs: float
    seeds: tuple[int, ...]
    learning_rate: float = 3e-3
    batch_size: int = 32
    block_size: int = 1024


FULL = Budget("full", epochs=4, seeds=(447, 448, 449))
QUICK = Budget("quick", epochs=1, seeds=(447,))


def build(variant: Variant, vocabulary: Vocabulary, budget: Budget) -> GPT:
    """A gpt-nano with the variant's one change, initialised from torch's current seed."""
    config = GPT.get_default_config()
    config.vocab_size, config.block_size, config.pad_token = len(vocabulary), budget.block_size, PAD
    config.merge_from_dict(variant.changes)
    return GPT(config)


def trainer(model: GPT, train: Sentences, budget: Budget, **settings) -> Trainer:
    config = Trainer.get_default_config()
    config.merge_from_dict(
        {
            "epochs": budget.epochs,
            "learning_rate": budget.learning_rate,
            "batch_size": budget.batch_size,
            "schedule": "cosine",
            "progress": False,
            **settings,
        }
    )
    return Trainer(config, model, train)


def train_and_measure(variant: Variant, seed: int, text, vocabulary: Vocabulary, budget: Budget, on_batch) -> dict:
    """Train one variant with one seed; returns its measurements as a dict for JSON. Raises KeyboardInterrupt if interrupted."""
    set_seed(seed)
    model = build(variant, vocabulary, budget)
    train, dev = Sentences(text.train, vocabulary, variant.train_length or MAX_LEN), Sentences(text.dev, vocabulary)
    work, curve = trainer(model, train, budget), []

    def follow(t):
        on_batch()
        if t.iter_num % max(1, t.total // 40) == 0:
            curve.append([t.iter_num, t.loss.item()])

    work.set_callback("on_batch_end", follow)
    started, cpu_started = time.perf_counter(), time.process_time()
    work.run()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    if work.iter_num < work.total:
        raise KeyboardInterrupt
    sums, lengths = evaluate_losses(model, dev)
    train_sample = text.train[:: max(1, len(text.train) // len(text.dev))]  # about as many sentences as in dev, from every book
    return {
        "variant": variant.name,
        "seed": seed,
        "budget": asdict(budget),
        "source": text.source,
        "parameters": model.count_parameters(),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "device": work.device,
        "curve": curve,
        "train": perplexities(*evaluate_losses(model, Sentences(train_sample, vocabulary))),
        "dev": perplexities(sums, lengths),
        "by_position": by_position(model, dev),
        "leak": causality_leak(model),
        "sample": sample(model, vocabulary, PROMPT, seed),
    }


def estimate(variant: Variant, text, vocabulary: Vocabulary, budget: Budget) -> float:
    """Seconds that one run will take, extrapolated from a few batches."""
    model, train = build(variant, vocabulary, budget), Sentences(text.train, vocabulary, variant.train_length or MAX_LEN)
    work = trainer(model, train, budget, max_iters=PROBED)
    durations = []
    work.set_callback("on_batch_end", lambda t: durations.append(t.iter_dt))
    work.run()
    count = iterations(trainer(model, train, budget).config, -(-len(train) // budget.batch_size))
    return count * sum(durations[1:]) / len(durations[1:])


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
    same = result.get("budget") == json.loads(json.dumps(asdict(budget))) and result.get("source") == source
    return result if same else None


def write_result(path: Path, result: dict) -> None:
    """Write atomically, so that an interrupted run is never mistaken for a finished one."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


@click.command()
@click.option("--quick", is_flag=True, help="one seed and one epoch each: takes minutes, gives a rough picture")
@click.option("--only", multiple=True, metavar="NAME", help="only variants whose name contains this (the baseline runs always)")
@click.option("--output", type=click.Path(path_type=Path), default=Path("../build/experiments"), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), default=Path("."), help="where to look for the course's text files")
def main(quick: bool, only: tuple[str, ...], output: Path, folder: Path) -> None:
    """Compare the variants; the table and plots go to OUTPUT."""
    budget, console = (QUICK if quick else FULL), Console()
    variants, place = chosen(only), output / budget.name
    place.mkdir(parents=True, exist_ok=True)
    try:
        text = load_text(folder)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    vocabulary = Vocabulary(text.train)
    results = finished_runs(variants, place, budget, text.source)
    todo = [(v, s) for s in budget.seeds for v in variants if (v.name, s) not in results]
    if todo:
        announce(console, todo, len(results), text, vocabulary, budget)
        try:
            run_all(console, todo, results, place, text, vocabulary, budget)
        except KeyboardInterrupt:
            console.print(f"stopped: {len(results)} runs are kept in {place}; the same command continues from there")
            raise SystemExit(130) from None
    counted = ngram.baselines(text.train, text.dev, vocabulary)
    write_report(console, place, [[results[v.name, s] for s in budget.seeds] for v in variants], variants, counted)


def finished_runs(variants: list[Variant], place: Path, budget: Budget, source: str) -> dict[tuple[str, int], dict]:
    """(variant, seed) -> result, for every run that is already done."""
    runs = {(v.name, seed): read_result(result_file(place, v, seed), budget, source) for v in variants for seed in budget.seeds}
    return {run: result for run, result in runs.items() if result}


def announce(console: Console, todo: list, done: int, text, vocabulary: Vocabulary, budget: Budget) -> None:
    """Print how long the runs will take."""
    seconds = {v.name: estimate(v, text, vocabulary, budget) for v in {v.name: v for v, _ in todo}.values()}
    total = sum(seconds[v.name] + 3 for v, _ in todo)  # 3 s to measure a model
    kept = f", {done} are already done" if done else ""
    console.print(
        f"{len(todo)} runs of {budget.epochs:g} epochs ({budget.name} budget{kept}): "
        f"about {total / 60:.0f} minutes on this machine"
    )


def run_all(console: Console, todo: list, results: dict, place: Path, text, vocabulary: Vocabulary, budget: Budget) -> None:
    columns = [
        TextColumn("{task.description:32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console) as progress:
        overall = progress.add_task("all runs", total=len(todo))
        for variant, seed in todo:
            count = iterations(
                trainer(build(variant, vocabulary, budget), Sentences([], vocabulary), budget).config,
                -(-len(text.train) // budget.batch_size),
            )
            bar = progress.add_task(variant.name, total=count)
            result = train_and_measure(variant, seed, text, vocabulary, budget, partial(progress.advance, bar))
            write_result(result_file(place, variant, seed), result)
            results[variant.name, seed] = result
            progress.remove_task(bar)
            progress.advance(overall)


if __name__ == "__main__":
    main()
