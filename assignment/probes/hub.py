"""Stand-ins for the model and data hub: ``from_pretrained`` and ``load_dataset`` return tiny objects.

A path that exists, such as the student's own checkpoint, is really loaded, unless it was trained outside of the probe.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import inspect
import os
import sys
import types
from typing import Any

import torch
import transformers
from torch.utils.data import DataLoader
from transformers import AutoConfig, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase, RobertaConfig
from transformers.models.auto.auto_factory import _BaseAutoModelClass

from autograder.checks.paths import found, is_trained
from autograder.checks.sealed import sealed, sealed_class

from .tiny import World

is_path, randperm, Generator = os.path.exists, torch.randperm, torch.Generator


@sealed_class
class Split:
    """One split with the interface of a hub dataset: rows by index, columns by name, slices as columns."""

    def __init__(self, rows: list[dict]):
        self.rows = rows

    @property
    def column_names(self) -> list[str]:
        return list(self.rows[0]) if self.rows else ["text", "label"]

    @property
    def num_rows(self) -> int:
        return len(self.rows)

    @property
    def features(self) -> dict:
        return dict.fromkeys(self.column_names)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self):
        return iter([dict(row) for row in self.rows])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return [row[key] for row in self.rows]
        if isinstance(key, slice):
            return {name: [row[name] for row in self.rows[key]] for name in self.column_names}
        if isinstance(key, (list, tuple, range)):
            return {name: [self.rows[i][name] for i in key] for name in self.column_names}
        return dict(self.rows[int(key)])

    def select(self, indices: Any, **_: Any) -> Split:
        return Split([self.rows[i] for i in indices])

    def map(self, function: Any, batched: bool = False, remove_columns: Any = (), **_: Any) -> Split:
        if batched:
            columns = {**self[:], **function(self[:])}
            rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
        else:
            rows = [{**row, **(function(dict(row)) or {})} for row in self.rows]
        return Split(rows).remove_columns(remove_columns or ())

    def filter(self, function: Any, **_: Any) -> Split:
        return Split([row for row in self.rows if function(dict(row))])

    def shuffle(self, seed: int | None = None, **_: Any) -> Split:
        order = randperm(len(self.rows), generator=Generator().manual_seed(seed or 0)).tolist()
        return self.select(order)

    def remove_columns(self, names: Any) -> Split:
        removed = [names] if isinstance(names, str) else names
        return Split([{key: value for key, value in row.items() if key not in removed} for row in self.rows])

    def rename_column(self, old: str, new: str) -> Split:
        return Split([{new if key == old else key: value for key, value in row.items()} for row in self.rows])

    def to_list(self) -> list[dict]:
        return list(self)

    def to_dict(self) -> dict:
        return self[:]

    def with_format(self, *_: Any, **__: Any) -> Split:
        return self

    def set_format(self, *_: Any, **__: Any) -> None:
        pass


@sealed_class
class Splits(dict):
    """All splits by name."""

    def map(self, *args: Any, **kwargs: Any) -> Splits:
        return Splits({name: split.map(*args, **kwargs) for name, split in self.items()})

    def rename_column(self, old: str, new: str) -> Splits:
        return Splits({name: split.rename_column(old, new) for name, split in self.items()})


class Hub:
    """Installs the stand-ins; ``close`` removes them."""

    def __init__(self, world: World):
        self.world, self.undo = world, contextlib.ExitStack()
        for owner, stand_in in (
            (PreTrainedModel, self.model),
            (_BaseAutoModelClass, self.model),
            (PretrainedConfig, self.config),
            (AutoConfig, self.config),
            (PreTrainedTokenizerBase, self.tokenizer),
            (AutoTokenizer, self.tokenizer),
        ):
            for kind in _defining(owner, "from_pretrained"):
                self.swap(kind, "from_pretrained", classmethod(_or_from_path(stand_in, vars(kind)["from_pretrained"])))
        self.swap(DataLoader, "__init__", _without_workers(DataLoader.__init__))
        if not hasattr(transformers, "AdamW"):
            self.swap(transformers, "AdamW", torch.optim.AdamW)  # older versions had it
        if "sst2" not in sys.modules:  # the notebook's module that chooses model and data
            source = types.ModuleType("sst2")
            source.choose = sealed(lambda *_: ("roberta-base", "gpt3mix/sst2"))
            self.undo.callback(sys.modules.pop, "sst2", None)
            sys.modules["sst2"] = source
        self.given = sealed(self.load_dataset)
        self.real = getattr(sys.modules.get("datasets"), "load_dataset", None)
        if self.real is None:
            module = types.ModuleType("datasets")
            module.__spec__ = importlib.machinery.ModuleSpec("datasets", None)
            module.load_dataset, module.Dataset, module.DatasetDict = self.given, Split, Splits
            self.undo.callback(sys.modules.pop, "datasets", None)
            sys.modules["datasets"] = module
        else:
            self.swap(sys.modules["datasets"], "load_dataset", self.given)

    def close(self) -> None:
        self.undo.close()

    def swap(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute until ``close``."""
        if name in vars(owner):
            self.undo.callback(setattr, owner, name, vars(owner)[name])
        else:
            self.undo.callback(delattr, owner, name)
        setattr(owner, name, value)

    @contextlib.contextmanager
    def inside(self, namespace: dict):
        """Also rebind a notebook's own names for the real ``load_dataset`` and tokenizer; they are restored afterwards."""
        tokenizer, before, added = self.world.tokenizer(), {}, "tokenizer" not in namespace
        for name, value in list(namespace.items()):
            if value is not None and value is self.real:
                before[name], namespace[name] = value, self.given
            elif isinstance(value, PreTrainedTokenizerBase):
                before[name], namespace[name] = value, tokenizer
        namespace.setdefault("tokenizer", tokenizer)
        try:
            yield
        finally:
            namespace.update(before)
            if added:
                namespace.pop("tokenizer", None)

    def model(self, kind: type, *_: Any, config: Any = None, **settings: Any) -> Any:
        loading = settings.pop("output_loading_info", False)
        config = self.config(
            getattr(kind, "config_class", None) or AutoConfig, **(_labels(config) if config else {}), **settings
        )
        model = self.world.model(kind._model_mapping[type(config)] if hasattr(kind, "_model_mapping") else kind, config)
        return (model, {}) if loading else model

    def config(self, kind: type, *_: Any, **settings: Any) -> Any:
        own = RobertaConfig if kind in (AutoConfig, PretrainedConfig) else kind
        return self.world.config(
            own, **{key: value for key, value in settings.items() if key in SETTINGS or key.endswith("dropout_prob")}
        )

    def tokenizer(self, kind: type, *_: Any, **__: Any) -> Any:
        return self.world.tokenizer()

    def load_dataset(self, path: str, name: Any = None, split: str | list | None = None, **_: Any) -> Any:
        """All splits, or the requested ones. Copies of SST-2 under other names have the text as "sentence" too."""
        is_copy = "gpt3mix" not in str(path)
        splits = Splits(
            {
                key: Split([{**row, **({"sentence": row["text"], "idx": i} if is_copy else {})} for i, row in enumerate(rows)])
                for key, rows in self.world.rows.items()
            }
        )
        if isinstance(split, (list, tuple)):
            return [splits[str(one).split("[")[0]] for one in split]
        return splits[str(split).split("[")[0]] if split is not None else splits


SETTINGS = {
    "num_labels",
    "id2label",
    "label2id",
    "problem_type",
    "output_hidden_states",
    "output_attentions",
    "return_dict",
    "attn_implementation",
    "classifier_dropout",
}


def _defining(kind: type, name: str) -> list[type]:
    """The class and its subclasses, as far as they define this attribute themselves."""
    below = [subclass for child in kind.__subclasses__() for subclass in _defining(child, name)]
    return list(dict.fromkeys([kind] * (name in vars(kind)) + below))


def _labels(config: Any) -> dict:
    return {"num_labels": config.num_labels, "problem_type": config.problem_type, "return_dict": config.return_dict}


def _or_from_path(stand_in: Any, original: classmethod) -> Any:
    def from_pretrained(kind: type, path: Any = "", *args: Any, **kwargs: Any) -> Any:
        if isinstance(path, (str, os.PathLike)) and is_path(found(path)) and not is_trained(path):
            return original.__func__(kind, found(path), *args, **kwargs)
        return stand_in(kind, *args, **kwargs)

    return sealed(from_pretrained)


def _without_workers(original: Any) -> Any:
    """A ``DataLoader.__init__`` without workers: the cage forbids forks, and classes from notebooks cannot be pickled."""
    signature = inspect.signature(original)

    def init(self: DataLoader, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        for name in (
            "num_workers",
            "prefetch_factor",
            "persistent_workers",
            "multiprocessing_context",
            "pin_memory",
            "timeout",
            "worker_init_fn",
        ):
            bound.arguments.pop(name, None)
        original(*bound.args, **bound.kwargs)

    return sealed(init, original)
