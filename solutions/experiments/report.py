"""Reports the runs as a table (terminal, Markdown, CSV) and as plots."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .variant import Variant

COLUMNS = ("variant", "params", "CPU s", "train ppl", "dev ppl", "vs base", "leak")
INK, LIGHT, LEAK = "#1f4e79", "#c9d6e3", "#b03a2e"


def spread(values: list[float], form: str = ".1f") -> str:
    """Mean ± half the range, or the single value."""
    mean = f"{statistics.mean(values):{form}}"
    return mean if len(values) == 1 else f"{mean} ± {(max(values) - min(values)) / 2:{form}}"


def rows_of(results: list[list[dict]]) -> list[tuple[str, ...]]:
    base = [r["dev"]["per_token"] for r in results[0]]
    rows = []
    for runs in results:
        dev = [r["dev"]["per_token"] for r in runs]
        leak = max(r["leak"] for r in runs)
        rows.append(
            (
                runs[0]["variant"],
                f"{runs[0]['parameters'] / 1000:.0f}k",
                spread([r["cpu_seconds"] for r in runs], ".0f"),
                spread([r["train"]["per_token"] for r in runs]),
                spread(dev),
                f"{100 * (statistics.mean(a / b for a, b in zip(dev, base)) - 1):+.1f} %",
                f"{leak:.0e}" if leak > 1e-3 else "none",
            )
        )
    return rows


def write_report(
    console: Console, place: Path, results: list[list[dict]], variants: list[Variant], counted: dict[str, float]
) -> None:
    """Write table.md, table.csv, results.json and two plots to ``place``; print the table."""
    rows = rows_of(results)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if i else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print("dev perplexity of the n-gram models: " + ", ".join(f"{k} {v:.1f}" for k, v in counted.items()))
    lines = [
        "| " + " | ".join(COLUMNS) + " |",
        "|---|" + "---:|" * (len(COLUMNS) - 1),
        *("| " + " | ".join(r) + " |" for r in rows),
        "",
        "| perplexity at positions | " + " | ".join(results[0][0]["by_position"]) + " |",
        "|---|" + "---:|" * 3,
    ]
    for runs in results:
        by = {k: spread([r["by_position"][k] for r in runs]) for k in runs[0]["by_position"]}
        lines.append(f"| {runs[0]['variant']} | " + " | ".join(by.values()) + " |")
    lines += ["", "N-gram models: " + ", ".join(f"{k} {v:.1f}" for k, v in counted.items()) + ".", ""]
    (place / "table.md").write_text("\n".join(lines), encoding="utf-8")
    with open(place / "table.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    (place / "results.json").write_text(json.dumps({"runs": results, "counting": counted}, indent=1), encoding="utf-8")
    plots(place, results, variants, counted)
    console.print(f"table.md, table.csv, perplexity.png, curves.png: {place}")


def plots(place: Path, results: list[list[dict]], variants: list[Variant], counted: dict[str, float]) -> None:
    """Draw perplexity.png (one dot per seed) and curves.png (each variant's training loss over the baseline's)."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    plot_perplexities(plt, results, variants, counted)
    plt.gcf().savefig(place / "perplexity.png", dpi=110, metadata={"Software": None})
    plot_curves(plt, results, variants)
    plt.gcf().savefig(place / "curves.png", dpi=110, metadata={"Software": None})
    plt.close("all")


def plot_perplexities(plt: Any, results: list[list[dict]], variants: list[Variant], counted: dict[str, float]) -> None:
    _, axis = plt.subplots(figsize=(7, 0.32 * len(results) + 1.2), layout="constrained")
    shown = [r["dev"]["per_token"] for runs, v in zip(results, variants) if not v.leaks for r in runs]
    shown.append(counted["Kneser-Ney bigram"])
    left = min(shown) - 0.05 * (max(shown) - min(shown))
    for y, (runs, variant) in enumerate(zip(results, variants)):
        dev = [r["dev"]["per_token"] for r in runs]
        if variant.leaks:  # far off the scale: named at the edge, or the others would be indistinguishable
            axis.plot(left, y, "<", color=LEAK, ms=6, clip_on=False)
            axis.annotate(f"{spread(dev)}: sees the future", (left, y), xytext=(9, -3), textcoords="offset points", color=LEAK)
            continue
        axis.plot([min(dev), max(dev)], [y, y], color=INK, lw=2, solid_capstyle="round")
        axis.plot(dev, [y] * len(dev), "o", color=INK, ms=4)
    axis.axvline(statistics.mean(r["dev"]["per_token"] for r in results[0]), color=INK, lw=0.8, ls="--", label="baseline")
    axis.axvline(counted["Kneser-Ney bigram"], color="grey", lw=0.8, ls=":", label="Kneser-Ney bigram")
    axis.set(
        yticks=range(len(results)),
        yticklabels=[v.name for v in variants],
        xlabel="dev perplexity per token (lower is better)",
        xlim=(left, None),
    )
    axis.invert_yaxis()
    axis.legend(frameon=False)


def plot_curves(plt: Any, results: list[list[dict]], variants: list[Variant]) -> None:
    columns = 4
    rows = -(-len(results) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(9, 1.7 * rows), sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    for axis, runs, variant in zip(axes.flat, results, variants):
        axis.plot(*zip(*results[0][0]["curve"]), color=LIGHT, lw=2)
        axis.plot(*zip(*runs[0]["curve"]), color=LEAK if variant.leaks else INK, lw=1)
        axis.set_title(variant.name, fontsize=8)
    for axis in list(axes.flat)[len(results) :]:
        axis.axis("off")
    figure.supxlabel("batches (grey: baseline)"), figure.supylabel("training loss")
