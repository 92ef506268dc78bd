"""What a notebook's code raised, with the student's own line and the shapes of the tensors named on it."""

from __future__ import annotations

import linecache
import re
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

LONGEST, MOST = 300, 6  # characters of a message; tensors whose shapes are told
NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")


def told(error: BaseException, names: dict[str, Any]) -> str:
    """``TypeError: … at line 2 (`return A @ v`), where A is (1, 10, 10)``, on one line.

    ``names``: the notebook's globals. The line is the innermost one of a function that is defined there.
    """
    text = f"{type(error).__name__}{message(error)}"
    frame, line = own_frame(error.__traceback__, names)
    if frame is None:
        return text
    source = linecache.getline(frame.f_code.co_filename, line).strip()
    if not source:
        return f"{text} at line {line} of `{frame.f_code.co_name}`'s cell"
    shapes = [f"{name} is {shape}" for name, shape in shapes_on(source, frame)][:MOST]
    where = f", where {', '.join(shapes)}" if shapes else ""
    return f"{text} at line {line} (`{shortened(source, 100)}`){where}"


def message(error: BaseException) -> str:
    """``: `` and the message, on one line; '' without one."""
    try:
        text = " ".join(str(error).split()).rstrip(".")
    except Exception:  # an exception of the student's own, which has no text
        text = ""
    return f": {shortened(text, LONGEST)}" if text else ""


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def own_frame(traceback: types.TracebackType | None, names: dict[str, Any]) -> tuple[types.FrameType | None, int]:
    """The innermost frame of a traceback whose code is the notebook's own, and the line that raised; (None, 0) without one."""
    found: tuple[types.FrameType | None, int] = None, 0
    while traceback is not None:
        if traceback.tb_frame.f_globals is names:
            found = traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next
    return found


def shapes_on(source: str, frame: types.FrameType) -> Iterator[tuple[str, str]]:
    """The names on a line that stand for tensors or arrays, with their shapes."""
    torch = sys.modules.get("torch")
    kinds: tuple[Any, ...] = (np.ndarray, *([torch.Tensor] if torch else []))
    for name in dict.fromkeys(NAME.findall(source)):
        value: Any = frame.f_locals.get(name, frame.f_globals.get(name))
        if isinstance(value, kinds):
            yield name, str(tuple(value.shape))
