"""Programs that observed code starts are not run: they would work on the real files. What common ones do to files is done here.

``make`` a folder, copy, move, remove and touch, with Python's own functions, which ``redirect`` maps. Any other program counts
as ended well, without output, and is remembered.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .paths import LAYERS

SKIPPED: list[str] = []  # programs that were not run since the last ``clear``


def make(paths: list[str]) -> None:
    for path in paths:
        os.makedirs(path, exist_ok=True)


def remove(paths: list[str]) -> None:
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)


def transfer(paths: list[str], file: Callable[[str, str], Any], folder: Callable[[str, str], Any]) -> None:
    """Copy or move all but the last of these to the last, into it if it is a folder."""
    *sources, target = paths
    for source in sources:
        inside = os.path.isdir(target) or target.endswith("/")
        aim = os.path.join(target, os.path.basename(source.rstrip("/"))) if inside else target
        (folder if os.path.isdir(source) else file)(source, aim)


def touch(paths: list[str]) -> None:
    for path in paths:
        Path(path).touch()


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "mkdir": make,
    "rm": remove,
    "rmdir": remove,
    "touch": touch,
    "cp": lambda paths: transfer(paths, shutil.copyfile, functools.partial(shutil.copytree, dirs_exist_ok=True)),
    "mv": lambda paths: transfer(paths, os.replace, os.replace),
}


def perform(command: Any) -> None:
    """Do what a command line, or a program with its arguments, does with files, as far as that is known."""
    for part in parts_of(command):
        words = [str(word) for word in part]
        known = COMMANDS.get(os.path.basename(words[0])) if words else None
        if known is None or any(set(word) & set("|<>$`;&") for word in words):
            SKIPPED.extend([" ".join(words)[:80]] if words and words[0] != "cd" else [])
            continue
        with contextlib.suppress(OSError, ValueError, shutil.Error):
            known(names_of(words))


def names_of(words: list[str]) -> list[str]:
    """The files that a command is given, without its options."""
    names = [os.path.expanduser(word) for word in words[1:] if not word.startswith("-")]
    return [path for name in names for path in matching(name)]


def parts_of(command: Any) -> list[list[Any]]:
    """The words of each of the commands on a line."""
    if isinstance(command, (bytes, os.PathLike)):
        command = os.fsdecode(command)
    if not isinstance(command, str):
        return [[os.fsdecode(word) if isinstance(word, (bytes, os.PathLike)) else word for word in command]]
    lines = [line for text in command.split("\n") for line in text.replace("&&", ";").split(";") if line.strip()]
    try:
        return [shlex.split(line) for line in lines]
    except ValueError:
        return [lines]


def matching(name: str) -> list[str]:
    """What a name with wildcards stands for, or the name itself."""
    if not set(name) & set("*?["):
        return [name]
    return [str(path) for path in sorted(Path(os.path.dirname(name) or ".").glob(os.path.basename(name)))] or [name]


def performed(real: Any, result: Any, index: int = 0) -> Any:
    """Instead of a function that runs the command in its argument number ``index``."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not LAYERS:
            return real(*args, **kwargs)
        perform(args[index] if len(args) > index else next(iter(kwargs.values()), ""))
        return result

    return call


def started(real: Any) -> Any:
    """The same for ``subprocess``: the last six of the first 16 arguments are the ends of its pipes."""

    @functools.wraps(real)
    def execute(self: Any, *args: Any, **kwargs: Any) -> None:
        if not LAYERS:
            real(self, *args, **kwargs)
            return
        perform(args[0])
        self.pid, self.returncode = 0, 0
        self._close_pipe_fds(*args[10:16])

    return execute
