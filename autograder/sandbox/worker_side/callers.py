"""Worker side: whether it is the student's own code that is asking, or a library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def from_student(depth: int = 2) -> bool:
    """Whether the function ``depth`` calls up is a student's; import machinery and generated code pass the question on.

    A student's code runs as ``<cell 3>`` or ``<name.py>``, a library's has a path.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        file = frame.f_code.co_filename
        if not (file == "<string>" or file.startswith("<frozen ") or file.endswith("importlib/__init__.py")):
            return file.startswith("<cell ") or (file.startswith("<") and file.endswith(".py>"))
        frame = frame.f_back
    return False
