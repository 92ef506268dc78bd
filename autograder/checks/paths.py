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
import re
import stat
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

ELSEWHERE = ".elsewhere"  # what is outside of the layer's folder, with its whole path
WEIGHTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
ON_WINDOWS = re.compile(r"(?:.*/)?([A-Za-z]:/.*)", re.DOTALL)
# The functions themselves, held where ``redirect`` does not replace them.
USED = ("lstat", "stat", "mkdir", "listdir", "getcwd", "chdir", "rmdir", "unlink")
REAL = SimpleNamespace(**{name: getattr(os, name) for name in USED}, open=io.open)


@dataclass
class Layer:
    """A folder that takes what is written. ``removed``: mapped paths behind which nothing is visible any more.

    ``apart``: trained models that were there before cannot be read, so that tiny ones are not mixed up with them.
    """

    root: str
    apart: bool = False
    removed: set[str] = field(default_factory=set)

    def place(self, path: str) -> str:
        """The path below this layer for an absolute path; one that is there already stays."""
        if below(path, self.root):
            return path
        drive, rest = os.path.splitdrive(path)
        return os.path.join(self.root, ELSEWHERE, *drive.replace(":", "").split("\\"), rest.lstrip("\\/" if drive else "/"))

    def origin(self, path: str) -> str:
        """The absolute path whose place this is; any other stays."""
        beyond = os.path.join(self.root, ELSEWHERE)
        if not below(path, beyond):
            return path
        rest = path[len(beyond) :].replace("\\", "/") if os.sep == "\\" else path[len(beyond) :]
        if os.sep == "/" or not rest.strip("/"):
            return rest or os.sep
        drive, _, inner = rest.strip("/").partition("/")
        return os.path.normpath(f"{drive}:/{inner}" if len(drive) == 1 else f"//{drive}/{inner}")

    def hides(self, place: str) -> bool:
        """Whether this path, or a folder around it, has been removed."""
        while self.removed and below(place, self.root) and place != self.root:
            if place in self.removed:
                return True
            place = os.path.dirname(place)
        return False


LAYERS: list[Layer] = []  # the last one is written to


def absolute(text: str) -> str:
    """The absolute path as the observed code sees it. Elsewhere than on Windows, a path from Windows is understood too."""
    if os.sep == "/" and ("\\" in text or ":" in text):
        text = text.replace("\\", "/")
        text = "/" + text.lstrip("/") if text.startswith("//") else text
        text = f"/{windows.group(1)}" if (windows := ON_WINDOWS.fullmatch(text)) else text
    return seen(os.path.normpath(os.path.join(working_folder(), text)))


def seen(path: str) -> str:
    """An absolute path as the observed code sees it."""
    for layer in LAYERS:
        path = layer.origin(path)
    return path


def working_folder() -> str:
    return seen(REAL.getcwd())


def found(path: Any) -> Any:
    """The path to read instead of ``path``: ``path`` itself if there is no other, or if it is no path at all."""
    text = text_of(path)
    if not LAYERS or text is None:
        return path
    wanted = absolute(text)
    actual = lookup(wanted)
    return like(path, actual) if actual != wanted or (there(actual) and not os.path.isabs(text)) else path


def lookup(wanted: str) -> str:
    """The absolute path where the content of the absolute path ``wanted`` is, if it can be read."""
    actual = visible(wanted)
    return LAYERS[-1].place(wanted) if actual == wanted and wanted.endswith(WEIGHTS) and is_trained(wanted) else actual


def visible(wanted: str) -> str:
    """The same for whatever can be listed, moved and removed, trained models included."""
    for layer in reversed(LAYERS):
        place = layer.place(wanted)
        if there(place) or layer.hides(place):
            return place
    return wanted


def is_trained(path: Any) -> bool:
    """Whether, by its name, a file holds a trained model that was there before, or a folder directly holds such a file.

    Only where a layer sets tiny models apart from those.
    """
    wanted = absolute(str(text_of(path)))
    libraries = (sys.prefix, sys.base_prefix, *(layer.root for layer in LAYERS))
    if not any(layer.apart for layer in LAYERS) or any(below(visible(wanted), folder) for folder in libraries):
        return False
    if not is_folder(wanted):
        return wanted.endswith(WEIGHTS) and there(wanted)
    try:
        return any(name.endswith(WEIGHTS) for name in REAL.listdir(wanted))
    except OSError:
        return False


def names_in(path: Any) -> list[str]:
    """What a folder holds: what was written there, and what was there before. Raises OSError if there is none."""
    wanted = absolute(str(text_of(path)))
    own = {os.path.join(layer.root, ELSEWHERE) for layer in LAYERS} | {layer.root for layer in LAYERS}
    folders = [layer.place(wanted) for layer in LAYERS] + [wanted]
    names = {name: 0 for folder in folders if is_folder(folder) for name in REAL.listdir(folder)}
    if not is_folder(visible(wanted)):
        return list(REAL.listdir(visible(wanted)))
    places = [os.path.join(wanted, name) for name in names]
    return [os.path.basename(place) for place in places if place not in own and there(visible(place))]


def writable(path: Any, keep: bool = False) -> Any:
    """The path to write instead of ``path``, below folders that exist; with ``keep`` it has the content that it had before."""
    text = text_of(path)
    if not LAYERS or text is None or is_device(text):
        return path
    wanted = absolute(text)
    place = LAYERS[-1].place(wanted)
    make_folder(os.path.dirname(place))
    if keep and not there(place) and there(source := lookup(wanted)) and not is_folder(source):
        copy(wanted, place)
    return like(path, place)


def new_folder(path: Any) -> Any:
    """The path at which to make a folder. Raises FileExistsError if the observed code has made it before."""
    text = text_of(path)
    if LAYERS and text is not None and any(there(layer.place(absolute(text))) for layer in LAYERS):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    return writable(path)


def remove(real: Any, path: Any, folder: bool) -> None:
    """Remove with ``real`` (``os.unlink`` or ``os.rmdir``) what was written; hide what was there before."""
    wanted = absolute(str(text_of(path)))
    place, source = LAYERS[-1].place(wanted), visible(wanted)
    problem = 0
    if not there(source):
        problem = errno.ENOENT
    elif folder != is_folder(source):
        problem = errno.ENOTDIR if folder else errno.EISDIR
    elif folder and names_in(path):
        problem = errno.ENOTEMPTY
    if problem:
        raise OSError(problem, os.strerror(problem), path)
    if there(place):
        real(place)
    LAYERS[-1].removed.add(place)


def move(real: Any, source: Any, target: Any) -> None:
    """Move with ``real`` (``os.rename`` or ``os.replace``) what was written; copy and hide what was there before."""
    wanted = absolute(str(text_of(source)))
    place, actual = LAYERS[-1].place(wanted), visible(wanted)
    if not there(actual):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), source, None, target)
    aim = str(text_of(writable(target)))
    if actual == place and not is_folder(place):
        real(place, aim)
    else:
        copy(wanted, aim)
        discard(place)
    LAYERS[-1].removed.add(place)


def link(source: Any, target: Any) -> None:
    """Instead of linking to what exists, copy it: a link could lead out. Raises PermissionError for anything else."""
    folder = os.path.dirname(absolute(str(text_of(target))))
    for path in (os.path.join(folder, str(text_of(source))), str(text_of(source))):
        if there(lookup(absolute(path))):
            copy(absolute(path), str(text_of(writable(target))))
            return
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source, None, target)


def copy(wanted: str, target: str) -> None:
    """Copy a file, or a folder with all that it holds, from where the observed code sees it to an actual path."""
    source = visible(wanted)
    if is_folder(source):
        make_folder(target)
        for name in names_in(wanted):
            copy(os.path.join(wanted, name), os.path.join(target, name))
        return
    with REAL.open(source, "rb") as old, REAL.open(target, "wb") as new:
        while block := old.read(1 << 20):
            new.write(block)


def discard(place: str) -> None:
    """Remove what a layer holds at an actual path, if anything."""
    if not is_folder(place):
        if there(place):
            REAL.unlink(place)
        return
    for name in REAL.listdir(place):
        discard(os.path.join(place, name))
    REAL.rmdir(place)


def files_below(folder: str) -> list[str]:
    """The actual paths of all files that were written below a layer's folder."""
    paths = [os.path.join(folder, name) for name in sorted(REAL.listdir(folder))]
    return [file for path in paths for file in (files_below(path) if is_folder(path) else [path])]


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
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def there(path: str) -> bool:
    try:
        REAL.lstat(path)
    except (OSError, ValueError):
        return False
    return True


def is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(REAL.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_device(path: str) -> bool:
    """Whether writing there changes no file: /dev/null and its like."""
    return absolute(path).startswith(("/dev/", "\\\\.\\")) and not absolute(path).startswith(("/dev/shm/", "/dev/mqueue/"))
