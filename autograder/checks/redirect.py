"""Has Python's and the libraries' functions use ``paths`` while a student's code is observed; all is restored afterwards.

The functions of ``os`` that take a path, ``open`` and, by name, what libraries in other languages open: the rest (``pathlib``,
``shutil``, ``glob``, ``numpy.save``, ``save_pretrained`` …) is written in Python and calls these. Imports of modules do not.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from . import libraries
from .commands import performed, started
from .file_functions import FOLDERS, of_os, opening, raw_files, with_path
from .paths import LAYERS, REAL, Layer, below, found, make_folder, working_folder

IN_C = ("exists", "lexists", "isfile", "isdir", "islink", "isjunction")  # of os.path: on Windows, in newer versions of Python
SHELLS = (("IPython.core.interactiveshell", "InteractiveShell"), ("ipykernel.zmqshell", "ZMQInteractiveShell"))
# Imports use these modules' functions.
UNTOUCHED = {"posix", "nt", "_io", "_frozen_importlib_external", "importlib._bootstrap_external"}
OURS = {f"{__package__}.{name}" for name in ("redirect", "paths", "file_functions", "libraries", "commands")}
# Those that torch imports and that hold a replaced function by name.
HOLDERS = (
    "bz2",
    "dill._dill",
    "numpy.lib._datasource",
    "safetensors.numpy",
    "tarfile",
    "tokenize",
    "torch",
    "torch.jit._serialization",
)
UNDO: list[Callable[[], None]] = []  # what restores everything, while it is replaced


@contextlib.contextmanager
def redirected(names: dict[str, Any] | None = None, apart: bool = False) -> Iterator[str]:
    """What is written inside the ``with`` block goes to a temporary folder, which is the value, and is removed with it.

    ``names``: a namespace, besides those of modules, that may hold functions by name. With ``apart`` trained models that are
    not from an outer block cannot be read. The working folder is the folder in there that stands for it.
    """
    before, temporary, seen, known = REAL.getcwd(), tempfile.tempdir, working_folder(), dict(sys.modules)
    root = os.path.realpath(tempfile.mkdtemp(dir=LAYERS[-1].root if LAYERS else None))
    own = not UNDO
    try:
        if own:
            install(names)
        layer = Layer(root, apart)
        LAYERS.append(layer)
        make_folder(layer.place(seen))
        REAL.chdir(layer.place(seen))
        tempfile.tempdir = root  # its functions hold others as default values, which no one can replace
        depth = len(LAYERS)
        try:
            yield root
        finally:
            del LAYERS[depth - 1 :]
            FOLDERS.clear()
    finally:
        if own:
            uninstall()
        REAL.chdir(before)
        tempfile.tempdir = temporary
        forget(root, known)
        with contextlib.suppress(Exception):
            shutil.rmtree(root, ignore_errors=True)


def forget(root: str, known: dict[str, Any]) -> None:
    """Forget the modules that were imported from there, of those that are not known."""
    for name, module in list(sys.modules.items()):
        if known.get(name) is not module and below(str(getattr(module, "__file__", None) or ""), root):
            del sys.modules[name]


def install(names: dict[str, Any] | None = None, holders: tuple[str, ...] = ()) -> None:
    """Replace the functions, wherever modules hold them by name; without a layer they do what they did.

    ``holders``: the only modules to search, where looking at each name of all modules would take a moment.
    """
    later, written = libraries.Later(lambda modules: put(libraries.replacements(modules), [])), libraries.Written()
    put(replacements(), [*namespaces(holders or tuple(sys.modules)), *([] if names is None else [names])])
    sys.meta_path.insert(0, later)
    sys.meta_path.append(written)
    UNDO.append(lambda: sys.meta_path.__setitem__(slice(None), [f for f in sys.meta_path if f not in (later, written)]))


def put(pairs: Iterator[tuple[Any, str, Any]], holding: list[dict[str, Any]]) -> None:
    """Replace these, and what these namespaces hold of them by name."""
    swaps: dict[int, Any] = {}
    for owner, name, replacement in list(pairs):  # all made before the first takes effect
        original = vars(owner).get(name)
        swap(owner, name, replacement)
        if not isinstance(owner, type) and callable(original):
            swaps[id(original)] = (original, replacement)
    everywhere(swaps, holding)
    back = {id(new): (new, old) for old, new in swaps.values()}
    UNDO.append(lambda: everywhere(back, [*namespaces(tuple(sys.modules)), *holding]))
    for group in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        added = {new for old, new in swaps.values() if old in group}
        group.update(added)
        UNDO.append(functools.partial(group.difference_update, added))


def uninstall() -> None:
    """Restore everything, also what modules imported meanwhile."""
    while UNDO:
        UNDO.pop()()


def swap(owner: Any, name: str, value: Any) -> None:
    if name in vars(owner):
        UNDO.append(functools.partial(setattr, owner, name, vars(owner)[name]))
    else:
        UNDO.append(lambda: delattr(owner, name) if name in vars(owner) else None)
    setattr(owner, name, value)


def namespaces(modules: tuple[str, ...]) -> list[dict[str, Any]]:
    """The names of these modules, apart from those that have to keep the functions themselves."""
    searched = [sys.modules.get(name) for name in modules if name not in UNTOUCHED | OURS]
    return [names for module in searched if type(names := getattr(module, "__dict__", None)) is dict]


def everywhere(swaps: dict[int, Any], holding: list[dict[str, Any]]) -> None:
    """Replace values (by id: (value, its replacement)) in these namespaces."""
    for namespace in holding:
        if not swaps.keys().isdisjoint(map(id, list(namespace.values()))):
            for key in [key for key, value in list(namespace.items()) if id(value) in swaps]:
                namespace[key] = swaps[id(namespace[key])][1]


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """(owner, name, what to put there)."""
    functions = {name: make(getattr(os, name)) for name, make in of_os().items() if hasattr(os, name)}
    opened = opening(io.open)
    yield from ((os, name, value) for name, value in functions.items())
    yield from ((io, "open", opened), (sys.modules["builtins"], "open", opened), (io, "FileIO", raw_files(io.FileIO)))
    accessor: Any = getattr(pathlib, "_NormalAccessor", object)  # of Python 3.10, which holds functions by name
    for name, value in {**functions, "open": opened}.items():
        if vars(accessor).get(name) in (getattr(os, name), io.open):
            yield accessor, name, staticmethod(value)
    for name in IN_C:
        if not hasattr(getattr(os.path, name, opening), "__code__"):
            yield os.path, name, with_path(getattr(os.path, name), 0, "path", found)
    yield shutil, "_use_fd_functions", False
    yield os, "system", performed(os.system, 0)
    yield subprocess.Popen, "_execute_child", started(vars(subprocess.Popen)["_execute_child"])
    for module, kind in SHELLS:
        shell: Any = getattr(sys.modules.get(module), kind, object)
        for name in {"system", "system_raw", "system_piped", "getoutput"} & set(vars(shell)):
            yield shell, name, performed(vars(shell)[name], None, 1)
    yield from libraries.replacements(libraries.MODULES)
