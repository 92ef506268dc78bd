"""A limit on the time of code that runs in this process, which Ctrl-C could stop."""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(Exception):
    """The code took longer than it may."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after this many seconds; raises TooLong then.

    Only in the main thread. What does not return to Python, such as one long call of a library, cannot be interrupted.
    """
    lock, state = threading.Lock(), {"over": False, "late": False}

    def interrupt() -> None:
        with lock:
            if not state["over"]:
                state["late"] = True
                _interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            with lock:
                state["over"] = True
            timer.cancel()
    except KeyboardInterrupt:
        if state["late"]:
            raise TooLong from None
        raise


def _interrupt() -> None:
    """What Ctrl-C does, also to code that waits."""
    if hasattr(signal, "pthread_kill"):
        with contextlib.suppress(OSError, RuntimeError):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return
    _thread.interrupt_main()
