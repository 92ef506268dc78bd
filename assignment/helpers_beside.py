"""Correct helpers that take models and loaders, which cannot cross over to the judge: they replace broken ones in a worker.

``name(theirs, names, broken)`` returns a correct version of the student's ``theirs``, among their ``names``, where it lost the
questions ``broken``. The source is only sent to workers in which a composite is judged again because the student's own version
has failed; it is never shipped to students.
"""

from __future__ import annotations

import contextlib

import torch


class _Example(dict):
    """A row with its text and label as keys and as attributes."""

    def __init__(self, row):
        parts = (
            row if isinstance(row, (list, tuple)) else (_field(row, "text") or _field(row, "sentence"), _field(row, "label"))
        )
        super().__init__(text=parts[0], label=parts[1])
        self.text, self.label = self["text"], self["label"]


def _field(row, name):
    return row.get(name) if isinstance(row, dict) else getattr(row, name, None)


def SST2Dataset(theirs, names, broken):  # noqa: N802 (the name of what it replaces)
    """A subclass of the student's dataset, if there is one, with right methods in place of those that are broken.

    A collate_fn of ours gets items of ours, which have their parts as attributes and as keys.
    """
    base = theirs if isinstance(theirs, type) else torch.utils.data.Dataset
    known = {}

    def init(self, *args, **kwargs):
        with contextlib.suppress(Exception):
            base.__init__(self, *args, **kwargs)
        given = [*args, *kwargs.values()]
        known["tokenizer"] = next((value for value in given if hasattr(value, "pad_token_id")), None)
        rows = next(value for value in reversed(given) if value is not known["tokenizer"] and hasattr(value, "__getitem__"))
        self.right_rows = [_Example(row) for row in rows]

    def collate_fn(samples):
        encode = known.get("tokenizer") or names["tokenizer"]
        samples = [_Example(sample) for sample in samples]
        encoding = encode([s.text for s in samples], padding=True, truncation=True, max_length=512, return_tensors="pt")
        return {"text_encoding": encoding, "label_encoding": torch.tensor([s.label for s in samples])}

    items = {"__getitem__": lambda self, index: self.right_rows[index]}
    methods = {
        "3.dataset.len": {"__len__": lambda self: len(self.right_rows)},
        "3.dataset.getitem": items,
        "3.collate": items | {"collate_fn": staticmethod(collate_fn)},
        "3.dataset.iter": {"__iter__": lambda self: iter(self.right_rows)},
    }
    right = {"__init__": init}
    written = {
        name for kind in base.__mro__ if kind.__module__.split(".")[0] not in ("torch", "builtins") for name in vars(kind)
    }
    if not written & {"__iter__", "__getitem__"}:
        right["__iter__"] = None  # our items alone would let Python iterate over them
    for id in broken:
        right |= methods[id]
    return type("SST2Dataset", (base,), right)


class _Number(float):
    """A float that also does what callers do with a tensor, and unpacks where they expect several numbers."""

    def item(self):
        return float(self)

    def cpu(self):
        return self

    detach = float = mean = cpu

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, _):
        return self


def compute_accuracy(theirs, names, broken):
    """The share of right predictions, of classes or scores, in tensors, arrays, lists or batches of them."""

    def right(*args, **kwargs):
        first, second = (_classes(value) for value in [*args, *kwargs.values()][:2])
        return _Number((first == second).float().mean())

    return right


def _classes(value):
    if isinstance(value, (list, tuple)):
        rows = [torch.as_tensor(one) for one in value]
        if not rows[0].ndim or _are_scores(rows):
            return _classes(torch.stack(rows))
        return torch.cat([_classes(row) for row in rows])
    value = torch.as_tensor(value).cpu()
    return (value.argmax(-1) if value.ndim == 2 and value.shape[-1] == 2 else value).reshape(-1).long()


def _are_scores(rows):
    """Whether each row holds two scores, and not the classes of a batch of two."""
    return all(row.shape == (2,) for row in rows) and any((row % 1 != 0).any() for row in rows)


def train_one_epoch(theirs, names, broken):
    """One optimizer step for each batch."""

    def right(model, dataloader, optimizer, *_, **__):
        model.train()
        for batch in dataloader:
            optimizer.zero_grad()
            _outputs(model, batch).loss.backward()
            optimizer.step()

    return right


def evaluate(theirs, names, broken):
    """The accuracy over all sentences."""

    def right(model, dataloader, *_, **__):
        model.eval()
        right, count = 0, 0
        with torch.no_grad():
            for batch in dataloader:
                right += (_outputs(model, batch).logits.argmax(-1) == batch["label_encoding"]).sum().item()
                count += len(batch["label_encoding"])
        return right / count

    return right


def _outputs(model, batch):
    return model(**batch["text_encoding"], labels=batch["label_encoding"])
