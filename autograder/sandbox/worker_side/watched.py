"""Tells the judge when student code asks Python for frames or for the garbage collector's objects, whatever name it used.

From there it could reach the probes beside it. The judge hears of it before the code gets its answer, and Python has no way
to remove the hook. Libraries ask, too: they count where they ask for whoever calls them, or call what they were given. Code
counts as a library's if the library's file holds it, whatever it says of itself.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident
from types import FunctionType
from typing import TYPE_CHECKING, Any

from autograder.core import deferred
from autograder.sandbox.worker_side import callers, inert, libraries, light_torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

EVENTS = frozenset(
    "sys._getframe sys._current_frames sys._current_exceptions sys.settrace sys.setprofile sys.monitoring.register_callback "
    "gc.get_objects gc.get_referrers gc.get_referents ctypes.dlopen ctypes.dlsym ctypes.cdata ctypes.cdata/buffer "
    "ctypes.PyObj_FromPtr ctypes.addressof ctypes.string_at ctypes.wstring_at ctypes.call_function".split()
)
READ, FRAMES = "object.__getattr__", frozenset("tb_frame gi_frame cr_frame ag_frame".split())
INSIDES = frozenset("__globals__ __closure__ __code__".split())  # of our own functions
PASSED_ON = ("inspect.py", "bdb.py", "pdb.py", "ctypes/__init__.py")  # libraries that ask for whoever calls them
# Functions that ask for themselves, although student code calls them directly: they hand out no frame.
KEPT_FILES = ("typing.py", "typing_extensions.py", "enum.py", "dataclasses.py", "collections/__init__.py", "warnings.py")
KEPT = frozenset("extract_stack extract_tb print_stack format_stack extract clear_frames findCaller warn".split())
OWN = (callers.from_student.__code__, inert.Inert.__iter__.__code__)  # so do these of ours
LOADS = (deferred.load.__code__, light_torch.load.__code__)  # what a library does below these it does for itself
MOST = 20


def install(tell: Callable[[str, str, int], None], probes: str) -> None:
    """``tell(event, cell, line)`` is called once for each, at most MOST times.

    ``probes``: the package that does not count as student code.
    """
    getframe, events, most, place = sys._getframe, EVENTS, MOST, _place
    read, frames, insides, function, own = READ, FRAMES, INSIDES, FunctionType, (probes, __name__.partition(".")[0])
    told, busy, most_events, thread = set[tuple[str, tuple[str, int]]](), set[int](), events | {read}, get_ident
    main, count = thread(), len
    libraries.folders()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in most_events or count(told) >= most or thread() in busy:
            return
        busy.add(thread())
        try:
            what = event
            if event == read:
                what = args[1]
                ours = what in insides and type(args[0]) is function and _is_ours(args[0], own)
                if what not in frames and not ours:
                    return
            where = place(getframe(1), f"<{probes}.", what.rpartition(".")[2], thread() != main)
            if where is not None and (what, where) not in told:
                told.add((what, where))
                tell(what, *where)
        finally:
            busy.discard(thread())

    sys.addaudithook(hook)


def _is_ours(function: FunctionType, own: tuple[str, str]) -> bool:
    """Whether it is a function of the probes or of the worker itself, which student code is not given."""
    name = str(function.__globals__.get("__name__"))
    return name.startswith((f"{own[0]}.", f"{own[1]}.sandbox.worker_side.child"))


def _place(frame: FrameType | None, ours: str, what: str, in_thread: bool) -> tuple[str, int] | None:
    """(cell, line) of the student code that asks for ``what``, itself or through a library; None if a library does.

    A library asks for itself if its code names it, unless student code calls just that function, which may return it. A
    thread in which no student code runs, such as a pool's, does what student code has given it.
    """
    if frame is None or frame.f_code.co_filename.startswith(ours) or _is_one_of(frame.f_code, OWN):
        return None
    if not _names(frame.f_code, what):
        return _first_student(frame, ours, in_thread)
    if not libraries.is_genuine(frame.f_code):
        return _file(frame)
    if _in(frame.f_code, PASSED_ON):
        return _first_student(frame, ours, False)
    caller = None if _keeps_it(frame.f_code) else frame.f_back
    return None if caller is None or caller.f_code.co_filename.startswith(ours) else _student(caller)


def _first_student(frame: FrameType | None, ours: str, in_thread: bool) -> tuple[str, int] | None:
    while frame is not None and not frame.f_code.co_filename.startswith(ours):
        if (found := _student(frame)) is not None or _is_one_of(frame.f_code, LOADS):
            return found
        frame = frame.f_back
    return ("a thread", 0) if in_thread and frame is None else None


def _names(code: CodeType, what: str) -> bool:
    """Whether it says that it is a library's code, which was not made at run time, and names what is asked for."""
    file = code.co_filename
    made = file.startswith("<") and not file.startswith(libraries.FROZEN)
    return not made and what in code.co_names and not libraries.is_student(file)


def _keeps_it(code: CodeType) -> bool:
    return code.co_name in KEPT or _in(code, KEPT_FILES)


def _is_one_of(code: CodeType, codes: tuple[CodeType, ...]) -> bool:
    return [one for one in codes if one is code] != []  # not `in`: code that is alike is equal; not `any`: it can be replaced


def _in(code: CodeType, files: tuple[str, ...]) -> bool:
    """Whether a library's code lies in one of these files, at the top of a folder of libraries."""
    for folder in libraries.folders():
        if code.co_filename.startswith(folder) and code.co_filename[len(folder) :] in files:
            return True
    return False


def _student(frame: FrameType) -> tuple[str, int] | None:
    """(cell, module or file, line) if this frame runs student code."""
    return _file(frame) if libraries.is_student(frame.f_code.co_filename) else None


def _file(frame: FrameType) -> tuple[str, int]:
    file = frame.f_code.co_filename
    return (file[6:-1] if file.startswith("<cell ") else file.strip("<>").rpartition(os.sep)[2]), frame.f_lineno
