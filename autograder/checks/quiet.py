"""Keeps what code prints and displays during a check out of the notebook."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator


class Unread(io.StringIO):
    """A text stream that counts what is written and keeps none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"string argument expected, got {type(text).__name__!r}")
        self.written += len(text.strip()) > 0
        return len(text)


@contextlib.contextmanager
def unprinted() -> Iterator[Unread]:
    """Nothing that is printed inside reaches anybody; the value tells whether something was printed."""
    out = Unread()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(Unread()):
        yield out


@contextlib.contextmanager
def quiet() -> Iterator[Unread]:
    """The same for what is printed or displayed."""
    with unprinted() as out, displays_captured():
        yield out


def displays_captured() -> contextlib.AbstractContextManager[object]:
    """What is displayed (figures, tables) goes nowhere, where there is IPython."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return contextlib.nullcontext()
    from IPython.utils.capture import capture_output

    return capture_output(stdout=False, stderr=False, display=True)
