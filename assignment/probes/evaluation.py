"""Watches ``evaluate`` on a model left in training mode; the last batch is smaller than the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader

from .calls import call_adapted
from .tiny import World
from .training import combinations, first_success
from .watch import Recorder, change_of, weights

BATCH = 4
set_seed = torch.manual_seed


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The result, modes, graphs, the predicted class of each sentence, and how far the weights moved."""

    def look(model: Any, loader: DataLoader) -> dict:
        set_seed(0)
        recorder, before = Recorder(world, model.train()), weights(model)
        try:
            result = call_adapted(namespace["evaluate"], model, loader)
        finally:
            recorder.end()
        start = world.start("validation")
        predicted = [recorder.predicted.get(start + n, -1) for n in range(len(world.rows["validation"]))]
        return {
            "result": plain(result),
            "type": type(result).__name__,
            "modes": recorder.modes,
            "graphs": recorder.graphs,
            "predicted": predicted,
            "weights_changed": change_of(before, weights(model)),
        }

    return first_success(combinations(world, namespace, "validation", BATCH, look))
