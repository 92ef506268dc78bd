"""The forms in which code hands over predictions and labels: recognised in one call, rebuilt with other classes for another.

A form is a function from a list of classes (0 or 1) to a value like the one that was recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .plain import np

tensor, is_tensor = torch.tensor, torch.is_tensor
CLASSES, SCORES, BATCHES = "class numbers", "scores of both classes", "batches of class numbers"
BATCH = 4


@dataclass
class Form:
    """``build`` makes such a value of a list of classes; ``classes`` are those in the value that was recognised."""

    kind: str
    classes: list[int]
    build: Callable[[list[int]], Any]


def form_of(value: Any) -> Form | None:
    """The form of a tensor, an array or a list that holds one class, or one score for each class, per sentence."""
    if is_tensor(value):
        inner, dtype = _form_of_array(value.detach().cpu().float().numpy()), value.dtype
        return inner and Form(inner.kind, inner.classes, lambda classes: tensor(inner.build(classes)).to(dtype))
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        inner, kind = _form_of_array(value.astype(np.float64)), value.dtype
        return inner and Form(inner.kind, inner.classes, lambda classes: inner.build(classes).astype(kind))
    if isinstance(value, (list, tuple)) and value:
        return _form_of_list(value)
    return None


def count_of(value: Any) -> int:
    """How many sentences a tensor, an array, or a list of numbers, of rows or of batches is about; -1 if that is not known."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        return len(value) if value.ndim else -1
    if not isinstance(value, (list, tuple)) or not value:
        return -1
    if all(_is_number(one) or _is_row_of_scores(one) for one in value):
        return len(value)
    inner = [count_of(one) for one in value]
    return -1 if -1 in inner else sum(inner)


def _form_of_array(array: np.ndarray) -> Form | None:
    """An array of classes, flat or as a column or row, or of scores, which include one-hot rows."""
    if array.ndim == 2 and array.shape[1] == 2 and not (set(array.ravel()) <= {0, 1} and not (array.sum(1) == 1).all()):
        return Form(SCORES, array.argmax(1).tolist(), _one_hot if set(array.ravel()) <= {0, 1} else _scores)
    if array.ndim in (1, 2) and array.size in array.shape and set(array.ravel()) <= {0, 1}:
        shape = (-1,) if array.ndim == 1 else (-1, 1) if array.shape[1] == 1 else (1, -1)
        return Form(CLASSES, array.ravel().astype(int).tolist(), lambda classes: np.array(classes, np.float32).reshape(shape))
    return None


def _form_of_list(values: Any) -> Form | None:
    """A list of single classes, of the scores of each sentence, or of batches of either."""
    kind = type(values)
    if all(_is_number(value) for value in values):
        if not {float(value) for value in values} <= {0, 1}:
            return None
        return Form(CLASSES, [int(value) for value in values], lambda new: kind(_number_like(values[0], one) for one in new))
    if all(_is_row_of_scores(value) for value in values):
        rows = np.array([_plain(value) for value in values])
        return Form(SCORES, rows.argmax(1).tolist(), lambda new: kind(_like(values[0], row) for row in _scores(new)))
    return _form_of_batches(values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, np.number)) or (is_tensor(value) and value.ndim == 0)


def _number_like(value: Any, one: int) -> Any:
    """A class as a number or tensor of the same type as this one."""
    return tensor(one, dtype=value.dtype) if is_tensor(value) else type(value)(one)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _form_of_batches(values: Any) -> Form | None:
    forms = [form_of(value) for value in values]
    if any(form is None for form in forms) or len({form.kind for form in forms}) > 1:
        return None
    build = forms[0].build
    return Form(
        BATCHES if forms[0].kind == CLASSES else forms[0].kind,
        [one for form in forms for one in form.classes],
        lambda new: type(values)(build(new[n : n + BATCH]) for n in range(0, len(new), BATCH)),
    )


def _is_row_of_scores(value: Any) -> bool:
    """Whether these are two scores, and not the classes of a batch of two."""
    flat = _plain(value)
    return isinstance(flat, (list, tuple)) and len(flat) == 2 and any(isinstance(x, float) and x not in (0, 1) for x in flat)


def _like(value: Any, row: np.ndarray) -> Any:
    """A row of scores as a value of the same type as this one."""
    if is_tensor(value):
        return tensor(row).to(value.dtype)
    return row if isinstance(value, np.ndarray) else type(value)(row.tolist())


def _scores(classes: list[int]) -> np.ndarray:
    """Scores of both classes, of which the larger one names the class."""
    return np.array([[0.3, 2.0 + n] if one else [1.5 + n, -0.2] for n, one in enumerate(classes)], np.float32)


def _one_hot(classes: list[int]) -> np.ndarray:
    return np.eye(2, dtype=np.float32)[classes]


@dataclass
class Use:
    """How a caller passes predictions and labels: the forms of both, and how to make the arguments of a call from them.

    ``predictions`` and ``labels`` are positions among ``args`` or names among ``kwargs``.
    """

    args: tuple
    kwargs: dict
    predictions: int | str
    labels: int | str
    forms: dict[int | str, Form]

    @property
    def kind(self) -> str:
        return self.forms[self.predictions].kind

    def arguments(self, predicted: list[int], labels: list[int]) -> tuple[list, dict]:
        """The arguments of the same call, about other predictions and labels."""
        new = {self.predictions: predicted, self.labels: labels}
        values = {key: self.forms[key].build(list(classes)) for key, classes in new.items()}
        return [values.get(n, a) for n, a in enumerate(self.args)], {k: values.get(k, v) for k, v in self.kwargs.items()}


def use_of(args: tuple, kwargs: dict, is_labels: Callable[[list[int]], bool]) -> Use | None:
    """What a call passes; None if it is not one prediction and one label for each sentence.

    Labels known as such are found in either place; otherwise predictions come first, unless only the other ones are scores.
    """
    given: dict[int | str, Any] = {**dict(enumerate(args)), **kwargs}
    forms = {key: form for key, value in given.items() if (form := form_of(value)) is not None}
    keys = list(forms)[:2]
    if len(keys) < 2 or len(forms[keys[0]].classes) != len(forms[keys[1]].classes):
        return None
    first, second = (forms[key] for key in keys)
    swapped = second.kind == SCORES if first.kind != second.kind else is_labels(first.classes) and not is_labels(second.classes)
    predictions, labels = keys[::-1] if swapped else keys
    return Use(args, kwargs, predictions, labels, {key: forms[key] for key in keys})
