"""Worker side: modules that libraries import for compiling and for clusters, loaded when something of them is used.

Importing transformers takes half as long without them, and hardly any program uses them: nothing is compiled here (see
``cpu_only``), and the cage has no network. What only speaks to the compiler does nothing, and functions that optimisers use
at each step load the real module when they are called. For those of torch itself: ``light_torch``.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from autograder.core.deferred import load, represent, when_called

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPILING = {"torch._dynamo": ("disable", "assume_constant_result", "allow_in_graph", "graph_break")}
FUNCTIONS = {
    "torch._dynamo._trace_wrapped_higher_order_op": ("TransformGetItemToIndex",),
    "scipy.optimize": ("linear_sum_assignment",),
}

CLASSES = {"torch.distributed.tensor": ("DTensor",)}  # asked for of every tensor that is saved, and there is none in the cage

# Module -> function, argument: what a library builds at the first call and keeps, which is built once for all workers.
BUILT = {"transformers.conversion_mapping": ("get_checkpoint_conversion_mapping", "")}  # 900 patterns, to save a model


class NoInstances(type):
    """The type of a class in whose place it stands: nothing is an instance of that before its module is loaded."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return False

    def __subclasscheck__(cls, subclass: type) -> bool:
        return False

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return getattr(load(cls.__module__), cls.__name__)(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        return getattr(getattr(load(cls.__module__), cls.__name__), name)


def install() -> None:
    """Represent each module that is not imported yet; torch has to be imported."""
    torch: Any = sys.modules["torch"]
    for name in {**COMPILING, **FUNCTIONS}:
        compiler = dict.fromkeys(COMPILING.get(name, ()), unchanged)
        represent(name, compiler | {function: when_called(name, function) for function in FUNCTIONS.get(name, ())})
    for name, classes in CLASSES.items():
        represent(name, {kind: NoInstances(kind, (), {"__module__": name}) for kind in classes})
    torch._dynamo = sys.modules["torch._dynamo"]


def build() -> None:
    """Let the libraries that are imported build what they would build in every worker, as far as they have it."""
    for name, (function, argument) in BUILT.items():
        known = getattr(sys.modules.get(name), function, None)
        with contextlib.suppress(Exception):
            known and known(argument)


def unchanged(function: Any = None, *_: Any, **__: Any) -> Any:
    """For decorators, with or without options, and calls that only speak to the compiler."""
    return unchanged if function is None else function


@contextlib.contextmanager
def without_clusters() -> Iterator[None]:
    """While libraries are imported: torch says that it was built without support for several machines."""
    distributed: Any = sys.modules["torch"].distributed
    real = distributed.is_available
    distributed.is_available = lambda: False
    try:
        yield
    finally:
        distributed.is_available = real
