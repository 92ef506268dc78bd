"""Probes of the dataset and its batches: length, items, iteration, collate_fn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from operator import index as whole
from typing import Any

import torch

from .calls import successful_results
from .contract import accessible, conforms, misfit, raised, refused_by
from .hub import Split
from .plain import np
from .tiny import World

is_tensor = torch.is_tensor


def datasets(world: World, namespace: dict, rows: list[dict]) -> list[Callable[[], Any]]:
    """Ways to build a student's dataset of these rows: by their loading function, or by the class from rows or examples."""
    kind, example, load = namespace["SST2Dataset"], namespace.get("SST2Example"), namespace.get("initialize_datasets")

    def loaded() -> Any:
        world.rows["train"] = rows
        dataset = load(namespace["tokenizer"])["train"]
        if not isinstance(dataset, kind):
            raise TypeError(f"initialize_datasets returns a {type(dataset).__name__}, not an SST2Dataset")
        return dataset

    def examples() -> list:
        return [example(row["text"], row["label"]) for row in rows]

    direct = [
        lambda: kind(namespace["tokenizer"], [dict(row) for row in rows]),
        lambda: kind(namespace["tokenizer"], examples()),
        lambda: kind(namespace["tokenizer"], Split(rows)),
    ]
    return ([loaded] if load is not None else []) + direct


def length(world: World, namespace: dict, plain: Callable) -> dict:
    """The length of a dataset of all training rows, and of one of the first three."""
    rows = world.rows["train"]
    return {
        "ways": successful_results(
            [
                lambda way=way, few=few: {
                    "all": plain(_length(way())),
                    "three": plain(_length(few())),
                    "kind": "" if _is_whole(_length(way())) else type(_length(way())).__name__,
                }
                for way, few in zip(datasets(world, namespace, rows), datasets(world, namespace, rows[:3]))
            ]
        )
    }


def _length(dataset: Any) -> Any:
    """What ``__len__`` itself returns: ``len`` would raise where it is no whole number."""
    return type(dataset).__len__(dataset)


def _is_whole(value: Any) -> bool:
    """Whether ``len`` accepts it."""
    try:
        whole(value)
    except TypeError:
        return False
    return True


def items(world: World, namespace: dict, plain: Callable) -> dict:
    """Items by index, out of order."""
    rows = world.rows["train"]
    picks = [len(rows) - 1, 0, 7, 3]
    unfit = _misfit(world, namespace, [rows[n] for n in picks])

    def observed(way: Callable) -> dict:
        dataset = way()
        seen = [describe(dataset[n], namespace, plain) for n in picks]
        return {"picks": picks, "items": seen, "misfit": unfit, "again": _again(way, picks[1:], namespace, plain)}

    return {"ways": successful_results([lambda way=way: observed(way) for way in datasets(world, namespace, rows)])}


def _again(way: Callable[[], Any], picks: list[int], namespace: dict, plain: Callable) -> dict | None:
    """The first index whose item is another one when it is asked for twice, and how many items fewer there are afterwards.

    None where nothing like this is found out. Only then is the dataset asked for its length, which is another question.
    """
    try:
        dataset = way()
        pairs = [[describe(dataset[n], namespace, plain) for _ in range(2)] for n in picks]
        index = next((n for n, (a, b) in zip(picks, pairs) if a != b), None)
    except Exception:
        return None
    return None if index is None else {"index": index, "fewer": _counted(way()) - _counted(dataset)}


def _counted(dataset: Any) -> int:
    """The length of a dataset; 0 where it has none: that is another question's."""
    try:
        return len(dataset)
    except Exception:
        return 0


def _misfit(world: World, namespace: dict, rows: list[dict]) -> dict | None:
    """How the items of the dataset, as the student's own code makes it, fail in its ``collate_fn``, if they are to blame."""
    try:
        dataset, samples = _with_items(_first_that_works(datasets(world, namespace, rows)), rows)
        collate = accessible(namespace, dataset)
    except Exception:
        return None  # there are no items, or nothing that takes them
    error = "" if conforms(samples[0]) else misfit(collate, samples, _handouts(namespace, rows))
    return {"kind": type(samples[0]).__name__, "error": error} if error else None


def _handouts(namespace: dict, rows: list[dict]) -> list[list]:
    """These rows as the handout's examples, if the class is there, and as dictionaries."""
    example = namespace.get("SST2Example")
    try:
        examples = [[example(row["text"], row["label"]) for row in rows]]
    except Exception:
        examples = []
    return [*examples, [dict(row) for row in rows]]


def _first_that_works(ways: list[Callable[[], Any]]) -> Any:
    return successful_results(ways)[0]


def iteration(world: World, namespace: dict, plain: Callable) -> dict:
    """The items of two passes, one after the other; of two iterators advanced in turn; and by index."""
    rows = world.rows["train"]

    def observed(way: Callable) -> dict:
        dataset = way()
        iterator = getattr(type(dataset), "__iter__", iter)(dataset)
        if iterator is None:
            return {"passes": None}
        if not hasattr(type(iterator), "__next__"):
            return {"no_iterator": type(iterator).__name__, "itself": iterator is dataset}
        limit = 2 * len(rows)
        passes = [[describe(item, namespace, plain) for item in islice(iter(dataset), limit)] for _ in range(2)]
        try:
            pairs = [
                [describe(a, namespace, plain), describe(b, namespace, plain)] for a, b in islice(zip(dataset, dataset), limit)
            ]
        except Exception:
            pairs = []
        try:
            own = [describe(dataset[n], namespace, plain) for n in range(len(rows))]
        except Exception:
            own = []
        return {"passes": passes, "pairs": pairs, "own": own}

    return {"ways": successful_results([lambda way=way: observed(way) for way in datasets(world, namespace, rows)])}


def describe(item: Any, namespace: dict, plain: Callable) -> dict:
    """The text and label of an item, whether it holds them as attributes, keys, a tuple's parts or token ids."""
    parts = item if isinstance(item, (tuple, list)) else [item]
    text, encoded = _text_of(item, parts, namespace["tokenizer"])
    label = _label_of(item, parts)
    return {
        "blank": item is None,
        "text": plain(text),
        "encoded": encoded,
        "label": plain(label.item() if is_tensor(label) else label),
    }


def _text_of(item: Any, parts: Any, tokenizer: Any) -> tuple[str | None, bool]:
    """The text, and whether it had to be decoded from token ids."""
    for candidate in (field(item, "text"), field(item, "sentence"), *parts):
        if isinstance(candidate, str):
            return candidate, False
    for encoding in (field(item, "text_encoding"), *parts):
        ids = field(encoding, "input_ids")
        if ids is not None:
            return tokenizer.decode(ids.flatten().tolist() if is_tensor(ids) else ids, skip_special_tokens=True), True
    return None, False


def _label_of(item: Any, parts: Any) -> Any:
    """The first number or one-element tensor, or None. A list of several numbers is one of token ids."""
    parts = [] if len(parts) > 2 and all(isinstance(part, int) for part in parts) else parts
    for candidate in (*(field(item, name) for name in ("label", "labels", "label_encoding")), *parts):
        if isinstance(candidate, (int, float, np.number)) or (is_tensor(candidate) and candidate.numel() == 1):
            return candidate
    return None


def field(item: Any, name: str) -> Any:
    """An entry or attribute of this name; None if there is neither."""
    try:
        return item[name] if not isinstance(item, (str, list, tuple)) else None
    except (KeyError, TypeError, IndexError, ValueError):
        return getattr(item, name, None)
    except Exception:
        return getattr(item, name, None)


def collate(world: World, namespace: dict, plain: Callable) -> dict:
    """``collate_fn`` on a batch of short sentences and on one with a very long text, with the student's items or ours."""
    short = [world.rows["train"][n] for n in (11, 2, 17, 5, 8)]
    batches = {"short": short, "long": [short[0], world.given["long"], short[1]]}
    if refused := refused_by(namespace):
        return {"refused_by": refused}

    def observed(make: Callable[[list], tuple[Any, list]]) -> dict:
        collated = {}
        for name, rows in batches.items():
            dataset, samples = make(rows)
            collated[name] = describe_batch(accessible(namespace, dataset)(samples), plain)
        return collated

    ways = [
        lambda n=n: observed(lambda rows: _with_items(datasets(world, namespace, rows)[n](), rows))
        for n in range(len(datasets(world, namespace, short)))
    ]
    if _is_to_blame(world, namespace, short):
        return observed(lambda rows: _with_items(_first_that_works(datasets(world, namespace, rows)), rows))
    kind = namespace["SST2Dataset"]
    ways += [lambda n=n: observed(lambda rows: (kind, _handouts(namespace, rows)[n])) for n in (0, -1)]
    return {"ways": successful_results(ways)}


def _is_to_blame(world: World, namespace: dict, rows: list[dict]) -> bool:
    """Whether ``collate_fn`` fails on the dataset's own items although these are as the handout has them."""
    try:
        dataset, samples = _with_items(_first_that_works(datasets(world, namespace, rows)), rows)
        return conforms(samples[0]) and bool(raised(accessible(namespace, dataset), samples))
    except Exception:
        return False


def _with_items(dataset: Any, rows: list[dict]) -> tuple[Any, list]:
    """A dataset of these rows and its items; its own length is another question."""
    return dataset, [dataset[n] for n in range(len(rows))]


def describe_batch(batch: Any, plain: Callable) -> dict:
    """A collated batch: its keys, and the values under the handout's keys."""
    if not hasattr(batch, "keys"):
        return {"keys": None, "kind": type(batch).__name__}
    encoding, labels = field(batch, "text_encoding"), field(batch, "label_encoding")
    ids, mask = field(encoding, "input_ids"), field(encoding, "attention_mask")
    return {
        "keys": [name[:40] for name in map(str, batch.keys())],
        "encoding": type(encoding).__name__,
        "members": len(encoding) if isinstance(encoding, (list, tuple)) else -1,
        "ids": plain(ids),
        "mask": plain(mask),
        "labels": plain(labels),
        "tensors": [is_tensor(value) for value in (ids, mask, labels)],
        "dtype": str(getattr(labels, "dtype", type(labels).__name__)),
    }
