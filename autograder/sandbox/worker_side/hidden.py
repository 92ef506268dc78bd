"""Worker side: nothing in ``sys.modules`` leads from student code to what runs beside it."""

from __future__ import annotations

import contextlib
import itertools
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, OUR_FILES = __name__.partition(".")[0], str(Path(__file__).parents[2])


def hide_ours() -> None:
    """Take the engine's modules out of ``sys.modules``, under every name: student code then finds none of them there.

    Done before a fork: a worker that looked through two thousand modules, or removed fifty of them, would copy as many pages.
    Later on, only modules that came after the last one seen are looked at. ``multiprocessing`` gives the main module, which is
    the zygote's, a second name.
    """
    for name in filter(_is_ours, list(_new_modules())):
        _ours[name] = sys.modules.pop(name)
    _last[:] = [next(reversed(sys.modules))]


_ours: dict[str, types.ModuleType] = {}
_last: list[str] = []


def _new_modules() -> Iterator[str]:
    """The modules that were put into ``sys.modules`` since ``hide_ours`` looked."""
    return itertools.takewhile(lambda name: name not in _last, reversed(sys.modules))


def _is_ours(name: str) -> bool:
    module = sys.modules[name]
    names = module.__dict__ if isinstance(module, types.ModuleType) else {}
    files = str(names.get("__file__")), *map(str, names.get("__path__") or ())
    return name != "__main__" and (name.partition(".")[0] == OURS or any(file.startswith(OUR_FILES) for file in files))


@contextlib.contextmanager
def ours_shown() -> Iterator[None]:
    """The engine's modules can be imported again, as probes do."""
    sys.modules.update(_ours)
    try:
        yield
    finally:
        hide_ours()
