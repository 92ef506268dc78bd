"""``compute_accuracy`` on small cases, each passed as lists, tensors and arrays of classes, and as scores of two classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .calls import call_adapted, successful_results
from .tiny import World

tensor, as_numpy = torch.tensor, torch.Tensor.numpy


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """For each kind of arguments that the function accepts: its result for every case of the world."""
    function = namespace["compute_accuracy"]

    def scores(predicted: list[int]) -> Any:
        return tensor([[0.3, 2.0 + n] if one else [1.5 + n, -0.2] for n, one in enumerate(predicted)])

    kinds: dict[str, Callable] = {
        "tensors": lambda predicted, labels: (tensor(predicted), tensor(labels)),
        "lists": lambda predicted, labels: (predicted, labels),
        "arrays": lambda predicted, labels: (np.array(predicted), np.array(labels)),
        "scores": lambda predicted, labels: (scores(predicted), tensor(labels)),
        "arrays of scores": lambda predicted, labels: (as_numpy(scores(predicted)), np.array(labels)),
        "lists of tensors": lambda predicted, labels: ([tensor(one) for one in predicted], [tensor(one) for one in labels]),
    }

    def results_for(kind: str) -> dict:
        results = [
            call_adapted(function, *kinds[kind](list(predicted), list(labels))) for predicted, labels in world.given["answers"]
        ]
        return {
            "kind": kind,
            "results": [plain(result) for result in results],
            "types": sorted({type(r).__name__ for r in results}),
        }

    return {"ways": successful_results([lambda kind=kind: results_for(kind) for kind in kinds])}
