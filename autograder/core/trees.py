"""Serialises trees of plain data and numpy arrays: the format of the worker pipe and of the baked file.

Layout: ``u32 body length | u32 tree length | JSON tree | safetensors blob``. The blob is absent if the tree has no arrays, so
that plain Python answers need neither numpy nor safetensors. Nothing here is ever unpickled or evaluated.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from autograder.checks.values import restored, stored

HEAD = struct.Struct("<II")
MAX_ARRAYS = 4096
MAX_DIMENSIONS = 8


class TreeError(Exception):
    """Bytes that are not a serialised tree."""


def pack(tree: Any) -> bytes:
    """Serialise a tree of None, bool, int, float, str, list, dict and numpy arrays; raises TypeError for any other leaf."""
    arrays: dict[str, Any] = {}

    def keep(array: Any) -> str:
        key = str(len(arrays))
        arrays[key] = array
        return key

    text = json.dumps(stored(tree, keep), ensure_ascii=True, separators=(",", ":")).encode("ascii")
    blob = b""
    if arrays:
        from safetensors.numpy import save

        blob = save(arrays)
    return HEAD.pack(4 + len(text) + len(blob), len(text)) + text + blob


def unpack(body: bytes) -> Any:
    """Inverse of :func:`pack`, without the leading four length bytes. Raises TreeError for anything malformed."""
    try:
        (length,) = struct.unpack_from("<I", body)
        if length > len(body) - 4:
            raise TreeError("truncated tree")
        tree = json.loads(body[4 : 4 + length].decode("ascii"))
        blob = body[4 + length :]
        arrays: dict[str, Any] = {}
        if blob:
            from safetensors.numpy import load

            arrays = load(blob)
        if len(arrays) > MAX_ARRAYS or any(a.ndim > MAX_DIMENSIONS for a in arrays.values()):
            raise TreeError("too many arrays or dimensions")
        return restored(tree, arrays.__getitem__)
    except TreeError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, struct.error, OverflowError) as error:
        raise TreeError(f"malformed frame: {type(error).__name__}") from None
    except Exception as error:  # safetensors raises its own SafetensorError
        raise TreeError(f"malformed arrays: {type(error).__name__}") from None
