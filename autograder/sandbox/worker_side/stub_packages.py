"""Worker side: packages that only display things, replaced by stand-ins that do nothing.

An answer may come from a loop that also draws a progress bar or a plot. The stand-ins import instantly, draw nothing,
and let ``for x in tqdm(xs)`` and ``fig, ax = plt.subplots()`` work.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec

PACKAGES = {"matplotlib", "seaborn", "plotly", "IPython", "tqdm", "wandb", "ipywidgets", "google", "altair", "bokeh"}


class Inert:
    """Returns another of its kind for every attribute, call and item; iterates over what it was called with."""

    def __init__(self, held: Any = ()):
        self.__dict__["held"] = held

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return (lambda *_, **__: (Inert(), Inert())) if name == "subplots" else Inert()

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Inert:
        first = args[0] if args else ()
        return Inert(range(*args) if args and all(type(a) is int for a in args) else first)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.held if hasattr(type(self.held), "__iter__") else ())

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, key: Any) -> Inert:
        return Inert()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports each module of these packages as a module whose attributes are :class:`Inert`."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.split(".", maxsplit=1)[0] in PACKAGES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def exec_module(self, module: Any) -> None:
        inert = Inert()
        module.__getattr__ = inert.__getattr__
        module.__all__ = []


@contextlib.contextmanager
def uninstalled() -> Iterator[None]:
    """Make the real packages importable inside the block; libraries imported there keep using them."""
    finders = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in finders]
    try:
        yield
    finally:
        sys.meta_path[:0] = finders


def install() -> None:
    """Make imports find the stand-ins first; libraries imported before keep using the real packages."""
    sys.meta_path.insert(0, Finder())
