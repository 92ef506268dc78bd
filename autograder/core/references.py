"""The baked file: hidden and public inputs, expected outputs, and the outputs of known mistakes, as one tree of arrays.

Written at build time by ``authoring.baking`` and read by the judge; contains no code and no seed.
"""

from __future__ import annotations

import json
import mmap
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.trees import TreeError, pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCES = "reference.safetensors"
MAX_BYTES = 1 << 30
# The names of numbers in safetensors, in numpy.
NUMPY = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
}
NUMPY |= {"F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8"}
# What every baked file has.
KEYS = {"sets": list, "public": dict, "says": dict, "choice": str, "receipt": str, "modules": dict}


def write_references(path: Path, tree: dict[str, Any]) -> None:
    """Write the tree as one frame, atomically, to a file that only its owner can read."""
    write_whole(path, pack(tree), 0o600)


def read_references(path: Path) -> dict[str, Any]:
    """The tree of a baked file; raises GraderError if the file is missing or damaged.

    Its arrays stay in the file until something looks at them, of all sets a grading needs a few; writing into one does not
    change the file.
    """
    try:
        with open(path, "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except OSError as error:
        raise GraderError(f"no references at {path}: {error.strerror}; run `make autograder`") from None
    except ValueError:
        raise GraderError(f"{path} is damaged (it is empty); delete it and run `make autograder`") from None
    try:
        tree: dict[str, Any] = unpack(memoryview(data)[4:], _views)
        if isinstance(tree, dict) and "sets" in tree and not {"choice", "receipt"} <= tree.keys():
            raise GraderError(f"{path} was baked by another version of the grader; run `make autograder`")
        if not isinstance(tree, dict) or not all(isinstance(tree.get(key), kind) for key, kind in KEYS.items()):
            raise TreeError("no references in it")
    except TreeError as error:
        raise GraderError(f"{path} is damaged ({error}); delete it and run `make autograder`") from None
    return tree


def _views(blob: memoryview) -> dict[str, Any]:
    """The arrays in the bytes of a safetensors file, not copied."""
    import numpy as np

    start = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(bytes(blob[8:start]))
    header.pop("__metadata__", None)
    arrays = {}
    for name, one in header.items():
        first, end = one["data_offsets"]
        arrays[name] = np.frombuffer(blob[start + first : start + end], NUMPY[one["dtype"]]).reshape(one["shape"])
    return arrays


def stored(path: Path, key: str) -> str:
    """A text inside a baked file, such as its fingerprint, '' if there is none. Reads the tree but not the arrays."""
    try:
        with open(path, "rb") as file:
            _, length = struct.unpack("<II", file.read(8))
            tree = json.loads(file.read(min(length, MAX_BYTES)))
    except (OSError, ValueError, struct.error, RecursionError):
        return ""
    return str(tree.get(key, "")) if isinstance(tree, dict) else ""


def packed(tree: dict[str, Any]) -> NDArray[Any]:
    """A tree as a uint8 array, so that a grader can unpack only the set it needs."""
    import numpy as np

    return np.frombuffer(pack(tree), dtype=np.uint8)


def unpacked(data: NDArray[Any]) -> dict[str, Any]:
    """Inverse of :func:`packed`."""
    tree: dict[str, Any] = unpack(data.tobytes()[4:])
    return tree
