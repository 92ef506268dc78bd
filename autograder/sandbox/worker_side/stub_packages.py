"""Worker side: packages that only show things, replaced by stand-ins that do nothing.

An answer may come from a loop that also draws a progress bar or a plot. The stand-ins import in no time, draw nothing,
and let ``for x in tqdm(xs)`` and ``fig, ax = plt.subplots()`` go on.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import sys
from typing import Any

PACKAGES = {"matplotlib", "seaborn", "plotly", "IPython", "tqdm", "wandb", "ipywidgets", "google", "altair", "bokeh"}


class Inert:
    """Answers everything with more of itself; iterates over what it was given."""

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

    def __iter__(self):
        return iter(self.held if hasattr(type(self.held), "__iter__") else ())

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, key: Any) -> Inert:
        return Inert()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes each module of these packages a bag of :class:`Inert`."""

    def find_spec(self, name: str, path: Any = None, target: Any = None):
        if name.split(".", maxsplit=1)[0] in PACKAGES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def exec_module(self, module: Any) -> None:
        inert = Inert()
        module.__getattr__ = inert.__getattr__
        module.__all__ = []


@contextlib.contextmanager
def lifted():
    """The real packages for a while: libraries of ours that are imported meanwhile keep theirs."""
    found = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in found]
    try:
        yield
    finally:
        sys.meta_path[:0] = found


def install() -> None:
    """Put the stand-ins in front of the real packages; libraries that were imported before keep theirs."""
    sys.meta_path.insert(0, Finder())
