"""An assignment's probes set up beside a student's code; in workers and, for the solutions, in the bake.

Workers cannot read our folders, so the sources come along and are imported from memory.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import types
from typing import Any

PROBES = "assignment_probes"


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Python files importable from memory: those that came with a submission, and the probes.

    Appended to ``sys.meta_path``, so they can shadow neither the standard library nor ours.
    """

    def __init__(self, sources: dict[str, str]):
        self.sources = sources

    def find_spec(self, name: str, path: Any = None, target: Any = None):
        package = f"{name}.__init__" in self.sources or any(key.startswith(name + ".") for key in self.sources)
        if name in self.sources or package:
            return importlib.util.spec_from_loader(name, self, is_package=package)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        source = self.sources.get(module.__name__, self.sources.get(f"{module.__name__}.__init__", ""))
        exec(compile(source, f"<{module.__name__}.py>", "exec"), module.__dict__)


def open_stage(sources: dict[str, str], world: Any) -> Any:
    """The stage of the assignment's probes (module -> source), set for one world of inputs.

    A stage stands in for what workers cannot reach; ``stage.observe(name, namespace, plain)`` returns a tree of plain
    data, ``plain`` turns any value into such.
    """
    sys.meta_path.append(Modules({f"{PROBES}.{module}": source for module, source in sources.items()}))
    package = importlib.import_module(PROBES)
    for module in sources:  # before any code of a student's runs
        if module != "__init__":
            importlib.import_module(f"{PROBES}.{module}")
    return package.Stage(world)
