"""Modules that are loaded when something of them is used: until then each is represented in ``sys.modules``.

Libraries import much at their start that hardly any program asks for. A stand-in loads the real module, which replaces it, as
soon as anything is asked of it, except for the names that it is given: what is wanted at import already.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import types
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from autograder.checks.sealed import sealed_class

if TYPE_CHECKING:
    from collections.abc import Callable

# How to load those that are not loaded one by one: called once, with the stand-ins still there.
LOADERS: dict[str, Callable[[], None]] = {}


@sealed_class
class Deferred(types.ModuleType):
    """Stands in for a module, which replaces it in ``sys.modules`` as soon as any other attribute is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)  # the import system asks every module for these
        return getattr(load(self.__name__), name)

    def __dir__(self) -> list[str]:
        return dir(load(self.__name__))


@sealed_class
class Below(importlib.abc.MetaPathFinder):
    """Finds what lies in a deferred package, which is loaded before anything in it, as everywhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = name.rpartition(".")[0]
        if not isinstance(sys.modules.get(package), Deferred):
            return None
        load(package)
        module = sys.modules.pop(name, None)  # otherwise the import system would run it again; it puts it back
        return importlib.util.spec_from_loader(name, Loaded(module)) if module else importlib.util.find_spec(name)


class Loaded(importlib.abc.Loader):
    """For a module that its package has already imported."""

    def __init__(self, module: types.ModuleType):
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self.spec


def represent(name: str, given: dict[str, Any] | None = None) -> None:
    """Represent a module that is not imported yet; ``given``: attributes for which it is not loaded."""
    if name in sys.modules:
        return
    module = sys.modules[name] = Deferred(name)
    module.__spec__ = ModuleSpec(name, None)  # so that libraries that look for it see that it is there
    vars(module)["__path__"] = []  # so that what lies in it is looked for, and found by Below
    vars(module).update(given or {})
    if not any(isinstance(finder, Below) for finder in sys.meta_path):
        sys.meta_path.insert(0, Below())


def load(name: str) -> Any:
    """The real module; it and the real ones below it replace their stand-ins."""
    if name in LOADERS:
        LOADERS[name]()
    remove(name)
    return importlib.import_module(name)


def remove(name: str) -> None:
    """Remove the stand-ins of a module and of what lies below it, so that the next import loads them."""
    for module in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        if isinstance(sys.modules[module], Deferred):
            del sys.modules[module]


def when_called(module: str, name: str) -> Callable[..., Any]:
    """A function that a stand-in is given: calls that of the real module."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return getattr(load(module), name)(*args, **kwargs)

    return function
