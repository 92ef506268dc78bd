"""Digests of what a verdict, a baked file or an archive depends on, derived from the engine's imports.

There is no list of files to maintain: direct, indirect and lazy imports of a package are all found in its sources.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.core.paths import PACKAGE

ENGINE = PACKAGE.name
# A regular expression is fifteen times faster than parsing, and every command that bakes needs this.
IMPORT = re.compile(rf"^[ \t]*(?:from {ENGINE}\.?([\w.]*) import ([\w, ]*)|import {ENGINE}\.([\w.]+))", re.MULTILINE)


@functools.cache
def packages_of(start: str) -> tuple[str, ...]:
    """``start`` (such as ``judging`` or ``authoring.baking``) and every package of the engine that it needs, sorted."""
    needed, pending = set(), [start]
    while pending:
        package = pending.pop()
        if package not in needed:
            needed.add(package)
            pending += {_package_of(module, start) for path in _sources(package) for module in _imports(path)} - needed - {""}
    return tuple(sorted(needed))


def package_files(packages: Iterable[str]) -> dict[str, Path]:
    """Path relative to the engine's parent (``autograder/core/text.py``) -> file, for every file of these packages."""
    files = {f"{ENGINE}/{path.name}": path for path in sorted(PACKAGE.glob("__init__.py"))}
    for package in packages:
        folder = PACKAGE.joinpath(*package.split("."))
        for parent in list(folder.parents)[: len(package.split(".")) - 1]:
            files |= {f"{ENGINE}/{(parent / '__init__.py').relative_to(PACKAGE).as_posix()}": parent / "__init__.py"}
        files |= {f"{ENGINE}/{path.relative_to(PACKAGE).as_posix()}": path for path in files_below(folder)}
    return dict(sorted(files.items()))


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder except byte code and hidden files, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def folder_files(folder: Path, parts: Iterable[Path] | None = None) -> dict[str, Path]:
    """Path relative to ``folder`` -> file, for all of it or only for ``parts``, some files and folders in it."""
    files = [
        path
        for part in (parts if parts is not None else [folder])
        for path in ([part] if part.is_file() else files_below(part))
    ]
    return {path.relative_to(folder).as_posix(): path for path in sorted(set(files))}


def digest_of(files: Mapping[str, Path | bytes], *more: str) -> str:
    """SHA-256, in hex, of file names and contents, sorted by name, and of further strings."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        data = content.read_bytes() if isinstance(content, Path) else content
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    for text in more:
        digest.update(b"\0text\0" + text.encode())
    return digest.hexdigest()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Package -> installed version, '' if it is not installed."""
    installed = {}
    for name in packages:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            installed[name] = ""
    return installed


def _sources(package: str) -> list[Path]:
    return sorted(PACKAGE.joinpath(*package.split(".")).rglob("*.py"))


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Every module of the engine that a file imports, without the leading ``autograder.``.

    Strings and comments with lines that look like imports count too.
    """
    modules: set[str] = set()
    for module, names, plain in IMPORT.findall(path.read_text(encoding="utf-8")):
        if plain:
            modules.add(plain)
        else:
            imported = {f"{module}.{name.split()[0]}".strip(".") for name in names.split(",") if name.strip()}
            modules |= imported or {module}
    return frozenset(modules)


def _package_of(module: str, start: str) -> str:
    """The engine package that a module belongs to: ``start`` if it is inside that, else its first component ('' if none)."""
    if module == start or module.startswith(f"{start}."):
        return start
    first = module.split(".", maxsplit=1)[0]
    return first if (PACKAGE / first / "__init__.py").exists() else ""
