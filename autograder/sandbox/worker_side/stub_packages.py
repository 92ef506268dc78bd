"""Worker side: packages that only display or record things, replaced by stand-ins that do nothing (see ``inert``).

An answer may come from a loop that also draws a progress bar or a plot, writes a log or checks types. The stand-ins import
instantly. What decides a result is not replaced: it is missing, and the verdict names it.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.abc
import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

from autograder.sandbox.names import FOR_STUDENTS, PACKAGES
from autograder.sandbox.worker_side import bars, one_process, settings  # noqa: F401  # they name more stand-ins
from autograder.sandbox.worker_side.callers import from_student
from autograder.sandbox.worker_side.inert import Inert, inert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec

LOGINS = ("login", "logout", "notebook_login", "interpreter_login", "whoami")  # of huggingface_hub: they need the network


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports each module of these packages as a module whose attributes are stand-ins."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = name.split(".", maxsplit=1)[0]
        inside = package in FOR_STUDENTS or ".".join(name.split(".")[:3]) in FOR_STUDENTS
        if package in PACKAGES or (inside and from_student()):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def exec_module(self, module: Any) -> None:
        def attribute(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return inert(name)

        module.__getattr__, module.__all__, module.__version__ = attribute, [], "99.0"


@contextlib.contextmanager
def uninstalled() -> Iterator[None]:
    """Make the real packages importable inside the block; libraries imported there keep using them."""
    finders = [finder for finder in sys.meta_path if isinstance(finder, Finder)]
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in finders]
    try:
        yield
    finally:
        sys.meta_path[:0] = finders
        forget()


def forget() -> None:
    """Let a student's import find the stand-in of what a library has imported; the library keeps the real one."""
    for name in [name for name in sys.modules if name.split(".", maxsplit=1)[0] in FOR_STUDENTS]:
        del sys.modules[name]
    for name in LOGINS:
        if hub := sys.modules.get("huggingface_hub"):
            setattr(hub, name, Inert())


def install() -> None:
    """Make imports find the stand-ins first; libraries imported before keep using the real packages.

    A notebook also has ``display`` and ``get_ipython`` without importing them.
    """
    sys.meta_path.insert(0, Finder())
    forget()
    for name in ("display", "get_ipython"):
        setattr(builtins, name, Inert())
