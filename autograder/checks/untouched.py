"""What a check leaves as it was: settings of the process and of libraries, and every object that the checked code can reach.

``with untouched(names, roots)`` notes all of it before a student's code runs and restores it afterwards. Guaranteed, for code
that runs in this thread: random states, default dtype and device, gradient mode, threads and other settings of torch, NumPy,
matplotlib and Python (``SETTINGS``); the notebook's names; and the content of what the code can reach by a name, an attribute,
a container, a closure or a default value (``kept``), weights, gradients, modes, hooks and optimizers included. A model that
the code cannot name is not copied, however large it is.

Not undone: what a library or a program in another language keeps to itself (a tokenizer's vocabulary, a table of pandas), and
what reaches beyond the process. Where such a change is noticed the check names it: a thread or a process that still runs, a
generator that has moved on, a tensor of a model that changed although no name leads to it. ``redirect`` sees to files.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import kept, settings
from .contents import Undo


@contextlib.contextmanager
def untouched(names: dict[str, Any], roots: Iterable[Any] = ()) -> Iterator[list[str]]:
    """Everything is restored after the ``with`` block; the value is then what could not be, as sentences.

    ``names``: the notebook's globals; ``roots``: the values that the check will call or read.
    """
    left: list[str] = []
    undo = [*noted(settings.SETTINGS, left), *kept.objects(names, roots, left)]
    modules, folder, running = dict(sys.modules), os.getcwd(), settings.running()
    try:
        yield left
    finally:
        for restore in reversed(undo):
            attempt(restore, left)
        attempt(lambda: settings.restore_modules(modules, folder), left)
        left += [f"{one} was started during this check and still runs" for one in settings.running() if one not in running]
        left[:] = dict.fromkeys(left)


def noted(readers: Iterable[tuple[str, Callable[[Any], Iterable[Undo]]]], left: list[str]) -> Iterator[Undo]:
    """How to restore the settings of each library that is loaded."""
    for name, read in readers:
        module = sys.modules.get(name)
        reading = iter(read(module)) if module is not None else iter(())
        while True:
            try:
                yield next(reading)
            except StopIteration:
                break
            except Exception:  # a version of the library without this setting: what was read so far is restored
                break


def attempt(restore: Undo, left: list[str]) -> None:
    """Restore one thing; another is restored even if this one cannot be."""
    try:
        restore()
    except Exception as error:
        left.append(f"something that your code changed could not be restored ({type(error).__name__}: {error})"[:200])
