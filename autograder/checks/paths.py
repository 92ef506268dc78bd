"""Where the files of observed code go: a path is mapped to one below a temporary folder.

Whatever is written goes there; what is read is taken from there if it exists there, and from where it says otherwise. Removing
or moving a file that was there before only hides it. So a student's code can save to any path, on any machine, and changes
nothing that exists. A convenience, not a protection: code in other languages opens its files itself (in the grader the cage
confines it). ``redirect`` has Python's and the libraries' functions use this module.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

ELSEWHERE = ".elsewhere"  # what is outside of the layer's folder, with its whole path
# The functions themselves, held where ``redirect`` does not replace them.
REAL = SimpleNamespace(**{name: getattr(os, name) for name in ("lstat", "stat", "mkdir", "listdir", "getcwd")}, open=io.open)


@dataclass
class Layer:
    """A folder that takes what is written. ``removed``: mapped paths behind which nothing is visible any more.

    ``here``: the folder in it that stands for ``before``, the working folder until then; '' if that did not change.
    """

    root: str
    here: str = ""
    before: str = ""
    removed: set[str] = field(default_factory=set)

    def place(self, path: str) -> str:
        """The path below this layer for an absolute path; one that is there already stays."""
        if below(path, self.root):
            return path
        drive, rest = os.path.splitdrive(path)
        return os.path.join(self.root, ELSEWHERE, *drive.replace(":", "").split("\\"), rest.lstrip("\\/" if drive else "/"))

    def hides(self, place: str) -> bool:
        """Whether this path, or a folder around it, has been removed."""
        while self.removed and below(place, self.root) and place != self.root:
            if place in self.removed:
                return True
            place = os.path.dirname(place)
        return False


LAYERS: list[Layer] = []  # the last one is written to


def found(path: Any) -> Any:
    """The path to read instead of ``path``: ``path`` itself if there is no other, or if it is no path at all."""
    text = text_of(path)
    if not LAYERS or text is None:
        return path
    wanted = os.path.abspath(text)
    actual = lookup(wanted)
    return path if actual == wanted and (os.pardir not in text or there(text)) else like(path, actual)


def lookup(wanted: str) -> str:
    """The absolute path where the content of the absolute path ``wanted`` is, if it exists."""
    path, moved = wanted, False
    for layer in reversed(LAYERS):
        place = layer.place(path)
        if there(place) or layer.hides(place):
            return place
        if layer.here and below(path, layer.here):
            path, moved = os.path.normpath(os.path.join(layer.before, os.path.relpath(path, layer.here))), True
    return wanted if moved else path


def writable(path: Any, keep: bool = False) -> Any:
    """The path to write instead of ``path``, below folders that exist; with ``keep`` it has the content that it had before."""
    text = text_of(path)
    if not LAYERS or text is None or is_device(text):
        return path
    wanted = os.path.abspath(text)
    place = LAYERS[-1].place(wanted)
    make_folder(os.path.dirname(place))
    if keep and not there(place) and there(source := lookup(wanted)):
        copy(source, place)
    return like(path, place)


def remove(real: Any, path: Any, folder: bool) -> None:
    """Remove with ``real`` (``os.unlink`` or ``os.rmdir``) what was written; hide what was there before."""
    wanted = os.path.abspath(text_of(path) or "")
    place, source = LAYERS[-1].place(wanted), lookup(wanted)
    if there(place):
        real(place)
    elif not there(source):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    elif folder and any(there(lookup(os.path.join(wanted, name))) for name in REAL.listdir(source)):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
    elif not folder and is_folder(source):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    LAYERS[-1].removed.add(place)


def move(real: Any, source: Any, target: Any) -> None:
    """Move with ``real`` (``os.rename`` or ``os.replace``) what was written; copy and hide what was there before."""
    wanted = os.path.abspath(text_of(source) or "")
    place, actual = LAYERS[-1].place(wanted), lookup(wanted)
    if not there(actual):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), source, None, target)
    if there(place):
        real(place, text_of(writable(target)))
    else:
        copy(actual, str(text_of(writable(target))))
    LAYERS[-1].removed.add(place)


def link(source: Any, target: Any) -> None:
    """Instead of linking to what was written, copy it: a link could lead out. Raises PermissionError for anything else."""
    beside = os.path.join(os.path.dirname(str(text_of(target))), str(text_of(source)))
    for path in (beside, str(text_of(source))):
        actual = lookup(os.path.abspath(path))
        if there(actual) and any(below(actual, layer.root) for layer in LAYERS):
            copy(actual, str(text_of(writable(target))))
            return
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source, None, target)


def copy(source: str, target: str) -> None:
    """Copy a file or a folder with all that it holds; links in a folder are left out."""
    if is_folder(source):
        make_folder(target)
        for name in REAL.listdir(source):
            inner = os.path.join(source, name)
            if not stat.S_ISLNK(REAL.lstat(inner).st_mode):
                copy(inner, os.path.join(target, name))
        return
    with REAL.open(source, "rb") as old, REAL.open(target, "wb") as new:
        while block := old.read(1 << 20):
            new.write(block)


def make_folder(path: str) -> None:
    """Make a folder and those around it, unless they exist."""
    if not there(path):
        make_folder(os.path.dirname(path))
        REAL.mkdir(path)


def text_of(path: Any) -> str | None:
    """A path as text; None for anything else, such as an open file or its number."""
    try:
        return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else None
    except TypeError:
        return None


def like(path: Any, text: str) -> Any:
    return os.fsencode(text) if isinstance(path, bytes) else text


def below(path: str, folder: str) -> bool:
    path, folder = os.path.normcase(path), os.path.normcase(folder)
    return path == folder or path.startswith(folder + os.sep)


def there(path: str) -> bool:
    try:
        REAL.lstat(path)
    except (OSError, ValueError):
        return False
    return True


def is_folder(path: str) -> bool:
    return there(os.path.join(path, os.curdir))


def is_device(path: str) -> bool:
    """Whether writing there changes no file: /dev/null and its like."""
    path = os.path.abspath(path)
    return path.startswith(("/dev/", "\\\\.\\")) and not path.startswith(("/dev/shm/", "/dev/mqueue/"))
