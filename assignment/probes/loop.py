"""Watches ``main`` from start to end: what is shuffled, what is evaluated, which weights are saved.

The student's ``train_one_epoch`` and ``evaluate`` are wrapped. The first marks the weights after each epoch; the second reports
an accuracy for the validation set, so that the best epoch is known. Both numbers come from the judge, one after the other (see
``rules.told``). A ``main`` that trains without calling them is watched by what its models do.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from traceback import walk_tb
from typing import Any

import torch
from torch.utils.data import default_collate
from transformers import PreTrainedModel

from autograder.checks.redirect import redirected
from autograder.checks.sealed import sealed, sealed_class

from .calls import alike, close
from .checkpoints import saved_files, without_tokenizer
from .entry import call_main, few_epochs, ignored
from .epochs import EPOCH_NAMES, counts_epochs, leaves_at_once, one_fewer
from .passes import Forward, Optimizer, Passes, first, loader_of
from .plain import np
from .results import leaves_unused
from .tiny import SPLITS, World
from .watch import Recorder, change_of, weights

is_tensor, tensor, float32, clone, no_grad = torch.is_tensor, torch.tensor, torch.float32, torch.Tensor.clone, torch.no_grad
Module, Embedding, real_save = torch.nn.Module, torch.nn.Embedding, torch.save
real_save_pretrained = PreTrainedModel.save_pretrained
register_hook = torch.nn.modules.module.register_module_forward_hook
MANY = {"train": 300, "validation": 150, "test": 30}  # more training sentences than any usual batch has


def of_kind(result: Any, score: float) -> Any:
    """``score`` as what the student's own result is, so that its methods are there: a tensor, an array, a number of NumPy's."""
    if is_tensor(result):
        return tensor(score).reshape(result.shape if result.numel() == 1 else ())
    if isinstance(result, np.ndarray):
        return np.full(result.shape if result.size == 1 else (), score)
    if isinstance(result, np.generic):
        return type(result)(score) if isinstance(result, np.floating) else np.float64(score)
    return score


@sealed_class
class StandIn(float):
    """Replaces what a broken function of the student should have returned: a number that can be unpacked and indexed."""

    def __iter__(self):
        return iter((self, self))

    def __getitem__(self, _: Any) -> StandIn:
        return self

    def item(self) -> float:
        return float(self)


class Run:
    """Records what happens while ``main`` runs."""

    def __init__(self, world: World, namespace: dict):
        self.world, self.namespace, self.ask = world, namespace, world.ask
        self.ask("begin")
        self.epochs: list[dict[str, np.ndarray]] = []  # the weights after each epoch
        self.passes = Passes(world)
        self.starts: list[dict] = []  # of each call of train_one_epoch: see ``started``
        self.untrained: dict[str, np.ndarray] = {}  # the weights before the first call of train_one_epoch
        self.evaluations: list[str] = []  # the type of what each call of evaluate raised
        self.evaluated_after: list[int] = []  # how many epochs had been trained at each call of evaluate
        self.optimizer: Any = None  # that was given to train_one_epoch last
        self.models: list[Any] = []  # that were given to train_one_epoch
        self.saves: list[int] = []  # how many epochs had been trained at each torch.save or save_pretrained
        self.called = False  # whether main calls train_one_epoch
        self.stand_ins = False  # whether to replace what the student's functions return
        self.was_training = False  # the mode of the last forward pass
        self.trained = namespace.get("train_one_epoch")
        self.evaluated = namespace.get("evaluate")
        self.loaded = namespace.get("initialize_datasets")

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``train_one_epoch``."""
        model, loader = first(Module, args, kwargs), loader_of(args, kwargs)
        self.called = True
        if model is not None:
            self.starts.append(self.started(model, first(Optimizer, args, kwargs)))
        self.passes.begin(training=True)
        raised = ""
        try:
            result = self.trained(*args, **kwargs)
        except Exception as error:
            result, raised = StandIn(0.5), type(error).__name__
        finally:
            self.passes.end(loader)
        if self.starts and raised:
            self.starts[-1] |= {"raised": raised, "loader": failure_of(loader, self.namespace.get("SST2Dataset"))}
        if model is not None:
            self.mark(model)
        return StandIn(0.5) if self.stand_ins else result

    def started(self, model: Any, optimizer: Any) -> dict:
        """What one call of train_one_epoch starts with.

        ``holds``: whether the optimizer holds parameters of the model (None: unknown); ``anew``: whether the model is a new,
        untrained one after others; ``again``: whether the optimizer is a new one, without what the last one had gathered;
        ``raised``: the type of what it raised; ``loader``: see ``failure_of``.
        """
        now, own = weights(model), {id(parameter) for parameter in model.parameters()}
        self.untrained = self.untrained or now
        anew = bool(self.models) and all(model is not one for one in self.models) and change_of(self.untrained, now) == 0
        self.models.append(model)
        held = None if optimizer is None else [p for group in optimizer.param_groups for p in group["params"]]
        holds = None if held is None else any(id(parameter) in own for parameter in held)
        again, self.optimizer = starts_over(self.optimizer, optimizer), optimizer
        return {"holds": holds, "anew": anew, "again": again, "raised": "", "loader": ""}

    def mark(self, model: Any) -> None:
        """Make this epoch's weights unique, by numbers of the judge's, and record them."""
        numbers, last = tensor(self.ask("epoch"), dtype=float32), list(model.parameters())[-1]
        with no_grad():
            row = last[(0,) * (last.ndim - 1)][: len(numbers)] if last.ndim else last.view(1)
            row.copy_(numbers[: len(row)])
        self.epochs.append(weights(model))

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``evaluate``: reports the world's next accuracy for the validation set, and the student's own for any other."""
        self.end_own_epoch()  # before the weights are remembered that this call must leave alone
        model = first(Module, args, kwargs)
        recorder = Recorder(self.world, model) if model is not None else None
        state = {name: clone(value) for name, value in model.state_dict().items()} if model is not None else {}
        self.passes.begin(training=False)
        self.evaluated_after.append(len(self.epochs))
        raised = ""
        try:
            result = self.evaluated(*args, **kwargs)
        except Exception as error:
            result, raised = StandIn(0.5), type(error).__name__
        finally:
            if recorder is not None:
                recorder.end()
                model.load_state_dict(state)  # an evaluate that trains costs 3.evaluate, not 3.main
            split = self.passes.end(loader_of(args, kwargs)).split
            self.evaluations.append(raised)
        result = StandIn(0.5) if self.stand_ins else result
        if split in ("train", "test") or not self.epochs:
            return result
        return self.with_accuracy(
            result, self.ask("accuracy"), self.accuracy(recorder.predicted if recorder is not None else {})
        )

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
        return of_kind(result, score)

    def forward(self, module: Any, args: tuple, output: Any) -> None:
        """Hook on every module: the word embeddings show which sentences a model sees, whatever yields them."""
        if (
            isinstance(module, Embedding)
            and module.num_embeddings == self.world.size
            and is_tensor(args[0])
            and args[0].ndim == 2
        ):
            seen = Forward(self.world.indices(args[0]), bool(module.training))
            seen.watch(output)
            self.passes.see(seen)
            if not module.training:
                self.end_own_epoch()
            self.was_training = seen.training_mode

    def end_own_epoch(self) -> None:
        """Mark the weights if main has trained them itself and now evaluates them."""
        if not self.called and self.was_training and self.world.models:
            self.was_training = False
            self.mark(self.world.models[-1])

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``initialize_datasets``: remembers which dataset is which."""
        splits = self.loaded(*args, **kwargs)
        if isinstance(splits, dict):
            self.passes.datasets |= {id(dataset): (split, dataset) for split, dataset in splits.items() if split in SPLITS}
        return splits

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Wraps ``torch.save``."""
        self.saves.append(len(self.epochs))
        return real_save(*args, **kwargs)

    def save_pretrained(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Wraps the method of every model of transformers."""
        self.saves.append(len(self.epochs))
        return real_save_pretrained(model, *args, **kwargs)


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The passes over the splits, the accuracies reported, and for each file left on disk the epoch whose weights it holds.

    A run on a few sentences is the cheapest. If it fails, or leaves open whether the training data are shuffled, ``main``
    runs again on more of them than any usual batch holds; if it fails there too, once more with stand-ins for what the
    student's other functions return.
    """
    run = Run(world, namespace)
    try:
        seen = watched(run, namespace)
        if run.passes.settled() and not all(run.evaluations or [""]):  # too few sentences for a batch may make it raise
            return seen
    except Exception:
        pass  # the run on more sentences will tell
    run = larger(world, namespace)
    try:
        return watched(run, namespace)
    except Exception as error:
        run = larger(world, namespace)
        run.stand_ins = True
        try:
            return watched(run, namespace)
        except Exception:
            raise error from None


def larger(world: World, namespace: dict) -> Run:
    world.reset()
    world.grow(MANY)
    return Run(world, namespace)


def watched(run: Run, namespace: dict) -> dict:
    """Run ``main`` once; whatever path it writes to, its files go to a temporary folder."""
    wrappers = {"train_one_epoch": run.train, "evaluate": run.evaluate, "initialize_datasets": run.load}
    wrapped = {
        name: sealed(wrapper, instead=namespace[name]) for name, wrapper in wrappers.items() if callable(namespace.get(name))
    }
    before = remembered(namespace, wrapped)
    few = {name: few_epochs(namespace[name]) for name in EPOCH_NAMES if type(namespace.get(name)) is int}
    asked = next(iter(few.values())) if len({*few.values()}) == 1 else None  # of several, nobody knows which one counts
    namespace.update(few)
    namespace.update(wrapped)
    hook, torch.save = register_hook(sealed(run.forward)), sealed(run.save, real_save)
    PreTrainedModel.save_pretrained = sealed(run.save_pretrained, real_save_pretrained)
    with redirected(namespace, apart=True) as folder:
        try:
            asked = call_main(namespace, run.world.calls.get("main", [])) or asked
        finally:
            hook.remove()
            torch.save, PreTrainedModel.save_pretrained = real_save, real_save_pretrained
            restore(namespace, before)
        files, untold = saved_files(folder, run.epochs), without_tokenizer(folder)
    if not run.epochs and any(one.backward for one in run.passes.own) and run.world.models:
        run.mark(run.world.models[-1])
    run.passes.add_own()
    return {
        "asked": asked,
        "counts_epochs": counts_epochs(namespace["main"]),
        "one_fewer": one_fewer(namespace["main"]),
        "leaves_at_once": leaves_at_once(namespace["main"], "train_one_epoch"),
        "ignored": ignored(namespace["main"]),
        "called": run.called,
        "unused": leaves_unused(namespace, "evaluate"),
        "starts": run.starts[:200],
        "evaluations": run.evaluations[:200],
        "passes": run.passes.described(),
        "files": files,
        "without_tokenizer": untold,
        "saves": run.saves[:200],
        "evaluated_after": run.evaluated_after[:200],
    }


def remembered(namespace: dict, wrapped: dict) -> dict[str, tuple[Any, Any]]:
    """Name -> (value, copy) of what a run replaces or may change, so that ``main`` can run again as if for the first time."""
    return {
        name: (value, type(value)(value) if type(value) in (list, dict) else None)
        for name, value in namespace.items()
        if name in wrapped or value is None or type(value) in (bool, int, float, str, list, dict)
    }


def restore(namespace: dict, before: dict[str, tuple[Any, Any]]) -> None:
    """Undo what one run has changed in the namespace."""
    for name, (value, content) in before.items():
        namespace[name] = value
        if type(value) is list and len(value) != len(content):
            value[:] = content
        elif type(value) is dict and name != "__builtins__":
            value.clear()
            value.update(content)


def starts_over(last: Any, optimizer: Any) -> bool:
    """Whether this is another optimizer than the last one, which had gathered something, and has nothing yet."""
    if last is None or optimizer is None or optimizer is last:
        return False
    return bool(last.state) and not optimizer.state


def failure_of(loader: Any, kind: Any) -> str:
    """Why no batch can be drawn from a loader, if that is not the fault of the dataset's own functions; '' otherwise."""
    try:
        next(iter(loader))
    except StopIteration:
        return ""
    except Exception as error:
        collate = getattr(loader, "collate_fn", None)
        own = functions_of(kind)
        frames = {frame.f_code for frame, _ in walk_tb(error.__traceback__)}
        if getattr(collate, "__func__", collate) in own or frames.intersection(function.__code__ for function in own):
            return ""
        return "no collate_fn" if collate is default_collate else type(error).__name__
    return ""


def functions_of(kind: Any) -> set[Any]:
    """The functions that a class defines or inherits, its static and class methods among them."""
    members = [value for base in getattr(kind, "__mro__", ()) for value in vars(base).values()]
    return {f for value in members if isinstance(f := getattr(value, "__func__", value), types.FunctionType)}
