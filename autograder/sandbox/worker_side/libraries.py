"""Worker side: which files are libraries, and whether code that says it comes from one is really in it.

A code object names the file that it comes from, and whoever makes one chooses that name.
"""

from __future__ import annotations

import functools
import marshal
import os
import sys
import sysconfig
from _imp import get_frozen_object
from importlib.util import cache_from_source
from io import FileIO
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER_BYTES = 16  # of a .pyc file
OURS = os.path.join(__file__.rpartition(f"{os.sep}sandbox{os.sep}")[0], "")
FROZEN = "<frozen "
loads, of_frozen, cached = marshal.loads, get_frozen_object, cache_from_source  # student code may replace them in their modules


@functools.cache
def folders() -> tuple[str, ...]:
    """Where libraries lie. First asked for before any student code runs, which may change ``sys.path``."""
    paths = sysconfig.get_paths()
    wanted = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {*filter(os.path.isabs, sys.path)}
    return tuple(os.path.join(path, "") for path in sorted(wanted))


def is_student(file: str) -> bool:
    """Whether code of this file is a student's: a cell, a module that was handed in, or a file that is no library.

    Code that was made at run time, such as a named tuple's, and the import machinery are nobody's.
    """
    if file.startswith("<"):
        return file.startswith("<cell ") or file.endswith(".py>")
    return not file.startswith(_not_students())


@functools.cache
def _not_students() -> tuple[str, ...]:
    return OURS, *folders()


def is_genuine(code: CodeType) -> bool:
    """Whether a library's file, or a frozen module, holds this code."""
    known = _known.get(code.co_filename)
    if known is None:
        known = _known[code.co_filename] = tuple(_codes(code.co_filename))
    return code in known


def _codes(file: str) -> Iterator[CodeType]:
    """All code objects of a file."""
    try:
        if file.startswith(FROZEN):
            yield from _within(of_frozen(file[len(FROZEN) : -1]))
        elif file.startswith(folders()):
            yield from _within(_whole(file))
    except (OSError, ImportError, ValueError, EOFError, TypeError, SyntaxError, NotImplementedError):
        return


def _whole(file: str) -> CodeType:
    try:
        with FileIO(cached(file)) as kept:
            code: CodeType = loads(kept.readall()[HEADER_BYTES:])
            return code
    except OSError:  # an installation without compiled files
        with FileIO(file) as source:
            return compile(source.readall(), file, "exec", dont_inherit=True)


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _within(part)


_known: dict[str, tuple[CodeType, ...]] = {}
