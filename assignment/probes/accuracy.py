"""``compute_accuracy`` on small cases, in the form in which ``evaluate`` passes them.

As far as ``evaluate`` shows none, or one that the handout does not name, they are also passed as lists, tensors and arrays of
classes, and as scores of two classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .calls import call_adapted, successful_results
from .forms import CLASSES, SCORES, Use
from .plain import np
from .tiny import World

tensor, as_numpy = torch.tensor, torch.Tensor.numpy


def scores(predicted: list[int]) -> Any:
    return tensor([[0.3, 2.0 + n] if one else [1.5 + n, -0.2] for n, one in enumerate(predicted)])


OF_CLASSES: dict[str, Callable] = {
    "tensors": lambda predicted, labels: (tensor(predicted), tensor(labels)),
    "lists": lambda predicted, labels: (predicted, labels),
    "arrays": lambda predicted, labels: (np.array(predicted), np.array(labels)),
    "lists of tensors": lambda predicted, labels: ([tensor(one) for one in predicted], [tensor(one) for one in labels]),
}
OF_SCORES: dict[str, Callable] = {
    "scores": lambda predicted, labels: (scores(predicted), tensor(labels)),
    "arrays of scores": lambda predicted, labels: (as_numpy(scores(predicted)), np.array(labels)),
}


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The results for every case of the world, in each form that counts and that the function accepts.

    What ``evaluate`` passes counts alone if it is class numbers, as the handout has it.
    """
    function, used = namespace["compute_accuracy"], world.used
    ways = [lambda: as_used(world, function, used, plain)] if used is not None else []
    if used is None or used.kind != CLASSES:
        ways += [lambda make=make: in_form(world, function, make, plain) for make in OF_CLASSES.values()]
    if used is None:
        ways += [lambda make=make: in_form(world, function, make, plain) | {"takes": SCORES} for make in OF_SCORES.values()]
    return {"ways": successful_results(ways)}


def as_used(world: World, function: Callable, used: Use, plain: Callable) -> dict:
    def call(predicted: list[int], labels: list[int]) -> Any:
        args, kwargs = used.arguments(predicted, labels)
        return function(*args, **kwargs)

    return results_of(world, call, plain) | {"used": used.kind}


def in_form(world: World, function: Callable, make: Callable, plain: Callable) -> dict:
    return results_of(world, lambda predicted, labels: call_adapted(function, *make(predicted, labels)), plain)


def results_of(world: World, call: Callable, plain: Callable) -> dict:
    results = [call(list(predicted), list(labels)) for predicted, labels in world.given["answers"]]
    return {"results": [plain(result) for result in results]}
