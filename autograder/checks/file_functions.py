"""Versions of Python's own functions that take a path, which map it with ``paths``; without a layer they do what they did."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

from . import paths
from .paths import (
    LAYERS,
    absolute,
    found,
    is_folder,
    link,
    lookup,
    make_folder,
    move,
    names_in,
    remove,
    text_of,
    there,
    writable,
)

READS = ("stat", "lstat", "access", "readlink", "getxattr", "listxattr", "statvfs", "pathconf")
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
# These replace the process, or start another one beside it, which would work on the real files.
PROGRAMS = (
    "execv",
    "execve",
    "spawnv",
    "spawnve",
    "spawnvp",
    "spawnvpe",
    "posix_spawn",
    "posix_spawnp",
    "startfile",
    "forkpty",
)
FOLDERS: dict[int, str] = {}  # descriptors of folders, for functions with ``dir_fd``


def of_os() -> dict[str, Callable[[Any], Any]]:
    """Name of a function in ``os`` -> what makes its replacement."""
    made: dict[str, Callable[[Any], Any]] = dict.fromkeys(READS, lambda real: with_path(real, 0, "path", found))
    made |= dict.fromkeys(("mkfifo", "mknod"), lambda real: with_path(real, 0, "path", writable))
    made |= dict.fromkeys(ATTRIBUTES, unchanged)
    made |= dict.fromkeys(PROGRAMS, refused)
    made |= dict.fromkeys(("remove", "unlink"), lambda real: removing(real, False))
    made |= dict.fromkeys(("rename", "replace"), lambda real: with_two_paths(real, functools.partial(move, real)))
    made |= dict.fromkeys(("link", "symlink"), lambda real: with_two_paths(real, link))
    return made | {
        "mkdir": lambda real: with_path(real, 0, "path", paths.new_folder),
        "rmdir": lambda real: removing(real, True),
        "truncate": truncating,
        "chdir": entering,
        "fchdir": entering,
        "getcwd": lambda real: seeing(real, str),
        "getcwdb": lambda real: seeing(real, os.fsencode),
        "listdir": listing,
        "scandir": scanning,
        "open": opening_descriptor,
    }


def with_path(real: Any, index: int, name: str, mapped: Callable[[Any], Any]) -> Any:
    """The function ``real`` with one of its arguments mapped; an OSError names the path that was given."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not LAYERS:
            return real(*args, **kwargs)
        given: Any = None
        if len(args) > index:
            given = beside(args[index], kwargs, "dir_fd", mapped is found)
            args = (*args[:index], mapped(given), *args[index + 1 :])
        elif name in kwargs:
            given = beside(kwargs[name], kwargs, "dir_fd", mapped is found)
            kwargs = {**kwargs, name: mapped(given)}
        with naming(given):
            return real(*args, **kwargs)

    return call


@contextlib.contextmanager
def naming(path: Any) -> Iterator[None]:
    """Have an OSError name this path, not the one behind it."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and text_of(path) is not None:
            error.filename = path
        raise


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


def refused(real: Any) -> Any:
    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if LAYERS:
            raise PermissionError(errno.EPERM, "no program is started while code is checked")
        return real(*args, **kwargs)

    return call


def truncating(real: Any) -> Any:
    @functools.wraps(real)
    def truncate(path: Any, length: int) -> None:
        if LAYERS and text_of(path) is not None:
            with open(path, "r+b") as file:
                file.truncate(length)
        else:
            real(path, length)

    return truncate


def opening(real: Any) -> Any:
    """``open``: what is written goes into the layer."""

    @functools.wraps(real)
    def open(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not LAYERS or not isinstance(mode, str) or kwargs.get("opener") is not None:  # an opener calls os.open
            return real(file, mode, *args, **kwargs)
        actual = in_mode(file, mode)
        with naming(file):
            return real(actual, mode, *args, **kwargs)

    return open


def in_mode(file: Any, mode: str) -> Any:
    """The path behind a path that is opened in a mode of ``open``."""
    if "x" in mode and there(str(text_of(found(file)))):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
    return writable(file, "w" not in mode) if set(mode) & set("wax+") else found(file)


def raw_files(real: type) -> type:
    """``io.FileIO``: a class of which all real ones are instances, too."""

    class Kind(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, real)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, real)

    def init(self: Any, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> None:
        actual = in_mode(file, mode) if LAYERS and isinstance(mode, str) and kwargs.get("opener") is None else file
        real.__init__(self, actual, mode, *args, **kwargs)  # type: ignore[misc]  # the class is known when it runs

    return Kind(real.__name__, (real,), {"__init__": init, "__module__": real.__module__, "__doc__": real.__doc__})


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
        with naming(path):
            descriptor = real(actual, flags, mode, **kwargs)
        FOLDERS.pop(descriptor, None)
        if not writes and is_folder(str(text_of(actual))):
            FOLDERS[descriptor] = absolute(str(text_of(path)))
        return descriptor

    return open


def entering(real: Any) -> Any:
    """``os.chdir``: enters the folder that stands for the given one; one that exists nowhere is made."""

    @functools.wraps(real)
    def chdir(path: Any) -> None:
        text = text_of(FOLDERS.get(path, path) if isinstance(path, int) else path)
        if not LAYERS or text is None:
            real(path)
            return
        wanted = absolute(text)
        if there(lookup(wanted)) and not is_folder(lookup(wanted)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        make_folder(LAYERS[-1].place(wanted))
        paths.REAL.chdir(LAYERS[-1].place(wanted))

    return chdir


def seeing(real: Any, kind: Callable[[str], Any]) -> Any:
    @functools.wraps(real)
    def getcwd() -> Any:
        return kind(paths.working_folder()) if LAYERS else real()

    return getcwd


def listing(real: Any) -> Any:
    @functools.wraps(real)
    def listdir(path: Any = None) -> Any:
        folder = FOLDERS.get(path, path) if isinstance(path, int) else path
        if not LAYERS or isinstance(folder, int):
            return real(path)
        with naming(folder):
            names = names_in(os.curdir if folder is None else folder)
        return [os.fsencode(name) for name in names] if isinstance(folder, bytes) else names

    return listdir


class Entry:
    """What ``os.scandir`` yields: a name in a folder, with the path as the folder's was given."""

    def __init__(self, folder: Any, name: Any):
        self.name = name
        self.path = name if isinstance(folder, int) else os.path.join(folder, name)
        self._place = os.path.join(FOLDERS[folder], name) if isinstance(folder, int) else self.path

    def __fspath__(self) -> Any:
        return self.path

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return os.path.isdir(self._place) and (follow_symlinks or not self.is_symlink())

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return os.path.isfile(self._place) and (follow_symlinks or not self.is_symlink())

    def is_symlink(self) -> bool:
        return os.path.islink(self._place)

    def is_junction(self) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self._place, follow_symlinks=follow_symlinks)

    def inode(self) -> int:
        return self.stat(follow_symlinks=False).st_ino


class Entries:
    """The iterator that ``os.scandir`` returns."""

    def __init__(self, entries: list[Entry]):
        self.entries = iter(entries)

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return next(self.entries)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.entries = iter(())


def scanning(real: Any) -> Any:
    @functools.wraps(real)
    def scandir(path: Any = ".") -> Any:
        if not LAYERS or (isinstance(path, int) and path not in FOLDERS):
            return real(path)
        folder = os.curdir if path is None else path if isinstance(path, int) else os.fspath(path)
        return Entries([Entry(folder, name) for name in os.listdir(folder)])

    return scandir
