"""Watches ``evaluate`` on a model left in training mode; the last batch is smaller than the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import DataLoader, Subset

from autograder.checks.sealed import sealed

from .calls import call_adapted
from .causes import explained
from .epochs import code_of, names_read
from .forms import SCORES, count_of, form_of, use_of
from .plain import np
from .tiny import World
from .training import RATE, SGD, Drawn, combinations, first_success, schedulers
from .watch import Recorder, change_of, weights

BATCH = 4
SWITCHES = {"set_grad_enabled", "enable_grad", "requires_grad", "requires_grad_"}
set_seed = torch.manual_seed


class Enough(BaseException):
    """Ends ``evaluate`` at its first call of ``compute_accuracy``; not an Exception, so that it passes through handlers."""


def uses(world: World, namespace: dict, plain: Callable) -> dict:
    """Find out what ``evaluate`` passes to ``compute_accuracy``, for ``accuracy.observe``; nothing if it never calls it."""
    world.used = None
    own = namespace.get("compute_accuracy")
    if not callable(namespace.get("evaluate")) or not callable(own):
        return {}
    labels = [row["label"] for row in world.rows["validation"]]

    def recorded(*args: Any, **kwargs: Any) -> None:
        world.used = use_of(args, kwargs, lambda classes: classes == labels[: len(classes)])
        raise Enough

    namespace["compute_accuracy"] = sealed(recorded, instead=own)
    try:
        first_success(combinations(world, namespace, "validation", BATCH, lambda *given: call(namespace, *given)))
    except (Enough, Exception):
        pass
    finally:
        namespace["compute_accuracy"] = own
    return {}


def call(namespace: dict, model: Any, loader: DataLoader) -> dict:
    set_seed(0)
    call_adapted(namespace["evaluate"], model, loader)
    return {}


@dataclass
class Passed:
    """What the first call of ``compute_accuracy`` gets.

    ``counts``: how many predictions and labels, [] if that is not known; ``classes``: those of both, [] if these are not
    known; ``scores``: whether the labels are, and stand beside something else that is no class numbers.
    """

    calls: int = 0  # of compute_accuracy, in all
    counts: list[int] = field(default_factory=list)
    classes: list[list[int]] = field(default_factory=list)
    scores: bool = False

    def see(self, args: tuple, kwargs: dict, labels: list[int]) -> None:
        """Take over what a call passes; ``labels``: those of all sentences."""
        given = [*args, *kwargs.values()][:2]
        found = [count_of(value) for value in given]
        if len(found) != 2 or -1 in found:
            return
        self.counts = found
        use = use_of(args, kwargs, lambda classes: classes == labels[: len(classes)])
        if use is not None and use.kind != SCORES:
            self.classes = [use.forms[key].classes for key in (use.predictions, use.labels)]
        known = [form.classes for form in map(form_of, given) if form is not None]
        self.scores = use is None and found[0] == found[1] and known == [labels[: found[0]]]


@contextmanager
def noted(world: World, namespace: dict, passed: Passed) -> Iterator[None]:
    """Meanwhile, what the first call of ``compute_accuracy`` gets is noted in ``passed``."""
    own = namespace.get("compute_accuracy")

    def called(*args: Any, **kwargs: Any) -> Any:
        passed.calls += 1
        if not passed.counts:
            passed.see(args, kwargs, [row["label"] for row in world.rows["validation"]])
        return own(*args, **kwargs)

    if callable(own):
        namespace["compute_accuracy"] = sealed(called, instead=own)
    try:
        yield
    finally:
        if callable(own):
            namespace["compute_accuracy"] = own


def bare(result: Any) -> Any:
    """The result with plain floats for those of a derived class, such as the ones that our compute_accuracy returns."""
    if isinstance(result, (tuple, list)):
        return [bare(value) for value in result]
    return float(result) if isinstance(result, float) and not isinstance(result, np.generic) else result


def later(namespace: dict, model: Any, loader: DataLoader, count: int) -> Any:
    """What a later call returns, on the first ``count`` sentences; None if it returns nothing or cannot work with them."""
    some = Subset(loader.dataset, range(count))
    try:
        return call_adapted(namespace["evaluate"], model, DataLoader(some, BATCH, collate_fn=loader.collate_fn))
    except Exception:
        return None


def without_last(loader: DataLoader) -> DataLoader:
    """The same batches without the last sentence, which is alone in its own."""
    rest = Subset(loader.dataset, range(len(loader.dataset) - 1))
    return DataLoader(rest, BATCH, sampler=Drawn(rest), collate_fn=loader.collate_fn)


def left_off(namespace: dict, model: Any, loader: DataLoader, gradients: bool, learning: list[Any]) -> str:
    """What ``evaluate`` leaves switched off so that the student's own training fails: "gradients", "parameters" or ''.

    ``gradients``: whether they are on after it; ``learning``: the parameters that had some before it.
    """
    off = [parameter for parameter in learning if not parameter.requires_grad]
    main = code_of(namespace.get("main"))
    if (gradients and not off) or (main is not None and not SWITCHES.isdisjoint(names_read(main))):
        return ""
    if trains(namespace, model, loader, gradients):
        return ""
    for parameter in off:
        parameter.requires_grad_(True)
    if not trains(namespace, model, loader, True):
        return ""  # it is training that is wrong
    return "parameters" if gradients else "gradients"


def trains(namespace: dict, model: Any, loader: DataLoader, gradients: bool) -> bool:
    """Whether the student's ``train_one_epoch`` changes the weights, with gradients switched on or off when it is called."""
    before, optimizer = weights(model), SGD(model.parameters(), lr=RATE)
    torch.set_grad_enabled(gradients)
    try:
        call_adapted(namespace["train_one_epoch"], model, loader, optimizer, 0, **schedulers(optimizer))
    except Exception:
        return False
    finally:
        torch.set_grad_enabled(True)
    return change_of(before, weights(model)) > 0


def observe(world: World, namespace: dict, plain: Callable) -> dict:
    """The result, modes, graphs, what is switched off afterwards, predicted classes, and how far the weights moved.

    ``alone``: what it raises where a sentence is alone in its batch, '' if nothing; the rest is then seen without that one.
    """

    def look(model: Any, loader: DataLoader) -> dict:
        set_seed(0)
        recorder, before = Recorder(world, model.train()), weights(model)
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        passed, result = Passed(), None
        try:
            with noted(world, namespace, passed):
                result = call_adapted(namespace["evaluate"], model, loader)
        except Exception as error:
            if not passed.counts or passed.counts[0] == passed.counts[1]:
                raise explained(error, recorder) from None
        finally:
            recorder.end()
            gradients = torch.is_grad_enabled()
            torch.set_grad_enabled(True)
        # If anything is kept from one call to the next, this is where it shows; but what is right for all of the sentences may
        # also be wrong for some.
        again, everything = (later(namespace, model, loader, count) for count in (BATCH + 1, len(loader.dataset)))
        start = world.start("validation")
        predicted = [recorder.predicted.get(start + n, -1) for n in range(len(world.rows["validation"]))]
        moved = change_of(before, weights(model))
        return {
            "result": plain(bare(result)),
            "again": plain(bare(again)),
            "everything": plain(bare(everything)),
            "modes": recorder.modes,
            "graphs": recorder.graphs,
            "predicted": predicted,
            "weights_changed": moved,
            "calls": min(passed.calls, 2),
            "counts": passed.counts,
            "passed": passed.classes,
            "scores": passed.scores,
            "drawn": loader.sampler.used,
            "unmasked": recorder.unmasked,
            "gradients": gradients,
            "left_off": left_off(namespace, model, loader, gradients, learning),
            "alone": "",
        }

    return seen(world, namespace, look)


def seen(world: World, namespace: dict, look: Callable) -> dict:
    """What a look shows; without the last sentence, which is alone in its batch, if it raises an exception with that one."""
    try:
        return first_success(combinations(world, namespace, "validation", BATCH, look))
    except Exception as error:
        try:
            shorter = sealed(lambda model, loader: look(model, without_last(loader)))
            return first_success(combinations(world, namespace, "validation", BATCH, shorter)) | {"alone": type(error).__name__}
        except Exception:
            raise error from None
