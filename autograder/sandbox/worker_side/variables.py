"""Worker side: variables of the environment that a student's machine has and this process lacks (USER, SCRATCH, an API key).

``os.environ["USER"]`` in a student's own code then is a text that works as a part of a path, as a number and as a key. Asking
whether a variable is set (``in``, ``get``) is answered truthfully, and so is whatever a library asks.
"""

from __future__ import annotations

import os
from typing import Any

from autograder.sandbox.worker_side.callers import from_student
from autograder.sandbox.worker_side.libraries import folders

ANY = "1"
METHODS = "<frozen _collections_abc"  # get, pop, setdefault and in, which have an answer for what is not set


def install() -> None:
    """Activate this for the current process and all processes forked from it."""
    folders()  # which read the environment: later, this would be in the middle of a reading of theirs
    kind: Any = type(os.environ)
    real = kind.__getitem__

    def value_of(self: Any, key: Any) -> Any:
        try:
            return real(self, key)
        except KeyError:
            if isinstance(key, str) and from_student(but_for=METHODS):
                return ANY
            raise

    kind.__getitem__ = value_of
