"""Watches ``main`` from start to end: what is shuffled, what is evaluated, which weights are saved.

The student's ``train_one_epoch`` and ``evaluate`` are wrapped. The first marks the weights after each epoch; the second reports
a scripted accuracy for the validation set, so that the best epoch is known. A ``main`` that trains without calling them is
watched by what its models do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

from autograder.checks.redirect import redirected

from .calls import alike, close
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
load_array, real_save, register_hook = np.load, torch.save, torch.nn.modules.module.register_module_forward_hook
EPOCH_NAMES = ("num_epochs", "NUM_EPOCHS", "epochs", "EPOCHS", "n_epochs", "N_EPOCHS", "num_train_epochs")
MIN_EPOCHS, MAX_EPOCHS, MAX_ORDERS, MAX_BATCHES, MAX_FILES = 5, 6, 4, 1000, 100
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".pkl", ".npz", ".model", ".tar", "")


class StandIn(float):
    """Replaces what a broken function of the student should have returned: a number that can be unpacked and indexed."""

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, _: Any) -> StandIn:
        return self


class Run:
    """Records what happens while ``main`` runs."""

    def __init__(self, world: World, namespace: dict):
        self.world, self.namespace = world, namespace
        self.epochs: list[dict[str, np.ndarray]] = []  # the weights after each epoch
        self.reported: list[float] = []  # the accuracy reported for each epoch
        self.orders: dict[str, list[list[int]]] = {"train": [], "validation": [], "test": []}
        self.saves: list[int] = []  # how many epochs had been trained at each torch.save
        self.datasets: dict[int, tuple[str, Any]] = {}  # id -> (split, dataset) from the student's own loading function
        self.called = False  # whether main calls train_one_epoch
        self.stand_ins = False  # whether to replace what the student's functions return
        self.forwards: list[tuple[bool, list[int]]] = []  # without such calls: (training mode, sentences) of each forward pass
        self.trained = namespace.get("train_one_epoch")
        self.evaluated = namespace.get("evaluate")
        self.loaded = namespace.get("initialize_datasets")

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``train_one_epoch``."""
        model, loader = _first(nn.Module, args, kwargs), _loader(args, kwargs)
        self.called = True
        self.record(loader)
        try:
            result = self.trained(*args, **kwargs)
        except Exception:
            result = StandIn(0.5)
        if model is not None:
            self.mark(model)
        return StandIn(0.5) if self.stand_ins else result

    def mark(self, model: Any) -> None:
        """Make this epoch's weights unique, and record them."""
        with no_grad():
            list(model.parameters())[-1].add_(0.001 * (len(self.epochs) + 1))
        self.epochs.append(weights(model))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``evaluate``: reports the world's next accuracy for the validation set, and the student's own for any other."""
        split, model = self.record(_loader(args, kwargs)), _first(nn.Module, args, kwargs)
        recorder = Recorder(self.world, model) if model is not None else None
        state = {name: clone(value) for name, value in model.state_dict().items()} if model is not None else {}
        try:
            result = self.evaluated(*args, **kwargs)
        except Exception:
            result = StandIn(0.5)
        finally:
            if recorder is not None:
                recorder.end()
                model.load_state_dict(state)  # an evaluate that trains costs 3.evaluate, not 3.main
        result = StandIn(0.5) if self.stand_ins else result
        if split != "validation" or not self.epochs:
            return result
        scores = self.world.given["scores"]
        score = scores[min(len(self.epochs), len(scores)) - 1]
        self.reported += [score] * (len(self.epochs) - len(self.reported))
        return self.with_accuracy(result, score, self.accuracy(recorder.predicted if recorder is not None else {}))

    def accuracy(self, predicted: dict[int, int]) -> float:
        """The share of validation sentences that these predictions get right; -1 if there are none."""
        rows, start = self.world.rows["validation"], self.world.start("validation")
        return (
            sum(predicted.get(start + n, -1) == row["label"] for n, row in enumerate(rows)) / len(rows) if predicted else -1.0
        )

    def with_accuracy(self, result: Any, score: float, actual: float) -> Any:
        """The student's result with its accuracy replaced by ``score``; ``actual`` identifies it among several numbers."""
        if isinstance(result, StandIn):
            return StandIn(score)
        if isinstance(result, (tuple, list)) and result:
            place = next((n for n, value in enumerate(result) if close(value, actual)), 0)
            return alike(result, [*result[:place], self.with_accuracy(result[place], score, actual), *result[place + 1 :]])
        if isinstance(result, dict):
            return {
                key: self.with_accuracy(value, score, actual) if "acc" in str(key) else value for key, value in result.items()
            }
        score = 100 * score if close(result, 100 * actual) and not close(result, actual) else score
        return tensor(score) if is_tensor(result) else score

    def record(self, loader: Any) -> str:
        """Record in which order a loader yields its data; returns the split, or '' if it is unknown."""
        loader = getattr(loader, "iterable", loader)  # tqdm keeps what it wraps there
        dataset, places = unwrapped(getattr(loader, "dataset", None))
        split, _ = self.datasets.get(id(dataset), ("", None))
        if not split or getattr(loader, "batch_sampler", None) is None:
            return self.record_by_content(loader)
        if len(self.orders[split]) < MAX_ORDERS:
            drawn = [int(index) for batch in itertools.islice(loader.batch_sampler, MAX_BATCHES) for index in batch]
            self.orders[split].append(drawn if places is None else [places[index] for index in drawn])
        return split

    def record_by_content(self, loader: Any) -> str:
        """Like ``record``, by the sentences that the loader yields: most of them have to belong to the split."""
        numbers = self.numbers_of_items(loader)
        if not set(numbers) - {-1}:
            numbers = self.numbers_of_batches(loader)
        for split, orders in self.orders.items():
            start = self.world.start(split)
            inside = [n - start for n in numbers if start <= n < start + len(self.world.rows[split])]
            if inside and len(inside) * 2 > len(numbers):
                if len(orders) < MAX_ORDERS:
                    orders.append(inside)
                return split
        return ""

    def numbers_of_items(self, loader: Any) -> list[int]:
        """The sentences of one pass by number (-1: unknown), from the texts of the dataset's items; [] if that fails."""
        if not isinstance(loader, DataLoader) or loader.batch_sampler is None:
            return []
        numbers = {row["text"]: n for n, row in enumerate(row for rows in self.world.rows.values() for row in rows)}
        try:
            items = [loader.dataset[index] for batch in loader.batch_sampler for index in batch]
            return [numbers.get(_text(item), -1) for item in items]
        except Exception:
            return []

    def numbers_of_batches(self, loader: Any) -> list[int]:
        """The sentences of one pass by number (-1: unknown), from the token ids in its batches; [] if that fails."""
        known = self.world.known_ids()
        try:
            return [number for batch in loader for number in _rows(batch, known)]
        except Exception:
            return []

    def forward(self, module: Any, args: tuple, output: Any) -> None:
        """Hook on every module: traces the word embeddings used by a ``main`` that has its own training loop."""
        if (
            not self.called
            and isinstance(module, Embedding)
            and module.num_embeddings == self.world.size
            and is_tensor(args[0])
            and args[0].ndim == 2
        ):
            before = self.forwards[-1][0] if self.forwards else False
            self.forwards.append((bool(module.training), self.world.indices(args[0])))
            if before and not module.training and self.world.models:
                self.epochs.append(weights(self.world.models[-1]))

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``initialize_datasets``: remembers which dataset is which."""
        splits = self.loaded(*args, **kwargs)
        if isinstance(splits, dict):
            self.datasets |= {id(dataset): (split, dataset) for split, dataset in splits.items() if split in self.orders}
        return splits

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``torch.save``."""
        self.saves.append(len(self.epochs))
        return real_save(*args, **kwargs)


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The orders of the splits, the accuracies reported, and for each file left on disk the epoch whose weights it holds.

    If ``main`` fails, it runs a second time with stand-ins for what the student's other functions return.
    """
    try:
        return watched(Run(world, namespace), namespace)
    except Exception as error:
        world.reset()
        run = Run(world, namespace)
        run.stand_ins = True
        try:
            return watched(run, namespace)
        except Exception:
            raise error from None


def watched(run: Run, namespace: dict) -> dict:
    """Run ``main`` once; whatever path it writes to, its files go to a temporary folder."""
    before = dict(namespace)
    wrappers = {"train_one_epoch": run.train, "evaluate": run.evaluate, "initialize_datasets": run.load}
    wrapped = {name: wrapper for name, wrapper in wrappers.items() if callable(namespace.get(name))}
    for name in EPOCH_NAMES:
        if type(namespace.get(name)) is int:
            namespace[name] = min(max(namespace[name], MIN_EPOCHS), MAX_EPOCHS)
    namespace.update(wrapped)
    hook, torch.save = register_hook(run.forward), run.save
    with redirected(namespace, chdir=True) as folder:
        try:
            namespace["main"]()
        finally:
            hook.remove()
            torch.save = real_save
            namespace.update({name: before[name] for name in before if name in wrapped or name in EPOCH_NAMES})
        files = saved_files(Path(folder), run.epochs)
    if not run.reported:
        record_own_loop(run)
    return {"reported": run.reported, "epochs": len(run.epochs), "orders": run.orders, "files": files, "saves": run.saves[:200]}


def record_own_loop(run: Run) -> None:
    """Record the orders in which the models of a ``main`` with its own training loop saw the data."""
    for split, numbers in passes_of(run):
        if split and len(run.orders[split]) < MAX_ORDERS:
            run.orders[split].append([n - run.world.start(split) for n in numbers])


def passes_of(run: Run) -> list[tuple[str, list[int]]]:
    """The forward passes combined into passes over a split ('' if unknown): (split, its sentences' numbers)."""
    split_of = {run.world.start(split) + n: split for split, rows in run.world.rows.items() for n in range(len(rows))}
    passes: list[tuple[str, list[int]]] = []
    for _, numbers in run.forwards:
        split = next((split_of[n] for n in numbers if n in split_of), "")
        if not passes or passes[-1][0] != split or len(passes[-1][1]) >= len(run.world.rows.get(split, ())):
            passes.append((split, []))
        passes[-1][1].extend(numbers)
    return passes


def saved_files(folder: Path, epochs: list[dict[str, np.ndarray]]) -> list[dict]:
    """The checkpoint files below a folder, oldest first; see ``epoch_of``. Any suffix will do for a file with weights."""
    paths = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.stat().st_mtime_ns)
    files = [(path, epoch_of(path, epochs)) for path in paths[:MAX_FILES]]
    return [{"epoch": epoch} for path, epoch in files if path.suffix in SUFFIXES or epoch > -2]


def epoch_of(path: Path, epochs: list[dict[str, np.ndarray]]) -> int:
    """The epoch whose weights a file holds, from 0; -1: of none, -2: it cannot be loaded, -3: it holds no weights."""
    try:
        content = content_of(path)
    except Exception:
        return -2
    state = parameters_in(content)
    if not state:
        return -3
    for number, epoch in enumerate(epochs):
        if all(name in epoch and np.array_equal(epoch[name], value) for name, value in state.items()):
            return number
    return -1


def content_of(path: Path) -> Any:
    """What a file of torch, safetensors, numpy or pickle holds; raises an exception for any other."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    try:
        return load(path, map_location="cpu", weights_only=False)
    except Exception:
        content = load_array(path, allow_pickle=True)
    if isinstance(content, np.ndarray):
        return content.item() if content.shape == () else content
    return dict(content) if isinstance(content, np.lib.npyio.NpzFile) else content


def parameters_in(content: Any, depth: int = 0) -> dict[str, np.ndarray]:
    """The parameters in a checkpoint, even if they are nested in a few dictionaries."""
    if isinstance(content, nn.Module):
        return weights(content)
    if not isinstance(content, dict) or depth > 3:
        return {}
    own = {str(name): array.ravel() for name, value in content.items() if (array := array_of(value)).dtype.kind == "f"}
    return own or next((inner for inner in (parameters_in(value, depth + 1) for value in content.values()) if inner), {})


def array_of(value: Any) -> np.ndarray:
    """A tensor or an array as an array; an empty one of bytes for anything else."""
    if is_tensor(value):
        return value.detach().cpu().numpy()
    return value if isinstance(value, np.ndarray) else np.zeros(0, "S1")


def unwrapped(dataset: Any) -> tuple[Any, list[int] | None]:
    """The dataset inside nested ``Subset``s, and its index for each of the outermost one's (None: the same)."""
    places = None
    while isinstance(dataset, Subset):
        inner = [int(index) for index in dataset.indices]
        dataset, places = dataset.dataset, inner if places is None else [inner[n] for n in places]
    return dataset, places


def _first(kind: type, args: tuple, kwargs: dict) -> Any:
    return next((value for value in (*args, *kwargs.values()) if isinstance(value, kind)), None)


def _loader(args: tuple, kwargs: dict) -> Any:
    values = [*args, *kwargs.values()]
    return _first(DataLoader, args, kwargs) or next(
        (v for v in values if hasattr(v, "__iter__") and not isinstance(v, (nn.Module, torch.optim.Optimizer, str, dict))), None
    )


def _text(item: Any) -> str:
    parts = item if isinstance(item, (tuple, list)) else []
    return next((text for text in (field(item, "text"), field(item, "sentence"), *parts) if isinstance(text, str)), "")


def _rows(batch: Any, known: dict) -> list[int]:
    """The sentences of a batch by number, from token ids anywhere in it."""
    if is_tensor(batch):
        return [known.get(tuple(n for n in row if n != 1), -1) for row in batch.tolist()] if batch.ndim == 2 else []
    inner = list(batch.values()) if hasattr(batch, "values") else batch if isinstance(batch, (tuple, list)) else []
    return next((rows for rows in (_rows(value, known) for value in inner) if any(n >= 0 for n in rows)), [])
