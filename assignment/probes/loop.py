"""``main`` watched from start to end: what is shuffled, what is evaluated, which weights are kept.

The student's ``train_one_epoch`` and ``evaluate`` are wrapped: the first leaves a mark in the weights after each epoch, the
second is told what to answer for the validation set, so that it is known which epoch is the best. A ``main`` that trains
without calling them is watched by what its models do.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

from .data import field
from .tiny import World
from .watch import Recorder, weights

load, is_tensor, tensor, clone, no_grad, nn, Embedding = (
    torch.load,
    torch.is_tensor,
    torch.tensor,
    torch.Tensor.clone,
    torch.no_grad,
    torch.nn,
    torch.nn.Embedding,
)
real_save, register_hook = torch.save, torch.nn.modules.module.register_module_forward_hook
EPOCHS = ("num_epochs", "NUM_EPOCHS", "epochs", "EPOCHS", "n_epochs", "N_EPOCHS", "num_train_epochs")
FEWEST, MOST, TRACED, LONGEST = 5, 6, 4, 1000
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".pkl", ".model", ".tar", "")


class Figure(float):
    """Stands for whatever a broken function of the student should have returned: a number that unpacks and indexes."""

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, _: Any) -> Figure:
        return self


class Run:
    """What happens while ``main`` runs. ``epochs``: the weights after each epoch; ``told``: the accuracy told for each."""

    def __init__(self, world: World, namespace: dict):
        self.world, self.namespace = world, namespace
        self.epochs: list[dict[str, np.ndarray]] = []
        self.told: list[float] = []
        self.orders: dict[str, list[list[int]]] = {"train": [], "validation": [], "test": []}
        self.saves: list[int] = []  # how many epochs had been trained at each torch.save
        self.given: dict[int, tuple[str, Any]] = {}  # datasets of the student's own loading function, by identity
        self.called, self.figures = False, False
        self.phase: list[tuple[bool, list[int]]] = []  # without wrapped calls: training mode and sentences of each forward pass
        self.trained = namespace.get("train_one_epoch")
        self.evaluated = namespace.get("evaluate")
        self.loaded = namespace.get("initialize_datasets")

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """In place of ``train_one_epoch``."""
        model, loader = _of(nn.Module, args, kwargs), _loader(args, kwargs)
        self.called = True
        self.note(loader)
        try:
            result = self.trained(*args, **kwargs)
        except Exception:
            result = Figure(0.5)
        if model is not None:
            self.mark(model)
        return Figure(0.5) if self.figures else result

    def mark(self, model: Any) -> None:
        """Make this epoch's weights unlike any other's, and remember them."""
        with no_grad():
            list(model.parameters())[-1].add_(0.001 * (len(self.epochs) + 1))
        self.epochs.append(weights(model))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """In place of ``evaluate``: the world's next accuracy for the validation set, the student's own answer for others."""
        split, model = self.note(_loader(args, kwargs)), _of(nn.Module, args, kwargs)
        recorder = Recorder(self.world, model) if model is not None else None
        state = {name: clone(value) for name, value in model.state_dict().items()} if model is not None else {}
        try:
            result = self.evaluated(*args, **kwargs)
        except Exception:
            result = Figure(0.5)
        finally:
            if recorder is not None:
                recorder.end()
                model.load_state_dict(state)  # an evaluate that trains is charged elsewhere
        result = Figure(0.5) if self.figures else result
        if split != "validation" or not self.epochs:
            return result
        told = self.world.given["scores"][min(len(self.epochs), len(self.world.given["scores"])) - 1]
        self.told += [told] * (len(self.epochs) - len(self.told))
        return self.with_accuracy(result, told, self.accuracy(recorder.predicted if recorder is not None else {}))

    def accuracy(self, predicted: dict[int, int]) -> float:
        """How many validation sentences these predictions get right; -1 where they are not known."""
        rows, start = self.world.rows["validation"], self.world.start("validation")
        return (
            sum(predicted.get(start + n, -1) == row["label"] for n, row in enumerate(rows)) / len(rows) if predicted else -1.0
        )

    def with_accuracy(self, result: Any, told: float, natural: float) -> Any:
        """The student's own answer with its accuracy replaced; ``natural`` shows which number of several it is."""
        if isinstance(result, Figure):
            return Figure(told)
        if isinstance(result, (tuple, list)) and result:
            place = next((n for n, value in enumerate(result) if _close(value, natural)), 0)
            return type(result)([*result[:place], self.with_accuracy(result[place], told, natural), *result[place + 1 :]])
        if isinstance(result, dict):
            return {
                key: self.with_accuracy(value, told, natural) if "acc" in str(key) else value for key, value in result.items()
            }
        told = 100 * told if _close(result, 100 * natural) and not _close(result, natural) else told
        return tensor(told) if is_tensor(result) else told

    def note(self, loader: Any) -> str:
        """Which split a loader gives, and in which order this time; '' for none that is known."""
        loader = getattr(loader, "iterable", loader)  # tqdm holds what it was given
        dataset, places = whole(getattr(loader, "dataset", None))
        split, _ = self.given.get(id(dataset), ("", None))
        if split and getattr(loader, "batch_sampler", None) is not None:
            if len(self.orders[split]) < TRACED:
                drawn = [int(index) for batch in itertools.islice(loader.batch_sampler, LONGEST) for index in batch]
                self.orders[split].append(drawn if places is None else [places[index] for index in drawn])
            return split
        numbers = self.order(loader)
        for split, orders in self.orders.items():
            start = self.world.start(split)
            inside = [n - start for n in numbers if start <= n < start + len(self.world.rows[split])]
            if inside and len(inside) * 2 > len(numbers):
                if len(orders) < TRACED:
                    orders.append(inside)
                return split
        return ""

    def order(self, loader: Any) -> list[int]:
        """The sentences that one pass over a loader gives, by number."""
        numbers = {row["text"]: n for n, row in enumerate(row for rows in self.world.rows.values() for row in rows)}
        known, found = self.world.known_ids(), []
        if isinstance(loader, DataLoader) and loader.batch_sampler is not None:
            try:
                items = [loader.dataset[index] for batch in loader.batch_sampler for index in batch]
                found = [numbers.get(_text(item), -1) for item in items]
            except Exception:
                found = []
        if not found or set(found) == {-1}:
            try:
                found = [number for batch in loader for number in _rows(batch, known)]
            except Exception:
                found = []
        return found

    def forward(self, module: Any, args: tuple, output: Any) -> None:
        """Every word embedding used, anywhere: the trace of a ``main`` that trains by itself."""
        if (
            not self.called
            and isinstance(module, Embedding)
            and module.num_embeddings == self.world.size
            and is_tensor(args[0])
            and args[0].ndim == 2
        ):
            before = self.phase[-1][0] if self.phase else False
            self.phase.append((bool(module.training), self.world.indices(args[0])))
            if before and not module.training and self.world.models:
                self.epochs.append(weights(self.world.models[-1]))

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """In place of ``initialize_datasets``: remembers which dataset is which."""
        found = self.loaded(*args, **kwargs)
        if isinstance(found, dict):
            self.given |= {id(dataset): (split, dataset) for split, dataset in found.items() if split in self.orders}
        return found

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.saves.append(len(self.epochs))
        return real_save(*args, **kwargs)


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """Orders of the splits, accuracies told, and for each file left behind the epochs whose weights it holds.

    Where ``main`` stumbles over what the student's other functions return, they return plain numbers in a second run.
    """
    try:
        return watched(Run(world, namespace), namespace)
    except Exception as error:
        world.reset()
        run = Run(world, namespace)
        run.figures = True
        try:
            return watched(run, namespace)
        except Exception:
            raise error from None


def watched(run: Run, namespace: dict) -> dict:
    """Run ``main`` once in a folder of its own."""
    before = dict(namespace)
    places = {"train_one_epoch": run.train, "evaluate": run.evaluate, "initialize_datasets": run.load}
    wrapped = {name: wrapper for name, wrapper in places.items() if callable(namespace.get(name))}
    for name in EPOCHS:
        if type(namespace.get(name)) is int:
            namespace[name] = min(max(namespace[name], FEWEST), MOST)
    namespace.update(wrapped)
    hook, torch.save = register_hook(run.forward), run.save
    with tempfile.TemporaryDirectory() as folder, _inside(folder):
        try:
            namespace["main"]()
        finally:
            hook.remove()
            torch.save = real_save
            namespace.update({name: before[name] for name in before if name in wrapped or name in EPOCHS})
        files = kept(run.epochs)
    if not run.told:
        self_made(run)
    return {"told": run.told, "epochs": len(run.epochs), "orders": run.orders, "files": files, "saves": run.saves[:200]}


def self_made(run: Run) -> None:
    """Orders as the models of a self-contained ``main`` saw them; how good each epoch was is not known then."""
    split_of = {run.world.start(split) + n: split for split, rows in run.world.rows.items() for n in range(len(rows))}
    passes: list[tuple[str, list[int]]] = []
    for training, numbers in run.phase:
        split = next((split_of[n] for n in numbers if n in split_of), "")
        if not passes or passes[-1][0] != split or len(passes[-1][1]) >= len(run.world.rows.get(split, ())):
            passes.append((split, []))
        passes[-1][1].extend(numbers)
    for split, numbers in passes:
        if split and len(run.orders[split]) < TRACED:
            run.orders[split].append([n - run.world.start(split) for n in numbers])


def kept(epochs: list[dict[str, np.ndarray]]) -> list[dict]:
    """Files below the working folder, oldest first; ``epoch``: whose weights each holds (-1: none's, -2: cannot be loaded,
    -3: holds no weights).
    """
    paths = sorted(
        (p for p in Path(".").rglob("*") if p.is_file() and p.suffix in SUFFIXES), key=lambda p: p.stat().st_mtime_ns
    )
    return [{"epoch": epoch_of(path, epochs)} for path in paths[:100]]


def epoch_of(path: Path, epochs: list[dict[str, np.ndarray]]) -> int:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(path)
        else:
            found = load(path, map_location="cpu", weights_only=False)
    except Exception:
        return -2
    state = states(found)
    if not state:
        return -3
    for number, epoch in enumerate(epochs):
        if all(name in epoch and np.array_equal(epoch[name], value) for name, value in state.items()):
            return number
    return -1


def states(found: Any, depth: int = 0) -> dict[str, np.ndarray]:
    """The parameters inside a checkpoint, whatever they are wrapped in."""
    if isinstance(found, nn.Module):
        return weights(found)
    if not isinstance(found, dict) or depth > 3:
        return {}
    own = {
        str(name): value.detach().cpu().numpy().ravel()
        for name, value in found.items()
        if is_tensor(value) and value.is_floating_point()
    }
    return own or next((inner for inner in (states(value, depth + 1) for value in found.values()) if inner), {})


@contextlib.contextmanager
def _inside(folder: str):
    """Work in this folder for a while."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def whole(dataset: Any) -> tuple[Any, list[int] | None]:
    """The data set inside subsets of it (such as one ordered by length), and its number for each of theirs (None: the same)."""
    places = None
    while isinstance(dataset, Subset):
        inner = [int(index) for index in dataset.indices]
        dataset, places = dataset.dataset, inner if places is None else [inner[n] for n in places]
    return dataset, places


def _close(value: Any, number: float) -> bool:
    try:
        return abs(float(value) - number) < 1e-4
    except (TypeError, ValueError, RuntimeError):
        return False


def _of(kind: type, args: tuple, kwargs: dict) -> Any:
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, kind)), None)


def _loader(args: tuple, kwargs: dict) -> Any:
    values = [*args, *kwargs.values()]
    return _of(DataLoader, args, kwargs) or next(
        (v for v in values if hasattr(v, "__iter__") and not isinstance(v, (nn.Module, torch.optim.Optimizer, str, dict))), None
    )


def _text(item: Any) -> str:
    parts = item if isinstance(item, (tuple, list)) else []
    return next((found for found in (field(item, "text"), field(item, "sentence"), *parts) if isinstance(found, str)), "")


def _rows(batch: Any, known: dict) -> list[int]:
    """The sentences of a batch, by their token ids, wherever in it they are."""
    if is_tensor(batch):
        return [known.get(tuple(n for n in row if n != 1), -1) for row in batch.tolist()] if batch.ndim == 2 else []
    inner = list(batch.values()) if hasattr(batch, "values") else batch if isinstance(batch, (tuple, list)) else []
    return next((found for found in (_rows(value, known) for value in inner) if any(n >= 0 for n in found)), [])
