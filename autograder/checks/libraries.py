"""Functions of libraries that open files in another language, by name: where their path is, and whether it is written.

A library that is imported later gets its versions when it has been imported.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .file_functions import with_path
from .paths import LAYERS, absolute, found, is_folder, lookup, writable

Mapped = Callable[[Any], Any]


def edited(path: Any) -> Any:
    """A file that may be read, changed or both."""
    return writable(path, True)


def database(path: Any) -> Any:
    """A file, or the address of one (``file:runs.db?mode=rwc``)."""
    text = str(path)
    if text.startswith("file:") and ":memory:" not in text:
        name, mark, options = text[len("file:") :].partition("?")
        return f"file:{writable(name, True)}{mark}{options}"
    return path if text.startswith((":memory:", "file:")) or not text else writable(path, True)


def parent(path: Any) -> Any:
    """A file that is about to be written; its folder exists from now on."""
    writable(path)
    return path


# module, attribute, the number and name of the argument that is a path, what maps it
LIBRARIES: tuple[tuple[str, str, int, str, Mapped], ...] = (
    ("torch._C", "PyTorchFileWriter.__init__", 1, "file_name", writable),
    ("torch._C", "PyTorchFileReader.__init__", 1, "file_name", found),
    ("torch._C", "ScriptModule.save", 1, "filename", writable),
    ("torch._C", "ScriptFunction.save", 1, "filename", writable),
    ("torch._C", "import_ir_module", 2, "filename", found),
    ("torch", "UntypedStorage.from_file", 0, "filename", edited),
    ("torch", "from_file", 0, "filename", edited),
    ("torch.jit", "save", 1, "f", writable),
    ("torch.jit", "load", 0, "f", found),
    ("safetensors", "serialize_file", 1, "filename", writable),
    ("safetensors", "safe_open", 0, "filename", found),
    ("safetensors", "_safe_open_handle", 0, "filename", found),
    ("tokenizers", "Tokenizer.save", 1, "path", writable),
    ("tokenizers", "Tokenizer.from_file", 0, "path", found),
    ("sqlite3.dbapi2", "connect", 0, "database", database),
    ("_gdbm", "open", 0, "filename", edited),
    ("_dbm", "open", 0, "filename", edited),
    ("pandas.io.common", "check_parent_directory", 0, "path", parent),
    ("pyarrow", "memory_map", 0, "path", found),
    ("pyarrow.parquet.core", "ParquetWriter.__init__", 1, "where", writable),
    ("pyarrow.parquet.core", "ParquetFile.__init__", 1, "source", found),
    ("pyarrow.parquet.core", "read_table", 0, "source", found),
    ("pyarrow.feather", "write_feather", 1, "dest", writable),
    ("pyarrow.feather", "read_table", 0, "source", found),
    ("h5py._hl.files", "File.__init__", 1, "name", edited),
    ("cv2", "imwrite", 0, "filename", writable),
    ("cv2", "imread", 0, "filename", found),
)
# Nothing else uses the files of a layer, and the cage forbids locks.
NOT_NEEDED = (("fcntl", "flock"), ("fcntl", "lockf"))
MODULES = {entry[0] for entry in LIBRARIES} | {"fcntl", "numpy.lib._datasource"}


def replacements(modules: set[str]) -> Iterator[tuple[Any, str, Any]]:
    """(owner, name, what to put there) for those of these modules that have been imported."""
    for module, attribute, index, name, mapped in LIBRARIES:
        kind, _, last = attribute.rpartition(".")
        owner: Any = sys.modules.get(module) if module in modules else None
        owner = getattr(owner, kind, None) if kind else owner
        if owner is not None and hasattr(owner, last):
            value = with_path(getattr(owner, last), index, name, mapped)
            yield owner, last, staticmethod(value) if last == "from_file" else value
    for module, name in NOT_NEEDED:
        if module in modules and hasattr(sys.modules.get(module), name):
            yield sys.modules[module], name, left_out(getattr(sys.modules[module], name))
    openers: Any = getattr(sys.modules.get("numpy.lib._datasource"), "_FileOpeners", None)
    if openers is not None and "numpy.lib._datasource" in modules:
        yield openers, "__getitem__", choosing(openers.__getitem__)


def left_out(real: Any) -> Any:
    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        return None if LAYERS else real(*args, **kwargs)

    return call


def choosing(real: Any) -> Any:
    """For numpy's table of functions that open files: ours instead of Python's own."""

    @functools.wraps(real)
    def choose(self: Any, suffix: Any) -> Any:
        chosen = real(self, suffix)
        return open if getattr(chosen, "__module__", "") in ("io", "_io") else chosen

    return choose


class Later(importlib.abc.MetaPathFinder):
    """First on ``sys.meta_path``: has ``prepare`` called with the name of each of MODULES that is imported."""

    def __init__(self, prepare: Callable[[set[str]], None]):
        self.prepare = prepare

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name not in MODULES:
            return None
        finders: list[Any] = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        spec: Any = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if spec is not None and spec.loader is not None and not isinstance(spec.loader, type):
            execute, loader = spec.loader.exec_module, spec.loader

            def exec_module(module: Any) -> None:
                del loader.exec_module
                execute(module)
                self.prepare({name})

            loader.exec_module = exec_module
        return spec if isinstance(spec, importlib.machinery.ModuleSpec) else None


class Written(importlib.abc.MetaPathFinder):
    """Last on ``sys.meta_path``: finds modules that the observed code wrote, wherever it wrote them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        folders = [absolute(str(entry)) for entry in (sys.path if path is None else path)] if LAYERS else []
        places = [place for folder in folders if (place := lookup(folder)) != folder]
        return importlib.machinery.PathFinder.find_spec(name, [place for place in places if is_folder(place)], target)
