"""Reports the runs as a table (terminal, Markdown, CSV), as one JSON file and as plots."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .figures import Run, baselines, by_variant, dev, leak, noise, of_difference, paired, percent, spread
from .measure import PREFIXED
from .variant import Variant

COLUMNS = ("variant", "params", "CPU s", "train ppl", "dev ppl", "vs base, paired", "leak")
INK, LIGHT, LEAK = "#1f4e79", "#c9d6e3", "#b03a2e"


def rows_of(runs: list[Run]) -> list[tuple[str, ...]]:
    """A row of the table for each variant; all are compared with the mean of the baselines, seed by seed."""
    grouped = by_variant(runs)
    base = baselines(grouped)
    return [
        (
            name,
            f"{mine[0]['parameters'] / 1000:.0f}k",
            spread([r["cpu_seconds"] for r in mine], ".0f"),
            spread([r["train"]["per_token"] for r in mine]),
            spread([dev(r) for r in mine]),
            percent(paired(mine, base)) if mine != base else "",
            leak(mine),
        )
        for name, mine in grouped.items()
    ]


def write_results(path: Path, runs: list[Run], counting: dict[str, float], text: dict[str, Any]) -> None:
    """One JSON file: the text, the n-gram models and, a line each, the runs, rounded to what a report can use."""
    lines = ",\n".join(json.dumps(rounded(run), ensure_ascii=False) for run in runs)
    head = json.dumps({"text": text, "counting": rounded(counting)}, ensure_ascii=False)[1:-1]
    path.write_text(f'{{{head}, "runs": [\n{lines}\n]}}\n', encoding="utf-8")


def rounded(value: Any) -> Any:
    """Floats with six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


def write_report(
    console: Console,
    place: Path,
    runs: list[Run],
    variants: list[Variant],
    counting: dict[str, float],
    text: dict[str, Any],
) -> None:
    """Write table.md, table.csv, results.json and two plots to ``place``; print the table."""
    rows = rows_of(runs)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    grouped = by_variant(runs)
    half, freedom = noise(grouped, [v.name for v in variants if v.task() == variants[0].task()])
    if freedom:
        half = of_difference(half, len(baselines(grouped)) // len(grouped[variants[0].name]))
        console.print(f"a difference of up to {half:.2f} % may be chance (95 %, {freedom} degrees of freedom)")
    counted = "dev perplexity of the n-gram models: " + ", ".join(f"{k} {v:.1f}" for k, v in counting.items())
    console.print(counted)
    (place / "table.md").write_text(
        "\n".join([*markdown(COLUMNS, rows), "", *positions_table(runs), "", counted, ""]), encoding="utf-8"
    )
    with open(place / "table.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    write_results(place / "results.json", runs, counting, text)
    plots(place, runs, variants, counting)
    console.print(f"table.md, table.csv, results.json, perplexity.png, curves.png: {place}")


def markdown(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """The lines of a table whose columns after the first are numbers."""
    head = ["| " + " | ".join(columns) + " |", "|---|" + "---:|" * (len(columns) - 1)]
    return head + ["| " + " | ".join(row) + " |" for row in rows]


def positions_table(runs: list[Run]) -> list[str]:
    grouped = by_variant(runs)
    columns = tuple(runs[0]["by_position"])
    rows = [(name, *(spread([r["by_position"][c] for r in mine]) for c in columns)) for name, mine in grouped.items()]
    return markdown(("perplexity at positions", *columns), rows)


def plots(place: Path, runs: list[Run], variants: list[Variant], counting: dict[str, float]) -> None:
    """Draw perplexity.png (one dot per seed) and curves.png (training losses, compared within a task)."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    grouped = by_variant(runs)
    for name, draw in (("perplexity", plot_perplexities), ("curves", plot_curves)):
        draw(plt, [(v, grouped[v.name]) for v in variants], counting)
        plt.savefig(place / f"{name}.png", dpi=130, metadata={"Software": None})
        plt.close("all")


def plot_perplexities(plt: Any, results: list[tuple[Variant, list[Run]]], counting: dict[str, float]) -> None:
    """Dev perplexity: a dot for each seed, a line for their range; red for a variant that leaks."""
    _, axis = plt.subplots(figsize=(7.5, 0.27 * len(results) + 1), layout="constrained")
    bigram = counting["Kneser-Ney bigram"]
    left = left_edge(results, bigram)
    for y, (variant, runs) in enumerate(results):
        plot_range(axis, y, [dev(r) for r in runs], left, LEAK if variant.leaks else INK)
        if variant.leaks:
            whole, prefix = ([r["prefixes"][kind] for r in runs] for kind in ("whole", "by_prefix"))
            said = f"on {PREFIXED} sentences: {spread(whole)} with the future in view, {spread(prefix, ',.0f')} without"
            place = (max(left, *(dev(r) for r in runs)), y)
            note = axis.annotate(said, place, xytext=(9, -3), textcoords="offset points", color=LEAK, fontsize=8)
            note.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    base = baselines({variant.name: runs for variant, runs in results})
    axis.axvline(statistics.mean(dev(r) for r in base), color=INK, lw=0.8, ls="--", label="mean of the baselines")
    axis.axvline(bigram, color="grey", lw=0.8, ls=":", label="Kneser-Ney bigram")
    axis.set(
        yticks=range(len(results)),
        yticklabels=[v.name for v, _ in results],
        xlabel="dev perplexity per token (lower is better)",
        xlim=(left, None),
    )
    axis.invert_yaxis()
    axis.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def left_edge(results: list[tuple[Variant, list[Run]]], bigram: float) -> float:
    """Where the scale starts: a leak may be so far to the left that the others would be indistinguishable beside it."""
    honest = [dev(r) for v, runs in results if not v.leaks for r in runs] + [bigram]
    low, width = min(honest), max(honest) - min(honest)
    leaking = [dev(r) for v, runs in results if v.leaks for r in runs]
    return min([low, *(value for value in leaking if value > low - 0.3 * width)]) - 0.05 * width


def plot_range(axis: Any, y: int, values: list[float], left: float, colour: str) -> None:
    """A dot for each value and a line between them; an arrow at the edge for what is further left."""
    inside = [max(value, left) for value in values]
    axis.plot([min(inside), max(inside)], [y, y], color=colour, lw=2, solid_capstyle="round")
    for value, place in zip(values, inside):
        axis.plot(place, y, "o" if value == place else "<", color=colour, ms=4, clip_on=False)


def plot_curves(plt: Any, results: list[tuple[Variant, list[Run]]], _: dict[str, float]) -> None:
    """The training loss of the first variant of each task; of the others, the difference from it.

    Pairs are trained on the same batches, so that their difference shows what two curves over each other would hide.
    """
    columns = 4
    first, others = by_task(results)
    rows = -(-len(first) // columns) + -(-len(others) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(9, 1.5 * rows), sharex=True, layout="constrained", squeeze=False)
    panels = list(axes.flat)
    gap = -len(first) % columns
    for axis in panels[len(first) : len(first) + gap] + panels[len(first) + gap + len(others) :]:
        axis.axis("off")
    for axis in panels[len(first) + gap :][: len(others)][-columns:]:
        axis.tick_params(labelbottom=True)  # below some of them is nothing
    for axis, (variant, runs) in zip(panels, first):
        axis.plot(*mean_curve(runs), color=LEAK if variant.leaks else INK, lw=1)
        axis.tick_params(labelbottom=True)
        axis.set_title(f"{variant.name}: loss", fontsize=8)
    plot_differences(panels[len(first) + gap :], others, results[0][0])
    figure.supxlabel("batches")
    figure.supylabel("training loss (nats per token), then differences from it", fontsize=9)


def plot_differences(panels: list[Any], others: list, usual: Variant) -> None:
    """By how much a variant's loss is above that of the first of its task, which is named where it is not the usual one."""
    curves = [difference_curve(runs, theirs) for _, runs, _, theirs in others]
    sizes = [max(map(abs, losses)) for _, losses in curves]
    common = 4 * statistics.median(sizes or [0.0])  # what is larger has a scale of its own, so that others can be seen
    shared = None
    for axis, (variant, _, base, _), curve, size in zip(panels, others, curves, sizes):
        axis.axhline(0, color=LIGHT, lw=1)
        axis.plot(*curve, color=INK, lw=1)
        if size <= common:
            shared = shared or axis
            axis.sharey(shared)
        own = "" if size <= common else " (own scale)"
        axis.set_title(variant.name + own + ("" if base is usual else f"\nminus {base.name}"), fontsize=8)


def by_task(results: list[tuple[Variant, list[Run]]]) -> tuple[list, list]:
    """The first variant of each task with its runs; the others with theirs, and that first variant with its own."""
    first: dict[Any, tuple[Variant, list[Run]]] = {}
    for variant, runs in results:
        first.setdefault(variant.task(), (variant, runs))
    others = [(v, runs, *first[v.task()]) for v, runs in results if v is not first[v.task()][0]]
    return list(first.values()), others


def mean_curve(runs: list[Run]) -> tuple[list[float], list[float]]:
    """Batches, and the mean over the seeds of the loss there."""
    curves = [whole_stretches(run["curve"]) for run in runs]
    return [at for at, _ in curves[0]], [statistics.mean(loss for _, loss in points) for points in zip(*curves)]


def difference_curve(runs: list[Run], base: list[Run]) -> tuple[list[float], list[float]]:
    """Batches, and by how much the mean loss is above that of the runs of ``base``."""
    at, losses = mean_curve(runs)
    return at, [a - b for a, b in zip(losses, mean_curve(base)[1])]


def whole_stretches(curve: list[list[float]]) -> list[list[float]]:
    """The curve without its last point if that is the mean over less than half as many batches as the others."""
    width = 2 * curve[0][0]
    return curve if len(curve) < 2 or curve[-1][0] >= (len(curve) - 1 + 0.25) * width else curve[:-1]
