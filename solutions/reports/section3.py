"""The figures of the model answers to §3, from writeup/section3/summary.json."""

from __future__ import annotations

import json
import math
from typing import Any

from sst2_runs import CANDIDATES, FINAL, RATES, RUNG1, RUNG2, SIZES, SURVIVORS, TEST, VALIDATION

from .render import WRITEUP, listed


def figures() -> dict[str, Any]:
    """Names for section3.md.j2, from the runs in writeup/."""
    return figures_of(json.loads((WRITEUP / "section3" / "summary.json").read_text(encoding="utf-8")))


def figures_of(summary: dict[str, Any]) -> dict[str, Any]:
    """Names for section3.md.j2."""
    runs = [summary["recipe"], *summary["optimizers"], *summary["rung1"], *summary["rung2"], summary["final"]]
    final = points(summary["final"], "validation", 1)
    test = summary["test_accuracy"]
    error = math.hypot(standard_error(max(final), VALIDATION), standard_error(test, TEST))
    z = (test - max(final)) / error
    later = SURVIVORS * cost(RUNG2) + cost(FINAL)
    return {
        **summary["described"],
        "recipe": curves(summary["recipe"]),
        "setting": summary["recipe"]["run"],
        "by_name": {r["run"]["name"]: {**curves(r), **r["run"], "steps": steps(r["run"])} for r in runs},
        "rung1": [{**r["run"], **curves(r), "steps": steps(r["run"])} for r in summary["rung1"]],
        "rung2": {r["run"]["name"].removeprefix("rung2-"): curves(r) for r in summary["rung2"]},
        "final": {**summary["final"]["run"], **curves(summary["final"])},
        "test": test,
        "minutes": sum(r["seconds"] for r in runs) / 60,
        "VALIDATION": VALIDATION,
        "TEST": TEST,
        "z": z,
        "error": error,
        "chance": math.erfc(abs(z) / math.sqrt(2)),
        "standard_error": standard_error,
        "later_share": later / (CANDIDATES * cost(RUNG1) + later),
        "CANDIDATES": CANDIDATES,
        "SURVIVORS": SURVIVORS,
        "SIZES": SIZES,
        "RATES": RATES,
        "RUNG1": RUNG1,
        "RUNG2": RUNG2,
        "best_epochs": best_epochs,
        "ahead": ahead,
        "epochs": epochs,
        "optimizer": optimizer,
        "listed": listed,
        "rate": rate,
        "log": math.log,
    }


def cost(rung: dict[str, int]) -> int:
    """How many sentences a run on this budget trains on, over its epochs."""
    return rung["train_size"] * rung["num_epochs"]


def curves(result: dict[str, Any]) -> dict[str, list[float]]:
    """train_loss, train_acc, val_loss, val_acc: a number for each epoch."""
    return {
        f"{short}_{what}": points(result, name, column)
        for short, name in (("train", "training"), ("val", "validation"))
        for what, column in (("loss", 0), ("acc", 1))
    }


def points(result: dict[str, Any], name: str, column: int) -> list[float]:
    return [point[column] for point in result["curves"][name]]


def steps(run: dict[str, Any]) -> int:
    """Optimizer steps in one epoch."""
    return math.ceil(run["train_size"] / run["batch_size"])


def standard_error(accuracy: float, n: int) -> float:
    return math.sqrt(accuracy * (1 - accuracy) / n)


def best_epochs(values: list[float]) -> list[int]:
    """The epochs, from 1, at which a value is highest."""
    return [i for i, v in enumerate(values, start=1) if v == max(values)]


def ahead(run: dict[str, list[float]]) -> list[int]:
    """The epochs, from 1, in which validation is better than training in both accuracy and loss."""
    both = zip(run["val_acc"], run["train_acc"], run["val_loss"], run["train_loss"])
    return [i for i, (acc, train_acc, loss, train_loss) in enumerate(both, start=1) if acc > train_acc and loss < train_loss]


def epochs(numbers: list[int]) -> str:
    """As in "epoch 7", "epochs 15, 16 and 20"."""
    return f"{'epoch' if len(numbers) == 1 else 'epochs'} {listed(numbers)}"


def optimizer(run: dict[str, Any]) -> str:
    """As in "SGD with momentum 0.9, learning rate 0.01"."""
    momentum = f" with momentum {run['momentum']:g}" if run["momentum"] else ""
    return f"{run['optimizer']}{momentum}, learning rate {rate(run['learning_rate'])}"


def rate(value: float) -> str:
    """A learning rate as one writes it: 5e-5, 0.01."""
    return f"{value:g}" if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-").replace(".0e", "e")
