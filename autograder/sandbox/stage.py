"""Set up an assignment's probes beside student code, in workers, and beside the solutions, in the bake.

Workers cannot read our folders, so the sources are sent with the program and imported from memory: under a name that nobody
can guess, which ``sys.modules`` forgets again, and with built-in functions of their own, which student code cannot replace.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.util
import secrets
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec


COMPILED: dict[str, types.CodeType] = {}  # source -> code, in a process that workers are forked from, and in them until used


def compile_ahead(sources: Iterable[str]) -> None:
    """Compile what every worker that is forked from this process imports."""
    COMPILED.update((source, code_of(source, "<ahead>")) for source in sources)


def code_of(source: str, file: str) -> types.CodeType:
    """The code of a module, which names this file in tracebacks."""
    known = COMPILED.get(source)
    return compile(source, file, "exec") if known is None else _of_file(known, file)


def _of_file(code: types.CodeType, file: str) -> types.CodeType:
    inner = (_of_file(part, file) if isinstance(part, types.CodeType) else part for part in code.co_consts)
    return code.replace(co_filename=file, co_consts=tuple(inner))


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports Python modules from memory: those that a submission brought along, and the probes.

    Appended to ``sys.meta_path``, so that they cannot shadow the standard library or our own modules.
    """

    def __init__(self, sources: dict[str, str]):
        self.sources = sources

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        package = f"{name}.__init__" in self.sources or any(key.startswith(name + ".") for key in self.sources)
        if name in self.sources or package:
            return importlib.util.spec_from_loader(name, self, is_package=package)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        source = self.sources.get(module.__name__, self.sources.get(f"{module.__name__}.__init__", ""))
        exec(code_of(source, f"<{module.__name__}.py>"), module.__dict__)


class Probes(Modules):
    """Imports the probes, each with its own copy of the built-in functions."""

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = dict(vars(builtins))
        super().exec_module(module)


def open_stage(sources: dict[str, str], world: Any) -> Any:
    """Import the assignment's probes (``sources``: module -> source) and return their stage for one world of inputs.

    A stage replaces what workers cannot reach. ``stage.observe(name, namespace, plain)`` returns a plain tree; ``plain``
    converts any value into one. ``stage.calls``: how the student's own code calls a function, see ``checks.own_calls``;
    ``stage.ask``: how a probe asks the judge.
    """
    name = f"_{secrets.token_hex(8)}"
    finder = Probes({f"{name}.{module}": source for module, source in sources.items()})
    sys.meta_path.insert(0, finder)
    try:  # before any student code runs
        package = importlib.import_module(name)
    finally:
        sys.meta_path.remove(finder)
        COMPILED.clear()
        for module in (name, *finder.sources):
            sys.modules.pop(module, None)
    return package.Stage(world)
