"""Worker side: modules that libraries import for compiling and for clusters, loaded when something of them is used.

Importing transformers takes half as long without them, and hardly any program uses them: nothing is compiled here (see
``cpu_only``), and the cage has no network. Each is represented by a module that loads the real one as soon as anything is
asked of it, except for the names below, which libraries use at import and optimisers at each step: what only speaks to the
compiler does nothing, and functions load the real one when they are called.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.machinery import ModuleSpec

COMPILING = {"torch._dynamo": ("disable", "assume_constant_result", "allow_in_graph", "graph_break")}
FUNCTIONS = {
    "torch._dynamo._trace_wrapped_higher_order_op": ("TransformGetItemToIndex",),
    "scipy.optimize": ("linear_sum_assignment",),
}


class Deferred(types.ModuleType):
    """Stands in ``sys.modules`` for a module, which replaces it there as soon as any other attribute is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # the import system asks every module for these
        return getattr(load(self.__name__), name)


class Below(importlib.abc.MetaPathFinder):
    """Finds what lies in a deferred package, which is loaded before anything in it, as everywhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = name.rpartition(".")[0]
        if not isinstance(sys.modules.get(package), Deferred):
            return None
        load(package)
        module = sys.modules.get(name)
        return importlib.util.spec_from_loader(name, Loaded(module)) if module else importlib.util.find_spec(name)


class Loaded(importlib.abc.Loader):
    """For a module that its package has already imported."""

    def __init__(self, module: types.ModuleType):
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self.spec


def load(name: str) -> Any:
    """The real module; it and the real ones below it replace their stand-ins."""
    for module in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        if isinstance(sys.modules[module], Deferred):
            del sys.modules[module]
    return importlib.import_module(name)


def install() -> None:
    """Represent each module that is not imported yet; torch has to be imported."""
    torch: Any = sys.modules["torch"]
    for name in {**COMPILING, **FUNCTIONS}:
        if name not in sys.modules:
            module = sys.modules[name] = Deferred(name)
            vars(module)["__path__"] = []  # so that what lies in it is looked for, and found by Below
            vars(module).update(dict.fromkeys(COMPILING.get(name, ()), unchanged))
            vars(module).update({function: when_called(name, function) for function in FUNCTIONS.get(name, ())})
    torch._dynamo = sys.modules["torch._dynamo"]
    sys.meta_path.insert(0, Below())


def unchanged(function: Any = None, *_: Any, **__: Any) -> Any:
    """For decorators, with or without options, and calls that only speak to the compiler."""
    return unchanged if function is None else function


def when_called(module: str, name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return getattr(load(module), name)(*args, **kwargs)

    return function


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
