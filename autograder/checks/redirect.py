"""Has Python's and the libraries' functions use ``paths`` while a student's code is observed; all is restored afterwards.

The functions of ``os`` that take a path, ``open`` and, by name, what libraries in other languages open: the rest (``pathlib``,
``shutil``, ``glob``, ``numpy.save``, ``save_pretrained`` …) is written in Python and calls these. Imports of modules do not.
"""

from __future__ import annotations

import contextlib
import errno
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

from .paths import LAYERS, Layer, found, is_folder, link, make_folder, move, remove, text_of, there, writable

READS = ("stat", "lstat", "access", "listdir", "scandir", "readlink", "getxattr", "listxattr", "statvfs", "pathconf")
WRITES = ("mkdir", "mkfifo", "mknod")
# Nothing depends on what these change, and the cage forbids most of them.
ATTRIBUTES = (
    "chmod",
    "lchmod",
    "fchmod",
    "chown",
    "lchown",
    "fchown",
    "utime",
    "setxattr",
    "removexattr",
    "chflags",
    "lchflags",
)
IN_C = ("exists", "lexists", "isfile", "isdir", "islink", "isjunction")  # of os.path: on Windows, in newer versions of Python
# module, attribute, the number and name of the argument that is a path, whether it is written
LIBRARIES = (
    ("torch._C", "PyTorchFileWriter.__init__", 1, "file_name", True),
    ("torch._C", "PyTorchFileReader.__init__", 1, "file_name", False),
    ("torch", "UntypedStorage.from_file", 0, "filename", False),
    ("torch", "from_file", 0, "filename", False),
    ("torch.jit", "save", 1, "f", True),
    ("torch.jit", "load", 0, "f", False),
    ("safetensors", "serialize_file", 1, "filename", True),
    ("safetensors", "safe_open", 0, "filename", False),
    ("safetensors", "_safe_open_handle", 0, "filename", False),
    ("tokenizers", "Tokenizer.save", 1, "path", True),
    ("tokenizers", "Tokenizer.from_file", 0, "path", False),
    ("sqlite3", "connect", 0, "database", True),
)
SHELLS = (("IPython.core.interactiveshell", "InteractiveShell"), ("ipykernel.zmqshell", "ZMQInteractiveShell"))
# Imports use these modules' functions.
UNTOUCHED = {"posix", "nt", "_io", "_frozen_importlib_external", "importlib._bootstrap_external", __name__}
FOLDERS: dict[int, str] = {}  # descriptors of folders, for functions with ``dir_fd``
UNDO: list[Callable[[], None]] = []  # what restores everything, while it is replaced


@contextlib.contextmanager
def redirected(names: dict[str, Any] | None = None, chdir: bool = False) -> Iterator[str]:
    """What is written inside the ``with`` block goes to a temporary folder, which is the value, and is removed with it.

    ``names``: a namespace, besides those of modules, that may hold functions by name. With ``chdir`` the working folder is in
    it too: what outer blocks wrote is still found by its relative path, other files are not.
    """
    before, temporary = os.getcwd(), tempfile.tempdir
    root = os.path.realpath(tempfile.mkdtemp(dir=LAYERS[-1].root if LAYERS else None))
    here = os.path.join(root, "here") if chdir else ""
    own = not UNDO
    try:
        if own:
            install(names)
        if chdir:
            os.mkdir(here)
            os.chdir(here)
        LAYERS.append(Layer(root, here, before))
        tempfile.tempdir = root  # its functions hold others as default values, which no one can replace
        depth = len(LAYERS)
        try:
            yield root
        finally:
            del LAYERS[depth - 1 :]
            FOLDERS.clear()
    finally:
        if own:
            uninstall(names)
        os.chdir(before)
        tempfile.tempdir = temporary
        with contextlib.suppress(Exception):
            shutil.rmtree(root, ignore_errors=True)


def install(names: dict[str, Any] | None = None) -> None:
    """Replace the functions, wherever modules hold them by name; without a layer they do what they did."""
    swaps: dict[int, Any] = {}
    for owner, name, replacement in list(replacements()):  # all made before the first takes effect
        original = vars(owner).get(name)
        swap(owner, name, replacement)
        if not isinstance(owner, type) and callable(original):
            swaps[id(original)] = (original, replacement)
    everywhere(swaps, names)
    UNDO.append(lambda: everywhere({id(new): (new, old) for old, new in swaps.values()}, names))
    for group in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        added = {new for old, new in swaps.values() if old in group}
        group.update(added)
        UNDO.append(functools.partial(group.difference_update, added))


def uninstall(names: dict[str, Any] | None = None) -> None:
    """Restore everything, also what modules imported meanwhile."""
    while UNDO:
        UNDO.pop()()


def swap(owner: Any, name: str, value: Any) -> None:
    if name in vars(owner):
        UNDO.append(functools.partial(setattr, owner, name, vars(owner)[name]))
    else:
        UNDO.append(lambda: delattr(owner, name) if name in vars(owner) else None)
    setattr(owner, name, value)


def everywhere(swaps: dict[int, Any], names: dict[str, Any] | None) -> None:
    """Replace values (by id: (value, its replacement)) in the namespaces of all modules and in ``names``."""
    modules = [getattr(module, "__dict__", None) for name, module in list(sys.modules.items()) if name not in UNTOUCHED]
    for namespace in (*modules, names):
        if type(namespace) is dict and not swaps.keys().isdisjoint(map(id, list(namespace.values()))):
            for key in [key for key, value in list(namespace.items()) if id(value) in swaps]:
                namespace[key] = swaps[id(namespace[key])][1]


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """(owner, name, what to put there)."""
    functions = {name: make(getattr(os, name)) for name, make in of_os().items() if hasattr(os, name)}
    opened = opening(io.open)
    yield from ((os, name, value) for name, value in functions.items())
    yield from ((io, "open", opened), (sys.modules["builtins"], "open", opened))
    accessor: Any = getattr(pathlib, "_NormalAccessor", object)  # of Python 3.10, which holds functions by name
    for name, value in {**functions, "open": opened}.items():
        if vars(accessor).get(name) in (getattr(os, name), io.open):
            yield accessor, name, staticmethod(value)
    for name in IN_C:
        if not hasattr(getattr(os.path, name, opening), "__code__"):
            yield os.path, name, with_path(getattr(os.path, name), 0, "path", found)
    yield shutil, "_use_fd_functions", False
    yield subprocess.Popen, "_execute_child", started(vars(subprocess.Popen)["_execute_child"])
    for module, kind in SHELLS:
        shell: Any = getattr(sys.modules.get(module), kind, object)
        for name in {"system", "system_raw", "system_piped", "getoutput"} & set(vars(shell)):
            yield shell, name, finished(vars(shell)[name], None)
    yield from of_libraries()


def of_libraries() -> Iterator[tuple[Any, str, Any]]:
    """The same for those of LIBRARIES that have been imported."""
    for module, attribute, index, name, writes in LIBRARIES:
        kind, _, last = attribute.rpartition(".")
        owner: Any = sys.modules.get(module)
        owner = getattr(owner, kind, None) if kind else owner
        if owner is not None and hasattr(owner, last):
            mapped = database if module == "sqlite3" else writable if writes else found
            value = with_path(getattr(owner, last), index, name, mapped)
            yield owner, last, staticmethod(value) if last == "from_file" else value
    openers: Any = getattr(sys.modules.get("numpy.lib._datasource"), "_FileOpeners", None)
    if openers is not None:
        yield openers, "__getitem__", choosing(openers.__getitem__)


def of_os() -> dict[str, Callable[[Any], Any]]:
    """Name of a function in ``os`` -> what makes its replacement."""
    made: dict[str, Callable[[Any], Any]] = dict.fromkeys(READS, lambda real: with_path(real, 0, "path", found))
    made |= dict.fromkeys(WRITES, lambda real: with_path(real, 0, "path", writable))
    made |= dict.fromkeys(ATTRIBUTES, unchanged)
    made |= dict.fromkeys(("remove", "unlink"), lambda real: removing(real, False))
    made |= dict.fromkeys(("rename", "replace"), lambda real: with_two_paths(real, functools.partial(move, real)))
    made |= dict.fromkeys(("link", "symlink"), lambda real: with_two_paths(real, link))
    return made | {
        "rmdir": lambda real: removing(real, True),
        "truncate": lambda real: with_path(real, 0, "path", functools.partial(writable, keep=True)),
        "chdir": lambda real: with_path(real, 0, "path", folder_to_enter),
        "system": lambda real: finished(real, 0),
        "open": opening_descriptor,
    }


def with_path(real: Any, index: int, name: str, mapped: Callable[[Any], Any]) -> Any:
    """The function ``real`` with one of its arguments mapped."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if LAYERS:
            if len(args) > index:
                path = beside(args[index], kwargs, "dir_fd", mapped is found)
                args = (*args[:index], mapped(path), *args[index + 1 :])
            elif name in kwargs:
                kwargs = {**kwargs, name: mapped(beside(kwargs[name], kwargs, "dir_fd", mapped is found))}
        return real(*args, **kwargs)

    return call


def beside(path: Any, kwargs: dict[str, Any], key: str, reads: bool) -> Any:
    """The path that ``path`` and an open folder (``kwargs[key]``, which is taken out) name together."""
    descriptor = kwargs.get(key)
    text = text_of(path)
    if descriptor is None or text is None or os.path.isabs(text):
        return path
    if descriptor in FOLDERS:
        del kwargs[key]
        return os.path.join(FOLDERS[descriptor], text)
    if reads:
        return path
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)


def removing(real: Any, folder: bool) -> Any:
    @functools.wraps(real)
    def call(path: Any, **kwargs: Any) -> None:
        if LAYERS and text_of(path) is not None:
            remove(real, beside(path, kwargs, "dir_fd", False), folder)
        else:
            real(path, **kwargs)

    return call


def with_two_paths(real: Any, instead: Callable[[Any, Any], None]) -> Any:
    @functools.wraps(real)
    def call(src: Any, dst: Any, *args: Any, **kwargs: Any) -> None:
        if LAYERS:
            source = beside(src, kwargs, "src_dir_fd", False)
            instead(source, beside(dst, kwargs, "dir_fd" if "dir_fd" in kwargs else "dst_dir_fd", False))
        else:
            real(src, dst, *args, **kwargs)

    return call


def unchanged(real: Any) -> Any:
    """Instead of changing what a file has besides its content: only whether it exists matters."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not LAYERS:
            return real(*args, **kwargs)
        path = beside(args[0] if args else kwargs.get("path"), dict(kwargs), "dir_fd", True)
        if text_of(path) is not None and not there(str(text_of(found(path)))):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return None

    return call


def opening(real: Any) -> Any:
    """``open``: what is written goes into the layer."""

    @functools.wraps(real)
    def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if LAYERS and isinstance(mode, str):
            if "x" in mode and there(str(text_of(found(file)))):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
            file = writable(file, "w" not in mode) if set(mode) & set("wax+") else found(file)
        return real(file, mode, *args, **kwargs)

    return open


def choosing(real: Any) -> Any:
    """For numpy's table of functions that open files: ours instead of Python's own."""
    python = io.open

    @functools.wraps(real)
    def choose(self: Any, suffix: Any) -> Any:
        chosen = real(self, suffix)
        return io.open if chosen is python else chosen

    return choose


def opening_descriptor(real: Any) -> Any:
    """``os.open``; remembers which descriptors are folders."""

    @functools.wraps(real)
    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> Any:
        if not LAYERS:
            return real(path, flags, mode, dir_fd=dir_fd)
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))
        kwargs = {"dir_fd": dir_fd}
        path = beside(path, kwargs, "dir_fd", not writes)
        if flags & os.O_CREAT and flags & os.O_EXCL and there(str(text_of(found(path)))):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        actual = writable(path, not flags & os.O_TRUNC) if writes else found(path)
        if writes and flags & getattr(os, "O_DIRECTORY", 0):  # a file without a name, in this folder
            make_folder(str(text_of(actual)))
        descriptor = real(actual, flags, mode, **kwargs)
        FOLDERS.pop(descriptor, None)
        if not writes and is_folder(str(text_of(actual))):
            FOLDERS[descriptor] = os.path.abspath(str(text_of(path)))
        return descriptor

    return open


def folder_to_enter(path: Any) -> Any:
    """The folder that ``os.chdir`` enters; one that exists nowhere is made."""
    actual = found(path)
    if text_of(actual) is not None and not there(str(text_of(actual))):
        actual = writable(path)
        make_folder(str(text_of(actual)))
    return actual


def database(path: Any) -> Any:
    return path if str(path).startswith((":memory:", "file:")) or not path else writable(path, True)


def finished(real: Any, result: Any) -> Any:
    """Instead of running a program, which would work on the real files: as if it had ended well and printed nothing."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        return result if LAYERS else real(*args, **kwargs)

    return call


def started(real: Any) -> Any:
    """The same for ``subprocess``: the last six of the first 16 arguments are the ends of its pipes."""

    @functools.wraps(real)
    def execute(self: Any, *args: Any, **kwargs: Any) -> None:
        if not LAYERS:
            real(self, *args, **kwargs)
            return
        self.pid, self.returncode = 0, 0
        self._close_pipe_fds(*args[10:16])

    return execute
