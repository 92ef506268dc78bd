"""The passes over the data that ``main`` makes: which sentences of which split, in which order.

What the models really see counts, whatever it comes from: a DataLoader, an iterable dataset, a generator of batches. Where
they see nothing that is known, because another function of the student's is broken, a loader is asked afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch.utils.data import DataLoader, SequentialSampler, Subset

from autograder.checks.sealed import sealed

from .data import field as entry
from .tiny import SPLITS, World

Module, is_tensor, Optimizer = torch.nn.Module, torch.is_tensor, torch.optim.Optimizer
MAX_PASSES, MAX_BATCHES, FEW = 40, 1000, 4


@dataclass
class Forward:
    """One forward pass; ``sentences``: their numbers, counted through all splits (-1: unknown)."""

    sentences: list[int]
    training_mode: bool
    backward: bool = False

    def watch(self, output: Any) -> None:
        """Find out whether a backward pass follows."""
        if output.requires_grad:
            output.register_hook(sealed(self._followed))

    def _followed(self, _: Any) -> None:
        self.backward = True


@dataclass
class Pass:
    """One pass; ``training``: by train_one_epoch or, in a loop of main's own, with backward passes.

    ``sentences``: see Forward; ``split``: where most of them come from; ``batches``: how many were seen or, failing that,
    drawn; None where that is not known. ``unshuffled``: its loader takes a dataset's samples one after the other;
    ``drops_last``: it leaves out the samples that do not fill a batch.
    """

    training: bool
    forwards: list[Forward] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    batches: int | None = None
    split: str = ""
    unshuffled: bool = False
    drops_last: bool = False

    def close(self) -> None:
        """Take over what the models saw: while training, what backward passes followed on, if there were any."""
        counted = [forward for forward in self.forwards if forward.backward] if self.training else []
        counted = counted or self.forwards
        self.sentences, self.batches = [n for forward in counted for n in forward.sentences], len(counted)


class Passes:
    """Collects passes. ``datasets``: id -> (split, dataset), from the student's own loading function."""

    def __init__(self, world: World):
        self.world = world
        self.datasets: dict[int, tuple[str, Any]] = {}
        self.done: list[Pass] = []
        self.open: list[Pass] = []  # train_one_epoch may call evaluate
        self.own: list[Forward] = []  # outside of both functions

    def begin(self, training: bool) -> None:
        self.open.append(Pass(training))

    def see(self, forward: Forward) -> None:
        if self.open:
            self.open[-1].forwards.append(forward)
        elif len(self.own) < MAX_BATCHES:
            self.own.append(forward)

    def end(self, loader: Any) -> Pass:
        """Close the pass that was opened last; ask the loader for what the models did not show."""
        one = self.open.pop()
        one.close()
        loader = getattr(loader, "iterable", loader)  # tqdm keeps what it wraps there
        one.unshuffled = isinstance(loader, DataLoader) and isinstance(loader.sampler, SequentialSampler)
        one.drops_last = isinstance(loader, DataLoader) and loader.drop_last is True
        if not informative(one.sentences):
            asked, batches = self.drawn(loader)
            if informative(asked) or not one.sentences:
                one.sentences, one.batches = asked, one.batches or batches
        self.keep(one)
        self.keep_inner(one)
        return one

    def keep_inner(self, one: Pass) -> None:
        """Keep what a train_one_epoch evaluates by itself, if that is the validation set, as a pass of its own."""
        inner = Pass(False, [forward for forward in one.forwards if not forward.backward and not forward.training_mode])
        inner.close()
        if one.training and inner.sentences and self.split_of(inner.sentences) == "validation":
            self.keep(inner)

    def keep(self, one: Pass) -> None:
        one.split = self.split_of(one.sentences)
        if len(self.done) < MAX_PASSES:
            self.done.append(one)

    def add_own(self) -> None:
        """Add the passes of main's own loops, as far as train_one_epoch and evaluate made none."""
        trained = any(one.training for one in self.done)
        evaluated = any(not one.training and one.split != "train" for one in self.done)
        for one in self._own():
            if not (trained if one.training else evaluated):
                one.close()
                self.keep(one)

    def _own(self) -> list[Pass]:
        """The forward passes outside of both functions, combined into passes over one split with or without training."""
        passes: list[Pass] = []
        kinds = [(f, self.split_of(f.sentences), f.backward) for f in self.own]
        before, count = None, 0
        for forward, *kind in kinds:
            if kind != before or count >= len(self.world.rows.get(kind[0], ())):
                passes.append(Pass(forward.backward))
                before, count = kind, 0
            passes[-1].forwards.append(forward)
            count += len(forward.sentences)
        return passes

    def drawn(self, loader: Any) -> tuple[list[int], int | None]:
        """The sentences of one pass over a loader, and the number of its batches (None: not known)."""
        dataset, places = unwrapped(getattr(loader, "dataset", None))
        split, _ = self.datasets.get(id(dataset), ("", None))
        sampler = getattr(loader, "batch_sampler", None)
        try:
            if split and sampler is not None:
                batches = [[int(index) for index in batch] for batch in islice(sampler, MAX_BATCHES)]
                start = self.world.start(split)
                return [start + (n if places is None else places[n]) for batch in batches for n in batch], len(batches)
            return self.drawn_by_content(loader)
        except Exception:
            return [], None

    def drawn_by_content(self, loader: Any) -> tuple[list[int], int | None]:
        """The same, from the texts of its dataset's items or from the token ids in its batches."""
        if isinstance(loader, DataLoader) and loader.batch_sampler is not None:
            numbers, count = self.drawn_as_items(loader)
            if set(numbers) - {-1}:
                return numbers, count
        known = self.world.known_ids()
        drawn = [_rows(batch, known) for batch in islice(loader, MAX_BATCHES)]
        return [number for rows in drawn for number in rows], len(drawn)

    def drawn_as_items(self, loader: DataLoader) -> tuple[list[int], int]:
        """The same, from the texts of its dataset's items; nothing if they cannot be had."""
        texts = {row["text"]: n for n, row in enumerate(row for rows in self.world.rows.values() for row in rows)}
        try:
            batches = [[loader.dataset[n] for n in batch] for batch in islice(loader.batch_sampler, MAX_BATCHES)]
        except Exception:
            return [], 0  # its batches may still be had
        return [texts.get(_text(item), -1) for batch in batches for item in batch], len(batches)

    def split_of(self, numbers: list[int]) -> str:
        """The split that more than half of these sentences come from; '' if there is none."""
        for split in SPLITS:
            if 2 * len(self.inside(split, numbers)) > len(numbers):
                return split
        return ""

    def inside(self, split: str, numbers: list[int]) -> list[int]:
        """Those of these sentences that belong to a split, as its own indices."""
        start, count = self.world.start(split), len(self.world.rows[split])
        return [n - start for n in numbers if start <= n < start + count]

    def described(self) -> list[dict]:
        """All passes as plain data; ``order``: the indices within the split, ``sorted_by``: see ``sorted_by``."""
        described = []
        for one in self.done:
            order = list(dict.fromkeys(self.inside(one.split, one.sentences))) if one.split else []
            described.append(
                {
                    "training": one.training,
                    "split": one.split,
                    "order": order[:MAX_BATCHES],
                    "sorted_by": sorted_by(order, [row["text"] for row in self.world.rows.get(one.split, ())]),
                    "batches": one.batches,
                    "unshuffled": one.unshuffled,
                    "left_out": len(self.world.rows[one.split]) - len(order) if one.split and one.drops_last else 0,
                    "foreign": {split: len(self.inside(split, one.sentences)) for split in SPLITS},
                }
            )
        return described

    def settled(self) -> bool:
        """Whether the passes show if training data are shuffled: by an order that only chance explains, or several batches."""
        if any(one.drops_last and not one.sentences for one in self.done):
            return False
        orders = [p for p in self.described() if p["training"] and len(p["order"]) >= FEW]
        return any(not p["sorted_by"] or (p["batches"] or 0) > 1 for p in orders)


def informative(numbers: list[int]) -> bool:
    """Whether these sentences tell an order: most are known, and they are not all the same one."""
    known = [n for n in numbers if n >= 0]
    return 2 * len(known) > len(numbers) and (len(set(known)) > 1 or len(numbers) == 1)


def sorted_by(order: list[int], texts: list[str]) -> str:
    """What explains an order, forwards or backwards: "number", "length" (characters, words), or '' if neither does.

    A few sentences may be in any order by chance.
    """
    if len(order) < FEW:
        return ""
    if _monotone(order):
        return "number"
    lengths = ([len(texts[n]) for n in order], [len(texts[n].split()) for n in order])
    return "length" if any(map(_monotone, lengths)) else ""


def _monotone(numbers: list[int]) -> bool:
    return numbers == sorted(numbers) or numbers == sorted(numbers, reverse=True)


def unwrapped(dataset: Any) -> tuple[Any, list[int] | None]:
    """The dataset inside nested ``Subset``s, and its index for each of the outermost one's (None: the same)."""
    places = None
    while isinstance(dataset, Subset):
        inner = [int(index) for index in dataset.indices]
        dataset, places = dataset.dataset, inner if places is None else [inner[n] for n in places]
    return dataset, places


def first(kind: Any, args: tuple, kwargs: dict) -> Any:
    """The first argument of this type, or None."""
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, kind)), None)


def loader_of(args: tuple, kwargs: dict) -> Any:
    """The argument that yields batches: a DataLoader or anything else that can be iterated over, or None."""
    others = [v for v in (*args, *kwargs.values()) if not isinstance(v, (Module, Optimizer, str, dict))]
    loader = first(DataLoader, args, kwargs)  # its truth would ask for its length, which it may not have
    return loader if loader is not None else next((v for v in others if hasattr(v, "__iter__")), None)


def _text(item: Any) -> str:
    parts = item if isinstance(item, (tuple, list)) else []
    return next((text for text in (entry(item, "text"), entry(item, "sentence"), *parts) if isinstance(text, str)), "")


def _rows(batch: Any, known: dict) -> list[int]:
    """The sentences of a batch by number, from token ids anywhere in it."""
    if is_tensor(batch):
        return [known.get(tuple(n for n in row if n != 1), -1) for row in batch.tolist()] if batch.ndim == 2 else []
    inner = list(batch.values()) if hasattr(batch, "values") else batch if isinstance(batch, (tuple, list)) else []
    return next((rows for rows in (_rows(value, known) for value in inner) if any(n >= 0 for n in rows)), [])
