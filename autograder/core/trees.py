"""Serialises trees of plain data and numpy arrays: the format of the worker pipe and of the baked file.

Layout: ``u32 body length | u32 tree length | JSON tree | safetensors blob``. The blob is absent if the tree has no arrays, so
that plain Python answers need neither numpy nor safetensors. Nothing here is ever unpickled or evaluated.
"""

from __future__ import annotations

import functools
import json.encoder
import json.scanner
import math
import struct
import types
from typing import TYPE_CHECKING, Any

from autograder.checks.values import map_of, stored

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable

    Buffer = bytes | bytearray | memoryview | mmap.mmap

HEAD = struct.Struct("<II")
# json's own reader and writer, which are written in C: its functions in Python look names up that student code can replace.
writer: Any = vars(json.encoder)["c_make_encoder"]  # of CPython only
quoted: Any = json.encoder.encode_basestring_ascii
reader: Any = json.scanner.make_scanner
partial, Context = functools.partial, types.SimpleNamespace
CONSTANTS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
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

    text = "".join(WRITE(stored(tree, keep), 0)).encode("ascii")
    blob = b""
    if arrays:
        from safetensors.numpy import save

        blob = save(arrays)
    return HEAD.pack(4 + len(text) + len(blob), len(text)) + text + blob


def parts(body: Buffer, longest: float = math.inf) -> tuple[bytes, memoryview]:
    """The JSON text of a serialised tree, without the leading four length bytes, and its arrays.

    Raises TreeError, also for a text of more than ``longest`` bytes.
    """
    view = memoryview(body)
    length = int.from_bytes(view[:4], "little")
    if len(view) < 4 or length > len(view) - 4:
        raise TreeError("truncated tree")
    if length > longest:
        raise TreeError(f"{length} bytes of JSON, at most {longest} are allowed")
    return bytes(view[4 : 4 + length]), view[4 + length :]


def unpack(body: Buffer, load: Callable[[memoryview], dict[str, Any]] | None = None) -> Any:
    """Inverse of :func:`pack`, without the leading four length bytes. Raises TreeError for anything malformed.

    ``load``: reads the arrays of a blob; without it, each is a copy of its bytes.
    What it may cost is bounded elsewhere: ``sandbox.judge_side.bounds`` looks at what a worker sends before it comes here.
    """
    try:
        text, blob = parts(body)
        arrays: dict[str, Any] = {}
        if blob:
            arrays = (load or _copies)(blob)
        if len(arrays) > MAX_ARRAYS or any(a.ndim > MAX_DIMENSIONS for a in arrays.values()):
            raise TreeError("too many arrays or dimensions")
        return _read(text.decode("ascii").strip(" \t\n\r"), partial(_node, arrays))
    except TreeError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise TreeError(f"malformed frame: {type(error).__name__}") from None
    except Exception as error:  # safetensors raises its own SafetensorError
        raise TreeError(f"malformed arrays: {type(error).__name__}") from None


def _copies(blob: memoryview) -> dict[str, Any]:
    from safetensors.numpy import load

    arrays: dict[str, Any] = load(bytes(blob))
    return arrays


def _read(text: str, node: Any) -> Any:
    """``json.loads`` with an ``object_pairs_hook``."""
    hooks = {"object_hook": None, "object_pairs_hook": node, "parse_float": float, "parse_int": int}
    try:
        value, end = reader(Context(strict=True, parse_constant=CONSTANTS.__getitem__, **hooks))(text, 0)
    except StopIteration:
        raise TreeError("malformed frame: no JSON") from None
    if end != len(text):
        raise TreeError("malformed frame: more than one value")
    return value


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} is no plain data")


# Without a look for circles, which plain trees do not have; one ends with a RecursionError.
WRITE = writer(None, _refuse, quoted, None, ":", ",", False, False, True)


def _node(arrays: dict[str, Any], pairs: list[tuple[str, Any]]) -> Any:
    """A dict, or the ``Map`` or array that it stands for: each once, so that a short text cannot repeat a large one."""
    if len(pairs) == 1 and pairs[0][0] == "$array":
        return arrays.pop(pairs[0][1])
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise TreeError("the same key twice")
    return map_of(tree)
