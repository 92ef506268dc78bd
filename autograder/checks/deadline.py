"""A limit on the time of code that runs in this process, which Ctrl-C could stop."""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 10  # how much longer than it may work a thing may take, on a machine that does something else meanwhile


class TooLong(Exception):
    """The code took longer than it may."""


def used_up(seconds: float) -> Callable[..., bool]:
    """A function that says whether this thread has worked for so long since, whatever else the machine does meanwhile."""
    work, wait = time.thread_time() + seconds, time.monotonic() + PATIENCE * seconds
    return lambda *_: time.thread_time() > work or time.monotonic() > wait


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after this many seconds; raises TooLong then, or as soon as it ends.

    Only in the main thread; in another one nothing is interrupted. What does not return to Python, such as one long call of a
    library, cannot be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
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
            with _interruptible():
                yield
            if state["late"]:  # and the code went on all the same
                raise TooLong
        finally:
            with lock:
                state["over"] = True
            timer.cancel()
    except KeyboardInterrupt:
        if state["late"]:
            raise TooLong from None
        raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """Meanwhile Ctrl-C raises KeyboardInterrupt, also in a process that ignores it, as those in the background do."""
    before = signal.getsignal(signal.SIGINT)
    if callable(before):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


def _interrupt() -> None:
    """What Ctrl-C does, also to code that waits."""
    if hasattr(signal, "pthread_kill"):
        with contextlib.suppress(OSError, RuntimeError):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            return
    _thread.interrupt_main()
