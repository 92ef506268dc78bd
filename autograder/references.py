"""The baked file: hidden and public inputs, expected outputs and mistakes' outputs, as one frame of arrays.

Written at build time by bake.py, read by the judge; holds no code and no seed.
"""

from __future__ import annotations

import importlib.util
import json
import struct
import sys
import types
from pathlib import Path
from typing import Any

from autograder.files import write_whole
from autograder.model import Assignment, GraderError, Section
from autograder.sandbox import frames

REFERENCES = "reference.safetensors"


def write_references(path: Path, tree: dict) -> None:
    """One frame in a file, readable by its owner only; replaced atomically."""
    write_whole(path, frames.pack(tree), 0o600)


def read_references(path: Path) -> dict:
    """Raises GraderError when the file is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GraderError(f"no references at {path}: {error.strerror}; run `make autograder`") from None
    try:
        return frames.unpack(data[4:])
    except frames.FrameError as error:
        raise GraderError(f"{path} is damaged ({error}); delete it and run `make autograder`") from None


def stored_fingerprint(path: Path) -> str:
    """The fingerprint inside a baked file, '' if there is none; reads the tree without the arrays."""
    try:
        with open(path, "rb") as file:
            _, length = struct.unpack("<II", file.read(8))
            return json.loads(file.read(length)).get("fingerprint", "")
    except (OSError, ValueError, struct.error):
        return ""


def packed(tree: dict) -> Any:
    """A set as bytes in an array: a grader unpacks only the one it needs."""
    import numpy

    return numpy.frombuffer(frames.pack(tree), dtype=numpy.uint8)


def unpacked(data: Any) -> dict:
    """Inverse of :func:`packed`."""
    return frames.unpack(data.tobytes()[4:])


def probe_sources(assignment: Assignment, section: Section) -> dict[str, str]:
    """Module -> source of a section's probes; {} where it has none. Sent to workers, which cannot read our folders."""
    folder = assignment.folder / section.probes
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))} if section.probes else {}


def load_module(path: Path, name: str) -> types.ModuleType:
    """Import one file of the (trusted) assignment folder under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or not path.exists():
        raise GraderError(f"the assignment has no {path.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
