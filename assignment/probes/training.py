"""Watches ``train_one_epoch`` for one epoch of small batches, on a model left in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import SGD
from torch.utils.data import DataLoader, SequentialSampler

from autograder.checks.sealed import sealed, sealed_class

from .calls import call_adapted, successful_results
from .causes import explained
from .data import datasets
from .tiny import World
from .watch import Recorder, change_of, weights

LambdaLR, set_seed, Dropout = torch.optim.lr_scheduler.LambdaLR, torch.manual_seed, torch.nn.Dropout
BATCH, RATE = 3, 0.05
long, tensor, Module = torch.long, torch.tensor, torch.nn.Module


@sealed_class
class Drawn(SequentialSampler):
    """The order of the data; ``used``: whether anyone has drawn from it."""

    used = False

    def __iter__(self):
        self.used = True
        return iter(range(len(self.data_source)))


def handout_collate(world: World) -> Callable[[list], dict]:
    """A collate function that builds batches as the handout defines them."""
    tokenizer = world.tokenizer()

    def collate(rows: list[dict]) -> dict:
        texts = tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt")
        return {"text_encoding": texts, "label_encoding": tensor([row["label"] for row in rows], dtype=long)}

    return sealed(collate)


def loaders(world: World, namespace: dict, split: str, size: int) -> list[Callable[[], DataLoader]]:
    """Ways to a loader in the split's order: with the handout's batches, or with the student's own dataset and collate_fn."""

    def own() -> DataLoader:
        dataset = successful_results([lambda way=way: way() for way in datasets(world, namespace, world.rows[split])])[0]
        return loader(dataset, dataset.collate_fn)

    def loader(dataset: Any, collate: Callable) -> DataLoader:
        return DataLoader(dataset, batch_size=size, sampler=Drawn(dataset), collate_fn=collate)

    ours = [lambda: loader([*world.rows[split]], handout_collate(world))]
    return ours + ([own] if "SST2Dataset" in namespace else [])


def models(world: World, namespace: dict) -> list[Callable[[], Any]]:
    """Ways to a model: a RoBERTa with a head for two classes, or the student's own modules around one."""
    own = [
        value
        for value in namespace.values()
        if isinstance(value, type)
        and issubclass(value, Module)
        and getattr(value, "__module__", "") in (namespace.get("__name__"), "__main__")
    ]
    ways = [world.model]
    for kind in own:
        ways += [lambda kind=kind: kind(), lambda kind=kind: kind("roberta-base"), lambda kind=kind: kind(world.model())]
    return ways


def combinations(world: World, namespace: dict, split: str, size: int, look: Callable) -> list[Callable[[], dict]]:
    """``look(model, loader)`` for each model with each loader, ours first."""
    return [
        lambda model=model, loader=loader: look(model(), loader()) | {"own": model != world.model}
        for model in models(world, namespace)
        for loader in loaders(world, namespace, split, size)
    ]


def first_success(ways: list[Callable[[], dict]]) -> dict:
    """The result of the first way that raises nothing. If every one raises, raises the first one's exception."""
    first = None
    for way in ways:
        try:
            return way()
        except Exception as error:
            first = first or error
    raise first


def schedulers(optimizer: Any) -> dict[str, Callable[[], Any]]:
    """What a train_one_epoch may ask for besides, by the names of its parameters: a scheduler that changes nothing."""
    return {name: lambda: LambdaLR(optimizer, sealed(lambda _: 1.0)) for name in ("scheduler", "lr_scheduler")}


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The order of events, the sentences of each backward pass, gradients (new and used), modes, how far the weights moved.

    ``still``: how many of the model's parameters never have a gradient.
    """

    def look(model: Any, loader: DataLoader) -> dict:
        set_seed(0)
        for dropout in (m for m in model.modules() if isinstance(m, Dropout)):
            dropout.p = 0.0  # so that gradients can be held against expected ones
        optimizer = SGD(model.parameters(), lr=RATE)
        recorder, before = Recorder(world, model.eval()), weights(model)
        optimizer.register_step_pre_hook(sealed(recorder.step))
        try:
            call_adapted(namespace["train_one_epoch"], model, loader, optimizer, 0, **schedulers(optimizer))
        except Exception as error:
            raise explained(error, recorder) from None
        finally:
            recorder.end()
        fresh, used = zip(*recorder.gradients) if recorder.gradients else ((), ())
        return {
            "events": recorder.events,
            "used": recorder.used,
            "modes": recorder.used_modes or recorder.modes,
            "fresh": list(fresh),
            "gradients": list(used),
            "weights_changed": change_of(before, weights(model)),
            "still": len(recorder.still),
            "drawn": loader.sampler.used,
            "unmasked": recorder.unmasked,
        }

    return first_success(combinations(world, namespace, "train", BATCH, look))
