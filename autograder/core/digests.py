"""Keys that follow from packages and bytes: what a verdict, a baked file or an archive depends on, derived from imports.

Nobody keeps a list of files: what a package imports, directly or not and however late, is found in its sources.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path

from autograder.core.paths import PACKAGE

ENGINE = PACKAGE.name
# Read by a pattern, not by a parser: fifteen times as fast, and every command that bakes asks.
IMPORT = re.compile(rf"^[ \t]*(?:from {ENGINE}\.?([\w.]*) import ([\w, ]*)|import {ENGINE}\.([\w.]+))", re.MULTILINE)


@functools.cache
def packages_of(start: str) -> tuple[str, ...]:
    """``start`` (``judging``, ``authoring.baking``) and every package of the engine that it needs, sorted."""
    found, pending = set(), [start]
    while pending:
        package = pending.pop()
        if package not in found:
            found.add(package)
            pending += {_package_of(module, start) for path in _sources(package) for module in _imports(path)} - found - {""}
    return tuple(sorted(found))


def package_files(packages: Iterable[str]) -> dict[str, Path]:
    """Path below the engine's parent (``autograder/core/text.py``) -> file, for every byte of these packages."""
    found = {f"{ENGINE}/{path.name}": path for path in sorted(PACKAGE.glob("__init__.py"))}
    for package in packages:
        folder = PACKAGE.joinpath(*package.split("."))
        for parent in list(folder.parents)[: len(package.split(".")) - 1]:
            found |= {f"{ENGINE}/{(parent / '__init__.py').relative_to(PACKAGE).as_posix()}": parent / "__init__.py"}
        found |= {f"{ENGINE}/{path.relative_to(PACKAGE).as_posix()}": path for path in files_below(folder)}
    return dict(sorted(found.items()))


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder that somebody wrote: no byte code, nothing hidden; sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def folder_files(folder: Path, parts: Iterable[Path] | None = None) -> dict[str, Path]:
    """Path below ``folder`` -> file, for all of it or for some files and folders in it."""
    found = [
        path
        for part in (parts if parts is not None else [folder])
        for path in ([part] if part.is_file() else files_below(part))
    ]
    return {path.relative_to(folder).as_posix(): path for path in sorted(set(found))}


def digest_of(files: dict[str, Path] | dict[str, bytes], *more: str) -> str:
    """A hash of names and bytes, in the order of the names, and of further texts."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        data = content.read_bytes() if isinstance(content, Path) else content
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    for text in more:
        digest.update(b"\0text\0" + text.encode())
    return digest.hexdigest()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Package -> its installed version, '' where it is not installed."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _sources(package: str) -> list[Path]:
    return sorted(PACKAGE.joinpath(*package.split(".")).rglob("*.py"))


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    """Every module of the engine that a file imports, without the engine's own name in front; a text that reads so counts too."""
    found = set()
    for module, names, plain in IMPORT.findall(path.read_text(encoding="utf-8")):
        found |= (
            {plain}
            if plain
            else {f"{module}.{name.split()[0]}".strip(".") for name in names.split(",") if name.strip()} or {module}
        )
    return frozenset(found)


def _package_of(module: str, start: str) -> str:
    """The package of the engine that a module belongs to: ``start``, where it lies in it, else its first part."""
    if module == start or module.startswith(f"{start}."):
        return start
    first = module.split(".", maxsplit=1)[0]
    return first if (PACKAGE / first / "__init__.py").exists() else ""
