"""Set up an assignment's probes beside student code, in workers, and beside the solutions, in the bake.

Workers cannot read our folders, so the sources are sent with the program and imported from memory.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PROBES = "assignment_probes"


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
        exec(compile(source, f"<{module.__name__}.py>", "exec"), module.__dict__)


def open_stage(sources: dict[str, str], world: Any) -> Any:
    """Import the assignment's probes (``sources``: module -> source) and return their stage for one world of inputs.

    A stage replaces what workers cannot reach. ``stage.observe(name, namespace, plain)`` returns a plain tree; ``plain``
    converts any value into one. ``stage.calls``: how the student's own code calls a function, see ``checks.own_calls``.
    """
    sys.meta_path.append(Modules({f"{PROBES}.{module}": source for module, source in sources.items()}))
    package = importlib.import_module(PROBES)
    for module in sources:  # before any student code runs
        if module != "__init__":
            importlib.import_module(f"{PROBES}.{module}")
    return package.Stage(world)
