"""The baked file: hidden and public inputs, expected outputs and mistakes' outputs, as one tree of arrays.

Written at build time by ``authoring.baking``, read by the judge; holds no code and no seed.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.trees import TreeError, pack, unpack

REFERENCES = "reference.safetensors"


def write_references(path: Path, tree: dict) -> None:
    """One frame in a file, readable by its owner only; replaced atomically."""
    write_whole(path, pack(tree), 0o600)


def read_references(path: Path) -> dict:
    """Raises GraderError when the file is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GraderError(f"no references at {path}: {error.strerror}; run `make autograder`") from None
    try:
        return unpack(data[4:])
    except TreeError as error:
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

    return numpy.frombuffer(pack(tree), dtype=numpy.uint8)


def unpacked(data: Any) -> dict:
    """Inverse of :func:`packed`."""
    return unpack(data.tobytes()[4:])
