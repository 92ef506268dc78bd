"""Worker side: whether it is the student's own code that is asking, or a library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from autograder.sandbox.worker_side.libraries import is_student

if TYPE_CHECKING:
    from types import FrameType


def from_student(depth: int = 2, but_for: str = "") -> bool:
    """Whether the function ``depth`` calls up is a student's; import machinery and generated code pass the question on.

    So does ``model.device``, which asks the parameters. ``but_for``: how the name of a file begins whose code does not.
    """
    frame: FrameType | None = sys._getframe(depth)
    if frame is not None and but_for and frame.f_code.co_filename.startswith(but_for):
        return False
    while frame is not None:
        file = frame.f_code.co_filename
        if is_student(file):
            return True
        passed_on = file == "<string>" or file.startswith("<frozen ") or file.endswith("importlib/__init__.py")
        if not passed_on and frame.f_code.co_name not in ("device", "<genexpr>"):
            return False
        frame = frame.f_back
    return False
