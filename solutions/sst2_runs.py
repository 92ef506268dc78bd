"""The runs for the model answers of §3: the recipe, other optimizers, a hyper-parameter search, one test.

    python sst2_runs.py [--output FOLDER]        (in solutions/, or: make sst2-runs)

The notebook's own functions do the training, on its offline model and data. Each finished run is saved as a small JSON file:
stop whenever you like, and the same command continues with the next run. Figures and a summary go to writeup/section3/, from
where `python -m reports` takes every number of the model answers.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import matplotlib as mpl
import nbformat

HERE = Path(__file__).resolve().parent
NOTEBOOK = HERE / "A2S3.ipynb"
LAST_DEFINITION = "a2s3-cost"  # the cell after it trains
VALIDATION, TEST = 1047, 953


@dataclass(frozen=True)
class Run:
    """One call of main(): the notebook's hyper-parameters, and a name."""

    name: str
    train_size: int
    num_epochs: int
    batch_size: int = 64
    learning_rate: float = 5e-5
    optimizer: str = "AdamW"
    momentum: float = 0.0

    def sentences(self) -> tuple[int, int]:
        """How many sentences are trained on and evaluated, over all epochs."""
        return self.num_epochs * self.train_size, self.num_epochs * VALIDATION


RECIPE = Run("recipe", train_size=800, num_epochs=20)
OPTIMIZERS = [
    Run("sgd", train_size=800, num_epochs=3, optimizer="SGD"),
    Run("adagrad", train_size=800, num_epochs=3, optimizer="Adagrad"),
    Run("sgd-tuned", train_size=800, num_epochs=3, optimizer="SGD", learning_rate=1e-2, momentum=0.9),
]
CANDIDATES, SURVIVORS = 6, 2
SIZES, RATES = (16, 32, 64), (2e-5, 5e-4)
RUNG1, RUNG2 = {"train_size": 800, "num_epochs": 1}, {"train_size": 1600, "num_epochs": 2}
FINAL = {"train_size": 4800, "num_epochs": 2}


def candidates(count: int = CANDIDATES, seed: int = 64) -> list[Run]:
    """Random combinations: a batch size of SIZES; a learning rate log-uniform between the two RATES."""
    draw = random.Random(seed)
    runs = []
    for number in range(1, count + 1):
        rate = float(f"{math.exp(draw.uniform(*map(math.log, RATES))):.1e}")
        runs.append(Run(f"search{number}", **RUNG1, batch_size=draw.choice(SIZES), learning_rate=rate))
    return runs


def best_of(results: list[dict]) -> list[dict]:
    """The results, sorted by best validation accuracy, highest first."""
    return sorted(results, key=lambda r: -max(accuracy for _, accuracy in r["curves"]["validation"]))


def load_notebook(source: str = "offline") -> dict[str, Any]:
    """The names that the notebook's cells define before its first training run, with this source's model and data."""
    os.environ["SST2_SOURCE"] = source
    names: dict[str, Any] = {"__name__": "__main__", "check": lambda id: None}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and cell.id != "a2s3-setup":
            source = cell.source.removesuffix("\nannounce_cost()")
            exec(compile(source, cell.id, "exec", dont_inherit=True), names)
        if cell.id == LAST_DEFINITION:
            return names
    raise SystemExit(f"{NOTEBOOK.name} has no cell {LAST_DEFINITION}")


def train(names: dict[str, Any], run: Run, place: Path) -> dict:
    """The result of a run, from its file if it is already done."""
    path = place / f"{run.name}.json"
    if path.exists() and (result := json.loads(path.read_text())).get("run") == asdict(run):
        return result

    def make_optimizer(model):
        settings = {"SGD": {"momentum": run.momentum}, "AdamW": {"eps": 1e-8}}.get(run.optimizer, {})
        return getattr(names["torch"].optim, run.optimizer)(model.parameters(), lr=run.learning_rate, **settings)

    names.update(
        batch_size=run.batch_size,
        learning_rate=run.learning_rate,
        num_epochs=run.num_epochs,
        train_size=run.train_size,
        make_optimizer=make_optimizer,
        checkpoint=str(place / "checkpoints" / run.name),
    )
    print(f"\n{run}", flush=True)
    started = time.perf_counter()
    curves = names["main"]().points
    write(path, {"run": asdict(run), "seconds": round(time.perf_counter() - started, 1), "curves": curves})
    return json.loads(path.read_text())


def write(path: Path, content: Any) -> None:
    """Write atomically, so that an interrupted run is never mistaken for a finished one."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(part, path)


def announce(names: dict[str, Any], place: Path) -> None:
    """Print how long all runs will take."""
    fixed = [RECIPE, *OPTIMIZERS, *candidates()]
    later = [replace(RECIPE, **RUNG2)] * SURVIVORS + [replace(RECIPE, **FINAL)]
    training, evaluation = names["seconds_per_sentence"]()
    amounts = [run.sentences() for run in fixed + later]
    minutes = (training * sum(a for a, _ in amounts) + evaluation * (sum(b for _, b in amounts) + TEST)) / 60
    done = len(list(place.glob("*.json")))
    print(f"{len(amounts)} runs, about {minutes:.0f} minutes on this machine; already finished: {done}", flush=True)


@click.command()
@click.option("--output", type=click.Path(path_type=Path), default=HERE.parent / "build" / "sst2", show_default=False)
def main(output: Path) -> None:
    """Train what is not trained yet, test the chosen model once and draw the figures."""
    mpl.use("Agg")
    output.mkdir(parents=True, exist_ok=True)
    names = load_notebook()
    if not (output / "test.json").exists():
        announce(names, output)
    recipe = train(names, RECIPE, output)
    optimizers = [train(names, run, output) for run in OPTIMIZERS]
    rung1 = best_of([train(names, run, output) for run in candidates()])
    rung2 = best_of([train(names, promoted(r, "rung2", RUNG2), output) for r in rung1[:SURVIVORS]])
    final = train(names, promoted(rung2[0], "final", FINAL), output)
    report(
        names,
        {
            "recipe": recipe,
            "optimizers": optimizers,
            "rung1": rung1,
            "rung2": rung2,
            "final": final,
            "test_accuracy": test(names, output),
            "described": described(names),
        },
    )


def promoted(result: dict, rung: str, budget: dict[str, int]) -> Run:
    """The same hyper-parameters with a larger budget."""
    run = Run(**result["run"])
    return replace(run, name=f"{rung}-{run.name.split('-')[-1]}" if rung != "final" else rung, **budget)


def test(names: dict[str, Any], place: Path) -> float:
    """The test accuracy of the final run's best checkpoint, computed once and then read from its file."""
    path = place / "test.json"
    if not path.exists():
        model = names["AutoModelForSequenceClassification"].from_pretrained(place / "checkpoints" / "final").to(names["device"])
        data = names["by_length"](names["split_datasets"]["test"])
        loader = names["DataLoader"](data, batch_size=64, shuffle=False, collate_fn=names["SST2Dataset"].collate_fn)
        write(path, names["evaluate"](model, loader))
    return json.loads(path.read_text())


def described(names: dict[str, Any]) -> dict[str, Any]:
    """What the answers say about the model and the data: sizes, the first validation batch, what padding costs."""
    tokens = {
        split: [len(ids) for ids in names["tokenizer"]([sample.text for sample in data])["input_ids"]]
        for split, data in names["split_datasets"].items()
    }
    lengths, longest = tokens["train"], max(map(max, tokens.values()))
    random.Random(64).shuffle(lengths)
    batches = [lengths[i : i + 64] for i in range(0, len(lengths), 64)]
    padded = sum(len(batch) * max(batch) for batch in batches) / len(lengths)
    model = names["AutoModelForSequenceClassification"].from_pretrained(names["model_name"], num_labels=2)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "lengths": {split: len(data) for split, data in names["split_datasets"].items()},
        "first_batch": list(names["batch"]["text_encoding"]["input_ids"].shape),
        "tokens": {"mean": sum(lengths) / len(lengths), "padded_to_batch": padded, "longest": longest, "limit": 512},
    }


def report(names: dict[str, Any], results: dict[str, Any]) -> None:
    """Write summary.json and three figures to writeup/section3/."""
    from matplotlib import pyplot as plt

    folder = HERE / "writeup" / "section3"
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "summary.json", results)

    def save(name: str) -> None:
        plt.gcf().savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
        plt.close("all")

    curves = names["Curves"]()
    curves.points = results["recipe"]["curves"]
    curves.plot()
    save("recipe")

    plot_optimizers(plt, [results["recipe"], *results["optimizers"]])
    save("optimizers")

    plot_search(plt, results)
    save("search")


def plot_optimizers(plt: Any, results: list[dict]) -> None:
    """Training loss and validation accuracy over the first epochs, for each optimizer."""
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    count = OPTIMIZERS[0].num_epochs
    for result in results:
        run = Run(**result["run"])
        label = f"{run.optimizer}, lr {run.learning_rate:g}" + (f", momentum {run.momentum:g}" if run.momentum else "")
        for axis, name, column in ((left, "training", 0), (right, "validation", 1)):
            axis.plot(range(1, count + 1), [point[column] for point in result["curves"][name][:count]], marker=".", label=label)
    left.set(xlabel="epoch", ylabel="training loss", xticks=range(1, count + 1))
    right.set(xlabel="epoch", ylabel="validation accuracy", xticks=range(1, count + 1))
    right.legend(frameon=False, fontsize="small")
    plt.tight_layout()


def plot_search(plt: Any, results: dict[str, Any]) -> None:
    """Best validation accuracy against learning rate, for both rungs of the search."""
    plt.figure(figsize=(6, 3.6))
    for rung, marker in (("rung1", "o"), ("rung2", "^")):
        for size, color in zip(SIZES, ("tab:green", "tab:blue", "tab:orange")):
            chosen = [r for r in results[rung] if r["run"]["batch_size"] == size]
            best = [max(a for _, a in r["curves"]["validation"]) for r in chosen]
            plt.plot(
                [r["run"]["learning_rate"] for r in chosen],
                best,
                marker,
                color=color,
                label=f"batch {size}" if rung == "rung1" and chosen else None,
            )
    plt.xscale("log"), plt.xticks((5e-5, 1e-4, 2e-4, 5e-4), ("5e-5", "1e-4", "2e-4", "5e-4")), plt.minorticks_off()
    plt.xlabel("learning rate"), plt.ylabel("best validation accuracy"), plt.legend(frameon=False, loc="lower right")
    plt.title("circles: 800 sentences, 1 epoch; triangles: 1,600, 2 epochs", fontsize="small")
    plt.tight_layout()


if __name__ == "__main__":
    main()
