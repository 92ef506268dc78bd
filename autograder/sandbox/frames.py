"""Frames between judge and worker: a JSON tree whose leaves may be safetensors arrays.

Layout of a frame: ``u32 body length | u32 tree length | JSON tree | safetensors blob``. The blob is
absent when the tree holds no array, so that plain Python answers need neither numpy nor safetensors.
Nothing here is ever unpickled or evaluated. The same format stores the baked references.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from typing import Any

HEAD = struct.Struct("<II")
MAX_ARRAYS = 4096
MAX_DIMENSIONS = 8


class FrameError(Exception):
    """The other side closed the pipe, sent too much, or sent something that is not a frame."""


class FrameTimeout(FrameError):
    """Nothing complete arrived before the deadline."""


def pack(tree: Any) -> bytes:
    """Serialise a tree of None, bool, int, float, str, list, dict and numpy arrays.

    Raises TypeError for any other leaf.
    """
    arrays: dict[str, Any] = {}
    text = json.dumps(_lower(tree, arrays), ensure_ascii=True, separators=(",", ":")).encode("ascii")
    blob = b""
    if arrays:
        from safetensors.numpy import save

        blob = save(arrays)
    return HEAD.pack(4 + len(text) + len(blob), len(text)) + text + blob


def unpack(body: bytes) -> Any:
    """Inverse of :func:`pack` for a frame without its first four bytes.

    Raises FrameError for anything malformed.
    """
    try:
        (length,) = struct.unpack_from("<I", body)
        if length > len(body) - 4:
            raise FrameError("truncated tree")
        tree = json.loads(body[4 : 4 + length].decode("ascii"))
        blob = body[4 + length :]
        arrays: dict[str, Any] = {}
        if blob:
            from safetensors.numpy import load

            arrays = load(blob)
        if len(arrays) > MAX_ARRAYS or any(a.ndim > MAX_DIMENSIONS for a in arrays.values()):
            raise FrameError("too many arrays or dimensions")
        return _raise(tree, arrays)
    except FrameError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, struct.error, OverflowError) as error:
        raise FrameError(f"malformed frame: {type(error).__name__}") from None
    except Exception as error:  # safetensors raises its own SafetensorError
        raise FrameError(f"malformed arrays: {type(error).__name__}") from None


def send(sock: socket.socket, tree: Any) -> None:
    """Write one frame; raises FrameError when the other side is gone."""
    try:
        sock.sendall(pack(tree))
    except TimeoutError:
        raise FrameTimeout("the other side does not read") from None
    except OSError as error:
        raise FrameError(f"pipe closed: {error.strerror}") from None


def receive(sock: socket.socket, limit: int, seconds: float | None = None) -> Any:
    """Read one frame of at most ``limit`` bytes within ``seconds`` (None waits for ever).

    Raises FrameTimeout or FrameError.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    (length,) = struct.unpack("<I", _exactly(sock, 4, deadline))
    if length > limit:
        raise FrameError(f"frame of {length} bytes is over the limit of {limit}")
    return unpack(_exactly(sock, length, deadline))


def _exactly(sock: socket.socket, count: int, deadline: float | None) -> bytes:
    chunks, missing = [], count
    while missing:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise FrameTimeout("no answer in time")
            sock.settimeout(left)
        else:
            sock.settimeout(None)
        try:
            chunk = sock.recv(min(missing, 1 << 20))
        except TimeoutError:
            raise FrameTimeout("no answer in time") from None
        except OSError as error:
            raise FrameError(f"pipe closed: {error.strerror}") from None
        if not chunk:
            raise FrameError("pipe closed")
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def _lower(node: Any, arrays: dict[str, Any]) -> Any:
    """Replace each array by ``{"$array": key}``; a dict that could be mistaken for one is refused."""
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    if isinstance(node, (list, tuple)):
        return [_lower(item, arrays) for item in node]
    if isinstance(node, dict):
        if "$array" in node:
            raise TypeError("'$array' is a reserved key")
        return {str(key): _lower(item, arrays) for key, item in node.items()}
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(node, numpy.ndarray):
        key = str(len(arrays))
        # safetensors wants C order; np.array keeps 0-d arrays 0-d, ascontiguousarray does not.
        arrays[key] = numpy.array(node, order="C", copy=None)
        return {"$array": key}
    raise TypeError(f"cannot send a {type(node).__name__}")


def _raise(node: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_raise(item, arrays) for item in node]
    if isinstance(node, dict):
        if set(node) == {"$array"}:
            return arrays[node["$array"]]
        return {key: _raise(item, arrays) for key, item in node.items()}
    return node
