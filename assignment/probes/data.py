"""The dataset and its batches: length, items, iteration, collate_fn."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .calls import all_that_work
from .hub import Split
from .tiny import World

is_tensor = torch.is_tensor


def datasets(world: World, namespace: dict, rows: list[dict]) -> list[Callable[[], Any]]:
    """The ways to a student's dataset of these rows: through their loading function, or the class with rows or examples."""
    kind, example, load = namespace["SST2Dataset"], namespace.get("SST2Example"), namespace.get("initialize_datasets")

    def loaded() -> Any:
        world.rows["train"] = rows
        found = load(namespace["tokenizer"])["train"]
        if not isinstance(found, kind):
            raise TypeError(f"initialize_datasets gives a {type(found).__name__}, not an SST2Dataset")
        return found

    def examples() -> list:
        return [example(row["text"], row["label"]) for row in rows]

    direct = [
        lambda: kind(namespace["tokenizer"], [dict(row) for row in rows]),
        lambda: kind(namespace["tokenizer"], examples()),
        lambda: kind(namespace["tokenizer"], Split(rows)),
    ]
    return ([loaded] if load is not None else []) + direct


def length(world: World, namespace: dict, plain: Callable) -> dict:
    """``len`` of a dataset of all train rows and of one of the first three."""
    rows = world.rows["train"]
    return {
        "ways": all_that_work(
            [
                lambda way=way, few=few: {"all": plain(_length(way())), "three": plain(_length(few()))}
                for way, few in zip(datasets(world, namespace, rows), datasets(world, namespace, rows[:3]))
            ]
        )
    }


def _length(dataset: Any) -> Any:
    """What ``__len__`` itself returns: ``len`` would raise where it is None."""
    return type(dataset).__len__(dataset)


def items(world: World, namespace: dict, plain: Callable) -> dict:
    """Items by number, out of order."""
    rows = world.rows["train"]
    picks = [len(rows) - 1, 0, 7, 3]

    def seen(way: Callable) -> dict:
        dataset = way()
        return {"picks": picks, "items": [described(dataset[n], namespace, plain) for n in picks]}

    return {"ways": all_that_work([lambda way=way: seen(way) for way in datasets(world, namespace, rows)])}


def iteration(world: World, namespace: dict, plain: Callable) -> dict:
    """Two passes, one after another; then two iterators at once, one step of each in turn; and the same items by number."""
    rows = world.rows["train"]

    def seen(way: Callable) -> dict:
        dataset = way()
        if getattr(type(dataset), "__iter__", iter)(dataset) is None:
            return {"passes": None}
        limit = 2 * len(rows)
        passes = [[described(item, namespace, plain) for item in itertools.islice(iter(dataset), limit)] for _ in range(2)]
        try:
            pairs = [
                [described(a, namespace, plain), described(b, namespace, plain)]
                for a, b in itertools.islice(zip(dataset, dataset), limit)
            ]
        except Exception:
            pairs = []
        try:
            own = [described(dataset[n], namespace, plain) for n in range(len(rows))]
        except Exception:
            own = []
        return {"passes": passes, "pairs": pairs, "own": own}

    return {"ways": all_that_work([lambda way=way: seen(way) for way in datasets(world, namespace, rows)])}


def described(item: Any, namespace: dict, plain: Callable) -> dict:
    """Text and label of an item, whatever holds them: attributes, keys, a tuple, or token ids."""
    parts = item if isinstance(item, (tuple, list)) else [item]
    text = next((found for found in (field(item, "text"), field(item, "sentence"), *parts) if isinstance(found, str)), None)
    encoding = next((found for found in (field(item, "text_encoding"), *parts) if field(found, "input_ids") is not None), None)
    if text is None and encoding is not None:
        ids = field(encoding, "input_ids")
        ids = ids.flatten().tolist() if is_tensor(ids) else ids
        text = namespace["tokenizer"].decode(ids, skip_special_tokens=True)
    names = ("label", "labels", "label_encoding")
    labels = [
        found
        for found in (*(field(item, name) for name in names), *parts)
        if isinstance(found, (int, float, np.number)) or (is_tensor(found) and found.numel() == 1)
    ]
    label = labels[0] if labels else None
    return {"blank": item is None, "text": plain(text), "label": plain(label.item() if is_tensor(label) else label)}


def field(item: Any, name: str) -> Any:
    """An attribute or an entry, None where there is neither."""
    try:
        return item[name] if not isinstance(item, (str, list, tuple)) else None
    except (KeyError, TypeError, IndexError, ValueError):
        return getattr(item, name, None)
    except Exception:
        return getattr(item, name, None)


def collate(world: World, namespace: dict, plain: Callable) -> dict:
    """``collate_fn`` on a batch of short sentences and on one with a very long one, from the student's items or from ours."""
    short = [world.rows["train"][n] for n in (11, 2, 17, 5, 8)]
    batches = {"short": short, "long": [short[0], world.given["long"], short[1]]}
    example = namespace.get("SST2Example")

    def seen(make: Callable[[list], tuple[Any, list]]) -> dict:
        found = {}
        for name, rows in batches.items():
            dataset, samples = make(rows)
            found[name] = batch(dataset.collate_fn(samples), plain)
        return found

    ways = [
        lambda n=n: seen(lambda rows: _own(datasets(world, namespace, rows)[n]()))
        for n in range(len(datasets(world, namespace, short)))
    ]
    ways.append(lambda: seen(lambda rows: (namespace["SST2Dataset"], [example(row["text"], row["label"]) for row in rows])))
    ways.append(lambda: seen(lambda rows: (namespace["SST2Dataset"], [dict(row) for row in rows])))
    return {"ways": all_that_work(ways)}


def _own(dataset: Any) -> tuple[Any, list]:
    return dataset, [dataset[n] for n in range(len(dataset))]


def batch(found: Any, plain: Callable) -> dict:
    """A collated batch: its keys, and what stands under the handout's."""
    if not hasattr(found, "keys"):
        return {"keys": None, "kind": type(found).__name__}
    encoding, labels = field(found, "text_encoding"), field(found, "label_encoding")
    ids, mask = field(encoding, "input_ids"), field(encoding, "attention_mask")
    return {
        "keys": [str(key)[:40] for key in found.keys()],
        "ids": plain(ids),
        "mask": plain(mask),
        "labels": plain(labels),
        "tensors": [is_tensor(value) for value in (ids, mask, labels)],
        "dtype": str(getattr(labels, "dtype", type(labels).__name__)),
    }
