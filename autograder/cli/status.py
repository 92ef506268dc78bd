"""The status of a long command on a terminal, without the library that prints tables."""

from __future__ import annotations

import sys
import time


class Status:
    """The status of a long command, on stderr: one line that is updated on a terminal, a new line now and then elsewhere."""

    every = 10.0  # seconds

    def __init__(self) -> None:
        self.width, self.printed, self.pending = 0, 0.0, ""

    def __enter__(self) -> Status:
        return self

    def show(self, text: str) -> None:
        """Show the text now, or on exit if the last one is too recent."""
        self.pending = text
        if sys.stderr.isatty():
            print("\r" + text.ljust(self.width), end="", file=sys.stderr, flush=True)
            self.width = len(text)
        elif not self.printed or time.monotonic() - self.printed >= self.every:
            self.printed, self.pending = time.monotonic(), ""
            print(text, file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.width:
            print("\r" + " " * self.width + "\r", end="", file=sys.stderr, flush=True)
        elif self.pending:
            print(self.pending, file=sys.stderr, flush=True)
