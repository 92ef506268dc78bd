"""Calls ``main`` as the student's own code does: with its arguments, as far as they can be evaluated; otherwise by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy
from inspect import BoundArguments, signature
from typing import Any

from autograder.checks.sealed import sealed

from .calls import EXTRA_ARGUMENTS
from .epochs import EPOCH_NAMES, code_of, names_read

MIN_EPOCHS, MAX_EPOCHS = 5, 6
# What main may ask for, if neither its callers nor the notebook have a value.
USUAL: dict[str, Callable[[], Any]] = {
    "batch_size": lambda: 64,
    "bs": lambda: 64,
    "learning_rate": lambda: 5e-5,
    "lr": lambda: 5e-5,
    "weight_decay": lambda: 0.01,
    "eps": lambda: 1e-8,
    "seed": lambda: 64,
    "model_name": lambda: "roberta-base",
    "dataset_name": lambda: "gpt3mix/sst2",
    "checkpoint": lambda: "./checkpoints",
    **{name: lambda: 20 for name in EPOCH_NAMES},
}


def few_epochs(number: int) -> int:
    return min(max(number, MIN_EPOCHS), MAX_EPOCHS)


def call_main(namespace: dict, calls: list[tuple[str, str]]) -> int | None:
    """Call ``main``; returns the number of epochs that it was asked for in an argument, or None.

    ``calls``: pairs of source: statements that come before a call in its own block, and the call.
    """
    main, argv = namespace["main"], sys.argv
    sys.argv = ["main.py"]  # in a notebook it has the kernel's arguments, for which an argparse would end main
    try:
        args, kwargs = arguments(main, namespace, calls)
        asked = [few_epochs(given) for given in _epochs_in(main, args, kwargs)]
        args, kwargs = _with_few_epochs(main, args, kwargs)
        main(*args, **kwargs)
    finally:
        sys.argv = argv
    return asked[0] if asked else None


def arguments(main: Any, namespace: dict, calls: list[tuple[str, str]]) -> tuple[tuple, dict]:
    """The arguments of the first call that can be evaluated and fits; otherwise what the signature requires."""
    for before, call in calls:
        caught: list[tuple[tuple, dict]] = []
        scope = {**namespace, "main": sealed(lambda *args, **kwargs: caught.append((args, kwargs)))}  # noqa: B023 - used at once
        try:
            exec(before, scope)
            eval(call, scope)
            signature(main).bind(*caught[0][0], **caught[0][1])
            return caught[0]
        except Exception:
            continue
    return (), _required(main, namespace)


def _required(main: Any, namespace: dict) -> dict[str, Any]:
    """Values for parameters without a default, by their names."""
    try:
        parameters = list(signature(main).parameters.values())
    except (TypeError, ValueError):
        return {}
    usual, values = EXTRA_ARGUMENTS | USUAL, {}
    for one in parameters:
        if one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            continue
        if one.name in namespace:
            values[one.name] = namespace[one.name]
        elif one.name in usual:
            values[one.name] = usual[one.name]()
    return values


def ignored(main: Any) -> list[str]:
    """The parameters for epochs and batch size that ``main`` never reads."""
    code = code_of(main)
    if code is None:
        return []
    read = names_read(code)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return [name for name in names if name in (*EPOCH_NAMES, "batch_size") and name not in read]


def _epochs_in(main: Any, args: tuple, kwargs: dict) -> list[int]:
    """The numbers of epochs among the arguments and defaults."""
    bound = _bound(main, args, kwargs)
    return [] if bound is None else [v for name, v in bound.arguments.items() if name in EPOCH_NAMES and type(v) is int]


def _with_few_epochs(main: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The same arguments with few epochs, also in a namespace or dictionary of settings; the student's own are left alone."""
    bound = _bound(main, args, kwargs)
    if bound is None:
        return args, kwargs
    for name, value in bound.arguments.items():
        if name in EPOCH_NAMES and type(value) is int:
            bound.arguments[name] = few_epochs(value)
        elif isinstance(value, dict):
            bound.arguments[name] = {k: few_epochs(v) if k in EPOCH_NAMES and type(v) is int else v for k, v in value.items()}
        elif any(type(getattr(value, known, None)) is int for known in EPOCH_NAMES):
            bound.arguments[name] = _settings(value)
    return bound.args, bound.kwargs


def _settings(value: Any) -> Any:
    try:
        changed = copy(value)
        for known in EPOCH_NAMES:
            if type(getattr(changed, known, None)) is int:
                setattr(changed, known, few_epochs(getattr(changed, known)))
    except Exception:
        return value  # it cannot be copied or changed
    return changed


def _bound(main: Any, args: tuple, kwargs: dict) -> BoundArguments | None:
    try:
        bound = signature(main).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return None
    bound.apply_defaults()
    return bound
