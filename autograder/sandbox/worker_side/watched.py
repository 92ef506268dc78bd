"""Tells the judge when student code asks Python for frames or for the garbage collector's objects, whatever name it used.

From there it could reach the probes beside it. The judge hears of it before the code gets its answer, and Python has no way
to remove the hook.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

EVENTS = frozenset(
    "sys._getframe sys._current_frames sys.settrace sys.setprofile gc.get_objects gc.get_referrers gc.get_referents "
    "ctypes.dlopen ctypes.dlsym ctypes.cdata".split()
)
PASSED_ON = ("/inspect.py", "/traceback.py", "/ctypes/__init__.py")  # libraries that ask for whoever calls them
MOST = 20


def install(tell: Callable[[str, str, int], None], probes: str) -> None:
    """``tell(event, cell, line)`` is called at most MOST times; ``probes``: the package that does not count as student code."""
    getframe, events, most, place = sys._getframe, EVENTS, MOST, _place
    told, busy = 0, False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal told, busy
        if busy or told >= most or not (event in events or (event == "object.__getattr__" and args[1] == "tb_frame")):
            return
        busy = True
        try:
            where = place(getframe(1), f"<{probes}.")
            if where is not None:
                told += 1
                tell(event if event in events else "tb_frame", *where)
        finally:
            busy = False

    sys.addaudithook(hook)


def _place(frame: FrameType | None, ours: str) -> tuple[str, int] | None:
    """(cell, line) of student code that asks, itself or through ``inspect`` or generated code; None if a library does."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<cell "):
            return file[6:-1], frame.f_lineno
        if file.startswith(ours):
            return None
        if file.startswith("<") and file.endswith(".py>"):
            return file[1:-1], frame.f_lineno
        if file != "<string>" and not file.endswith(PASSED_ON):
            return None
        frame = frame.f_back
    return None
